use std::error::Error;

use serde_json::{Value, json};

use super::exit::Exit;
use crate::engine::EngineError;
use crate::escape;
use crate::journal::JournalError;

/// A failure as the user meets it: what, why, and what to do next.
#[derive(Debug)]
pub(crate) struct CliError {
    /// The exit code.
    pub(crate) exit: Exit,
    /// A stable word for scripts, e.g. `no_credential`.
    pub(crate) code: &'static str,
    /// What failed.
    pub(crate) message: String,
    /// Why, from the outside in.
    pub(crate) causes: Vec<String>,
    /// What to do next.
    pub(crate) hint: Option<String>,
}

impl CliError {
    /// A failure without cause or hint.
    pub(crate) fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self { exit, code, message: message.into(), causes: Vec::new(), hint: None }
    }

    /// Wrong usage.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Adds why: the error and all that it names as its source.
    #[must_use]
    pub(crate) fn because(mut self, cause: &dyn Error) -> Self {
        let mut cause = Some(cause);
        while let Some(error) = cause {
            self.causes.push(error.to_string());
            cause = error.source();
        }
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The lines for a terminal.
    pub(crate) fn text(&self) -> String {
        let mut lines = format!("error: {}\n", escape::terminal(&self.message));
        for cause in &self.causes {
            lines.push_str(&format!("cause: {}\n", escape::terminal(cause)));
        }
        if let Some(hint) = &self.hint {
            lines.push_str(&format!("hint: {}\n", escape::terminal(hint)));
        }
        lines
    }

    /// The document for `--json`.
    pub(crate) fn json(&self) -> Value {
        json!({
            "schema": "quell.error/1",
            "error": { "code": self.code, "exit": self.exit as u8, "message": self.message, "cause": self.causes, "hint": self.hint },
        })
    }
}

impl From<JournalError> for CliError {
    fn from(error: JournalError) -> Self {
        let (code, hint) = match &error {
            JournalError::Io { .. } => (
                "journal_io",
                "free space or mend the permissions of the directory, then `quell resume`; nothing was sent after this",
            ),
            JournalError::Damaged { .. } => (
                "journal_damaged",
                "keep a copy of the directory as it is; `quell verify` says what is wrong, `quell report` still works",
            ),
            JournalError::Newer { .. } => ("journal_newer", "use the version of quell that wrote it"),
            JournalError::Illegal(_) => {
                ("journal_illegal", "this is a bug in quell, or the journal was edited: `quell verify` tells which")
            }
            JournalError::TakenOver { .. } => (
                "taken_over",
                "go on there; `quell status` shows where things stand. A call that was in flight here is in doubt there, and is looked at",
            ),
            JournalError::Poisoned => ("journal_poisoned", "mend the disk, then `quell resume`"),
        };
        Self::new(Exit::Journal, code, error.to_string()).because_source(&error).hint(hint)
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Journal(error) => error.into(),
            EngineError::Evidence(_) => Self::new(Exit::Failed, "evidence", error.to_string())
                .because_source(&error)
                .hint("free space or mend the permissions of the incident's directory, then `quell resume`"),
            EngineError::Unknown(_) => Self::new(Exit::Bug, "unknown", error.to_string())
                .hint("resume with the version of quell that began the run"),
        }
    }
}

impl CliError {
    fn because_source(self, error: &dyn Error) -> Self {
        match error.source() {
            Some(source) => self.because(source),
            None => self,
        }
    }
}
