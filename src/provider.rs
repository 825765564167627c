//! What the engine and the actions need of a provider: a side that reads, and a side that must be armed to write.
//!
//! The two are separate traits, so that a dry run holds nothing that could write.
//!
//! ```compile_fail
//! use quell::{model::HttpCall, provider::ReadSide};
//! // The read side has no way to send:
//! fn dry_run(read: &dyn ReadSide, call: HttpCall) { let _ = read.send(call); }
//! ```
//! ```
//! use quell::{model::HttpCall, journal::Warrant, provider::SendSide};
//! // Its twin: the send side has, for the price of a warrant.
//! fn perform(side: &dyn SendSide, warrant: Warrant, call: HttpCall) { let _ = side.send(warrant, call); }
//! ```

mod leaked;
mod list;
mod progress;

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use serde_json::Value;

use crate::journal::Warrant;
use crate::model::{Account, CredentialFacts, Gap, HttpCall, Outcome, World};
use crate::secret::SecretBytes;

pub use leaked::{Leaked, TESTED, Tested};
pub use list::{Layout, Listing, Next, Page, Pages, Paging};
pub use progress::{BudgetLeft, Extent, Progress};

/// A boxed future, for object-safe traits.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The side of a provider that reads. It has no method that writes.
pub trait ReadSide: Send + Sync {
    /// The world it reads.
    fn world(&self) -> &World;

    /// The account that it is bound to; settled before anything else.
    fn account(&self) -> &Account;

    /// What is known of the credential that makes the calls.
    fn credential(&self) -> &CredentialFacts;

    /// One answer. Retried with backoff within the shared budget.
    fn get<'a>(&'a self, request: &'a ReadRequest) -> BoxFuture<'a, Result<Reading, ReadError>>;

    /// A list, page by page, each item once. Nothing is read before it is asked for.
    fn pages<'a>(&'a self, request: &'a ReadRequest, layout: Layout) -> Box<dyn Pages + 'a>;

    /// Every item of a list. One that may be long is better taken page by page.
    fn list<'a>(&'a self, request: &'a ReadRequest, paging: Paging) -> BoxFuture<'a, Result<Listing, ReadError>> {
        Box::pin(async move { Listing::gather(&mut *self.pages(request, paging.into())).await })
    }

    /// The body of an answer to a request of this path, fit to be kept: as it came, but for what the provider is known to
    /// show there that may be secret.
    fn fit_to_keep(&self, path: &str, body: &[u8]) -> Vec<u8>;

    /// The items of a page of a list, from the answer as it was kept.
    fn kept_items(&self, body: &[u8], layout: Layout) -> Result<Vec<Value>, ReadError>;

    /// The result of one answer, from the answer as it was kept.
    fn kept_result(&self, body: &[u8]) -> Result<Value, ReadError>;

    /// What is left of the rate limit to reads of this lane; `None` where there is none.
    fn budget(&self, lane: Lane) -> Option<BudgetLeft>;

    /// The reads that left this process, every try of them, oldest first: by them its own are told in a provider's log.
    fn sent(&self) -> Vec<Sent>;
}

/// The side of a provider that writes.
pub trait SendSide: Send + Sync {
    /// Sends exactly the call that the warrant names, once, and never again: no retry, no redirect, a fresh connection.
    ///
    /// A warrant for another world or another call is answered with [`Answer::NotSent`].
    fn send(&self, warrant: Warrant, call: HttpCall) -> BoxFuture<'static, Answer>;
}

/// One read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRequest {
    /// Path below the API's base URL, beginning with `/`. Parts taken from data are percent-encoded by the caller.
    pub path: String,
    /// Query parameters, unencoded.
    pub query: Vec<(String, String)>,
    /// Headers besides those of every request.
    pub headers: Vec<(String, String)>,
    /// What it is for: who goes first where the budget is short.
    pub lane: Lane,
    /// Which refusals mean that there is nothing to show.
    pub absence: Absence,
}

/// Which refusals of a read mean that there is nothing to show; its result is `Null` then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Absence {
    /// Those with one of these codes.
    pub codes: &'static [u32],
    /// That it is not there; not that the path leads nowhere.
    pub missing: bool,
}

/// A read that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its path below the API's base URL, without the query.
    pub path: String,
    /// When, by this machine's clock.
    pub at: Timestamp,
}

/// What a read is for, the most urgent first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// To cut somebody off, or to see that the cut took.
    Containment,
    /// To see what is needed now.
    #[default]
    Evidence,
    /// To see everything.
    Sweep,
}

