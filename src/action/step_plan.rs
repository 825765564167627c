use serde_json::{Map, Value};

use crate::journal::ChoreDone;
use crate::model::{Ask, Chore, Effect, Finding, FindingStatus, Gap, Outcome, Verdict};
use crate::provider::ReadError;

/// What an action saw, and what it would change.
#[derive(Debug, Clone)]
pub struct StepPlan<T> {
    /// What was seen; feeds later steps, and is completed by [`super::Action::conclude`].
    pub output: T,
    /// One line for people: `14 tokens, 2 created in the window`.
    pub summary: String,
    /// The changes; none for an action that only reads.
    pub effects: Vec<Effect>,
    /// True where every row that is not chosen needs an owner or a reason.
    pub account_for_rest: bool,
    /// What only a person can answer.
    pub ask: Option<Ask>,
    /// What the engine itself does for the step.
    pub chore: Option<Chore>,
    /// Goals that are met already: name and proof.
    pub already: Vec<(String, String)>,
    /// What would have to change as well and is not proposed: name and why.
    pub not_proposed: Vec<(String, String)>,
    /// What is suspicious.
    pub findings: Vec<Finding>,
    /// What became of earlier findings: id, status, in words.
    pub settled_findings: Vec<(String, FindingStatus, String)>,
    /// What could not be seen, beyond the reads that failed (those are noted by [`super::Look`]).
    pub gaps: Vec<Gap>,
}

impl<T> StepPlan<T> {
    /// A look that proposes nothing.
    pub fn seen(output: T, summary: impl Into<String>) -> Self {
        Self {
            output,
            summary: summary.into(),
            effects: Vec::new(),
            account_for_rest: false,
            ask: None,
            chore: None,
            already: Vec::new(),
            not_proposed: Vec::new(),
            findings: Vec::new(),
            settled_findings: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// The same plan with another output.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> StepPlan<U> {
        StepPlan {
            output: convert(self.output),
            summary: self.summary,
            effects: self.effects,
            account_for_rest: self.account_for_rest,
            ask: self.ask,
            chore: self.chore,
            already: self.already,
            not_proposed: self.not_proposed,
            findings: self.findings,
            settled_findings: self.settled_findings,
            gaps: self.gaps,
        }
    }
}

/// What an answer to a write means.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The outcome.
    pub outcome: Outcome,
    /// What the answer said; holds no secret.
    pub detail: Value,
}

/// How a step's effects and questions ended.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// The effects, in order.
    pub effects: Vec<DoneEffect>,
    /// What a person answered.
    pub fields: Map<String, Value>,
    /// What came of what the engine itself does for the step.
    pub chore: Option<ChoreDone>,
}

/// How one effect ended.
#[derive(Debug, Clone)]
pub struct DoneEffect {
    /// The effect.
    pub effect: Effect,
    /// True where it took place, as the provider or a person says and no read contradicts.
    pub applied: bool,
    /// True where nothing was sent of what was consented to, because a read proved that somebody else had done it.
    pub met: bool,
    /// What the answer said.
    pub receipt: Value,
    /// What a read showed.
    pub verdict: Option<Verdict>,
    /// For a row that was not chosen or given up: what becomes of it, in words.
    pub left: Option<String>,
}

impl DoneEffect {
    /// Whether it is so now, whoever did it.
    pub const fn is_so(&self) -> bool {
        self.applied || self.met
    }
}

/// Why a step could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StepError {
    /// What failed and why.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl StepError {
    /// An error without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A read without which the step makes no sense failed.
    pub fn read(doing: &str, error: &ReadError) -> Self {
        let hint = match error {
            ReadError::Unauthenticated(_) => "the credential may have expired or been revoked: resume with another one",
            ReadError::Forbidden(_) => {
                "resume with a credential that may read this, or skip the step; `quell actions ID` lists permissions"
            }
            ReadError::Impossible(_) => "resume with a credential that can see it, or skip the step",
            ReadError::Throttled(_) => "wait five minutes; the dashboard of the same user shares the budget",
            ReadError::Unreachable(_) => "check the network and `CLOUDFLARE_BASE_URL`, then run the step again",
            _ => "run the step again; if it persists, look in the dashboard and record it by hand",
        };
        Self::new(format!("cannot {doing}: {error}")).hint(hint)
    }
}
