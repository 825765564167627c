//! The rate limit through the real client: a server that counts, and a clock that both go by.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use quell::clock::Clock;
use quell::cloudflare::api::{Connected, Meter};
use quell::provider::{BoxFuture, Lane, ReadError, ReadRequest};
use tokio::task::JoinSet;

use super::scripted::{ACCOUNT, Reply, Server, answer, token};

const START: &str = "2026-11-23T12:00:00Z";

/// A clock that stands still while a request is in flight, and is moved on by whoever sleeps.
#[derive(Clone)]
struct Tide(Arc<Water>);

struct Water {
    now: Mutex<Timestamp>,
    /// Of each process.
    meters: Mutex<Vec<Arc<Meter>>>,
    frozen: AtomicBool,
}

impl Tide {
    fn new() -> Self {
        Self(Arc::new(Water {
            now: Mutex::new(START.parse().unwrap()),
            meters: Mutex::default(),
            frozen: false.into(),
        }))
    }

    /// Seconds that have gone by.
    fn seconds(&self) -> i64 {
        self.now().duration_since(START.parse().unwrap()).as_secs()
    }
}

impl Clock for Tide {
    fn now(&self) -> Timestamp {
        *self.0.now.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (water, until) = (Arc::clone(&self.0), self.now() + duration);
        Box::pin(async move {
            let in_flight = || water.meters.lock().unwrap().iter().any(|meter| meter.snapshot().in_flight > 0);
            while in_flight() || water.frozen.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let mut now = water.now.lock().unwrap();
            *now = until.max(*now);
        })
    }
}

/// What a server does about the rate.
#[derive(Clone, Copy)]
struct Limits {
    quota: u32,
    window: i64,
    /// Seconds are rounded up, or down.
    rounds_up: bool,
    /// The names in the two headers; `None` for a server that tells nothing.
    names: Option<(&'static str, &'static str)>,
    /// How many requests somebody else makes for each of ours.
    others: u32,
}

const SIXTY_PER_FIVE: Limits =
    Limits { quota: 60, window: 5, rounds_up: true, names: Some(("default", "default")), others: 0 };

/// What a server has seen.
#[derive(Default)]
struct Counted {
    opened: Option<Timestamp>,
    taken: u32,
    /// Of each window, how many requests it took of ours.
    windows: Vec<u32>,
    times: Vec<Timestamp>,
    throttled: u32,
    least_left: Option<u32>,
    /// Turns the next request away, whatever is left.
    refuse_next: bool,
}

