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

    /// The path of a step that `group` holds: in which round, and for which item.
    pub fn within(group: &Self, id: &str, round: Option<u32>, key: Option<&str>) -> Self {
        let key = key.map(|key| format!("[{}]", plain(key))).unwrap_or_default();
        let round = round.map(|round| format!("#{round}")).unwrap_or_default();
        Self(format!("{group}/{id}{key}{round}"))
    }

    /// The path of a step as it is done for one item.
    pub fn item(&self, key: &str) -> Self {
        Self(format!("{self}[{}]", plain(key)))
    }

    /// The ids on the way to the step, from the outside, without keys and rounds.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').map(|part| &part[..part.find(['[', '#']).unwrap_or(part.len())])
    }

    /// The ids on the way with `/` between: all instances of a step have the same.
    pub fn address(&self) -> String {
        self.ids().collect::<Vec<_>>().join("/")
    }

    /// The whole path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the step that the runbook declares: the last part, without key and pass.
    pub fn id(&self) -> &str {
        self.ids().last().unwrap_or(&self.0)
    }
}

/// A key as it stands in a path: what could be taken for a part of the path, or cannot be typed, is percent-encoded.
fn plain(key: &str) -> String {
    let mut out = String::new();
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b':' | b'@' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
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

    #[test]
    fn a_key_cannot_pass_for_a_part_of_the_path() {
        let group = StepPath::step("zones");
        let path = StepPath::within(&group, "look", None, Some("a/b[1]#2 é"));
        assert_eq!(path.as_str(), "zones/look[a%2Fb%5B1%5D%232%20%C3%A9]");
        assert_eq!((path.id(), path.ids().collect::<Vec<_>>()), ("look", vec!["zones", "look"]));
        assert_eq!(StepPath::within(&group, "look", Some(3), None).as_str(), "zones/look#3");
        assert_eq!(group.item("a").as_str(), "zones[a]");
    }
}
