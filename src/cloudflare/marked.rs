use serde_json::{Map, Value};

use crate::model::Digest;

/// Static values of the headers that a rule sets, marked: an origin may take one for a proof of where a request came from.
pub(super) fn header_values(rule: &mut Value) {
    let headers = rule.pointer_mut("/action_parameters/headers").and_then(Value::as_object_mut);
    headers.into_iter().flat_map(Map::values_mut).filter_map(|header| header.get_mut("value")).for_each(texts);
}

/// All texts of a value, marked.
pub(super) fn texts(value: &mut Value) {
    match value {
        // What was kept marked is read again, and must come out the same.
        Value::String(text) if !text.is_empty() && !is_in(text) => *text = mark(text),
        Value::Array(items) => items.iter_mut().for_each(texts),
        Value::Object(map) => map.values_mut().for_each(texts),
        _ => {}
    }
}

/// Whether a text, or the text of a document, holds a mask: then it says less than there was.
pub(super) fn is_in(text: &str) -> bool {
    text.contains("«secret")
}

/// A mask that tells one text from another, for what must be seen to change: so many bits of a digest give away nothing
/// that cannot be guessed.
pub(super) fn mark(text: &str) -> String {
    format!("«secret {}»", Digest::of(text.as_bytes()).short())
}
