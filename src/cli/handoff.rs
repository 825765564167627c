use clap::Args;

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::note::Words;
use super::{output, report};
use crate::journal::NoteKind;

/// Hand the incident over: writes down what the next one must know, and prints where things stand.
///
/// Takes the same as `quell note`. The directory of the incident is all that another person or machine needs: copied
/// there, `quell verify` holds it, and `quell resume DIR` goes on. The vault's passphrase or key goes another way.
#[derive(Debug, Args)]
#[command(override_usage = "quell handoff [OPTIONS] [INCIDENT] <TEXT>")]
pub(crate) struct HandoffArgs {
    #[command(flatten)]
    words: Words,
}

const EXAMPLE: &str = "quell handoff \"the token is cut, DNS is next; the bank calls back at 9\"";

/// Runs `quell handoff`.
pub(crate) fn run(args: &HandoffArgs, cx: &Context) -> Result<Exit, CliError> {
    let book = args.words.write(NoteKind::Handoff, EXAMPLE, cx)?;
    let found = book.dir.inspect()?;
    let matters = super::close::Matters::of(&report::of_team(&book.dir, &found)?);
    let style = cx.screen.style();
    output::write(&super::status::text(&found.state, cx.now(), &style))?;
    output::write(&matters.text(&style))?;
    output::write(&format!("\ndirectory: {}\njournal head: {}\n", book.dir.path.display(), found.head))?;
    Ok(Exit::Done)
}
