//! A server whose every answer is written out, a clock that is stepped by sleeping, and a warrant.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use quell::clock::Clock;
use quell::cloudflare::api::{ApiBase, ConnectError, Connected, Connector, Credential, Timeouts};
use quell::journal::{Consent, Event, Journal, Payload, PlanSealed, PlannedStep, Proposed, RunOpened, Stamp, Warrant};
use quell::model::{
    Account, Call, CredentialFacts, CredentialKind, Danger, Digest, Effect, EffectKey, HttpCall, IncidentId, Phase,
    RunId, StepPath, Target, World,
};
use quell::provider::BoxFuture;
use quell::secret::Secret;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(super) const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";
pub(super) const TOKEN: &str = "hush-hush-0123456789-hush-hush-0123456789";

/// What the server does with a request.
pub(super) enum Reply {
    /// Sends these bytes and closes the connection.
    Say(String),
    /// Closes the connection without a word.
    Cut,
    /// Says nothing and keeps the connection open.
    Hang,
}

/// A whole answer of JSON, or of whatever `body` is.
pub(super) fn answer(status: u16, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Say(format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    ))
}

/// A success with this `result` and `result_info`.
pub(super) fn ok(result: Value, info: Value) -> Reply {
    let mut envelope = json!({"success": true, "errors": [], "messages": []});
    envelope["result"] = result;
    envelope["result_info"] = info;
    answer(200, "", &envelope.to_string())
}

/// A failure with this code and message.
pub(super) fn no(status: u16, code: u32, message: &str) -> Reply {
    let envelope = json!({"success": false, "errors": [{"code": code, "message": message}], "result": null});
    answer(status, "", &envelope.to_string())
}

/// Items with these ids.
pub(super) fn items(ids: std::ops::Range<u32>) -> Value {
    ids.map(|id| json!({"id": id.to_string()})).collect()
}

/// What arrived: the head in lower-case header names, and the body.
pub(super) type Log = Arc<Mutex<Vec<String>>>;

pub(super) struct Server {
    pub(super) base: ApiBase,
    pub(super) log: Log,
    /// How long a request may take in all. Generous, except where a test waits for its end.
    pub(super) patience: Duration,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts a server that answers the `n`th request (from 0) for what connecting does not ask with
    /// `script("GET /path?query", n)`. What connecting asks is answered as for a good user token.
    pub(super) async fn start(script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_raw(move |line, n| connecting(line).unwrap_or_else(|| script(line, n))).await
    }

    /// The same, where the script answers what connecting asks as well.
    pub(super) async fn start_raw(script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/client/v4", listener.local_addr().unwrap());
        let log = Log::default();
        let (script, seen) = (Arc::new(script), Arc::clone(&log));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&seen)));
            }
        });
        Self { base: ApiBase::parse(&base).unwrap(), log, patience: Duration::from_secs(20), accepting }
    }

    /// The request lines that arrived after connecting.
    pub(super) fn arrived(&self) -> Vec<String> {
        let log = self.log.lock().unwrap();
        log.iter().map(|request| line_of(request).to_owned()).filter(|line| connecting(line).is_none()).collect()
    }

    pub(super) async fn connect(&self, clock: &Arc<impl Clock + 'static>) -> Connected {
        self.try_connect(clock, token(), Some(ACCOUNT)).await.unwrap()
    }

    pub(super) async fn try_connect(
        &self,
        clock: &Arc<impl Clock + 'static>,
        credential: Credential,
        account: Option<&str>,
    ) -> Result<Connected, ConnectError> {
        self.connector(clock, credential).connect(account).await
    }

    pub(super) fn connector(&self, clock: &Arc<impl Clock + 'static>, credential: Credential) -> Connector {
        // A second test of the same process finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
        let timeouts = Timeouts { connect: self.patience, total: self.patience };
        Connector::new(self.base.clone(), credential, self.world(), clock).with_timeouts(timeouts)
    }

    /// Stops listening.
    pub(super) async fn close(&self) {
        self.accepting.abort();
        while !self.accepting.is_finished() {
            tokio::task::yield_now().await;
        }
    }

    pub(super) fn world(&self) -> World {
        World::Live(self.base.host().to_owned())
    }
}

pub(super) fn token() -> Credential {
    Credential::Token(Secret::new(TOKEN))
}

/// `GET /path?query` below the base.
fn line_of(request: &str) -> &str {
    request.split(" HTTP/").next().unwrap_or_default()
}

fn connecting(line: &str) -> Option<Reply> {
    match line {
        "GET /user/tokens/verify" => Some(ok(json!({"id": "t1", "status": "active"}), Value::Null)),
        "GET /user" => Some(ok(json!({"id": "u1", "email": "me@b.example"}), Value::Null)),
        line if line == format!("GET /accounts/{ACCOUNT}") => {
            Some(ok(json!({"id": ACCOUNT, "name": "Example"}), Value::Null))
        }
        _ => None,
    }
}

