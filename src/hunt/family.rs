use serde_json::Value;

use super::item::{Item, Seat};
use crate::provider::{Paging, ReadRequest};

/// A kind of resource that can be listed, as data. Adding one is adding an entry to a wing's table.
///
/// Texts of a [`Family::path`] in braces are filled in: `{account}`, `{zone}`, and `{parent}` for the id of the item of
/// another family that it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// What it is called in files, gaps and findings: `dns_records`.
    pub name: &'static str,
    /// What it is called for people: `DNS records`.
    pub title: &'static str,
    /// How far one list of it reaches.
    pub reach: Reach,
    /// Path of the list.
    pub path: &'static str,
    /// The requests that together show all of it: where a default filter hides something, one for each value.
    pub variants: &'static [Variant],
    /// What an answer holds.
    pub shape: Shape,
    /// Path of the answer that says more of one item, with `{id}` and the braces of [`Family::path`]; it is read for
    /// each item and stands in its place.
    pub detail: Option<&'static str>,
    /// JSON pointer to the provider's id of an item; empty where an item has none, and its key tells it.
    pub id: &'static str,
    /// What makes two items the same though their ids differ: the first parts say which of them may be one that was
    /// changed. Empty: the id alone.
    pub key: &'static [Part],
    /// How many of the first parts of the key say so.
    pub kin: usize,
    /// Fields that say nothing of what the item does: names, at any depth, or JSON pointers beginning with `/`.
    pub volatile: &'static [&'static str],
    /// Fields that hold a secret, or may: written as a mask. Names, at any depth, or JSON pointers.
    pub secret: &'static [&'static str],
    /// Brings an item into the one form in which two that mean the same are equal.
    pub canonical: fn(&Value) -> Value,
    /// The permission group that lets it be read.
    pub permission: &'static str,
    /// Codes of a refusal that mean that there is none of it.
    pub none_codes: &'static [u32],
    /// Since when the path is retired, and what is read instead; a refusal is then expected, and a gap all the same.
    pub retired: Option<&'static str>,
}

/// How far one list of a family reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// What the calling user owns.
    User,
    /// One account.
    Account,
    /// One zone.
    Zone,
    /// One item of another family, by its name.
    Of(&'static str),
}

/// One of the requests that together show a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// Query parameters.
    pub query: &'static [(&'static str, &'static str)],
    /// Headers.
    pub headers: &'static [(&'static str, &'static str)],
}

impl Variant {
    /// The list as it stands.
    pub const PLAIN: Self = Self { query: &[], headers: &[] };

    /// With query parameters.
    pub const fn query(query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, headers: &[] }
    }
}

/// What an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A list of items.
    List(Paging),
    /// One object, which is the only item.
    One,
}

/// A part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The value at a JSON pointer of the canonical form.
    At(&'static str),
    /// The whole canonical form: every difference makes it another one.
    All,
}

/// An entry to begin from: `Family { name: …, ..blank() }`.
pub const fn blank() -> Family {
    Family {
        name: "",
        title: "",
        reach: Reach::Account,
        path: "",
        variants: &[Variant::PLAIN],
        shape: Shape::List(Paging::Single),
        detail: None,
        id: "/id",
        key: &[],
        kin: 0,
        volatile: &[],
        secret: &[],
        canonical: Value::clone,
        permission: "",
        none_codes: &[],
        retired: None,
    }
}

/// Whether a text names no part in braces any more.
pub fn none_of(path: &str) -> bool {
    !path.contains(['{', '}'])
}

/// What stands for a secret in a canonical form.
const MASK: &str = "«secret»";

impl Family {
    /// The request of `variant` at `seat`, for the account `account`. Parts taken from data are percent-encoded by
    /// `encode`.
    pub fn request(&self, variant: &Variant, seat: &Seat, account: &str, encode: fn(&str) -> String) -> ReadRequest {
        let mut request = ReadRequest::new(fill(self.path, seat, account, None, encode));
        for (name, value) in variant.query {
            // A list of a zone that lives under no zone's path names it as a parameter.
            request = request.with(name, fill(value, seat, account, None, str::to_owned));
        }
        for (name, value) in variant.headers {
            request = request.header(name, *value);
        }
        request
    }

    /// The request that says more of the item with this id.
    pub fn detail_request(
        &self,
        id: &str,
        seat: &Seat,
        account: &str,
        encode: fn(&str) -> String,
    ) -> Option<ReadRequest> {
        self.detail.map(|path| ReadRequest::new(fill(path, seat, account, Some(id), encode)))
    }

