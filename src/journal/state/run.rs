use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::front::Front;
use super::step::{StepState, StepStatus};
use crate::journal::effect_state::EffectState;
use crate::journal::event::{
    Entry, Event, Expanded, PlanAmended, PlanApproved, PlanSealed, PlannedStep, RunOpened, RunOutcome,
};
use crate::model::{CredentialFacts, Effect, EffectKey, Role, StepPath, Target};

/// An approved plan, and who approved it.
#[derive(Debug, Clone)]
pub struct Approval {
    /// What was approved.
    pub plan: PlanApproved,
    /// By whom.
    pub by: String,
    /// What they do in the incident, where that was said.
    pub role: Option<Role>,
    /// When.
    pub at: Timestamp,
}

/// A decision to go on with another plan than the one before.
#[derive(Debug, Clone)]
pub struct Amendment {
    /// Every difference, in words.
    pub changes: Vec<String>,
    /// Why, in the words of who decided it.
    pub words: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A credential that a run has made itself, and went on with.
#[derive(Debug, Clone)]
pub struct Switched {
    /// The effect that made it.
    pub effect: EffectKey,
    /// The attempt whose sealed answer holds its value.
    pub attempt: u32,
    /// The credential.
    pub credential: CredentialFacts,
    /// The one that the run acted with until then.
    pub left: CredentialFacts,
}

/// One run.
#[derive(Debug, Clone)]
pub struct RunState {
    /// What it is bound to.
    pub opened: RunOpened,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The fixed plan, once there is one; what a step holds is added when it is fixed.
    pub plan: Option<PlanSealed>,
    /// What of it was consented to beforehand.
    pub approved: Option<Approval>,
    /// The decisions to go on with another plan, oldest first.
    pub amended: Vec<Amendment>,
    /// The plan's steps by address.
    planned: HashMap<StepPath, Arc<PlannedStep>>,
    /// How far the plan is done.
    pub(super) front: Front,
    /// The steps that have begun or ended, by address.
    pub steps: BTreeMap<StepPath, StepState>,
    /// The step with an open intent: nothing is sent beside it.
    open_at: Option<StepPath>,
    /// The credential that makes the calls now.
    pub credential: CredentialFacts,
    /// Where that is one that the run has made itself: which.
    pub switched: Option<Switched>,
    /// Why it rests, while it does.
    pub paused: Option<String>,
    /// Why a person ends it early, from then on until it is closed.
    pub ending: Option<String>,
    /// How it ended.
    pub closed: Option<RunOutcome>,
    /// How often a driver took it up: consent given under another driver is re-checked.
    pub drivers: u32,
}

impl RunState {
    pub(super) fn new(opened: &RunOpened, at: Timestamp) -> Self {
        Self {
            credential: opened.credential.clone(),
            opened: opened.clone(),
            opened_at: at,
            plan: None,
            approved: None,
            amended: Vec::new(),
            planned: HashMap::new(),
            front: Front::default(),
            steps: BTreeMap::new(),
            open_at: None,
            switched: None,
            paused: None,
            ending: None,
            closed: None,
            drivers: 1,
        }
    }

    /// The approval that still consents to something. What was approved was the plan as it was then: another one has none.
    pub fn approval(&self) -> Option<&Approval> {
        self.approved.as_ref().filter(|_| self.amended.is_empty())
    }

    /// What the plan says of the step at `path`.
    pub fn planned(&self, path: &StepPath) -> Option<&Arc<PlannedStep>> {
        self.planned.get(path)
    }

    /// The step at `path`, where it has begun.
    pub fn step(&self, path: &StepPath) -> Option<&StepState> {
        self.steps.get(path)
    }

    /// Where the step at `path` stands.
    pub fn status(&self, path: &StepPath) -> &StepStatus {
        self.step(path).map_or(&StepStatus::Pending, |step| &step.status)
    }

    /// The word for where the step at `path` stands; one that holds others is not done as long as one of them is not.
    pub fn word(&self, path: &StepPath) -> &'static str {
        let Some(step) = self.step(path) else { return StepStatus::Pending.as_str() };
        let has_ended = matches!(step.status, StepStatus::Done { .. });
        if has_ended && self.is_wanting(step) { "left" } else { step.status.as_str() }
    }

    /// Whether the step at `path` has ended, and nothing of it is wanting.
    pub fn is_done(&self, path: &StepPath) -> bool {
        self.step(path).is_some_and(|step| matches!(step.status, StepStatus::Done { .. }) && !self.is_wanting(step))
    }

