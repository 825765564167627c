use std::fmt;

use serde::{Deserialize, Serialize};

/// Address of one step instance in every journal entry: `group/step[key]#pass`.
///
/// `key` is the identity of a `foreach` item, `pass` the round of a repeated group; a plain step is just its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepPath(String);

impl StepPath {
    /// The path of a plain step.
    pub fn step(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// The whole path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the step that the runbook declares: the last part, without key and pass.
    pub fn id(&self) -> &str {
        let last = self.0.rsplit('/').next().unwrap_or(&self.0);
        let end = last.find(['[', '#']).unwrap_or(last.len());
        &last[..end]
    }
}

impl fmt::Display for StepPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::StepPath;

    #[test]
    fn id_is_the_declared_step() {
        for (path, id) in [("cut", "cut"), ("g/cut", "cut"), ("g/cut[a]#2", "cut"), ("g/cut#2", "cut")] {
            assert_eq!(StepPath(path.to_owned()).id(), id);
        }
    }
}
