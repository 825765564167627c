mod expression;

use serde_json::{Map, Value};

use crate::model::Digest;

/// What of a rule may be secret, marked: the values of headers and queries that it sets, since an origin may take one for a
/// proof of where a request came from, and what a request must bring along.
pub(super) fn rule(rule: &mut Value) {
    let headers = rule.pointer_mut("/action_parameters/headers").and_then(Value::as_object_mut);
    headers.into_iter().flat_map(Map::values_mut).for_each(set);
    rule.pointer_mut("/action_parameters/uri/query").into_iter().for_each(set);
    expressions(rule);
}

/// What a header or a query is set to.
fn set(to: &mut Value) {
    to.get_mut("value").into_iter().for_each(texts);
    if let Some(Value::String(text)) = to.get_mut("expression") {
        *text = expression::value(text);
    }
}

/// All expressions of a value, with what a request must bring along marked.
pub(super) fn expressions(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                match value {
                    Value::String(text) if name.ends_with("expression") || name == "condition" => {
                        *text = expression::expression(text);
                    }
                    value => expressions(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(expressions),
        _ => {}
    }
}

/// All texts of a value, marked.
pub(super) fn texts(value: &mut Value) {
    match value {
        Value::String(text) => *text = marked(text),
        Value::Array(items) => items.iter_mut().for_each(texts),
        Value::Object(map) => map.values_mut().for_each(texts),
        _ => {}
    }
}

/// Whether a text, or the text of a document, holds a mask: then it says less than there was.
pub(super) fn is_in(text: &str) -> bool {
    text.contains("«secret")
}

/// A text, marked once: what was kept so is read again, and must come out the same.
pub(super) fn marked(text: &str) -> String {
    if text.is_empty() || is_in(text) { text.to_owned() } else { mark(text) }
}

/// A mask that tells one text from another, for what must be seen to change: so many bits of a digest give away nothing
/// that cannot be guessed.
pub(super) fn mark(text: &str) -> String {
    format!("«secret {}»", Digest::of(text.as_bytes()).short())
}
