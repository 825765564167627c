//! How near a sweep comes to what the rate limit allows: `cargo bench --bench budget -- 300`.
//!
//! The simulated account refuses more than 60 requests in 5 seconds, counted in windows, and the sweep has so many zones
//! to read. A sixth of each window is kept for what is more urgent, so 50 are a sweep's. It must earn no 429, and take no
//! more than a tenth longer than the bound.
//!
//! The bound has that reserve taken off: it is the time that all requests, those of connecting and of the list of zones
//! included, take at 50 in each window. At all 60 they would take up to a sixth less, which a sweep never reaches, on purpose.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench fails by panicking, and tells what it measured")]

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use quell::clock::{Clock, SystemClock};
use quell::cloudflare::api::{ApiBase, Connector, Credential, segment};
use quell::cloudflare::families::family;
use quell::cloudflare::simulator::{Quota, Scenario, WorldOptions, start};
use quell::hunt::Seat;
use quell::hunt::sweep::{Ending, IN_FLIGHT, Place, Sink, Sweep, SweptPage};
use quell::model::World;
use quell::provider::{Extent, Paging, Progress, ReadRequest};
use quell::secret::Secret;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const QUOTA: Quota = Quota { requests: 60, seconds: 5 };

/// What a sweep leaves of each window.
const RESERVE: u64 = QUOTA.requests / 6;

struct Nowhere;

impl Progress for Nowhere {
    fn show(&self, _: &Extent<'_>) {}

    fn left(&self, _what: &str, _left: Duration) {}
}

impl Sink for Nowhere {
    fn page(&mut self, _: SweptPage<'_>) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self, _: &Place, _: &Ending) -> io::Result<()> {
        Ok(())
    }
}

/// Whole windows that must go by before the last of so many requests may go, where each holds what a sweep may take of it.
fn bound(requests: u64) -> Duration {
    let windows = requests.div_ceil(QUOTA.requests - RESERVE) - 1;
    Duration::from_secs(windows * u64::from(QUOTA.seconds))
}

async fn measure(zones: usize) {
    let scenario = Scenario::big(zones, 1).unwrap();
    let options = WorldOptions { quota: QUOTA, ..WorldOptions::at(Timestamp::now()) };
    let simulator = start(&scenario, options).await.unwrap();
    let credential = Credential::Token(Secret::new(scenario.cast.responder_token.clone()));
    let (base, clock) = (ApiBase::parse(simulator.base_url()).unwrap(), Arc::new(SystemClock));
    let begun = Instant::now();
    let connector =
        Connector::new(base, credential, World::Rehearsal("big".to_owned()), Arc::clone(&clock) as Arc<dyn Clock>);
    let connected = connector.connect(Some(&scenario.cast.account_id)).await.unwrap();
    let listing = connected.read.list(&ReadRequest::new("/zones"), Paging::Pages { per_page: 50 }).await.unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let seats: Vec<Seat> =
        listing.items.iter().map(|zone| Seat::zone(&text(&zone["id"]), &text(&zone["name"]))).collect();
    let (families, done) = ([family("dns_records").unwrap()], BTreeSet::new());
    let sweep = Sweep {
        read: &*connected.read,
        encode: segment,
        families: &families,
        zones: &seats,
        done: &done,
        in_flight: IN_FLIGHT,
        clock: &*clock,
        progress: &Nowhere,
    };
    let swept = sweep.run(&mut Nowhere, std::future::pending()).await.unwrap();
    let took = begun.elapsed();
    assert_eq!((swept.complete, swept.gaps.len()), (zones, 0));
    let requests = simulator.requests();
    let refused = requests.iter().filter(|request| request.status == 429).count();
    let bound = bound(requests.len() as u64);
    let ratio = took.as_secs_f64() / bound.as_secs_f64();
    let (count, share) = (requests.len(), QUOTA.requests - RESERVE);
    println!("{count} requests at {} in {} s, {share} of them a sweep's", QUOTA.requests, QUOTA.seconds);
    println!("took {:.2} s, bound {} s: {ratio:.3} times; {refused} turned away", took.as_secs_f64(), bound.as_secs());
    assert!(refused == 0 && ratio <= 1.1);
}

fn main() {
    let zones = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(300);
    rustls::crypto::ring::default_provider().install_default().unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(measure(zones));
}
