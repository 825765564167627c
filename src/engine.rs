//! The loop that takes a runbook from plan to proof, and the ports through which it meets people and machines.
//!
//! [`decide`] is pure: it looks at the plan and at what the journal says, and names the next thing to do. The loop
//! does that one thing, journals it, and asks again. A crash between any two entries therefore changes nothing: the
//! next process folds the same entries and decides the same.

mod chore;
mod confirm;
mod consent;
mod contents;
mod cover;
mod decide;
mod deliver;
mod drive;
mod dry_run;
mod errors;
mod expand;
mod forecast;
mod look;
mod mask;
mod outputs;
mod perform;
mod plan;
mod ports;
mod prove;
mod second;
mod steps;
mod switch;

pub use consent::{ConsentMode, short_code};
pub use cover::{Asked, Beforehand, Cover, Prepared, cover, drifted, to_approve};
pub use decide::{Next, comes_next, decide, take_up};
pub use deliver::Courier;
pub use drive::{Bench, Engine, PauseCause, Stop};
pub use dry_run::{DryBench, forecast};
pub use errors::EngineError;
pub use forecast::{Forecast, ForecastEffect, ForecastStep, Prediction};
pub use plan::{Binding, action_versions, seal_plan};
pub use ports::{
    AskRequest, Chosen, ConsentRequest, DecisionKind, DecisionRequest, Drift, DriftFrom, FailureRequest, GoOnRequest,
    Halt, HandReply, HandRequest, Interrupt, Observer, Ports, Prompter, Reply, Reporter, SecondRequest, Succession,
    Successor, UnmetRequest, Vaulting, WaitRequest,
};
pub use second::{consents, second_code};
