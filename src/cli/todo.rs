use clap::Args;

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::note::Words;
use crate::journal::NoteKind;

/// Write down what is still to be done: an action item of the report.
///
/// Takes the same as `quell note`.
#[derive(Debug, Args)]
#[command(override_usage = "quell todo [OPTIONS] [INCIDENT] <TEXT>")]
pub(crate) struct TodoArgs {
    #[command(flatten)]
    words: Words,
}

const EXAMPLE: &str = "quell todo \"Sam: give the deploy job a token of its own\"";

/// Runs `quell todo`.
pub(crate) fn run(args: &TodoArgs, cx: &Context) -> Result<Exit, CliError> {
    args.words.write(NoteKind::Todo, EXAMPLE, cx).map(|_| Exit::Done)
}
