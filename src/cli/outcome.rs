//! How an incident stands, as one JSON document and as an exit code.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::console::Timers;
use super::exit::Exit;
use super::layout::IncidentDir;
use crate::cloudflare::api::RequestCounts;
use crate::engine::{Next, PauseCause, Stop};
use crate::escape;
use crate::journal::{Amendment, Approval, EffectState, EffectStatus, IncidentState, RunState, StepState, StepStatus};
use crate::model::{Digest, StepPath, Verdict};

/// The exit code of a run; without one, of nothing that was done.
pub(crate) fn exit(state: &IncidentState, run: Option<&RunState>, stop: Option<&Stop>) -> Exit {
    let Some(run) = run else { return Exit::Done };
    let effects = || run.steps.values().flat_map(|step| &step.effects);
    let failed = run.steps.values().any(|step| matches!(step.status, StepStatus::Failed { .. }))
        || effects().filter(|effect| !effect.is_best_effort()).any(|effect| {
            matches!(effect.status, EffectStatus::Refused | EffectStatus::VerifyFailed | EffectStatus::Abandoned)
        });
    let mut exit = match stop {
        Some(Stop::Paused(PauseCause::Interrupted)) => Exit::Interrupted,
        Some(Stop::Paused(PauseCause::StepFailed(_))) => Exit::Failed,
        Some(Stop::Paused(_)) => Exit::Waiting,
        Some(Stop::Closed(crate::journal::RunOutcome::Aborted)) => Exit::Waiting,
        _ => Exit::Done,
    };
    let is_in_doubt =
        |effect: &EffectState| effect.is_in_doubt() || (effect.was_given_up_in_doubt() && !effect.is_best_effort());
    if effects().any(is_in_doubt) {
        exit = exit.and(Exit::InDoubt);
    }
    if failed {
        exit = exit.and(Exit::Failed);
    }
    if !state.gaps.is_empty() {
        exit = exit.and(Exit::Gaps);
    }
    exit
}

/// The document of `run`, `rehearse` and `resume`, about one run.
pub(crate) fn document(
    dir: &IncidentDir,
    state: &IncidentState,
    run: Option<&RunState>,
    head: &Digest,
    requests: Option<RequestCounts>,
    now: Timestamp,
) -> Value {
    let Some(run) = run else {
        return json!({ "schema": "quell.run/1", "incident": dir.id, "dir": dir.path, "steps": [], "head": head });
    };
    let plan = run.plan.as_ref();
    let steps: Vec<Value> = plan
        .iter()
        .flat_map(|plan| &plan.steps)
        .map(|planned| {
            let step = run.step(&planned.path);
            json!({
                "path": planned.path, "id": planned.path.id(), "phase": planned.phase, "action": planned.action,
                "status": run.status(&planned.path).as_str(), "summary": step.and_then(summary),
                "already": step.iter().filter_map(|step| step.proposed.as_ref()).flat_map(|proposed| &proposed.already)
                    .map(|(name, proof)| json!({ "name": name, "proof": proof })).collect::<Vec<_>>(),
                "effects": step.iter().flat_map(|step| &step.effects).map(effect).collect::<Vec<_>>(),
            })
        })
        .collect();
    let requests =
        requests.map(|counts| json!({ "reads": counts.reads, "writes": counts.writes, "throttled": counts.throttled }));
    json!({
        "schema": "quell.run/1",
        "incident": dir.id, "dir": dir.path, "run": run.opened.run,
        "runbook": { "name": run.opened.runbook, "sha256": run.opened.runbook_sha256, "source": run.opened.source },
        "world": run.opened.world, "api": run.opened.api, "account": run.opened.account,
        "roles": run.opened.roles, "detected_at": run.opened.detected_at, "target_seconds": run.opened.target_seconds,
        "update_due": Timers::of(run, &state.notes).update_due(),
        "outcome": standing(run), "paused": run.paused, "digest": plan.map(|plan| &plan.digest),
        "approved": run.approved.as_ref().map(approved),
        "amended": run.amended.iter().map(amended).collect::<Vec<_>>(),
        "steps": steps,
        "findings": state.findings.values().collect::<Vec<_>>(),
        "gaps": state.gaps,
        "not_examined": plan.map(|plan| plan.not_examined.clone()).unwrap_or_default(),
        "requests": requests,
        "head": head,
        "seconds": now.duration_since(run.opened_at).as_secs(),
    })
}

