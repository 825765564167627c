use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What somebody does in an incident; stands on each entry that they write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Decides.
    Commander,
    /// Drives the run.
    Operator,
    /// Writes down.
    Scribe,
    /// Agrees to what one person alone should not do.
    Approver,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Commander, Self::Operator, Self::Scribe, Self::Approver];

    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Commander => "commander",
            Self::Operator => "operator",
            Self::Scribe => "scribe",
            Self::Approver => "approver",
        }
    }

    /// The role that `roles` gives to a person, by name; the first where there are several.
    pub fn of(roles: &BTreeMap<Self, String>, person: &str) -> Option<Self> {
        let is_person = |name: &str| name.trim().eq_ignore_ascii_case(person.trim());
        roles.iter().find(|(_, name)| is_person(name)).map(|(role, _)| *role)
    }

    /// The role called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
