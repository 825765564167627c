use serde::{Deserialize, Serialize};

/// For whom a report is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// For the team: everything.
    #[default]
    Internal,
    /// For others: without names of people, e-mail addresses, addresses that are not the intruder's, ids of the provider,
    /// and home directories.
    Public,
}

impl Profile {
    /// In words, as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Public => "public",
        }
    }

    /// The profile of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Internal, Self::Public].into_iter().find(|profile| profile.as_str() == name)
    }
}
