use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{
    Account, Ask, CredentialFacts, Danger, Digest, Disposition, Effect, EffectKey, EvidenceRef, Finding, FindingStatus,
    Gap, IncidentId, Outcome, Phase, RunId, StepPath, Verdict, World,
};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Format version.
    pub v: u32,
    /// Position, from 1 and without holes. Order is by this number; the clock is only shown.
    pub seq: u64,
    /// This machine's clock, to the millisecond.
    pub at: Timestamp,
    /// Who: the operator's name.
    pub by: String,
    /// The run it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The step it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<StepPath>,
    /// Digest of the line before, without its line end; of nothing for the first.
    pub prev: Digest,
    /// What happened.
    pub event: Event,
}

/// What happened. Facts only: progress, waiting and retries are never journaled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The incident begins.
    IncidentOpened {
        /// Its id.
        id: IncidentId,
        /// Its title.
        title: String,
        /// Where it takes place.
        world: World,
        /// Version of quell.
        tool: String,
        /// Host name of the machine.
        machine: String,
    },
    /// A process begins to drive the incident.
    DriverTaken {
        /// Host name of the machine.
        machine: String,
        /// Process id.
        pid: u32,
        /// The file that answers its prompts; `None` where a person does, at a terminal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answers: Option<PreparedAnswers>,
    },
    /// A run begins: what it is bound to.
    RunOpened(Box<RunOpened>),
    /// The plan is fixed.
    PlanSealed(Box<PlanSealed>),
    /// The run goes on after a pause or a crash.
    RunResumed {
        /// Version of quell.
        tool: String,
        /// The credential that now makes the calls.
        credential: CredentialFacts,
    },
    /// A step begins, or begins again after a failure.
    StepBegan,
    /// A step is not done.
    StepSkipped {
        /// Why.
        reason: String,
        /// Who or what decided it.
        cause: SkipCause,
        /// What it saw before it was skipped; feeds later steps like the output of a step that is done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<Payload>,
    },
    /// The steps that a step holds or makes are fixed: of one round, or for the items of its list.
    Expanded(Box<Expanded>),
    /// Something was read, and is kept.
    EvidenceTaken {
        /// The evidence.
        evidence: EvidenceRef,
    },
    /// Something suspicious was seen.
    FindingMade {
        /// The finding.
        finding: Box<Finding>,
    },
    /// What became of a finding.
    FindingSettled {
        /// Its id.
        id: String,
        /// Its new status.
        status: FindingStatus,
        /// In words.
        detail: String,
    },
    /// Something could not be seen.
    GapSeen {
        /// The gap.
        gap: Gap,
    },
    /// What a step would change and ask, whole.
    Proposed(Box<Proposed>),
    /// A person consents to exactly these effects.
    Consented {
        /// The effects.
        effects: Vec<Consent>,
        /// The rows not chosen, each with what becomes of it.
        left: Vec<Left>,
        /// What was typed.
        phrase: Option<String>,
    },
    /// Rows end without being done.
    RowsLeft {
        /// The rows.
        left: Vec<Left>,
    },
    /// The targets were read again, and are as they were shown.
    Rechecked,
    /// After the first row of a list: go on with the rest.
    WentOn,
    /// About to send: on disk before the request.
    Intended {
        /// The effect.
        effect: EffectKey,
        /// Which attempt, from 1.
        attempt: u32,
        /// Digest of the call.
        call: Digest,
    },
    /// The answer held a secret and lies sealed in the vault.
    AnswerSealed {
        /// The effect.
        effect: EffectKey,
        /// The attempt.
        attempt: u32,
        /// Digest of the sealed file.
        sha256: Digest,
    },
    /// What became of an attempt.
    Settled {
        /// The effect.
        effect: EffectKey,
        /// The attempt; 0 for work done by hand, which quell never sends.
        attempt: u32,
        /// The outcome.
        outcome: Outcome,
        /// What the answer said, without secrets.
        receipt: Value,
        /// What settled it.
        by: SettledBy,
    },
    /// A read checked an effect.
    Verified {
        /// The effect.
        effect: EffectKey,
        /// The verdict.
        verdict: Verdict,
        /// What was read, where something was kept.
        evidence: Vec<EvidenceRef>,
    },
    /// A person decides about an effect in doubt or one that failed.
    EffectDecided {
        /// The effect.
        effect: EffectKey,
        /// The decision.
        decision: EffectDecision,
        /// In the person's words.
        words: String,
    },
    /// A person answered what the step asked.
    Answered {
        /// The fields.
        fields: Map<String, Value>,
    },
    /// The step's result.
    StepDone {
        /// Its output, by which later steps are fed.
        output: Payload,
        /// One line for people.
        summary: String,
    },
    /// The step could not be done.
    StepFailed {
        /// What went wrong.
        error: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// What to do about a failed step.
    FailureDecided {
        /// The decision.
        decision: FailureDecision,
        /// In words.
        words: String,
    },
    /// The run stops for now; nothing is lost.
    Paused {
        /// Why.
        reason: String,
    },
    /// Somebody writes something down.
    Noted {
        /// The words.
        text: String,
    },
    /// A half-written last line of a crashed process was cut off.
    TornTail {
        /// Its length in bytes.
        bytes: u64,
        /// Its digest.
        sha256: Digest,
    },
    /// A sealed secret was shown or written out.
    SecretRevealed {
        /// The effect.
        effect: EffectKey,
        /// The attempt.
        attempt: u32,
        /// Where to: `terminal` or `file`.
        to: String,
    },
    /// A report was written.
    ReportWritten {
        /// Digest of the report.
        sha256: Digest,
    },
    /// A person ends the run early; what is done in any case is still to come.
    RunEnding {
        /// Why.
        reason: String,
    },
    /// The run ends.
    RunClosed {
        /// How.
        outcome: RunOutcome,
        /// In words.
        reason: String,
    },
}

