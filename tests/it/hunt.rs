//! The hunt through the real client: what could not be seen is never ruled out, and what the intruder did stays so.
//! Techniques one by one are in `plants`.

use jiff::SignedDuration;
use quell::model::{Attribution, Finding};
use quell::simulator::{Fault, FaultKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Seen, Stage};

/// The address from which everything over the wire arrives in the scenario.
const HOSTILE: &str = "203.0.113.50";

struct Hunting {
    stage: Stage,
    zone: String,
}

impl Hunting {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let zones = send(&stage, &Method::GET, "/zones?name=harborlane-shop.example", Value::Null).await;
        let zone = zones[0]["id"].as_str().unwrap().to_owned();
        Self { stage, zone }
    }

    /// What the hunt sees since the account was started, given that the intruder acts from the hostile address.
    async fn hunt(&self, families: &[&str]) -> Seen {
        let now = self.stage.now;
        let since = now - SignedDuration::from_secs(1);
        let audit = self
            .stage
            .plan(
                "cloudflare.audit.collect",
                json!({ "since": since, "before": now + SignedDuration::from_hours(1), "lookback": "1m" }),
            )
            .await
            .unwrap();
        let output = &audit.plan.output;
        let principals =
            json!([{ "token_id": "stolen", "token_name": "stolen", "honest_ips": [], "hostile_ips": [HOSTILE] }]);
        let with = json!({
            "since": since, "events": output["events"], "log_complete": output["complete"], "principals": principals,
            "zones": ["harborlane-shop.example"], "families": families,
        });
        self.stage.plan("cloudflare.hunt", with).await.unwrap()
    }
}

pub(crate) async fn send(stage: &Stage, method: &Method, path: &str, body: Value) -> Value {
    let (account, email, key) =
        (&stage.scenario.cast.account_id, &stage.scenario.cast.email, &stage.scenario.cast.global_key);
    let url = format!("{}{}", stage.simulator().base_url(), path.replace("{a}", account));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.request(method.clone(), url).header("x-auth-email", email).header("x-auth-key", key);
    let request = if body.is_null() { request } else { request.json(&body) };
    let mut answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["success"], true, "{method} {path}: {answer}");
    answer["result"].take()
}

fn verdict<'o>(seen: &'o Seen, technique: &str) -> &'o Value {
    let verdicts = seen.plan.output["verdicts"].as_array().unwrap();
    verdicts.iter().find(|judged| judged["technique"] == technique).unwrap()
}

fn of<'f>(seen: &'f Seen, technique: &str) -> Vec<&'f Finding> {
    seen.plan.findings.iter().filter(|finding| finding.technique == technique).collect()
}

#[tokio::test]
async fn what_could_not_be_seen_is_never_ruled_out() {
    let hunting = Hunting::new().await;
    let quiet = hunting.hunt(&["workers_routes", "workers_domains", "workers_previews", "workers_subdomain"]).await;
    let judged = verdict(&quiet, "CF-T02");
    assert_eq!((&judged["verdict"], quiet.plan.findings.len()), (&"ruled_out".into(), 0), "{judged}");
    assert!(
        judged["because"][0].as_str().unwrap().contains("and all of workers_domains, workers_previews, workers_routes"),
        "{judged}"
    );
    // What was not read is not ruled out by silence, and what is never logged never is.
    assert_eq!(verdict(&quiet, "CF-T16")["verdict"], "unknown");
    assert_eq!(
        (&verdict(&quiet, "CF-E06")["verdict"], &verdict(&quiet, "CF-E06")["permanent"]),
        (&"unknown".into(), &true.into())
    );

    let path = format!("/zones/{}/workers/routes", hunting.zone);
    let fault = Fault { method: Some("GET".into()), path, skip: 0, times: 10, kind: FaultKind::Forbidden };
    hunting.stage.simulator().script(fault);
    let blind = hunting.hunt(&["workers_routes", "workers_domains", "workers_previews", "workers_subdomain"]).await;
    let judged = verdict(&blind, "CF-T02");
    assert_eq!((&judged["verdict"], &judged["permanent"]), (&"unknown".into(), &false.into()), "{judged}");
    assert!(judged["because"][0].as_str().unwrap().contains("(needs Workers Routes Read)"), "{judged}");
    assert_eq!(blind.gaps.len(), 1, "{:?}", blind.gaps);
}

#[tokio::test]
async fn a_family_that_is_not_there_is_an_error_with_a_guess() {
    let hunting = Hunting::new().await;
    let error = hunting
        .stage
        .plan("cloudflare.hunt", json!({ "since": "2026-01-01T00:00:00Z", "families": ["worker_routes"] }))
        .await;
    let error = error.map(|_| ()).unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("did you mean `workers_routes`? docs/families.md lists all"));
}

#[tokio::test]
async fn what_the_intruder_did_stays_confirmed_after_others_wrote_to_it() {
    let hunting = Hunting::new().await;
    let stage = &hunting.stage;
    let body = json!({ "type": "A", "name": "vpn", "content": "203.0.113.66", "ttl": 60 });
    let path = format!("/zones/{}/dns_records", hunting.zone);
    let made = send(stage, &Method::POST, &path, body).await;
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    stage.send_as(&stage.scenario.cast.responder_token, "PATCH", &one, json!({ "content": "192.0.2.1" })).await;
    let seen = hunting.hunt(&["dns_records"]).await;
    let found = of(&seen, "CF-T07");
    assert_eq!((found.len(), found[0].attribution, found[0].actor.token_id.clone()), (1, Attribution::Intruder, None));
    assert_eq!(verdict(&seen, "CF-T07")["verdict"], "confirmed");
}
