use super::run::RunState;
use super::step::StepStatus;
use crate::journal::event::{FailureDecision, PlannedStep};
use crate::model::StepPath;

/// How far the plan is done. What has ended stays so, and what a step holds is put before it: it only moves on.
#[derive(Debug, Clone, Default)]
pub(super) struct Front {
    /// How many of the plan's steps, from the first on, have ended or are not done any more.
    pub(super) ended: usize,
    /// The failed step that goes on further down, until that is reached.
    jump: Option<StepPath>,
}

impl RunState {
    /// The first step of the plan that has not ended, and whether a failed one before it jumps over it. `None` where
    /// none is left. Where a person has ended the run early, only what is done in any case is left.
    pub fn front(&self) -> Option<(&PlannedStep, bool)> {
        let step = self.plan.as_ref()?.steps.get(self.front.ended)?;
        Some((step, self.front.jump.is_some()))
    }

    pub(super) fn advance(&mut self) {
        let mut front = std::mem::take(&mut self.front);
        while let Some(step) = self.plan.as_ref().and_then(|plan| plan.steps.get(front.ended)) {
            if self.ending.is_none() || step.finally {
                front.jump = front.jump.filter(|from| self.leads_over(from, step));
                let status = self.status(&step.path);
                if !status.is_final() {
                    break;
                }
                if self.target(&step.path).is_some() {
                    front.jump = Some(step.path.clone());
                }
            }
            front.ended += 1;
        }
        self.front = front;
    }

    /// Whether the jump from the failed step at `from` leads over `step`: it ends at its target, or with its list.
    fn leads_over(&self, from: &StepPath, step: &PlannedStep) -> bool {
        let is_beside = self.planned(from).is_some_and(|from| step.is_beside(from));
        is_beside && self.target(from).is_some_and(|target| target != step.path.id())
    }

    /// Where a failed step goes on.
    fn target(&self, path: &StepPath) -> Option<&str> {
        match self.status(path) {
            StepStatus::Failed { decision: Some(FailureDecision::Jump(target)), .. } => Some(target),
            _ => None,
        }
    }
}
