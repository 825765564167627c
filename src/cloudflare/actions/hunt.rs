//! `cloudflare.hunt`.

mod found;
mod looking;
mod traces;

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionSpec, Estimate, Look, Permission, StepError, StepPlan};
use crate::cloudflare::attribution::required_window;
use crate::cloudflare::audit::bulk::apart;
use crate::cloudflare::present::{chosen, open};
use crate::cloudflare::principals::READING;
use crate::hunt::graph::Graph;
use crate::hunt::snapshot::{MANIFEST, Snapshot};
use crate::hunt::{AuditEvent, Judged, Principal, Verdict};
use crate::model::{Attribution, Change, Danger, Finding, count};

pub(super) use looking::Hunting;

/// `cloudflare.hunt`.
#[derive(Debug, Clone, Copy)]
pub struct Hunt;

/// Parameters of `cloudflare.hunt`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Start of the window; the intruder's first write where it is not given.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Events of the audit log.
    #[serde(default)]
    pub events: Option<Vec<AuditEvent>>,
    /// True where both logs of the window were read to their end and reach back to its start; without it, nothing is ruled
    /// out.
    #[serde(default)]
    pub log_complete: Option<bool>,
    /// What the intruder holds.
    #[serde(default)]
    pub principals: Option<Vec<Principal>>,
    /// Names or ids of the zones to look at; all of the account where none is named.
    #[serde(default)]
    pub zones: Option<Vec<String>>,
    /// Names of the families to read (`docs/families.md` lists them); all that are not retired where none is named.
    #[serde(default)]
    pub families: Option<Vec<String>>,
    /// Directory of a baseline, as `quell baseline` captures or imports it: what it knows of is compared with it, and only
    /// the rest is told by the log. A folder of `<zone>.json` files is none.
    #[serde(default)]
    pub baseline: Option<String>,
    /// True where other steps review tokens, members, DNS records, certificates and firewall rules: what is found of them
    /// counts for the verdicts, and is not reported twice.
    #[serde(default)]
    pub reviewed: Option<bool>,
}

/// Output of `cloudflare.hunt`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Start of the window.
    pub since: Timestamp,
    /// Resources that were looked at.
    pub items: u64,
    /// Families that were read to their end.
    pub families: u64,
    /// Resources that others wrote in the window, and nobody else: no findings.
    pub by_others: u64,
    /// Resources that differ from the baseline and were changed before the window: no findings.
    pub drifted: u64,
    /// The newest act that was known when this was looked at.
    pub acts_until: Timestamp,
    /// All findings, those among them that other steps review: for `cloudflare.recheck`.
    pub found: Vec<Finding>,
    /// What is known of each technique.
    pub verdicts: Vec<Judged>,
    /// Who made what.
    pub graph: Graph,
    /// Ids of the findings that nothing has settled.
    pub open: Vec<String>,
    /// True where the intruder made or changed something that is in none of the reviews.
    pub found_more: bool,
}

/// Families that have a review of their own, which also puts things back.
const REVIEWED: &[&str] = &[
    "user_tokens",
    "account_tokens",
    "members",
    "dns_records",
    "certificate_packs",
    "custom_certificates",
    "origin_certificates",
    "zone_rulesets",
    "account_rulesets",
    "zone_access_rules",
    "account_access_rules",
    "user_access_rules",
];

/// The one of which the review may see what is gone. The others list what there is.
const COMPARED: &str = "dns_records";

/// Families of which an item holds many things that are reviewed each by itself.
pub(super) const RULES: &[&str] = &["zone_rulesets", "account_rulesets"];

