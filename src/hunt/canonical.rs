//! From an answer of the provider to an item in its canonical form.

use serde_json::{Map, Value};

use super::family::{Family, Part};
use super::item::{Item, Seat};
use super::secret_names::mask_named;
use crate::model::Digest;

/// What stands for a secret in a canonical form.
pub const MASK: &str = "«secret»";

pub(super) fn item(family: &Family, seat: &Seat, raw: Value) -> Item {
    let id = family.id_of(&raw);
    let time = |pointer: &str| match pointer {
        "" => None,
        pointer => at(&raw, pointer)?.as_str()?.parse().ok(),
    };
    let (created, modified) = (time(family.created), time(family.modified));
    let mut value = raw;
    redact(family, &mut value);
    (family.canonical)(&mut value);
    for field in [family.created, family.modified].iter().chain(family.volatile).filter(|field| !field.is_empty()) {
        forget(&mut value, field);
    }
    let part = |part: &Part| match part {
        Part::At(pointer) => at(&value, pointer).map(plain).unwrap_or_default(),
        Part::All => {
            let mut whole = compared(family, &value);
            whole.sort_all_objects();
            Digest::of(whole.to_string().as_bytes()).short().to_owned()
        }
    };
    let mut key: Vec<String> = family.key.iter().map(part).collect();
    if key.is_empty() {
        key.push(id.clone());
    }
    // The item has its id beside it: made again, it gets another one, and is the same all the same.
    let is_name = family.label.contains(&family.id) || family.key.contains(&Part::At(family.id));
    if !family.id.is_empty() && !is_name {
        forget(&mut value, family.id);
    }
    Item { seat: seat.clone(), key, id, created, modified, value }
}

pub(super) fn redact(family: &Family, value: &mut Value) {
    (family.redact)(value);
    family.secret.iter().for_each(|field| mask(value, field));
    mask_named(value);
}

fn compared(family: &Family, value: &Value) -> Value {
    let mut value = value.clone();
    family.aside.iter().chain([&family.id]).filter(|field| !field.is_empty()).for_each(|it| forget(&mut value, it));
    value
}

/// What stands at a JSON pointer. Most name a field of the whole, which is quick to find: there may be a million items.
pub(super) fn at<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    match pointer.strip_prefix('/') {
        Some(field) if !field.contains(['/', '~']) && value.is_object() => value.get(field),
        _ => value.pointer(pointer),
    }
}

/// A value as a part of a key: texts without quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Takes a field away: by its JSON pointer, or by its name wherever it stands.
pub(super) fn forget(value: &mut Value, field: &str) {
    match field.rsplit_once('/') {
        Some((parent, name)) => {
            if let Some(Value::Object(map)) = value.pointer_mut(parent) {
                map.shift_remove(name);
            }
        }
        None => everywhere(value, &mut |map| {
            map.shift_remove(field);
        }),
    }
}

/// Puts a mask in the place of a field that is there and says something.
fn mask(value: &mut Value, field: &str) {
    let hide = |value: &mut Value| {
        if !value.is_null() && value.as_str() != Some("") {
            *value = MASK.into();
        }
    };
    if field.starts_with('/') {
        value.pointer_mut(field).into_iter().for_each(hide);
    } else {
        everywhere(value, &mut |map| map.get_mut(field).into_iter().for_each(hide));
    }
}

pub(super) fn everywhere(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            change(map);
            map.values_mut().for_each(|value| everywhere(value, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| everywhere(value, change)),
        _ => {}
    }
}
