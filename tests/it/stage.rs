//! A stage for single actions: the simulated account behind the real client, and a clock that sleeping moves on.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use quell::action::{AnyAction, Look, Safeguards, StepError, StepPlan};
use quell::cli::catalogue::CATALOGUE;
use quell::clock::Clock;
use quell::cloudflare::api::{ApiBase, Connected, Connector, Credential, Timeouts};
use quell::cloudflare::simulator::{Scenario, TokenSecret, WorldOptions, scenario, start, world_digest};
use quell::evidence::EvidenceSink;
use quell::model::{Digest, Effect, EvidenceRef, Gap, StepPath, Verdict, World};
use quell::outside::Rehearsed;
use quell::provider::{BoxFuture, Extent, Progress, ReadRequest};
use quell::secret::Secret;
use quell::simulator::{Fault, FaultKind, LoggedRequest, Request, Simulator};
use serde_json::{Value, json};

/// Generous, except where a test waits for its end.
const PATIENCE: Duration = Duration::from_secs(20);

struct Discarded;

impl EvidenceSink for Discarded {
    fn keep(&self, source: &str, bytes: &[u8], at: Timestamp) -> io::Result<EvidenceRef> {
        Ok(EvidenceRef { sha256: Digest::of(bytes), bytes: bytes.len() as u64, source: source.to_owned(), at })
    }
}

impl Progress for Discarded {
    fn show(&self, _: &Extent<'_>) {}

    fn left(&self, _what: &str, _left: Duration) {}
}

static NOTHING_SPARED: Safeguards =
    Safeguards { break_glass: Vec::new(), own_ip_ranges: Vec::new(), crown_jewels: Vec::new(), notify: Vec::new() };

/// Shows the time when it was made, plus what was slept since: so no test waits for a pause of the client.
pub(crate) struct Stepped(Mutex<Timestamp>);

impl Clock for Stepped {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        *self.0.lock().unwrap() += duration;
        Box::pin(std::future::ready(()))
    }
}

/// What a look at a step showed.
pub(crate) struct Seen {
    pub(crate) plan: StepPlan<Value>,
    /// Those of the look and those of the plan.
    pub(crate) gaps: Vec<Gap>,
}

pub(crate) struct Stage {
    pub(crate) scenario: Scenario,
    pub(crate) connected: Connected,
    pub(crate) clock: Arc<Stepped>,
    pub(crate) path: StepPath,
    /// When the simulated account was started.
    pub(crate) now: Timestamp,
    simulator: Option<Simulator>,
}

impl Stage {
    /// As the responder, in the scenario `leaked-token`.
    pub(crate) async fn new() -> Self {
        Self::with_patience(PATIENCE).await
    }

    /// The same, with a client that waits no longer than this for an answer.
    pub(crate) async fn with_patience(patience: Duration) -> Self {
        Self::connect(patience, 0, scenario("leaked-token").unwrap()).await
    }

    /// On a machine whose clock is `seconds` ahead of the API's.
    pub(crate) async fn ahead_by(seconds: i64) -> Self {
        Self::connect(PATIENCE, seconds, scenario("leaked-token").unwrap()).await
    }

    /// As the responder, in this scenario.
    pub(crate) async fn of(scenario: Scenario) -> Self {
        Self::connect(PATIENCE, 0, scenario).await
    }

    async fn connect(patience: Duration, ahead: i64, scenario: Scenario) -> Self {
        // A second test of the same process finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let now = Timestamp::now();
        let options = WorldOptions { rate_limit: false, ..WorldOptions::at(now) };
        let simulator = start(&scenario, options).await.unwrap();
        let base = ApiBase::parse(simulator.base_url()).unwrap();
        let world = World::Rehearsal(scenario.name.to_owned());
        let clock = Arc::new(Stepped(Mutex::new(now + jiff::SignedDuration::from_secs(ahead))));
        let credential = Credential::Token(Secret::new(scenario.cast.responder_token.clone()));
        let connector = Connector::new(base, credential, world, Arc::<Stepped>::clone(&clock))
            .with_timeouts(Timeouts { connect: patience, total: patience });
        let connected = connector.connect(Some(&scenario.cast.account_id)).await.unwrap();
        let path = StepPath::step("battery");
        Self { scenario, connected, clock, path, now, simulator: Some(simulator) }
    }

    pub(crate) fn simulator(&self) -> &Simulator {
        self.simulator.as_ref().unwrap()
    }

    /// The simulated account is gone, and nobody listens at its address.
    pub(crate) async fn stop(&mut self) {
        self.simulator.take().unwrap().stop().await;
    }

