//! Which fields a whole resource has.

use std::collections::BTreeMap;

use serde_json::Value;

/// The fields of a resource, at any depth. Of a list, those that each of it has.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    named: BTreeMap<String, Self>,
    each: Option<Box<Self>>,
}

impl Fields {
    /// Those of a value.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Object(map) => {
                let fields = map.iter().filter(|(name, _)| is_field(name));
                Self { named: fields.map(|(name, value)| (name.clone(), Self::of(value))).collect(), each: None }
            }
            Value::Array(list) => {
                let each = list.split_first().map(|(first, others)| {
                    let mut each = Self::of(first);
                    others.iter().for_each(|other| each.keep(other));
                    Box::new(each)
                });
                Self { named: BTreeMap::new(), each }
            }
            _ => Self::default(),
        }
    }

    /// Keeps those that this has as well.
    pub(super) fn keep(&mut self, value: &Value) {
        match value {
            Value::Object(map) => self.named.retain(|name, below| {
                map.get(name).is_some_and(|value| {
                    below.keep(value);
                    true
                })
            }),
            Value::Array(list) => {
                if let Some(each) = &mut self.each {
                    list.iter().for_each(|value| each.keep(value));
                }
            }
            _ => {}
        }
    }

    /// Whether this has not all of them. An empty list lacks nothing, nor does what is of another type.
    pub(super) fn are_not_all_in(&self, value: &Value) -> bool {
        match value {
            Value::Object(map) => {
                let mut named = self.named.iter();
                named.any(|(name, below)| map.get(name).is_none_or(|value| below.are_not_all_in(value)))
            }
            Value::Array(list) => {
                self.each.as_ref().is_some_and(|each| list.iter().any(|value| each.are_not_all_in(value)))
            }
            _ => false,
        }
    }
}

/// Whether a name is one of the API: a host, or what a token may reach, is what somebody has put in.
fn is_field(name: &str) -> bool {
    name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
