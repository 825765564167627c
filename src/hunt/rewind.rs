//! What a resource was before a window, told without a baseline: its present state with what the audit log has of the
//! writes since applied backwards.

mod past;

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::audit::AuditEvent;
use super::family::{Family, Reach, Shape};
use super::item::{Difference, Item, Seat};

pub use past::Past;

/// How well it is known what a resource was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The log holds all of it, or it was not there.
    Exact,
    /// The log holds a part: the rest is taken to be as it is now.
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

/// How far the time on a resource and the time in the log may lie apart for one to be taken for the other.
const NEAR: SignedDuration = SignedDuration::from_secs(60);

/// The writes of a window that took effect, found by what they are about.
#[derive(Debug, Default)]
pub struct Writes<'e> {
    by_name: HashMap<&'e str, Vec<&'e AuditEvent>>,
}

/// A resource that was written, and what the log says of it.
#[derive(Debug)]
pub struct Rewound<'e> {
    /// What differs. The value of what it was is `null` where nobody knows.
    pub difference: Difference,
    /// How well it is known what it was.
    pub certainty: Certainty,
    /// The writes, oldest first; none where only the resource itself says that it was written.
    pub writes: Vec<&'e AuditEvent>,
}

impl<'e> Writes<'e> {
    /// The writes among `events` from `since` on.
    pub fn new(events: &'e [AuditEvent], since: Timestamp) -> Self {
        let mut writes: Vec<&AuditEvent> =
            events.iter().filter(|event| event.success && event.is_write() && event.at >= since).collect();
        writes.sort_by_key(|event| order(event));
        let mut by_name: HashMap<&str, Vec<&AuditEvent>> = HashMap::new();
        for event in writes {
            let mut names: Vec<&str> = event.path().into_iter().flat_map(|path| path.split('/')).collect();
            names.extend(event.path());
            names.extend(event.resource_id.as_deref());
            names.sort_unstable();
            names.dedup();
            for name in names.into_iter().filter(|name| !name.is_empty()) {
                by_name.entry(name).or_default().push(event);
            }
        }
        Self { by_name }
    }

    /// The writes to the item whose list has this path, oldest first.
    pub fn to(&self, family: &Family, item: &Item, list: &str) -> Vec<&'e AuditEvent> {
        if item.id.is_empty() {
            return self.by_name.get(list).cloned().unwrap_or_default();
        }
        let all = self.by_name.get(item.id.as_str()).into_iter().flatten().copied();
        let mut all: Vec<&AuditEvent> = all
            .filter(|event| {
                let is_named = event.resource_id.as_deref() == Some(&item.id);
                let Some(path) = event.path() else { return is_named };
                let Some(rest) = path.strip_prefix(list) else { return false };
                let mut below = rest.split('/').filter(|segment| !segment.is_empty());
                match (below.next(), below.next()) {
                    (Some(id), None) if id == item.id => true,
                    // What else lies under an item is a family of its own.
                    (Some(id), Some(part)) if id == item.id => family.parts.contains(&part),
                    // Made, or written by another name that it has.
                    _ => is_named,
                }
            })
            .collect();
        let alone = all.len();
        all.extend(self.of_many(item, list));
        if all.len() > alone {
            all.sort_by_key(|event| order(event));
            all.dedup_by(|one, other| std::ptr::eq(*one, *other));
        }
        all
    }

    /// Writes of many items at once, to their list or to what takes many, that made or changed this one: the log names
    /// none of them, and only the time tells.
    fn of_many(&self, item: &Item, list: &str) -> impl Iterator<Item = &'e AuditEvent> {
        let times = [item.created, item.modified];
        let is_then =
            move |event: &&AuditEvent| times.iter().flatten().any(|at| event.at.duration_since(*at).abs() <= NEAR);
        let paths = [list.to_owned(), format!("{list}/batch"), format!("{list}/import")];
        let all = paths.into_iter().enumerate().flat_map(|(index, path)| {
            let written = self.by_name.get(path.as_str()).into_iter().flatten().copied();
            written.filter(move |event| index > 0 || event.action == "update")
        });
        all.filter(is_then).collect::<Vec<_>>().into_iter()
    }
}

