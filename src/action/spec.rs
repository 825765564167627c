use std::time::Duration;

use crate::model::Danger;

/// The facts of an action from which help, plan, reference pages and checks are derived.
#[derive(Debug, Clone, Copy)]
pub struct ActionSpec {
    /// Its id, e.g. `cloudflare.token.disable`.
    pub id: &'static str,
    /// Raised when the meaning of parameters or effects changes; part of every plan digest.
    pub version: u32,
    /// One line, in the imperative.
    pub summary: &'static str,
    /// What a responder should know of it; Markdown paragraphs.
    pub docs: &'static str,
    /// The verb that is typed for a list: `rotate 12`.
    pub verb: &'static str,
    /// The most harm that one of its effects can do.
    pub max_danger: Danger,
    /// What the credential must be allowed.
    pub permissions: &'static [Permission],
    /// A `with` table that works against the built-in scenario, in TOML.
    pub example: &'static str,
    /// How long a change may take until a read shows it.
    pub settling: Duration,
    /// How many requests its reads take.
    pub estimate: Estimate,
}

/// A permission group of the provider, with what needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// The group's name as the provider spells it.
    pub group: &'static str,
    /// True where it is needed to act, false where to look.
    pub write: bool,
}

/// Requests that one look takes, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// However large the account is.
    pub fixed: u32,
    /// For each zone.
    pub per_zone: u32,
}
