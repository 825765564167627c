//! New secrets that lie sealed: what there is, and how it gets to those who need it.

mod deliver;
mod list;
mod open;
mod reveal;
mod sealed;

pub(crate) use open::value;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;

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
    Deliver(deliver::DeliverArgs),
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
            list::run(&found, cx)
        }
        SecretsCommand::Deliver(args) => deliver::run(args, cx).await,
        SecretsCommand::Reveal { target, incident, output } => {
            reveal::run(target, incident.as_deref(), output.as_ref(), cx).await
        }
    }
}
