use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionSpec, Done, Estimate, Look, StepError, StepPlan};
use crate::journal::ChoreDone;
use crate::model::{Chore, Danger};

/// Writes the post-mortem as things stand.
pub(super) struct Report;

/// `report` has no parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {}

/// Output of `report`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Output {
    /// Where it lies.
    path: String,
    /// SHA-256 of what was written.
    sha256: String,
}

impl Action for Report {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "report",
        version: 1,
        summary: "Write the post-mortem as things stand",
        docs: "Writes `report.md` in the incident's directory at this point of the run, say to hand it on with `command`. \
               What people wrote between its marks is kept. It is written anew when the run rests and when it ends, so \
               the digest is that of the draft as this step left it. Where it cannot be written the step fails. A dry run \
               writes none.",
        verb: "write",
        max_danger: Danger::Observe,
        permissions: &[],
        example: "",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 0, per_zone: 0 },
    };

    async fn plan(_params: Params, _look: &Look<'_>) -> Result<StepPlan<Output>, StepError> {
        let output = Output { path: String::new(), sha256: String::new() };
        Ok(StepPlan { chore: Some(Chore::Report), ..StepPlan::seen(output, "would write the post-mortem") })
    }

    fn conclude(output: Output, done: &Done) -> Output {
        match &done.chore {
            Some(ChoreDone::Reported { file, sha256 }) => Output { path: file.clone(), sha256: sha256.to_string() },
            Some(ChoreDone::Waited { .. } | ChoreDone::Switched { .. }) | None => output,
        }
    }
}
