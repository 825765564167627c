//! What the intruder left: what was written in the window, by resource and by act.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::found::{of_act, of_actor, of_difference, reference};
use super::looking::Hunting;
use crate::cloudflare::api::segment;
use crate::cloudflare::attribution::doing;
use crate::cloudflare::audit::bulk::request;
use crate::cloudflare::families::{about, families};
use crate::cloudflare::techniques::{self, Phases, has_phase, is_rest, technique};
use crate::hunt::rewind::{Past, Rewound};
use crate::hunt::snapshot::Manifest;
use crate::hunt::technique::Technique;
use crate::hunt::{AuditEvent, Difference, Family, Item, Principal, Seat, attribute};
use crate::model::{Attribution, CREDENTIALS, Digest, Finding, Resource};

/// Collects the traces, resource by resource.
pub(super) struct Traces<'t> {
    events: &'t [AuditEvent],
    principals: &'t [Principal],
    since: Timestamp,
    zones: &'t [Seat],
    /// What was known to be good: where it knows all, it tells what differs, and not the log.
    known: Option<&'t Manifest>,
    past: Past<'t>,
    /// Of rulesets, as whatever was seen tells them.
    phases: Phases,
    found: Vec<Finding>,
    /// Ids of the findings of what was made and deleted again.
    fleeting: BTreeSet<String>,
    /// Techniques, and ids of the acts of which a difference tells whether they are of them.
    told: BTreeSet<(&'static str, &'t str)>,
    items: u64,
    by_others: u64,
    drifted: u64,
}

/// What the traces come to.
pub(super) struct Left {
    /// What the intruder did, and what nobody can say who did.
    pub(super) findings: Vec<Finding>,
    /// Ids of those of what was made and deleted again: no list shows it.
    pub(super) fleeting: BTreeSet<String>,
    /// Resources that were looked at.
    pub(super) items: u64,
    /// Resources that only others wrote.
    pub(super) by_others: u64,
    /// Resources that differ from the baseline and were changed before the window.
    pub(super) drifted: u64,
}

impl<'t> Traces<'t> {
    pub(super) fn new(hunting: &Hunting<'t>, account: &'t str, zones: &'t [Seat], known: Option<&'t Manifest>) -> Self {
        let (events, since) = (hunting.events, hunting.since);
        Self {
            events,
            principals: hunting.principals,
            since,
            zones,
            // One that was taken in the window may hold what the intruder did as good.
            known: known.filter(|manifest| manifest.ended_at < since),
            past: Past::new(account, segment, events, since),
            phases: Phases::of(events),
            found: Vec::new(),
            fleeting: BTreeSet::new(),
            told: BTreeSet::new(),
            items: 0,
            by_others: 0,
            drifted: 0,
        }
    }

    /// Looks at a resource as it is.
    pub(super) fn take(&mut self, family: &'static Family, item: &Item, evidence: &[Digest]) {
        self.items += 1;
        self.phases.learn(family.name, item);
        if let Some(rewound) = self.past.of(family, item)
            && !self.is_known(family, &item.seat)
        {
            self.judge(family, &rewound, evidence);
        }
    }

    /// Looks at what differs from the baseline.
    pub(super) fn differs(&mut self, family: &'static Family, mut difference: Difference, evidence: &[Digest]) {
        let mut writes: Vec<&AuditEvent> = Vec::new();
        for item in [&mut difference.before, &mut difference.after].into_iter().flatten() {
            // A zone that was taken over from a file has no id there.
            let zone = item.seat.zone_name().and_then(|name| self.zones.iter().find(|zone| zone.name == name));
            item.seat.zone_id = item.seat.zone_id.take().or_else(|| zone?.zone_id.clone());
            writes.extend(self.past.writes(family, item));
            self.phases.learn(family.name, item);
        }
        writes.sort_by_key(|event| event.at);
        writes.dedup_by_key(|event| event.id.as_str());
        let says = difference.came_at().map(|at| at >= self.since);
        // What no write of the window explains is from before it where the resource itself says so. That the log has none
        // says nothing: not everything is logged, and the newest of it comes late.
        if writes.is_empty() && says == Some(false) {
            self.drifted += 1;
            return;
        }
        self.judge(family, &Rewound::compared(difference, writes), evidence);
    }

