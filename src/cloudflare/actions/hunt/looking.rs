//! One look at everything: reads it, and holds it against the log, the baseline and the techniques.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::traces::{Left, Traces};
use crate::action::{Look, StepError};
use crate::cloudflare::api::segment;
use crate::cloudflare::audit::bulk::hides_deletions;
use crate::cloudflare::audit::credentials::gives;
use crate::cloudflare::audit::pathless::Pathless;
use crate::cloudflare::present::{Wanted, compare, unkept, unread};
use crate::cloudflare::techniques::{OF_RULESETS, is_either, of_act, techniques};
use crate::cloudflare::zones::{none_seen, unseen, zones};
use crate::hunt::snapshot::Snapshot;
use crate::hunt::sweep::by_interest;
use crate::hunt::{AuditEvent, Family, Item, Judged, Principal, Reach, Seat, Sight, attribute, judge};
use crate::model::{Attribution, Finding, Gap, count};

/// The family of which many can be written in one request.
const RECORDS: &str = "dns_records";

/// What is looked at, and what is known beforehand.
#[derive(Debug, Clone, Copy)]
pub(in crate::cloudflare::actions) struct Hunting<'h> {
    /// Start of the window.
    pub(in crate::cloudflare::actions) since: Timestamp,
    /// The acts of the window.
    pub(in crate::cloudflare::actions) events: &'h [AuditEvent],
    /// What the intruder holds.
    pub(in crate::cloudflare::actions) principals: &'h [Principal],
    /// Whether both logs of the window were read to their end.
    pub(in crate::cloudflare::actions) whole_log: bool,
    /// Names or ids of the zones; all where none is named.
    pub(in crate::cloudflare::actions) zones: &'h [String],
    /// The families, parents first.
    pub(in crate::cloudflare::actions) families: &'h [&'static Family],
    /// What was known to be good.
    pub(in crate::cloudflare::actions) baseline: Option<&'h Snapshot>,
}

/// What a look at everything showed.
#[derive(Debug)]
pub(in crate::cloudflare::actions) struct Hunted {
    /// What the intruder did, and what nobody can say who did.
    pub(in crate::cloudflare::actions) findings: Vec<Finding>,
    /// Ids of those of what was made and deleted again: no list shows it, and no review.
    pub(in crate::cloudflare::actions) fleeting: BTreeSet<String>,
    /// Resources that were looked at.
    pub(in crate::cloudflare::actions) items: u64,
    /// Families that were read to their end.
    pub(in crate::cloudflare::actions) families: u64,
    /// Resources that only others wrote in the window.
    pub(in crate::cloudflare::actions) by_others: u64,
    /// Resources that differ from the baseline, and were changed before the window.
    pub(in crate::cloudflare::actions) drifted: u64,
    /// Names of the zones that were looked at.
    pub(in crate::cloudflare::actions) zones: BTreeSet<String>,
    /// What was seen, and what was not.
    pub(in crate::cloudflare::actions) sight: Sight,
    /// What is known of each technique.
    pub(in crate::cloudflare::actions) verdicts: Vec<Judged>,
}

/// Is shown every resource as it is.
pub(in crate::cloudflare::actions) type See<'s> = dyn FnMut(&'static Family, &Item) + Send + 's;

