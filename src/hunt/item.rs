use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::Change;

/// Where items of a family sit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seat {
    /// For people, in gaps and in files: the zone's name, `account` or `user`; with a parent, its name behind a slash.
    pub name: String,
    /// Id of the zone, for what lives in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_id: Option<String>,
    /// Id of the item of another family that they belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

impl Seat {
    /// What the calling user owns.
    pub fn user() -> Self {
        Self { name: "user".to_owned(), zone_id: None, parent: None }
    }

    /// The account.
    pub fn account() -> Self {
        Self { name: "account".to_owned(), zone_id: None, parent: None }
    }

    /// A zone.
    pub fn zone(id: &str, name: &str) -> Self {
        Self { name: name.to_owned(), zone_id: Some(id.to_owned()), parent: None }
    }

    /// What belongs to an item here.
    pub fn of(&self, id: &str) -> Self {
        Self { name: format!("{}/{id}", self.name), parent: Some(id.to_owned()), ..self.clone() }
    }
}

/// One resource in its canonical form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Where it sits.
    pub seat: Seat,
    /// What makes it the same one though its id differs.
    pub key: Vec<String>,
    /// The provider's id; empty where it has none.
    pub id: String,
    /// When it was made, where the provider says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When it was changed last, where the provider says so: what it is now, it has been since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
    /// What it is, without times, and without what is volatile or secret.
    pub value: Value,
}

/// One resource that differs between two states of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The family.
    pub family: String,
    /// As it was; `None` for one that is new.
    pub before: Option<Item>,
    /// As it is; `None` for one that is gone.
    pub after: Option<Item>,
}

impl Difference {
    /// What happened to it.
    pub const fn change(&self) -> Change {
        match (&self.before, &self.after) {
            (Some(_), Some(_)) => Change::Changed,
            (Some(_), None) => Change::Removed,
            (None, _) => Change::Added,
        }
    }

    /// When it came to be as it is, where the resource itself says so. When it was made says nothing of when it was changed.
    pub fn came_at(&self) -> Option<Timestamp> {
        let after = self.after.as_ref()?;
        after.modified.or(after.created.filter(|_| self.before.is_none()))
    }

    /// The resource, preferably as it is.
    pub fn item(&self) -> Option<&Item> {
        self.after.as_ref().or(self.before.as_ref())
    }
}
