use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::cli::console::{count, duration};
use crate::cli::outcome;
use crate::engine::comes_next;
use crate::journal::{
    EffectState, EffectStatus, IncidentState, PlannedStep, RunOutcome, RunState, SkipCause, StepStatus,
};
use crate::model::{Disposition, FindingStatus, Phase, Severity};

/// How it stands, in one line that may be read by anybody: no names, no ids, nothing that an attacker wrote.
pub(super) fn line(state: &IncidentState, now: Timestamp) -> String {
    let Some(run) = super::subject(state) else { return "no run has begun\n".to_owned() };
    let next = comes_next(run);
    let next = next.as_ref().map(outcome::next_step);
    let phase = match (run.closed, next) {
        (Some(RunOutcome::Done), _) => "response ended",
        (Some(RunOutcome::Aborted), _) => "response ended early",
        (None, Some((_, _, Some(path)))) => run.planned(path).map_or("under way", |step| step.phase.as_str()),
        (None, _) => "under way",
    };
    let detected = state.runs.iter().rev().find_map(|run| run.opened.detected_at);
    let opened = state.runs.first().map_or(run.opened_at, |first| first.opened_at);
    let since = detected.map_or(("opened", opened), |at| ("detected", at));
    let elapsed = duration(now.duration_since(since.1).max(SignedDuration::ZERO));
    let mut parts = vec![phase.to_owned(), format!("{} {elapsed} ago", since.0), cut(state), harm(state)];
    let steps = state.runs.iter().flat_map(|run| run.steps.values());
    let in_doubt = steps.flat_map(|step| &step.effects).filter(|effect| effect.is_in_doubt()).count();
    if in_doubt > 0 {
        parts.push(format!("{} IN DOUBT", count(in_doubt, "change")));
    }
    if !state.gaps.is_empty() {
        parts.push(format!("{} not seen", count(state.gaps.len(), "place")));
    }
    if let (None, Some((words, ..))) = (run.closed, next) {
        let rests = if run.paused.is_some() { " (resting)" } else { "" };
        parts.push(format!("next: {words}{rests}"));
    }
    let rehearsal = if run.opened.world.is_rehearsal() { "REHEARSAL: " } else { "" };
    format!("{rehearsal}{}\n", parts.join("; "))
}

/// Whether the intruder's access is taken away, as far as reads show; by all that was done in the incident, since what
/// stopped a harm at once or was done in a later run is not the whole of it.
fn cut(state: &IncidentState) -> String {
    let runs = state.runs.iter().filter(|run| !is_superseded(state, run));
    let steps = runs.flat_map(containing).filter(|(run, step)| !is_dropped(run, step));
    let steps: Vec<_> = steps.collect();
    if steps.is_empty() {
        return "no step contains".to_owned();
    }
    // The last word on each target: what one run could not cut another one may have cut since.
    let mut latest: BTreeMap<(&str, &str), (bool, bool)> = BTreeMap::new();
    for (run, effect) in state.runs.iter().flat_map(containing).flat_map(wanted) {
        let is_undone = state.undone_by(&run.opened.run, &effect.effect).is_some();
        latest.insert(target(effect), (effect.is_proven() || effect.is_met(), is_undone));
    }
    latest.retain(|_, (_, is_undone)| !*is_undone);
    let unproven = latest.values().filter(|(is_proven, _)| !is_proven).count();
    let is_proven = |effect: &EffectState| latest.get(&target(effect)).is_some_and(|(is_proven, _)| *is_proven);
    // A step that was skipped is made up for where all that it would have cut was cut elsewhere.
    let is_done = |(run, step): &&(&RunState, &PlannedStep)| {
        let mut effects = wanted((*run, *step)).map(|(_, effect)| effect).peekable();
        run.is_done(&step.path) || (effects.peek().is_some() && effects.all(is_proven))
    };
    let done = steps.iter().filter(is_done).count();
    let already: usize = steps
        .iter()
        .filter_map(|(run, step)| run.step(&step.path)?.proposed.as_ref())
        .map(|proposed| proposed.already.len())
        .sum();
    if done == steps.len() && unproven == 0 {
        let nothing = already + latest.len() == 0;
        return if nothing { "NOTHING was cut" } else { "cut proven" }.to_owned();
    }
    let unproven = if unproven == 0 { String::new() } else { format!(", {} not proven", count(unproven, "change")) };
    format!("cut NOT proven ({done} of {} done{unproven})", count(steps.len(), "containing step"))
}

/// What was to be done at once, and then was not: the effects tell what came of it.
fn is_dropped(run: &RunState, step: &PlannedStep) -> bool {
    super::is_generated(run) && run.closed.is_some() && !matches!(run.status(&step.path), StepStatus::Done { .. })
}

/// One that was ended early, and after which the same runbook was walked again.
fn is_superseded(state: &IncidentState, run: &RunState) -> bool {
    let mut later = state.runs.iter().skip_while(|other| other.opened.run != run.opened.run).skip(1);
    let is_again =
        |other: &RunState| other.opened.runbook == run.opened.runbook && other.opened.source == run.opened.source;
    run.closed == Some(RunOutcome::Aborted) && later.any(is_again)
}

/// The steps of a run that contain. What its condition leaves out is not wanted in this incident.
fn containing(run: &RunState) -> impl Iterator<Item = (&RunState, &PlannedStep)> {
    let is_out =
        move |step: &PlannedStep| matches!(run.status(&step.path), StepStatus::Skipped { cause: SkipCause::When, .. });
    let steps = run.plan.iter().flat_map(|plan| &plan.steps).map(Arc::as_ref);
    steps
        .filter(move |step| step.phase == Phase::Contain && run.counts(step) && !is_out(step))
        .map(move |step| (run, step))
}

/// What a step was to cut.
fn wanted<'r>((run, step): (&'r RunState, &'r PlannedStep)) -> impl Iterator<Item = (&'r RunState, &'r EffectState)> {
    let effects = run.step(&step.path).map(|step| &step.effects).into_iter().flatten();
    effects.filter(|effect| is_wanted(effect)).map(move |effect| (run, effect))
}

/// What an effect does to what.
fn target(effect: &EffectState) -> (&str, &str) {
    (&effect.effect.action, &effect.effect.target.id)
}

/// What was left to somebody, kept or given up is not cut, although its step is done. What was only offered, and that nobody
/// chose, was not to be cut.
fn is_wanted(effect: &EffectState) -> bool {
    let was_let_be = match &effect.status {
        EffectStatus::Left(Disposition::Keep { reason }) => reason.starts_with(Disposition::NOT_CHOSEN),
        _ => false,
    };
    !effect.is_best_effort() && !was_let_be && (effect.effect.preselected || effect.was_consented())
}

/// What was found and still stands.
fn harm(state: &IncidentState) -> String {
    let open: Vec<_> = state.findings.values().filter(|finding| finding.status == FindingStatus::Open).collect();
    let bad = open.iter().filter(|finding| finding.severity >= Severity::High).count();
    match (open.len(), bad) {
        (0, _) => format!("{}, none open", count(state.findings.len(), "finding")),
        (all, 0) => format!("{} open", count(all, "finding")),
        (all, bad) => format!("{} open, {bad} of them high or critical", count(all, "finding")),
    }
}
