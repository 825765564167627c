//! Everything that is a fact about Cloudflare: paths, fields, codes, limits.

pub mod actions;
pub mod api;
pub mod audit;
mod kinds;
pub mod simulator;

pub use kinds::KINDS;
