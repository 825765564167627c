use crate::journal::JournalError;

/// Why the engine stopped without being asked to. The journal is whole up to the last entry; nothing is sent after any
/// of these.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Evidence could not be kept.
    #[error("cannot keep evidence")]
    Evidence(#[source] std::io::Error),
    /// The journal names something that this binary or runbook does not have.
    #[error("the journal names {0}, which this version of quell does not know")]
    Unknown(String),
}
