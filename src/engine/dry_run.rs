//! The dry run: every step's look, and nothing else. It is given a read side only, and no journal.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::contents::{Contents, contents, scope_of_item};
use super::expand::result_of;
use super::forecast::{Forecast, ForecastEffect, ForecastStep, Prediction};
use super::mask;
use super::plan::Instances;
use crate::action::{Catalogue, Look, Safeguards};
use crate::clock::Clock;
use crate::evidence::EvidenceSink;
use crate::journal::{PlanSealed, PlannedStep};
use crate::model::{Chore, Danger};
use crate::outside::OutsideLook;
use crate::provider::{BoxFuture, Leaked, Progress, ReadSide};
use crate::runbook::{Place, Runbook, Scope, StepSpec, Templates, named, resolve};
use crate::secret::Redactor;

/// Looks at every step in order, as a run would, and says what each would change.
///
/// Outputs of steps that would change or ask something are not known; what hangs on them is `cannot_know`. Of a repeated
/// group one round is looked at.
pub async fn forecast(plan: &PlanSealed, bench: &DryBench<'_>) -> Forecast {
    let scope =
        Scope { inputs: plan.inputs.clone(), steps: Map::new(), incident: incident(bench.read), items: Map::new() };
    let mut dry = DryRun {
        bench,
        seen: Forecast { steps: Vec::new(), gaps: Vec::new(), findings: Vec::new() },
        unknown: BTreeSet::new(),
    };
    let steps = plan.steps.iter().map(|step| PlannedStep::clone(step)).collect();
    dry.list(steps, scope).await;
    let mut forecast = dry.seen;
    forecast.gaps.sort();
    forecast.gaps.dedup();
    forecast
}

/// What a dry run works with: nothing that could write.
#[derive(Clone, Copy)]
pub struct DryBench<'a> {
    /// The runbook that the plan was made from.
    pub runbook: &'a Runbook,
    /// The actions.
    pub catalogue: Catalogue,
    /// The text renderer.
    pub templates: &'a Templates,
    /// The provider's read side.
    pub read: &'a dyn ReadSide,
    /// The value that leaked, where it is at hand to be tried: that reads.
    pub leaked: Option<&'a dyn Leaked>,
    /// What lies outside the provider, to look at.
    pub outside: &'a dyn OutsideLook,
    /// Where answers go.
    pub evidence: &'a dyn EvidenceSink,
    /// Masks what is shaped like a secret.
    pub redactor: &'a Redactor,
    /// What must not be touched.
    pub safeguards: &'a Safeguards,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Shows how far long reads are.
    pub progress: &'a dyn Progress,
}

/// Stands for the id of the incident, which only a run brings.
const INCIDENT: &str = "INCIDENT-ID";

struct DryRun<'a> {
    bench: &'a DryBench<'a>,
    seen: Forecast,
    /// Ids of steps that a run would do, with a result that nobody knows before.
    unknown: BTreeSet<String>,
}

/// What a step would bring.
enum Outcome {
    Known(Value),
    Unknown,
    Skipped,
}

