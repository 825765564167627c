//! The actions that know no provider, one file each.

mod ask;
mod assert;
mod check;
mod command;
mod decide;
mod http;
mod manual;
mod note;
mod notify;
mod pause;
mod report;
mod values;
mod wait;

use crate::action::AnyAction;

/// All of them.
pub static ACTIONS: &[&dyn AnyAction] = &[
    &ask::Ask, //
    &assert::Assert,
    &command::Command,
    &decide::Decide,
    &http::Http,
    &manual::Manual,
    &note::Note,
    &notify::Notify,
    &pause::Pause,
    &report::Report,
    &wait::Wait,
];
