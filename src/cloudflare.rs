//! Everything that is a fact about Cloudflare: paths, fields, codes, limits.

pub mod actions;
pub mod api;
pub mod attribution;
pub mod audit;
pub mod dns;
mod kinds;
pub mod simulator;
pub mod zones;

pub use kinds::KINDS;