    /// An item in its canonical form: without what is volatile or secret, and with its key.
    pub fn item(&self, seat: &Seat, raw: &Value) -> Item {
        let id = match self.id {
            "" => String::new(),
            pointer => raw.pointer(pointer).map(plain).unwrap_or_default(),
        };
        let mut value = (self.canonical)(raw);
        for field in self.volatile {
            forget(&mut value, field);
        }
        for field in self.secret {
            mask(&mut value, field);
        }
        let mut key: Vec<String> = self
            .key
            .iter()
            .map(|part| match part {
                Part::At(pointer) => value.pointer(pointer).map(plain).unwrap_or_default(),
                Part::All => value.to_string(),
            })
            .collect();
        if key.is_empty() {
            key.push(id.clone());
        }
        Item { seat: seat.clone(), key, id, value }
    }

    /// Whether two items of one seat may be one that was changed.
    pub fn are_kin(&self, one: &Item, other: &Item) -> bool {
        let kin = self.kin.min(one.key.len()).min(other.key.len());
        kin > 0 && one.key[..kin] == other.key[..kin]
    }
}

fn fill(template: &str, seat: &Seat, account: &str, id: Option<&str>, encode: fn(&str) -> String) -> String {
    let mut filled = template.replace("{account}", &encode(account));
    filled = filled.replace("{zone}", &encode(seat.zone_id.as_deref().unwrap_or_default()));
    filled = filled.replace("{parent}", &encode(seat.parent.as_deref().unwrap_or_default()));
    filled.replace("{id}", &encode(id.unwrap_or_default()))
}

/// A value as a part of a key: texts without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Takes a field away: by its JSON pointer, or by its name wherever it stands.
fn forget(value: &mut Value, field: &str) {
    match field.strip_prefix('/') {
        Some(_) => {
            let (parent, name) = field.rsplit_once('/').unwrap_or(("", field));
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
    match field.strip_prefix('/') {
        Some(_) => value.pointer_mut(field).into_iter().for_each(hide),
        None => everywhere(value, &mut |map| map.get_mut(field).into_iter().for_each(hide)),
    }
}

fn everywhere(value: &mut Value, change: &mut impl FnMut(&mut serde_json::Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            change(map);
            map.values_mut().for_each(|value| everywhere(value, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| everywhere(value, change)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Family, Part, Reach, Variant, blank, none_of};
    use crate::hunt::Seat;

    const RECORDS: Family = Family {
        name: "records",
        reach: Reach::Zone,
        path: "/zones/{zone}/records",
        variants: &[Variant::query(&[("zone_id", "{zone}")])],
        detail: Some("/zones/{zone}/records/{id}"),
        key: &[Part::At("/name"), Part::At("/content")],
        kin: 1,
        volatile: &["modified_on", "/meta/seen"],
        secret: &["password"],
        ..blank()
    };

    fn seat() -> Seat {
        Seat::zone("z/1", "one.example")
    }

    #[test]
    fn braces_are_filled_in_and_what_comes_from_data_is_encoded() {
        let encode = |text: &str| text.replace('/', "%2F");
        let request = RECORDS.request(&RECORDS.variants[0], &seat(), "a", encode);
        assert_eq!(request.path, "/zones/z%2F1/records");
        assert_eq!(request.query, [("zone_id".to_owned(), "z/1".to_owned())]);
        let detail = RECORDS.detail_request("r/2", &seat(), "a", encode).map(|request| request.path);
        assert_eq!(detail.as_deref(), Some("/zones/z%2F1/records/r%2F2"));
        assert!(none_of(&request.path) && !none_of(RECORDS.path));
    }

    #[test]
    fn the_canonical_form_forgets_and_masks() {
        let raw = json!({
            "id": 7, "name": "www", "content": "192.0.2.1", "modified_on": "now", "meta": { "seen": 1, "kept": 2 },
            "origins": [{ "password": "hunter2", "modified_on": "now" }, { "password": "" }],
        });
        let item = RECORDS.item(&seat(), &raw);
        assert_eq!((item.id.as_str(), item.key.as_slice()), ("7", &["www".to_owned(), "192.0.2.1".to_owned()][..]));
        let canonical = json!({
            "id": 7, "name": "www", "content": "192.0.2.1", "meta": { "kept": 2 },
            "origins": [{ "password": "«secret»" }, { "password": "" }],
        });
        assert_eq!(item.value, canonical);
    }

    #[test]
    fn kin_share_the_first_parts_of_their_keys() {
        let item = |name: &str, content: &str| RECORDS.item(&seat(), &json!({ "name": name, "content": content }));
        assert!(RECORDS.are_kin(&item("www", "a"), &item("www", "b")));
        assert!(!RECORDS.are_kin(&item("www", "a"), &item("api", "a")));
        assert!(!blank().are_kin(&item("www", "a"), &item("www", "a")));
    }
}
