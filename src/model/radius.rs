use serde::{Deserialize, Serialize};

use super::{Danger, Effect};

/// In place of what no read showed: never read as "nothing" or "nobody".
const NOT_SEEN: &str = "not seen";

/// The blast radius of an effect, in words, as far as it was read. `None` is "not seen", never "none".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Radius {
    /// Which zones it reaches, or what else: `zones a.example, b.example`, `the account`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<String>,
    /// Who is cut off by it, or stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_off: Option<String>,
    /// How it is put back without `quell undo`, or why it cannot be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put_back: Option<String>,
}

impl Radius {
    /// Whether nothing of it was seen.
    pub fn is_unseen(&self) -> bool {
        *self == Self::default()
    }

    /// Which zones, or what else, for people.
    pub fn reach(&self) -> &str {
        self.reach.as_deref().unwrap_or(NOT_SEEN)
    }

    /// Who is cut off, for people.
    pub fn cut_off(&self) -> &str {
        self.cut_off.as_deref().unwrap_or(NOT_SEEN)
    }
}

impl Effect {
    /// How it is put back, or that it cannot be, for people.
    pub fn reversal(&self) -> String {
        let otherwise = self.radius.put_back.as_deref();
        match (&self.undo, otherwise) {
            (Some(undo), None) => format!("`quell undo` can put it back, with `{}`", undo.action),
            (Some(undo), Some(how)) => format!("`quell undo` can put it back, with `{}`; or {how}", undo.action),
            (None, Some(how)) => format!("not by `quell undo`: {how}"),
            (None, None) if self.danger == Danger::Irreversible => "none: it cannot be put back".to_owned(),
            (None, None) => format!("not by `quell undo`; another way is {NOT_SEEN}"),
        }
    }
}
