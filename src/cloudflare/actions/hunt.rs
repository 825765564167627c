//! `cloudflare.hunt`.

mod found;
mod traces;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionSpec, Estimate, Look, Permission, StepError, StepPlan};
use crate::cloudflare::attribution::required_window;
use crate::cloudflare::families::{families, family};
use crate::cloudflare::principals::made;
use crate::cloudflare::techniques::techniques;
use crate::cloudflare::zones::{none_seen, unseen, zones};
use crate::hunt::graph::Graph;
use crate::hunt::sweep::by_interest;
use crate::hunt::{AuditEvent, Family, Judged, Principal, Reach, Seat, Sight, Verdict, judge};
use crate::model::{Danger, Finding, Gap, count};

use traces::Traces;

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
    /// True where both logs of the window were read to their end; without it, nothing is ruled out.
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
               far as it has them.\n\nOf each technique it says that it is confirmed, that it is ruled out (and by which \
               complete evidence), or that it cannot be known (and because of which gap). What no log and no list ever \
               shows is always said. Changes of colleagues are counted and blamed on nobody.",
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
        let (events, principals) = (params.events.unwrap_or_default(), params.principals.unwrap_or_default());
        let since = required_window(params.since, &events, &principals)?;
        let families = chosen(&params.families.unwrap_or_default())?;
        let wanted = params.zones.unwrap_or_default();
        let seen = zones(look, &wanted).await?;
        let mut unseen = if wanted.is_empty() { unseen(&seen, &events) } else { Vec::new() };
        unseen.iter().for_each(|gap| look.gap(gap.clone()));
        if seen.is_empty() {
            unseen.push(none_seen(look.account()));
        }
        let mut seats: Vec<Seat> = seen.iter().map(|zone| Seat::zone(&zone.id, &zone.name)).collect();
        let touched: BTreeSet<&str> = events.iter().filter_map(|event| event.zone.as_deref()).collect();
        let jewels = look.safeguards();
        by_interest(&mut seats, |zone| touched.contains(zone.name.as_str()), |zone| jewels.is_crown_jewel(&zone.name));

        let mut traces = Traces::new(look, &events, &principals, since, &seats);
        let swept =
            look.sweep(&families, &seats, crate::cloudflare::api::segment, &mut |page| traces.take(&page)).await;
        let items = traces.items();
        let (all, by_others) = traces.findings();
        let mut gaps = swept.gaps.clone();
        gaps.extend(swept.unread_gaps());
        gaps.extend(unseen.iter().flat_map(|zone| in_zones(&families, zone)));
        let missed: BTreeSet<&str> = gaps.iter().map(|gap| gap.family.as_str()).collect();
        let complete = families.iter().filter(|family| !missed.contains(family.name)).count();
        let sight = Sight {
            read: families.iter().map(|family| family.name.to_owned()).collect(),
            gaps,
            whole_log: params.log_complete.unwrap_or(false),
            window: format!("since {}", since.strftime("%F %H:%MZ")),
        };
        let verdicts: Vec<Judged> = techniques().map(|technique| judge(technique, &all, &sight)).collect();
        let suspects: Vec<String> = principals.iter().map(|held| held.token_id.clone()).take(1).collect();
        let graph = Graph::grow(&suspects, &principals, &events, made);
        let is_reviewed = |finding: &Finding| REVIEWED.contains(&finding.family.as_str());
        let findings: Vec<Finding> =
            all.into_iter().filter(|finding| !params.reviewed.unwrap_or(false) || !is_reviewed(finding)).collect();
        let output = Output {
            since,
            items,
            families: complete as u64,
            by_others,
            found_more: findings.iter().any(|finding| finding.attribution == crate::model::Attribution::Intruder),
            open: findings.iter().map(|finding| finding.id.clone()).collect(),
            verdicts,
            graph,
        };
        let summary = summary(&output, families.len());
        Ok(StepPlan { findings, ..StepPlan::seen(output, summary) })
    }
}

/// The families of these names with what they belong to, parents first; all that are not retired where none is named.
fn chosen(names: &[String]) -> Result<Vec<&'static Family>, StepError> {
    if let Some(unknown) = names.iter().find(|name| family(name).is_none()) {
        let near =
            families().map(|it| it.name).max_by(|a, b| strsim::jaro(a, unknown).total_cmp(&strsim::jaro(b, unknown)));
        return Err(StepError::new(format!("there is no family `{unknown}`"))
            .hint(format!("did you mean `{}`? docs/families.md lists all", near.unwrap_or_default())));
    }
    let mut wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    // What belongs to items of another family cannot be read without it.
    for child in families().collect::<Vec<_>>().into_iter().rev() {
        if let Reach::Of(parent) = child.reach
            && wanted.contains(child.name)
        {
            wanted.insert(parent);
        }
    }
    // What is retired is refused everywhere, and what took its place is read.
    let is_default = |it: &Family| names.is_empty() && it.retired.is_none();
    Ok(families().filter(|it| is_default(it) || wanted.contains(it.name)).collect())
}

/// What a zone that is not seen leaves unknown: itself, and whatever lies in it.
fn in_zones<'f>(families: &'f [&Family], zone: &'f Gap) -> impl Iterator<Item = Gap> + 'f {
    let is_in = |it: &&&Family| it.name == zone.family || it.reach == Reach::Zone || it.path.starts_with("/zones/");
    families.iter().filter(is_in).map(|it| Gap { family: it.name.to_owned(), ..zone.clone() })
}

fn summary(output: &Output, families: usize) -> String {
    let with = |verdict| output.verdicts.iter().filter(|judged| judged.verdict == verdict).count();
    let unknown = with(Verdict::Unknown);
    let permanent = output.verdicts.iter().filter(|judged| judged.permanent).count();
    let never = if permanent > 0 { format!(" ({permanent} by what is never logged)") } else { String::new() };
    format!(
        "{} in {} of {families} families; {}: {} confirmed, {} ruled out, {unknown} cannot be known{never}",
        count(usize::try_from(output.items).unwrap_or(usize::MAX), "resource"),
        output.families,
        count(output.verdicts.len(), "technique"),
        with(Verdict::Confirmed),
        with(Verdict::RuledOut),
    )
}
