//! A stage for the real binary: a private state directory, a simulated account on loopback, a cleared environment.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;

use age::secrecy::ExposeSecret;
use jiff::{SignedDuration, Timestamp};
use quell::cloudflare::simulator::{Scenario, WorldOptions, scenario, start, world_digest};
use quell::simulator::{Fault, FaultKind, LoggedRequest, Request, Simulator};
use serde_json::Value;

/// One incident's surroundings.
pub(crate) struct Scene {
    dir: tempfile::TempDir,
    recipient: String,
    pub(crate) simulator: Simulator,
    pub(crate) scenario: Scenario,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The JSON document on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Asserts the exit code, showing everything where it differs.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

impl Scene {
    /// The main scenario.
    pub(crate) async fn new() -> Self {
        Self::of("leaked-token").await
    }

    /// The scenario called `name`.
    pub(crate) async fn of(name: &str) -> Self {
        Self::in_scenario(scenario(name).unwrap()).await
    }

    /// This scenario, built in or not.
    pub(crate) async fn in_scenario(scenario: Scenario) -> Self {
        Self::lagging(scenario, SignedDuration::ZERO).await
    }

    /// The same where the value of a token that was cut is still taken for so long.
    pub(crate) async fn lagging(scenario: Scenario, lag: SignedDuration) -> Self {
        Self::with(scenario, WorldOptions { lag, ..WorldOptions::at(Timestamp::now()) }).await
    }

    /// The same in an account that is started in this way.
    pub(crate) async fn with(scenario: Scenario, options: WorldOptions) -> Self {
        static TLS: Once = Once::new();
        // Tests that need no scene may have installed it before.
        TLS.call_once(|| _ = rustls::crypto::ring::default_provider().install_default());
        let dir = tempfile::tempdir().unwrap();
        let simulator = start(&scenario, options).await.unwrap();
        // A key pair opens a vault at once; a passphrase takes a second on purpose.
        let identity = age::x25519::Identity::generate();
        std::fs::write(dir.path().join("identity.txt"), identity.to_string().expose_secret()).unwrap();
        let recipient = identity.to_public().to_string();
        Self { dir, recipient, simulator, scenario }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.path("state")
    }

    /// Writes a file of the test's own.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The binary, as the responder of the scenario would run it.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bare(args);
        command
            .env("CLOUDFLARE_BASE_URL", self.simulator.base_url())
            .env("CLOUDFLARE_API_TOKEN", &self.scenario.cast.responder_token)
            .env("CLOUDFLARE_ACCOUNT_ID", &self.scenario.cast.account_id)
            .args(["--vault-recipient", &self.recipient, "--vault-identity"])
            .arg(self.path("identity.txt"));
        command
    }

    /// The binary with nothing of the scenario in its environment.
    pub(crate) fn bare(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quell"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.dir.path())
            .env("QUELL_STATE_DIR", self.state_dir())
            .env("QUELL_OPERATOR", "tester")
            .env("QUELL_HURRY", "1")
            .current_dir(self.dir.path())
            .stdin(std::process::Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(&mut self.command(args))
    }

    /// Makes requests fail as scripted.
    pub(crate) fn fault(&self, method: &str, path: &str, times: u32, kind: FaultKind) {
        self.simulator.script(Fault { method: Some(method.to_owned()), path: path.to_owned(), skip: 0, times, kind });
    }

    /// Done in the account by other means than quell, by a colleague who may do everything.
    #[track_caller]
    pub(crate) fn act(&self, method: &str, path: &str, body: Option<Value>) {
        let cast = &self.scenario.cast;
        let headers = vec![("x-auth-email".into(), cast.email.clone()), ("x-auth-key".into(), cast.global_key.clone())];
        let path = path.replace("{a}", &cast.account_id);
        let request = Request { method: method.to_owned(), path: path.clone(), query: String::new(), headers, body };
        assert_eq!(self.simulator.act(&request), 200, "{method} {path}");
    }

    /// Everything that was not a read.
    pub(crate) fn writes(&self) -> Vec<LoggedRequest> {
        self.simulator.requests().into_iter().filter(|request| request.method != "GET").collect()
    }

    /// The account as it is now, without what differs between two runs that did the same.
    pub(crate) fn account(&self) -> Value {
        world_digest(&self.simulator)
    }

    /// Whether an incident has a journal.
    pub(crate) fn incident_exists(&self) -> bool {
        let entries = std::fs::read_dir(self.state_dir()).into_iter().flatten();
        entries.filter_map(Result::ok).any(|entry| entry.path().join("journal.jsonl").is_file())
    }

    /// The directory of the only incident.
    pub(crate) fn incident(&self) -> PathBuf {
        let mut found = Vec::new();
        for parent in [self.state_dir(), self.state_dir().join("rehearsals")] {
            for entry in std::fs::read_dir(parent).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.join("journal.jsonl").is_file() {
                    found.push(path);
                }
            }
        }
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    /// The journal of the only incident, line by line.
    pub(crate) fn journal(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.incident().join("journal.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Runs a command to its end.
pub(crate) fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    Ran {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// Every file below `dir`, with its bytes.
pub(crate) fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found
}
