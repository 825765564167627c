//! The whole report as a value.

use serde::{Deserialize, Serialize};

use super::action_items::ActionItem;
use super::actions::{AlreadyRow, EffectRow, SkipRow, StepRow};
use super::book::Book;
use super::controls::Control;
use super::credentials::Credentials;
use super::decisions::DecisionRow;
use super::findings::Findings;
use super::header::{Damage, EvidenceRow, IncidentFacts, RunFacts};
use super::hunted::{PrincipalNode, UsedRow, VerdictRow};
use super::marks::Mark;
use super::metrics::Metric;
use super::plans::{AmendedRow, ApprovedRow};
use super::radius::Radius;
use super::timeline::TimelineRow;
use super::unsettled::UnsettledRow;
use super::{
    action_items, actions, controls, credentials, decisions, findings, header, hunted, marks, metrics, plans, radius,
    summary,
};
use super::{timeline, unsettled};

/// Name and version of the model's shape.
pub(super) const SCHEMA: &str = "quell/report/1";

/// What templates and exports see. Texts are as the records have them, names chosen by an attacker included: whoever
/// shows them escapes them for the sink. Times are UTC, RFC 3339, to the second; digests are in full.
///
/// Every field is always present: an absent value is `null` or an empty list, so that a template's misspelt name is
/// an error and never an empty place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportModel {
    /// `quell/report/1`.
    pub schema: String,
    /// `DRAFT`: a person makes it more than that.
    pub status: String,
    /// Name of the scenario, where nothing real was touched.
    pub rehearsal: Option<String>,
    /// What is wrong with the journal; then nothing below can be relied on.
    pub damage: Vec<Damage>,
    /// The incident.
    pub incident: IncidentFacts,
    /// The runs, in order.
    pub runs: Vec<RunFacts>,
    /// Sentences of facts.
    pub summary: Vec<String>,
    /// Instants and names that people or records gave.
    pub marks: Vec<Mark>,
    /// Durations and counts.
    pub metrics: Vec<Metric>,
    /// What happened when, in two lanes.
    pub timeline: Vec<TimelineRow>,
    /// The steps of the plans, in order.
    pub steps: Vec<StepRow>,
    /// The steps that were not done.
    pub skips: Vec<SkipRow>,
    /// The changes, made or proposed.
    pub effects: Vec<EffectRow>,
    /// The plans by which runs were consented to.
    pub plans: Vec<ApprovedRow>,
    /// The decisions to go on with another plan.
    pub amended: Vec<AmendedRow>,
    /// What was so before quell did anything for it.
    pub already: Vec<AlreadyRow>,
    /// What people decided and answered.
    pub decisions: Vec<DecisionRow>,
    /// What people said is still to be done.
    pub action_items: Vec<ActionItem>,
    /// What became of each credential.
    pub credentials: Credentials,
    /// What was found.
    pub findings: Findings,
    /// What is known of each technique, by the hunts.
    pub verdicts: Vec<VerdictRow>,
    /// Uses of credentials that the intruder holds, or that nothing explains.
    pub used: Vec<UsedRow>,
    /// What the audit logs cannot say.
    pub log_limits: Vec<String>,
    /// Who made what, as a tree: what one made comes right after it.
    pub principals: Vec<PrincipalNode>,
    /// The same as a Mermaid flowchart.
    pub diagram: Option<String>,
    /// How far it reached.
    pub radius: Radius,
    /// What could not be seen.
    pub gaps: Vec<GapRow>,
    /// What was not looked at.
    pub not_examined: Vec<UnseenRow>,
    /// What is in doubt, not verified or not done.
    pub unsettled: Vec<UnsettledRow>,
    /// What to improve.
    pub controls: Vec<Control>,
    /// The evidence, in the order in which it was taken.
    pub evidence: Vec<EvidenceRow>,
    /// Number of entries in the journal.
    pub entries: usize,
    /// Digest of the journal's last line.
    pub head: String,
}

/// Something that could not be seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapRow {
    /// The kind of resource.
    pub family: String,
    /// Where.
    pub scope: String,
    /// Why.
    pub reason: String,
    /// The permission that would let it be seen.
    pub permission: Option<String>,
    /// True where it is about a zone that matters most.
    pub crown_jewel: bool,
}

/// Something that nobody looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnseenRow {
    /// What.
    pub what: String,
    /// Which step says so; `None` where no step of the runbook looks at it at all.
    pub step: Option<String>,
}

pub(super) fn compose(book: &Book<'_>) -> ReportModel {
    let source = book.source;
    let instants = marks::instants(book);
    let credentials = credentials::credentials(book);
    let unsettled = unsettled::unsettled(book);
    let mut model = ReportModel {
        schema: SCHEMA.to_owned(),
        status: "DRAFT".to_owned(),
        rehearsal: rehearsal(book),
        damage: header::damage(source),
        incident: header::incident(book),
        runs: header::runs(book),
        summary: Vec::new(),
        marks: marks::marks(book, &instants),
        metrics: metrics::metrics(book, &instants),
        timeline: timeline::timeline(book),
        steps: actions::steps(book),
        skips: actions::skips(book),
        effects: actions::effects(book),
        plans: plans::plans(book),
        amended: plans::amended(book),
        already: actions::already(book),
        decisions: decisions::decisions(book),
        action_items: action_items::action_items(book),
        controls: controls::controls(book, &instants, &credentials, &unsettled),
        credentials,
        findings: findings::findings(book),
        verdicts: hunted::verdicts(book),
        used: hunted::used(book),
        log_limits: book.facts.limits.clone(),
        principals: hunted::principals(book),
        diagram: hunted::diagram(book),
        radius: radius::radius(book),
        gaps: gaps(book),
        not_examined: not_examined(book),
        unsettled,
        evidence: header::evidence(book),
        entries: source.entries.len(),
        head: source.head.to_string(),
    };
    model.summary = summary::summary(&model);
    model
}

fn rehearsal(book: &Book<'_>) -> Option<String> {
    let state = book.source.state;
    let worlds = state.world.iter().chain(state.runs.iter().map(|run| &run.opened.world));
    worlds.into_iter().find_map(|world| match world {
        crate::model::World::Rehearsal(scenario) => Some(scenario.clone()),
        crate::model::World::Live(_) => None,
    })
}

fn gaps(book: &Book<'_>) -> Vec<GapRow> {
    let gaps = book.source.state.gaps.iter().cloned();
    gaps.map(|gap| GapRow {
        crown_jewel: book.is_crown_jewel(&gap.scope),
        family: gap.family,
        scope: gap.scope,
        reason: gap.reason,
        permission: gap.permission,
    })
    .collect()
}

fn not_examined(book: &Book<'_>) -> Vec<UnseenRow> {
    let all = book.facts.not_examined.iter().chain(&book.facts.unread);
    // What no step of any runbook looks at, by the plans; then what the steps say of themselves.
    let mut plans = book.source.state.runs.iter().filter_map(|run| run.plan.as_ref());
    let first = plans.next().map(|plan| plan.not_examined.as_slice()).unwrap_or_default();
    let by_none = first.iter().filter(|what| plans.clone().all(|plan| plan.not_examined.contains(what)));
    let mut rows: Vec<UnseenRow> = by_none.map(|what| UnseenRow { what: what.clone(), step: None }).collect();
    for (what, path) in all {
        let row = UnseenRow { what: what.clone(), step: Some(path.to_string()) };
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows
}
