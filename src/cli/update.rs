use clap::Args;

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::note::Words;
use crate::journal::NoteKind;

/// Write down a status update that was given to others.
///
/// Takes the same as `quell note`. Where the runbook says how often (`update_every`), the next is due from then on.
#[derive(Debug, Args)]
#[command(override_usage = "quell update [OPTIONS] [INCIDENT] <TEXT>")]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    words: Words,
}

const EXAMPLE: &str = "quell update \"cut at 03:12, the hunt goes on\"";

/// Runs `quell update`.
pub(crate) fn run(args: &UpdateArgs, cx: &Context) -> Result<Exit, CliError> {
    args.words.write(NoteKind::Update, EXAMPLE, cx).map(|_| Exit::Done)
}