    /// What was found of the intruder and of nobody, and how many resources only others wrote.
    pub(super) fn left(mut self) -> Left {
        // Of families that differ only in what they ask for, a deletion is told once.
        let mut paths = BTreeSet::new();
        let all: Vec<&'static Family> = families().filter(|family| paths.insert(family.path)).collect();
        let principals = self.principals;
        let is_good = |event: &AuditEvent| attribute(event, principals) == Attribution::Other;
        for (family, rewound) in self.past.gone(&all, self.zones, &is_good) {
            let seat = rewound.difference.item().map(|item| item.seat.clone());
            if rewound.young || !seat.is_some_and(|seat| self.is_known(family, &seat)) {
                self.judge(family, &rewound, &[]);
            }
        }
        // Answers come in any order, and whoever looks twice finds it as it was.
        let place = |finding: &Finding| {
            let zone = finding.resource.zone.as_ref();
            let zone = zone.and_then(|zone| self.zones.iter().position(|seat| seat.name == *zone));
            let family = families().position(|family| family.name == finding.family);
            (family.unwrap_or(usize::MAX), zone)
        };
        self.found.sort_by_cached_key(place);
        self.acts();
        self.actors();
        self.used();
        // The same resource may show one technique twice; the first finding has the state it is in.
        let mut known = BTreeSet::new();
        self.found.retain(|finding| known.insert(finding.id.clone()));
        Left {
            findings: self.found,
            fleeting: self.fleeting,
            items: self.items,
            by_others: self.by_others,
            drifted: self.drifted,
        }
    }

    /// Whether the baseline tells what differs there.
    fn is_known(&self, family: &Family, seat: &Seat) -> bool {
        self.known.is_some_and(|known| known.knows(family.name, &seat.name))
    }

    fn judge(&mut self, family: &'static Family, rewound: &Rewound<'t>, evidence: &[Digest]) {
        let is_intruders = |event: &&&AuditEvent| attribute(event, self.principals) == Attribution::Intruder;
        let by_intruder: Vec<&AuditEvent> = rewound.writes.iter().filter(is_intruders).copied().collect();
        // What the intruder did stays done by the intruder, whoever wrote to it since: the responders among them.
        let doing = match by_intruder.is_empty() {
            true => doing(rewound.writes.iter().copied(), self.principals),
            false => doing(by_intruder.into_iter(), self.principals),
        };
        let is_blank = (rewound.fleeting || has_phase(family.name))
            && rewound.difference.item().is_some_and(|item| item.value.is_null());
        let techniques = match is_blank {
            // Nothing is known of what it was but what was done.
            true => of_acts(&rewound.writes, &self.phases),
            false => techniques::of_difference(&rewound.difference, &rewound.writes),
        };
        if techniques.is_empty() {
            return;
        }
        if doing.attribution == Attribution::Other {
            self.by_others += 1;
            return;
        }
        let found = techniques.iter().map(|technique| of_difference(technique, family, rewound, &doing, evidence));
        let found: Vec<Finding> = found.collect();
        if rewound.fleeting {
            self.fleeting.extend(found.iter().map(|finding| finding.id.clone()));
        }
        self.found.extend(found);
        for event in &rewound.writes {
            let told = techniques::of_act(&self.phases.told(event)).into_iter();
            if rewound.fleeting && event.action == "delete" {
                // That what was not there before is gone again is no harm.
                self.told.extend(told.map(|technique| (technique.id, event.id.as_str())));
                continue;
            }
            let told = told.filter(|of| techniques::is_settled(of, &rewound.difference, event, &techniques));
            self.told.extend(told.map(|technique| (technique.id, event.id.as_str())));
        }
    }

