use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Account, CredentialFacts, Digest, Role, RunId, World};

/// A file with prepared answers. Nobody typed what stands in it at a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedAnswers {
    /// Its name, as it was given.
    pub name: String,
    /// Digest of its bytes.
    pub sha256: Digest,
}

/// What a run is bound to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunOpened {
    /// The run.
    pub run: RunId,
    /// The runbook's name.
    pub runbook: String,
    /// The runbook's title.
    pub title: String,
    /// Digest of the runbook's bytes.
    pub runbook_sha256: Digest,
    /// Where the runbook was found: a path, `embedded`, or `generated` where quell wrote it for this run.
    pub source: String,
    /// Time to contain that the team aims for, in seconds.
    pub target_seconds: Option<i64>,
    /// How often others are to be told how things stand, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_seconds: Option<i64>,
    /// When the incident was noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<Timestamp>,
    /// Who does what.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<Role, String>,
    /// The world.
    pub world: World,
    /// The API's host.
    pub api: String,
    /// The account.
    pub account: Account,
    /// The credential that makes the calls.
    pub credential: CredentialFacts,
    /// Names of the zones that matter most, as the team has said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crown_jewels: Vec<String>,
    /// This machine's clock minus the server's, in milliseconds, where it was measured.
    pub skew_ms: Option<i64>,
    /// The suspect, where it was told by its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaked: Option<LeakedToken>,
}

/// A token that a run was told of by its value. The value is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakedToken {
    /// The provider's id of the token.
    pub token: String,
    /// The value's mask: by it the same value is known again.
    pub mask: String,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Every step is done or skipped with a reason.
    Done,
    /// A person ended it early.
    Aborted,
}

impl RunOutcome {
    /// The word that the journal has for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Aborted => "aborted",
        }
    }
}
