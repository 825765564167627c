//! What the actions that reach outside share: timeouts, values by JSON pointer, the danger that an author states.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::action::StepError;
use crate::model::Danger;
use crate::outside::Hindrance;

/// Larger values have no place in the journal; the whole answer is in the evidence. Bytes.
const LARGEST: usize = 64 << 10;

/// What a person must know of every call that quell does not understand.
pub(super) const UNKNOWN_REACH: &str =
    "what it touches and whom it cuts off quell cannot know: the danger is the word of the runbook's author";

/// How much harm it would do if it were wrong. quell cannot know: it is the author's word.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Harm {
    /// It can be put back as it was.
    Reversible,
    /// Something may stop working until a person mends it.
    #[default]
    Disruptive,
    /// It cannot be put back.
    Irreversible,
}

impl From<Harm> for Danger {
    fn from(harm: Harm) -> Self {
        match harm {
            Harm::Reversible => Self::Reversible,
            Harm::Disruptive => Self::Disruptive,
            Harm::Irreversible => Self::Irreversible,
        }
    }
}

impl From<Hindrance> for StepError {
    fn from(hindrance: Hindrance) -> Self {
        Self::new(hindrance.why).hint(hindrance.hint)
    }
}

/// Whole seconds of the parameter called `name`.
pub(super) fn seconds(name: &str, length: Option<SignedDuration>, without: u64) -> Result<u64, StepError> {
    let Some(length) = length else { return Ok(without) };
    u64::try_from(length.as_secs())
        .ok()
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| StepError::new(format!("`{name}` is shorter than a second")).hint("write it like `30s` or `5m`"))
}

/// Pointers are `/field/0/field`; empty for the whole document.
pub(super) fn check_pointers<'p>(pointers: impl IntoIterator<Item = &'p String>) -> Result<(), StepError> {
    match pointers.into_iter().find(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
        None => Ok(()),
        Some(pointer) => Err(StepError::new(format!("`{pointer}` is no JSON pointer"))
            .hint("a pointer begins with `/`, like `/result/0/id`")),
    }
}

/// The values that `pointers` name in `body`, and the names of those that are not there.
pub(super) fn pointed(body: &[u8], pointers: &BTreeMap<String, String>) -> (Map<String, Value>, Vec<String>) {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let (mut values, mut missing, mut size) = (Map::new(), Vec::new(), 0);
    for (name, pointer) in pointers {
        let value = document.pointer(pointer).filter(|value| !value.is_null());
        size += value.map_or(0, |value| value.to_string().len());
        match value {
            Some(value) if size <= LARGEST => {
                values.insert(name.clone(), value.clone());
            }
            _ => missing.push(name.clone()),
        }
    }
    (values, missing)
}

/// What stands for each value in a rehearsal, so that later steps can be walked.
pub(super) fn simulated(pointers: &BTreeMap<String, String>) -> Map<String, Value> {
    pointers.keys().map(|name| (name.clone(), json!("simulated"))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::pointed;

    #[test]
    fn values_keep_their_type_and_what_is_not_there_is_named() {
        let pointers = [("id", "/a/0"), ("gone", "/b"), ("null", "/n")];
        let pointers = pointers.map(|(name, pointer)| (name.to_owned(), pointer.to_owned())).into();
        let (values, missing) = pointed(br#"{"a":[7],"n":null}"#, &pointers);
        assert_eq!(json!(values), json!({ "id": 7 }));
        assert_eq!(missing, ["gone", "null"]);
        let (values, missing) = pointed(b"no JSON", &pointers);
        assert!(values.is_empty() && missing.len() == 3);
        let large = json!({ "a": ["x".repeat(70_000)] }).to_string();
        assert_eq!(pointed(large.as_bytes(), &pointers).1, ["gone", "id", "null"]);
    }
}
