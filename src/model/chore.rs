use serde::{Deserialize, Serialize};

/// What the engine itself does for a step: neither a change outside nor a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "chore", rename_all = "snake_case")]
pub enum Chore {
    /// Wait.
    Wait(Wait),
    /// Write the post-mortem as things stand.
    Report,
    /// Go on with a credential that the run has made.
    Switch {
        /// The provider's id of it.
        token: String,
    },
}

/// A wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// What is waited for, in words.
    pub message: String,
    /// The longest that it takes, in seconds from when it was proposed first.
    pub seconds: u64,
    /// How often the step looks whether its condition holds, in seconds; `None` where only time is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
}
