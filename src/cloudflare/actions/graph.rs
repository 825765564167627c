//! `cloudflare.graph`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionSpec, Estimate, Look, StepError, StepPlan};
use crate::cloudflare::principals::READING;
use crate::hunt::graph::Graph as Grown;
use crate::hunt::{AuditEvent, Principal};
use crate::model::{Danger, count};

/// `cloudflare.graph`.
#[derive(Debug, Clone, Copy)]
pub struct Graph;

/// Parameters of `cloudflare.graph`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What the intruder holds; the first is the suspect.
    pub principals: Vec<Principal>,
    /// Events of the audit log.
    pub events: Vec<AuditEvent>,
}

/// Output of `cloudflare.graph`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Who made what, and what each did.
    pub graph: Grown,
    /// The same as a tree, a line for each principal.
    pub tree: Vec<String>,
    /// The same as a Mermaid flowchart.
    pub mermaid: String,
}

impl Action for Graph {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.graph",
        version: 1,
        summary: "Follow who made and widened which credential, until nothing new turns up",
        docs: "Reads nothing: follows the events that it is given from the suspect to the tokens, members, service tokens, \
               tunnels and Workers that were made or changed with it, to what those made, and so on. Of each principal it \
               says what it wrote, in which zones, and when first and last.",
        verb: "follow",
        max_danger: Danger::Observe,
        permissions: &[],
        example: "principals = []\nevents = []\n",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 0, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, _look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let tokens = params.principals.iter().filter(|held| !held.is_person());
        let suspects: Vec<String> = tokens.map(|held| held.token_id.clone()).take(1).collect();
        let graph = Grown::grow(&suspects, &params.principals, &params.events, READING);
        let tree = graph.tree().into_iter().map(|(depth, node)| {
            let made = if depth == 0 { String::new() } else { format!(", {}", node.tie.words()) };
            format!("{}{}{made}: {}", "  ".repeat(depth), node.title(), node.reach.words())
        });
        let (tree, mermaid) = (tree.collect(), graph.mermaid());
        let summary = count(graph.nodes.len(), "principal");
        Ok(StepPlan::seen(Output { graph, tree, mermaid }, summary))
    }
}
