//! What a resource was before a window, told without a baseline: its present state with what the audit log has of the
//! writes since applied backwards, the newest first.
//!
//! What it was is exact only where the log has all of it before the oldest of the writes. A write of which the log does
//! not say what was there leaves all before it unknown; one of which it has a part leaves that approximate. What says of
//! itself that it was written in the window, though all writes are taken back, was written by one that the log does not
//! name: it is unknown as well.

mod fields;
mod fold;
mod past;
mod writes;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::audit::AuditEvent;
use super::family::{Family, Reach, Shape};
use super::item::{Difference, Item, Seat};
use fold::{Folding, Form, Measure, certainty, steps};

pub use fields::Fields;
pub use past::Past;
pub use writes::Writes;

/// How well it is known what a resource was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The log holds all of it, or it was not there.
    Exact,
    /// The log holds a part: the rest, where it is told, is taken to be as it was after the write.
    Approximate,
    /// The log does not say.
    Unknown,
}

impl Certainty {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Approximate => "approximate",
            Self::Unknown => "unknown",
        }
    }
}

/// A resource that was written, and what the log says of it.
#[derive(Debug)]
pub struct Rewound<'e> {
    /// What differs. The value of what it was is `null` where nobody knows.
    pub difference: Difference,
    /// How well it is known what it was.
    pub certainty: Certainty,
    /// Why that is not known better; empty where it is exact.
    pub why: String,
    /// The writes, oldest first; none where only the resource itself says that it was written.
    pub writes: Vec<&'e AuditEvent>,
    /// True for what was made in the window and deleted in it again: the difference is that it was made, with the last
    /// form that is known of it, and nothing is to be brought back.
    pub fleeting: bool,
    /// True for what is gone and was not there before the window: a comparison with what was then does not show it.
    pub young: bool,
}

impl<'e> Rewound<'e> {
    /// What a comparison shows, and what the log has of it.
    pub fn compared(difference: Difference, writes: Vec<&'e AuditEvent>) -> Self {
        Self { difference, certainty: Certainty::Exact, why: String::new(), writes, fleeting: false, young: false }
    }
}

/// Where an item was that a write deleted, if it was one of the family.
pub fn deleted<'e>(family: &Family, event: &'e AuditEvent) -> Option<Named<'e>> {
    if !event.success || event.action != "delete" {
        return None;
    }
    // What lies below it is another thing.
    let is_last = |named: &Named<'_>| event.path().is_some_and(|path| path.rsplit('/').next() == Some(named.id));
    named(family, event.path()?).filter(|named| !named.id.is_empty() && is_last(named))
}

/// What a path says of the family: its list, or an item of it with or without a part. `None` for any other path.
pub fn named<'p>(family: &Family, path: &'p str) -> Option<Named<'p>> {
    let mut path = path.split('/').filter(|segment| !segment.is_empty());
    let mut named = Named { id: "", zone: None, parent: None };
    for wanted in family.path.split('/').filter(|segment| !segment.is_empty()) {
        let segment = path.next()?;
        match wanted {
            "{zone}" => named.zone = Some(segment),
            "{parent}" => named.parent = Some(segment),
            "{account}" | "{part}" => {}
            wanted if wanted == segment => {}
            _ => return None,
        }
    }
    named.id = path.next().unwrap_or_default();
    // What has no id of its own has nothing below it, nor has the only one of a seat: what is there is another thing.
    let is_only = family.shape == Shape::One && !matches!(family.reach, Reach::Of(_));
    if !named.id.is_empty() && (family.id.is_empty() || is_only) {
        return None;
    }
    path.next().is_none_or(|part| family.parts.contains(&part)).then_some(named)
}

/// What the path of a write says of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<'e> {
    /// Id of the item; empty where the path is that of the list.
    pub id: &'e str,
    /// Id of the zone, for what lives in one.
    pub zone: Option<&'e str>,
    /// Id of the item that it belonged to.
    pub parent: Option<&'e str>,
}

