use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Rewound, Writes, deleted, gone, rewind};
use crate::hunt::{AuditEvent, Family, Item, Seat};

/// A whole account before a moment: what was written since, resource by resource as these are read, and what is gone.
#[derive(Debug)]
pub struct Past<'e> {
    account: &'e str,
    encode: fn(&str) -> String,
    since: Timestamp,
    events: &'e [AuditEvent],
    writes: Writes<'e>,
    /// Families and ids of what is there although it was written: a deletion of it was not the last word.
    back: BTreeSet<(&'static str, String)>,
}

impl<'e> Past<'e> {
    /// The past of the account with this id, by what the log has from `since` on. `encode` percent-encodes a part of a
    /// path.
    pub fn new(account: &'e str, encode: fn(&str) -> String, events: &'e [AuditEvent], since: Timestamp) -> Self {
        Self { account, encode, since, events, writes: Writes::new(events, since), back: BTreeSet::new() }
    }

    /// What a resource was; `None` where nothing says that it was written since.
    pub fn of(&mut self, family: &'static Family, item: &Item) -> Option<Rewound<'e>> {
        let list = family.list_path(&item.seat, self.account, self.encode);
        let rewound = rewind(family, item, &list, self.since, &self.writes)?;
        self.back.insert((family.name, item.id.clone()));
        Some(rewound)
    }

    /// The writes to a resource, oldest first, whether it is still there or not.
    pub fn writes(&self, family: &Family, item: &Item) -> Vec<&'e AuditEvent> {
        self.writes.to(family, item, &family.list_path(&item.seat, self.account, self.encode))
    }

    /// What was deleted of these families and was not among the resources that were read. `zones` are those that the log
    /// may name.
    pub fn gone<'f>(
        &'f self,
        families: &'f [&'static Family],
        zones: &'f [Seat],
    ) -> impl Iterator<Item = (&'static Family, Rewound<'e>)> + 'f {
        let events = self.events.iter().filter(|event| event.at >= self.since);
        events.flat_map(move |event| families.iter().map(move |family| (*family, event))).filter_map(
            move |(family, event)| {
                let deleted = deleted(family, event)?;
                if self.back.contains(&(family.name, deleted.id.to_owned())) {
                    return None;
                }
                let seat = match deleted.zone {
                    Some(id) => match zones.iter().find(|zone| zone.zone_id.as_deref() == Some(id)) {
                        Some(zone) => zone.clone(),
                        None => Seat::zone(id, event.zone.as_deref().unwrap_or(id)),
                    },
                    None if event.path().is_some_and(|path| path.starts_with("/user")) => Seat::user(),
                    None => Seat::account(),
                };
                let seat = deleted.parent.map_or_else(|| seat.clone(), |parent| seat.of(parent));
                Some((family, gone(family, &seat, deleted.id, event)))
            },
        )
    }
}
