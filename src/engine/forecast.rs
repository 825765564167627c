//! What a dry run says: words, and no machinery.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::journal::PlannedStep;
use crate::model::{Call, Danger, Effect, EffectKey, Finding, Gap, Phase, StepPath, Target};

/// What a run would do, as far as it can be known before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// The steps, in order.
    pub steps: Vec<ForecastStep>,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
    /// What is suspicious already.
    pub findings: Vec<Finding>,
}

/// What one step would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// True where what it would send names the incident, whose id only a run brings: then no approval covers it.
    pub names_incident: bool,
    /// What it would change.
    pub effects: Vec<ForecastEffect>,
    /// Goals that are met already: name and proof.
    pub already: Vec<(String, String)>,
    /// What would have to change as well and is not proposed: name and why.
    pub not_proposed: Vec<(String, String)>,
}

/// What a step would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// What a person would be told to do; `null` where quell does it.
    pub by_hand: Option<String>,
    /// The target as it is.
    pub before: Value,
    /// The target as it would be.
    pub after: Value,
    /// Which zones it would reach, or what else; `null` where that was not seen.
    pub reach: Option<String>,
    /// Who would be cut off; `null` where that was not seen.
    pub cut_off: Option<String>,
    /// How it would be put back, or that it cannot be, in words.
    pub reversal: String,
    /// The action that puts it back; `null` where `quell undo` cannot.
    pub undo: Option<String>,
    /// False where a person chooses it row by row.
    pub preselected: bool,
    /// What is consented to.
    pub digest: crate::model::Digest,
}

/// A request that would be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastRequest {
    /// Method.
    pub method: String,
    /// Path.
    pub path: String,
    /// Body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

impl ForecastStep {
    pub(super) fn of(planned: &PlannedStep) -> Self {
        Self {
            path: planned.path.clone(),
            id: planned.path.id().to_owned(),
            phase: planned.phase,
            title: planned.title.clone(),
            action: planned.action.clone(),
            danger: planned.max_danger,
            prediction: Prediction::CannotKnow,
            summary: String::new(),
            conditional: false,
            names_incident: false,
            effects: Vec::new(),
            already: Vec::new(),
            not_proposed: Vec::new(),
        }
    }
}

impl From<Effect> for ForecastEffect {
    fn from(effect: Effect) -> Self {
        let (digest, reversal) = (effect.digest(), effect.reversal());
        let (request, outside, by_hand) = match effect.call {
            Call::Http(call) => {
                (Some(ForecastRequest { method: call.method, path: call.path, body: call.body }), None, None)
            }
            Call::Outside(call) => (None, Some(call.to_string()), None),
            Call::Hand(work) => (None, None, Some(work.instruction)),
        };
        Self {
            key: effect.key,
            action: effect.action,
            target: effect.target,
            summary: effect.summary,
            danger: effect.danger,
            request,
            outside,
            by_hand,
            before: effect.before,
            after: effect.after,
            reach: effect.radius.reach,
            cut_off: effect.radius.cut_off,
            reversal,
            undo: effect.undo.map(|undo| undo.action),
            preselected: effect.preselected,
            digest,
        }
    }
}
