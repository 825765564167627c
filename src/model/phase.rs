use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where in the response a step belongs (the names that NIST SP 800-61 and SANS teams use).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before anything is touched: marks, own credential, people.
    Prepare,
    /// Evidence and scope.
    Identify,
    /// Taking the intruder's access away.
    Contain,
    /// Removing what the intruder left.
    Eradicate,
    /// Back to service, and watching.
    Recover,
    /// The post-mortem.
    Learn,
}

impl Phase {
    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Identify => "identify",
            Self::Contain => "contain",
            Self::Eradicate => "eradicate",
            Self::Recover => "recover",
            Self::Learn => "learn",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