async fn serve(mut stream: TcpStream, script: Arc<impl Fn(&str, usize) -> Reply>, log: Log) {
    let mut bytes = Vec::new();
    let request = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|header| header.strip_prefix("content-length: ")).unwrap_or("0");
            if body.len() >= length.parse().unwrap() {
                break text.replacen("/client/v4", "", 1);
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let line = line_of(&request).to_owned();
    let n = {
        let mut log = log.lock().unwrap();
        log.push(request.clone());
        log.iter().filter(|earlier| connecting(line_of(earlier)).is_none()).count().saturating_sub(1)
    };
    match script(&line, n) {
        Reply::Say(text) => drop(stream.write_all(text.as_bytes()).await),
        Reply::Cut => {}
        Reply::Hang => std::future::pending().await,
    }
}

/// A clock that sleeping moves on, so that nothing waits.
pub(super) struct Stepped {
    now: Mutex<Timestamp>,
    pub(super) slept: Mutex<Vec<Duration>>,
}

impl Stepped {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { now: Mutex::new("2026-11-23T12:00:00Z".parse().unwrap()), slept: Mutex::default() })
    }

    pub(super) fn longest(&self) -> u64 {
        self.slept.lock().unwrap().iter().map(Duration::as_secs).max().unwrap_or(0)
    }
}

impl Clock for Stepped {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        *self.now.lock().unwrap() += duration;
        self.slept.lock().unwrap().push(duration);
        Box::pin(std::future::ready(()))
    }
}

/// A call, with a warrant for it in `world` that a journal has made.
pub(super) fn warrant(call: &HttpCall, world: &World) -> Warrant {
    let dir = tempfile::tempdir().unwrap();
    let path = StepPath::step("revoke");
    let run = RunId::new("r1");
    let credential = CredentialFacts { kind: CredentialKind::UserToken, id: None, owner: None, expires: None };
    let key = EffectKey::derive("revoke", "test", "token", "1");
    let effect = Effect {
        key: key.clone(),
        action: "test".into(),
        target: Target { kind: "token".into(), id: "1".into(), name: "ci".into(), ambiguous: false },
        summary: "test".into(),
        danger: Danger::Reversible,
        call: Call::Http(call.clone()),
        before: Value::Null,
        after: Value::Null,
        radius: quell::model::Radius::default(),
        consequences: vec![],
        facts: vec![],
        preselected: true,
        undo: None,
        resolves: None,
    };
    let at = Stepped::new().now();
    let stamp = |path: Option<&StepPath>| Stamp {
        role: None,
        at,
        by: "tester".into(),
        run: Some(run.clone()),
        path: path.cloned(),
    };
    let opened = Event::IncidentOpened {
        id: IncidentId::new("i1"),
        title: "test".into(),
        world: world.clone(),
        tool: "test".into(),
        machine: "test".into(),
    };
    let (mut journal, _) = Journal::create(dir.path(), &Stamp { run: None, ..stamp(None) }, opened).unwrap();
    let sha256 = Digest::of(b"test");
    let run_opened = RunOpened {
        detected_at: None,
        roles: Default::default(),
        update_seconds: None,
        run: run.clone(),
        runbook: "test".into(),
        title: "test".into(),
        runbook_sha256: sha256.clone(),
        source: "embedded".into(),
        target_seconds: None,
        world: world.clone(),
        api: "test".into(),
        account: Account { id: ACCOUNT.into(), name: "Example".into() },
        credential,
        crown_jewels: Vec::new(),
        skew_ms: None,
        leaked: None,
    };
    let step = PlannedStep {
        path: path.clone(),
        phase: Phase::Contain,
        title: "test".into(),
        why: None,
        action: "test".into(),
        max_danger: Danger::Reversible,
        container: false,
        parent: None,
        round: 0,
        key: None,
        finally: false,
        skippable: true,
        second_person: false,
        needed_by: Vec::new(),
    };
    let plan = PlanSealed {
        digest: sha256,
        inputs: Map::new(),
        steps: vec![step.into()],
        not_examined: vec![],
        nested: vec![],
        files: [].into(),
        actions: [].into(),
    };
    let consent = Consent { effect: key, digest: effect.digest() };
    let proposed = Proposed {
        chore: None,
        output: Payload::Inline(Value::Null),
        summary: "test".into(),
        effects: vec![effect.clone()],
        account_for_rest: false,
        verb: "test".into(),
        ask: None,
        already: vec![],
        not_proposed: Vec::new(),
    };
    for (path, event) in [
        (None, Event::RunOpened(Box::new(run_opened))),
        (None, Event::PlanSealed(Box::new(plan))),
        (Some(&path), Event::StepBegan),
        (Some(&path), Event::Proposed(Box::new(proposed))),
        (
            Some(&path),
            Event::Consented {
                effects: vec![consent],
                left: vec![],
                phrase: None,
                basis: quell::journal::Basis::Typed,
            },
        ),
    ] {
        journal.append(&stamp(path), event).unwrap();
    }
    journal.intend(&stamp(Some(&path)), &effect, 1, world).unwrap().1
}
