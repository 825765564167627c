//! The words that every floor shares: identities, dangers, outcomes, findings.
//!
//! Nothing in here does anything; these are the values that are journaled, shown and compared.

mod address;
mod ask;
mod chore;
mod count;
mod danger;
mod delivery;
mod effect;
mod evidence_ref;
mod finding;
mod gap;
mod ids;
mod outcome;
mod outside;
mod phase;
mod profile;
mod radius;
mod role;
mod sealed;
mod step_path;
mod world;

pub use address::{ip_range, plain_address, plain_email};
pub use ask::{AnswerKind, Ask, Disposition, Question, Takes};
pub use chore::{Chore, Wait};
pub use count::count;
pub use danger::Danger;
pub use delivery::{Delivery, Way};
pub use effect::{ByHand, Call, Effect, HttpCall, Resolves, Target, UndoCall, canonical_digest};
pub use evidence_ref::EvidenceRef;
pub use finding::{Actor, Attribution, CREDENTIALS, Change, Finding, FindingStatus, Resource, Severity, Source};
pub use gap::Gap;
pub use ids::{Digest, EffectKey, IncidentId, RunId};
pub use outcome::{Outcome, Verdict};
pub use outside::{CommandCall, Given, OutsideCall, SecretEnv, WebCall, WebCheck, WebRead, secret_named};
pub use phase::Phase;
pub use profile::Profile;
pub use radius::Radius;
pub use role::Role;
pub use sealed::SealedId;
pub use step_path::StepPath;
pub use world::{Account, CredentialFacts, CredentialKind, World};
