use crate::journal::{
    EffectState, EffectStatus, FailureDecision, PlanSealed, PlannedStep, RunState, StepState, StepStatus,
};
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
    /// After the first row of a list: ask whether to go on.
    GoOn(StepPath),
    /// Send one effect.
    Perform(StepPath, EffectKey),
    /// Look what became of an effect in doubt.
    Probe(StepPath, EffectKey),
    /// The look showed that an effect in doubt took place: write that down.
    SettleByProbe(StepPath, EffectKey),
    /// Look whether an applied effect shows.
    Verify(StepPath, EffectKey),
    /// A message did not get through, or may not have: say so and go on.
    GiveUp(StepPath, EffectKey),
    /// A person says what becomes of an effect: in doubt, refused, or applied and not seen.
    Decide(StepPath, EffectKey),
    /// Do what the engine itself does for a step: wait, or write the post-mortem.
    Chore(StepPath),
    /// All effects have ended: complete the step.
    Conclude(StepPath),
    /// A step failed: do what its `on_failure` says.
    Failed(StepPath),
    /// No step is left.
    Finish,
}

/// Names the next thing to do. Pure and total: the same entries always give the same answer.
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
/// | | one applied | `Verify` |
/// | | one refused, or applied and not seen | `Decide` |
/// | | one undecided | `Confirm` |
/// | | consented, the first of several has ended | `GoOn`, once |
/// | | one consented | `Perform` |
/// | | all ended, questions open | `Ask` |
/// | | all ended, something to wait for or to write | `Chore` |
/// | | all ended | `Conclude` |
///
/// What a step holds stands before it in the plan. Where a person has ended the run early, only the steps that are done
/// in any case are left. Nothing is performed while any intent is open: `Probe` and `Decide` come before `Perform`.
pub fn decide(plan: &PlanSealed, run: &RunState) -> Next {
    let mut jump: Option<(&PlannedStep, &str)> = None;
    for planned in plan.steps.iter().filter(|planned| run.ending.is_none() || planned.finally) {
        if jump.is_some_and(|(from, target)| !planned.is_beside(from) || target == planned.path.id()) {
            jump = None;
        }
        match run.step(&planned.path) {
            None => return begin(planned, jump),
            Some(step) => match &step.status {
                StepStatus::Pending => return begin(planned, jump),
                StepStatus::Failed { decision: Some(FailureDecision::Jump(target)), .. } => {
                    jump = Some((planned, target));
                }
                StepStatus::Failed { decision: Some(FailureDecision::Retry), .. } => {
                    return Next::Begin(planned.path.clone());
                }
                StepStatus::Failed { decision: None, .. } => return Next::Failed(planned.path.clone()),
                StepStatus::Began if !planned.container => return Next::Plan(planned.path.clone()),
                StepStatus::Began if step.rounds_since() == 0 => return Next::Expand(planned.path.clone()),
                StepStatus::Began => return Next::EndRound(planned.path.clone()),
                StepStatus::Proposed => return within(planned, step),
                StepStatus::Done { .. } | StepStatus::Skipped { .. } | StepStatus::Failed { .. } => {}
            },
        }
    }
    Next::Finish
}

fn begin(planned: &PlannedStep, jump: Option<(&PlannedStep, &str)>) -> Next {
    if jump.is_some() { Next::JumpOver(planned.path.clone()) } else { Next::Begin(planned.path.clone()) }
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
    if let Some(applied) = first(&|state| state.status == EffectStatus::Applied) {
        return Next::Verify(path, applied.effect.key.clone());
    }
    if let Some(failed) = first(&EffectState::needs_decision) {
        return Next::Decide(path, failed.effect.key.clone());
    }
    if first(&|state| state.status == EffectStatus::Proposed).is_some() {
        return Next::Confirm(path);
    }
    if let Some(ready) = first(&|state| matches!(state.status, EffectStatus::Consented(_))) {
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

/// The first row of a list goes alone. `not_sent` rows have not gone.
fn needs_word_to_go_on(step: &StepState) -> bool {
    let rest = step.effects.iter().filter(|state| matches!(state.status, EffectStatus::Consented(_))).count();
    let sent = step.effects.iter().any(|state| {
        !matches!(state.effect.call, Call::Hand(_))
            && matches!(state.outcome(), Some(Outcome::Applied | Outcome::Refused(_) | Outcome::Unknown(_)))
    });
    !step.went_on && sent && rest > 0
}