/// What `item` was before the window that began at `since`; `None` where nothing says that it was written in it, and where
/// it is as it was.
pub fn rewind<'e>(family: &Family, item: &Item, list: &str, since: Timestamp, all: &Writes<'e>) -> Option<Rewound<'e>> {
    let writes = all.to(family, item, list);
    let is_logged = |at: Timestamp| writes.iter().any(|event| writes::is_near(event.at, at));
    let is_unlogged = |at: &Timestamp| *at >= since && !is_logged(*at) && !all.explain(item, list, *at);
    let steps = steps(&writes, item.created, item.modified.filter(is_unlogged), since, false);
    if steps.is_empty() {
        return None;
    }
    let measure = Measure::Itself(Fields::of(&family.compared(item)));
    let folding = Folding { family, seat: &item.seat, list, id: &item.id, measure };
    let form = folding.before(Form::There(item.clone(), None), &steps);
    let form = Folding::at_start(form, since, |at| all.explain(item, list, at));
    let (certainty, why) = certainty(&form);
    let before = match form {
        Form::Absent => None,
        Form::There(before, _) => Some(before),
        // It was there, and nobody knows what it was.
        Form::Unknown(_) => Some(Item { value: Value::Null, ..item.clone() }),
    };
    // Written, and as it was: somebody has put it back.
    if before.as_ref().is_some_and(|before| family.compared(before) == family.compared(item)) {
        return None;
    }
    let difference = Difference { family: family.name.to_owned(), before, after: Some(item.clone()) };
    Some(Rewound { difference, certainty, why, writes, fleeting: false, young: false })
}

/// Something that is gone, and where it was.
#[derive(Debug, Clone, Copy)]
pub struct Gone<'g> {
    /// Its family.
    pub family: &'g Family,
    /// Where it was.
    pub seat: &'g Seat,
    /// Path of the list that it was in.
    pub list: &'g str,
    /// Its id.
    pub id: &'g str,
    /// Fields that all of its kind have that are still there, where there are any: what has no time to tell that the log
    /// has all of it is measured by these.
    pub fields: Option<&'g Fields>,
}

/// What an item was that is gone, by the writes to it from `since` on, oldest first; the last one deleted it. What was
/// made in the window was not there before it.
pub fn gone<'e>(gone: &Gone<'_>, writes: &[&'e AuditEvent], since: Timestamp) -> Rewound<'e> {
    let Gone { family, seat, list, id, fields } = *gone;
    let nothing = || Item {
        seat: seat.clone(),
        key: Vec::new(),
        id: id.to_owned(),
        created: None,
        modified: None,
        value: Value::Null,
    };
    let folding = Folding { family, seat, list, id, measure: Measure::Others(fields) };
    let read = |value: &Value| Item { id: id.to_owned(), ..family.item(seat, value.clone()) };
    let last = writes.iter().rev().find_map(|event| folding.old(event)).filter(|old| old.is_object()).map(read);
    let created = last.as_ref().and_then(|last| last.created);
    let form = folding.before(Form::Absent, &steps(writes, created, None, since, !writes.is_empty()));
    let form = Folding::at_start(form, since, |_| false);
    let (certainty, why) = certainty(&form);
    let made = || writes.iter().rev().find_map(|event| event.after.as_ref()).filter(|made| made.is_object()).map(read);
    let (before, after) = match form {
        Form::Absent => (None, Some(last.or_else(made).unwrap_or_else(nothing))),
        Form::There(before, _) => (Some(before), None),
        Form::Unknown(_) => (Some(nothing()), None),
    };
    let fleeting = before.is_none();
    let difference = Difference { family: family.name.to_owned(), before, after };
    Rewound { difference, certainty, why, writes: writes.to_vec(), fleeting, young: fleeting }
}

#[cfg(test)]
mod tests;
