//! The rate limit: so many requests per five minutes and user.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

/// Requests per window.
pub(super) const QUOTA: u64 = 1200;
/// Seconds in a window.
pub(super) const WINDOW: i64 = 300;

/// What is left of a budget.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    pub(super) remaining: u64,
    /// Seconds until the budget is whole again.
    pub(super) reset: u64,
    /// This request is over the limit.
    pub(super) exceeded: bool,
}

/// The budgets of everybody who has called.
#[derive(Debug, Default)]
pub(super) struct Budgets(HashMap<String, Spent>);

#[derive(Debug)]
struct Spent {
    opened: Timestamp,
    requests: u64,
}

impl Budgets {
    /// Counts one request against the budget of `owner`. Once over the limit, everything is refused for a window.
    pub(super) fn spend(&mut self, owner: &str, at: Timestamp) -> Allowance {
        let window = SignedDuration::from_secs(WINDOW);
        let spent = self.0.entry(owner.to_owned()).or_insert(Spent { opened: at, requests: 0 });
        if at.duration_since(spent.opened) >= window {
            *spent = Spent { opened: at, requests: 0 };
        }
        spent.requests += 1;
        if spent.requests == QUOTA + 1 {
            spent.opened = at;
        }
        let left = window - at.duration_since(spent.opened);
        Allowance {
            remaining: QUOTA.saturating_sub(spent.requests),
            reset: u64::try_from(left.as_secs()).unwrap_or_default().max(1),
            exceeded: spent.requests > QUOTA,
        }
    }
}
