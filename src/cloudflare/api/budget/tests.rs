//! The budget against a server whose windows are known exactly, with answers that are late and overtake each other.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use reqwest::StatusCode;

use super::{Budget, Leave};
use crate::cloudflare::api::ratelimit::{Policy, Standing, Word};
use crate::provider::Lane;

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn ms(ms: i64) -> SignedDuration {
    SignedDuration::from_millis(ms)
}

/// How a server rounds and what it tells.
#[derive(Debug, Clone, Copy)]
struct Manners {
    rounds_up: bool,
    tells_policy: bool,
    /// Windows begin with the first request, or by the clock.
    lazy: bool,
}

#[derive(Debug)]
struct Server {
    quota: u32,
    window: SignedDuration,
    manners: Manners,
    opened: Option<Timestamp>,
    taken: u32,
    throttled: u32,
    /// How many requests each window took.
    windows: Vec<u32>,
}

impl Server {
    fn new(quota: u32, seconds: i64, manners: Manners) -> Self {
        let window = SignedDuration::from_secs(seconds);
        Self { quota, window, manners, opened: None, taken: 0, throttled: 0, windows: Vec::new() }
    }

    fn receive(&mut self, at: Timestamp) -> (StatusCode, Word) {
        let opened = match self.opened {
            Some(opened) if at.duration_since(opened) < self.window => opened,
            before => {
                self.taken = 0;
                self.windows.push(0);
                let since = before.filter(|_| !self.manners.lazy).map_or(SignedDuration::ZERO, |before| {
                    let whole = at.duration_since(before).as_millis() / self.window.as_millis();
                    self.window * i32::try_from(whole).unwrap()
                });
                before.filter(|_| !self.manners.lazy).map_or(at, |before| before + since)
            }
        };
        self.opened = Some(opened);
        self.taken += 1;
        *self.windows.last_mut().unwrap() += 1;
        let is_over = self.taken > self.quota;
        self.throttled += u32::from(is_over);
        let left = (opened + self.window).duration_since(at);
        let reset = left.as_secs() + i64::from(self.manners.rounds_up && left.subsec_nanos() > 0);
        let standing = Standing {
            name: "default".into(),
            remaining: self.quota.saturating_sub(self.taken),
            reset: SignedDuration::from_secs(reset),
        };
        let policy = Policy { name: "default".into(), quota: self.quota, length: self.window };
        let policies = if self.manners.tells_policy { vec![policy] } else { vec![] };
        let status = if is_over { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK };
        (status, Word { policies, standings: vec![standing], retry_after: None })
    }
}

/// A request on its way: sent, received, answered. `None`: the answer is lost.
type Flight = (Timestamp, Timestamp, Timestamp, bool, Option<(StatusCode, Word)>);

/// Sends `total` requests, at most 16 at once, as soon as the budget lets them; `delays` are the two ways and whether the
/// answer is lost. Like the client's, the first one goes alone. Returns when the last was answered.
fn drive(server: &mut Server, lane: Lane, total: usize, delays: &[(i64, i64, bool)]) -> Timestamp {
    let mut budget = Budget::new();
    let mut flights: Vec<Flight> = Vec::new();
    let (mut now, mut sent, mut most) = (START, 0, 1);
    loop {
        let mut wake = None;
        while sent < total && flights.len() < most {
            match budget.may_go(lane, now) {
                Leave::Go => {
                    budget.sent();
                    let (there, back, lost) = delays[sent % delays.len()];
                    flights.push((now, now + ms(there), now + ms(there + back), lost && sent > 0, None));
                    sent += 1;
                }
                Leave::Wait(until) => {
                    wake = until;
                    break;
                }
                Leave::TooLong(wait) => panic!("told to wait for {wait:?}"),
            }
        }
        if flights.is_empty() && sent == total {
            return now;
        }
        // The next thing that happens: a request is received, an answer comes, or the time to wait is over.
        let next = flights
            .iter()
            .map(|(_, received, answered, _, answer)| if answer.is_none() { *received } else { *answered })
            .chain(wake)
            .min()
            .unwrap_or_else(|| panic!("nothing in flight, and nobody knows until when to wait"));
        now = now.max(next);
        let mut landed = Vec::new();
        flights.retain_mut(|(sent_at, received, answered, lost, answer)| {
            if answer.is_none() && *received <= now {
                *answer = Some(server.receive(*received));
            }
            let has_landed = answer.is_some() && *answered <= now;
            if has_landed {
                landed.push((*sent_at, answer.take().filter(|_| !*lost)));
            }
            !has_landed
        });
        for (sent_at, answer) in landed {
            most = 16;
            budget.ended(sent_at, answer.as_ref().map(|(status, word)| (*status, word)), now);
        }
    }
}

