use jiff::{SignedDuration, Timestamp};

use super::ratelimit::{Policy, Standing};
use crate::provider::Lane;

/// A second: as precise as the API tells when a window ends.
const TOLD_TO: SignedDuration = SignedDuration::from_secs(1);

/// One rate limit, and what is known of the window that it is in.
#[derive(Debug)]
pub(super) struct Limit {
    policy: Policy,
    known_from: KnownFrom,
    /// `None` where nobody has told of it: then the own requests of the last [`Policy::length`] are counted.
    window: Option<Window>,
    /// When own requests ended that may be in the window, and that nobody has told to be counted in what is left.
    untold: Vec<Timestamp>,
    /// Whatever is told of a window that ended by then is out of date.
    began: Timestamp,
}

/// Where a policy is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KnownFrom {
    /// The documentation.
    Documentation,
    /// The most that was ever left, and the longest time that was to pass.
    Standings,
    /// The API.
    Policy,
}

/// The window that a limit is in.
#[derive(Debug, Clone, Copy)]
struct Window {
    /// The least that an answer told was left; the whole quota where none has told.
    left: u32,
    /// When it ends: not before the first, and not after the second. `None` until an answer tells.
    ends: Option<(Timestamp, Timestamp)>,
}

/// The own requests, as a limit counts them.
pub(super) struct Spent<'l> {
    /// Sent and not answered: the server may or may not have counted them.
    pub(super) flying: u32,
    /// When the others ended, the latest last.
    pub(super) ended: &'l [Timestamp],
}

/// Why a request may not go, and when that changes if no answer changes it before.
pub(super) type Held = Option<Timestamp>;

impl Limit {
    /// A limit that is documented and was not told of yet.
    pub(super) fn documented(name: &str, quota: u32, seconds: i64) -> Self {
        let policy = Policy { name: name.to_owned(), quota, length: SignedDuration::from_secs(seconds) };
        Self { policy, known_from: KnownFrom::Documentation, window: None, untold: Vec::new(), began: Timestamp::MIN }
    }

    pub(super) fn name(&self) -> &str {
        &self.policy.name
    }

    pub(super) const fn length(&self) -> SignedDuration {
        self.policy.length
    }

    pub(super) const fn quota(&self) -> u32 {
        self.policy.quota
    }

    /// Takes the policy over that the API tells.
    pub(super) fn learn(&mut self, policy: &Policy) {
        self.policy.clone_from(policy);
        self.known_from = KnownFrom::Policy;
    }

    /// Goes over to the next window where the present one is over; true where it did.
    pub(super) fn roll(&mut self, spent: &Spent<'_>, now: Timestamp) -> bool {
        let Some((from, over)) = self.window.and_then(|window| window.ends).filter(|(_, over)| *over <= now) else {
            return false;
        };
        // What ended when the old window may have been over may have been counted in the new one.
        self.untold = spent.ended[spent.ended.partition_point(|at| *at < from)..].to_vec();
        self.window = Some(Window { left: self.policy.quota, ends: None });
        self.began = over;
        true
    }

    /// Whether a request of `lane` may go now.
    pub(super) fn check(&mut self, lane: Lane, spent: &Spent<'_>, now: Timestamp) -> Result<(), Held> {
        let kept = self.reserve(lane);
        // The same user's dashboard, or the intruder, may be sending too: what is not urgent reckons with one request of
        // somebody else for each of its own.
        let flying = if lane == Lane::Containment { spent.flying } else { spent.flying * 2 };
        match self.window {
            Some(window) if self.left_of(window) > flying + kept => return Ok(()),
            Some(Window { ends: Some((_, over)), .. }) => return Err(Some(over)),
            // It was to be new, and nobody has told of it since: count again.
            Some(Window { ends: None, .. }) => self.window = None,
            None => {}
        }
        let recent = self.recent(spent, now);
        let taken = spent.flying as usize + recent.len() + kept as usize;
        match taken.checked_sub(self.policy.quota as usize) {
            None => Ok(()),
            Some(over) => Err(recent.get(over).and_then(|at| at.checked_add(self.policy.length).ok())),
        }
    }

    /// What is left to a lane, as far as is known.
    pub(super) fn left(&self, lane: Lane, spent: &Spent<'_>, now: Timestamp) -> u32 {
        let recent = || u32::try_from(self.recent(spent, now).len()).unwrap_or(u32::MAX);
        let left = match self.window {
            Some(window) => self.left_of(window),
            None => self.policy.quota.saturating_sub(recent()),
        };
        left.saturating_sub(spent.flying + self.reserve(lane))
    }

