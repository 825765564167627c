//! From a runbook's name to a driven run, for `run`, `resume`, `rehearse` and `plan`.

pub mod connect;
pub mod drive;
pub mod inputs;
pub mod load;
pub mod open;
