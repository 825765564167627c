//! Rules of rulesets: what one does, what a change of one may mean, and how they are read with their history.

mod judgement;
mod reading;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::api::segment;
use super::marked;
use super::review::Level;

pub use judgement::{Judgement, is_firewall, judge, weakness, written};
pub use reading::{Previous, previous, rulesets};

/// A ruleset with its rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Ruleset {
    /// Its id.
    pub id: String,
    /// The phase of traffic that it works in.
    pub phase: String,
    /// Its version: a number.
    pub version: u64,
    /// When it was changed last.
    pub updated: Option<Timestamp>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its id, which stays the same over versions.
    pub id: String,
    /// Its description, or its expression where it has none; may be chosen by an attacker.
    pub name: String,
    /// True for one that was never changed.
    pub is_first_version: bool,
    /// When it was changed last.
    pub updated: Option<Timestamp>,
    /// What it does: the fields that a client sets. Values of headers, which may be secret, are marked.
    pub image: Value,
}

/// Fields of a rule that a client sets.
const IMAGE: [&str; 9] = [
    "action",
    "action_parameters",
    "expression",
    "description",
    "enabled",
    "logging",
    "ratelimit",
    "exposed_credential_check",
    "ref",
];

impl Ruleset {
    /// Reads a ruleset, or one version of it. `None` where it has no id.
    pub fn read(item: &Value) -> Option<Self> {
        let text = |field: &str| item.get(field).and_then(Value::as_str);
        Some(Self {
            id: text("id")?.to_owned(),
            phase: text("phase").unwrap_or_default().to_owned(),
            version: text("version").and_then(|version| version.parse().ok()).unwrap_or_default(),
            updated: text("last_updated").and_then(|at| at.parse().ok()),
            rules: item.get("rules").and_then(Value::as_array).into_iter().flatten().filter_map(Rule::read).collect(),
        })
    }

    /// The rule with this id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }
}

impl Rule {
    /// Reads a rule. `None` where it has no id.
    pub fn read(item: &Value) -> Option<Self> {
        let mut item = item.clone();
        marked::rule(&mut item);
        let text = |field: &str| item.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        let id = text("id")?.to_owned();
        let name = text("description").or(text("expression")).unwrap_or(&id).to_owned();
        let field = |name: &&str| {
            let value = item.get(*name).filter(|value| says_something(value))?;
            // The reference is the id unless somebody set another.
            let is_own = *name != "ref" || value.as_str() != Some(&id);
            is_own.then(|| ((*name).to_owned(), value.clone()))
        };
        let mut image: Map<_, _> = IMAGE.iter().filter_map(field).collect();
        image.entry("enabled").or_insert(Value::Bool(true));
        let image = Value::Object(image);
        Some(Self {
            name,
            is_first_version: text("version") == Some("1"),
            updated: text("last_updated").and_then(|at| at.parse().ok()),
            image,
            id,
        })
    }
}

/// Absent, null and empty mean the same in a rule.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

/// Path of the rulesets of a zone, or of the account.
pub fn rulesets_path(level: Level, zone_id: Option<&str>, account: &str) -> String {
    match (level, zone_id) {
        (Level::Zone, Some(zone)) => format!("/zones/{}/rulesets", segment(zone)),
        _ => format!("/accounts/{}/rulesets", segment(account)),
    }
}
