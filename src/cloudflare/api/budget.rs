use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;

use super::limit::{Held, Limit, Spent};
use super::ratelimit::Word;
use crate::provider::{BudgetLeft, Lane};

/// Nobody waits longer than this for the rate limit. Documented: past the limit every call is refused for 5 minutes;
/// the API tells whole seconds.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(5 * 60 + 1);

/// How long to hold back after a 429 that does not say. No value is published.
const UNTOLD_WAIT: SignedDuration = SignedDuration::from_secs(30);

/// Documented: requests per user and window, and seconds in that window. Answers name this limit `default`.
const PER_USER: (&str, u32, i64) = ("default", 1200, 300);

/// Documented: requests per address and second. No answer tells of it.
const PER_ADDRESS: (&str, u32, i64) = ("", 200, 1);

/// The rate limits as the answers tell them, and who may go. Knows no clock and waits for nobody: [`super::gate`] does.
///
/// What is in flight counts as spent, since the server may or may not have counted it. What an answer says was left is
/// an upper bound of what is, for the rest of that window.
#[derive(Debug)]
pub(super) struct Budget {
    limits: Vec<Limit>,
    flying: u32,
    /// When the own requests ended, the latest last, as far back as the longest window reaches.
    ended: Vec<Timestamp>,
    /// The API turned a request away, and nothing goes until then.
    closed_until: Option<Timestamp>,
    trial: Option<Trial>,
}

/// A window that nobody has told of yet: what goes into it goes carefully, until one answer has come.
#[derive(Debug, Clone, Copy)]
struct Trial {
    since: Timestamp,
    flying: u32,
    /// So many at a time; more than one, lest all wait for one that hangs.
    most: u32,
}

/// What becomes of a request that wants to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// It goes.
    Go,
    /// It waits: until then where a time is known, and in any case for the next answer.
    Wait(Held),
    /// It would have to wait for longer than anybody should.
    TooLong(SignedDuration),
}

impl Budget {
    pub(super) fn new() -> Self {
        let limits = [PER_USER, PER_ADDRESS].map(|(name, quota, seconds)| Limit::documented(name, quota, seconds));
        let trial = Trial { since: Timestamp::MIN, flying: 0, most: 4 };
        Self { limits: limits.into(), flying: 0, ended: Vec::new(), closed_until: None, trial: Some(trial) }
    }

    /// Whether a request of `lane` may go now. If it does, [`Self::sent`] is to be called.
    pub(super) fn may_go(&mut self, lane: Lane, now: Timestamp) -> Leave {
        if let Some(until) = self.closed_until {
            if until > now {
                return wait(Some(until), now);
            }
            self.closed_until = None;
            self.trial = Some(Trial { since: now, flying: 0, most: 1 });
        }
        let spent = Spent { flying: self.flying, ended: &self.ended };
        let mut rolled = false;
        for limit in &mut self.limits {
            rolled |= limit.roll(&spent, now);
        }
        if rolled {
            self.trial.get_or_insert(Trial { since: now, flying: 0, most: 4 });
        }
        if self.trial.is_some_and(|trial| trial.flying >= trial.most && lane != Lane::Containment) {
            return Leave::Wait(None);
        }
        let held = self.limits.iter_mut().filter_map(|limit| limit.check(lane, &spent, now).err()).max();
        held.map_or(Leave::Go, |held| wait(held, now))
    }

    /// A request goes.
    pub(super) const fn sent(&mut self) {
        self.flying += 1;
        if let Some(trial) = &mut self.trial {
            trial.flying += 1;
        }
    }

