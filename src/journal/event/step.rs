use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Ask, Chore, Danger, Digest, Disposition, Effect, EffectKey, EvidenceRef};

/// What a step would change and ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposed {
    /// What was seen; becomes the step's output.
    pub output: Payload,
    /// One line for people.
    pub summary: String,
    /// The changes.
    pub effects: Vec<Effect>,
    /// True where a row that is not chosen needs an owner or a reason.
    pub account_for_rest: bool,
    /// The verb that a person types for a list: `rotate 12`.
    pub verb: String,
    /// The questions.
    pub ask: Option<Ask>,
    /// What the engine itself does for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chore: Option<Chore>,
    /// Goals that are met already: name and proof.
    pub already: Vec<(String, String)>,
    /// What would have to change as well and is not proposed: name and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_proposed: Vec<(String, String)>,
}

/// Consent to one effect, as it was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The effect.
    pub effect: EffectKey,
    /// Its digest.
    pub digest: Digest,
}

/// What a consent rests on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// An answer at the prompt, or in an answers file.
    #[default]
    Typed,
    /// An approved plan that forecast the very same.
    Plan,
    /// The order to go on by itself up to this danger.
    UpTo(Danger),
}

impl Basis {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(super) const fn is_typed(&self) -> bool {
        matches!(self, Self::Typed)
    }
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitEnd {
    /// Its time is over.
    Elapsed,
    /// What was waited for holds.
    Held,
    /// A person.
    CutShort,
}

/// A row that was not chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The effect.
    pub effect: EffectKey,
    /// What becomes of it.
    #[serde(flatten)]
    pub disposition: Disposition,
}

/// A value, or where it lies if it is large.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// The value.
    Inline(Value),
    /// It is kept as evidence.
    Kept(EvidenceRef),
}

/// Who or what decided that a step is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipCause {
    /// Its `when` is false.
    When,
    /// A person.
    Person,
    /// A jump over it, by `on_failure`.
    Jump,
}

/// What settled an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettledBy {
    /// The provider's answer.
    Answer,
    /// The sealed answer, found after a crash.
    Vault,
    /// A read.
    Probe,
    /// A person.
    Person,
}

/// What a person decides about an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectDecision {
    /// Propose it again: it needs consent again, and is a new attempt.
    Retry,
    /// Take it as applied.
    Applied,
    /// Leave it.
    Abandon,
}

/// What is done about a failed step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureDecision {
    /// Begin it again.
    Retry,
    /// Go on without it.
    Continue,
    /// Go on at a later step.
    Jump(String),
}

impl FailureDecision {
    /// The words of one that nobody made: the runbook says so.
    pub const BY_RUNBOOK: &str = "as the runbook's `on_failure` says";
}
