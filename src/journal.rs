//! The append-only record of an incident, and the only place where a [`Warrant`] is made.

mod warrant;

pub use warrant::Warrant;
