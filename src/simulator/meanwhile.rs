//! What others do while requests arrive: an intruder who is awake, colleagues at work.

use super::fault::matches;
use super::message::{Origin, Request};

/// Somebody's act, and the request that it comes just before.
#[derive(Debug, Clone)]
pub struct Meanwhile {
    /// In capitals; `None` waits for any method.
    pub method: Option<String>,
    /// As in [`Fault::path`](super::Fault::path).
    pub path: String,
    /// So many matching requests pass first.
    pub skip: u32,
    /// What is done.
    pub request: Request,
    /// By whom, and from where.
    pub origin: Origin,
}

/// The acts that still wait.
#[derive(Debug, Default)]
pub(super) struct Cues(Vec<Meanwhile>);

impl Cues {
    pub(super) fn add(&mut self, act: Meanwhile) {
        self.0.push(act);
    }

    /// Takes out what comes just before this request, in the order in which it was added.
    pub(super) fn due(&mut self, request: &Request) -> Vec<Meanwhile> {
        let target = request.target();
        let is_due = |act: &mut Meanwhile| {
            let is_cue = act.method.as_ref().is_none_or(|wanted| *wanted == request.method)
                && (matches(&act.path, &request.path) || matches(&act.path, &target));
            let passes = is_cue && act.skip > 0;
            act.skip -= u32::from(passes);
            is_cue && !passes
        };
        self.0.extract_if(.., is_due).collect()
    }
}
