//! `cloudflare.waf.review`.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionSpec, Estimate, Look, Permission, StepError, StepPlan};
use crate::cloudflare::access_rules::{AccessRule, access_rules_path};
use crate::cloudflare::attribution::{Doing, Trail, required_window};
use crate::cloudflare::review::{Level, Place, ReviewItem, ReviewKind, Suspicion, Tally};
use crate::cloudflare::rules::{
    Judgement, Previous, Rule, Ruleset, judge, previous, rulesets, rulesets_path, weakness, written,
};
use crate::cloudflare::zones::{Zone, zones};
use crate::hunt::{AuditEvent, Principal};
use crate::model::{Change, Danger, Digest, Finding, count};
use crate::provider::{Paging, ReadRequest};

/// `cloudflare.waf.review`.
#[derive(Debug, Clone, Copy)]
pub struct WafReview;

/// Parameters of `cloudflare.waf.review`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Names or ids of the zones to look at; all of the account where none is named. The account's and the user's rules
    /// are looked at in any case, for they hold in every zone.
    #[serde(default)]
    pub zones: Option<Vec<String>>,
    /// Start of the window: weakening changes since are findings, older weaknesses are only listed.
    /// Where it is not known, the intruder's first write in `events` counts, or else the first event.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Events of the audit log, to say who did it.
    #[serde(default)]
    pub events: Option<Vec<AuditEvent>>,
    /// What the intruder holds, to tell the intruder from others.
    #[serde(default)]
    pub principals: Option<Vec<Principal>>,
}

/// Output of `cloudflare.waf.review`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Rules of rulesets that were looked at.
    pub rules: u64,
    /// IP access rules that were looked at.
    pub access_rules: u64,
    /// Names of the zones that were looked at.
    pub zones: Vec<String>,
    /// Lists that could not be seen.
    pub not_seen: u64,
    /// How many of the window's changes are whose.
    pub by: Tally,
    /// The window's weakening changes: for `cloudflare.findings.settle`.
    pub items: Vec<ReviewItem>,
    /// Rules from before the window that let requests through; each may be meant so.
    pub weaknesses: Vec<Weakness>,
}

/// A rule from before the window that lets requests through.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Weakness {
    /// Where it is.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// What it lets through.
    pub detail: String,
}

impl Action for WafReview {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.waf.review",
        version: 1,
        summary: "Find rules that were weakened, on every level, and say who did it",
        docs: "Reads the rulesets of every zone and of the account, and the IP access rules of zones, account and user. A \
               ruleset that was changed in the window is compared with its newest version from before, which stays \
               readable until somebody deletes it; deleted versions are noted as a gap. Findings are rules that came to \
               skip others, to log where they blocked, to be switched off, to be overridden or to apply elsewhere, \
               allow rules made in the window, and whatever the intruder wrote. What was weak before the window is \
               listed in `weaknesses` and accuses nobody.\n\nThe order of rules is not compared. A ruleset that was \
               deleted takes its versions along, and a deleted access rule leaves none: only the audit log shows \
               those. Lists that rules refer to are not read.",
        verb: "review",
        max_danger: Danger::Observe,
        permissions: &[
            Permission { group: "Zone Read", write: false },
            Permission { group: "Zone WAF Read", write: false },
            Permission { group: "Account WAF Read", write: false },
            Permission { group: "Firewall Services Read", write: false },
            Permission { group: "Account Firewall Access Rules Read", write: false },
        ],
        example: "since = \"2020-01-01T00:00:00Z\"\n",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 8, per_zone: 5 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let (events, principals) = (params.events.unwrap_or_default(), params.principals.unwrap_or_default());
        let since = required_window(params.since, &events, &principals)?;
        let trail = Trail::new(&events, &principals, Some(since));
        let zones = zones(look, &params.zones.unwrap_or_default()).await?;
        let mut review = Review { since, trail, look, found: Found::default() };
        let total = zones.len() as u64;
        look.tick("zones", 0, total);
        review.rulesets_of(Level::Account, None).await;
        review.access_rules_of(Level::Account, None).await;
        review.access_rules_of(Level::User, None).await;
        for (done, zone) in zones.iter().enumerate() {
            look.tick("zones", done as u64, total);
            review.rulesets_of(Level::Zone, Some(zone)).await;
            review.access_rules_of(Level::Zone, Some(zone)).await;
        }
        let Found { rules, access_rules, not_seen, items, weaknesses, findings } = review.found;
        let by = Tally::of(&items);
        let older = match weaknesses.len() {
            1 => "1 older weakness".to_owned(),
            many => format!("{many} older weaknesses"),
        };
        let unseen =
            if not_seen > 0 { format!(", {} not seen", count(not_seen as usize, "list")) } else { String::new() };
        let summary = format!(
            "{} and {} in {}, account and user: {}, {older}{unseen}",
            count(rules as usize, "rule"),
            count(access_rules.len(), "access rule"),
            count(zones.len(), "zone"),
            by.words("weakened in the window"),
        );
        let zones = zones.into_iter().map(|zone| zone.name).collect();
        let access_rules = access_rules.len() as u64;
        let output = Output { rules, access_rules, zones, not_seen, by, items, weaknesses };
        Ok(StepPlan { findings, ..StepPlan::seen(output, summary) })
    }
}

struct Review<'a> {
    since: Timestamp,
    trail: Trail<'a>,
    look: &'a Look<'a>,
    found: Found,
}

#[derive(Default)]
struct Found {
    rules: u64,
    /// Ids of those that were judged: the list of a zone shows inherited rules too.
    access_rules: BTreeSet<String>,
    not_seen: u64,
    items: Vec<ReviewItem>,
    weaknesses: Vec<Weakness>,
    findings: Vec<Finding>,
}

