//! Where findings lie: their resources as they were seen, or at least their zones.

use std::collections::{BTreeMap, BTreeSet};

use crate::cloudflare::repair::seat;
use crate::hunt::{Family, Item, Seat};
use crate::model::Finding;

/// Seats of findings.
#[derive(Debug)]
pub(super) struct Seats<'f> {
    /// Ids of the resources that are looked for.
    wanted: BTreeSet<&'f str>,
    /// Where they were seen, by family and id.
    seen: BTreeMap<(&'static str, String), Vec<Seat>>,
    /// Ids of zones, by name.
    zones: BTreeMap<String, String>,
}

impl<'f> Seats<'f> {
    pub(super) fn of(findings: &'f [Finding]) -> Self {
        let wanted = findings.iter().map(|finding| finding.resource.id.as_str()).collect();
        Self { wanted, seen: BTreeMap::new(), zones: BTreeMap::new() }
    }

    /// Takes a resource as it is.
    pub(super) fn take(&mut self, family: &'static Family, item: &Item) {
        if let (Some(name), Some(id)) = (item.seat.zone_name(), &item.seat.zone_id)
            && !self.zones.contains_key(name)
        {
            self.zones.insert(name.to_owned(), id.clone());
        }
        if self.wanted.contains(item.id.as_str()) {
            self.seen.entry((family.name, item.id.clone())).or_default().push(item.seat.clone());
        }
    }

    /// Where a finding lies, as far as that was seen.
    pub(super) fn seat(&self, finding: &Finding) -> Option<Seat> {
        let zone = finding.resource.zone.as_deref();
        let seen = self.seen.iter().find(|((family, id), _)| *family == finding.family && *id == finding.resource.id);
        let mut seen = seen.into_iter().flat_map(|(_, seats)| seats);
        let is_it = |seat: &&Seat| zone.is_none_or(|zone| seat.zone_name() == Some(zone));
        seen.find(is_it)
            .cloned()
            .or_else(|| seat(finding, zone.and_then(|zone| self.zones.get(zone)).map(String::as_str)))
    }
}
