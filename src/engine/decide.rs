use crate::journal::{Basis, EffectState, EffectStatus, PlannedStep, RunState, StepState, StepStatus};
use crate::model::{Call, EffectKey, Outcome, StepPath, Verdict};

/// The next thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Begin a step, or find that its `when` is false.
    Begin(StepPath),
    /// Skip a step that a failed one jumps over.
    JumpOver(StepPath),
    /// Fix the steps that a step holds or makes, of the next round.
    Expand(StepPath),
    /// They have ended: complete the step, or begin another round.
    EndRound(StepPath),
    /// Look, and say what should change.
    Plan(StepPath),
    /// Ask a person what only a person knows.
    Ask(StepPath),
    /// Show what would change and ask for consent.
    Confirm(StepPath),
    /// Wait until a second person agrees to what was consented to.
    Second(StepPath),
    /// After the first row of a list: ask whether to go on.
    GoOn(StepPath),
    /// Send one effect.
    Perform(StepPath, EffectKey),
    /// Look what became of an effect in doubt.
    Probe(StepPath, EffectKey),
    /// The look showed that an effect in doubt took place, or that work by hand is done: write that down.
    SettleByProbe(StepPath, EffectKey),
    /// Look whether an applied effect shows.
    Verify(StepPath, EffectKey),
    /// A message did not get through, or may not have: say so and go on.
    GiveUp(StepPath, EffectKey),
    /// A person says what becomes of an effect: in doubt, refused, or applied and not seen.
    Decide(StepPath, EffectKey),
    /// Do what the engine itself does for a step: wait, write the post-mortem, or go on with another credential.
    Chore(StepPath),
    /// All effects have ended: complete the step.
    Conclude(StepPath),
    /// A step failed: do what its `on_failure` says.
    Failed(StepPath),
    /// No step is left.
    Finish,
}

/// Names the next thing to do; `None` where no plan is fixed yet. Pure and total: the same entries always give the same
/// answer.
///
/// | the first step that has not ended is | and its effects | next |
/// |---|---|---|
/// | pending, failed and to be retried | | `Begin` |
/// | pending, behind a jump | | `JumpOver` |
/// | begun | | `Plan` |
/// | begun, holds others, none of this round yet | | `Expand` |
/// | begun, holds others, all ended | | `EndRound` |
/// | failed, undecided | | `Failed` |
/// | proposed | a message that did not get through, or may not have | `GiveUp` |
/// | | one in doubt, not looked at | `Probe` |
/// | | one in doubt, and seen to hold | `SettleByProbe` |
/// | | one in doubt, and not seen | `Decide` |
/// | | one by hand, open, and seen to be done | `SettleByProbe` |
/// | | one applied | `Verify` |
/// | | one refused, or applied and not seen | `Decide` |
/// | | one undecided, to be tried again | `Confirm` |
/// | | one undecided, and none consented to beforehand | `Confirm` |
/// | | one consented, and a second person is to agree | `Second` |
/// | | consented, the first of several has ended | `GoOn`, once |
/// | | one consented | `Perform` |
/// | | all ended, questions open | `Ask` |
/// | | all ended, something to wait for, to write or to go on with | `Chore` |
/// | | all ended | `Conclude` |
///
/// What a step holds stands before it in the plan. Where a person has ended the run early, only the steps that are done
/// in any case are left. Nothing is performed while any intent is open: `Probe` and `Decide` come before `Perform`.
pub fn decide(run: &RunState) -> Option<Next> {
    run.plan.as_ref()?;
    let Some((planned, is_jumped_over)) = run.front() else { return Some(Next::Finish) };
    let path = planned.path.clone();
    let Some(step) = run.step(&path) else { return Some(begin(path, is_jumped_over)) };
    Some(match &step.status {
        StepStatus::Pending => begin(path, is_jumped_over),
        StepStatus::Failed { decision: None, .. } => Next::Failed(path),
        StepStatus::Began if !planned.container => Next::Plan(path),
        StepStatus::Began if step.rounds_since() == 0 => Next::Expand(path),
        StepStatus::Began => Next::EndRound(path),
        StepStatus::Proposed => within(planned, step),
        // To be retried: the front rests on nothing that has ended.
        StepStatus::Failed { .. } | StepStatus::Done { .. } | StepStatus::Skipped { .. } => Next::Begin(path),
    })
}

