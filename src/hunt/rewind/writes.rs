use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::hunt::{AuditEvent, Family, Item};

/// How far the time on a resource and the time in the log may lie apart for one to be taken for the other.
const NEAR: SignedDuration = SignedDuration::from_secs(60);

/// How far the clock of a log and that of a resource, or of another log, may be apart.
pub(super) const CLOCKS: SignedDuration = SignedDuration::from_secs(2);

/// The writes of a window that took effect, found by what they are about.
#[derive(Debug, Default)]
pub struct Writes<'e> {
    by_name: HashMap<&'e str, Vec<&'e AuditEvent>>,
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

    /// Whether any write names this.
    pub(super) fn name(&self, id: &str) -> bool {
        self.by_name.contains_key(id)
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
                let Some(path) = event.path() else { return is_named && may_be_in(event, item) };
                let Some(rest) = below(path, list) else { return false };
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
        all.extend(self.elsewhere(family, item, list));
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
        let is_then = move |event: &&AuditEvent| times.iter().flatten().any(|at| is_near(event.at, *at));
        let paths = [list.to_owned(), format!("{list}/batch"), format!("{list}/import")];
        let all = paths.into_iter().enumerate().flat_map(|(index, path)| {
            let written = self.by_name.get(path.as_str()).into_iter().flatten().copied();
            written.filter(move |event| index > 0 || event.action == "update")
        });
        all.filter(is_then).collect::<Vec<_>>().into_iter()
    }

    /// Writes to the list or to something else that made or changed this one, where the family says that such do: of
    /// several, the one that is nearest to a time of the item.
    fn elsewhere(&self, family: &Family, item: &Item, list: &str) -> Vec<&'e AuditEvent> {
        let places = family.made_at.iter().filter_map(|place| from(list, place));
        let written = places.flat_map(|path| self.by_name.get(path.as_str()).cloned().unwrap_or_default());
        let written: Vec<&AuditEvent> = written.filter(|event| event.action != "delete").collect();
        let nearest_to = |at: &Timestamp| {
            let away = |event: &&AuditEvent| event.at.duration_since(*at).abs();
            let near = written.iter().copied().filter(|event| is_near(event.at, *at));
            let least = near.clone().map(|event| away(&event)).min();
            // The same act in both logs is told a moment apart.
            near.filter(move |event| least.is_some_and(|least| away(event) <= least + CLOCKS)).collect::<Vec<_>>()
        };
        [item.created, item.modified].iter().flatten().flat_map(nearest_to).collect()
    }

    /// Whether a write to something below the item, which is told by itself, made the item say that it was changed then.
    pub(super) fn explain(&self, item: &Item, list: &str, at: Timestamp) -> bool {
        let mut all = self.by_name.get(item.id.as_str()).into_iter().flatten();
        all.any(|event| event.path().is_some_and(|path| is_under(path, list, &item.id)) && is_near(event.at, at))
    }
}

/// A place as it is seen from a list.
fn from(list: &str, place: &str) -> Option<String> {
    match place.strip_prefix("..") {
        Some(rest) => list.rsplit_once('/').map(|(owner, _)| format!("{owner}{rest}")),
        None => Some(list.to_owned()),
    }
}

/// Whether an entry that names no path may be of this item: one that names a zone is of that zone alone.
fn may_be_in(event: &AuditEvent, item: &Item) -> bool {
    let is_zone = |zone: &str| item.seat.zone_name().is_some_and(|name| name.eq_ignore_ascii_case(zone));
    event.zone.as_deref().is_none_or(is_zone)
}

/// Whether two times may be of one act.
pub(super) fn is_near(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).abs() <= NEAR
}

/// Long before the time on a resource: what was written then was not written by what the time is of.
pub(super) fn before(at: Timestamp) -> Timestamp {
    at.checked_sub(NEAR).unwrap_or(Timestamp::MIN)
}

/// What of a path lies below a list; empty for the list.
fn below<'p>(path: &'p str, list: &str) -> Option<&'p str> {
    path.strip_prefix(list).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a path leads to something below the item with this id.
pub(super) fn is_under(path: &str, list: &str, id: &str) -> bool {
    let rest = path.strip_prefix(list).and_then(|rest| rest.strip_prefix('/')?.strip_prefix(id)?.strip_prefix('/'));
    !id.is_empty() && rest.is_some_and(|rest| !rest.is_empty())
}

/// Log v1 and v2 tell of most acts both; v2, which names the token, counts as the later one of a second. What bears one
/// time is made first and deleted last.
fn order(event: &AuditEvent) -> (i64, bool, Timestamp, u8) {
    let turn = match event.action.as_str() {
        "create" => 0,
        "delete" => 2,
        _ => 1,
    };
    (event.at.as_second(), event.token_id.is_some(), event.at, turn)
}
