//! How a finding is put back: what should be there, what is, and the one request that leads from here to there.
//!
//! What a review found is put back by [`request()`]; of what a hunt found, [`way()`] tells where it is got at, and the request
//! where there is one.
//!
//! A person makes the request, so it comes with an exact instruction and a command line. Everything in a finding may
//! have been chosen by an attacker: paths are percent-encoded, and the command line quotes what it carries.

mod curl;
mod dashboard;
mod instruction;
mod request;
mod standing;
mod way;

pub use curl::curl;
pub use instruction::{consequences, cut_off, dashboard, fields, instruction, reach};
pub use request::{Request, reading, request};
pub use standing::{Present, Sight, Standing};
pub use way::{Way, seat, way};

use serde_json::Value;

use super::review::{ReviewItem, ReviewKind};
use crate::model::Change;

/// What should be there instead of what was found: `None` for nothing.
///
/// # Errors
/// It is not known, and why.
pub fn wanted(item: &ReviewItem) -> Result<Option<Value>, &'static str> {
    match (item.change, &item.before, item.place.kind) {
        (Change::Added, ..) => Ok(None),
        // An access rule is two facts and a note: one that should not have been changed is made again.
        (Change::Changed, None, ReviewKind::AccessRule) => Ok(None),
        (_, Some(before), _) => Ok(Some(before.clone())),
        (_, None, _) => Err("what it was before is not known"),
    }
}
