//! Everything that is a fact about Cloudflare.
pub mod simulator;
