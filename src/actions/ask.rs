use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::action::{Action, ActionSpec, Done, Estimate, Look, StepError, StepPlan};
use crate::model::{self, AnswerKind, Danger, Question, Takes};

/// Asks people what only people know.
pub(super) struct Ask;

/// Parameters of `ask`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// What is said first.
    instruction: String,
    /// The questions, in order.
    questions: Vec<Asked>,
}

/// One question.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// The answer's name, in the answers file and in the step's output.
    name: String,
    /// What is asked.
    prompt: String,
    /// Answers to choose from; without them any text will do.
    #[serde(default)]
    options: Vec<String>,
    /// What the answer must be, where not any text will do.
    takes: Option<Kind>,
    /// Whether an answer is needed.
    #[serde(default)]
    required: bool,
}

/// What the text of an answer must be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// IP addresses, or ranges of them, separated by commas.
    Addresses,
}

/// Output of `ask`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Output {
    /// The answers, by name.
    answers: Map<String, Value>,
}

impl Action for Ask {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "ask",
        version: 1,
        summary: "Ask people what only people know",
        docs: "Shows the instruction, asks the questions one after the other, and keeps the answers in the journal and in \
               the report. Sends nothing. Do not ask for secrets: answers are not sealed.",
        verb: "answer",
        max_danger: Danger::Observe,
        permissions: &[],
        example: "instruction = \"Before this is closed, somebody takes the watch.\"\n\
                  questions = [{ name = \"owner\", prompt = \"Who?\", required = true }]",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 0, per_zone: 0 },
    };

    async fn plan(params: Params, _look: &Look<'_>) -> Result<StepPlan<Output>, StepError> {
        let questions = params.questions.into_iter().map(|asked| Question {
            name: asked.name,
            prompt: asked.prompt,
            kind: match asked.options {
                options if options.is_empty() => AnswerKind::Text,
                options => AnswerKind::Choice { options: options.into_iter().map(|id| (id.clone(), id)).collect() },
            },
            required: asked.required,
            takes: asked.takes.map(|Kind::Addresses| Takes::Addresses),
        });
        let ask = model::Ask { instruction: params.instruction, questions: questions.collect() };
        Ok(StepPlan { ask: Some(ask), ..StepPlan::seen(Output { answers: Map::new() }, "answered") })
    }

    fn conclude(_output: Output, done: &Done) -> Output {
        Output { answers: done.fields.clone() }
    }
}
