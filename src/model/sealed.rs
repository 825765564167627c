use std::fmt;

use serde::{Deserialize, Serialize};

use super::{EffectKey, RunId};

/// Which sealed answer it is. Runs of one incident may have the same effect, so its key alone would not tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SealedId {
    /// The run.
    pub run: RunId,
    /// The effect that it answers.
    pub effect: EffectKey,
    /// Which attempt at it, from 1.
    pub attempt: u32,
}

impl fmt::Display for SealedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {} at effect {} of run {}", self.attempt, self.effect, self.run)
    }
}