    fn look(&self) -> Look<'_> {
        self.look_with(&NOTHING_SPARED)
    }

    fn look_with<'a>(&'a self, spared: &'a Safeguards) -> Look<'a> {
        Look::new(&*self.connected.read, &Rehearsed, &Discarded, &*self.clock, &Discarded, spared, &self.path)
    }

    pub(crate) async fn plan(&self, id: &str, with: Value) -> Result<Seen, StepError> {
        self.plan_with(&NOTHING_SPARED, id, with).await
    }

    /// The same, where the team has said something beforehand.
    pub(crate) async fn plan_with(&self, spared: &Safeguards, id: &str, with: Value) -> Result<Seen, StepError> {
        let look = self.look_with(spared);
        let plan = action(id).plan(with, &look).await?;
        let mut gaps = look.finish().gaps;
        gaps.extend(plan.gaps.clone());
        Ok(Seen { plan, gaps })
    }

    pub(crate) async fn verify(&self, effect: &Effect, receipt: Option<&Value>) -> Verdict {
        action(&effect.action).verify(effect, receipt, &self.look()).await
    }

    /// From now on as somebody else, in the same account.
    pub(crate) async fn reconnect(&mut self, credential: Credential) {
        let (base, world) = (ApiBase::parse(self.simulator().base_url()).unwrap(), self.connected.read.world().clone());
        let connector = Connector::new(base, credential, world, Arc::<Stepped>::clone(&self.clock));
        self.connected = connector.connect(Some(&self.scenario.cast.account_id)).await.unwrap();
    }

    /// Somebody sends a request with a secret of their own; `{a}` in the path stands for the account. Returns the
    /// `result` of the answer, which must be a success.
    pub(crate) async fn send_as(&self, secret: &str, method: &str, path: &str, body: Value) -> Value {
        let path = path.replace("{a}", &self.scenario.cast.account_id);
        let url = format!("{}{path}", self.simulator().base_url());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.request(method.parse().unwrap(), url).bearer_auth(secret);
        let request = if body.is_null() { request } else { request.json(&body) };
        let mut answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["success"], true, "{method} {path}: {answer}");
        answer["result"].take()
    }

    /// The same, as the responder.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Value {
        self.send_as(&self.scenario.cast.responder_token, method, path, body).await
    }

    /// Done by the responder by other means than quell. Returns the status of the answer.
    pub(crate) fn act(&self, method: &str, path: &str, body: Option<Value>) -> u16 {
        let secret = &self.scenario.cast.responder_token;
        self.simulator().act(&Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: String::new(),
            headers: vec![("authorization".into(), format!("Bearer {secret}"))],
            body,
        })
    }

    /// Makes one request fail: the one after `skip` others of this method and path.
    pub(crate) fn fault(&self, method: &str, path: &str, skip: u32, kind: FaultKind) {
        // With the star it is a pattern for the whole path, and no part of a longer one.
        // A read that is refused is read once more before that counts.
        let times = if method == "GET" && kind == FaultKind::Forbidden { 2 } else { 1 };
        let fault = Fault { method: Some(method.to_owned()), path: format!("*{path}"), skip, times, kind };
        self.simulator().script(fault);
    }

    /// Everything that arrived since so many requests.
    pub(crate) fn arrived(&self, since: usize) -> Vec<LoggedRequest> {
        self.simulator().requests().split_off(since)
    }

    /// Ids and names of the zones.
    pub(crate) async fn zones(&self) -> Vec<(String, String)> {
        let zones = self.connected.read.get(&ReadRequest::new("/zones")).await.unwrap().result;
        let text = |zone: &Value, field: &str| zone[field].as_str().unwrap().to_owned();
        zones.as_array().unwrap().iter().map(|zone| (text(zone, "id"), text(zone, "name"))).collect()
    }

    /// The account as it is now, without times and secrets.
    pub(crate) fn account(&self) -> Value {
        world_digest(self.simulator())
    }

    /// The token of this name in the scenario; where several bear it, the first.
    pub(crate) fn token(&self, name: &str) -> TokenSecret {
        self.scenario.cast.tokens.iter().find(|token| token.name == name).unwrap().clone()
    }

    /// The same as an action takes it.
    pub(crate) fn reference(&self, name: &str) -> Value {
        let token = self.token(name);
        let owner = token.owner.unwrap_or_else(|| "account".to_owned());
        json!({ "id": token.id, "name": token.name, "owner": owner })
    }
}

pub(crate) fn action(id: &str) -> &'static dyn AnyAction {
    CATALOGUE.get(id).unwrap_or_else(|| panic!("no action `{id}`"))
}
