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
    #[command(flatten)]
    words: Words,
}

/// Somebody's words, and the incident that they belong to.
#[derive(Debug, Args)]
pub(super) struct Words {
    /// Beginning of the incident's id, or its directory; without one, the newest that is open.
    incident: Option<String>,

    /// The words, in quotes: one argument.
    #[arg(required = true)]
    text: String,
}

/// Runs `quell note`.
pub(crate) fn run(args: &NoteArgs, cx: &Context) -> Result<Exit, CliError> {
    args.words.write(NoteKind::Note, cx)
}

impl Words {
    /// Writes them down, without what looks like a secret.
    pub(super) fn write(&self, kind: NoteKind, cx: &Context) -> Result<Exit, CliError> {
        let text = self.text.trim();
        if text.is_empty() {
            return Err(CliError::usage(format!("the {} is empty", kind.as_str())));
        }
        let dir = cx.state.find(self.incident.as_deref())?;
        let redactor = crate::secret::Redactor::new(dir.redaction_key()?);
        let (mut journal, _) = Journal::open(&dir.path)?;
        let stamp = cx.stamp(journal.state().latest_run().map(|run| &run.opened));
        journal.append(&stamp, Event::Noted { text: redactor.redact(text).into_owned(), kind })?;
        cx.screen.tell(&format!("{} written down in {}", kind.as_str(), dir.id));
        Ok(Exit::Done)
    }
}
