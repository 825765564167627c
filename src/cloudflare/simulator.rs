//! The built-in Cloudflare account with a planted compromise, behind a loopback server.
//!
//! A scenario is data: a healthy account, the traffic of an ordinary month, and a list of acts. The
//! acts are requests that are performed through the same routes as those of a client, so the audit log,
//! ruleset versions and modification times of the intrusion are those that the API itself would leave.
//! Facts about the API come from the published schema and documentation; each route file names its own.

mod access_rules;
mod audit;
mod auth;
mod budget;
mod call;
mod certificates;
mod dns;
mod intruder;
mod members;
mod paging;
mod permissions;
mod plan;
mod plants;
mod routes;
mod rules;
mod scenario;
mod secret;
mod seed;
mod service;
mod shelf;
mod tokens;
mod user_account;
mod world;
mod zones;

use std::io;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use crate::simulator::{Clock, Simulator, Store, World as _};

pub use budget::Quota;
pub use plants::plants;
pub use scenario::{Cast, Innocent, Planted, Scenario, TokenSecret, baseline, canaries, scenario, scenarios};
pub use secret::CANARY;

use service::Service;
use world::Account;

/// How a world is started.
#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// Where applied requests are kept, for this rehearsal alone; `None` keeps the world in memory.
    pub dir: Option<PathBuf>,
    /// The time at which the world's clock starts. On the first start it is also what the scenario's
    /// relative times count from; a folder remembers that.
    pub now: Timestamp,
    /// Refuse what is beyond the quota of a user, as the API does.
    pub rate_limit: bool,
    /// The quota that answers tell of.
    pub quota: Quota,
    /// How long the value of a token that was disabled, deleted or rolled is still taken: how long the real API takes is
    /// documented nowhere.
    pub lag: SignedDuration,
}

impl WorldOptions {
    /// A world in memory, with the rate limit; what is cut is cut at once.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { dir: None, now, rate_limit: true, quota: Quota::DOCUMENTED, lag: SignedDuration::ZERO }
    }
}

/// Starts the account of `scenario` on a free port, as the requests kept in the folder left it.
///
/// # Errors
/// The port or the folder cannot be used; the folder holds another scenario; or what it holds does not replay.
pub async fn start(scenario: &Scenario, options: WorldOptions) -> io::Result<Simulator> {
    let scenario = scenario.clone();
    // To build a world takes time, and its clock does not stand still meanwhile.
    let clock = Clock::starting_at(options.now);
    let started = tokio::task::spawn_blocking(move || {
        let stored = Store::open(options.dir.as_deref(), scenario.name, options.now)?;
        let seeded = seed::play(&scenario.plan, stored.anchor).map_err(io::Error::other)?;
        let intruder = scenario.awake.then(|| seed::intruder(&scenario.plan, &seeded)).transpose();
        let intruder = intruder.map_err(io::Error::other)?;
        let ip = scenario.plan.responder_ip.clone();
        let account = Account { lag: options.lag, ..seeded.account };
        let mut service = Service::new(account, ip, options.quota, options.rate_limit, intruder);
        for applied in &stored.applied {
            service.replay(applied)?;
        }
        // The clock of a world never goes back, whatever the caller says.
        let latest = stored.applied.last().map_or(stored.anchor, |applied| applied.at);
        Simulator::serve(service, "/client/v4", clock.no_earlier_than(latest), stored.store)
    });
    started.await.map_err(io::Error::other)?
}

/// The state of the account without times, to compare two runs that should have ended alike.
#[must_use]
pub fn world_digest(simulator: &Simulator) -> serde_json::Value {
    simulator.snapshot()
}
