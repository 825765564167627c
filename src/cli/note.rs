use clap::Args;

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use crate::journal::{Event, Journal, Stamp};

/// Write something into the timeline, from any terminal, also while a run goes.
#[derive(Debug, Args)]
pub(crate) struct NoteArgs {
    /// The words. `INCIDENT TEXT` names the incident first; without it, the newest that is open.
    #[arg(required = true, num_args = 1..=2, value_names = ["INCIDENT", "TEXT"])]
    words: Vec<String>,
}

/// Runs `quell note`.
pub(crate) fn run(args: &NoteArgs, cx: &Context) -> Result<Exit, CliError> {
    let (incident, text) = match args.words.as_slice() {
        [incident, text] => (Some(incident.as_str()), text),
        [text] => (None, text),
        _ => return Err(CliError::usage("say what to note")),
    };
    let text = text.trim();
    if text.is_empty() {
        return Err(CliError::usage("the note is empty"));
    }
    let dir = cx.state.find(incident)?;
    let redactor = crate::secret::Redactor::new(dir.redaction_key()?);
    let (mut journal, _) = Journal::open(&dir.path)?;
    let run = journal.state().latest_run().map(|run| run.opened.run.clone());
    let stamp = Stamp { at: cx.now(), by: cx.operator.clone(), run, path: None };
    journal.append(&stamp, Event::Noted { text: redactor.redact(text).into_owned() })?;
    cx.screen.tell(&format!("noted in {}", dir.id));
    Ok(Exit::Done)
}