    /// What the intruder, or somebody who may be the intruder, wrote in the window.
    fn suspicious(&self) -> impl Iterator<Item = &'t AuditEvent> {
        let writes = self.events.iter().filter(|event| event.success && event.is_write() && event.at >= self.since);
        writes.filter(|event| match attribute(event, self.principals) {
            Attribution::Intruder | Attribution::Shared => true,
            // Where nobody is named, what was as before is not held against anybody for being done.
            Attribution::Unattributed => event.unexplained,
            Attribution::Other => false,
        })
    }

    /// What the intruder did stays done by the intruder, whoever did the same since.
    fn foremost(&self, mut events: Vec<&'t AuditEvent>) -> Vec<&'t AuditEvent> {
        let is_intruders = |event: &&AuditEvent| attribute(event, self.principals) == Attribution::Intruder;
        if events.iter().any(is_intruders) {
            events.retain(is_intruders);
        }
        events
    }

    /// Acts of the intruder that no difference shows: what was put back, what is gone, what is no resource.
    fn acts(&mut self) {
        let mut acts: BTreeMap<(&'static str, String), Vec<&'t AuditEvent>> = BTreeMap::new();
        for event in self.suspicious() {
            let is_told = |of: &&Technique| self.told.contains(&(of.id, event.id.as_str()));
            let told = self.phases.told(event);
            for technique in techniques::of_act(&told).into_iter().filter(|technique| !is_told(technique)) {
                let of = reference(self.seat(event).as_deref(), &thing(technique, event));
                acts.entry((technique.id, of)).or_default().push(event);
            }
        }
        for ((id, of), events) in acts {
            let events = self.foremost(events);
            let (Some(technique), Some(newest)) = (technique(id), events.last()) else { continue };
            let id = thing(technique, newest);
            let thing = Resource { name: id.clone(), id, zone: self.zone(newest) };
            self.found.extend(of_act(technique, &of, thing, &events, self.principals));
        }
    }

    /// Name of the zone that an act was in, or its id where it is none of those that were looked at.
    fn zone(&self, event: &AuditEvent) -> Option<String> {
        let in_path = || event.path().and_then(about).and_then(|(_, named)| named.zone);
        let name = |id: &str| {
            let zone = self.zones.iter().find(|zone| zone.zone_id.as_deref() == Some(id));
            zone.map_or_else(|| id.to_owned(), |zone| zone.name.clone())
        };
        event.zone.clone().or_else(|| in_path().map(name))
    }

    /// Where an act was done, as the seats of items are called.
    fn seat(&self, event: &AuditEvent) -> Option<String> {
        let zone = self.zone(event);
        match event.path().and_then(about).and_then(|(_, named)| named.parent) {
            Some(parent) => Some(format!("{}/{parent}", zone.as_deref().unwrap_or("account"))),
            None => zone,
        }
    }

    /// Techniques that are told by who acts, whatever is done: once for each of them.
    fn actors(&mut self) {
        let mut acts: BTreeMap<(&'static str, String), Vec<&'t AuditEvent>> = BTreeMap::new();
        for event in self.suspicious() {
            let who = event.email.clone().or_else(|| event.ip.clone()).unwrap_or_default();
            for technique in techniques::of_actor(event) {
                acts.entry((technique.id, who.clone())).or_default().push(event);
            }
        }
        for ((id, who), events) in acts {
            let mut events = self.foremost(events);
            events.dedup_by_key(|event| request(event));
            let actor = Resource { id: who.clone(), name: who, zone: None };
            let found = technique(id).and_then(|it| of_actor(it, CREDENTIALS, actor, &events, self.principals));
            self.found.extend(found);
        }
    }

    /// Tokens that the intruder acted with.
    fn used(&mut self) {
        let Some(technique) = technique("CF-I01") else { return };
        for held in self.principals {
            let by = |event: &&AuditEvent| {
                event.token_id.as_ref() == Some(&held.token_id)
                    && attribute(event, self.principals) == Attribution::Intruder
            };
            let mut events: Vec<&AuditEvent> = self.events.iter().filter(by).collect();
            events.dedup_by_key(|event| request(event));
            let actor = Resource { id: held.token_id.clone(), name: held.token_name.clone(), zone: None };
            if let Some(finding) = of_actor(technique, "account_tokens", actor, &events, self.principals) {
                let id = format!("{}:tokens:{}", technique.id, held.token_id);
                self.found.push(Finding { id, ..finding });
            }
        }
    }
}

/// The techniques that these acts are of.
fn of_acts(events: &[&AuditEvent], phases: &Phases) -> Vec<&'static Technique> {
    let mut known = BTreeSet::new();
    let all = events.iter().flat_map(|event| techniques::of_act(&phases.told(event)));
    all.filter(|technique| known.insert(technique.id)).collect()
}

/// What an act was on: the id that the log or the path gives it, or else the path.
fn thing(technique: &Technique, event: &AuditEvent) -> String {
    if is_rest(technique) {
        return place(event);
    }
    let given = event.resource_id.clone().filter(|id| !id.is_empty());
    let in_path = || event.path().and_then(about).map(|(_, named)| named.id.to_owned()).filter(|id| !id.is_empty());
    given.or_else(in_path).unwrap_or_else(|| place(event))
}

/// Where an act was done: of acts on whatever nobody knows, an id alone would tell many things as one.
fn place(event: &AuditEvent) -> String {
    let id = || event.resource_id.clone().filter(|id| !id.is_empty());
    event.path().map(str::to_owned).or_else(id).unwrap_or_else(|| event.resource_type.clone())
}

#[cfg(test)]
mod tests;