impl Counted {
    fn receive(&mut self, limits: &Limits, now: Timestamp) -> Reply {
        let window = SignedDuration::from_secs(limits.window);
        let opened = match self.opened.filter(|opened| now.duration_since(*opened) < window) {
            Some(opened) => opened,
            None => {
                self.taken = 0;
                self.windows.push(0);
                *self.opened.insert(now)
            }
        };
        let is_over = self.taken >= limits.quota || self.refuse_next;
        self.refuse_next = false;
        self.taken += 1 + limits.others;
        self.times.push(now);
        *self.windows.last_mut().unwrap() += 1;
        let left = (opened + window).duration_since(now);
        let reset = left.as_secs() + i64::from(limits.rounds_up && left.subsec_nanos() > 0);
        let remaining = limits.quota.saturating_sub(self.taken);
        self.least_left = Some(self.least_left.map_or(remaining, |least| least.min(remaining)));
        let headers = limits.names.map_or_else(String::new, |(standing, policy)| {
            let (quota, window) = (limits.quota, limits.window);
            format!("ratelimit: \"{standing}\";r={remaining};t={reset}\r\nratelimit-policy: \"{policy}\";q={quota};w={window}\r\n")
        });
        if is_over {
            self.throttled += 1;
            return answer(429, &format!("{headers}retry-after: {reset}\r\n"), "{}");
        }
        answer(200, &headers, r#"{"success":true,"result":{"id":"t1","status":"active"}}"#)
    }
}

struct Scene {
    server: Server,
    connected: Connected,
    tide: Tide,
    counted: Arc<Mutex<Counted>>,
}

impl Scene {
    async fn new(limits: Limits) -> Self {
        let (tide, counted) = (Tide::new(), Arc::<Mutex<Counted>>::default());
        let (clock, count) = (tide.clone(), Arc::clone(&counted));
        let server = Server::start_raw(move |line, _| {
            let reply = count.lock().unwrap().receive(&limits, clock.now());
            match line.strip_prefix("GET /accounts/") {
                Some(id) => retold(&reply, &format!(r#"{{"success":true,"result":{{"id":"{id}","name":"Example"}}}}"#)),
                None => reply,
            }
        })
        .await;
        let connected = server.connect(&Arc::new(tide.clone())).await;
        tide.0.meters.lock().unwrap().push(Arc::clone(&connected.meter));
        Self { server, connected, tide, counted }
    }

    /// As another process begins, with what the ones before have kept in `dir`.
    async fn begin(&mut self, dir: &Path) {
        let connector = self.server.connector(&Arc::new(self.tide.clone()), token());
        let connector = connector.counting(Arc::clone(&self.connected.meter)).remembering(dir.to_owned());
        self.connected = connector.connect(Some(ACCOUNT)).await.unwrap();
    }

    /// Another process at the same time.
    async fn beside(&self, dir: &Path) -> Connected {
        let connector = self.server.connector(&Arc::new(self.tide.clone()), token());
        let connected = connector.remembering(dir.to_owned()).connect(Some(ACCOUNT)).await.unwrap();
        self.tide.0.meters.lock().unwrap().push(Arc::clone(&connected.meter));
        connected
    }

    /// Makes so many reads, sixteen at a time; all must be answered.
    async fn read(&self, lane: Lane, total: usize) {
        read_all(&self.connected, lane, total).await;
    }
}

async fn read_all(connected: &Connected, lane: Lane, total: usize) {
    let mut reads: JoinSet<Result<(), ReadError>> = JoinSet::new();
    for n in 0..total {
        if reads.len() == 16 {
            reads.join_next().await.unwrap().unwrap().unwrap();
        }
        reads.spawn(read(connected, lane, n));
    }
    while let Some(read) = reads.join_next().await {
        read.unwrap().unwrap();
    }
}

fn read(connected: &Connected, lane: Lane, n: usize) -> impl Future<Output = Result<(), ReadError>> + use<> {
    let side = Arc::clone(&connected.read);
    async move { side.get(&ReadRequest::new(format!("/x/{n}")).lane(lane)).await.map(|_| ()) }
}

/// The same answer with another body.
fn retold(reply: &Reply, body: &str) -> Reply {
    let Reply::Say(text) = reply else { unreachable!() };
    let head = text.split("\r\n\r\n").next().unwrap();
    let lines = head.lines().filter(|line| !line.starts_with("content-length"));
    let head = lines.collect::<Vec<_>>().join("\r\n");
    Reply::Say(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
}

/// Connecting takes three requests of the first window.
const CONNECTING: usize = 3;

#[tokio::test]
async fn three_hundred_requests_at_sixty_per_five_seconds_take_five_windows_and_no_429() {
    for (rounds_up, names) in [
        (true, ("default", "default")),
        (false, ("default", "default")),
        // As the documentation's own example has it.
        (true, ("default", "burst")),
    ] {
        let scene = Scene::new(Limits { rounds_up, names: Some(names), ..SIXTY_PER_FIVE }).await;
        scene.read(Lane::Containment, 300 - CONNECTING).await;
        let counted = scene.counted.lock().unwrap();
        assert_eq!((counted.throttled, counted.windows.as_slice()), (0, &[60; 5][..]), "{names:?} {rounds_up}");
        // The fifth window opens after four times 5 s.
        assert!((20..=22).contains(&scene.tide.seconds()), "{} s", scene.tide.seconds());
    }
}

#[tokio::test]
async fn a_sweep_leaves_a_sixth_of_every_window_and_takes_all_else() {
    let scene = Scene::new(SIXTY_PER_FIVE).await;
    scene.read(Lane::Sweep, 300 - CONNECTING).await;
    let counted = scene.counted.lock().unwrap();
    assert_eq!((counted.throttled, counted.windows.as_slice(), counted.least_left), (0, &[50; 6][..], Some(10)));
    assert!((25..=27).contains(&scene.tide.seconds()), "{} s", scene.tide.seconds());
}

#[tokio::test]
async fn a_cut_goes_through_while_a_sweep_is_starved() {
    let scene = Scene::new(SIXTY_PER_FIVE).await;
    scene.read(Lane::Sweep, 50 - CONNECTING).await;
    scene.tide.0.frozen.store(true, Ordering::SeqCst);
    let mut waiting = scene.connected.meter.waiting();
    let starved = tokio::spawn(read(&scene.connected, Lane::Sweep, 100));
    waiting.wait_for(Option::is_some).await.unwrap();
    for n in 0..8 {
        read(&scene.connected, Lane::Evidence, n).await.unwrap();
    }
    for n in 0..2 {
        read(&scene.connected, Lane::Containment, n).await.unwrap();
    }
    assert!(!starved.is_finished());
    assert_eq!(scene.connected.meter.snapshot().remaining, Some(0));
    scene.tide.0.frozen.store(false, Ordering::SeqCst);
    starved.await.unwrap().unwrap();
    let counted = scene.counted.lock().unwrap();
    assert_eq!((counted.throttled, counted.windows.as_slice(), scene.tide.seconds()), (0, &[60, 1][..], 5));
}

#[tokio::test]
async fn who_waits_goes_by_urgency_and_then_by_arrival() {
    let scene = Scene::new(SIXTY_PER_FIVE).await;
    scene.read(Lane::Containment, 60 - CONNECTING).await;
    scene.tide.0.frozen.store(true, Ordering::SeqCst);
    let mut waiting = JoinSet::new();
    for (lane, n) in [(Lane::Sweep, 4), (Lane::Evidence, 3), (Lane::Sweep, 5), (Lane::Containment, 2)] {
        waiting.spawn(read(&scene.connected, lane, n));
        // Each takes its place in the line before the next one comes.
        tokio::task::yield_now().await;
    }
    scene.tide.0.frozen.store(false, Ordering::SeqCst);
    while let Some(read) = waiting.join_next().await {
        read.unwrap().unwrap();
    }
    let counted = scene.counted.lock().unwrap();
    assert_eq!((counted.throttled, counted.windows.as_slice()), (0, &[60, 4][..]));
    assert_eq!(scene.server.arrived()[60 - CONNECTING], "GET /x/2");
}

#[tokio::test]
async fn a_429_out_of_the_blue_stops_everything_for_as_long_as_it_says() {
    let scene = Scene::new(Limits { quota: 1200, window: 300, ..SIXTY_PER_FIVE }).await;
    scene.read(Lane::Sweep, 20).await;
    scene.counted.lock().unwrap().refuse_next = true;
    scene.read(Lane::Sweep, 60).await;
    read(&scene.connected, Lane::Containment, 1).await.unwrap();
    let counted = scene.counted.lock().unwrap();
    let start: Timestamp = START.parse().unwrap();
    let early = counted.times.iter().filter(|at| **at == start).count();
    let meanwhile = counted.times.iter().filter(|at| **at > start && at.duration_since(start).as_secs() < 300).count();
    // Of the sixteen in flight at that moment, the others were on their way.
    assert!(early < CONNECTING + 20 + 2 * 16, "{early}");
    assert_eq!((meanwhile, counted.throttled), (0, 1));
    assert_eq!(counted.times.len(), CONNECTING + 20 + 60 + 1 + 1, "the one that was turned away is asked for again");
}

#[tokio::test]
async fn a_server_that_tells_nothing_is_asked_within_the_documented_limits() {
    let scene = Scene::new(Limits { quota: u32::MAX, window: 300, names: None, ..SIXTY_PER_FIVE }).await;
    scene.read(Lane::Containment, 1300).await;
    let counted = scene.counted.lock().unwrap();
    for (most, within) in [(200, 1), (1200, 300)] {
        let spans = counted.times.windows(most + 1).map(|span| span[most].duration_since(span[0]).as_secs());
        assert!(spans.min().unwrap() >= within, "more than {most} requests within {within} s");
    }
}

#[tokio::test]
async fn what_one_process_has_spent_the_next_one_counts() {
    let dir = tempfile::tempdir().unwrap();
    let spent = dir.path().join("state").join("spent");
    let kept = || std::fs::read_dir(&spent).map_or(0, Iterator::count);
    let silent = Limits { quota: 1200, window: 300, names: None, ..SIXTY_PER_FIVE };
    let mut scene = Scene::new(silent).await;
    scene.begin(&spent).await;
    scene.read(Lane::Sweep, 900).await;
    // It is resumed at once, and once more.
    scene.begin(&spent).await;
    let left = scene.connected.read.budget(Lane::Containment).unwrap().left;
    assert!((280..=300).contains(&left), "{left}");
    scene.read(Lane::Sweep, 150).await;
    scene.begin(&spent).await;
    scene.read(Lane::Sweep, 150).await;
    let counted = scene.counted.lock().unwrap();
    let first = counted.windows[0] as usize;
    assert_eq!(counted.throttled, 0, "{:?}", counted.windows);
    // The reserve is kept for what is urgent, and everything comes at last.
    assert!((1000..=1010).contains(&first), "{:?}", counted.windows);
    assert_eq!(counted.times.len(), 4 * CONNECTING + 1200);
    assert!(kept() > 0);
}

#[tokio::test]
async fn two_processes_at_once_share_what_one_may_spend() {
    let dir = tempfile::tempdir().unwrap();
    let spent = dir.path().join("spent");
    let silent = Limits { quota: 1200, window: 300, names: None, ..SIXTY_PER_FIVE };
    let mut scene = Scene::new(silent).await;
    scene.begin(&spent).await;
    let other = scene.beside(&spent).await;
    tokio::join!(scene.read(Lane::Sweep, 700), read_all(&other, Lane::Sweep, 700));
    let counted = scene.counted.lock().unwrap();
    assert_eq!(counted.throttled, 0, "{:?}", counted.windows);
    assert!((1000..=1010).contains(&counted.windows[0]), "{:?}", counted.windows);
    assert_eq!(counted.times.len(), 3 * CONNECTING + 1400);
    let in_a_second = counted.times.windows(211).map(|span| span[210].duration_since(span[0]).as_secs());
    assert!(in_a_second.min().unwrap() >= 1, "the limit of the address is shared as well");
}

#[tokio::test]
async fn where_the_api_tells_it_has_the_word_and_nothing_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let spent = dir.path().join("spent");
    let mut scene = Scene::new(SIXTY_PER_FIVE).await;
    scene.begin(&spent).await;
    scene.read(Lane::Sweep, 70).await;
    assert_eq!((scene.counted.lock().unwrap().throttled, spent.exists()), (0, false));
}

#[tokio::test]
async fn somebody_else_who_eats_the_budget_is_seen_in_time() {
    let scene = Scene::new(Limits { others: 1, ..SIXTY_PER_FIVE }).await;
    scene.read(Lane::Sweep, 100).await;
    let counted = scene.counted.lock().unwrap();
    assert_eq!(counted.throttled, 0, "{:?}", counted.windows);
    assert!(counted.windows[..4].iter().all(|ours| (20..=25).contains(ours)), "{:?}", counted.windows);
    assert!(counted.least_left >= Some(9), "{:?}", counted.least_left);
}
