//! Looks at everything beyond the hunt, by the real client and the real binary: what is kept as a snapshot, what differs
//! from a known good, and the second look that proves that it is over, or that nobody can say.

mod kept;
mod known_good;
mod proof;
mod rounds;
mod told;

use std::io;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use quell::action::{Look, Safeguards, StepError};
use quell::evidence::EvidenceSink;
use quell::model::{Digest, EvidenceRef};
use quell::outside::Rehearsed;
use quell::provider::{Extent, Progress};
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Seen, Stage, action};

/// The address from which everything over the wire arrives in the scenario.
const HOSTILE: &str = "203.0.113.50";
const ZONE: &str = "harborlane-shop.example";
const FAMILIES: [&str; 3] = ["dns_records", "workers_routes", "zone_settings"];

/// A hunt in DNS, as a runbook.
const HUNT: &str = r#"
schema = 1
name   = "again"
title  = "Look again"

[inputs.since]
type     = "timestamp"
required = true

[[steps]]
id     = "audit"
phase  = "identify"
title  = "Read the log"
action = "cloudflare.audit.collect"
with   = { since = { from = "inputs.since" } }

[[steps]]
id     = "inventory"
phase  = "identify"
title  = "List tokens"
action = "cloudflare.tokens.inventory"
with   = { suspect = "ci-deploy", since = { from = "inputs.since" }, events = { from = "steps.audit.events" }, seen_before = { from = "steps.audit.seen_before" } }

[[steps]]
id     = "hunt"
phase  = "identify"
title  = "Hunt"
action = "cloudflare.hunt"
with   = { since = { from = "inputs.since" }, events = { from = "steps.audit.events" }, log_complete = { from = "steps.audit.complete" }, principals = { from = "steps.inventory.principals" }, families = ["dns_records"] }

"#;

/// The hunt, and second looks after it: each by its id, at these families.
pub(crate) fn looking_again(looks: &[(&str, &str)]) -> String {
    let look = |(id, families): &(&str, &str)| {
        format!(
            r#"
[[steps]]
id     = "{id}"
phase  = "recover"
title  = "Look again"
action = "cloudflare.recheck"
with   = {{ hunted = {{ from = "steps.hunt.found", default = [] }}, since = {{ from = "inputs.since" }}, events = {{ from = "steps.audit.events" }}, log_complete = {{ from = "steps.audit.complete" }}, principals = {{ from = "steps.inventory.principals" }}, families = {families} }}
"#
        )
    };
    looks.iter().fold(HUNT.to_owned(), |text, it| text + &look(it))
}

/// An account in which somebody acts by the global key from the hostile address.
struct Account {
    stage: Stage,
    zone: String,
    shelves: tempfile::TempDir,
}

/// Keeps snapshots, and of answers only the digests.
struct Shelved(PathBuf);

impl EvidenceSink for Shelved {
    fn keep(&self, source: &str, bytes: &[u8], at: Timestamp) -> io::Result<EvidenceRef> {
        Ok(EvidenceRef { sha256: Digest::of(bytes), bytes: bytes.len() as u64, source: source.to_owned(), at })
    }

    fn shelf(&self, name: &str) -> Option<PathBuf> {
        Some(self.0.join(name))
    }
}

struct Silent;

impl Progress for Silent {
    fn show(&self, _: &Extent<'_>) {}

    fn left(&self, _what: &str, _left: std::time::Duration) {}
}

static NOTHING_SPARED: Safeguards =
    Safeguards { break_glass: Vec::new(), own_ip_ranges: Vec::new(), crown_jewels: Vec::new(), notify: Vec::new() };

impl Account {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let zones = send(&stage, &Method::GET, &format!("/zones?name={ZONE}"), Value::Null).await;
        let zone = zones[0]["id"].as_str().unwrap().to_owned();
        Self { stage, zone, shelves: tempfile::tempdir().unwrap() }
    }

    async fn plan(&self, id: &str, with: Value) -> Result<Seen, StepError> {
        let sink = Shelved(self.shelves.path().to_owned());
        let look = Look::new(
            &*self.stage.connected.read,
            &Rehearsed,
            &sink,
            &*self.stage.clock,
            &Silent,
            &NOTHING_SPARED,
            &self.stage.path,
        );
        let plan = action(id).plan(with, &look).await?;
        let mut gaps = look.finish().gaps;
        gaps.extend(plan.gaps.clone());
        Ok(Seen { plan, gaps })
    }

    /// The intruder acts; `{z}` stands for the zone, `{a}` for the account.
    async fn intrude(&self, method: Method, path: &str, body: Value) -> Value {
        send(&self.stage, &method, &path.replace("{z}", &self.zone), body).await
    }

    /// A colleague acts, with a token that nobody stole.
    async fn mend(&self, method: &str, path: &str, body: Value) -> Value {
        let path = path.replace("{z}", &self.zone);
        let url = format!("{}{path}", self.stage.simulator().base_url());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let secret = &self.stage.scenario.cast.responder_token;
        let request = client.request(method.parse().unwrap(), url).bearer_auth(secret);
        let request = if body.is_null() { request } else { request.json(&body) };
        let mut answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_ne!(answer["success"], false, "{method} {path}: {answer}");
        answer["result"].take()
    }

    /// What a look at the account since `since` is given: the log, and the hostile address.
    async fn known(&self, since: Timestamp) -> Value {
        let before = self.stage.now + SignedDuration::from_hours(1);
        let with = json!({ "since": since, "before": before, "lookback": "1m" });
        let audit = self.stage.plan("cloudflare.audit.collect", with).await.unwrap().plan.output;
        let principals =
            json!([{ "token_id": "stolen", "token_name": "stolen", "honest_ips": [], "hostile_ips": [HOSTILE] }]);
        json!({
            "since": since, "events": audit["events"], "log_complete": audit["complete"], "principals": principals,
            "zones": [ZONE], "families": FAMILIES,
        })
    }

    fn since(&self) -> Timestamp {
        self.stage.now - SignedDuration::from_secs(1)
    }

    async fn hunt(&self) -> Seen {
        self.plan("cloudflare.hunt", self.known(self.since()).await).await.unwrap()
    }

    /// The second look after this hunt.
    async fn recheck(&self, hunt: &Seen) -> Seen {
        let mut with = self.known(self.since()).await;
        with["hunted"] = hunt.plan.output["found"].clone();
        with["acts_until"] = hunt.plan.output["acts_until"].clone();
        self.plan("cloudflare.recheck", with).await.unwrap()
    }
}

async fn send(stage: &Stage, method: &Method, path: &str, body: Value) -> Value {
    let cast = &stage.scenario.cast;
    let url = format!("{}{}", stage.simulator().base_url(), path.replace("{a}", &cast.account_id));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.request(method.clone(), url).header("x-auth-email", &cast.email);
    let request = request.header("x-auth-key", &cast.global_key);
    let request = if body.is_null() { request } else { request.json(&body) };
    let mut answer: Value = request.send().await.unwrap().json().await.unwrap();
    // Some deletions are answered without a word of success.
    assert_ne!(answer["success"], false, "{method} {path}: {answer}");
    answer["result"].take()
}
