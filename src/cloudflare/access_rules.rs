//! IP access rules of zones, account and user. They are decided before the WAF is asked: an allow rule passes by it.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::api::segment;
use super::review::{Level, Place, Suspicion};
use crate::model::{Change, Severity};

/// One IP access rule.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessRule {
    /// Its id.
    pub id: String,
    /// The level that it lives on, and is deleted at. The list of a zone shows inherited rules too (observed).
    pub level: Level,
    /// `whitelist`, `block`, or a kind of challenge.
    pub mode: String,
    /// The address, range, network or country.
    pub value: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was changed last.
    pub modified: Option<Timestamp>,
    /// The fields that say what it does.
    pub image: Value,
}

impl AccessRule {
    /// Reads one item of a list that was read at `level`. `None` where it has no id.
    pub fn read(item: &Value, level: Level) -> Option<Self> {
        let text = |field: &str| item.get(field).and_then(Value::as_str);
        let time = |field: &str| text(field)?.parse().ok();
        let image = ["mode", "configuration", "notes"]
            .iter()
            .filter_map(|field| Some(((*field).to_owned(), item.get(*field)?.clone())))
            .collect::<Map<_, _>>();
        Some(Self {
            id: text("id")?.to_owned(),
            level: match item.pointer("/scope/type").and_then(Value::as_str) {
                Some("zone") => Level::Zone,
                Some("organization" | "account") => Level::Account,
                Some("user") => Level::User,
                _ => level,
            },
            mode: text("mode").unwrap_or_default().to_owned(),
            value: item.pointer("/configuration/value").and_then(Value::as_str).unwrap_or_default().to_owned(),
            created: time("created_on"),
            modified: time("modified_on"),
            image: Value::Object(image),
        })
    }

    /// True for one that lets its addresses pass by the WAF.
    pub fn allows(&self) -> bool {
        self.mode == "whitelist"
    }
}

impl AccessRule {
    /// What it is suspected of, if it was written since `since`.
    pub fn suspicion(self, place: Place, since: Timestamp) -> Suspicion {
        let is_older = self.created.is_some_and(|at| at < since);
        let reach = match place.level {
            Level::Zone => "in this zone",
            Level::Account => "in every zone of the account",
            Level::User => "in every zone of the user",
        };
        let (severity, effect) =
            if self.allows() { (Severity::High, "passes by the WAF") } else { (Severity::Medium, "is held up") };
        let known = if is_older { " It is older than the window, and what it was before is not known." } else { "" };
        Suspicion {
            technique: "CF-T13",
            severity,
            change: if is_older { Change::Changed } else { Change::Added },
            place,
            detail: format!("`{}` {effect} {reach} (mode `{}`).{known}", self.value, self.mode),
            name: self.value,
            before: None,
            after: Some(self.image),
        }
    }
}

/// Path of the access rules of a level.
pub fn access_rules_path(level: Level, zone_id: Option<&str>, account: &str) -> String {
    let owner = match (level, zone_id) {
        (Level::Zone, Some(zone)) => format!("/zones/{}", segment(zone)),
        (Level::User, _) => String::from("/user"),
        _ => format!("/accounts/{}", segment(account)),
    };
    owner + "/firewall/access_rules/rules"
}
