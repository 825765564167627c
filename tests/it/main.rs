//! Integration tests, in one binary: linking is what costs.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test by panicking")]

mod alongside;
mod bad_input;
mod books;
mod catalogue;
mod client;
mod console;
mod crash;
mod docs;
mod families;
mod fold;
mod hostile_names;
mod house;
mod identity_actions;
mod journal;
mod language;
mod main_job;
mod openapi;
mod other_ways;
mod outside;
mod report;
mod report_scene;
mod review_actions;
mod runbook_check;
mod scene;
mod schema;
mod settings;
mod shelves;
mod simulator;
mod spine;
mod stage;
mod terminal;
mod token_actions;
mod tutorial;
mod undo;
mod verify;