    /// The own requests that a window of this length may hold.
    fn recent<'l>(&self, spent: &Spent<'l>, now: Timestamp) -> &'l [Timestamp] {
        &spent.ended[spent.ended.partition_point(|at| now.duration_since(*at) >= self.policy.length)..]
    }

    /// When the present window ends at the latest, where that is known.
    pub(super) fn ends(&self) -> Option<Timestamp> {
        self.window?.ends.map(|(_, over)| over)
    }

    /// At most what is left of a window to requests that are not answered yet.
    fn left_of(&self, window: Window) -> u32 {
        window.left.saturating_sub(u32::try_from(self.untold.len()).unwrap_or(u32::MAX))
    }

    /// What a lane leaves to more urgent ones: of 1,200 requests the last 200 are not for sweeps, and the last 50 not for
    /// what is merely needed. Of a smaller quota it is the same part. Nobody keeps anything of a window that is over in
    /// a second.
    pub(super) fn reserve(&self, lane: Lane) -> u32 {
        if self.policy.length <= TOLD_TO {
            return 0;
        }
        match lane {
            Lane::Containment => 0,
            Lane::Evidence => (self.policy.quota / 24).min(50),
            Lane::Sweep => (self.policy.quota / 6).min(200),
        }
    }

    /// A request ended now that this limit may have counted, and nothing was told.
    pub(super) fn spend(&mut self, now: Timestamp) {
        self.untold.retain(|ended| now.duration_since(*ended) < self.policy.length);
        self.untold.push(now);
    }

    /// An answer that came now, to a request that went at `sent` and is not in `spent` any more, tells where the limit
    /// stands.
    pub(super) fn hear(&mut self, standing: &Standing, sent: Timestamp, spent: &Spent<'_>, now: Timestamp) {
        // Whole seconds may have been rounded up or down, and the server looked at some time between the two.
        let earliest = sent + standing.reset - TOLD_TO;
        if sent < self.began && earliest < self.began {
            return self.spend(now);
        }
        self.guess(standing);
        let latest = match self.known_from {
            // A window ends at the latest its length after anything in it.
            KnownFrom::Policy => (standing.reset + TOLD_TO).min(self.policy.length.max(standing.reset)),
            _ => standing.reset + TOLD_TO,
        };
        let latest = now + latest;
        self.window = Some(match self.window {
            // Answers overtake each other: of one window, the least that was told is what is left. That it was told of
            // this window and not of the next one is not certain, so that the earliest end stands.
            Some(Window { left, ends }) if ends.is_none_or(|(_, over)| earliest <= over) => {
                // What had ended before this request went is counted in what it tells, or in what told less.
                self.untold.retain(|ended| *ended > sent);
                let ends = ends.map_or((earliest, latest), |(from, over)| (from.min(earliest), over.min(latest)));
                Window { left: left.min(standing.remaining), ends: Some(ends) }
            }
            before => {
                self.began = before.and_then(|window| window.ends).map_or(self.began, |(_, over)| over);
                self.untold = spent.ended[spent.ended.partition_point(|at| *at <= sent)..].to_vec();
                Window { left: standing.remaining, ends: Some((earliest, latest)) }
            }
        });
    }

    /// Makes out a policy that the API does not tell.
    fn guess(&mut self, standing: &Standing) {
        let (quota, length) = (standing.remaining.saturating_add(1), standing.reset + TOLD_TO);
        let (least, shortest) = match self.known_from {
            KnownFrom::Policy => return,
            KnownFrom::Standings => (self.policy.quota, self.policy.length),
            KnownFrom::Documentation => (0, SignedDuration::ZERO),
        };
        (self.policy.quota, self.policy.length) = (quota.max(least), length.max(shortest));
        self.known_from = KnownFrom::Standings;
    }

    /// The API says how long to wait: if nothing was left, the window ends then.
    pub(super) fn wait_until(&mut self, until: Timestamp) {
        if let Some(window) = self.window.as_mut().filter(|window| window.left == 0) {
            window.ends = Some(window.ends.map_or((until, until), |(from, over)| (from.min(until), over.min(until))));
        }
    }

    /// Whether nothing is left.
    pub(super) fn is_spent(&self) -> bool {
        self.window.is_some_and(|window| window.left == 0)
    }
}
