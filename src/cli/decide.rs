use clap::Args;

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::note::Words;
use crate::journal::NoteKind;

/// Write down a decision: it stands among the decisions of the report.
///
/// Takes the same as `quell note`.
#[derive(Debug, Args)]
#[command(override_usage = "quell decide [OPTIONS] [INCIDENT] <TEXT>")]
pub(crate) struct DecideArgs {
    #[command(flatten)]
    words: Words,
}

const EXAMPLE: &str = "quell decide \"customers are told at 9, not before\"";

/// Runs `quell decide`.
pub(crate) fn run(args: &DecideArgs, cx: &Context) -> Result<Exit, CliError> {
    args.words.write(NoteKind::Decision, EXAMPLE, cx).map(|_| Exit::Done)
}
