//! A simulated provider: a server on the loopback interface in front of a [`World`].
//!
//! This half knows nothing of any provider. It owns the connection, the scripted faults, the
//! request log, the clock and the file of applied requests; the world decides what a request means.
//!
//! The server has a thread and a runtime of its own, so that a hanging answer or the death of the
//! caller's runtime changes nothing, and dropping a [`Simulator`] ends every connection at once.

mod applied;
mod clock;
mod fault;
mod meanwhile;
mod message;
mod request_log;
mod server;
mod wire;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use applied::Applied;
pub(crate) use applied::Store;
pub(crate) use clock::Clock;
pub use fault::{Failure, Fault, FaultKind};
pub use meanwhile::Meanwhile;
pub use message::{Answer, Origin, Reaction, Request};
pub use request_log::LoggedRequest;

use fault::Faults;
use meanwhile::Cues;
use request_log::RequestLog;

/// What a provider supplies: the meaning of requests.
pub trait World: Send + 'static {
    /// Answers one request, changing the world if it says so. One that did not arrive over the wire has an `origin`.
    fn receive(&mut self, request: &Request, origin: Option<&Origin>, at: jiff::Timestamp) -> Reaction;

    /// Applies once more a request that an earlier process had applied.
    ///
    /// # Errors
    /// The request is refused by the rebuilt world, which therefore is not the world it was applied to.
    fn replay(&mut self, applied: &Applied) -> std::io::Result<()>;

    /// The provider's own wording of a scripted failure.
    fn failure(&self, failure: Failure, at: jiff::Timestamp) -> Answer;

    /// The state of the account, without what differs between two runs that did the same.
    fn snapshot(&self) -> serde_json::Value;
}

/// A running simulated provider; it stops when dropped.
#[derive(Debug)]
pub struct Simulator {
    base_url: String,
    stage: Arc<Mutex<Stage>>,
    /// Never sent on: dropping it is the signal.
    running: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Serves `world` on a free port under `prefix`, after replaying what `store` had kept.
    pub(crate) fn serve(world: impl World, prefix: &'static str, clock: Clock, store: Store) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)?
        };
        let base_url = format!("http://{}{prefix}", listener.local_addr()?);
        let stage = Arc::new(Mutex::new(Stage {
            world: Box::new(world),
            faults: Faults::default(),
            cues: Cues::default(),
            deeds: Vec::new(),
            log: RequestLog::default(),
            clock,
            store,
        }));
        let (running, stopped) = oneshot::channel();
        let served = Arc::clone(&stage);
        let thread = std::thread::Builder::new()
            .name("simulator".to_owned())
            .spawn(move || runtime.block_on(server::run(listener, prefix, served, stopped)))?;
        Ok(Self { base_url, stage, running: Some(running), thread: Some(thread) })
    }

    /// Where a client is pointed, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Everything that has arrived, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<LoggedRequest> {
        lock(&self.stage).log.entries()
    }

    /// Adds a scripted fault; of several that match, the one added first strikes.
    pub fn script(&self, fault: Fault) {
        lock(&self.stage).faults.add(fault);
    }

    /// Somebody in the scenario does this by other means than the server: applied and kept like a request that
    /// arrived, but no fault strikes it and it is not in the log. Returns the status of the answer.
    pub fn act(&self, request: &Request) -> u16 {
        lock(&self.stage).act(request, None).status
    }

    /// The same from a chosen place, with the whole answer.
    pub fn act_from(&self, request: &Request, origin: &Origin) -> Answer {
        lock(&self.stage).act(request, Some(origin))
    }

    /// Has somebody do something just before a request of a given shape is taken, in the same way.
    pub fn meanwhile(&self, act: Meanwhile) {
        lock(&self.stage).cues.add(act);
    }

    /// What was answered to those who did something meanwhile, in order.
    #[must_use]
    pub fn deeds(&self) -> Vec<Answer> {
        lock(&self.stage).deeds.clone()
    }

    /// The state of the account, without what differs between two runs that did the same.
    #[must_use]
    pub fn snapshot(&self) -> serde_json::Value {
        lock(&self.stage).world.snapshot()
    }

    /// Stops the server and waits until every connection is closed.
    pub async fn stop(self) {
        // A panic of the server thread has nobody left to tell.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.running.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Everything one request may touch, behind one lock: requests are applied one after the other.
struct Stage {
    world: Box<dyn World>,
    faults: Faults,
    cues: Cues,
    /// Answers to what was cued.
    deeds: Vec<Answer>,
    log: RequestLog,
    clock: Clock,
    store: Store,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("log", &self.log).finish_non_exhaustive()
    }
}

/// A panic while the lock was held lost one answer, not the world.
fn lock(stage: &Mutex<Stage>) -> MutexGuard<'_, Stage> {
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}
