use std::path::PathBuf;

use super::open::open;
use super::sealed::sealed;
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::vault::VaultDoor;
use crate::durable;
use crate::escape;
use crate::journal::{Event, Journal};
use crate::model::World;

/// Runs `quell secrets reveal`.
pub(super) async fn run(
    target: &str,
    incident: Option<&str>,
    file: Option<&PathBuf>,
    cx: &Context,
) -> Result<Exit, CliError> {
    let dir = cx.incident_to_read(incident)?;
    let found = dir.inspect()?;
    let Some(newest) = sealed(&found).into_iter().rfind(|sealed| sealed.is_called(target)) else {
        return Err(CliError::usage(format!("there is no sealed secret for `{}`", escape::terminal(target)))
            .hint("`quell secrets list` shows ids"));
    };
    let door = VaultDoor::new(&dir, cx, found.state.world.as_ref().is_some_and(World::is_rehearsal));
    let secret = open(&door, &newest).await?;
    // The record comes first: nobody opens a secret unseen.
    let (mut journal, _) = Journal::open(&dir.path)?;
    let stamp = cx.stamp(journal.state().run(&newest.id.run).map(|run| &run.opened));
    let (effect, attempt) = (newest.id.effect.clone(), newest.id.attempt);
    let to = if file.is_some() { "file" } else { "standard output" };
    journal.append(&stamp, Event::SecretRevealed { effect, attempt, to: to.to_owned() })?;
    match file {
        Some(path) => durable::write_new(path, secret.expose().as_bytes(), 0o600)
            .map_err(|error| CliError::usage(format!("cannot write {}", path.display())).because(&error))?,
        None => output::write(&format!("{}\n", secret.expose()))?,
    }
    Ok(Exit::Done)
}
