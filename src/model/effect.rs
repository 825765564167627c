use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Danger, Digest, EffectKey, FindingStatus, OutsideCall, Radius};

/// ONE change to the outside world: one call, with what it touches and how to judge it.
///
/// An effect is journaled whole before anybody consents to it, and is enough by itself to send, verify and undo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Derived from step path, action and target.
    pub key: EffectKey,
    /// Id of the action that proposed it.
    pub action: String,
    /// What it touches.
    pub target: Target,
    /// What it does, in the imperative: `disable token ci-deploy`.
    pub summary: String,
    /// How much harm it would do if it were wrong; computed by the action.
    pub danger: Danger,
    /// The one call.
    pub call: Call,
    /// The target as it is, without volatile and secret fields. Part of what is consented to.
    pub before: Value,
    /// The target as it will be.
    pub after: Value,
    /// How far it goes: what it reaches, who is cut off, how it is put back.
    #[serde(default, skip_serializing_if = "Radius::is_unseen")]
    pub radius: Radius,
    /// What else the responder must know before saying yes.
    pub consequences: Vec<String>,
    /// Columns for the table of a step with many effects, e.g. `("last used", "2026-11-20")`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<(String, String)>,
    /// True where the row may be chosen without asking for each: rows of a rotation start unselected.
    pub preselected: bool,
    /// How to put it back, where that can be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoCall>,
    /// The finding that it deals with, and what becomes of that once the effect is seen to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolves: Option<Resolves>,
}

/// The finding that an effect deals with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolves {
    /// Id of the finding.
    pub finding: String,
    /// Its status once the effect is seen to hold.
    pub status: FindingStatus,
}

impl Effect {
    /// True where the target is already as it is to be: then nothing is sent, and consent says only that it counts.
    pub fn changes_nothing(&self) -> bool {
        self.before == self.after && !self.before.is_null()
    }

    /// Work for a person of which a read shows whether it is done.
    pub const fn is_read_back(&self) -> bool {
        matches!(&self.call, Call::Hand(work) if work.place.is_some())
    }

    /// What consent is bound to: the call, the before-image and the target. Cosmetic columns are left out.
    pub fn digest(&self) -> Digest {
        canonical_digest(&serde_json::json!({
            "key": self.key, "target": self.target, "call": self.call, "before": self.before, "danger": self.danger,
        }))
    }
}

/// What an effect touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Kind of resource, e.g. `token`.
    pub kind: String,
    /// The provider's id.
    pub id: String,
    /// Its name; may be chosen by an attacker, escape before showing.
    pub name: String,
    /// True where another one bears the same name, so that typing the name would prove nothing.
    #[serde(default)]
    pub ambiguous: bool,
}

impl Target {
    /// Whether this and nothing else is called so: by its id, or by a name that is its own.
    pub fn is_called(&self, name: &str) -> bool {
        name == self.id || (name == self.name && !self.ambiguous)
    }
}

/// How an effect is carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Call {
    /// quell sends one request to the provider.
    Http(HttpCall),
    /// quell runs a command, or sends one request to somebody else.
    Outside(OutsideCall),
    /// A person does it elsewhere and says so; quell sends nothing and then looks.
    Hand(ByHand),
}

impl Call {
    /// What a warrant is bound to.
    pub fn digest(&self) -> Digest {
        canonical_digest(&serde_json::json!(self))
    }
}

/// One request to the provider's API. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpCall {
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Path below the API's base URL, beginning with `/`.
    pub path: String,
    /// JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// True where the answer holds a secret that is shown once: it is sealed before it is read.
    #[serde(default)]
    pub secret_answer: bool,
}

/// Work for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ByHand {
    /// What to do.
    pub instruction: String,
    /// Where in the provider's dashboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard: Option<String>,
    /// A command line that does it; names the secret by environment variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
    /// A command line that reads it as it is; names the secret by environment variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<String>,
    /// The same as a request. quell never sends it; a rehearsal's colleague does it in the simulated account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<HttpCall>,
    /// Where to look whether it was done, in the action's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Value>,
    /// True where nobody knows what should be there: then the after-image says nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub blind: bool,
}

impl ByHand {
    /// Work of which no more is known than what is to be done.
    pub fn new(instruction: impl Into<String>) -> Self {
        let (dashboard, curl, read, request, place) = (None, None, None, None, None);
        Self { instruction: instruction.into(), dashboard, curl, read, request, place, blind: false }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Another action with parameters that puts an effect back; it has consent and proof of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UndoCall {
    /// Id of the action.
    pub action: String,
    /// Its parameters.
    pub with: Value,
}

/// Digest of a JSON value that does not depend on the order of keys.
pub fn canonical_digest(value: &Value) -> Digest {
    let mut text = String::new();
    write_sorted(value, &mut text);
    Digest::of(text.as_bytes())
}

/// Writes JSON without blanks, with the keys of every object in order.
fn write_sorted(value: &Value, text: &mut String) {
    let separate = |at: usize, text: &mut String| text.push_str(if at == 0 { "" } else { "," });
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| key.as_str());
            text.push('{');
            for (at, (key, value)) in pairs.into_iter().enumerate() {
                separate(at, text);
                text.push_str(&quoted(key));
                text.push(':');
                write_sorted(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                separate(at, text);
                write_sorted(item, text);
            }
            text.push(']');
        }
        Value::String(value) => text.push_str(&quoted(value)),
        other => text.push_str(&other.to_string()),
    }
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Digest, canonical_digest};

    #[test]
    fn the_digest_is_that_of_the_text_with_sorted_keys() {
        let value = json!({ "b\"\n": [1, -2.5, null, true, {}, [], "é\u{1}"], "a": { "z": "", "y": {"x": [{}]} } });
        let text = r#"{"a":{"y":{"x":[{}]},"z":""},"b\"\n":[1,-2.5,null,true,{},[],"é\u0001"]}"#;
        assert_eq!(canonical_digest(&value), Digest::of(text.as_bytes()));
    }

    #[test]
    fn key_order_does_not_count_but_item_order_does() {
        assert_eq!(
            canonical_digest(&json!({"a": {"x": 1, "y": 2}, "b": 0})),
            canonical_digest(&json!({"b": 0, "a": {"y": 2, "x": 1}}))
        );
        assert_ne!(canonical_digest(&json!([1, 2])), canonical_digest(&json!([2, 1])));
    }
}
