//! What the server adds to what a client gives.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::cloudflare::simulator::secret;
use crate::hunt::Family;

/// `new.FAMILY`: fields of what is made. `always.FAMILY`: what there is where nothing was ever set. `deleted.FAMILY`: the
/// field that marks what is deleted and kept.
static TABLE: LazyLock<Value> =
    LazyLock::new(|| toml::from_str(include_str!("born.toml")).unwrap_or_else(|error| panic!("born.toml: {error}")));

/// By whom and where something is made.
#[derive(Debug, Clone, Copy)]
pub(in crate::cloudflare::simulator) struct Maker<'m> {
    pub(in crate::cloudflare::simulator) account: &'m str,
    pub(in crate::cloudflare::simulator) email: &'m str,
    /// Id of what it belongs to.
    pub(in crate::cloudflare::simulator) parent: &'m str,
    pub(in crate::cloudflare::simulator) jurisdiction: &'m str,
}

/// An item of `family` out of the fields that a client gives. `seed` is an identifier of 32 digits, and the id unless
/// the family has another kind.
pub(in crate::cloudflare::simulator) fn born(
    family: &Family,
    given: &Value,
    seed: &str,
    maker: &Maker<'_>,
    stamp: &str,
) -> Value {
    let mut item =
        TABLE["new"].get(family.name).map(|template| filled(template, seed, maker, stamp)).unwrap_or_default();
    if family.id == "/id" && item.get("id").is_none() && given.get("id").is_none() {
        item = with(item, "id", seed.into());
    }
    for pointer in [family.created, family.modified] {
        item = at(item, pointer, stamp);
    }
    let Some(given) = given.as_object() else { return item };
    given.iter().fold(item, |item, (name, value)| with(item, name, value.clone()))
}

/// What there is of it where nothing was ever set.
pub(super) fn always(family: &Family) -> Option<Value> {
    let template = TABLE["always"].get(family.name)?;
    let nobody = Maker { account: "", email: "", parent: "", jurisdiction: "" };
    Some(filled(template, &"0".repeat(32), &nobody, ""))
}

/// The field that marks an item as deleted, and its mark, where it is kept.
pub(super) fn soft_delete(family: &Family, stamp: &str) -> Option<(String, Value)> {
    let marks = TABLE["deleted"].get(family.name)?.as_object()?;
    let (field, mark) = marks.iter().next()?;
    Some((field.clone(), if mark == "{now}" { stamp.into() } else { mark.clone() }))
}

fn with(mut item: Value, name: &str, value: Value) -> Value {
    item[name] = value;
    item
}

/// `text` at a pointer of one or two parts.
fn at(mut item: Value, pointer: &str, text: &str) -> Value {
    match pointer.split('/').skip(1).collect::<Vec<_>>().as_slice() {
        [name] => item[*name] = text.into(),
        [outer, name] => item[*outer][*name] = text.into(),
        _ => {}
    }
    item
}

fn filled(template: &Value, seed: &str, maker: &Maker<'_>, stamp: &str) -> Value {
    match template {
        Value::String(text) => match text.as_str() {
            "{number}" => json!(u32::from_str_radix(&seed[..7], 16).unwrap_or_default()),
            "{null}" => Value::Null,
            text => text
                .replace("{hex}", seed)
                .replace("{uuid}", &uuid(seed))
                .replace("{other}", &secret::id(seed))
                .replace("{account}", maker.account)
                .replace("{email}", maker.email)
                .replace("{parent}", maker.parent)
                .replace("{jurisdiction}", maker.jurisdiction)
                .replace("{now}", stamp)
                .into(),
        },
        Value::Array(items) => items.iter().map(|item| filled(item, seed, maker, stamp)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, seed, maker, stamp)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn uuid(hex: &str) -> String {
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}
