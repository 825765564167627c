//! What the intruder left: what was written in the window, by resource and by act.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::found::{of_act, of_difference};
use crate::action::Look;
use crate::cloudflare::api::segment;
use crate::cloudflare::attribution::doing;
use crate::cloudflare::families::families;
use crate::cloudflare::techniques::techniques;
use crate::hunt::rewind::{self, Rewound, Writes};
use crate::hunt::sweep::SweptPage;
use crate::hunt::{AuditEvent, Family, Principal, Seat, attribute};
use crate::model::{Attribution, Digest, Finding};

/// Collects the traces page by page.
pub(super) struct Traces<'t> {
    account: &'t str,
    events: &'t [AuditEvent],
    principals: &'t [Principal],
    since: Timestamp,
    zones: &'t [Seat],
    writes: Writes<'t>,
    /// Families and ids of what is there although the log tells of its deletion.
    back: BTreeSet<(&'static str, String)>,
    found: Vec<Finding>,
    /// Ids of the acts that a difference was joined to.
    joined: BTreeSet<&'t str>,
    items: u64,
    by_others: u64,
}

impl<'t> Traces<'t> {
    pub(super) fn new(
        look: &Look<'t>,
        events: &'t [AuditEvent],
        principals: &'t [Principal],
        since: Timestamp,
        zones: &'t [Seat],
    ) -> Self {
        Self {
            account: look.account(),
            events,
            principals,
            since,
            zones,
            writes: Writes::new(events, since),
            back: BTreeSet::new(),
            found: Vec::new(),
            joined: BTreeSet::new(),
            items: 0,
            by_others: 0,
        }
    }

    /// Resources that were looked at so far.
    pub(super) fn items(&self) -> u64 {
        self.items
    }

    /// Looks through a page.
    pub(super) fn take(&mut self, page: &SweptPage<'_>) {
        let Some(family) = families().find(|family| family.name == page.family.name) else { return };
        let list = family.list_path(&page.place.seat, self.account, segment);
        for item in &page.items {
            self.items += 1;
            if let Some(rewound) = rewind::rewind(family, item, &list, self.since, &self.writes) {
                self.back.insert((family.name, item.id.clone()));
                self.judge(family, &rewound, &page.evidence);
            }
        }
    }

    /// What was found of the intruder and of nobody, and how many resources only others wrote.
    pub(super) fn findings(mut self) -> (Vec<Finding>, u64) {
        self.gone();
        self.acts();
        // The same resource may show one technique twice; the first finding has the state it is in.
        let mut known = BTreeSet::new();
        self.found.retain(|finding| known.insert(finding.id.clone()));
        (self.found, self.by_others)
    }

    /// What was deleted in the window and is not back.
    fn gone(&mut self) {
        let (events, since) = (self.events, self.since);
        for event in events.iter().filter(|event| event.at >= since) {
            for family in families() {
                let Some(deleted) = rewind::deleted(family, event) else { continue };
                if self.back.contains(&(family.name, deleted.id.to_owned())) {
                    continue;
                }
                let seat = match deleted.zone {
                    Some(id) => match self.zones.iter().find(|zone| zone.zone_id.as_deref() == Some(id)) {
                        Some(zone) => zone.clone(),
                        None => Seat::zone(id, event.zone.as_deref().unwrap_or(id)),
                    },
                    None if event.path().is_some_and(|path| path.starts_with("/user")) => Seat::user(),
                    None => Seat::account(),
                };
                let seat = deleted.parent.map_or_else(|| seat.clone(), |parent| seat.of(parent));
                self.judge(family, &rewind::gone(family, &seat, deleted.id, event), &[]);
            }
        }
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
            if !matches!(attribute(event, self.principals), Attribution::Intruder | Attribution::Shared) {
                continue;
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
        for ((technique, of), events) in acts {
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
