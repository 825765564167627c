use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Action, ActionSpec, Done, Estimate, Look, StepError, StepPlan};
use crate::model::{AnswerKind, Ask, Danger, Question};

/// Waits until somebody says to go on.
pub(super) struct Pause;

/// Parameters of `pause`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// What is waited for.
    message: String,
}

/// Output of `pause`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Output {
    /// Who said to go on; null where nobody has.
    resumed_by: Option<String>,
}

impl Action for Pause {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "pause",
        version: 1,
        summary: "Wait until somebody says to go on",
        docs: "Shows the message and waits for the name of whoever says to go on, which is kept. Nothing hurries a person: \
               there is no time-out. Ctrl-C rests the run here, and `quell resume` asks again. A dry run does not wait.",
        verb: "go on",
        max_danger: Danger::Observe,
        permissions: &[],
        example: "message = \"Wait for the deploy team to say that production runs on the new token.\"",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 0, per_zone: 0 },
    };

    async fn plan(params: Params, _look: &Look<'_>) -> Result<StepPlan<Output>, StepError> {
        let question = Question {
            name: "resumed_by".to_owned(),
            prompt: "Who says to go on?".to_owned(),
            kind: AnswerKind::Text,
            required: true,
            takes: None,
        };
        let ask = Ask { instruction: params.message, questions: vec![question] };
        Ok(StepPlan { ask: Some(ask), ..StepPlan::seen(Output { resumed_by: None }, "went on") })
    }

    fn conclude(_output: Output, done: &Done) -> Output {
        Output { resumed_by: done.fields.get("resumed_by").and_then(Value::as_str).map(str::to_owned) }
    }
}
