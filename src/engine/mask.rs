//! What a look brings, without what is shaped like a secret: whoever makes a token chooses its name.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::action::StepPlan;
use crate::model::{ByHand, Call, Effect};
use crate::secret::Redactor;

/// Masks what is shown and journaled of a look, the same at every look, so that two of them can be compared.
pub(super) fn plan(plan: StepPlan<Value>, redactor: &Redactor) -> StepPlan<Value> {
    StepPlan {
        effects: plan.effects.into_iter().map(|found| effect(found, redactor)).collect(),
        findings: plan.findings.into_iter().map(|finding| masked(finding, redactor)).collect(),
        ..plan
    }
}

/// An effect whose call itself would have to be masked cannot be sent as it was written down. It becomes work by hand:
/// a name that looks like a secret must not keep the other rows from being done, nor be kept from sight.
fn effect(effect: Effect, redactor: &Redactor) -> Effect {
    let sendable = !holds_secret(&effect.call, redactor);
    let effect = masked(effect, redactor);
    if sendable {
        return effect;
    }
    let instruction = format!(
        "{}, in the dashboard. What quell would have to send holds something shaped like a secret, most likely a name that \
         was chosen to look like one; quell sends nothing that it may not write down. Go by the id.",
        effect.summary
    );
    Effect { call: Call::Hand(ByHand::new(instruction)), ..effect }
}

fn holds_secret(value: &impl Serialize, redactor: &Redactor) -> bool {
    let text = serde_json::to_string(value).unwrap_or_default();
    matches!(redactor.redact(&text), Cow::Owned(_))
}

fn masked<T: Serialize + DeserializeOwned>(value: T, redactor: &Redactor) -> T {
    if !holds_secret(&value, redactor) {
        return value;
    }
    let Ok(mut json) = serde_json::to_value(&value) else { return value };
    redactor.redact_json(&mut json);
    // Masks stand in texts only, and a text stays a text.
    serde_json::from_value(json).unwrap_or(value)
}
