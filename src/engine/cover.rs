//! Consent that was given beforehand: which of a step's effects an approved plan or an order covers, and why all else
//! is asked for. Pure.

use std::fmt;

use super::ports::{Drift, DriftFrom};
use super::{ForecastEffect, ForecastStep, Prediction};
use crate::journal::{Basis, EffectState, EffectStatus, PlanApproved, PlannedEffect};
use crate::model::{Call, Danger, Effect, EffectKey, StepPath};
use crate::runbook::{Confirm, Runbook};

/// What there is of consent before a step shows what it would change.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beforehand<'a> {
    /// The approved plan.
    pub plan: Option<&'a PlanApproved>,
    /// The order to go on by itself up to this danger.
    pub up_to: Option<Danger>,
    /// What was prepared for the step.
    pub prepared: Prepared,
    /// Effects whose targets are as the run itself has left them: that they are not as forecast is no news.
    pub made: &'a [&'a EffectKey],
}

/// What whoever answers prompts has prepared for a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Prepared {
    /// Nothing.
    #[default]
    Nothing,
    /// That it is to be done.
    Run,
    /// That it is not, or only some of its rows: a choice of its own, which goes before plan and order.
    Choice,
}

/// Whether an effect is consented to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// It is, and by what.
    By(Basis),
    /// It is asked for, and why.
    Ask(Asked),
}

/// Why an effect is asked for although consent was given beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// None was given.
    Plainly,
    /// A person does it.
    ByHand,
    /// It was tried before: each further try has a consent of its own.
    TriedBefore,
    /// It cannot be put back.
    Irreversible,
    /// Its row starts unselected, so that nobody has chosen it yet.
    NotChosen,
    /// The answers file leaves it, or chooses among the rows.
    Prepared,
    /// The runbook's `confirm` asks for more than its danger does.
    Stricter,
    /// It does more harm than the order covers.
    Beyond(Danger),
    /// The plan could not know what its step would bring.
    NotForecast,
    /// The plan looked at its step, and it was not there.
    New,
    /// It is not what the plan forecast.
    Changed,
    /// The run itself has changed the target since.
    Made,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plainly => "no consent was given beforehand",
            Self::ByHand => "a person does it",
            Self::TriedBefore => "it was tried before, and each further try has a consent of its own",
            Self::Irreversible => "what cannot be put back is never consented to beforehand",
            Self::NotChosen => "rows that start unselected are a person's choice",
            Self::Prepared => "the answers file has the word",
            Self::Stricter => "the runbook's `confirm` asks for more than the danger does",
            Self::Beyond(up_to) => return write!(f, "it is more than {up_to}, up to which the run goes by itself"),
            Self::NotForecast => "the approved plan could not know what this step would bring",
            Self::New => "the approved plan does not have it",
            Self::Changed => "it is not what the approved plan forecast",
            Self::Made => "an earlier step has changed the target, so that it is not what the approved plan forecast",
        })
    }
}

/// Whether the effect of `state` at `path` is consented to by what there is beforehand. `at_least` is what the runbook's
/// `confirm` asks for.
///
/// Never covered, whatever was approved or ordered: work by hand, what was tried before, what cannot be put back, and
/// rows that start unselected. What differs from an approved plan is asked for even where an order would cover it.
pub fn cover(state: &EffectState, path: &StepPath, at_least: Option<Danger>, beforehand: &Beforehand<'_>) -> Cover {
    if beforehand.plan.is_none() && beforehand.up_to.is_none() {
        return Cover::Ask(Asked::Plainly);
    }
    let effect = &state.effect;
    let never = if matches!(effect.call, Call::Hand(_)) {
        Some(Asked::ByHand)
    } else if !state.attempts.is_empty() {
        Some(Asked::TriedBefore)
    } else if beforehand.prepared == Prepared::Choice {
        Some(Asked::Prepared)
    } else if effect.danger == Danger::Irreversible {
        Some(Asked::Irreversible)
    } else if effect.preselected {
        None
    } else {
        Some(Asked::NotChosen)
    };
    if let Some(why) = never {
        return Cover::Ask(why);
    }
    let by_plan = beforehand.plan.map(|plan| by_plan(effect, path, at_least, plan, beforehand.made));
    let by_order = beforehand.up_to.map(|up_to| by_order(effect, at_least, up_to, beforehand.prepared));
    match (by_plan, by_order) {
        (Some(Ok(())), _) => Cover::By(Basis::Plan),
        (Some(Err(why @ (Asked::New | Asked::Changed))), _) => Cover::Ask(why),
        (_, Some(Ok(up_to))) => Cover::By(Basis::UpTo(up_to)),
        (_, Some(Err(why))) | (Some(Err(why)), None) => Cover::Ask(why),
        (None, None) => Cover::Ask(Asked::Plainly),
    }
}