    /// A request that went at `sent` has ended: with an answer, or without.
    pub(super) fn ended(&mut self, sent: Timestamp, answer: Option<(StatusCode, &Word)>, now: Timestamp) {
        self.flying = self.flying.saturating_sub(1);
        let longest = self.limits.iter().map(Limit::length).max().unwrap_or(SignedDuration::ZERO);
        let old = self.ended.partition_point(|at| now.duration_since(*at) >= longest);
        // Rarely, since what is behind moves up.
        if old > self.ended.len() / 2 {
            self.ended.drain(..old);
        }
        if let Some(trial) = self.trial.as_mut().filter(|trial| sent >= trial.since) {
            trial.flying = trial.flying.saturating_sub(1);
            if answer.is_some() {
                self.trial = None;
            }
        }
        match answer {
            Some((status, word)) => self.hear(status, word, sent, now),
            None => self.limits.iter_mut().for_each(|limit| limit.spend(now)),
        }
        // The clock of a machine may be set back; order is what counts here.
        self.ended.push(self.ended.last().map_or(now, |last| now.max(*last)));
    }

    fn hear(&mut self, status: StatusCode, word: &Word, sent: Timestamp, now: Timestamp) {
        for policy in &word.policies {
            match self.limits.iter_mut().find(|limit| limit.name() == policy.name) {
                Some(limit) => limit.learn(policy),
                None => {
                    let mut limit = Limit::documented(&policy.name, policy.quota, 0);
                    limit.learn(policy);
                    self.limits.push(limit);
                }
            }
        }
        let spent = Spent { flying: self.flying, ended: &self.ended };
        for limit in &mut self.limits {
            match word.standings.iter().find(|standing| standing.name == limit.name()) {
                Some(standing) => limit.hear(standing, sent, &spent, now),
                None => limit.spend(now),
            }
        }
        self.obey(status, word, now);
    }

    /// Stops everybody where an answer says so.
    fn obey(&mut self, status: StatusCode, word: &Word, now: Timestamp) {
        let until = if status == StatusCode::TOO_MANY_REQUESTS {
            let spent = self.limits.iter().filter(|limit| limit.is_spent()).filter_map(Limit::ends).max();
            match (word.retry_after, spent) {
                (Some(wait), _) => now.checked_add(wait).ok(),
                (None, Some(ends)) => Some(ends),
                (None, None) => now.checked_add(UNTOLD_WAIT).ok(),
            }
        } else {
            let wait = word.retry_after.filter(|_| status.is_server_error());
            wait.and_then(|wait| now.checked_add(wait).ok())
        };
        if let Some(until) = until {
            self.closed_until = self.closed_until.max(Some(until));
            if status == StatusCode::TOO_MANY_REQUESTS {
                self.limits.iter_mut().for_each(|limit| limit.wait_until(until));
            }
        }
    }

    /// Requests of other processes went then, that may be in the present window.
    pub(super) fn recall(&mut self, went: Vec<Timestamp>) {
        if went.is_empty() {
            return;
        }
        self.ended.extend(went);
        self.ended.sort_unstable();
    }

    /// When the own requests ended, the latest last.
    pub(super) fn own(&self) -> &[Timestamp] {
        &self.ended
    }

    /// Requests that were sent and have not ended.
    pub(super) const fn flying(&self) -> u32 {
        self.flying
    }

    /// What is left to a lane, by the limit that is nearest among those whose windows take longer than a second.
    pub(super) fn left(&self, lane: Lane, now: Timestamp) -> Option<BudgetLeft> {
        let spent = Spent { flying: self.flying, ended: &self.ended };
        let limits = self.limits.iter().filter(|limit| limit.length() > SignedDuration::from_secs(1));
        limits.min_by_key(|limit| limit.left(lane, &spent, now)).map(|limit| BudgetLeft {
            left: limit.left(lane, &spent, now),
            per_window: limit.quota() - limit.reserve(lane),
            window: limit.length(),
            resets_in: limit.ends().map(|ends| ends.duration_since(now).max(SignedDuration::ZERO)),
        })
    }
}

fn wait(held: Held, now: Timestamp) -> Leave {
    match held.map(|until| until.duration_since(now)) {
        Some(wait) if wait > LONGEST_WAIT => Leave::TooLong(wait),
        _ => Leave::Wait(held),
    }
}

#[cfg(test)]
mod tests;
