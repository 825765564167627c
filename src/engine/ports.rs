use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::watch;

use super::{Asked, ConsentMode, Prepared};
use crate::action::StepError;
use crate::clock::Clock;
use crate::journal::{
    EffectDecision, EffectState, Entry, FailureDecision, IncidentState, Left, NoteKind, PlannedStep, Proposed,
};
use crate::model::{Ask, ByHand, Danger, Digest, Effect, EffectKey, IncidentId, Role, Wait};
use crate::provider::{Answer, BoxFuture, Progress, ReadSide, SendSide};
use crate::secret::SecretBytes;

/// Everything outside the engine: people, screens, clocks, the vault. Made at the edge and passed in.
#[derive(Clone)]
pub struct Ports {
    /// Asks people.
    pub prompter: Arc<dyn Prompter>,
    /// Is told what has become durable.
    pub observer: Arc<dyn Observer>,
    /// Shows how far long reads are, and how long a wait still takes.
    pub progress: Arc<dyn Progress>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Seals secret answers.
    pub vault: Arc<dyn Vaulting>,
    /// Connects with a credential that the run has made.
    pub succession: Arc<dyn Succession>,
    /// Writes the post-mortem.
    pub reporter: Arc<dyn Reporter>,
    /// Ctrl-C and hang-up.
    pub interrupt: Interrupt,
    /// Who the operator is: stands on every entry.
    pub operator: String,
    /// What the operator does in the incident, where that was said.
    pub role: Option<Role>,
}

/// Is told of every entry once it is durable, and of nothing else.
pub trait Observer: Send + Sync {
    /// `entry` is on disk; `state` is the fold with it.
    fn entry(&self, entry: &Entry, state: &IncidentState);
}

/// What asks a run to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// Ctrl-C.
    Keys,
    /// The terminal is gone: a closed window, a lost connection.
    HangUp,
    /// Somebody told the process to end.
    Terminate,
}

impl Halt {
    /// Why the run rests then.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "interrupted by Ctrl-C",
            Self::HangUp => "its terminal is gone",
            Self::Terminate => "its process was told to end",
        }
    }
}

/// A request to stop at the next safe point.
#[derive(Debug, Clone)]
pub struct Interrupt(watch::Receiver<Option<Halt>>);

impl Interrupt {
    /// An interrupt, and the sender that raises it by sending what for.
    pub fn channel() -> (watch::Sender<Option<Halt>>, Self) {
        let (sender, receiver) = watch::channel(None);
        (sender, Self(receiver))
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        self.cause().is_some()
    }

    /// What it was raised for.
    pub fn cause(&self) -> Option<Halt> {
        *self.0.borrow()
    }

