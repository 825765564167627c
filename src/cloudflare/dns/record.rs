use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::content;
use crate::cloudflare::zones::bare;
use crate::hunt::Item;
use crate::model::Digest;

/// What a record is for the purpose of comparison, whatever its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Type, in upper case.
    pub kind: String,
    /// Full name, in lower case, without the final dot.
    pub name: String,
    /// Canonical content.
    pub content: String,
    /// Priority of an MX, SRV or URI record.
    pub priority: Option<u64>,
}

/// One DNS record as the API lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id; empty in a baseline that was written without ids.
    pub id: String,
    /// What it is.
    pub key: Key,
    /// Seconds; 1 means automatic.
    pub ttl: u64,
    /// Whether Cloudflare stands in front of it.
    pub proxied: bool,
    /// Settings that are not at their default.
    pub settings: BTreeMap<String, Value>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was changed last, in any field.
    pub modified: Option<Timestamp>,
    /// As the API gave it.
    pub raw: Value,
}

/// Fields that say what a record is, in the API's spelling; the others are ids, times and marks of the API itself.
const IMAGE: [&str; 10] =
    ["type", "name", "content", "data", "priority", "ttl", "proxied", "settings", "comment", "tags"];

impl Record {
    /// Reads one item of the API's list (or of [`Record::image`]). `None` where it lacks a type, a name or a content.
    pub fn read(item: &Value) -> Option<Self> {
        Self::take(&mut item.clone())
    }

    /// As [`Self::read`], and takes the item away where it is a record.
    pub fn take(item: &mut Value) -> Option<Self> {
        let text = |field: &str| item.get(field).and_then(Value::as_str);
        let time = |field: &str| text(field)?.parse().ok();
        let data = item.get("data").filter(|data| data.as_object().is_some_and(|data| !data.is_empty()));
        let kind = text("type")?.to_ascii_uppercase();
        if text("content").is_none() && data.is_none() {
            return None;
        }
        let (content, priority) =
            content::canonical(&kind, text("content"), data, item.get("priority").and_then(Value::as_u64));
        let is_default = |value: &Value| matches!(value, Value::Null | Value::Bool(false));
        let settings = item.get("settings").and_then(Value::as_object).into_iter().flatten();
        let record = Self {
            id: text("id").unwrap_or_default().to_owned(),
            key: Key { kind, name: bare(text("name")?), content, priority },
            ttl: item.get("ttl").and_then(Value::as_u64).unwrap_or(1),
            proxied: item.get("proxied").and_then(Value::as_bool).unwrap_or(false),
            settings: settings
                .filter(|(_, value)| !is_default(value))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            created: time("created_on"),
            modified: time("modified_on"),
            raw: Value::Null,
        };
        Some(Self { raw: item.take(), ..record })
    }

    /// The record that an item of the family of DNS records is.
    pub fn of(item: &Item) -> Option<Self> {
        let mut raw = item.value.get("image").unwrap_or(&item.value).clone();
        raw.as_object_mut()?.insert("id".to_owned(), item.id.clone().into());
        let record = Self::read(&raw)?;
        Some(Self { created: item.created, modified: item.modified, ..record })
    }

    /// The fields that say what it is, as the API spells them: enough to make it again.
    pub fn image(&self) -> Value {
        image(self.raw.clone())
    }

    /// A form in which two records that do the same are equal, with [`Self::image`] beside it.
    pub fn into_form(self) -> Value {
        let Key { kind, name, content, priority } = self.key;
        // A proxied record has no time to live of its own.
        let ttl = if self.proxied { 1 } else { self.ttl };
        let settings: Map<_, _> = self.settings.into_iter().collect();
        let fields: [(&str, Value); 8] = [
            ("type", kind.into()),
            ("name", name.into()),
            ("content", content.into()),
            ("priority", priority.into()),
            ("proxied", self.proxied.into()),
            ("ttl", ttl.into()),
            ("settings", settings.into()),
            ("image", image(self.raw)),
        ];
        fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect::<Map<_, _>>().into()
    }

    /// The fields in which `other` differs, in the API's spelling; none where the two do the same.
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        // A proxied record has no time to live of its own.
        let ttl_differs = self.ttl != other.ttl && !self.proxied && !other.proxied;
        let differs = [
            ("type", self.key.kind != other.key.kind),
            ("name", self.key.name != other.key.name),
            ("content", self.key.content != other.key.content),
            ("priority", self.key.priority != other.key.priority),
            ("proxied", self.proxied != other.proxied),
            ("ttl", ttl_differs),
            ("settings", self.settings != other.settings),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
    }

    /// Its id, or where the baseline gave none, one derived from what it is.
    pub fn known_id(&self) -> String {
        if !self.id.is_empty() {
            return self.id.clone();
        }
        let Key { kind, name, content, priority } = &self.key;
        let rank = priority.map(|rank| rank.to_string()).unwrap_or_default();
        Digest::of([kind, name, content, &rank].map(String::as_str).join("\0").as_bytes()).short().to_owned()
    }

    /// `A www.example.com`, for people.
    pub fn title(&self) -> String {
        format!("{} {}", self.key.kind, self.key.name)
    }

    /// Its content as the API spells it, for people.
    pub fn shown_content(&self) -> &str {
        self.raw.get("content").and_then(Value::as_str).unwrap_or(&self.key.content)
    }
}

/// Of a record as the API gave it, the fields that say something of what it is.
fn image(mut raw: Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    if let Some(fields) = raw.as_object_mut() {
        fields.retain(|field, value| IMAGE.contains(&field.as_str()) && !is_empty(value));
    }
    raw
}
