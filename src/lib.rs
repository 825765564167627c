//! quell.
pub mod action;
pub mod actions;
pub mod cli;
pub mod clock;
pub mod cloudflare;
pub mod crash;
pub mod durable;
pub mod engine;
pub mod escape;
pub mod evidence;
pub mod journal;
pub mod model;
pub mod provider;
pub mod runbook;
pub mod secret;
