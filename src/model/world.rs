use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which reality a run acts on; a warrant and a client of different worlds never meet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "world", content = "name", rename_all = "snake_case")]
pub enum World {
    /// A real API; the host (and port) that requests go to.
    Live(String),
    /// The built-in simulated account of the named scenario.
    Rehearsal(String),
}

impl World {
    /// True where nothing real can be changed.
    pub const fn is_rehearsal(&self) -> bool {
        matches!(self, Self::Rehearsal(_))
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live(host) => write!(f, "live {host}"),
            Self::Rehearsal(scenario) => write!(f, "REHEARSAL {scenario}"),
        }
    }
}

/// The provider account that a run is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The provider's id.
    pub id: String,
    /// The name people gave it; may be chosen by an attacker, escape before showing.
    pub name: String,
}

/// Kinds of credential that quell can act with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// A token owned by a user.
    UserToken,
    /// A token owned by the account.
    AccountToken,
    /// The e-mail and key pair that may do all that its user may.
    GlobalKey,
}

impl CredentialKind {
    /// Words for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserToken => "user token",
            Self::AccountToken => "account-owned token",
            Self::GlobalKey => "global API key",
        }
    }
}

/// What is known of the credential that makes the calls; never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialFacts {
    /// Its kind.
    pub kind: CredentialKind,
    /// The provider's id of it; a global key has none.
    pub id: Option<String>,
    /// The owner's e-mail, where it could be read.
    pub owner: Option<String>,
    /// When it stops working, where it could be read.
    pub expires: Option<Timestamp>,
}
