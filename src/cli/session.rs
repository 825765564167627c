//! From a runbook's name to a driven run, for `run`, `resume`, `rehearse` and `plan`.

mod candidates;
pub(crate) mod connect;
pub(crate) mod drive;
pub(crate) mod inputs;
pub(crate) mod leaked;
pub(crate) mod load;
pub(crate) mod open;
pub(crate) mod secrets;
pub(crate) mod start;
pub(crate) mod succession;
pub(crate) mod zone_names;
