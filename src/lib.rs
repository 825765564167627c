//! quell.
pub mod durable;
pub mod escape;
pub mod evidence;
pub mod journal;
pub mod model;
pub mod provider;
pub mod secret;
pub mod vault;
