use serde::{Deserialize, Serialize};

/// What became of one attempt at an effect.
///
/// `Unknown` is a result like the others: it is journaled, shown, and settled by looking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "why", rename_all = "snake_case")]
pub enum Outcome {
    /// The provider says that it did it.
    Applied,
    /// The provider says that it did not do it.
    Refused(String),
    /// Provably nothing happened: no connection, or turned away by a rate limit.
    NotSent(String),
    /// The answer is lost or unreadable, or the server failed: it may or may not have happened.
    Unknown(String),
}

impl Outcome {
    /// The word used in every output.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Refused(_) => "refused",
            Self::NotSent(_) => "not_sent",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The reason, where there is one.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Applied => None,
            Self::Refused(why) | Self::NotSent(why) | Self::Unknown(why) => Some(why),
        }
    }
}

/// The answer of a read that checks an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "detail", rename_all = "snake_case")]
pub enum Verdict {
    /// Seen: the effect is in place. The text is the proof in words.
    Holds(String),
    /// Seen: it is not in place.
    DoesNotHold(String),
    /// It cannot be seen either way, and why.
    CannotTell(String),
}

impl Verdict {
    /// The word used in every output.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Holds(_) => "holds",
            Self::DoesNotHold(_) => "does_not_hold",
            Self::CannotTell(_) => "cannot_tell",
        }
    }

    /// What was seen, in words.
    pub fn detail(&self) -> &str {
        match self {
            Self::Holds(detail) | Self::DoesNotHold(detail) | Self::CannotTell(detail) => detail,
        }
    }
}