impl Review<'_> {
    async fn rulesets_of(&mut self, level: Level, zone: Option<&Zone>) {
        let path = rulesets_path(level, zone.map(|zone| zone.id.as_str()), self.look.account());
        let scope = zone.map_or("account", |zone| zone.name.as_str());
        let kept_before = self.look.evidence().len();
        let permission = ReviewKind::Rule.permission(level);
        let Some(rulesets) = rulesets(&path, scope, permission, self.look).await else {
            self.found.not_seen += 1;
            return;
        };
        for ruleset in &rulesets {
            self.found.rules += ruleset.rules.len() as u64;
            let is_untouched = ruleset.updated.is_some_and(|at| at < self.since);
            let before = if is_untouched {
                Previous::Version(ruleset.clone())
            } else {
                previous(&path, ruleset, self.since, scope, self.look).await
            };
            let evidence = self.look.evidence().split_off(kept_before);
            self.compare(ruleset, &before, level, zone, &evidence);
        }
    }

    fn compare(
        &mut self,
        ruleset: &Ruleset,
        before: &Previous,
        level: Level,
        zone: Option<&Zone>,
        evidence: &[Digest],
    ) {
        let lost = match before {
            Previous::Version(before) => before.rules.as_slice(),
            _ => &[],
        };
        let lost = lost.iter().filter(|old| ruleset.rule(&old.id).is_none()).map(|old| (Some(old), None));
        let present = ruleset.rules.iter().map(|now| match before {
            Previous::Version(before) => (before.rule(&now.id), Some(now)),
            _ => (None, Some(now)),
        });
        for (old, now) in present.chain(lost) {
            let Some(rule) = now.or(old) else { continue };
            let is_same = matches!((old, now), (Some(old), Some(now)) if old.image == now.image);
            let is_old = matches!(before, Previous::Unknown) && rule.updated.is_some_and(|at| at < self.since);
            let place =
                Place { ruleset_id: Some(ruleset.id.clone()), ..place(ReviewKind::Rule, &rule.id, level, zone) };
            if is_same || is_old {
                if let Some(detail) = weakness(rule) {
                    self.found.weaknesses.push(Weakness { place, name: rule.name.clone(), detail });
                }
                continue;
            }
            let doing = self.trail.of_rule(&ruleset.id, &rule.id, rule.updated.filter(|_| now.is_some()));
            let Some(judged) =
                judge(&ruleset.phase, old, now).or_else(|| doing.is_intruders().then(|| written(&ruleset.phase)))
            else {
                continue;
            };
            let is_known = !matches!(before, Previous::Unknown);
            self.report(changed(old, now, rule, is_known, &judged, place), doing, evidence);
        }
    }

    async fn access_rules_of(&mut self, level: Level, zone: Option<&Zone>) {
        let path = access_rules_path(level, zone.map(|zone| zone.id.as_str()), self.look.account());
        let scope = match level {
            Level::Zone => zone.map_or("zone", |zone| zone.name.as_str()),
            Level::Account => "account",
            Level::User => "user",
        };
        let kept_before = self.look.evidence().len();
        let paging = Paging::Pages { per_page: 100 };
        let listing = match self.look.list(&ReadRequest::new(path), paging, "access_rules", scope).await {
            Ok(listing) => listing,
            Err(error) => {
                let permission = ReviewKind::AccessRule.permission(level);
                self.look.gap(error.gap("access_rules", scope, Some(permission)));
                self.found.not_seen += 1;
                return;
            }
        };
        let evidence = self.look.evidence().split_off(kept_before);
        for rule in listing.items.iter().filter_map(|item| AccessRule::read(item, level)) {
            if !self.found.access_rules.insert(rule.id.clone()) {
                continue;
            }
            let place = place(ReviewKind::AccessRule, &rule.id, rule.level, zone);
            let doing = self.trail.of_resource(&[&rule.id]);
            let in_window = doing.at.is_some() || rule.created.max(rule.modified).is_some_and(|at| at >= self.since);
            match (rule.allows(), in_window) {
                (true, false) => {
                    let detail = format!("`{}` passes by the WAF", rule.value);
                    self.found.weaknesses.push(Weakness { place, name: rule.value, detail });
                }
                (allows, true) if allows || doing.is_intruders() => {
                    self.report(rule.suspicion(place, self.since), doing, &evidence);
                }
                _ => {}
            }
        }
    }

    fn report(&mut self, suspicion: Suspicion, doing: Doing, evidence: &[Digest]) {
        let item = suspicion.by(doing);
        self.found.findings.push(item.to_finding(evidence, true));
        self.found.items.push(item);
    }
}

fn place(kind: ReviewKind, id: &str, level: Level, zone: Option<&Zone>) -> Place {
    match zone {
        Some(zone) if level == Level::Zone => Place::in_zone(kind, id, zone),
        _ => Place { kind, id: id.to_owned(), level, zone_id: None, zone: None, ruleset_id: None },
    }
}

fn changed(
    old: Option<&Rule>,
    now: Option<&Rule>,
    rule: &Rule,
    before_is_known: bool,
    judged: &Judgement,
    place: Place,
) -> Suspicion {
    let change = match (old, now) {
        (_, None) => Change::Removed,
        (None, Some(now)) if before_is_known || now.is_first_version => Change::Added,
        _ => Change::Changed,
    };
    let level = match place.level {
        Level::Zone => "",
        _ => " It works in every zone of the account, where zones do not show it.",
    };
    Suspicion {
        technique: judged.technique,
        severity: judged.severity,
        change,
        place,
        name: rule.name.clone(),
        detail: format!("Rule `{}`: {}.{level}", rule.name, judged.detail),
        before: old.map(|old| old.image.clone()),
        after: now.map(|now| now.image.clone()),
    }
}