fn by_plan(
    effect: &Effect,
    path: &StepPath,
    at_least: Option<Danger>,
    plan: &PlanApproved,
    made: &[&EffectKey],
) -> Result<(), Asked> {
    match plan.effects.iter().find(|planned| planned.key == effect.key) {
        None if plan.looked_at.contains(path) => Err(Asked::New),
        None => Err(Asked::NotForecast),
        Some(planned) if planned.digest != effect.digest() && made.contains(&&effect.key) => Err(Asked::Made),
        Some(planned) if planned.digest != effect.digest() => Err(Asked::Changed),
        Some(_) if at_least == Some(Danger::Irreversible) => Err(Asked::Stricter),
        // Nobody was told that it would go without asking.
        Some(planned) if planned.asked => Err(Asked::NotChosen),
        Some(_) => Ok(()),
    }
}

fn by_order(effect: &Effect, at_least: Option<Danger>, up_to: Danger, prepared: Prepared) -> Result<Danger, Asked> {
    if prepared == Prepared::Run {
        Err(Asked::Prepared)
    } else if at_least.is_some_and(|asked| asked > effect.danger) {
        Err(Asked::Stricter)
    } else if effect.danger > up_to {
        Err(Asked::Beyond(up_to))
    } else {
        Ok(up_to)
    }
}

/// How the undecided effects of a step differ from what `plan` forecast of it. What the plan could not know does not
/// differ from it, nor does what the run itself has `made`.
pub fn drifted(effects: &[EffectState], path: &StepPath, plan: &PlanApproved, made: &[&EffectKey]) -> Vec<Drift> {
    let undecided = effects.iter().filter(|state| state.status == EffectStatus::Proposed && state.attempts.is_empty());
    let from = |effect: &Effect| match plan.effects.iter().find(|planned| planned.key == effect.key) {
        Some(planned) if planned.digest == effect.digest() || made.contains(&&effect.key) => None,
        Some(planned) => Some(DriftFrom::Forecast { before: planned.before.clone(), danger: planned.danger }),
        None if plan.looked_at.contains(path) => Some(DriftFrom::Nothing),
        None => None,
    };
    let drift = |state: &EffectState| {
        let effect = &state.effect;
        Some(Drift { key: effect.key.clone(), from: from(effect)?, now: effect.before.clone() })
    };
    undecided.filter_map(drift).collect()
}

/// What an approval of the forecast of `runbook` holds: the steps that could be looked at, and all effects, each with
/// why it is asked for all the same; `None` where the approval covers it.
pub fn to_approve(steps: &[ForecastStep], runbook: &Runbook) -> (Vec<StepPath>, Vec<(PlannedEffect, Option<Asked>)>) {
    // What names the incident is never the same again; it is asked for like what nobody can know.
    let is_known = |step: &&ForecastStep| step.prediction != Prediction::CannotKnow && !step.names_incident;
    let looked_at = steps.iter().filter(is_known).map(|step| step.path.clone()).collect();
    let mut effects = Vec::new();
    for step in steps.iter().filter(is_known) {
        let confirm = runbook.locate(&step.path).and_then(|place| place.step.confirm).map(Confirm::at_least);
        for effect in &step.effects {
            let asked = why_asked(effect, confirm);
            let planned = PlannedEffect {
                key: effect.key.clone(),
                path: step.path.clone(),
                summary: effect.summary.clone(),
                danger: effect.danger,
                digest: effect.digest.clone(),
                before: effect.before.clone(),
                asked: asked.is_some(),
            };
            effects.push((planned, asked));
        }
    }
    (looked_at, effects)
}

