use std::time::Duration;

use jiff::SignedDuration;

/// Shows how far a long read is, and how long a wait still takes. Ephemeral: never journaled.
pub trait Progress: Send + Sync {
    /// It is as far as this.
    fn show(&self, extent: &Extent<'_>);

    /// `done` of `total` (0: unknown) of `what`.
    fn tick(&self, what: &str, done: u64, total: u64) {
        self.show(&Extent::of(what, done, total));
    }

    /// So long is still to be waited for `what`; told every second, down to zero.
    fn left(&self, what: &str, left: Duration);
}

/// How far a long read is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent<'e> {
    /// What is read.
    pub what: &'e str,
    /// So much of it.
    pub done: u64,
    /// Of so much; 0 where that is not known. May grow while it is read.
    pub total: u64,
    /// Requests that it still takes, as far as is known.
    pub requests_left: Option<u64>,
    /// Requests that the rate limit leaves to it now.
    pub budget_left: Option<u32>,
    /// How long it will take.
    pub eta: Option<SignedDuration>,
}

impl<'e> Extent<'e> {
    /// `done` of `total` (0: unknown) of `what`.
    pub const fn of(what: &'e str, done: u64, total: u64) -> Self {
        Self { what, done, total, requests_left: None, budget_left: None, eta: None }
    }
}

/// What a rate limit leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetLeft {
    /// Requests that may go in the present window.
    pub left: u32,
    /// Requests that may go in a whole window.
    pub per_window: u32,
    /// How long a window is.
    pub window: SignedDuration,
    /// When the present window ends, where that is known.
    pub resets_in: Option<SignedDuration>,
}

impl BudgetLeft {
    /// How long so many requests have to wait for the rate limit, if nobody else uses it.
    pub fn wait_for(&self, requests: u64) -> SignedDuration {
        let more = requests.saturating_sub(self.left.into());
        if more == 0 {
            return SignedDuration::ZERO;
        }
        let windows = more.div_ceil(self.per_window.max(1).into()) - 1;
        let windows = i32::try_from(windows).unwrap_or(i32::MAX);
        self.resets_in.unwrap_or(self.window).saturating_add(self.window.saturating_mul(windows))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::BudgetLeft;

    #[test]
    fn what_does_not_fit_into_this_window_waits_for_the_next_ones() {
        let seconds = SignedDuration::from_secs;
        let left = BudgetLeft { left: 100, per_window: 1000, window: seconds(300), resets_in: Some(seconds(40)) };
        for (requests, wait) in [(0, 0), (100, 0), (101, 40), (1100, 40), (1101, 340), (2100, 340), (2101, 640)] {
            assert_eq!(left.wait_for(requests), seconds(wait), "{requests}");
        }
        assert_eq!(BudgetLeft { resets_in: None, ..left }.wait_for(101), seconds(300));
    }
}
