use dialoguer::Password;

use crate::cli::console::Screen;
use crate::secret::Secret;

/// Asks for a secret without echo. `None` where the person leaves, or nothing was typed.
pub async fn ask_secret(screen: &Screen, words: &str) -> Option<Secret> {
    let _held = screen.hold();
    let words = words.to_owned();
    let typed =
        tokio::task::spawn_blocking(move || Password::new().with_prompt(words).allow_empty_password(true).interact());
    let typed = typed.await.ok()?.ok()?;
    let secret = Secret::new(typed.trim());
    (!secret.expose().is_empty()).then_some(secret)
}