impl DryRun<'_> {
    /// Looks at the steps of a list; returns the outputs that are known, and whether all are.
    fn list(&mut self, steps: Vec<PlannedStep>, mut scope: Scope) -> BoxFuture<'_, (Map<String, Value>, bool)> {
        Box::pin(async move {
            let (mut known, mut all) = (Map::new(), true);
            for planned in steps {
                let id = planned.path.id().to_owned();
                match self.one(&planned, &scope).await {
                    Outcome::Known(output) => {
                        scope.steps.insert(id.clone(), output.clone());
                        known.insert(id, output);
                    }
                    Outcome::Unknown => {
                        all = false;
                        self.unknown.insert(id);
                    }
                    Outcome::Skipped => {}
                }
            }
            (known, all)
        })
    }

    /// Looks at one step.
    async fn one(&mut self, planned: &PlannedStep, scope: &Scope) -> Outcome {
        let bench = self.bench;
        let Some(place) = bench.runbook.locate(&planned.path) else { return Outcome::Unknown };
        let spec = place.step;
        let mut step = ForecastStep::of(planned);
        // The condition of a step that makes others is judged once, before.
        let when = spec.when.as_ref().filter(|_| planned.container || spec.foreach.is_none());
        match when.map(|when| (when, bench.templates.truthy(when, scope))) {
            None | Some((_, Ok(true))) => {}
            Some((_, Err(_))) => step.conditional = true,
            Some((when, Ok(false))) => {
                step.prediction = Prediction::AlreadySo;
                step.danger = Danger::Observe;
                step.summary = format!("would be skipped: {when} is not met");
                self.seen.steps.push(step);
                return Outcome::Skipped;
            }
        }
        // A default is for a step that was left out, not for one whose result nobody knows yet.
        let given = spec.given();
        if let Some(open) = named("steps", &given).find(|id| self.unknown.contains(*id)) {
            step.summary = format!("hangs on the result of `{open}`, which only a run brings");
            self.seen.steps.push(step);
            return Outcome::Unknown;
        }
        if planned.container {
            return self.container(planned, place, step, scope).await;
        }
        let output = self.look(planned, spec, &mut step, scope).await;
        self.seen.steps.push(step);
        output.map_or(Outcome::Unknown, Outcome::Known)
    }

    /// Looks at what a step holds or makes, and says of the step itself what that comes to.
    async fn container(
        &mut self,
        planned: &PlannedStep,
        place: Place<'_>,
        mut step: ForecastStep,
        scope: &Scope,
    ) -> Outcome {
        let (bench, spec) = (self.bench, place.step);
        let contents = match contents(spec, scope, bench.templates, bench.clock.now()) {
            Ok(contents) => contents,
            Err(error) => {
                step.summary = format!("hangs on a result that only a run brings: {error}");
                self.seen.steps.push(step);
                return Outcome::Unknown;
            }
        };
        let instances = Instances { catalogue: bench.catalogue, templates: bench.templates };
        let steps = instances.within(planned, place, 1, &contents, scope);
        let at = self.seen.steps.len();
        step.summary = match (&contents.items, &spec.repeat) {
            (Some(items), _) => format!("once for each of {} items", items.len()),
            (None, Some(repeat)) => {
                format!("until {}, at most {} rounds; the first is looked at here", repeat.until, repeat.max)
            }
            (None, None) => format!("{} steps", steps.len()),
        };
        if let Some(called) = &spec.calls {
            step.summary = format!("the runbook `{}`: {}", called.name, step.summary);
        }
        self.seen.steps.push(step);
        // A called runbook sees its own steps only, and an id may be used in both.
        let outside = spec.calls.as_ref().map(|_| std::mem::take(&mut self.unknown));
        let (output, known) = match &contents.items {
            None => {
                let (outputs, known) = self.list(steps, contents.scope_inside(None, scope).into_owned()).await;
                (Value::Object(outputs), known)
            }
            Some(items) => self.each(spec, &contents, items, steps, scope).await,
        };
        if let Some(outside) = outside {
            self.unknown = outside;
        }
        let inside = &self.seen.steps[at + 1..];
        let prediction = if inside.iter().any(|step| step.prediction == Prediction::WillChange) {
            Prediction::WillChange
        } else if spec.repeat.is_some() || inside.iter().any(|step| step.prediction == Prediction::CannotKnow) {
            Prediction::CannotKnow
        } else {
            Prediction::AlreadySo
        };
        let danger = inside.iter().map(|step| step.danger).max().unwrap_or(Danger::Observe);
        let own = &mut self.seen.steps[at];
        (own.prediction, own.danger) = (prediction, danger);
        if known && spec.repeat.is_none() { Outcome::Known(output) } else { Outcome::Unknown }
    }

    async fn each(
        &mut self,
        spec: &StepSpec,
        contents: &Contents,
        items: &Map<String, Value>,
        steps: Vec<PlannedStep>,
        scope: &Scope,
    ) -> (Value, bool) {
        let (mut results, mut all) = (Vec::new(), true);
        let mut steps = steps.into_iter().peekable();
        let mut scope = scope.clone();
        for (key, item) in items {
            let of = std::iter::from_fn(|| steps.next_if(|step| step.key.as_ref() == Some(key))).collect();
            scope_of_item(spec, item, &mut scope);
            let (outputs, known) = self.list(of, contents.scope_inside(Some(key), &scope).into_owned()).await;
            if spec.calls.is_some() {
                self.unknown.clear(); // Each item has a runbook of its own.
            }
            all &= known;
            results.push(result_of(spec, key, item, outputs));
        }
        (json!({ "results": results }), all)
    }

    /// The action's look.
    async fn look(
        &mut self,
        planned: &PlannedStep,
        spec: &StepSpec,
        step: &mut ForecastStep,
        scope: &Scope,
    ) -> Option<Value> {
        let bench = self.bench;
        let Some(action) = bench.catalogue.get(&planned.action) else {
            step.summary = "this version of quell does not have the action".into();
            return None;
        };
        let params = match resolve(&spec.with, scope, bench.templates) {
            Ok(params) => params,
            Err(error) => {
                step.summary = format!("hangs on a result that only a run brings: {error}");
                return None;
            }
        };
        let (read, outside) = (bench.read, bench.outside);
        let path = &planned.path;
        let look = Look::new(read, outside, bench.evidence, bench.clock, bench.progress, bench.safeguards, path)
            .with_leaked(bench.leaked);
        let looked = action.plan(params, &look).await;
        self.seen.gaps.extend(look.finish().gaps);
        let seen = match looked {
            Ok(seen) => mask::plan(seen, bench.redactor),
            Err(error) => {
                step.summary = format!("cannot be looked at: {error}");
                return None;
            }
        };
        let open = !seen.effects.is_empty() || seen.ask.is_some() || seen.chore.is_some();
        step.danger = seen.effects.iter().map(|effect| effect.danger).max().unwrap_or(Danger::Observe);
        // Time passes in any case; whether a condition will hold nobody knows.
        let hangs = seen.ask.is_some()
            || match &seen.chore {
                Some(Chore::Wait(wait)) => wait.every.is_some(),
                Some(Chore::Switch { .. }) => true,
                Some(Chore::Report) | None => false,
            };
        step.prediction = match (seen.effects.is_empty(), hangs) {
            (false, _) => Prediction::WillChange,
            (true, true) => Prediction::CannotKnow,
            (true, false) => Prediction::AlreadySo,
        };
        step.summary = seen.summary;
        step.names_incident = seen.effects.iter().any(|effect| json!(effect).to_string().contains(INCIDENT));
        step.effects = seen.effects.into_iter().map(ForecastEffect::from).collect();
        step.already = seen.already;
        step.not_proposed = seen.not_proposed;
        self.seen.gaps.extend(seen.gaps);
        self.seen.findings.extend(seen.findings);
        (!open).then_some(seen.output)
    }
}

fn incident(read: &dyn ReadSide) -> Map<String, Value> {
    let account = read.account();
    let fact = |name: &str, value: String| (name.to_owned(), Value::String(value));
    Map::from_iter([
        fact("id", INCIDENT.to_owned()),
        fact("account_id", account.id.clone()),
        fact("account_name", account.name.clone()),
        fact("world", read.world().to_string()),
    ])
}