    /// Waits until it is raised; for ever where nobody can raise it any more.
    pub async fn raised(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Seals answers that hold a secret. The engine calls it between the answer and its reading.
pub trait Vaulting: Send + Sync {
    /// Makes sure that a vault exists and has been proven to open. Asks people where it must; the error says what to do.
    fn ready(&self) -> BoxFuture<'_, Result<(), String>>;

    /// Seals one answer durably. Returns the digest of the sealed file.
    fn seal(
        &self,
        effect: &EffectKey,
        attempt: u32,
        status: u16,
        request_id: Option<&str>,
        body: &SecretBytes,
    ) -> Result<Digest, String>;

    /// The answer that was sealed before a crash: `None` where none was. Opening may ask people.
    fn answer(&self, effect: &EffectKey, attempt: u32) -> BoxFuture<'_, Result<Option<Answer>, String>>;
}

/// Connects with a credential that a run has made itself.
pub trait Succession: Send + Sync {
    /// Connects to the account of the run with the new value in a sealed answer, and tries what it may read. Writes nothing.
    fn connect<'a>(&'a self, answer: &'a Answer) -> BoxFuture<'a, Result<Successor, StepError>>;
}

/// A connection that a run can go on with.
pub struct Successor {
    /// The side that reads.
    pub read: Arc<dyn ReadSide>,
    /// The side that writes, for the price of a warrant.
    pub send: Arc<dyn SendSide>,
    /// What was seen of it, in words.
    pub proof: String,
}

/// Writes the post-mortem from what is durable.
pub trait Reporter: Send + Sync {
    /// Writes it. Returns where it lies and the digest of what was written.
    fn write(&self) -> Result<(String, Digest), StepError>;
}

/// What a person says at a prompt: the answer, or one of the verbs that stand at every prompt.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply<T> {
    /// The answer.
    Go(T),
    /// Not this; the reason.
    Skip(String),
    /// Write this down and ask again.
    Note(NoteKind, String),
    /// Stop here for now.
    Pause,
    /// End the run; the reason.
    Abort(String),
    /// Nobody is there to answer, and no answer was prepared: what is missing.
    Missing(String),
}

/// Asks people. Every method shows what it is about and waits; none has yes as its default.
pub trait Prompter: Send + Sync {
    /// What was prepared for the consent that a step asks for, before anybody is asked.
    fn prepared(&self, step: &PlannedStep) -> Prepared;
    /// For consent to effects.
    fn consent<'a>(&'a self, request: ConsentRequest<'a>) -> BoxFuture<'a, Reply<Chosen>>;
    /// For work by hand.
    fn hand<'a>(&'a self, request: HandRequest<'a>) -> BoxFuture<'a, Reply<HandReply>>;
    /// For what only a person knows.
    fn ask<'a>(&'a self, request: AskRequest<'a>) -> BoxFuture<'a, Reply<Map<String, Value>>>;
    /// For a decision about one effect, with the person's words.
    fn decide<'a>(&'a self, request: DecisionRequest<'a>) -> BoxFuture<'a, Reply<(EffectDecision, String)>>;
    /// For what to do about a failed step, with the person's words.
    fn failure<'a>(&'a self, request: FailureRequest<'a>) -> BoxFuture<'a, Reply<(FailureDecision, String)>>;
    /// After the first row of a list: go on with the rest?
    fn go_on<'a>(&'a self, request: GoOnRequest<'a>) -> BoxFuture<'a, Reply<()>>;
    /// Beside the wait for a second person: ends only when somebody goes on without one, with the reason, or says
    /// something else. The engine drops it when the other one has agreed.
    fn second<'a>(&'a self, request: SecondRequest<'a>) -> BoxFuture<'a, Reply<String>>;
    /// A step whose required steps were not done: run it all the same?
    fn unmet<'a>(&'a self, request: UnmetRequest<'a>) -> BoxFuture<'a, Reply<()>>;
    /// Beside a wait: ends only when somebody cuts it short, with the reason, or says something else. The engine drops it
    /// when the wait is over.
    fn wait<'a>(&'a self, request: WaitRequest<'a>) -> BoxFuture<'a, Reply<String>>;
    /// An answer with a secret could not be sealed and is held in memory: `true` to try again, `false` to give it up.
    fn unsealed<'a>(&'a self, effect: &'a Effect, error: &'a str) -> BoxFuture<'a, bool>;
}

/// Asks for consent to effects.
#[derive(Debug)]
pub struct ConsentRequest<'a> {
    /// The step.
    pub step: &'a PlannedStep,
    /// The whole proposal.
    pub proposed: &'a Proposed,
    /// The effects to decide about.
    pub effects: Vec<&'a Effect>,
    /// What to type for consent to all of them; a choice of one row may take its own, see [`ConsentMode::of`].
    pub mode: ConsentMode,
    /// What is not as it was shown before, or as the approved plan forecast it.
    pub drifted: Vec<Drift>,
    /// Why this is asked for, where there is consent that was given beforehand: each reason once.
    pub asked: Vec<Asked>,
    /// The account and host that would be written to, for the prompt.
    pub place: String,
}

/// An effect that is not what somebody was shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The effect.
    pub key: EffectKey,
    /// What it differs from.
    pub from: DriftFrom,
    /// The before-image now.
    pub now: Value,
}

