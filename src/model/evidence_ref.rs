use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Digest;

/// Names one piece of evidence in the store, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRef {
    /// Digest of the stored (redacted) bytes; also the file's name.
    pub sha256: Digest,
    /// Size of the stored bytes.
    pub bytes: u64,
    /// The request that it answers, e.g. `GET /accounts/…/tokens`, or the file it was copied from.
    pub source: String,
    /// When it was taken, by this machine's clock.
    pub at: Timestamp,
}
