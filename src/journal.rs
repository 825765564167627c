//! The append-only record of an incident, and the only place where a [`Warrant`] is made.
//!
//! One entry is one line of JSON that names the digest of the line before. [`IncidentState`] is the fold of all lines;
//! [`Journal`] refuses to write a line that does not fold, so what is on disk always makes sense. Resume, the live
//! view and the report read nothing else.

mod chain;
mod driver;
mod effect_state;
mod event;
mod file;
mod state;
mod undone;
mod verify;
mod warrant;

pub use driver::{Driver, DriverLock, Lease};
pub use effect_state::{Attempt, EffectState, EffectStatus, MOST_ATTEMPTS_UNSENT, Second};
pub use event::{
    Accepted, Basis, Consent, EffectDecision, Entry, Event, Expanded, FailureDecision, LeakedToken, Left,
    NestedRunbook, NoteKind, Payload, PlanAmended, PlanApproved, PlanSealed, PlannedEffect, PlannedStep,
    PreparedAnswers, Proposed, RunOpened, RunOutcome, SettledBy, SkipCause, WaitEnd,
};
pub use file::{FILE_NAME, FORMAT, Journal, JournalError, Stamp};
pub use state::{
    Acceptance, Amendment, Approval, ChoreDone, Closing, DeliveryState, IllegalEvent, IncidentState, Note, RunState,
    StepState, StepStatus, Switched,
};
pub use undone::Undone;
pub use verify::{BoundPlan, Inspection, Problem, SealedEntry, inspect};
pub use warrant::Warrant;
