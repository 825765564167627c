use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Fields, Gone, Named, Rewound, Writes, deleted, gone, rewind};
use crate::hunt::{AuditEvent, Family, Item, Seat};

/// A whole account before a moment: what was written since, resource by resource as these are read, and what is gone.
#[derive(Debug)]
pub struct Past<'e> {
    account: &'e str,
    encode: fn(&str) -> String,
    since: Timestamp,
    events: &'e [AuditEvent],
    writes: Writes<'e>,
    /// Families, lists and ids of what is there although it was written: a deletion of it was not the last word.
    back: BTreeSet<(&'static str, String, String)>,
    /// By family, the fields that all have that are there.
    fields: BTreeMap<&'static str, Fields>,
}

impl<'e> Past<'e> {
    /// The past of the account with this id, by what the log has from `since` on. `encode` percent-encodes a part of a
    /// path.
    pub fn new(account: &'e str, encode: fn(&str) -> String, events: &'e [AuditEvent], since: Timestamp) -> Self {
        let writes = Writes::new(events, since);
        Self { account, encode, since, events, writes, back: BTreeSet::new(), fields: BTreeMap::new() }
    }

    /// What a resource was; `None` where nothing says that it was written since.
    pub fn of(&mut self, family: &'static Family, item: &Item) -> Option<Rewound<'e>> {
        self.learn(family, item);
        let list = family.list_path(&item.seat, self.account, self.encode);
        let rewound = rewind(family, item, &list, self.since, &self.writes);
        if self.writes.name(&item.id) {
            self.back.insert((family.name, list, item.id.clone()));
        }
        rewound
    }

    /// Takes in which fields all of a family have.
    fn learn(&mut self, family: &'static Family, item: &Item) {
        match self.fields.get_mut(family.name) {
            Some(fields) => fields.keep(&item.value),
            None => {
                self.fields.insert(family.name, Fields::of(&family.compared(item)));
            }
        }
    }

    /// The writes to a resource, oldest first, whether it is still there or not.
    pub fn writes(&self, family: &Family, item: &Item) -> Vec<&'e AuditEvent> {
        self.writes.to(family, item, &family.list_path(&item.seat, self.account, self.encode))
    }

    /// What was deleted of these families and was not among the resources that were read, each once. `zones` are those
    /// that the log may name. `is_good` says of a write whether what it left was good: what such writes made in the window
    /// and another deleted is missing, though it was not there before.
    pub fn gone(
        &self,
        families: &[&'static Family],
        zones: &[Seat],
        is_good: &dyn Fn(&AuditEvent) -> bool,
    ) -> Vec<(&'static Family, Rewound<'e>)> {
        let mut known = BTreeSet::new();
        let mut all = Vec::new();
        for event in self.events.iter().filter(|event| event.at >= self.since) {
            for family in families.iter().copied() {
                let Some(named) = deleted(family, event) else { continue };
                let Some(list) = event.path().and_then(|path| path.strip_suffix(named.id)?.strip_suffix('/')) else {
                    continue;
                };
                let of = (family.name, list.to_owned(), named.id.to_owned());
                if !self.back.contains(&of) && known.insert(of) {
                    let seat = seat(&named, event, zones);
                    all.extend(self.gone_from(family, &seat, list, named.id, is_good).map(|rewound| (family, rewound)));
                }
            }
        }
        all
    }

    fn gone_from(
        &self,
        family: &'static Family,
        seat: &Seat,
        list: &str,
        id: &str,
        is_good: &dyn Fn(&AuditEvent) -> bool,
    ) -> Option<Rewound<'e>> {
        let bare = Item {
            seat: seat.clone(),
            key: Vec::new(),
            id: id.to_owned(),
            created: None,
            modified: None,
            value: serde_json::Value::Null,
        };
        let mut writes = self.writes.to(family, &bare, list);
        // What came after the deletion is of another of its name, which was not read.
        let last = writes.iter().rposition(|event| deleted(family, event).is_some_and(|named| named.id == id))?;
        writes.truncate(last + 1);
        let of = Gone { family, seat, list, id, fields: self.fields.get(family.name) };
        let rewound = gone(&of, &writes, self.since);
        let first_bad = writes.iter().position(|event| !is_good(event)).filter(|place| *place > 0);
        match first_bad {
            Some(place) if rewound.fleeting => {
                Some(Rewound { young: true, ..gone(&of, &writes[place..], Timestamp::MAX) })
            }
            _ => Some(rewound),
        }
    }
}

/// Where something was that a write deleted.
fn seat(deleted: &Named<'_>, event: &AuditEvent, zones: &[Seat]) -> Seat {
    let seat = match deleted.zone {
        Some(id) => match zones.iter().find(|zone| zone.zone_id.as_deref() == Some(id)) {
            Some(zone) => zone.clone(),
            None => Seat::zone(id, event.zone.as_deref().unwrap_or(id)),
        },
        None if event.path().is_some_and(|path| path.starts_with("/user")) => Seat::user(),
        None => Seat::account(),
    };
    deleted.parent.map_or_else(|| seat.clone(), |parent| seat.of(parent))
}
