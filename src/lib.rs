//! quell.
pub mod crash;
pub mod durable;
pub mod escape;
pub mod journal;
pub mod model;
pub mod provider;
pub mod secret;
