//! What an action is: the code behind a step. One file each, in a static catalogue.
//!
//! An action looks and proposes; only the engine acts. [`Action`] is what an author writes; [`AnyAction`] is the same
//! with its types erased, which the engine and the catalogue hold.

mod any;
mod catalogue;
mod look;
mod safeguards;
mod shelf;
mod spec;
mod step_plan;

pub use any::{Action, AnyAction};
pub use catalogue::{Catalogue, Kind, Wing};
pub use look::{Look, Taken};
pub use safeguards::Safeguards;
pub use shelf::Shelf;
pub use spec::{ActionSpec, Estimate, Permission};
pub use step_plan::{Done, DoneEffect, Receipt, StepError, StepPlan};
