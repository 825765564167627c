//! quell.
pub mod model;
