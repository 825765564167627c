//! `cloudflare.diff`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Action, ActionSpec, Estimate, Look, Permission, StepError, StepPlan};
use crate::cloudflare::api::segment;
use crate::cloudflare::attribution::{doing, required_window};
use crate::cloudflare::audit::bulk::apart;
use crate::cloudflare::present::{Wanted, chosen, compare, open, unkept, unread};
use crate::hunt::rewind::{Certainty, Past, Rewound};
use crate::hunt::snapshot::Snapshot;
use crate::hunt::{AuditEvent, Family, Item, Principal};
use crate::model::{Actor, Attribution, Change, Danger, Gap};

/// `cloudflare.diff`.
#[derive(Debug, Clone, Copy)]
pub struct Diff;

/// Parameters of `cloudflare.diff`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Directory of a known-good baseline, as `quell baseline` captures or imports it. Without one, the account is rewound
    /// by the audit log.
    #[serde(default)]
    pub baseline: Option<String>,
    /// Directory of a snapshot to compare, the `dir` of `cloudflare.snapshot`; without one, the account is read.
    #[serde(default)]
    pub snapshot: Option<String>,
    /// The moment to which the account is rewound; the intruder's first write where it is not given.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// Names or ids of the zones to read; all of the account where none is named.
    #[serde(default)]
    pub zones: Option<Vec<String>>,
    /// Names of the families to compare; all that are not retired where none is named.
    #[serde(default)]
    pub families: Option<Vec<String>>,
    /// Events of the audit log: they say who did it, and what was there before.
    #[serde(default)]
    pub events: Option<Vec<AuditEvent>>,
    /// True where both logs were read to their end; without it, what the log does not name is not known to be as it was.
    #[serde(default)]
    pub log_complete: Option<bool>,
    /// What the intruder holds, to tell the intruder from others.
    #[serde(default)]
    pub principals: Option<Vec<Principal>>,
}

/// Output of `cloudflare.diff`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// What it was compared with, in words.
    pub with: String,
    /// SHA-256 of the manifest of what was read; a snapshot that was named has its own.
    pub manifest: Option<String>,
    /// How much differs, by family; those in which nothing does are left out.
    pub tally: BTreeMap<String, Tally>,
    /// What differs, by family, seat and name.
    pub differences: Vec<Row>,
    /// True where objects that the log does not name may differ all the same.
    pub unsure: bool,
}

/// How much differs in a family.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Tally {
    /// What is new.
    pub added: u64,
    /// What is gone.
    pub removed: u64,
    /// What was changed.
    pub changed: u64,
}

/// Something that differs.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// The family.
    pub family: String,
    /// What happened.
    pub change: Change,
    /// Where: a zone's name, `account` or `user`, with what it belongs to behind a slash.
    pub seat: String,
    /// Its id.
    pub id: String,
    /// Its name; may be chosen by an attacker.
    pub name: String,
    /// How well it is known what it was.
    pub certainty: Certainty,
    /// Why it is not known better; missing where it is exact.
    pub why: Option<String>,
    /// As it was, where that is known.
    pub before: Option<Value>,
    /// As it is.
    pub after: Option<Value>,
    /// Whose doing it is taken to be.
    pub attribution: Attribution,
    /// Who wrote it last, where the log says so.
    pub actor: Actor,
    /// When, where the log says so.
    pub at: Option<Timestamp>,
}

impl Action for Diff {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.diff",
        version: 1,
        summary: "Say what differs from a known good, or from an earlier moment, and who did it",
        docs: "Compares the account, or a snapshot of it, with a baseline: added, removed and changed, by meaning, with whoever \
               did it as far as the audit log says. What could not be seen on one side is a gap and is not compared.\n\n\
               Without a baseline the account is rewound to a moment: its present state with what the audit log has of the \
               writes since applied backwards, the newest first. What each object was is then exact (the log has all of it before \
               the oldest write), approximate (it has a part) or unknown, and it is said why. What was made since and \
               deleted again is no difference. What the log does not name is as it was only where both logs were read to their end.",
        verb: "compare",
        max_danger: Danger::Observe,
        permissions: &[
            Permission { group: "Zone Read", write: false },
            Permission { group: "Account Settings Read", write: false },
        ],
        example: "at = \"2020-01-01T00:00:00Z\"\nzones = [\"harborlane-shop.example\"]\nfamilies = [\"dns_records\"]\n",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 45, per_zone: 60 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let (events, principals) = (apart(params.events.unwrap_or_default()), params.principals.unwrap_or_default());
        let families = chosen(&params.families.unwrap_or_default())?;
        let zones = params.zones.unwrap_or_default();
        let named = |dir: Option<String>| dir.filter(|dir| !dir.is_empty());
        let baseline = named(params.baseline).map(|dir| open("the baseline", &dir, look)).transpose()?;
        let since = match &baseline {
            Some(baseline) => baseline.manifest().began_at,
            None => required_window(params.at, &events, &principals)?,
        };
        if since > look.now() {
            return Err(StepError::new(format!("{since} has not come yet")).hint("`at` is a moment in the past"));
        }
        let shelf = look.shelf().map_err(|error| unkept(&error))?;
        let present = match named(params.snapshot) {
            Some(dir) => open("the snapshot", &dir, look)?,
            None => {
                let touched = events.iter().filter_map(|event| event.zone.as_deref()).collect();
                let wanted = Wanted { families: &families, zones: &zones, touched, within: None };
                wanted.capture(look, shelf.dir()).await?
            }
        };
        let manifest = look.latest_evidence().map(|digest| digest.to_string());
        present.manifest().gaps().into_iter().for_each(|gap| look.gap(gap));
        let comparing = Comparing { look, families: &families, events: &events, principals: &principals };
        let mut output =
            Output { with: String::new(), manifest, tally: BTreeMap::new(), differences: Vec::new(), unsure: false };
        match &baseline {
            Some(baseline) => {
                let manifest = baseline.manifest();
                output.with = format!("the baseline of {}", manifest.ended_at.strftime("%F %H:%MZ"));
                comparing.with(baseline, &present, shelf.dir(), since, &mut output)?;
            }
            None => {
                output.with = format!("{} by the audit log", since.strftime("%F %H:%MZ"));
                output.unsure = !params.log_complete.unwrap_or(false);
                comparing.rewound(&present, since, &mut output)?;
                if output.unsure {
                    let reason = "it was not read to its end: what it does not name may have been another all the same";
                    let (family, scope) = ("audit".to_owned(), "the account".to_owned());
                    look.gap(Gap { family, scope, reason: reason.to_owned(), permission: None });
                }
            }
        }
        let summary = output.summary(families.len());
        Ok(StepPlan::seen(output, summary))
    }
}