fn manners() -> impl Strategy<Value = Manners> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(rounds_up, tells_policy, lazy)| Manners {
        rounds_up,
        tells_policy,
        lazy,
    })
}

proptest! {
    // Held against 6,000 cases when it was written; each simulates many windows.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn alone_it_is_never_turned_away(
        manners in manners(),
        quota in 1u32..80,
        seconds in 1i64..9,
        lane in prop::sample::select(vec![Lane::Containment, Lane::Evidence, Lane::Sweep]),
        delays in prop::collection::vec((1i64..900, 1i64..900, prop::bool::weighted(0.05)), 1..40),
    ) {
        let mut server = Server::new(quota, seconds, manners);
        drive(&mut server, lane, 200, &delays);
        prop_assert_eq!(server.throttled, 0, "{:?}", server.windows);
    }

    #[test]
    fn every_window_is_used_to_the_end(rounds_up: bool, lazy: bool, there in 1i64..20, back in 1i64..20) {
        let manners = Manners { rounds_up, lazy, tells_policy: true };
        for (lane, share) in [(Lane::Containment, 60), (Lane::Evidence, 58), (Lane::Sweep, 50)] {
            let mut server = Server::new(60, 5, manners);
            let took = drive(&mut server, lane, share * 5, &[(there, back, false)]).duration_since(START);
            prop_assert_eq!(server.throttled, 0);
            prop_assert_eq!(&server.windows, &vec![u32::try_from(share).unwrap(); 5]);
            prop_assert!(took < ms(22_000), "{took:?} for five windows of 5 s");
        }
    }
}

#[test]
fn what_is_told_of_a_window_that_is_over_is_not_believed() {
    let mut budget = Budget::new();
    let word = |remaining, reset| Word {
        policies: vec![Policy { name: "default".into(), quota: 60, length: SignedDuration::from_secs(5) }],
        standings: vec![Standing { name: "default".into(), remaining, reset: SignedDuration::from_secs(reset) }],
        retry_after: None,
    };
    let ok = StatusCode::OK;
    for _ in 0..3 {
        assert_eq!(budget.may_go(Lane::Evidence, START), Leave::Go);
        budget.sent();
    }
    budget.ended(START, Some((ok, &word(10, 5))), START + ms(10));
    // The other two are late: one of them by more than the window.
    let later = START + ms(5_100);
    assert_eq!(budget.may_go(Lane::Evidence, later), Leave::Go);
    budget.ended(START, Some((ok, &word(0, 1))), later + ms(1));
    budget.ended(START, Some((ok, &word(0, 1))), later + ms(2));
    assert_eq!(
        budget.left(Lane::Containment, later + ms(2)).unwrap().left,
        58,
        "at most two of the new window are gone"
    );
}

#[test]
fn a_429_stops_every_lane_and_one_request_tries_whether_it_is_over() {
    let mut budget = Budget::new();
    budget.sent();
    let word = Word { retry_after: Some(SignedDuration::from_secs(17)), ..Word::default() };
    budget.ended(START, Some((StatusCode::TOO_MANY_REQUESTS, &word)), START);
    let over = START + ms(17_000);
    for lane in [Lane::Containment, Lane::Evidence, Lane::Sweep] {
        assert_eq!(budget.may_go(lane, START + ms(1)), Leave::Wait(Some(over)));
    }
    assert_eq!(budget.may_go(Lane::Sweep, over), Leave::Go);
    budget.sent();
    assert_eq!(budget.may_go(Lane::Sweep, over), Leave::Wait(None));
    assert_eq!(budget.may_go(Lane::Containment, over), Leave::Go, "a cut does not wait for a trial");
    budget.ended(over, Some((StatusCode::OK, &Word::default())), over);
    assert_eq!(budget.may_go(Lane::Sweep, over), Leave::Go);
}