/// Whether a path leads to something below the item with this id.
fn is_under(path: &str, list: &str, id: &str) -> bool {
    let rest = path.strip_prefix(list).and_then(|rest| rest.strip_prefix('/')?.strip_prefix(id)?.strip_prefix('/'));
    !id.is_empty() && rest.is_some_and(|rest| !rest.is_empty())
}

/// Log v1 and v2 tell of most acts both; v2, which names the token, counts as the later one of a second.
fn order(event: &AuditEvent) -> (i64, bool, Timestamp) {
    (event.at.as_second(), event.token_id.is_some(), event.at)
}

impl Writes<'_> {
    /// Whether a write to something below the item, which is told by itself, made the item say that it was changed then.
    fn explain(&self, item: &Item, list: &str, at: Timestamp) -> bool {
        let mut all = self.by_name.get(item.id.as_str()).into_iter().flatten();
        all.any(|event| {
            event.path().is_some_and(|path| is_under(path, list, &item.id)) && event.at.duration_since(at).abs() <= NEAR
        })
    }
}

/// Where an item was that a write deleted, if it was one of the family.
pub fn deleted<'e>(family: &Family, event: &'e AuditEvent) -> Option<Named<'e>> {
    if !event.success || event.action != "delete" {
        return None;
    }
    named(family, event.path()?).filter(|named| !named.id.is_empty())
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

/// What `item` was before the window that began at `since`; `None` where nothing says that it was written in it.
pub fn rewind<'e>(family: &Family, item: &Item, list: &str, since: Timestamp, all: &Writes<'e>) -> Option<Rewound<'e>> {
    let writes = all.to(family, item, list);
    // Something that is made below an item makes no new one.
    let is_below = |event: &AuditEvent| event.path().is_some_and(|path| is_under(path, list, &item.id));
    let is_made = |event: &&AuditEvent| event.action == "create" && !is_below(event);
    let is_new = item.created.is_some_and(|at| at >= since) || writes.iter().any(is_made);
    let is_written = !writes.is_empty() || item.modified.is_some_and(|at| at >= since && !all.explain(item, list, at));
    if !is_new && !is_written {
        return None;
    }
    // What the log has of a write of a part is what the part was, unless it names the whole.
    let is_whole = |event: &AuditEvent| event.path().is_none_or(|path| path == list || path.ends_with(&item.id));
    let is_it = |old: &Value| !item.id.is_empty() && family.id_of(old) == item.id;
    let old = |event: &&'e AuditEvent| event.before.as_ref().filter(|old| is_whole(event) || is_it(old));
    let (before, certainty) = match writes.iter().find_map(old) {
        _ if is_new => (None, Certainty::Exact),
        Some(old) => {
            let (old, certainty) = older(family, &item.seat, item, old);
            (Some(old), certainty)
        }
        // It was there, and nobody knows what it was.
        None => (Some(Item { value: Value::Null, ..item.clone() }), Certainty::Unknown),
    };
    // Written, and as it was: somebody has put it back.
    if before.as_ref().is_some_and(|before| family.compared(before) == family.compared(item)) {
        return None;
    }
    let difference = Difference { family: family.name.to_owned(), before, after: Some(item.clone()) };
    Some(Rewound { difference, certainty, writes })
}

/// What an item was that is gone, by the write that deleted it.
pub fn gone<'e>(family: &Family, seat: &Seat, id: &str, event: &'e AuditEvent) -> Rewound<'e> {
    let (before, certainty) = match event.before.as_ref().filter(|old| old.is_object()) {
        Some(old) => (family.item(seat, old.clone()), Certainty::Exact),
        None => {
            let item = Item {
                seat: seat.clone(),
                key: Vec::new(),
                id: id.to_owned(),
                created: None,
                modified: None,
                value: Value::Null,
            };
            (item, Certainty::Unknown)
        }
    };
    let before = Item { id: id.to_owned(), ..before };
    let difference = Difference { family: family.name.to_owned(), before: Some(before), after: None };
    Rewound { difference, certainty, writes: vec![event] }
}

