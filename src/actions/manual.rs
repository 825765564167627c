use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Action, ActionSpec, Done, Estimate, Look, StepError, StepPlan};
use crate::model::{ByHand, Call, Danger, Effect, EffectKey, Radius, Target, Verdict};

/// Work that a person does elsewhere, and attests.
pub(super) struct Manual;

/// Parameters of `manual`: one instruction, or several items.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// What to do, where it is one thing.
    instruction: Option<String>,
    /// Where in the provider's dashboard.
    dashboard: Option<String>,
    /// A command line that does it; secrets are named by environment variable.
    curl: Option<String>,
    /// Several things, each attested on its own; an empty list leaves nothing to do.
    items: Option<Vec<Item>>,
}

/// One thing to do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    /// What it is called.
    title: String,
    /// What to do.
    instruction: String,
    /// Where in the provider's dashboard.
    dashboard: Option<String>,
    /// A command line that does it.
    curl: Option<String>,
}

/// Output of `manual`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(super) struct Output {
    /// What was attested.
    done: Vec<Attested>,
    /// What was not done, each with its owner or reason.
    not_done: Vec<NotDone>,
}

/// One thing that a person says was done.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Attested {
    /// What it is called.
    title: String,
    /// Who says so.
    attested_by: String,
}

/// One thing that was not done.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct NotDone {
    /// What it is called.
    title: String,
    /// Who does it later, or why it stays.
    reason: String,
}

impl Action for Manual {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "manual",
        version: 1,
        summary: "Have a person do something elsewhere, and attest it",
        docs: "Shows what to do and where. The person says who did it, and may hand in a file that shows it, which is kept \
               as evidence. quell sends nothing and cannot see whether it was done: such work is `attested`, never `proven`. \
               What is not done now gets an owner (`later`) or a reason (`keep`).",
        verb: "attest",
        max_danger: Danger::Observe,
        permissions: &[],
        example: "instruction = \"Change the global API key.\"\ndashboard = \"My Profile > API Tokens\"",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 0, per_zone: 0 },
    };

    async fn plan(params: Params, look: &Look<'_>) -> Result<StepPlan<Output>, StepError> {
        let is_told = params.instruction.is_some() || params.items.is_some();
        let mut items = params.items.unwrap_or_default();
        if let Some(instruction) = params.instruction {
            let title = look.path.id().to_owned();
            items.insert(0, Item { title, instruction, dashboard: params.dashboard, curl: params.curl });
        }
        if !is_told {
            return Err(StepError::new("`manual` needs an `instruction`, or `items`"));
        }
        if items.is_empty() {
            return Ok(StepPlan::seen(Output::default(), "nothing is left to do by hand"));
        }
        let effects: Vec<Effect> = items.into_iter().map(|item| effect(look, item)).collect();
        let summary = format!("{} to do by hand", effects.len());
        Ok(StepPlan { effects, account_for_rest: true, ..StepPlan::seen(Output::default(), summary) })
    }

    async fn verify(_effect: &Effect, receipt: Option<&Value>, _look: &Look<'_>) -> Verdict {
        let who = receipt.and_then(|receipt| receipt["attested_by"].as_str()).unwrap_or("somebody");
        Verdict::CannotTell(format!("attested by {who}; nothing that quell can read shows it"))
    }

    fn conclude(_output: Output, done: &Done) -> Output {
        let mut output = Output::default();
        for ended in &done.effects {
            let title = ended.effect.target.name.clone();
            match &ended.left {
                Some(reason) => output.not_done.push(NotDone { title, reason: reason.clone() }),
                None => {
                    let attested_by = ended.receipt["attested_by"].as_str().unwrap_or_default().to_owned();
                    output.done.push(Attested { title, attested_by });
                }
            }
        }
        output
    }
}

fn effect(look: &Look<'_>, item: Item) -> Effect {
    Effect {
        key: EffectKey::derive(look.path.as_str(), Manual::SPEC.id, "work", &item.title),
        action: Manual::SPEC.id.to_owned(),
        target: Target { kind: "work".to_owned(), id: item.title.clone(), name: item.title.clone(), ambiguous: false },
        summary: item.title,
        danger: Danger::Observe,
        call: Call::Hand(ByHand { dashboard: item.dashboard, curl: item.curl, ..ByHand::new(item.instruction) }),
        before: Value::Null,
        after: Value::Null,
        radius: Radius::default(),
        consequences: Vec::new(),
        facts: Vec::new(),
        preselected: true,
        undo: None,
        resolves: None,
    }
}
