use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionSpec, Estimate, Look, StepError, StepPlan};
use crate::model::Danger;

/// Writes a line into the timeline.
pub(super) struct Note;

/// Parameters of `note`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// The words; may hold inputs and results of earlier steps.
    text: String,
}

/// Output of `note`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Output {
    /// The words as they were written down.
    text: String,
}

impl Action for Note {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "note",
        version: 1,
        summary: "Write a line into the timeline",
        docs: "The text stands in the journal and in the post-mortem at this point of the run. Nobody is asked, and nothing \
               is sent. `quell note` does the same from any terminal.",
        verb: "note",
        max_danger: Danger::Observe,
        permissions: &[],
        example: "text = \"From here on the intruder may know that we know.\"",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 0, per_zone: 0 },
    };

    async fn plan(params: Params, _look: &Look<'_>) -> Result<StepPlan<Output>, StepError> {
        let summary = params.text.clone();
        Ok(StepPlan::seen(Output { text: params.text }, summary))
    }
}
