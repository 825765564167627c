use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{CommandCall, Digest, SealedId, canonical_digest};

/// One sealed secret on its way to where the team keeps its secrets. Holds no secret: it is filled in when it is carried
/// out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The answer that holds the secret.
    pub secret: SealedId,
    /// Name of the sink.
    pub sink: String,
    /// How it gets there.
    pub way: Way,
}

/// How a secret gets into a sink.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A program is run, and reads it on its standard input.
    Command(CommandCall),
    /// It is written to a new file that only its owner can read.
    File(PathBuf),
}

impl Delivery {
    /// What a warrant is bound to.
    pub fn digest(&self) -> Digest {
        canonical_digest(&json!(self))
    }
}

impl Way {
    /// Where it goes, in words: a command line, or a path.
    pub fn place(&self) -> String {
        match self {
            Self::Command(call) => call.line(),
            Self::File(path) => path.display().to_string(),
        }
    }
}
