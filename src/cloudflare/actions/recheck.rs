//! `cloudflare.recheck`.

mod row;
mod seats;
mod standing;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hunt::{Hunting, RULES, baseline};
use super::token_revoke::TokenRevoke;
use crate::action::{Action, ActionSpec, Done, Estimate, Look, Permission, StepError, StepPlan};
use crate::cloudflare::attribution::{Trail, required_window};
use crate::cloudflare::audit::bulk::apart;
use crate::cloudflare::present::chosen;
use crate::hunt::{AuditEvent, Item, Judged, Principal};
use crate::model::{Attribution, Change, Danger, Effect, Finding, FindingStatus, Source, Verdict, count};

use seats::Seats;
use standing::{Present, Standing, TOKENS};

/// `cloudflare.recheck`.
#[derive(Debug, Clone, Copy)]
pub struct Recheck;

/// Parameters of `cloudflare.recheck`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What a hunt found: the `found` of `cloudflare.hunt`.
    pub hunted: Vec<Finding>,
    /// True where another step reviews firewall rules, puts them back one by one and reads them again: of whole rulesets only
    /// what is new is told.
    #[serde(default)]
    pub reviewed: Option<bool>,
    /// The newest act that the hunt knew of: its `acts_until`. What is newer is new.
    #[serde(default)]
    pub acts_until: Option<Timestamp>,
    /// Start of the window; the intruder's first write where it is not given.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Events of the audit log, read after the containment.
    #[serde(default)]
    pub events: Option<Vec<AuditEvent>>,
    /// True where both logs of the window were read to their end and reach back to its start; without it, nothing is proven.
    #[serde(default)]
    pub log_complete: Option<bool>,
    /// What the intruder held.
    #[serde(default)]
    pub principals: Option<Vec<Principal>>,
    /// Names or ids of the zones to look at; all of the account where none is named.
    #[serde(default)]
    pub zones: Option<Vec<String>>,
    /// Names of the families to read; all that are not retired where none is named.
    #[serde(default)]
    pub families: Option<Vec<String>>,
    /// Directory of a baseline, as `cloudflare.hunt` takes it.
    #[serde(default)]
    pub baseline: Option<String>,
}

/// Output of `cloudflare.recheck`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// What the second look proves.
    pub proof: Proof,
    /// Why it proves no more, in words.
    pub because: Vec<String>,
    /// Where alone it looked, in words; empty where it was everywhere.
    pub within: String,
    /// How each finding of the hunt stands.
    pub rechecked: Vec<Rechecked>,
    /// Ids of findings that the hunt did not have.
    pub new: Vec<String>,
    /// What is known of each technique, after the second look.
    pub verdicts: Vec<Judged>,
}

/// What a second look proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Every finding is gone or accepted, nothing is new, and nothing was hidden.
    Holds,
    /// Something is still there, or new.
    DoesNotHold,
    /// Something could not be seen.
    CannotBeKnown,
}

/// How a finding stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rechecked {
    /// Id of the finding.
    pub finding: String,
    /// Name of the resource; may be chosen by an attacker.
    pub resource_name: String,
    /// The verdict.
    pub stands: Stands,
    /// What it rests on; for one that is accepted, why it is.
    pub because: String,
    /// Who accepts it.
    pub by: Option<String>,
}

/// The verdict on a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// Gone, or as it was before; or, of an act, over.
    Gone,
    /// A named person accepts it.
    Accepted,
    /// Somebody else did it: the log, which had come no further when it was found, names them by now.
    RuledOut,
    /// Still there.
    StillThere,
    /// Cannot be known.
    Unknown,
}

