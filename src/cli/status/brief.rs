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
    let Some(run) = state.latest_run() else { return "no run has begun\n".to_owned() };
    let next = comes_next(run);
    let next = next.as_ref().map(outcome::next_step);
    let phase = match (run.closed, next) {
        (Some(RunOutcome::Done), _) => "response ended",
        (Some(RunOutcome::Aborted), _) => "response ended early",
        (None, Some((_, _, Some(path)))) => run.planned(path).map_or("under way", |step| step.phase.as_str()),
        (None, _) => "under way",
    };
    let since = run.opened.detected_at.map_or(("opened", run.opened_at), |at| ("detected", at));
    let elapsed = duration(now.duration_since(since.1).max(SignedDuration::ZERO));
    let mut parts = vec![phase.to_owned(), format!("{} {elapsed} ago", since.0), cut(run), harm(state)];
    let in_doubt = run.steps.values().flat_map(|step| &step.effects).filter(|effect| effect.is_in_doubt()).count();
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

/// Whether the intruder's access is taken away, as far as reads show.
fn cut(run: &RunState) -> String {
    let steps = run.plan.iter().flat_map(|plan| &plan.steps);
    // What its condition leaves out is not wanted in this incident.
    let is_out =
        |step: &PlannedStep| matches!(run.status(&step.path), StepStatus::Skipped { cause: SkipCause::When, .. });
    let steps: Vec<_> =
        steps.filter(|step| step.phase == Phase::Contain && run.counts(step) && !is_out(step)).collect();
    if steps.is_empty() {
        return "no step contains".to_owned();
    }
    let done = steps.iter().filter(|step| matches!(run.status(&step.path), StepStatus::Done { .. })).count();
    let began = || steps.iter().filter_map(|step| run.step(&step.path));
    let is_so = |effect: &&EffectState| {
        effect.is_proven() || matches!(effect.status, EffectStatus::Left(Disposition::AlreadyMet { .. }))
    };
    // What was left to somebody, kept or given up is not cut, although its step is done.
    let effects = || began().flat_map(|step| &step.effects).filter(|effect| !effect.is_best_effort());
    let unproven = effects().filter(|effect| !is_so(effect)).count();
    let already: usize = began().filter_map(|step| step.proposed.as_ref()).map(|it| it.already.len()).sum();
    if done == steps.len() && unproven == 0 {
        let nothing = already + effects().count() == 0;
        return if nothing { "NOTHING was cut" } else { "cut proven" }.to_owned();
    }
    let unproven = if unproven == 0 { String::new() } else { format!(", {} not proven", count(unproven, "change")) };
    format!("cut NOT proven ({done} of {} done{unproven})", count(steps.len(), "containing step"))
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