/// A file with prepared answers. Nobody typed what stands in it at a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedAnswers {
    /// Its name, as it was given.
    pub name: String,
    /// Digest of its bytes.
    pub sha256: Digest,
}

/// What a run is bound to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunOpened {
    /// The run.
    pub run: RunId,
    /// The runbook's name.
    pub runbook: String,
    /// The runbook's title.
    pub title: String,
    /// Digest of the runbook's bytes.
    pub runbook_sha256: Digest,
    /// Where the runbook was found: a path, `embedded`, or `generated` where quell wrote it for this run.
    pub source: String,
    /// Time to contain that the team aims for, in seconds.
    pub target_seconds: Option<i64>,
    /// The world.
    pub world: World,
    /// The API's host.
    pub api: String,
    /// The account.
    pub account: Account,
    /// The credential that makes the calls.
    pub credential: CredentialFacts,
    /// This machine's clock minus the server's, in milliseconds, where it was measured.
    pub skew_ms: Option<i64>,
}

/// The fixed plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanSealed {
    /// Binds runbook bytes, inputs, action versions, account and host.
    pub digest: Digest,
    /// The inputs, without secret ones.
    pub inputs: Map<String, Value>,
    /// Every step instance, in order.
    pub steps: Vec<PlannedStep>,
    /// Kinds of resource that no action of this runbook looks at.
    pub not_examined: Vec<String>,
}

/// The steps that a step holds or makes, fixed once and never computed again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expanded {
    /// The round, from 1; a step without `repeat` has one.
    pub round: u32,
    /// The items of its list by key, in order; empty where it has no list.
    pub items: Payload,
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
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
    /// Ids of the steps that require it or use its output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needed_by: Vec<String>,
}

impl PlannedStep {
    /// Whether it stands in the same list as `other`, in the same round and for the same item.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.parent == other.parent && self.round == other.round && self.key == other.key
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

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Every step is done or skipped with a reason.
    Done,
    /// A person ended it early.
    Aborted,
}