/// The same, where a process takes up a run that rested. What no look could tell of an effect in doubt may show by now: the
/// network is back, or the provider. It is looked at once more before anybody is asked to judge without having seen.
pub fn take_up(run: &RunState) -> Option<Next> {
    decide(run).map(|next| match next {
        Next::Decide(path, key) if could_not_be_told(run, &path, &key) => Next::Probe(path, key),
        next => next,
    })
}

/// What comes next of a run, whether a process drives it or it rests.
pub fn comes_next(run: &RunState) -> Option<Next> {
    if run.paused.is_some() { take_up(run) } else { decide(run) }
}

fn could_not_be_told(run: &RunState, path: &StepPath, key: &EffectKey) -> bool {
    let state = run.step(path).and_then(|step| step.effect(key));
    state.is_some_and(|state| state.is_in_doubt() && matches!(state.verdict, Some(Verdict::CannotTell(_))))
}

fn begin(path: StepPath, is_jumped_over: bool) -> Next {
    if is_jumped_over { Next::JumpOver(path) } else { Next::Begin(path) }
}

fn within(planned: &PlannedStep, step: &StepState) -> Next {
    let path = planned.path.clone();
    let first = |wanted: &dyn Fn(&EffectState) -> bool| step.effects.iter().find(|state| wanted(state));
    if let Some(missed) = first(&EffectState::is_missed) {
        return Next::GiveUp(path, missed.effect.key.clone());
    }
    if let Some(doubtful) = first(&EffectState::is_in_doubt) {
        let key = doubtful.effect.key.clone();
        return match doubtful.verdict {
            None => Next::Probe(path, key),
            Some(Verdict::Holds(_)) => Next::SettleByProbe(path, key),
            Some(_) => Next::Decide(path, key),
        };
    }
    if let Some(seen) = first(&EffectState::is_seen_done) {
        return Next::SettleByProbe(path, seen.effect.key.clone());
    }
    if let Some(applied) = first(&|state| state.status == EffectStatus::Applied) {
        return Next::Verify(path, applied.effect.key.clone());
    }
    if let Some(failed) = first(&EffectState::needs_decision) {
        return Next::Decide(path, failed.effect.key.clone());
    }
    let ready = first(&|state| matches!(state.status, EffectStatus::Consented(_)));
    let beforehand = ready.is_some_and(|state| state.basis != Basis::Typed);
    // What is to be tried again is decided about before anything else goes.
    let holds_up =
        |state: &EffectState| state.status == EffectStatus::Proposed && (!beforehand || !state.attempts.is_empty());
    if first(&holds_up).is_some() {
        return Next::Confirm(path);
    }
    if ready.is_some() && planned.second_person && step.unseconded().next().is_some() {
        return Next::Second(path);
    }
    if let Some(ready) = ready {
        return if needs_word_to_go_on(step) {
            Next::GoOn(path)
        } else {
            Next::Perform(path, ready.effect.key.clone())
        };
    }
    if step.proposed.as_ref().is_some_and(|proposed| proposed.ask.is_some()) && step.answers.is_none() {
        return Next::Ask(path);
    }
    if step.chore_left().is_some() {
        return Next::Chore(path);
    }
    Next::Conclude(path)
}

/// The first row of a list goes alone. `not_sent` rows have not gone, and who consented after the first was done has
/// given that word already.
fn needs_word_to_go_on(step: &StepState) -> bool {
    let waits = |state: &&EffectState| matches!(state.status, EffectStatus::Consented(_)) && !state.after_first;
    let rest = step.effects.iter().filter(waits).count();
    let sent = step.effects.iter().any(|state| {
        !matches!(state.effect.call, Call::Hand(_))
            // One that is to go again has not gone yet.
            && !matches!(state.status, EffectStatus::Consented(_))
            && matches!(state.outcome(), Some(Outcome::Applied | Outcome::Refused(_) | Outcome::Unknown(_)))
    });
    !step.went_on && sent && rest > 0
}
