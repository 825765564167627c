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
#[command(allow_missing_positional = true)]
pub(crate) struct DecideArgs {
    #[command(flatten)]
    words: Words,
}

/// Runs `quell decide`.
pub(crate) fn run(args: &DecideArgs, cx: &Context) -> Result<Exit, CliError> {
    args.words.write(NoteKind::Decision, cx).map(|_| Exit::Done)
}
