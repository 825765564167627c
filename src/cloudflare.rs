//! Everything that is a fact about Cloudflare: paths, fields, codes, limits.

pub mod access_rules;
pub mod actions;
pub mod api;
pub mod attribution;
pub mod audit;
mod by_hand;
pub mod certificates;
pub mod dns;
pub mod families;
mod kinds;
mod marked;
pub mod members;
mod named;
pub mod present;
pub mod principals;
pub mod repair;
pub mod review;
pub mod rules;
pub mod simulator;
pub mod techniques;
pub mod tokens;
pub mod zones;

pub use by_hand::ByHand;
pub use kinds::{KINDS, SWEEPS};
pub use named::{Named, named};