impl Action for Hunt {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.hunt",
        version: 1,
        summary: "Read everything that can be listed, and say of each technique whether the intruder used it",
        docs: "Reads every family of resources (`docs/families.md`), zones that the audit log says were touched first, then \
               the crown jewels. Whatever was made or changed in the window is held against the techniques \
               (`quell techniques`), and so is every act of the intruder in the audit log; the two are joined by resource \
               and by whoever did it. What a resource was before is told from the log's old values applied backwards, as \
               far as it has them, or by a baseline. What was made in the window and deleted in it again is told as that: \
               nothing of it is to be brought back.\n\nOf each technique it says that it is confirmed, that it is ruled out (and by which \
               complete evidence), or that it cannot be known (and because of which gap). What no log and no list ever \
               shows is always said. Changes of colleagues are counted and blamed on nobody; beside one that gave a \
               credential, and that its maker had never done or did from where the suspect is at home, the technique is \
               left open.",
        verb: "hunt",
        max_danger: Danger::Observe,
        permissions: &[
            Permission { group: "Zone Read", write: false },
            Permission { group: "Account Settings Read", write: false },
        ],
        example: "since = \"2020-01-01T00:00:00Z\"\nfamilies = [\"workers_scripts\", \"workers_routes\"]\n",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 45, per_zone: 60 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let (events, principals) = (apart(params.events.unwrap_or_default()), params.principals.unwrap_or_default());
        let since = required_window(params.since, &events, &principals)?;
        let families = chosen(&params.families.unwrap_or_default())?;
        let baseline = baseline(params.baseline.as_deref(), look)?;
        let zones = params.zones.unwrap_or_default();
        let hunting = Hunting {
            since,
            events: &events,
            principals: &principals,
            whole_log: params.log_complete.unwrap_or(false),
            zones: &zones,
            families: &families,
            baseline: baseline.as_ref(),
        };
        let seen = hunting.look(look, &mut |_, _| {}).await?;
        let suspects: Vec<String> =
            principals.iter().filter(|held| !held.is_person()).map(|held| held.token_id.clone()).take(1).collect();
        let graph = Graph::grow(&suspects, &principals, &events, READING);
        let reviewed = params.reviewed.unwrap_or(false);
        // Without what was known to be good, what is missing is in no list that could be compared.
        let is_compared = params.baseline.as_deref().is_some_and(|dir| !dir.is_empty());
        // What a review has dealt with already is only in the log by now: there it is another family's. What a review that
        // is still to come does not see, the second look tells.
        let is_reviewed = |it: &Finding| {
            // No list shows what was deleted again, and no review.
            if seen.fleeting.contains(&it.id) {
                return look.has_like(it);
            }
            let is_listed = it.change != Change::Removed || (it.family == COMPARED && is_compared);
            (is_listed && REVIEWED.contains(&it.family.as_str())) || look.has_like(it)
        };
        // That what was taken back is gone opens nothing again.
        let is_over = |it: &Finding| seen.fleeting.contains(&it.id) && look.has_settled(it);
        let is_told = |it: &&Finding| !is_over(it) && (!reviewed || !is_reviewed(it));
        let findings: Vec<Finding> = seen.findings.iter().filter(is_told).cloned().collect();
        let output = Output {
            since,
            items: seen.items,
            families: seen.families,
            by_others: seen.by_others,
            drifted: seen.drifted,
            acts_until: acts_until(&events, since),
            found_more: findings.iter().any(|finding| finding.attribution == Attribution::Intruder),
            open: findings.iter().map(|finding| finding.id.clone()).collect(),
            found: seen.findings,
            verdicts: seen.verdicts,
            graph,
        };
        let summary = summary(&output, families.len());
        Ok(StepPlan { findings, ..StepPlan::seen(output, summary) })
    }
}

/// The baseline, where one is named. What holds DNS records zone by zone is for `cloudflare.dns.diff`.
pub(super) fn baseline(dir: Option<&str>, look: &Look<'_>) -> Result<Option<Snapshot>, StepError> {
    let Some(dir) = dir.filter(|dir| !dir.is_empty()) else { return Ok(None) };
    let holds_zones = |dir: &Path| {
        let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
        !dir.join(MANIFEST).exists()
            && files.into_iter().any(|file| file.path().extension().is_some_and(|it| it == "json"))
    };
    if holds_zones(Path::new(dir)) { Ok(None) } else { open("the baseline", dir, look).map(Some) }
}

/// The newest act that is known.
pub(super) fn acts_until(events: &[AuditEvent], since: Timestamp) -> Timestamp {
    events.iter().map(|event| event.at).max().unwrap_or(since)
}

fn summary(output: &Output, families: usize) -> String {
    let with = |verdict| output.verdicts.iter().filter(|judged| judged.verdict == verdict).count();
    let unknown = with(Verdict::Unknown);
    let permanent = output.verdicts.iter().filter(|judged| judged.permanent).count();
    let never = if permanent > 0 { format!(" ({permanent} by what is never logged)") } else { String::new() };
    let drifted = match output.drifted {
        0 => String::new(),
        1 => "; 1 differs from the baseline since before the window".to_owned(),
        number => format!("; {number} differ from the baseline since before the window"),
    };
    format!(
        "{} in {} of {families} families; {}: {} confirmed, {} ruled out, {unknown} cannot be known{never}{drifted}",
        count(usize::try_from(output.items).unwrap_or(usize::MAX), "resource"),
        output.families,
        count(output.verdicts.len(), "technique"),
        with(Verdict::Confirmed),
        with(Verdict::RuledOut),
    )
}
