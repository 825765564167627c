//! Plans that were approved, and what was not as they forecast it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::book::Book;
use super::compact::changed_fields;
use super::words::time;
use crate::journal::{Amendment, Approval, Entry, Event, PlannedEffect, RunState};
use crate::model::{Effect, EffectKey, Role};

/// A plan by which a run was consented to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovedRow {
    /// The run.
    pub run: String,
    /// Digest of the plan.
    pub plan: String,
    /// When it was made.
    pub made: String,
    /// When it was approved.
    pub at: String,
    /// By whom.
    pub by: String,
    /// What they do in the incident, where that was said.
    pub role: Option<String>,
    /// What was typed.
    pub phrase: String,
    /// The file with prepared answers that approved it; `None` where a person typed.
    pub by_file: Option<String>,
    /// How many changes it consents to.
    pub covered: usize,
    /// How many it forecasts that are asked for all the same.
    pub asked: usize,
    /// What was not as it forecast.
    pub drifted: Vec<DriftRow>,
}

/// A change that was not as an approved plan forecast it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftRow {
    /// The step.
    pub step: String,
    /// What the change does, in the imperative.
    pub summary: String,
    /// `changed`, `new` or `not proposed`.
    pub kind: String,
    /// The target as it was forecast, limited to what differs.
    pub forecast: String,
    /// The target as it was found.
    pub found: String,
    /// Number of the entry that showed it; `None` for what did not come up.
    pub entry: Option<u64>,
}

/// A decision to go on with another plan than the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmendedRow {
    /// The run.
    pub run: String,
    /// When.
    pub at: String,
    /// By whom.
    pub by: String,
    /// Why, in their words.
    pub words: String,
    /// Every difference, in words.
    pub changes: Vec<String>,
}

pub(super) fn amended(book: &Book<'_>) -> Vec<AmendedRow> {
    let of = |run: &RunState| {
        let row = |amended: &Amendment| AmendedRow {
            run: run.opened.run.to_string(),
            at: time(amended.at),
            by: amended.by.clone(),
            words: amended.words.clone(),
            changes: amended.changes.clone(),
        };
        run.amended.iter().map(row).collect::<Vec<_>>()
    };
    book.source.state.runs.iter().flat_map(of).collect()
}

pub(super) fn plans(book: &Book<'_>) -> Vec<ApprovedRow> {
    let runs = book.source.state.runs.iter();
    runs.filter_map(|run| run.approved.as_ref().map(|approval| row(book, run, approval))).collect()
}

fn row(book: &Book<'_>, run: &RunState, approval: &Approval) -> ApprovedRow {
    let plan = &approval.plan;
    let mut of_run = book.source.entries.iter().filter(|entry| entry.run.as_ref() == Some(&run.opened.run));
    let entry = of_run.find(|entry| matches!(entry.event, Event::PlanApproved(_)));
    ApprovedRow {
        run: run.opened.run.to_string(),
        plan: plan.file.to_string(),
        made: time(plan.made_at),
        at: time(approval.at),
        by: approval.by.clone(),
        role: approval.role.map(Role::as_str).map(str::to_owned),
        phrase: plan.phrase.clone(),
        by_file: entry.and_then(|entry| book.trails.file(entry.seq)),
        covered: plan.covered(),
        asked: plan.effects.len() - plan.covered(),
        drifted: drifted(book, run, approval),
    }
}

/// Each change once, as it came up first; then what was forecast and did not come up at steps that have ended.
fn drifted(book: &Book<'_>, run: &RunState, approval: &Approval) -> Vec<DriftRow> {
    let plan = &approval.plan;
    let mut rows = Vec::new();
    let mut seen: BTreeSet<EffectKey> = BTreeSet::new();
    for entry in book.source.entries.iter().filter(|entry| entry.run.as_ref() == Some(&run.opened.run)) {
        let (Event::Proposed(proposed), Some(path)) = (&entry.event, &entry.path) else { continue };
        for effect in proposed.effects.iter().filter(|effect| seen.insert(effect.key.clone())) {
            let planned = plan.effects.iter().find(|planned| planned.key == effect.key);
            let is_as_forecast = match planned {
                None => !plan.looked_at.contains(path),
                Some(planned) => planned.digest == effect.digest() || run.has_made(effect),
            };
            if is_as_forecast {
                continue;
            }
            rows.push(came_up(book.step_name(run, path), entry, effect, planned));
        }
    }
    let ended = |planned: &&PlannedEffect| run.status(&planned.path).is_final();
    for planned in plan.effects.iter().filter(ended).filter(|planned| !seen.contains(&planned.key)) {
        rows.push(DriftRow {
            step: book.step_name(run, &planned.path),
            summary: planned.summary.clone(),
            kind: "not proposed".to_owned(),
            forecast: "to be done".to_owned(),
            found: "already so, or not seen any more; the step says which".to_owned(),
            entry: None,
        });
    }
    rows
}

fn came_up(step: String, entry: &Entry, effect: &Effect, planned: Option<&PlannedEffect>) -> DriftRow {
    let (kind, (forecast, found)) = match planned {
        None => ("new", ("not there".to_owned(), "to be done".to_owned())),
        Some(planned) => ("changed", images(effect, planned)),
    };
    let (summary, kind) = (effect.summary.clone(), kind.to_owned());
    DriftRow { step, summary, kind, forecast, found, entry: Some(entry.seq) }
}

fn images(effect: &Effect, planned: &PlannedEffect) -> (String, String) {
    let (mut then, mut now) = if planned.before == effect.before {
        ("another request or name of the target".to_owned(), "as it was proposed".to_owned())
    } else {
        changed_fields(Some(&planned.before), Some(&effect.before))
    };
    if planned.danger != effect.danger {
        then = format!("{then}; {}", planned.danger);
        now = format!("{now}; {}", effect.danger);
    }
    (then, now)
}