impl Hunting<'_> {
    /// Looks. What could not be seen is noted as a gap.
    ///
    /// # Errors
    /// The zones cannot be listed, or the baseline and the account cannot be compared.
    pub(in crate::cloudflare::actions) async fn look(
        &self,
        look: &Look<'_>,
        see: &mut See<'_>,
    ) -> Result<Hunted, StepError> {
        let seen = zones(look, self.zones).await?;
        let mut unseen = if self.zones.is_empty() { unseen(&seen, self.events) } else { Vec::new() };
        unseen.iter().for_each(|gap| look.gap(gap.clone()));
        if seen.is_empty() {
            unseen.push(none_seen(look.account()));
        }
        let mut seats: Vec<Seat> = seen.iter().map(|zone| Seat::zone(&zone.id, &zone.name)).collect();
        let touched: BTreeSet<&str> = self.events.iter().filter_map(|event| event.zone.as_deref()).collect();
        let jewels = look.safeguards();
        by_interest(&mut seats, |zone| touched.contains(zone.name.as_str()), |zone| jewels.is_crown_jewel(&zone.name));
        let known = self.baseline.map(Snapshot::manifest);
        let mut traces = Traces::new(self, look.account(), &seats, known);
        let mut gaps = match self.baseline {
            None => self.sweep(look, &seats, &mut traces, see).await,
            Some(baseline) => self.compare(look, baseline, touched, &mut traces, see).await?,
        };
        let Left { findings, fleeting, items, by_others, drifted } = traces.left();
        gaps.extend(unseen.iter().flat_map(|zone| in_zones(self.families, zone)));
        let pathless = Pathless::of(self.events, self.principals, self.since);
        if let Some(reason) = pathless.gap() {
            let (family, scope) = ("audit_log".to_owned(), "the account".to_owned());
            let gap = Gap { family, scope, reason, permission: None };
            look.gap(gap.clone());
            gaps.push(gap);
        }
        let mut untold: BTreeMap<String, String> =
            techniques().filter_map(|it| Some((it.id.to_owned(), pathless.leave_open(it)?))).collect();
        let either = findings.iter().filter(|it| is_either(&it.technique, &it.family)).count();
        for id in OF_RULESETS.into_iter().filter(|_| either > 0) {
            let why = || format!("{} of a ruleset of which nothing says the phase", count(either, "finding"));
            untold.entry(id.to_owned()).or_insert_with(why);
        }
        let missed: BTreeSet<&str> = gaps.iter().map(|gap| gap.family.as_str()).collect();
        let complete = self.families.iter().filter(|family| !missed.contains(family.name)).count();
        for gap in self.unnamed_deletions(&seats) {
            look.gap(gap.clone());
            gaps.push(gap);
        }
        for (id, why) in self.given_by_others() {
            untold.entry(id.to_owned()).or_insert(why);
        }
        let sight = Sight {
            read: self.families.iter().map(|family| family.name.to_owned()).collect(),
            gaps,
            whole_log: self.whole_log,
            untold,
            window: format!("since {}", self.since.strftime("%F %H:%MZ")),
            within: self.within(),
            narrowed: self.narrowed(),
        };
        Ok(Hunted {
            verdicts: techniques().map(|technique| judge(technique, &findings, &sight)).collect(),
            zones: seats.into_iter().map(|seat| seat.name).collect(),
            families: complete as u64,
            findings,
            fleeting,
            items,
            by_others,
            drifted,
            sight,
        })
    }

    /// Techniques that acts of others may be of by which somebody got a credential, each with why: whoever has a colleague's
    /// machine acts from where that colleague always is. They are those whose maker had never done the like, and what was
    /// done without a token from where a token of the intruder's is at home as well. Nobody is blamed for them.
    fn given_by_others(&self) -> BTreeMap<&'static str, String> {
        let is_home = |event: &AuditEvent| {
            let at_home = |held: &Principal| event.ip.as_ref().is_some_and(|ip| held.honest_ips.contains(ip));
            event.token_id.is_none() && self.principals.iter().any(at_home)
        };
        let is_doubtful = |event: &&AuditEvent| {
            event.success
                && (event.new_kind || is_home(event))
                && !event.own
                && event.at >= self.since
                && attribute(event, self.principals) == Attribution::Other
                && gives(event).is_some()
        };
        let mut acts: BTreeMap<&'static str, Vec<&AuditEvent>> = BTreeMap::new();
        for event in self.events.iter().filter(is_doubtful) {
            for technique in of_act(event) {
                acts.entry(technique.id).or_default().push(event);
            }
        }
        let why = |acts: &[&AuditEvent]| {
            let newest = acts.iter().max_by_key(|event| event.at)?;
            let by = newest.actor();
            let who = [by.token_name, by.email, by.token_id, by.ip].into_iter().flatten().next()?;
            let (does, at) = (gives(newest)?, newest.at.strftime("%F %H:%MZ"));
            let how = match newest.new_kind {
                true => "whose maker is where they always are, and had never done the like",
                false => "from where a token of the intruder's is at home as well",
            };
            Some(format!("{} {how}, the last at {at} ({who} {does}): ask them", count(acts.len(), "act")))
        };
        acts.into_iter().filter_map(|(id, acts)| Some((id, why(&acts)?))).collect()
    }

    /// What batches of DNS records may have deleted in these zones, where neither the log nor the baseline names it.
    fn unnamed_deletions(&self, zones: &[Seat]) -> Vec<Gap> {
        let is_one = |event: &&AuditEvent| {
            event.success
                && event.at >= self.since
                && hides_deletions(event)
                && attribute(event, self.principals) != Attribution::Other
        };
        let batches: Vec<&AuditEvent> = self.events.iter().filter(is_one).collect();
        let is_read = self.families.iter().any(|family| family.name == RECORDS);
        let known = self.baseline.map(Snapshot::manifest).filter(|manifest| manifest.ended_at < self.since);
        let is_known = |zone: &Seat| known.is_some_and(|known| known.knows(RECORDS, &zone.name));
        let unknown = zones.iter().filter(|zone| is_read && !is_known(zone));
        let gap = |zone: &Seat| {
            let id = zone.zone_id.as_deref()?;
            let is_in = |event: &&&AuditEvent| event.path().is_some_and(|path| path.split('/').any(|part| part == id));
            let at: Vec<Timestamp> = batches.iter().filter(is_in).map(|event| event.at).collect();
            let last = at.iter().max()?.strftime("%F %H:%MZ").to_string();
            Some(Gap {
                family: RECORDS.to_owned(),
                scope: zone.name.clone(),
                reason: format!(
                    "{} by the intruder or by nobody who is known wrote many records at once, the last at {last}, and the \
                     log does not name them: whether more were deleted cannot be known",
                    count(at.len(), "request"),
                ),
                permission: None,
            })
        };
        unknown.filter_map(gap).collect()
    }

    /// Families of which it sees some zones alone: what they show is ruled out for none.
    fn narrowed(&self) -> BTreeSet<String> {
        let read = self.families.iter().filter(|family| !self.zones.is_empty() && is_in_zones(family));
        read.map(|family| family.name.to_owned()).collect()
    }

    /// In which zones alone it looks, where some were named.
    fn within(&self) -> String {
        if self.zones.is_empty() { String::new() } else { format!("of zones {} alone", self.zones.join(", ")) }
    }

    /// Reads everything once, and keeps every answer as evidence.
    async fn sweep(&self, look: &Look<'_>, seats: &[Seat], traces: &mut Traces<'_>, see: &mut See<'_>) -> Vec<Gap> {
        let swept = look
            .sweep(self.families, seats, segment, &mut |page| {
                let Some(family) = self.families.iter().find(|family| family.name == page.family.name) else { return };
                for item in &page.items {
                    see(family, item);
                    traces.take(family, item, &page.evidence);
                }
            })
            .await;
        let mut gaps = swept.gaps.clone();
        gaps.extend(swept.unread_gaps());
        gaps
    }

    /// Reads everything into a snapshot, and holds that against the baseline.
    async fn compare(
        &self,
        look: &Look<'_>,
        baseline: &Snapshot,
        touched: BTreeSet<&str>,
        traces: &mut Traces<'_>,
        see: &mut See<'_>,
    ) -> Result<Vec<Gap>, StepError> {
        let shelf = look.shelf().map_err(|error| unkept(&error))?;
        let wanted = Wanted { families: self.families, zones: self.zones, touched, within: None };
        let present = wanted.capture(look, shelf.dir()).await?;
        let evidence: Vec<_> = look.latest_evidence().into_iter().collect();
        let known = baseline.manifest();
        if known.ended_at >= self.since {
            let reason = "it was taken after the window began: what the intruder had done by then stands in it as good";
            look.gap(Gap {
                family: "baseline".to_owned(),
                scope: baseline.dir().display().to_string(),
                reason: reason.to_owned(),
                permission: None,
            });
        }
        for family in self.families {
            for item in present.items(family.name).map_err(|error| unread(&error))? {
                let item = item.map_err(|error| unread(&error))?;
                see(family, &item);
                traces.take(family, &item, &evidence);
            }
        }
        compare(baseline, &present, self.families, shelf.dir(), &mut |family, difference| {
            let family = self.families.iter().find(|it| it.name == family.name);
            family.into_iter().for_each(|family| traces.differs(family, difference.clone(), &evidence));
        })?;
        Ok(present.manifest().gaps())
    }
}

/// What a zone that is not seen leaves unknown: itself, and whatever lies in it.
fn in_zones<'f>(families: &'f [&'static Family], zone: &'f Gap) -> impl Iterator<Item = Gap> + 'f {
    let is_in = |it: &&&'static Family| it.name == zone.family || is_in_zones(it);
    families.iter().filter(is_in).map(|it| Gap { family: it.name.to_owned(), ..zone.clone() })
}

/// Whether a family lies in zones, itself or by what it belongs to.
fn is_in_zones(family: &Family) -> bool {
    family.reach == Reach::Zone || family.path.starts_with("/zones/")
}
