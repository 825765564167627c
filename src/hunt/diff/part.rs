//! What of two snapshots can be compared, and what cannot.

use std::collections::{BTreeMap, BTreeSet};

use crate::hunt::snapshot::manifest::{Dark, zone_of};
use crate::hunt::snapshot::{Held, Manifest, Zones};

/// What of a family can be compared.
pub(super) struct Comparable<'m> {
    zones: [&'m Zones; 2],
    dark: [Dark<'m>; 2],
    silent: [&'m BTreeMap<String, BTreeSet<String>>; 2],
    /// The last seat that was asked for: items of one seat follow each other.
    last: Option<(String, bool)>,
}

impl<'m> Comparable<'m> {
    pub(super) fn new(sides: [(&'m Manifest, &'m Held); 2]) -> Self {
        Self {
            zones: sides.map(|(manifest, _)| &manifest.zones),
            dark: sides.map(|(_, held)| held.dark()),
            silent: sides.map(|(_, held)| &held.silent),
            last: None,
        }
    }

    /// Whether the items of a seat are known on both sides.
    pub(super) fn seat(&mut self, seat: &str) -> bool {
        match &self.last {
            Some((same, answer)) if same == seat => *answer,
            _ => {
                let is_blind =
                    zone_of(seat).is_some_and(|zone| self.zones.iter().any(|it| it.blind_to(zone).is_some()));
                let answer = !is_blind && !self.dark.iter().any(|dark| dark.covers(seat));
                self.last.insert((seat.to_owned(), answer)).1
            }
        }
    }

    /// Fields of a seat that one of the sides cannot say.
    pub(super) fn silent(&self, seat: &str) -> impl Iterator<Item = &'m str> {
        let sets = self.silent.map(|silent| silent.get(seat));
        sets.into_iter().flatten().flatten().map(String::as_str)
    }
}
