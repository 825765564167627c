//! The dry run: every step's look, and nothing else. It is given a read side only, and no journal.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::action::{Catalogue, Look, Progress};
use crate::clock::Clock;
use crate::evidence::EvidenceSink;
use crate::journal::PlanSealed;
use crate::model::{Call, Danger, Effect, EffectKey, Finding, Gap, IncidentId, Phase, StepPath, Target};
use crate::outside::OutsideLook;
use crate::provider::ReadSide;
use crate::runbook::{Runbook, Scope, Templates, resolve};

/// What a run would do, as far as it can be known before.
#[derive(Debug, Clone, Serialize)]
pub struct Forecast {
    /// The steps, in order.
    pub steps: Vec<ForecastStep>,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
    /// What is suspicious already.
    pub findings: Vec<Finding>,
}

/// What one step would do.
#[derive(Debug, Clone, Serialize)]
pub struct ForecastStep {
    /// Its address.
    pub path: StepPath,
    /// Its id.
    pub id: String,
    /// Its phase.
    pub phase: Phase,
    /// Its title.
    pub title: String,
    /// Its action.
    pub action: String,
    /// The most harm of its effects; where they cannot be known, of its action.
    pub danger: Danger,
    /// What it would do.
    pub prediction: Prediction,
    /// In words: what was seen, or why it cannot be known.
    pub summary: String,
    /// True where its condition hangs on an answer that is not known yet.
    pub conditional: bool,
    /// What it would change.
    pub effects: Vec<ForecastEffect>,
}

/// What a step would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Prediction {
    /// It would change something.
    WillChange,
    /// Nothing: its goal is met, or it only looks.
    AlreadySo,
    /// It hangs on something that only a run brings.
    CannotKnow,
}

/// One change that a step would make.
#[derive(Debug, Clone, Serialize)]
pub struct ForecastEffect {
    /// Its key.
    pub key: EffectKey,
    /// Its action.
    pub action: String,
    /// What it touches.
    pub target: Target,
    /// What it does, in words.
    pub summary: String,
    /// How much harm it would do if it were wrong.
    pub danger: Danger,
    /// The request to the provider; `null` for all else.
    pub request: Option<ForecastRequest>,
    /// The command line, or method and address, of what is done elsewhere by quell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<String>,
    /// The target as it is.
    pub before: Value,
    /// The target as it would be.
    pub after: Value,
    /// How it would be put back: an action, or in words.
    pub undo: Option<String>,
    /// False where a person chooses it row by row.
    pub preselected: bool,
    /// What is consented to.
    pub digest: crate::model::Digest,
}

/// A request that would be sent.
#[derive(Debug, Clone, Serialize)]
pub struct ForecastRequest {
    /// Method.
    pub method: String,
    /// Path.
    pub path: String,
    /// Body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// Looks at every step in order, as a run would, and says what each would change.
///
/// Outputs of steps that would change or ask something are not known; what hangs on them is `cannot_know`.
#[expect(clippy::too_many_arguments, reason = "each is one thing that a look needs, and none belongs to another")]
pub async fn forecast(
    plan: &PlanSealed,
    runbook: &Runbook,
    catalogue: Catalogue,
    templates: &Templates,
    read: &dyn ReadSide,
    outside: &dyn OutsideLook,
    evidence: &dyn EvidenceSink,
    clock: &dyn Clock,
    progress: &dyn Progress,
) -> Forecast {
    let mut scope = Scope { inputs: plan.inputs.clone(), steps: Map::new(), incident: incident(read) };
    let mut forecast = Forecast { steps: Vec::new(), gaps: Vec::new(), findings: Vec::new() };
    for (planned, spec) in plan.steps.iter().zip(&runbook.steps) {
        let mut step = ForecastStep {
            path: planned.path.clone(),
            id: planned.path.id().to_owned(),
            phase: planned.phase,
            title: planned.title.clone(),
            action: planned.action.clone(),
            danger: planned.max_danger,
            prediction: Prediction::CannotKnow,
            summary: String::new(),
            conditional: false,
            effects: Vec::new(),
        };
        if let Some(when) = &spec.when {
            match templates.truthy(when, &scope) {
                Ok(true) => {}
                Ok(false) => {
                    step.prediction = Prediction::AlreadySo;
                    step.danger = Danger::Observe;
                    step.summary = format!("would be skipped: {when} is not met");
                    forecast.steps.push(step);
                    continue;
                }
                Err(_) => step.conditional = true,
            }
        }
        let Some(action) = catalogue.get(&planned.action) else {
            step.summary = "this version of quell does not have the action".into();
            forecast.steps.push(step);
            continue;
        };
        match resolve(&spec.with, &scope, templates) {
            Err(error) => step.summary = format!("hangs on a result that only a run brings: {error}"),
            Ok(params) => {
                let look = Look::new(read, outside, evidence, clock, progress, &planned.path);
                let looked = action.plan(params, &look).await;
                forecast.gaps.extend(look.finish().gaps);
                match looked {
                    Err(error) => step.summary = format!("cannot be looked at: {error}"),
                    Ok(seen) => {
                        let open = !seen.effects.is_empty() || seen.ask.is_some();
                        step.danger = seen.effects.iter().map(|effect| effect.danger).max().unwrap_or(Danger::Observe);
                        step.prediction = match (seen.effects.is_empty(), seen.ask.is_some()) {
                            (false, _) => Prediction::WillChange,
                            (true, true) => Prediction::CannotKnow,
                            (true, false) => Prediction::AlreadySo,
                        };
                        step.summary = seen.summary;
                        step.effects = seen.effects.into_iter().map(ForecastEffect::from).collect();
                        forecast.gaps.extend(seen.gaps);
                        forecast.findings.extend(seen.findings);
                        if !open {
                            scope.steps.insert(step.id.clone(), seen.output);
                        }
                    }
                }
            }
        }
        forecast.steps.push(step);
    }
    forecast.gaps.sort();
    forecast.gaps.dedup();
    forecast
}

impl From<Effect> for ForecastEffect {
    fn from(effect: Effect) -> Self {
        let digest = effect.digest();
        let (request, outside) = match effect.call {
            Call::Http(call) => (Some(ForecastRequest { method: call.method, path: call.path, body: call.body }), None),
            Call::Outside(call) => (None, Some(call.to_string())),
            Call::Hand(_) => (None, None),
        };
        Self {
            key: effect.key,
            action: effect.action,
            target: effect.target,
            summary: effect.summary,
            danger: effect.danger,
            request,
            outside,
            before: effect.before,
            after: effect.after,
            undo: effect.undo.map(|undo| undo.action),
            preselected: effect.preselected,
            digest,
        }
    }
}

fn incident(read: &dyn ReadSide) -> Map<String, Value> {
    let account = read.account();
    let fact = |name: &str, value: String| (name.to_owned(), Value::String(value));
    Map::from_iter([
        fact("id", IncidentId::new("dry-run").to_string()),
        fact("account_id", account.id.clone()),
        fact("account_name", account.name.clone()),
        fact("world", read.world().to_string()),
    ])
}
