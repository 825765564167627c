//! The actions that know no provider, one file each.

mod ask;
mod command;
mod decide;
mod http;
mod manual;
mod notify;
mod values;

use crate::action::AnyAction;

/// All of them.
pub static ACTIONS: &[&dyn AnyAction] = &[
    &ask::Ask, //
    &command::Command,
    &decide::Decide,
    &http::Http,
    &manual::Manual,
    &notify::Notify,
];