    /// Whether something of the step is for later, or of what it holds, or failed there.
    pub fn is_wanting(&self, step: &StepState) -> bool {
        let is_wanting = |held: &StepState| matches!(held.status, StepStatus::Failed { .. }) || self.is_wanting(held);
        step.later() > 0 || step.held.iter().filter_map(|held| self.step(&held.path)).any(is_wanting)
    }

    /// Whether a step counts by itself. One that holds others counts in their place as long as they are not known.
    pub fn counts(&self, planned: &PlannedStep) -> bool {
        !planned.container || self.step(&planned.path).is_none_or(|step| step.held.is_empty())
    }

    /// The steps that hold or made `planned`, the nearest first.
    pub fn ancestors<'r>(&'r self, planned: &'r PlannedStep) -> impl Iterator<Item = &'r PlannedStep> {
        let parent = |of: &PlannedStep| of.parent.as_ref().and_then(|path| self.planned(path)).map(Arc::as_ref);
        std::iter::successors(parent(planned), move |step| parent(step))
    }

    /// The effect with this key, wherever it is.
    pub fn effect(&self, key: &EffectKey) -> Option<&EffectState> {
        self.steps.values().flat_map(|step| &step.effects).find(|state| state.effect.key == *key)
    }

    /// Whether the target of `effect` is as this run itself has left it.
    pub fn has_made(&self, effect: &Effect) -> bool {
        let is_same = |other: &Target| other.kind == effect.target.kind && other.id == effect.target.id;
        let mut all = self.steps.values().flat_map(|step| &step.effects);
        all.any(|state| state.is_applied() && is_same(&state.effect.target) && state.effect.after == effect.before)
    }

    pub(super) fn apply(&mut self, entry: &Entry, event: &Event) -> Result<(), String> {
        if self.closed.is_some() {
            return Err("the run is closed".into());
        }
        self.take(entry, event)?;
        self.advance();
        Ok(())
    }

    fn take(&mut self, entry: &Entry, event: &Event) -> Result<(), String> {
        match event {
            Event::PlanSealed(plan) => {
                if self.plan.is_some() {
                    return Err("the plan is fixed already".into());
                }
                self.fix((**plan).clone());
                return Ok(());
            }
            // It may come before the plan is fixed: what can be resumed then has its approval.
            Event::PlanApproved(approved) => {
                if self.approved.is_some() {
                    return Err("a plan was approved already".into());
                }
                let plan = (**approved).clone();
                self.approved = Some(Approval { plan, by: entry.by.clone(), role: entry.role, at: entry.at });
                return Ok(());
            }
            _ if self.plan.is_none() => return Err("the run has no plan yet".into()),
            Event::PlanAmended(amended) => return self.amend(entry, amended),
            Event::RunResumed { credential, .. } => {
                self.paused = None;
                self.credential = credential.clone();
                // Another one that somebody chose stays chosen.
                self.switched = self.switched.take().filter(|it| it.credential.id == credential.id);
                self.drivers += 1;
                return Ok(());
            }
            Event::Paused { reason } => {
                self.paused = Some(reason.clone());
                return Ok(());
            }
            Event::RunEnding { reason } => {
                self.refuse_open_intent()?;
                self.paused = None;
                self.ending = Some(reason.clone());
                self.front = Front::default();
                return Ok(());
            }
            Event::RunClosed { outcome, .. } => {
                self.refuse_open_intent()?;
                self.closed = Some(*outcome);
                return Ok(());
            }
            _ => {}
        }
        let path = entry.path.as_ref().ok_or("it names no step")?;
        let planned = self.planned(path).ok_or_else(|| format!("step `{path}` is not in the plan"))?;
        if self.ending.is_some() && !planned.finally {
            return Err(format!("the run is being ended, and step `{path}` is not done any more"));
        }
        if let Event::Intended { effect, .. } = event
            && planned.second_person
            && self.step(path).is_some_and(|step| step.unseconded().any(|state| state.effect.key == *effect))
        {
            return Err(format!("no second person has agreed to effect {effect}"));
        }
        if let Event::CredentialSwitched { effect, .. } = event
            && self.effect(effect).is_none()
        {
            return Err(format!("effect {effect} was never proposed"));
        }
        let intends = matches!(event, Event::Intended { .. });
        if intends && self.open_at.as_ref().is_some_and(|open| open != path) {
            self.refuse_open_intent()?;
        }
        match (event, self.steps.get_mut(path)) {
            (Event::Expanded(expanded), _) => self.expand(path, expanded)?,
            (Event::CredentialSwitched { effect, attempt, credential, .. }, Some(step)) => {
                step.apply(entry, event, self.drivers)?;
                let left = std::mem::replace(&mut self.credential, credential.clone());
                let (effect, attempt, credential) = (effect.clone(), *attempt, credential.clone());
                self.switched = Some(Switched { effect, attempt, credential, left });
            }
            (event, Some(step)) => step.apply(entry, event, self.drivers)?,
            (event, None) => {
                let mut step = StepState::default();
                step.apply(entry, event, self.drivers)?;
                self.steps.insert(path.clone(), step);
            }
        }
        if intends {
            self.open_at = Some(path.clone());
        } else if self.open_at.as_ref() == Some(path) {
            let is_open = self.step(path).is_some_and(|step| step.effects.iter().any(EffectState::is_open));
            self.open_at = self.open_at.take().filter(|_| is_open);
        }
        Ok(())
    }

