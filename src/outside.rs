//! What is done outside the provider's API: commands on this machine, requests to other hosts.
//!
//! As with the provider there are two sides. [`OutsideLook`] answers what can be known without changing anything;
//! [`OutsideSend`] does one thing, for the price of a warrant. A dry run is given the first only, so it runs no command.
//!
//! ```compile_fail
//! use quell::{model::OutsideCall, outside::OutsideLook};
//! // The side that looks has no way to run a command:
//! fn dry_run(look: &dyn OutsideLook, call: OutsideCall) { let _ = look.send(call); }
//! ```
//! ```
//! use quell::{journal::Warrant, model::OutsideCall, outside::OutsideSend};
//! // Its twin: the side that acts has, for the price of a warrant.
//! fn perform(side: &dyn OutsideSend, warrant: Warrant, call: OutsideCall) { let _ = side.send(warrant, call); }
//! ```

mod delivery;
mod live;
mod process;
mod rehearsed;
mod variables;
mod web;

use crate::journal::Warrant;
use crate::model::{Delivery, Outcome, OutsideCall, Verdict, Way, WebRead};
use crate::provider::{Answer, BoxFuture};
use crate::secret::{Secret, SecretBytes};

pub use live::Outside;
pub use rehearsed::Rehearsed;
pub use variables::{ESSENTIALS, SHORTEST_SECRET, Variables, WITHHELD};

/// The side that looks. It has no method that changes anything.
pub trait OutsideLook: Send + Sync {
    /// What speaks against a call as things are: a host that is not allowed, a variable that is not set. Nothing is sent.
    ///
    /// # Errors
    /// The first thing that does.
    fn check(&self, call: &OutsideCall) -> Result<(), Hindrance>;

    /// One GET. Tried again with backoff where that can help. Redirects are not followed.
    fn get<'a>(&'a self, read: &'a WebRead) -> BoxFuture<'a, Result<Sight, Hindrance>>;

    /// What speaks against handing a secret over this way: a variable that is not set, a file that is there. Nothing is
    /// done.
    ///
    /// # Errors
    /// The first thing that does.
    fn check_way(&self, way: &Way) -> Result<(), Hindrance>;

    /// Whether a secret lies where its way leads. Of a command nobody can tell.
    fn arrived(&self, way: &Way, secret: &Secret) -> Verdict;
}

/// The side that acts.
pub trait OutsideSend: Send + Sync {
    /// Carries out exactly the call that the warrant names, once, and never again.
    ///
    /// A warrant for another world or another call is answered with [`Answer::NotSent`].
    fn send(&self, warrant: Warrant, call: OutsideCall) -> BoxFuture<'static, Answer>;

    /// Hands a secret over exactly as the warrant says, once. The secret is masked from then on, and what a command says
    /// of it is not kept.
    ///
    /// A warrant for another world or another delivery is answered with [`Outcome::NotSent`].
    fn deliver(&self, warrant: Warrant, delivery: Delivery, secret: Secret) -> BoxFuture<'static, Handed>;
}

/// What became of handing a secret over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// The outcome.
    pub outcome: Outcome,
    /// What was seen of it, or why nothing could be.
    pub seen: String,
}

/// What a look at some host brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Sight {
    /// A whole answer.
    Seen {
        /// HTTP status, whatever it is.
        status: u16,
        /// The body; may hold a secret.
        body: SecretBytes,
    },
    /// In a rehearsal: no connection was made.
    Simulated,
}

/// Why a call cannot be made, or a look brought no answer. Quotes no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Hindrance {
    /// What is in the way.
    pub why: String,
    /// What to do about it.
    pub hint: String,
    /// True where nothing needs to be mended and the same look may bring an answer in a minute: no connection, no answer.
    pub may_pass: bool,
}

impl Hindrance {
    fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { why: why.into(), hint: hint.into(), may_pass: false }
    }

    fn passing(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { may_pass: true, ..Self::new(why, hint) }
    }
}
