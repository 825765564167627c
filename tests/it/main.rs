//! Integration tests.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test by panicking")]

mod client;
mod review_actions;
mod simulator;