    /// What was intended and has no outcome must be settled, or said to be unknown, before the book is closed.
    fn refuse_open_intent(&self) -> Result<(), String> {
        let step = self.open_at.as_ref().and_then(|path| self.step(path));
        match step.and_then(|step| step.effects.iter().find(|state| state.is_open())) {
            Some(open) => Err(format!("effect {} has an open intent", open.effect.key)),
            None => Ok(()),
        }
    }

    fn fix(&mut self, plan: PlanSealed) {
        self.planned = plan.steps.iter().map(|step| (step.path.clone(), step.clone())).collect();
        self.plan = Some(plan);
        self.front = Front::default();
    }

    /// Takes another plan. What was begun must be in it, and what was fixed meanwhile stays where it is.
    fn amend(&mut self, entry: &Entry, amended: &PlanAmended) -> Result<(), String> {
        self.refuse_open_intent()?;
        let old = self.plan.as_ref().ok_or("the run has no plan yet")?;
        let mut plan = amended.plan.clone();
        if let Some(inner) = plan.steps.iter().find(|step| step.parent.is_some()) {
            return Err(format!("step `{}` is fixed when its turn comes, not by a plan", inner.path));
        }
        let new: HashMap<&StepPath, &PlannedStep> = plan.steps.iter().map(|step| (&step.path, &**step)).collect();
        for begun in old.steps.iter().filter(|step| step.parent.is_none() && self.steps.contains_key(&step.path)) {
            let same = |new: &&PlannedStep| new.action == begun.action && new.container == begun.container;
            if new.get(&begun.path).copied().filter(same).is_none() {
                return Err(format!("step `{}` was begun and is not in the new plan as it was", begun.path));
            }
        }
        let mut fixed: HashMap<StepPath, Vec<Arc<PlannedStep>>> = HashMap::new();
        for inner in old.steps.iter().filter(|step| step.parent.is_some()) {
            let top = StepPath::step(inner.path.ids().next().unwrap_or_default());
            if !new.contains_key(&top) {
                return Err(format!("step `{top}`, which holds `{}`, is not in the new plan", inner.path));
            }
            fixed.entry(top).or_default().push(inner.clone());
        }
        let with_inner =
            |step| fixed.remove(&Arc::<PlannedStep>::as_ref(&step).path).into_iter().flatten().chain([step]);
        plan.steps = plan.steps.into_iter().flat_map(with_inner).collect();
        self.opened.runbook_sha256 = amended.runbook_sha256.clone();
        self.amended.push(Amendment {
            changes: amended.changes.clone(),
            words: amended.words.clone(),
            by: entry.by.clone(),
            at: entry.at,
        });
        self.fix(plan);
        Ok(())
    }

    /// Takes the steps that a step holds into the plan, before it: it ends when they have.
    fn expand(&mut self, path: &StepPath, expanded: &Expanded) -> Result<(), String> {
        if let Some(known) = expanded.steps.iter().find(|new| self.planned.contains_key(&new.path)) {
            return Err(format!("step `{}` is in the plan already", known.path));
        }
        let plan = self.plan.as_mut().ok_or("the run has no plan yet")?;
        // What has ended holds no more: the step is looked for from where the plan is done to.
        let (_, open) = plan.steps.split_at(self.front.ended);
        let at = open.iter().position(|step| step.path == *path && step.container);
        let at = self.front.ended + at.ok_or_else(|| format!("step `{path}` holds no others"))?;
        let step = self.steps.get_mut(path).ok_or_else(|| format!("step `{path}` has not begun"))?;
        step.expand(expanded)?;
        self.planned.extend(expanded.steps.iter().map(|step| (step.path.clone(), step.clone())));
        plan.steps.splice(at..at, expanded.steps.iter().cloned());
        Ok(())
    }
}
