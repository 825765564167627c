//! Integration tests.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test by panicking")]

mod client;
mod house;
mod journal;
mod review_actions;
mod scene;
mod simulator;
