//! The rate limit: so many requests per five minutes and user.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

/// So many requests in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests per window.
    pub requests: u64,
    /// Seconds in a window.
    pub seconds: u32,
}

impl Quota {
    /// What the API documents.
    pub const DOCUMENTED: Self = Self { requests: 1200, seconds: 300 };
}

/// What is left of a budget.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    pub(super) quota: Quota,
    pub(super) remaining: u64,
    /// Seconds until the budget is whole again.
    pub(super) reset: u64,
    /// This request is over the limit.
    pub(super) exceeded: bool,
}

/// The budgets of everybody who has called.
#[derive(Debug)]
pub(super) struct Budgets {
    quota: Quota,
    spent: HashMap<String, Spent>,
}

#[derive(Debug)]
struct Spent {
    opened: Timestamp,
    requests: u64,
}

impl Budgets {
    pub(super) fn new(quota: Quota) -> Self {
        Self { quota, spent: HashMap::new() }
    }

    pub(super) const fn quota(&self) -> Quota {
        self.quota
    }

    /// Counts one request against the budget of `owner`. Once over the limit, everything is refused for a window.
    pub(super) fn spend(&mut self, owner: &str, at: Timestamp) -> Allowance {
        let window = SignedDuration::from_secs(self.quota.seconds.into());
        let spent = self.spent.entry(owner.to_owned()).or_insert(Spent { opened: at, requests: 0 });
        if at.duration_since(spent.opened) >= window {
            *spent = Spent { opened: at, requests: 0 };
        }
        spent.requests += 1;
        if spent.requests == self.quota.requests + 1 {
            spent.opened = at;
        }
        let left = window - at.duration_since(spent.opened);
        Allowance {
            quota: self.quota,
            remaining: self.quota.requests.saturating_sub(spent.requests),
            reset: u64::try_from(left.as_secs()).unwrap_or_default().max(1),
            exceeded: spent.requests > self.quota.requests,
        }
    }
}