/// What an effect differs from.
#[derive(Debug, Clone, PartialEq)]
pub enum DriftFrom {
    /// From what was shown in this run: the before-image then.
    Shown(Value),
    /// From what the approved plan forecast.
    Forecast {
        /// The before-image then.
        before: Value,
        /// How much harm it would have done then.
        danger: Danger,
    },
    /// The approved plan does not have it, though it looked at its step.
    Nothing,
}

/// Consent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chosen {
    /// The rows to do.
    pub effects: Vec<EffectKey>,
    /// What becomes of the others.
    pub left: Vec<Left>,
    /// What was typed.
    pub phrase: String,
}

/// Says that a second person is to agree to what was consented to.
#[derive(Debug)]
pub struct SecondRequest<'a> {
    /// The step.
    pub step: &'a PlannedStep,
    /// The effects.
    pub effects: Vec<&'a Effect>,
    /// The incident.
    pub incident: Option<&'a IncidentId>,
    /// What the second person types, who must see the same changes.
    pub code: &'a str,
}

/// Asks a person to do something elsewhere.
#[derive(Debug)]
pub struct HandRequest<'a> {
    /// The step.
    pub step: &'a PlannedStep,
    /// The effect.
    pub effect: &'a Effect,
    /// The work.
    pub work: &'a ByHand,
    /// Which one of how many, from 1.
    pub position: (usize, usize),
    /// All the work of the step, in its order.
    pub rows: &'a [EffectState],
    /// How it differs from what the approved plan forecast.
    pub drifted: Option<Drift>,
}

/// What a person says about work by hand.
#[derive(Debug, Clone, PartialEq)]
pub enum HandReply {
    /// Done, as attested.
    Done {
        /// By whom.
        attested_by: String,
        /// In words.
        note: Option<String>,
        /// A file that shows it, to be kept as evidence.
        proof: Option<PathBuf>,
    },
    /// Somebody does it later: who.
    Later(String),
    /// It stays as it is: why.
    Keep(String),
    /// Nobody says anything of it: this effect is to be read again.
    CheckAgain(EffectKey),
}

/// Asks what only a person knows.
#[derive(Debug)]
pub struct AskRequest<'a> {
    /// The step.
    pub step: &'a PlannedStep,
    /// The questions.
    pub ask: &'a Ask,
}

/// Asks for a decision about one effect.
#[derive(Debug)]
pub struct DecisionRequest<'a> {
    /// The step.
    pub step: &'a PlannedStep,
    /// The effect and its history.
    pub state: &'a EffectState,
    /// What is the matter.
    pub kind: DecisionKind,
}

/// What is the matter with an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionKind {
    /// It may or may not have happened, and a look does not tell, or tells that it did not.
    InDoubt,
    /// The provider refused, or it could not be sent three times.
    Refused,
    /// The provider says that it is done, and a look does not bear it out.
    NotSeen,
}

/// Asks what to do about a failed step.
#[derive(Debug)]
pub struct FailureRequest<'a> {
    /// The step.
    pub step: &'a PlannedStep,
    /// What went wrong.
    pub error: &'a str,
    /// What to do about it.
    pub hint: Option<&'a str>,
}

/// Asks whether to go on with a list after its first row.
#[derive(Debug)]
pub struct GoOnRequest<'a> {
    /// The step.
    pub step: &'a PlannedStep,
    /// The row that was done.
    pub first: &'a EffectState,
    /// How many are left.
    pub rest: usize,
    /// True where the rest was consented to beforehand, and would go on by itself if the first row were proven: then
    /// only a word that is given for this counts.
    pub unproven: bool,
}

/// Asks whether to run a step whose required steps were not done.
#[derive(Debug)]
pub struct UnmetRequest<'a> {
    /// The step.
    pub step: &'a PlannedStep,
    /// The required steps that were not done, each with why.
    pub unmet: Vec<(String, String)>,
}

/// Says that the engine waits.
#[derive(Debug)]
pub struct WaitRequest<'a> {
    /// The step.
    pub step: &'a PlannedStep,
    /// What is waited for.
    pub wait: &'a Wait,
    /// How long at most from now.
    pub left: Duration,
}
