use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::output;
use super::vault::VaultDoor;
use crate::cloudflare::api::parse_result;
use crate::durable;
use crate::escape;
use crate::journal::{EffectState, Event, Inspection, Journal, Stamp};
use crate::model::Outcome;
use crate::secret::Secret;

/// New secrets that lie sealed in an incident's vault.
#[derive(Debug, Args)]
pub(crate) struct SecretsArgs {
    #[command(subcommand)]
    command: SecretsCommand,
}

#[derive(Debug, Subcommand)]
enum SecretsCommand {
    /// What lies in the vault: names and ids, never values.
    List {
        /// Beginning of the incident's id, or its directory; without one, the newest that is open, else the newest.
        incident: Option<String>,
    },
    /// Open one secret. Needs the vault's passphrase or identity; the journal records that it was opened.
    Reveal {
        /// Id of the target, or key of the effect, as `list` shows it.
        target: String,
        /// Beginning of the incident's id, or its directory; without one, the newest that is open, else the newest.
        incident: Option<String>,
        /// Write it to a new private file instead of standard output.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Runs `quell secrets`.
pub(crate) async fn run(args: &SecretsArgs, cx: &Context) -> Result<Exit, CliError> {
    match &args.command {
        SecretsCommand::List { incident } => {
            let found = cx.incident_to_read(incident.as_deref())?.inspect()?;
            list(&found, cx)
        }
        SecretsCommand::Reveal { target, incident, output } => {
            reveal(target, incident.as_deref(), output.as_ref(), cx).await
        }
    }
}

/// Every effect whose answer was sealed, with the number of the attempt.
fn sealed(found: &Inspection) -> Vec<(&EffectState, u32)> {
    let effects = found.state.runs.iter().flat_map(|run| run.steps.values()).flat_map(|step| &step.effects);
    let numbered =
        effects.flat_map(|effect| (1..).zip(&effect.attempts).map(move |(number, attempt)| (effect, number, attempt)));
    numbered.filter(|(_, _, attempt)| attempt.sealed).map(|(effect, number, _)| (effect, number)).collect()
}

fn list(found: &Inspection, cx: &Context) -> Result<Exit, CliError> {
    let rows: Vec<Value> = sealed(found)
        .into_iter()
        .map(|(state, attempt)| {
            json!({
                "effect": state.effect.key, "attempt": attempt, "kind": state.effect.target.kind,
                "target": { "id": state.effect.target.id, "name": state.effect.target.name },
            })
        })
        .collect();
    if cx.json {
        output::document(&json!({ "schema": "quell.secrets/1", "secrets": rows }))?;
    } else if rows.is_empty() {
        cx.screen.tell("nothing lies in the vault");
    } else {
        for (state, attempt) in sealed(found) {
            let target = &state.effect.target;
            output::write(&format!(
                "{}  {}  {} {} (attempt {attempt})\n",
                state.effect.key,
                target.id,
                target.kind,
                escape::terminal(&target.name)
            ))?;
        }
    }
    Ok(Exit::Done)
}

async fn reveal(target: &str, incident: Option<&str>, file: Option<&PathBuf>, cx: &Context) -> Result<Exit, CliError> {
    let dir = cx.incident_to_read(incident)?;
    let found = dir.inspect()?;
    let wanted = |state: &EffectState| state.effect.target.id == target || state.effect.key.as_str() == target;
    let newest = sealed(&found).into_iter().rfind(|(state, _)| wanted(state));
    let Some((state, attempt)) = newest else {
        return Err(CliError::usage(format!("there is no sealed secret for `{}`", escape::terminal(target)))
            .hint("`quell secrets list` shows ids"));
    };
    let rehearsal = found.state.world.as_ref().is_some_and(crate::model::World::is_rehearsal);
    let door = VaultDoor::new(&dir, cx, rehearsal);
    let refused = |why: String| CliError::new(Exit::Usage, "vault", "the vault cannot be opened").because(&Words(why));
    let answer = door.open_answer(&state.effect.key, attempt).await.map_err(refused)?;
    let value = answer.as_ref().and_then(parse_result).and_then(|result| result.as_str().map(Secret::new));
    let Some(secret) = value else {
        return Err(no_secret(state, attempt));
    };
    // The record comes first: nobody opens a secret unseen.
    let (mut journal, _) = Journal::open(&dir.path)?;
    let stamp = Stamp { run: None, ..cx.stamp(journal.state().latest_run().map(|run| &run.opened)) };
    let to = if file.is_some() { "file" } else { "standard output" };
    journal.append(&stamp, Event::SecretRevealed { effect: state.effect.key.clone(), attempt, to: to.to_owned() })?;
    match file {
        Some(path) => durable::write_new(path, secret.expose().as_bytes(), 0o600)
            .map_err(|error| CliError::usage(format!("cannot write {}", path.display())).because(&error))?,
        None => output::write(&format!("{}\n", secret.expose()))?,
    }
    Ok(Exit::Done)
}

/// Why there is nothing to show; what arrived of an answer that was cut off is for a person to look at.
fn no_secret(state: &EffectState, attempt: u32) -> CliError {
    let at = usize::try_from(attempt).unwrap_or(usize::MAX).wrapping_sub(1);
    if matches!(state.attempts.get(at).and_then(|attempt| attempt.outcome.as_ref()), Some(Outcome::Refused(_))) {
        let message = "the sealed answer holds no secret: the provider had refused";
        return CliError::new(Exit::Failed, "no_secret", message);
    }
    let file = format!("vault/{}-{attempt}.age", state.effect.key);
    CliError::new(Exit::Failed, "no_secret", "the sealed answer is not whole, so no secret can be read from it")
        .hint(format!("what arrived of it, perhaps with the secret: `age -d -i vault/identity.age {file}`"))
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Words(String);