impl Action for Recheck {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.recheck",
        version: 1,
        summary: "Look a second time: every finding gone or accepted, and nothing new",
        docs: "Reads everything again after the containment, and holds every finding of a hunt against it: gone or as it \
               was before, accepted by a named person with a reason, still there, or impossible to know, and because of \
               which gap. Resources are looked at themselves, so that an audit log that was not read makes nothing vanish. \
               What the hunt did not have is new, and a finding.\n\nWhat is not gone is put before the responder: taken \
               back by hand and read again, kept with a reason, which accepts it, or given to an owner. The proof holds only \
               where nothing is left, nothing is new, both logs were read to their end and nothing was hidden.",
        verb: "settle",
        max_danger: Danger::Observe,
        permissions: &[
            Permission { group: "Zone Read", write: false },
            Permission { group: "Account Settings Read", write: false },
        ],
        example: "hunted = []\nsince = \"2020-01-01T00:00:00Z\"\nfamilies = [\"workers_scripts\", \"workers_routes\"]\n",
        settling: Duration::from_secs(60),
        estimate: Estimate { fixed: 45, per_zone: 60 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let (events, principals) = (apart(params.events.unwrap_or_default()), params.principals.unwrap_or_default());
        let since = required_window(params.since, &events, &principals)?;
        let families = chosen(&params.families.unwrap_or_default())?;
        let baseline = baseline(params.baseline.as_deref(), look)?;
        let zones = params.zones.unwrap_or_default();
        let whole_log = params.log_complete.unwrap_or(false);
        let hunting = Hunting {
            since,
            events: &events,
            principals: &principals,
            whole_log,
            zones: &zones,
            families: &families,
            baseline: baseline.as_ref(),
        };
        let reviewed = params.reviewed.unwrap_or(false);
        // What a review has found by itself is looked at by it.
        let is_rule = |it: &Finding| RULES.contains(&it.family.as_str());
        let is_told = |it: &&Finding| !reviewed || !is_rule(it) || look.has(it) || !look.has_reviewed(it);
        let hunted: Vec<Finding> = params.hunted.iter().filter(is_told).cloned().collect();
        let (mut present, mut seats) = (Present::of(&hunted), Seats::of(&hunted));
        let mut see = |family, item: &Item| {
            present.take(family, item);
            seats.take(family, item);
        };
        let seen = hunting.look(look, &mut see).await?;
        let known: BTreeSet<_> = params.hunted.iter().map(told).collect();
        let until = params.acts_until.unwrap_or(since);
        let is_later = |finding: &Finding| finding.at.is_some_and(|at| at > until);
        let is_new = |finding: &&Finding| {
            !known.contains(&told(finding)) && (is_later(finding) || finding.sources.contains(&Source::Diff))
        };
        let new: Vec<Finding> = seen.findings.iter().filter(is_new).cloned().collect();
        let mut plan = StepPlan::seen(
            Output {
                proof: Proof::Holds,
                because: Vec::new(),
                within: seen.sight.within.clone(),
                rechecked: Vec::new(),
                new: new.iter().map(|finding| finding.id.clone()).collect(),
                verdicts: seen.verdicts,
            },
            "",
        );
        plan.account_for_rest = true;
        let trail = Trail::new(&events, &principals, Some(since));
        for finding in &hunted {
            if let Some((ruled_out, why)) = honest(finding, &trail) {
                plan.settled_findings.push((finding.id.clone(), FindingStatus::RuledOut, why.clone()));
                plan.output.rechecked.push(Rechecked {
                    finding: finding.id.clone(),
                    resource_name: finding.resource.name.clone(),
                    stands: Stands::RuledOut,
                    because: why,
                    by: None,
                });
                plan.findings.push(ruled_out);
                continue;
            }
            // The hunt left it to a review, which did not see it: it had nothing to compare with.
            let is_unseen = finding.change == Change::Removed || is_rule(finding);
            if reviewed && is_unseen && !look.has(finding) && !look.has_like(finding) {
                plan.findings.push(finding.clone());
            }
            let again = seen.findings.iter().find(|it| told(it) == told(finding) && is_later(it));
            let shown = seen.findings.iter().find(|it| it.sources.contains(&Source::Diff) && is_same(it, finding));
            let standing = match deleted(finding, look) {
                Some(proof) => Standing::Gone(proof),
                None => present.standing(finding, &seen.sight, &seen.zones, again, shown),
            };
            let accepted = look.acceptance(finding);
            let (stands, because, by) = match (standing, accepted) {
                (Standing::Gone(why), _) => {
                    let known = look.known_as(finding).to_owned();
                    plan.settled_findings.push((known, FindingStatus::Reverted, format!("read: {why}")));
                    (Stands::Gone, why, None)
                }
                (_, Some(accepted)) => (Stands::Accepted, accepted.reason.clone(), Some(accepted.by.clone())),
                (Standing::There(why), None) => {
                    plan.effects.push(row::effect(finding, &why, seats.seat(finding).as_ref(), look));
                    (Stands::StillThere, why, None)
                }
                (Standing::Unknown(why), None) => {
                    plan.effects.push(row::effect(finding, &why, seats.seat(finding).as_ref(), look));
                    (Stands::Unknown, why, None)
                }
            };
            let (finding, resource_name) = (finding.id.clone(), finding.resource.name.clone());
            plan.output.rechecked.push(Rechecked { finding, resource_name, stands, because, by });
        }
        plan.output.because = hidden(whole_log, seen.sight.gaps.len());
        plan.output.judge();
        plan.summary = plan.output.summary();
        plan.findings.extend(new);
        Ok(plan)
    }

