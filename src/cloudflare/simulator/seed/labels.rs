//! Names that a scenario file has for identifiers.

use std::collections::BTreeMap;

use serde_json::Value;

/// Identifiers by `kind.key`.
#[derive(Debug, Default)]
pub(in crate::cloudflare::simulator) struct Labels(BTreeMap<String, String>);

impl Labels {
    pub(in crate::cloudflare::simulator) fn get(&self, label: &str) -> Option<&str> {
        self.0.get(label).map(String::as_str)
    }

    /// Everything of one kind.
    pub(in crate::cloudflare::simulator) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(label, _)| label.split_once('.').is_some_and(|(of, _)| of == kind))
            .map(|(_, id)| id.as_str())
    }

    pub(super) fn set(&mut self, label: &str, id: &str) {
        self.0.insert(label.to_owned(), id.to_owned());
    }

    /// Puts identifiers for `{kind.key}`. Other braces belong to rule expressions and stay.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            match after.split_once('}').and_then(|(label, after)| Some((self.get(label)?, after))) {
                Some((id, after)) => {
                    filled.push_str(id);
                    rest = after;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled + rest
    }

    /// The same for every text in a JSON value, keys too.
    pub(super) fn fill_all(&self, value: &Value) -> Value {
        match value {
            // The files are TOML, which has no null.
            Value::String(text) if text == "{null}" => Value::Null,
            Value::String(text) => self.fill(text).into(),
            Value::Array(items) => items.iter().map(|item| self.fill_all(item)).collect(),
            Value::Object(fields) => fields.iter().map(|(key, value)| (self.fill(key), self.fill_all(value))).collect(),
            other => other.clone(),
        }
    }
}
