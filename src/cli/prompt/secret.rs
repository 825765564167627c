use dialoguer::Password;

use crate::cli::console::Screen;
use crate::secret::Secret;

/// Asks for a secret without echo; it is empty where nothing was typed. `None` where the person leaves.
pub async fn ask_secret(screen: &Screen, words: &str) -> Option<Secret> {
    let _held = screen.hold();
    let words = words.to_owned();
    let typed =
        tokio::task::spawn_blocking(move || Password::new().with_prompt(words).allow_empty_password(true).interact());
    let typed = typed.await.ok()?.ok()?;
    Some(Secret::new(typed.trim()))
}