/// What two states of the account are held against.
struct Comparing<'c> {
    look: &'c Look<'c>,
    families: &'c [&'static Family],
    events: &'c [AuditEvent],
    principals: &'c [Principal],
}

impl Comparing<'_> {
    /// A baseline.
    fn with(
        &self,
        baseline: &Snapshot,
        present: &Snapshot,
        scratch: &Path,
        since: Timestamp,
        output: &mut Output,
    ) -> Result<(), StepError> {
        let past = Past::new(self.look.account(), segment, self.events, since);
        let compared = compare(baseline, present, self.families, scratch, &mut |family, difference| {
            let items = [&difference.before, &difference.after].into_iter().flatten();
            let mut writes: Vec<&AuditEvent> = items.flat_map(|item| past.writes(family, item)).collect();
            writes.sort_by_key(|event| event.at);
            writes.dedup_by_key(|event| event.id.as_str());
            output.add(family, &Rewound::compared(difference.clone(), writes), self);
        })?;
        // Those of the account are noted already.
        compared.gaps.into_iter().filter(|gap| gap.reason.contains("the baseline")).for_each(|gap| self.look.gap(gap));
        Ok(())
    }

    /// The moment.
    fn rewound(&self, present: &Snapshot, since: Timestamp, output: &mut Output) -> Result<(), StepError> {
        let mut past = Past::new(self.look.account(), segment, self.events, since);
        for family in self.families {
            for item in present.items(family.name).map_err(|error| unread(&error))? {
                let item = item.map_err(|error| unread(&error))?;
                if let Some(rewound) = past.of(family, &item) {
                    output.add(family, &rewound, self);
                }
            }
        }
        let zones = &present.manifest().zones;
        // What was made since and deleted again was not there then either.
        let gone = past.gone(self.families, &[], &|_| false);
        for (family, rewound) in gone.into_iter().filter(|(_, rewound)| !rewound.fleeting) {
            let zone = rewound.difference.item().and_then(|item| item.seat.zone_name().map(str::to_owned));
            if zone.is_none_or(|zone| zones.blind_to(&zone).is_none()) {
                output.add(family, &rewound, self);
            }
        }
        // What is gone stands with what is there of its family.
        let place = |row: &Row| self.families.iter().position(|family| family.name == row.family);
        output.differences.sort_by_cached_key(place);
        Ok(())
    }
}

impl Output {
    fn add(&mut self, family: &Family, rewound: &Rewound<'_>, comparing: &Comparing<'_>) {
        let difference = &rewound.difference;
        let Some(item) = difference.item() else { return };
        let change = difference.change();
        let tally = self.tally.entry(family.name.to_owned()).or_default();
        match change {
            Change::Added => tally.added += 1,
            Change::Removed => tally.removed += 1,
            Change::Changed => tally.changed += 1,
        }
        let doing = doing(rewound.writes.iter().copied(), comparing.principals);
        let value = |item: &Option<Item>| item.as_ref().map(|item| item.value.clone()).filter(|it| !it.is_null());
        self.differences.push(Row {
            family: family.name.to_owned(),
            change,
            seat: item.seat.name.clone(),
            id: item.id.clone(),
            name: family.label(item),
            certainty: rewound.certainty,
            why: Some(rewound.why.clone()).filter(|why| !why.is_empty()),
            before: value(&difference.before),
            after: value(&difference.after),
            attribution: doing.attribution,
            actor: doing.actor,
            at: doing.at,
        });
    }

    fn summary(&self, families: usize) -> String {
        let all = |number: fn(&Tally) -> u64| self.tally.values().map(number).sum::<u64>();
        let (added, removed, changed) = (all(|it| it.added), all(|it| it.removed), all(|it| it.changed));
        let known = |certainty| self.differences.iter().filter(|row| row.certainty == certainty).count();
        let (part, none) = (known(Certainty::Approximate), known(Certainty::Unknown));
        let unknown = if part + none == 0 {
            String::new()
        } else {
            format!("; what it was is known of {part} in part, of {none} not at all")
        };
        let unsure = if self.unsure { "; the log is NOT complete" } else { "" };
        format!(
            "{added} added, {removed} removed, {changed} changed in {} of {families} families since {}{unknown}{unsure}",
            self.tally.len(),
            self.with
        )
    }
}
