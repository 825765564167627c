//! The actions that know no provider, one file each.

mod ask;
mod decide;
mod manual;

use crate::action::AnyAction;

/// All of them.
pub static ACTIONS: &[&dyn AnyAction] = &[
    &ask::Ask, //
    &decide::Decide,
    &manual::Manual,
];
