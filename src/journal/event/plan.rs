use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::step::Payload;
use crate::model::{Danger, Digest, EffectKey, Phase, StepPath};

/// The fixed plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanSealed {
    /// Binds runbook bytes, inputs, action versions, account and host.
    pub digest: Digest,
    /// The inputs; secret ones as the names of variables.
    pub inputs: Map<String, Value>,
    /// Every step instance, in order.
    pub steps: Vec<Arc<PlannedStep>>,
    /// Kinds of resource that no action of this runbook looks at.
    pub not_examined: Vec<String>,
    /// The runbooks that its steps call, and those that these call, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nested: Vec<NestedRunbook>,
    /// Digests of the files that inputs name, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, Digest>,
    /// The version of every action that its steps use, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub actions: BTreeMap<String, u32>,
}

/// A runbook that a step of another one calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NestedRunbook {
    /// The name that the step calls it by.
    pub name: String,
    /// Digest of its bytes.
    pub sha256: Digest,
    /// Where it was found: a path, or `embedded`.
    pub source: String,
}

/// Consent to what was forecast, given before the run came to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanApproved {
    /// Digest of all that the plan's file says, as the file itself names it.
    pub file: Digest,
    /// When the plan was made.
    pub made_at: Timestamp,
    /// The steps that could be looked at when it was made: what else they bring is new.
    pub looked_at: Vec<StepPath>,
    /// The effects, as they were forecast.
    pub effects: Vec<PlannedEffect>,
    /// What was typed.
    pub phrase: String,
    /// True where it stood in the file that answers prompts, and nobody typed it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_file: bool,
}

/// An effect of an approved plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedEffect {
    /// Its key.
    pub key: EffectKey,
    /// The step that brings it.
    pub path: StepPath,
    /// What it does, in words.
    pub summary: String,
    /// How much harm it would do if it were wrong.
    pub danger: Danger,
    /// Its digest.
    pub digest: Digest,
    /// The target as it was forecast.
    pub before: Value,
    /// True where the approval does not cover it: it is asked for when its turn comes.
    #[serde(default, skip_serializing_if = "is_false")]
    pub asked: bool,
}

impl PlanApproved {
    /// How many effects are consented to by it.
    pub fn covered(&self) -> usize {
        self.effects.iter().filter(|effect| !effect.asked).count()
    }
}

/// What the run is bound to from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanAmended {
    /// The new plan, without the steps that were fixed while the run went.
    pub plan: PlanSealed,
    /// Digest of the runbook's bytes.
    pub runbook_sha256: Digest,
    /// Every difference, in words.
    pub changes: Vec<String>,
    /// Why it goes on all the same, in the person's words.
    pub words: String,
}

/// The steps that a step holds or makes, fixed once and never computed again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expanded {
    /// The round, from 1; a step without `repeat` has one.
    pub round: u32,
    /// The items of its list by key, in order; empty where it has no list.
    pub items: Payload,
    /// For a step that calls a runbook: the inputs that it is given, by the key of the item; without a list, under an
    /// empty key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Payload>,
    /// Digests of the files that these inputs name, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, Digest>,
    /// The steps, in order.
    pub steps: Vec<Arc<PlannedStep>>,
}

/// One step instance of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Its address.
    pub path: StepPath,
    /// Its phase.
    pub phase: Phase,
    /// Its title.
    pub title: String,
    /// Why it is done.
    pub why: Option<String>,
    /// Id of its action.
    pub action: String,
    /// The most harm that the action can do.
    pub max_danger: Danger,
    /// True where it does nothing itself: it stands behind the steps that it holds or makes, and ends when they have.
    #[serde(default, skip_serializing_if = "is_false")]
    pub container: bool,
    /// The step that holds or made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<StepPath>,
    /// In which round of its parent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub round: u32,
    /// For which item of its parent's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// True where it is done in any case, also when the run was ended early.
    #[serde(default, skip_serializing_if = "is_false")]
    pub finally: bool,
    /// False where no person may skip it.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub skippable: bool,
    /// True where nothing is sent before somebody else than who consented has agreed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub second_person: bool,
    /// Ids of the steps that require it or use its output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needed_by: Vec<String>,
}

impl PlannedStep {
    /// Whether it stands in the same list as `other`, in the same round and for the same item.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.parent == other.parent && self.round == other.round && self.key == other.key
    }

    /// The address that a step called `id` has beside it.
    pub fn beside(&self, id: &str) -> StepPath {
        match &self.parent {
            None => StepPath::step(id),
            Some(parent) => StepPath::within(parent, id, (self.round > 0).then_some(self.round), self.key.as_deref()),
        }
    }
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_true(flag: &bool) -> bool {
    *flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}
