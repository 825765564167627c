use std::sync::Arc;

use clap::Args;

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::layout::IncidentDir;
use crate::journal::{Event, Journal, NoteKind, Stamp};
use crate::secret::Redactor;

/// Write something into the timeline, from any terminal, also while a run goes.
///
/// `quell note TEXT` writes into the newest incident that is open, `quell note INCIDENT TEXT` into the one named.
#[derive(Debug, Args)]
#[command(override_usage = "quell note [OPTIONS] [INCIDENT] <TEXT>")]
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
    text: Option<String>,
}

const EXAMPLE: &str = "quell note \"the deploy team knows, and holds its releases\"";

/// Runs `quell note`.
pub(crate) fn run(args: &NoteArgs, cx: &Context) -> Result<Exit, CliError> {
    args.words.write(NoteKind::Note, EXAMPLE, cx).map(|_| Exit::Done)
}

/// An incident that words are written into.
pub(super) struct Notebook {
    pub(super) dir: IncidentDir,
    pub(super) journal: Journal,
    pub(super) redactor: Arc<Redactor>,
    /// What the entry carries.
    pub(super) stamp: Stamp,
}

impl Notebook {
    /// Opens that of the incident named, else of the newest that is open.
    pub(super) fn open(incident: Option<&str>, cx: &Context) -> Result<Self, CliError> {
        let dir = cx.state.find(incident)?;
        let redactor = Arc::new(Redactor::new(dir.redaction_key()?));
        let (journal, _) = Journal::open(&dir.path)?;
        let stamp = cx.stamp(journal.state().latest_run().map(|run| &run.opened));
        Ok(Self { dir, journal, redactor, stamp })
    }
}

impl Words {
    /// Writes them down, without what looks like a secret. Returns where.
    pub(super) fn write(&self, kind: NoteKind, example: &str, cx: &Context) -> Result<Notebook, CliError> {
        let (mut book, text) = self.open(kind.as_str(), example, cx)?;
        book.journal.append(&book.stamp, Event::Noted { text, kind })?;
        cx.screen.tell(&format!("{} written down in {}", kind.as_str(), book.dir.id));
        Ok(book)
    }

    /// Where they belong, and the words without what looks like a secret. Whoever gave none is shown the `example`.
    pub(super) fn open(&self, what: &str, example: &str, cx: &Context) -> Result<(Notebook, String), CliError> {
        // One argument is the words, two are the incident and the words.
        let (incident, text) = match (&self.incident, &self.text) {
            (incident, Some(text)) => (incident.as_deref(), text.trim()),
            (text, None) => (None, text.as_deref().unwrap_or_default().trim()),
        };
        if text.is_empty() {
            return Err(CliError::usage(format!("the {what} is empty"))
                .hint(format!("write them in quotes, for example `{example}`")));
        }
        let book = Notebook::open(incident, cx)?;
        let text = book.redactor.redact(text).into_owned();
        Ok((book, text))
    }
}