/// The plan by which the run is consented to, and who approved it.
fn approved(approval: &Approval) -> Value {
    let plan = &approval.plan;
    json!({
        "forecast": plan.file, "made_at": plan.made_at, "by": approval.by, "role": approval.role, "at": approval.at,
        "covered": plan.covered(),
    })
}

/// A decision to go on with another plan.
fn amended(amended: &Amendment) -> Value {
    json!({ "at": amended.at, "by": amended.by, "reason": amended.words, "changes": amended.changes })
}

fn standing(run: &RunState) -> Value {
    match run.closed {
        Some(outcome) => json!(outcome),
        None if run.paused.is_some() => json!("paused"),
        None => json!("open"),
    }
}

fn summary(step: &StepState) -> Option<String> {
    match &step.status {
        StepStatus::Done { summary, .. } => Some(summary.clone()),
        StepStatus::Skipped { reason, .. } => Some(reason.clone()),
        StepStatus::Failed { error, .. } => Some(error.clone()),
        _ => None,
    }
}

fn effect(state: &EffectState) -> Value {
    let disposition = match &state.status {
        EffectStatus::Left(disposition) => json!(disposition),
        _ => Value::Null,
    };
    json!({
        "key": state.effect.key, "action": state.effect.action,
        "target": { "id": state.effect.target.id, "name": state.effect.target.name },
        "danger": state.effect.danger,
        "consent": state.was_consented().then_some(state.basis),
        "outcome": state.outcome().map(crate::model::Outcome::as_str),
        "verdict": state.verdict.as_ref().map(Verdict::as_str),
        "in_doubt": state.is_in_doubt(), "attempts": state.attempts.len(), "left": disposition,
    })
}

/// What comes next, in words for people.
pub(crate) fn next_words(next: &Next) -> String {
    match next_step(next) {
        (words, joined, Some(path)) => format!("{words}{joined} `{}`", escape::terminal(path.as_str())),
        (words, ..) => words.to_owned(),
    }
}

/// What comes next without a name, how the step's name is joined to it, and the step.
pub(crate) const fn next_step(next: &Next) -> (&'static str, &'static str, Option<&StepPath>) {
    match next {
        Next::Begin(path) => ("begin", "", Some(path)),
        Next::JumpOver(path) => ("pass over", "", Some(path)),
        Next::Expand(path) => ("fix the steps", " of", Some(path)),
        Next::EndRound(path) => ("judge the round", " of", Some(path)),
        Next::Plan(path) => ("look", " at", Some(path)),
        Next::Ask(path) => ("ask", " at", Some(path)),
        Next::Confirm(path) => ("ask for consent", " at", Some(path)),
        Next::Second(path) => ("wait for a second person", " at", Some(path)),
        Next::GoOn(path) => ("ask whether to go on with the list", " at", Some(path)),
        Next::Perform(path, _) => ("read again what was consented to, then send", ", at", Some(path)),
        Next::Probe(path, _) | Next::SettleByProbe(path, _) => {
            ("look what became of the effect in doubt", " at", Some(path))
        }
        Next::Verify(path, _) => ("prove what was done", " at", Some(path)),
        Next::GiveUp(path, _) => ("note a message that did not get through", " at", Some(path)),
        Next::Decide(path, _) => ("ask what is to become of an effect", " at", Some(path)),
        Next::Chore(path) => ("wait, write the post-mortem or go on with another credential", ", at", Some(path)),
        Next::Conclude(path) => ("complete", "", Some(path)),
        Next::Failed(path) => ("ask what to do about the failed step", "", Some(path)),
        Next::Finish => ("close the run", "", None),
    }
}