/// Why no approval covers an effect; `None` where one does.
fn why_asked(effect: &ForecastEffect, confirm: Option<Danger>) -> Option<Asked> {
    if effect.by_hand.is_some() {
        Some(Asked::ByHand)
    } else if effect.danger == Danger::Irreversible {
        Some(Asked::Irreversible)
    } else if !effect.preselected {
        Some(Asked::NotChosen)
    } else if confirm == Some(Danger::Irreversible) {
        Some(Asked::Stricter)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::{Asked, Beforehand, Cover, Prepared, cover, drifted};
    use crate::engine::DriftFrom;
    use crate::journal::{Attempt, Basis, EffectState, EffectStatus, PlanApproved, PlannedEffect};
    use crate::model::{ByHand, Call, Danger, Digest, Effect, EffectKey, HttpCall, Radius, StepPath, Target};

    fn effect(id: &str, danger: Danger) -> Effect {
        Effect {
            key: EffectKey::new(id),
            action: "a".into(),
            target: Target { kind: "token".into(), id: id.into(), name: id.into(), ambiguous: false },
            summary: format!("disable {id}"),
            danger,
            call: Call::Http(HttpCall { method: "PUT".into(), path: "/t".into(), body: None, secret_answer: false }),
            before: json!({ "status": "active" }),
            after: Value::Null,
            radius: Radius::default(),
            consequences: Vec::new(),
            facts: Vec::new(),
            preselected: true,
            undo: None,
            resolves: None,
        }
    }

    fn plan(effects: &[Effect]) -> PlanApproved {
        let planned = |effect: &Effect| PlannedEffect {
            key: effect.key.clone(),
            path: path(),
            summary: effect.summary.clone(),
            danger: effect.danger,
            digest: effect.digest(),
            before: effect.before.clone(),
            asked: false,
        };
        PlanApproved {
            file: Digest::of(b"plan"),
            made_at: Timestamp::UNIX_EPOCH,
            looked_at: vec![path()],
            effects: effects.iter().map(planned).collect(),
            phrase: "p".into(),
            by_file: false,
        }
    }

    fn path() -> StepPath {
        StepPath::step("cut")
    }

    fn asks(effect: &Effect, at_least: Option<Danger>, beforehand: Beforehand<'_>) -> Cover {
        cover(&EffectState::new(effect.clone()), &path(), at_least, &beforehand)
    }

    #[test]
    fn nothing_is_covered_where_nothing_was_given() {
        let one = effect("t1", Danger::Reversible);
        assert_eq!(asks(&one, None, Beforehand::default()), Cover::Ask(Asked::Plainly));
    }

    #[test]
    fn a_plan_covers_the_very_same_and_nothing_else() {
        let one = effect("t1", Danger::Disruptive);
        let approved = plan(std::slice::from_ref(&one));
        let by = Beforehand { plan: Some(&approved), ..Beforehand::default() };
        for at_least in [None, Some(Danger::Reversible), Some(Danger::Disruptive)] {
            assert_eq!(asks(&one, at_least, by), Cover::By(Basis::Plan));
        }
        assert_eq!(asks(&one, Some(Danger::Irreversible), by), Cover::Ask(Asked::Stricter));
        let changed = Effect { before: json!({ "status": "active", "name": "x" }), ..one.clone() };
        assert_eq!(asks(&changed, None, by), Cover::Ask(Asked::Changed));
        let worse = Effect { danger: Danger::Reversible, ..one.clone() };
        assert_eq!(asks(&worse, None, by), Cover::Ask(Asked::Changed));
        assert_eq!(asks(&effect("t2", Danger::Reversible), None, by), Cover::Ask(Asked::New));
        let elsewhere = EffectState::new(effect("t2", Danger::Reversible));
        assert_eq!(cover(&elsewhere, &StepPath::step("late"), None, &by), Cover::Ask(Asked::NotForecast));
        let mut asked = approved.clone();
        asked.effects[0].asked = true;
        assert_eq!(asks(&one, None, Beforehand { plan: Some(&asked), ..by }), Cover::Ask(Asked::NotChosen));
    }

    #[test]
    fn an_order_covers_what_is_no_worse_and_asks_for_no_more() {
        use Danger::{Disruptive, Irreversible, Reversible};
        for (danger, at_least, up_to, wanted) in [
            (Reversible, None, Reversible, Cover::By(Basis::UpTo(Reversible))),
            (Reversible, Some(Reversible), Disruptive, Cover::By(Basis::UpTo(Disruptive))),
            (Disruptive, Some(Disruptive), Disruptive, Cover::By(Basis::UpTo(Disruptive))),
            (Disruptive, None, Reversible, Cover::Ask(Asked::Beyond(Reversible))),
            (Reversible, Some(Disruptive), Disruptive, Cover::Ask(Asked::Stricter)),
            (Reversible, Some(Irreversible), Disruptive, Cover::Ask(Asked::Stricter)),
            (Irreversible, None, Irreversible, Cover::Ask(Asked::Irreversible)),
        ] {
            let by = Beforehand { up_to: Some(up_to), ..Beforehand::default() };
            assert_eq!(asks(&effect("t1", danger), at_least, by), wanted, "{danger} {at_least:?} {up_to}");
        }
    }

    #[test]
    fn what_only_a_person_decides_is_never_covered() {
        let one = effect("t1", Danger::Reversible);
        let approved = plan(std::slice::from_ref(&one));
        let by = Beforehand { plan: Some(&approved), up_to: Some(Danger::Disruptive), ..Beforehand::default() };
        assert_eq!(asks(&one, None, by), Cover::By(Basis::Plan));
        let work = ByHand::new("x");
        let hand = Effect { call: Call::Hand(work), ..one.clone() };
        assert_eq!(asks(&hand, None, by), Cover::Ask(Asked::ByHand));
        let unselected = Effect { preselected: false, ..one.clone() };
        assert_eq!(asks(&unselected, None, by), Cover::Ask(Asked::NotChosen));
        let mut tried = EffectState::new(one.clone());
        tried.attempts.push(Attempt::default());
        assert_eq!(cover(&tried, &path(), None, &by), Cover::Ask(Asked::TriedBefore));
        assert!(drifted(&[tried], &path(), &approved, &[]).is_empty());
    }

    #[test]
    fn what_the_answers_file_says_goes_before() {
        let one = effect("t1", Danger::Reversible);
        let approved = plan(std::slice::from_ref(&one));
        for (prepared, by_plan, by_order) in [
            (Prepared::Nothing, Cover::By(Basis::Plan), Cover::By(Basis::UpTo(Danger::Reversible))),
            (Prepared::Run, Cover::By(Basis::Plan), Cover::Ask(Asked::Prepared)),
            (Prepared::Choice, Cover::Ask(Asked::Prepared), Cover::Ask(Asked::Prepared)),
        ] {
            let plan = Beforehand { plan: Some(&approved), prepared, ..Beforehand::default() };
            let order = Beforehand { up_to: Some(Danger::Reversible), prepared, ..Beforehand::default() };
            assert_eq!((asks(&one, None, plan), asks(&one, None, order)), (by_plan, by_order), "{prepared:?}");
        }
    }

    #[test]
    fn an_order_goes_on_where_a_plan_could_not_know_and_not_where_it_knew_better() {
        let one = effect("t1", Danger::Reversible);
        let approved = plan(std::slice::from_ref(&one));
        let by = Beforehand { plan: Some(&approved), up_to: Some(Danger::Reversible), ..Beforehand::default() };
        let changed = Effect { before: Value::Null, ..one };
        assert_eq!(asks(&changed, None, by), Cover::Ask(Asked::Changed));
        let new = effect("t2", Danger::Reversible);
        assert_eq!(asks(&new, None, by), Cover::Ask(Asked::New));
        let of_the_run = Beforehand { made: &[&changed.key], ..by };
        assert_eq!(asks(&changed, None, of_the_run), Cover::By(Basis::UpTo(Danger::Reversible)));
        assert_eq!(asks(&changed, None, Beforehand { up_to: None, ..of_the_run }), Cover::Ask(Asked::Made));
        assert!(drifted(&[EffectState::new(changed.clone())], &path(), &approved, &[&changed.key]).is_empty());
        let late = cover(&EffectState::new(new), &StepPath::step("late"), None, &by);
        assert_eq!(late, Cover::By(Basis::UpTo(Danger::Reversible)));
    }

    #[test]
    fn drift_is_told_with_before_and_now() {
        let (one, two) = (effect("t1", Danger::Reversible), effect("t2", Danger::Reversible));
        let approved = plan(&[one.clone(), two.clone()]);
        let changed = Effect { before: json!({ "status": "new" }), danger: Danger::Disruptive, ..one };
        let mut done = EffectState::new(Effect { before: Value::Null, ..two });
        done.status = EffectStatus::Finished;
        let states = [EffectState::new(changed), done, EffectState::new(effect("t3", Danger::Reversible))];
        let found: Vec<_> = drifted(&states, &path(), &approved, &[])
            .into_iter()
            .map(|drift| (drift.key.to_string(), drift.from, drift.now["status"].clone()))
            .collect();
        let forecast = DriftFrom::Forecast { before: json!({ "status": "active" }), danger: Danger::Reversible };
        assert_eq!(
            found,
            [("t1".to_owned(), forecast, json!("new")), ("t3".to_owned(), DriftFrom::Nothing, json!("active")),]
        );
        assert!(drifted(&states, &StepPath::step("late"), &plan(&[]), &[]).is_empty(), "it could not be looked at");
    }
}
