//! The hunt through the real client: what could not be seen is never ruled out, and what the intruder did stays so.
//! Techniques one by one are in `plants`.

use jiff::SignedDuration;
use quell::model::{Attribution, Change, Finding};
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
        self.hunt_in(&["harborlane-shop.example"], families).await
    }

    async fn hunt_in(&self, zones: &[&str], families: &[&str]) -> Seen {
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
            "zones": zones, "families": families,
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
    let families = ["workers_routes", "workers_domains", "workers_previews", "workers_subdomain"];
    let quiet = hunting.hunt_in(&[], &families).await;
    let judged = verdict(&quiet, "CF-T02");
    assert_eq!((&judged["verdict"], quiet.plan.findings.len()), (&"ruled_out".into(), 0), "{judged}");
    assert!(
        judged["because"][0].as_str().unwrap().contains("and all of workers_domains, workers_previews, workers_routes"),
        "{judged}"
    );
    // What one zone shows is ruled out for none of the others; what no zone shows is as it was.
    let narrow = hunting.hunt_in(&["harborlane-shop.example"], &[&families[..], &["sso_connectors"]].concat()).await;
    let judged = verdict(&narrow, "CF-T02");
    assert_eq!(
        (&judged["verdict"], &judged["because"]),
        (&"unknown".into(), &json!(["workers_routes read of zones harborlane-shop.example alone"])),
        "{judged}"
    );
    assert_eq!((&verdict(&narrow, "CF-I10")["verdict"], narrow.gaps.len()), (&"ruled_out".into(), 0));
    // What was not read is not ruled out by silence, and what is never logged never is.
    assert_eq!(verdict(&quiet, "CF-T16")["verdict"], "unknown");
    assert_eq!(
        (&verdict(&quiet, "CF-E06")["verdict"], &verdict(&quiet, "CF-E06")["permanent"]),
        (&"unknown".into(), &true.into())
    );

    let path = format!("/zones/{}/workers/routes", hunting.zone);
    let fault = Fault { method: Some("GET".into()), path, skip: 0, times: 10, kind: FaultKind::Forbidden };
    hunting.stage.simulator().script(fault);
    let blind = hunting.hunt_in(&[], &families).await;
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

/// Zones that are in the account, by name, with their ids.
async fn zones(stage: &Stage) -> Vec<(String, String)> {
    let mut zones: Vec<_> = stage.zones().await.into_iter().map(|(id, name)| (name, id)).collect();
    zones.sort();
    zones
}

#[tokio::test]
async fn settings_that_were_changed_together_and_put_back_are_told_one_by_one_in_each_zone() {
    let hunting = Hunting::new().await;
    let stage = &hunting.stage;
    let zones = zones(stage).await;
    let body = json!({ "items": [{ "id": "ssl", "value": "off" }, { "id": "security_level", "value": "off" }] });
    for (_, zone) in &zones[..2] {
        let before = send(stage, &Method::GET, &format!("/zones/{zone}/settings/ssl"), Value::Null).await;
        send(stage, &Method::PATCH, &format!("/zones/{zone}/settings"), body.clone()).await;
        for (name, value) in [("ssl", &before["value"]), ("security_level", &json!("medium"))] {
            let path = format!("/zones/{zone}/settings/{name}");
            stage.send_as(&stage.scenario.cast.responder_token, "PATCH", &path, json!({ "value": value })).await;
        }
    }
    let seen = hunting.hunt(&["zone_settings"]).await;
    for (technique, setting, was) in [("CF-T14", "ssl", "strict"), ("CF-T12", "security_level", "medium")] {
        let found = of(&seen, technique);
        let mut told: Vec<_> = found.iter().map(|it| (it.resource.zone.clone().unwrap(), it.id.clone())).collect();
        told.sort();
        let wanted =
            zones[..2].iter().map(|(name, _)| (name.clone(), format!("{technique}:zone_settings:{name}/{setting}")));
        assert_eq!(told, wanted.collect::<Vec<_>>(), "{found:#?}");
        for finding in found {
            assert_eq!((finding.attribution, finding.resource.id.as_str()), (Attribution::Intruder, setting));
            assert_eq!(finding.before.as_ref().unwrap()["value"], was, "{finding:#?}");
            assert_eq!(finding.after.as_ref().unwrap()["value"], "off", "{finding:#?}");
        }
    }
    assert!(of(&seen, "CF-X01").is_empty(), "{:#?}", of(&seen, "CF-X01"));
}

#[tokio::test]
async fn what_a_batch_deletes_is_told_beside_what_it_makes_and_changes() {
    let hunting = Hunting::new().await;
    let stage = &hunting.stage;
    let path = format!("/zones/{}/dns_records", hunting.zone);
    let records = send(stage, &Method::GET, &path, Value::Null).await;
    let addresses: Vec<&Value> = records.as_array().unwrap().iter().filter(|record| record["type"] == "A").collect();
    let (gone, other) = (addresses[0], addresses[1]);
    let body = json!({
        "deletes": [{ "id": gone["id"] }], "patches": [{ "id": other["id"], "content": "203.0.113.77" }],
        "posts": [{ "type": "A", "name": "vpn", "content": "203.0.113.67", "ttl": 60 }],
    });
    let answer = send(stage, &Method::POST, &format!("{path}/batch"), body).await;
    let seen = hunting.hunt(&["dns_records"]).await;
    let told = |id: &Value| {
        let found: Vec<_> =
            seen.plan.findings.iter().filter(|finding| finding.resource.id == *id.as_str().unwrap()).collect();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!((found[0].attribution, found[0].family.as_str()), (Attribution::Intruder, "dns_records"));
        let content = |state: &Option<Value>| state.as_ref().map(|state| state["image"]["content"].clone());
        (found[0].change, content(&found[0].before), content(&found[0].after))
    };
    assert_eq!(told(&gone["id"]), (Change::Removed, Some(gone["content"].clone()), None));
    let changed = (Change::Changed, Some(other["content"].clone()), Some(json!("203.0.113.77")));
    assert_eq!(told(&other["id"]), changed);
    assert_eq!(told(&answer["posts"][0]["id"]), (Change::Added, None, Some(json!("203.0.113.67"))));
    let records = seen.plan.findings.iter().filter(|finding| finding.family == "dns_records");
    assert_eq!(records.count(), 3, "{:#?}", seen.plan.findings);
    assert!(seen.gaps.is_empty(), "{:#?}", seen.gaps);
}
