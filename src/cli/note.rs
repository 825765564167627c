use clap::Args;

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use crate::journal::{Event, Journal, NoteKind};

/// Write something into the timeline, from any terminal, also while a run goes.
///
/// `quell note TEXT` writes into the newest incident that is open, `quell note INCIDENT TEXT` into the one named.
#[derive(Debug, Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct NoteArgs {
    /// Beginning of the incident's id, or its directory; without one, the newest that is open.
    incident: Option<String>,

    /// The words, in quotes: one argument.
    #[arg(required = true)]
    text: String,
}

/// Runs `quell note`.
pub(crate) fn run(args: &NoteArgs, cx: &Context) -> Result<Exit, CliError> {
    let text = args.text.trim();
    if text.is_empty() {
        return Err(CliError::usage("the note is empty"));
    }
    let dir = cx.state.find(args.incident.as_deref())?;
    let redactor = crate::secret::Redactor::new(dir.redaction_key()?);
    let (mut journal, _) = Journal::open(&dir.path)?;
    let run = journal.state().latest_run().map(|run| run.opened.run.clone());
    let noted = Event::Noted { text: redactor.redact(text).into_owned(), kind: NoteKind::Note };
    journal.append(&cx.stamp(run), noted)?;
    cx.screen.tell(&format!("noted in {}", dir.id));
    Ok(Exit::Done)
}