impl ReadRequest {
    /// A read without query.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            lane: Lane::default(),
            absence: Absence::default(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Says what it is for.
    #[must_use]
    pub const fn lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    /// Says which refusals mean that there is nothing to show.
    #[must_use]
    pub const fn absent_if(mut self, absence: Absence) -> Self {
        self.absence = absence;
        self
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }
}

/// One answer, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The `result` of the envelope; the whole body as text where the answer is no JSON by its documentation.
    pub result: Value,
    /// The whole body as it came, not yet redacted.
    pub body: SecretBytes,
    /// The request, for people: `GET /accounts/…/tokens?page=1`. Holds no secret.
    pub source: String,
    /// The server's clock, from the `Date` header.
    pub server_time: Option<Timestamp>,
}

/// Why a read brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The credential is not valid at all (any more).
    #[error("the API refused the credential: {0}")]
    Unauthenticated(String),
    /// The credential may not read this.
    #[error("the API refused to show it: {0}")]
    Forbidden(String),
    /// A credential of this kind never can, whatever its permissions; nothing was sent.
    #[error("no request was made: {0}")]
    Impossible(String),
    /// It is not there, or the path is retired; which of the two cannot be told from the answer alone.
    #[error("the API says that it is not there: {0}")]
    NotFound(String),
    /// The API did not accept the request.
    #[error("the API did not accept the request: {0}")]
    Rejected(String),
    /// Still turned away by the rate limit after waiting.
    #[error("the rate limit still turns the request away: {0}")]
    Throttled(String),
    /// No usable connection after retries.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// An answer came that could not be read: HTML, truncated, not what is documented.
    #[error("the answer could not be read: {0}")]
    Unreadable(String),
}

impl ReadError {
    /// True where no other read is likely to fare better: the way to the provider is cut, the credential is no longer
    /// valid, or the budget is spent.
    pub const fn is_outage(&self) -> bool {
        matches!(self, Self::Unauthenticated(_) | Self::Throttled(_) | Self::Unreachable(_))
    }

    /// The gap that this error leaves in what was seen.
    pub fn gap(&self, family: &str, scope: &str, permission: Option<&str>) -> Gap {
        let permission = match self {
            Self::Forbidden(_) => permission.map(str::to_owned),
            _ => None,
        };
        Gap { family: family.to_owned(), scope: scope.to_owned(), reason: self.to_string(), permission }
    }
}

/// What came back from a write.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A whole HTTP answer.
    Received {
        /// HTTP status.
        status: u16,
        /// The body; may hold a secret.
        body: SecretBytes,
        /// The provider's id of the request.
        request_id: Option<String>,
    },
    /// Provably nothing was sent: no connection, or turned away at the rate limit.
    NotSent(String),
    /// It was sent, at least in part, and no answer came.
    Lost(String),
    /// An answer began, and its rest never came.
    CutOff {
        /// HTTP status.
        status: u16,
        /// What came of the body; may hold a secret, or part of one.
        part: SecretBytes,
        /// The provider's id of the request.
        request_id: Option<String>,
        /// Where and why it broke off.
        why: String,
    },
    /// A command was run.
    Ended(Ended),
    /// In a rehearsal: nothing was done outside the simulated account; what would have been.
    Simulated(String),
}

/// How a command ended, and what it said.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// How.
    pub how: Ending,
    /// Its standard output, as it came; may hold a secret.
    pub stdout: SecretBytes,
    /// Its standard error, as it came; may hold a secret.
    pub stderr: SecretBytes,
    /// The last line of its standard error, short and masked; empty where there was none.
    pub last_words: String,
    /// True where it said more than was kept.
    pub cut: bool,
}

impl Ended {
    /// What it means, where the exit codes of `expect` say that the work is done. What was killed is never taken for
    /// undone.
    pub fn outcome(&self, expect: &[i32]) -> Outcome {
        let said = if self.last_words.is_empty() { String::new() } else { format!(" (it said: {})", self.last_words) };
        match &self.how {
            Ending::Code(code) if expect.contains(code) => Outcome::Applied,
            Ending::Code(code) => {
                let wanted: Vec<String> = expect.iter().map(i32::to_string).collect();
                let wanted = wanted.join(" or ");
                Outcome::Refused(format!(
                    "it ended with exit code {code}, not {wanted}{said}; what it had done by then is not known"
                ))
            }
            Ending::Signal(signal) => Outcome::Unknown(format!("it was ended by signal {signal}{said}")),
            Ending::Killed(seconds) => Outcome::Unknown(format!("it was killed after {seconds} s{said}")),
            Ending::Unknown(why) => Outcome::Unknown(format!("{why}{said}")),
        }
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal, which quell did not send.
    Signal(i32),
    /// Killed by quell, since it took longer than this many seconds.
    Killed(u64),
    /// Not known, and why.
    Unknown(String),
}
