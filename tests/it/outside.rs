//! The actions that reach outside the provider's API, through the real binary: programs of this machine, a host on
//! loopback.

use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::http::{HeaderName, Response};
use serde_json::{Value, json};

use crate::scene::{Ran, Scene, files, ran};

mod command;
mod http;
mod notify;
mod secret;
mod wait;

/// Nothing that quell writes may hold it, in whatever form.
const CANARY: &str = r#"canary"zq7x\with-9-quotes"#;

/// A part of every secret of these tests; no digest can hold it.
const MIDDLE: &str = "zq7x";

/// One step called `act-now`, and what answers it.
struct Outing {
    scene: Scene,
    env: Vec<(String, String)>,
}

impl Outing {
    /// A step of `action` with this `with` table; `more` stands behind it.
    async fn new(action: &str, with: &str, more: &str) -> Self {
        let scene = Scene::new().await;
        let step = format!(
            "schema = 1\nname = \"outing\"\ntitle = \"Outing\"\n\n[[steps]]\nid = \"act-now\"\nphase = \"contain\"\n\
             title = \"Go\"\nwhy = \"A test.\"\naction = \"{action}\"\n[steps.with]\n{with}\n{more}"
        );
        scene.write("outing.toml", &step);
        let outing = Self { scene, env: Vec::new() };
        outing.answers("");
        outing.env("PATH", "/usr/bin:/bin").env("OUTING_SECRET", CANARY).env("QUELL_HTTP_HOSTS", "127.0.0.1")
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Says yes to every step, and `more`.
    fn answers(&self, more: &str) {
        self.scene.write("answers.toml", &format!("[defaults]\nanswer = \"run\"\n{more}"));
    }

    /// `quell ARGS --answers … --json`.
    fn quell(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        let mut command = self.scene.command(args);
        command.args(["--answers", "answers.toml", "--json"]);
        command.envs(self.env.iter().map(|(name, value)| (name, value))).envs(env.iter().copied());
        ran(&mut command)
    }

    fn run(&self) -> Ran {
        self.quell(&["run", "outing.toml"], &[])
    }

    fn resume(&self) -> Ran {
        self.quell(&["resume"], &[])
    }

    /// Runs, and dies at this point.
    fn die(&self, point: &str) {
        assert_eq!(self.quell(&["run", "outing.toml"], &[("QUELL_CRASH_AT", point)]).code, -1, "{point}");
    }

    /// Events of this type.
    fn events(&self, kind: &str) -> Vec<Value> {
        let events = self.scene.journal().into_iter().map(|entry| entry["event"].clone());
        events.filter(|event| event["type"] == kind).collect()
    }

    /// What the step called `id` gave to later ones.
    fn output(&self, id: &str) -> Value {
        let journal = self.scene.journal();
        let done = journal.iter().find(|entry| entry["path"] == id && entry["event"]["type"] == "step_done");
        done.unwrap_or_else(|| panic!("{journal:#?}"))["event"]["output"]["inline"].clone()
    }

    /// Evidence whose source begins so, as text.
    fn evidence(&self, source: &str) -> Vec<String> {
        let taken = self.events("evidence_taken");
        let taken = taken.iter().map(|event| &event["evidence"]);
        let wanted = taken.filter(|kept| kept["source"].as_str().unwrap().starts_with(source));
        wanted
            .map(|kept| self.scene.incident().join("evidence").join(kept["sha256"].as_str().unwrap()))
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect()
    }

    /// Nothing of the secret in anything that was said.
    fn assert_no_canary_in(&self, said: &Ran) {
        assert!(!said.stdout.contains(MIDDLE) && !said.stderr.contains(MIDDLE), "{said:#?}");
    }

    /// Nothing of the secret in anything that was written or said.
    fn assert_no_canary(&self, said: &Ran) {
        self.assert_no_canary_in(said);
        let kept = files(&self.scene.state_dir());
        assert!(kept.len() > 3);
        for (path, bytes) in kept {
            assert!(!String::from_utf8_lossy(&bytes).contains(MIDDLE), "{}", path.display());
        }
    }
}

/// The one effect of the step `act-now` in the JSON document.
fn effect(document: &Value) -> Value {
    let steps = document["steps"].as_array().unwrap();
    steps.iter().find(|step| step["id"] == "act-now").unwrap()["effects"][0].clone()
}

fn end(document: &Value) -> (Value, Value) {
    let effect = effect(document);
    (effect["outcome"].clone(), effect["verdict"].clone())
}

fn ends(outcome: &str, verdict: Option<&str>) -> (Value, Value) {
    (json!(outcome), json!(verdict))
}

/// A request as it arrived.
#[derive(Debug, Clone)]
struct Arrived {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// Some host that is not the provider.
pub(crate) struct Host {
    pub(crate) url: String,
    log: Arc<Mutex<Vec<Arrived>>>,
}

impl Host {
    /// Answers the `n`th request (from 0) for `METHOD /path` with status, headers and body.
    pub(crate) async fn start(
        script: impl Fn(&str, usize) -> (u16, Vec<(&'static str, String)>, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::<Arrived>::new()));
        let (seen, script) = (log.clone(), Arc::new(script));
        let app = axum::Router::new().fallback(move |request: Request| {
            let (seen, script) = (seen.clone(), script.clone());
            async move {
                let (head, body) = request.into_parts();
                let line = format!("{} {}", head.method, head.uri);
                let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
                let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
                let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
                let body = String::from_utf8(body.to_vec()).unwrap();
                let nth = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(Arrived { line: line.clone(), headers, body });
                    seen.iter().filter(|arrived| arrived.line == line).count() - 1
                };
                let (status, headers, body) = script(&line, nth);
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(HeaderName::from_static(name), value);
                }
                response.body(axum::body::Body::from(body)).unwrap()
            }
        });
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, log }
    }

    /// Answers everything with this status and body.
    async fn always(status: u16, body: &str) -> Self {
        let body = body.to_owned();
        Self::start(move |_, _| (status, Vec::new(), body.clone())).await
    }

    fn arrived(&self) -> Vec<Arrived> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.arrived().into_iter().map(|arrived| arrived.line).collect()
    }
}