/// The present form with the old fields put over it. The log may hold the whole or only what was written.
fn older(family: &Family, seat: &Seat, item: &Item, old: &Value) -> (Item, Certainty) {
    let (Value::Object(present), Value::Object(old_fields)) = (&item.value, old) else {
        return (family.item(seat, old.clone()), Certainty::Approximate);
    };
    let known = family.item(seat, old.clone());
    let Value::Object(known_fields) = &known.value else { return (known, Certainty::Approximate) };
    let is_whole = present.keys().all(|field| known_fields.contains_key(field));
    let mut value = present.clone();
    for (field, was) in known_fields {
        // A form that the canonical one derives from several fields is taken only where the log had them.
        if is_whole || old_fields.contains_key(field) {
            value.insert(field.clone(), was.clone());
        }
    }
    let key = if is_whole { known.key } else { item.key.clone() };
    let certainty = if is_whole { Certainty::Exact } else { Certainty::Approximate };
    (Item { key, value: Value::Object(value), id: item.id.clone(), ..item.clone() }, certainty)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Certainty, Writes, deleted, gone, rewind};
    use crate::hunt::{AuditEvent, Family, Seat, blank};
    use crate::model::Change;

    const RECORDS: Family = Family {
        name: "records",
        path: "/zones/{zone}/records",
        modified: "/modified",
        created: "/created",
        ..blank()
    };
    const LIST: &str = "/zones/z/records";

    fn seat() -> Seat {
        Seat::zone("z", "one.example")
    }

    fn event(at: &str, action: &str, path: &str, before: &Value) -> AuditEvent {
        let event = json!({
            "id": at, "at": format!("2026-11-20T{at}:00Z"), "action": action, "success": true, "resource_type": "x",
            "uri": format!("/client/v4{path}"), "log": "v2", "before": before,
        });
        serde_json::from_value(event).unwrap()
    }

    fn rewound(item: &Value, events: &[AuditEvent]) -> Option<(Change, Certainty, Value)> {
        let since = "2026-11-20T00:00:00Z".parse().unwrap();
        let item = RECORDS.item(&seat(), item.clone());
        let writes = Writes::new(events, since);
        rewind(&RECORDS, &item, LIST, since, &writes).map(|it| {
            let before = it.difference.before.as_ref().map(|before| before.value.clone()).unwrap_or_default();
            (it.difference.change(), it.certainty, before)
        })
    }

    #[test]
    fn the_oldest_write_says_what_it_was() {
        let events = [
            event("02:00", "update", "/zones/z/records/1", &json!({ "id": "1", "content": "b", "ttl": 1 })),
            event("01:00", "update", "/zones/z/records/1", &json!({ "id": "1", "content": "a", "ttl": 1 })),
        ];
        let item = json!({ "id": "1", "content": "c", "ttl": 1 });
        let expected = json!({ "content": "a", "ttl": 1 });
        assert_eq!(rewound(&item, &events), Some((Change::Changed, Certainty::Exact, expected)));
        // Put back meanwhile, and one that nobody wrote.
        assert_eq!(rewound(&json!({ "id": "1", "content": "a", "ttl": 1 }), &events), None);
        assert_eq!(rewound(&json!({ "id": "2", "content": "a", "ttl": 1 }), &events), None);
    }

    #[test]
    fn a_write_below_an_item_is_one_of_it_only_where_it_is_a_part() {
        let events = [
            event("01:00", "update", "/zones/z/records/1/notes/7", &Value::Null),
            event("02:00", "update", "/zones/z/other/1", &Value::Null),
        ];
        let item = RECORDS.item(&seat(), json!({ "id": "1" }));
        let since = "2026-11-20T00:00:00Z".parse().unwrap();
        let writes = Writes::new(&events, since);
        assert!(rewind(&RECORDS, &item, LIST, since, &writes).is_none());
        let with_notes = Family { parts: &["notes"], ..RECORDS };
        assert_eq!(rewind(&with_notes, &item, LIST, since, &writes).map(|it| it.writes.len()), Some(1));
    }

    #[test]
    fn what_is_made_below_an_item_makes_no_new_one_and_the_log_may_have_the_whole() {
        let family = Family { parts: &["notes"], ..RECORDS };
        let since = "2026-11-20T00:00:00Z".parse().unwrap();
        let before = |old: &Value| {
            let events = [event("01:00", "create", "/zones/z/records/1/notes", old)];
            let item = family.item(&seat(), json!({ "id": "1", "content": "b" }));
            let found = rewind(&family, &item, LIST, since, &Writes::new(&events, since)).unwrap();
            (found.difference.change(), found.certainty, found.difference.before.unwrap().value)
        };
        let whole = (Change::Changed, Certainty::Exact, json!({ "content": "a" }));
        assert_eq!(before(&json!({ "id": "1", "content": "a" })), whole);
        let part = (Change::Changed, Certainty::Unknown, Value::Null);
        assert_eq!(before(&json!({ "id": "7", "text": "a note" })), part);
    }

    #[test]
    fn a_write_of_many_is_one_of_each_that_says_that_it_changed_then() {
        let made = json!({ "id": "1", "created": "2026-11-20T01:00:20Z" });
        let writes = |path: &str, action: &str| {
            let events = [event("01:00", action, path, &Value::Null)];
            let since = "2026-11-20T00:00:00Z".parse().unwrap();
            let item = RECORDS.item(&seat(), made.clone());
            rewind(&RECORDS, &item, LIST, since, &Writes::new(&events, since)).map(|it| it.writes.len())
        };
        assert_eq!(writes("/zones/z/records", "update"), Some(1));
        assert_eq!(writes("/zones/z/records/import", "create"), Some(1));
        // Somebody else's new item, another list, another time.
        assert_eq!(writes("/zones/z/records", "create"), Some(0));
        assert_eq!(writes("/zones/y/records", "update"), Some(0));
        let later = json!({ "id": "1", "created": "2026-11-20T02:00:20Z" });
        let events = [event("01:00", "update", LIST, &Value::Null)];
        let since = "2026-11-20T00:00:00Z".parse().unwrap();
        let found = rewind(&RECORDS, &RECORDS.item(&seat(), later), LIST, since, &Writes::new(&events, since));
        assert_eq!(found.map(|it| it.writes.len()), Some(0));
    }

    #[test]
    fn a_part_is_put_over_what_is_there_and_nothing_is_made_up() {
        let partly = [event("01:00", "update", "/zones/z/records/1", &json!({ "content": "a" }))];
        let item = json!({ "id": "1", "content": "c", "ttl": 1 });
        let expected = json!({ "content": "a", "ttl": 1 });
        assert_eq!(rewound(&item, &partly), Some((Change::Changed, Certainty::Approximate, expected)));
        let silent = [event("01:00", "update", "/zones/z/records/1", &Value::Null)];
        assert_eq!(rewound(&item, &silent), Some((Change::Changed, Certainty::Unknown, Value::Null)));
    }

    #[test]
    fn what_says_of_itself_that_it_is_new_or_was_written_is_told_without_a_log() {
        let new = json!({ "id": "1", "content": "c", "created": "2026-11-20T03:00:00Z" });
        assert_eq!(rewound(&new, &[]), Some((Change::Added, Certainty::Exact, Value::Null)));
        let old =
            json!({ "id": "1", "content": "c", "created": "2026-11-19T03:00:00Z", "modified": "2026-11-19T03:00:00Z" });
        assert_eq!(rewound(&old, &[]), None);
    }

    #[test]
    fn what_changed_with_something_below_it_is_told_by_that() {
        let events = [event("03:00", "update", "/zones/z/records/1/value", &Value::Null)];
        let changed = |at: &str| json!({ "id": "1", "modified": format!("2026-11-20T{at}:30Z") });
        assert_eq!(rewound(&changed("03:00"), &events), None);
        assert_eq!(
            rewound(&changed("04:00"), &events),
            Some((Change::Changed, Certainty::Unknown, Value::Null)),
            "nobody says by whom"
        );
    }

    #[test]
    fn what_was_deleted_is_told_by_the_log() {
        let events = [
            event("01:00", "delete", "/zones/z/records/1", &json!({ "id": "1", "content": "a" })),
            event("01:00", "delete", "/zones/z/records/2", &Value::Null),
            event("01:00", "delete", "/zones/z/other/3", &Value::Null),
        ];
        let found: Vec<_> = events
            .iter()
            .filter_map(|event| deleted(&RECORDS, event).map(|it| gone(&RECORDS, &seat(), it.id, event)))
            .collect();
        assert_eq!(
            found.iter().filter_map(|it| it.difference.item()).map(|it| it.id.as_str()).collect::<Vec<_>>(),
            ["1", "2"]
        );
        assert_eq!(deleted(&RECORDS, &events[0]).and_then(|it| it.zone), Some("z"));
        assert_eq!((found[0].certainty, found[1].certainty), (Certainty::Exact, Certainty::Unknown));
        assert_eq!(found[0].difference.change(), Change::Removed);
    }
}
