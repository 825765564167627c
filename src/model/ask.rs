use serde::{Deserialize, Serialize};

use super::ip_range;

/// Something that only a person can answer, put at a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// What the person is told first.
    pub instruction: String,
    /// The fields to fill, in order.
    pub questions: Vec<Question>,
}

/// One field of an [`Ask`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The field's name in the answers file and in the step's output.
    pub name: String,
    /// What to ask.
    pub prompt: String,
    /// What may be answered.
    pub kind: AnswerKind,
    /// False where an empty answer will do.
    pub required: bool,
    /// What the text of an answer must be; a question that any text answers is written without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<Takes>,
}

/// What the text of an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Takes {
    /// IP addresses, or ranges of them, separated by commas.
    Addresses,
}

impl Takes {
    /// Whether a text is such an answer.
    ///
    /// # Errors
    /// What is wrong with it, and what to write in its place.
    pub fn require(self, text: &str) -> Result<(), String> {
        match self {
            Self::Addresses => text.split(',').try_for_each(|part| {
                ip_range(part.trim()).map(drop).map_err(|(why, instead)| format!("{why}; {instead}"))
            }),
        }
    }
}

/// What may be answered to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AnswerKind {
    /// A line of text.
    Text,
    /// One of these ids, each with the words shown for it.
    Choice {
        /// `(id, words)`.
        options: Vec<(String, String)>,
    },
    /// A file to keep as evidence.
    File,
}

/// What is to become of a row that was not chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "disposition", rename_all = "snake_case")]
pub enum Disposition {
    /// Somebody does it later.
    Later {
        /// Who.
        owner: String,
    },
    /// It stays as it is.
    Keep {
        /// Why.
        reason: String,
    },
    /// Its goal was met before quell did anything.
    AlreadyMet {
        /// What was seen.
        proof: String,
    },
    /// It was consented to, and could not be seen any more when its turn came: nothing was sent, and nothing shows
    /// whether its goal is met.
    Unseen {
        /// What is known of why.
        why: String,
    },
}

impl Disposition {
    /// How a reason begins where a row was not chosen from a list, and nobody said more.
    pub const NOT_CHOSEN: &'static str = "not chosen";
}