    async fn verify<'a>(effect: &'a Effect, _receipt: Option<&'a Value>, look: &'a Look<'a>) -> Verdict {
        let Some(finding) = row::finding_of(effect) else {
            return Verdict::CannotTell("the finding cannot be read back".to_owned());
        };
        match row::look_again(&finding, look).await {
            Standing::Gone(why) => Verdict::Holds(format!("read: {why}")),
            Standing::There(why) => Verdict::DoesNotHold(why),
            Standing::Unknown(why) => Verdict::CannotTell(why),
        }
    }

    fn conclude(mut output: Output, done: &Done) -> Output {
        for ended in &done.effects {
            let Some(finding) = row::finding_of(&ended.effect) else { continue };
            let row = output.rechecked.iter_mut().find(|row| row.finding == finding.id);
            let Some(row) = row else { continue };
            match (&ended.verdict, &ended.left) {
                (Some(Verdict::Holds(proof)), _) => (row.stands, row.because) = (Stands::Gone, proof.clone()),
                // Who said so stands in the journal, and in a later look.
                (_, Some(left)) if left.starts_with("kept: ") => {
                    (row.stands, row.because) = (Stands::Accepted, left["kept: ".len()..].to_owned());
                }
                (_, Some(left)) => row.because = format!("{}; {left}", row.because),
                (Some(verdict), None) => row.because = verdict.detail().to_owned(),
                (None, None) => {}
            }
        }
        output.judge();
        output
    }
}

impl Output {
    /// What all of it proves.
    fn judge(&mut self) {
        let has = |stands| self.rechecked.iter().any(|row| row.stands == stands);
        self.proof = if has(Stands::StillThere) || !self.new.is_empty() {
            Proof::DoesNotHold
        } else if has(Stands::Unknown) || !self.because.is_empty() {
            Proof::CannotBeKnown
        } else {
            Proof::Holds
        };
    }

    fn summary(&self) -> String {
        let number = |stands| self.rechecked.iter().filter(|row| row.stands == stands).count();
        let proof = match self.proof {
            Proof::Holds => "nothing is left and nothing is new",
            Proof::DoesNotHold => "NOT over",
            Proof::CannotBeKnown => "CANNOT BE KNOWN",
        };
        let parts = [
            (number(Stands::Gone), "gone"),
            (number(Stands::Accepted), "accepted"),
            (number(Stands::RuledOut), "somebody else's"),
            (number(Stands::StillThere), "STILL THERE"),
            (number(Stands::Unknown), "cannot be known"),
            (self.new.len(), "NEW"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(number, _)| *number > 0).map(|(number, words)| format!("{number} {words}")).collect();
        let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        let because = self.because.iter().map(|why| format!("; {why}")).collect::<String>();
        let within = if self.within.is_empty() { String::new() } else { format!(" {}", self.within) };
        format!("{proof}{within}: {}{parts}{because}", count(self.rechecked.len(), "finding"))
    }
}

/// The proof that a token was deleted in this incident: for good, though the list that it was in may be seen no more.
fn deleted(finding: &Finding, look: &Look<'_>) -> Option<String> {
    if !TOKENS.contains(&finding.family.as_str()) {
        return None;
    }
    let mut revoked = look.proposed(TokenRevoke::SPEC.id).into_iter();
    let proven = revoked.find(|(_, _, state)| state.effect.target.id == finding.resource.id && state.is_proven());
    proven.and_then(|(_, _, state)| state.verdict.as_ref().map(|verdict| verdict.detail().to_owned()))
}

/// What was nobody's when it was found, and is somebody else's by the log as it is now: with who did it, and in words.
fn honest(finding: &Finding, trail: &Trail<'_>) -> Option<(Finding, String)> {
    let doing = trail.of_resource(&[&finding.resource.id]);
    let is_honest = doing.attribution == Attribution::Other && !doing.intruder_before;
    if finding.attribution != Attribution::Unattributed || !is_honest {
        return None;
    }
    let actor = &doing.actor;
    let who = actor.token_name.as_ref().or(actor.email.as_ref()).or(actor.token_id.as_ref());
    let why = format!("the log names who did it: {}", who.map_or("somebody else", String::as_str));
    let told = Finding {
        attribution: doing.attribution,
        severity: doing.weigh(finding.severity),
        actor: doing.actor.clone(),
        at: doing.at,
        ..finding.clone()
    };
    Some((told, why))
}

/// Whether two findings are about one resource.
fn is_same(one: &Finding, other: &Finding) -> bool {
    let of = |it: &Finding| (it.family.clone(), it.resource.id.clone(), it.resource.zone.clone());
    of(one) == of(other)
}

/// What a finding is told by: its id but for the family, which of an act that has no resource of its own is that of the
/// last one.
fn told(finding: &Finding) -> (&str, &str) {
    (&finding.technique, finding.told_by())
}

/// What keeps the look from proving anything.
fn hidden(whole_log: bool, gaps: usize) -> Vec<String> {
    let log = (!whole_log).then(|| "the audit log is not whole".to_owned());
    let gaps = (gaps > 0).then(|| format!("{} in what was read", count(gaps, "gap")));
    log.into_iter().chain(gaps).collect()
}
