mod closing;
mod note;
mod plan;
mod run;
mod step;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use closing::Accepted;
pub use note::NoteKind;
pub use plan::{Expanded, NestedRunbook, PlanAmended, PlanApproved, PlanSealed, PlannedEffect, PlannedStep};
pub use run::{LeakedToken, PreparedAnswers, RunOpened, RunOutcome};
pub use step::{
    Basis, Consent, EffectDecision, FailureDecision, Left, Payload, Proposed, SettledBy, SkipCause, WaitEnd,
};

use crate::model::{
    CredentialFacts, Danger, Digest, EffectKey, EvidenceRef, Finding, FindingStatus, Gap, IncidentId, Outcome, Role,
    RunId, StepPath, Verdict, World,
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
    /// What they do in the incident, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
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
        /// Up to which danger it consents by itself; `None` where it does not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        up_to: Option<Danger>,
    },
    /// A run begins: what it is bound to.
    RunOpened(Box<RunOpened>),
    /// The plan is fixed.
    PlanSealed(Box<PlanSealed>),
    /// Effects that were forecast are consented to beforehand.
    PlanApproved(Box<PlanApproved>),
    /// What the run is bound to has changed, and a person goes on with it all the same.
    PlanAmended(Box<PlanAmended>),
    /// The run goes on after a pause or a crash.
    RunResumed {
        /// Version of quell.
        tool: String,
        /// The credential that now makes the calls.
        credential: CredentialFacts,
    },
    /// The run goes on with a credential that it has made itself.
    CredentialSwitched {
        /// The effect that made it.
        effect: EffectKey,
        /// The attempt whose sealed answer holds its value.
        attempt: u32,
        /// The credential.
        credential: CredentialFacts,
        /// What was seen of it before it was taken.
        proof: String,
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
    /// Exactly these effects are consented to.
    Consented {
        /// The effects.
        effects: Vec<Consent>,
        /// The rows not chosen, each with what becomes of it.
        left: Vec<Left>,
        /// What was typed.
        phrase: Option<String>,
        /// What the consent rests on.
        #[serde(default, skip_serializing_if = "Basis::is_typed")]
        basis: Basis,
    },
    /// What was consented to is agreed to by a second person, or somebody goes on without one.
    Seconded {
        /// The effects, as they were consented to.
        effects: Vec<Consent>,
        /// Why it goes on without a second person; `None` where somebody else than who consented agrees.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alone: Option<String>,
    },
    /// Rows end without being done.
    RowsLeft {
        /// The rows.
        left: Vec<Left>,
    },
    /// The targets were read again, and are as they were shown.
    Rechecked,
    /// After the first row of a list: go on with the rest.
    WentOn {
        /// What that rests on: a person's word, or the consent given beforehand and a first row that is proven.
        #[serde(default, skip_serializing_if = "Basis::is_typed")]
        basis: Basis,
    },
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
    /// A step has waited.
    Waited {
        /// What ended it.
        end: WaitEnd,
        /// In words, where a person ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<String>,
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
        /// What they are.
        #[serde(default, skip_serializing_if = "NoteKind::is_note")]
        kind: NoteKind,
    },
    /// Somebody says what they did elsewhere: in the dashboard, with another tool, by phone.
    Attested {
        /// What, in their words.
        text: String,
        /// When it was done, by their word.
        done_at: Timestamp,
        /// A file that shows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<EvidenceRef>,
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
    /// About to hand a sealed secret to a sink: on disk before it is done.
    DeliveryIntended {
        /// The effect whose answer holds it.
        effect: EffectKey,
        /// The attempt.
        attempt: u32,
        /// Name of the sink.
        sink: String,
        /// Where it goes: a command line, or a path.
        to: String,
        /// Digest of the delivery.
        call: Digest,
    },
    /// What became of a delivery.
    DeliverySettled {
        /// The effect whose answer holds the secret.
        effect: EffectKey,
        /// The attempt.
        attempt: u32,
        /// Name of the sink.
        sink: String,
        /// The outcome.
        outcome: Outcome,
        /// What was seen of it, or why nothing could be.
        seen: String,
        /// What settled it.
        by: SettledBy,
    },
    /// A report was written.
    ReportWritten {
        /// Digest of the report.
        sha256: Digest,
        /// Where it lies.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        file: String,
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
    /// A person closes the incident: nothing more is to come, and what is left is accepted by somebody.
    IncidentClosed {
        /// What is left.
        accepted: Vec<Accepted>,
    },
}
