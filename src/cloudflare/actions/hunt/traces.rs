//! What the intruder left: what was written in the window, by resource and by act.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::found::{of_act, of_difference};
use super::looking::Hunting;
use crate::cloudflare::api::segment;
use crate::cloudflare::attribution::doing;
use crate::cloudflare::families::families;
use crate::cloudflare::techniques::techniques;
use crate::hunt::rewind::{Certainty, Past, Rewound};
use crate::hunt::snapshot::Manifest;
use crate::hunt::{AuditEvent, Difference, Family, Item, Principal, Seat, attribute};
use crate::model::{Attribution, Digest, Finding};

/// Collects the traces, resource by resource.
pub(super) struct Traces<'t> {
    events: &'t [AuditEvent],
    principals: &'t [Principal],
    since: Timestamp,
    zones: &'t [Seat],
    /// What was known to be good: where it knows all, it tells what differs, and not the log.
    known: Option<&'t Manifest>,
    whole_log: bool,
    past: Past<'t>,
    found: Vec<Finding>,
    /// Ids of the acts that a difference was joined to.
    joined: BTreeSet<&'t str>,
    items: u64,
    by_others: u64,
    drifted: u64,
}

/// What the traces come to.
pub(super) struct Left {
    /// What the intruder did, and what nobody can say who did.
    pub(super) findings: Vec<Finding>,
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
            whole_log: hunting.whole_log,
            past: Past::new(account, segment, events, since),
            found: Vec::new(),
            joined: BTreeSet::new(),
            items: 0,
            by_others: 0,
            drifted: 0,
        }
    }

    /// Looks at a resource as it is.
    pub(super) fn take(&mut self, family: &'static Family, item: &Item, evidence: &[Digest]) {
        self.items += 1;
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
        }
        writes.sort_by_key(|event| event.at);
        writes.dedup_by_key(|event| event.id.as_str());
        let since = |at: Option<Timestamp>| at.map(|at| at >= self.since);
        let says = difference.after.as_ref().and_then(|item| since(item.modified.or(item.created)));
        // What no write of the window explains is from before it, where the log or the resource itself says so.
        if writes.is_empty() && !says.unwrap_or(!self.whole_log) {
            self.drifted += 1;
            return;
        }
        self.judge(family, &Rewound { difference, certainty: Certainty::Exact, writes }, evidence);
    }

    /// What was found of the intruder and of nobody, and how many resources only others wrote.
    pub(super) fn left(mut self) -> Left {
        let all: Vec<&'static Family> = families().collect();
        let gone: Vec<_> = self.past.gone(&all, self.zones).collect();
        for (family, rewound) in gone {
            let seat = rewound.difference.item().map(|item| item.seat.clone());
            if !seat.is_some_and(|seat| self.is_known(family, &seat)) {
                self.judge(family, &rewound, &[]);
            }
        }
        self.acts();
        // The same resource may show one technique twice; the first finding has the state it is in.
        let mut known = BTreeSet::new();
        self.found.retain(|finding| known.insert(finding.id.clone()));
        Left { findings: self.found, items: self.items, by_others: self.by_others, drifted: self.drifted }
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
        let mut counted = false;
        for technique in techniques().filter(|technique| technique.is_shown_by(&rewound.difference)) {
            if doing.attribution == Attribution::Other {
                if !std::mem::replace(&mut counted, true) {
                    self.by_others += 1;
                }
                continue;
            }
            self.found.push(of_difference(technique, family, rewound, &doing, evidence));
        }
        self.joined.extend(rewound.writes.iter().map(|event| event.id.as_str()));
    }

    /// Acts of the intruder that no difference shows: what was put back, what is gone, what is no resource.
    fn acts(&mut self) {
        let mut acts: BTreeMap<(&'static str, String), Vec<&AuditEvent>> = BTreeMap::new();
        let events = self.events.iter().filter(|event| event.success && event.is_write() && event.at >= self.since);
        for event in events {
            match attribute(event, self.principals) {
                Attribution::Intruder | Attribution::Shared => {}
                // Where nobody is named, what was as before is not held against anybody for being done.
                Attribution::Unattributed if event.unexplained => {}
                Attribution::Unattributed | Attribution::Other => continue,
            }
            for technique in techniques().filter(|technique| technique.is_act(event)) {
                // A technique that is told by who acts is told once for each of them; the others by resource.
                let is_broad = technique.acts.iter().any(|act| act.path == "/**");
                let of = if is_broad {
                    event.email.clone().or_else(|| event.ip.clone())
                } else if self.joined.contains(event.id.as_str()) {
                    continue;
                } else {
                    event.resource_id.clone().or_else(|| event.path().map(str::to_owned))
                };
                acts.entry((technique.id, of.unwrap_or_default())).or_default().push(event);
            }
        }
        for ((technique, of), mut events) in acts {
            // What the intruder did stays done by the intruder, whoever did the same since.
            let is_intruders = |event: &&AuditEvent| attribute(event, self.principals) == Attribution::Intruder;
            if events.iter().any(is_intruders) {
                events.retain(is_intruders);
            }
            let technique = techniques().find(|it| it.id == technique);
            self.found.extend(technique.and_then(|technique| of_act(technique, &of, &events, self.principals)));
        }
        self.used();
    }

    /// Tokens that the intruder acted with.
    fn used(&mut self) {
        let Some(technique) = techniques().find(|technique| technique.id == "CF-I01") else { return };
        for held in self.principals {
            let by = |event: &&AuditEvent| {
                event.token_id.as_ref() == Some(&held.token_id)
                    && attribute(event, self.principals) == Attribution::Intruder
            };
            let events: Vec<&AuditEvent> = self.events.iter().filter(by).collect();
            if let Some(finding) = of_act(technique, &held.token_id, &events, self.principals) {
                let id = format!("{}:tokens:{}", technique.id, held.token_id);
                self.found.push(Finding { id, family: "account_tokens".to_owned(), ..finding });
            }
        }
    }
}
