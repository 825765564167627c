mod expression;

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::hunt::is_secret_name;
use crate::model::Digest;
use crate::secret::secret_shaped;

/// What of a rule may be secret, marked: the values of headers and queries that it sets, since an origin may take one for a
/// proof of where a request came from, and what a request must bring along.
pub(super) fn rule(rule: &mut Value) {
    let headers = rule.pointer_mut("/action_parameters/headers").and_then(Value::as_object_mut);
    headers.into_iter().flat_map(Map::values_mut).for_each(set);
    rule.pointer_mut("/action_parameters/uri/query").into_iter().for_each(set);
    if let Some(target) = rule.pointer_mut("/action_parameters/from_value/target_url") {
        if let Some(Value::String(text)) = target.get_mut("value") {
            *text = opened(text);
        }
        if let Some(Value::String(text)) = target.get_mut("expression") {
            *text = expression::address(text);
        }
    }
    expressions(rule);
}

/// What a header or a query is set to.
fn set(to: &mut Value) {
    to.get_mut("value").into_iter().for_each(texts);
    if let Some(Value::String(text)) = to.get_mut("expression") {
        *text = expression::value(text);
    }
}

/// What else holds an expression: of load balancers, and of policies of Gateway.
const CONDITIONS: [&str; 4] = ["condition", "traffic", "identity", "device_posture"];

/// All expressions of a value, with what a request must bring along marked.
pub(super) fn expressions(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                match value {
                    Value::String(text) if name.ends_with("expression") || CONDITIONS.contains(&name.as_str()) => {
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

/// An address, or a path, with what it brings along marked: the values of its query and of its fragment, and who calls.
pub(super) fn opened(address: &str) -> String {
    let (rest, fragment) = apart(address, '#');
    let (place, query) = apart(rest, '?');
    let (scheme, path) = place.split_once("://").map_or(("", place), |(scheme, path)| (scheme, path));
    let host = path.split('/').next().unwrap_or_default();
    let place = match host.rsplit_once('@').filter(|_| !scheme.is_empty()) {
        Some((user, host_alone)) => format!("{scheme}://{}@{host_alone}{}", marked(user), &path[host.len()..]),
        None => place.to_owned(),
    };
    let brought =
        |sign: char, part: Option<&str>| part.map(|part| format!("{sign}{}", pairs(part))).unwrap_or_default();
    format!("{place}{}{}", brought('?', query), brought('#', fragment))
}

fn apart(text: &str, sign: char) -> (&str, Option<&str>) {
    text.split_once(sign).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn pairs(text: &str) -> String {
    let pairs = text.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) => format!("{name}={}", marked(value)),
        None => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// Words that people or the API chose, with what is secret in them marked: by its shape, or by the name in front of it.
pub(super) fn said(text: &str) -> String {
    let mut told = text.to_owned();
    for range in secret_shaped(text).into_iter().rev() {
        told.replace_range(range.clone(), &marked(&text[range]));
    }
    let Some(named) = NAMED.as_ref() else { return told };
    let is_secret = |found: &regex::Captures<'_>| is_secret_name(&found[1]) || found[1].eq_ignore_ascii_case("key");
    let told = named.replace_all(&told, |found: &regex::Captures<'_>| {
        if is_secret(found) { format!("{}{}{}", &found[1], &found[2], marked(&found[3])) } else { found[0].to_owned() }
    });
    told.into_owned()
}

/// A name and what it is set to, in a query, an assignment or a document. `token: expired` says something, and is none.
static NAMED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"([A-Za-z][A-Za-z0-9_-]*)("?\s*=\s*["']?|"?\s*:\s*["'])([^\s"'&,;]{4,})"#).ok());

/// A statement of SQL, with the texts in it marked; one that does not end goes to the end.
pub(super) fn literals(statement: &str) -> String {
    let parts = statement.split('\'').enumerate();
    let told = parts.map(|(at, part)| if at % 2 == 1 { marked(part) } else { part.to_owned() });
    told.collect::<Vec<_>>().join("'")
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
