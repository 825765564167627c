use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Action, ActionSpec, Done, Estimate, Look, StepError, StepPlan};
use crate::model::{AnswerKind, Ask, Danger, Question};

/// Records a decision.
pub(super) struct Decide;

/// Parameters of `decide`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// What is to be decided.
    question: String,
    /// What may be chosen.
    options: Vec<Choice>,
}

/// One option.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    /// Its id, for answers files and conditions.
    id: String,
    /// What it means.
    title: String,
}

/// Output of `decide`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(super) struct Output {
    /// Id of the option that was chosen.
    #[schemars(extend("x-ids-of" = "options"))]
    choice: String,
    /// Why.
    reason: String,
    /// Who agreed; empty where the operator decided alone.
    agreed_by: String,
}

impl Action for Decide {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "decide",
        version: 1,
        summary: "Record a decision: what was chosen, why, and who agreed",
        docs: "Shows the options, takes one of them with a reason and the names of those who agreed. Later steps may hang \
               on it: `when = '(eq steps.ID.choice \"OPTION\")'`. Sends nothing.",
        verb: "decide",
        max_danger: Danger::Observe,
        permissions: &[],
        example: "question = \"Cut now?\"\n\
                  options = [{ id = \"now\", title = \"yes\" }, { id = \"wait\", title = \"no\" }]",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 0, per_zone: 0 },
    };

    async fn plan(params: Params, _look: &Look<'_>) -> Result<StepPlan<Output>, StepError> {
        if params.options.is_empty() {
            return Err(StepError::new("there is nothing to choose from"));
        }
        let text = |name: &str, prompt: &str| Question {
            name: name.to_owned(),
            prompt: prompt.to_owned(),
            kind: AnswerKind::Text,
            required: false,
            takes: None,
        };
        let options = params.options.into_iter().map(|option| (option.id, option.title)).collect();
        let choice = Question {
            name: "choice".to_owned(),
            prompt: "Which one?".to_owned(),
            kind: AnswerKind::Choice { options },
            required: true,
            takes: None,
        };
        let questions = vec![
            choice,
            text("reason", "Why? (for the record)"),
            text("agreed_by", "Who agreed? (empty: decided alone)"),
        ];
        let ask = Ask { instruction: params.question, questions };
        Ok(StepPlan { ask: Some(ask), ..StepPlan::seen(Output::default(), "decided") })
    }

    fn conclude(_output: Output, done: &Done) -> Output {
        let field = |name: &str| done.fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Output { choice: field("choice"), reason: field("reason"), agreed_by: field("agreed_by") }
    }
}
