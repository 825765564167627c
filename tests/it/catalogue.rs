//! The fault battery: what holds for every action of the catalogue, so that a new one cannot slip by.
//!
//! Each part goes over the one list of actions. An action that cannot be driven makes it fail.

mod chores;
mod examples;
mod faults;
pub(crate) mod incident;
mod own;
mod params;
mod reads;
