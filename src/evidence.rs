//! What was read, redacted and kept.
use std::io;

use jiff::Timestamp;

use crate::model::EvidenceRef;

/// Where answers are kept.
pub trait EvidenceSink: Send + Sync {
    /// Keeps bytes after redaction.
    fn keep(&self, source: &str, bytes: &[u8], at: Timestamp) -> io::Result<EvidenceRef>;
}
