//! quell.
pub mod cloudflare;
pub mod simulator;
