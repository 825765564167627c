//! The simulated account behaves as the API does, and its faults as faults do.

use std::path::PathBuf;

use jiff::Timestamp;
use quell::cloudflare::simulator::{CANARY, Scenario, WorldOptions, baseline, canaries, scenario, start, world_digest};
use quell::simulator::{Fault, FaultKind, Meanwhile, Origin, Request, Simulator};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const NOW: &str = "2026-11-20T12:00:00Z";

struct Scene {
    scenario: Scenario,
    simulator: Simulator,
    client: reqwest::Client,
}

impl Scene {
    async fn new() -> Self {
        Self::in_dir(None).await
    }

    async fn in_dir(dir: Option<PathBuf>) -> Self {
        Self::of("leaked-token", dir).await
    }

    async fn of(name: &str, dir: Option<PathBuf>) -> Self {
        // A second test of the same process finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let scenario = scenario(name).unwrap();
        let options = WorldOptions { dir, ..WorldOptions::at(NOW.parse().unwrap()) };
        let simulator = start(&scenario, options).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { scenario, simulator, client }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let path = path.replace("{a}", &self.scenario.cast.account_id);
        self.client.request(method, format!("{}{path}", self.simulator.base_url()))
    }

    /// As the responder.
    async fn send(&self, method: Method, path: &str, body: Value) -> reqwest::Result<reqwest::Response> {
        let request = self.request(method, path).bearer_auth(&self.scenario.cast.responder_token);
        if body.is_null() { request.send().await } else { request.json(&body).send().await }
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.send(Method::GET, path, Value::Null).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    /// Status and first error code that `secret` gets.
    async fn refusal(&self, path: &str, secret: &str) -> (u16, u64) {
        let answer = self.request(Method::GET, path).bearer_auth(secret).send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        (status, body["errors"][0]["code"].as_u64().unwrap_or_default())
    }

    fn fault(&self, method: &str, path: &str, kind: FaultKind) {
        self.simulator.script(Fault {
            method: Some(method.to_owned()),
            path: path.to_owned(),
            skip: 0,
            times: 1,
            kind,
        });
    }

    async fn zone(&self, name: &str) -> String {
        let zones = self.get(&format!("/zones?name={name}")).await;
        zones["result"][0]["id"].as_str().unwrap().to_owned()
    }

    fn suspect(&self) -> String {
        format!("/accounts/{{a}}/tokens/{}", self.scenario.cast.suspect_token_id)
    }
}

fn record(content: &str) -> Value {
    json!({ "type": "A", "name": "probe", "content": content })
}

#[tokio::test]
async fn each_kind_of_credential_is_answered_in_its_way() {
    let scene = Scene::new().await;
    let cast = scene.scenario.cast.clone();
    let own = scene.get("/user/tokens/verify").await;
    assert_eq!(own["result"]["id"], cast.responder_token_id.as_str());
    assert_eq!(own["messages"][0]["code"], 10000);
    // The suspect is owned by the account, so the verification of users refuses it though it is good.
    assert_eq!(scene.refusal("/user/tokens/verify", &cast.suspect_secret).await, (403, 9109));
    assert_eq!(scene.refusal("/accounts/{a}/tokens/verify", &cast.suspect_secret).await, (200, 0));
    assert_eq!(scene.refusal("/accounts", &cast.suspect_secret).await, (400, 1001));
    assert_eq!(scene.refusal("/user/tokens/verify", "cfut_unknown").await, (401, 1000));
    assert_eq!(scene.refusal("/zones", "cfut_unknown").await, (401, 10000));
    assert_eq!(scene.refusal("/zones", &cast.global_key).await, (400, 6003));
    let analytics = cast.tokens.iter().find(|token| token.name == "dns-backup").unwrap();
    assert_eq!(scene.refusal("/accounts/{a}/members", &analytics.secret).await, (403, 10000));
    assert_eq!(scene.refusal("/no/such/route", &cast.suspect_secret).await, (404, 7003));
    let user = scene.request(Method::GET, "/user").header("X-Auth-Email", &cast.email);
    let user = user.header("X-Auth-Key", &cast.global_key).send().await.unwrap();
    assert_eq!(user.json::<Value>().await.unwrap()["result"]["email"], cast.email.as_str());
    let log = scene.simulator.requests();
    assert_eq!(log.last().unwrap().credential, format!("global-key:{}", cast.email));
    assert!(log.iter().all(|entry| !entry.credential.contains(CANARY)));
}

#[tokio::test]
async fn lists_have_the_traps_of_the_real_ones() {
    let scene = Scene::new().await;
    let beyond = scene.get("/accounts?page=9").await;
    assert_eq!(beyond["result"].as_array().unwrap().len(), 1, "the last page is repeated");
    let tokens = scene.get("/accounts/{a}/tokens?per_page=1").await;
    assert_eq!(tokens["result"].as_array().unwrap().len(), 5, "per_page is raised to its minimum");
    let shop = scene.zone("harborlane-shop.example").await;
    let active = scene.get(&format!("/zones/{shop}/ssl/certificate_packs")).await;
    let all = scene.get(&format!("/zones/{shop}/ssl/certificate_packs?status=all")).await;
    assert!(all["result"].as_array().unwrap().len() > active["result"].as_array().unwrap().len());
    let rulesets = scene.get(&format!("/zones/{shop}/rulesets")).await;
    assert!(rulesets["result"][0].get("rules").is_none());
    let inherited = scene.get(&format!("/zones/{shop}/firewall/access_rules/rules")).await;
    let scopes: Vec<&Value> = inherited["result"].as_array().unwrap().iter().map(|it| &it["scope"]["type"]).collect();
    assert!(scopes.contains(&&json!("user")) && scopes.contains(&&json!("organization")));
    let never_made = format!("/zones/{shop}/rulesets/phases/http_ratelimit/entrypoint");
    let none = scene.send(Method::GET, &never_made, Value::Null).await.unwrap();
    assert_eq!(none.status(), StatusCode::NOT_FOUND);
    assert_eq!(none.json::<Value>().await.unwrap()["errors"][0]["code"], 10003);
}

#[tokio::test]
async fn the_audit_log_is_read_to_its_end_by_cursor() {
    let scene = Scene::new().await;
    let suspect = scene.scenario.cast.suspect_token_id.clone();
    let window = format!("since=2026-10-01&before={NOW}&limit=50&actor_token_id={suspect}");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = scene.get(&format!("/accounts/{{a}}/logs/audit?{window}&cursor={cursor}")).await;
        seen.extend(page["result"].as_array().unwrap().clone());
        cursor = page["result_info"]["cursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    let addresses: std::collections::BTreeSet<_> =
        seen.iter().map(|entry| entry["actor"]["ip_address"].as_str().unwrap()).collect();
    assert_eq!(addresses.len(), 2, "the deploy job and the intruder share the token");
    assert!(seen.iter().all(|entry| entry["actor"]["token_id"] == suspect.as_str()));
    let whole = scene.get(&format!("/accounts/{{a}}/logs/audit?since=2026-10-01&before={NOW}&limit=1000")).await;
    assert!(whole["result"].as_array().unwrap().len() > 300);
    assert!(!whole.to_string().contains(CANARY) && !whole.to_string().contains("PRIVATE KEY"));
}

#[tokio::test]
async fn a_roll_ends_the_old_secret_at_once() {
    let scene = Scene::new().await;
    let before = scene.get(&scene.suspect()).await;
    let rolled = scene.send(Method::PUT, &format!("{}/value", scene.suspect()), json!({})).await.unwrap();
    let rolled: Value = rolled.json().await.unwrap();
    let secret = rolled["result"].as_str().unwrap();
    assert!(secret.starts_with("cfat_CANARY"));
    let old = &scene.scenario.cast.suspect_secret;
    assert_eq!(scene.refusal("/accounts/{a}/tokens/verify", old).await, (401, 1000));
    assert_eq!(scene.refusal("/accounts/{a}/tokens/verify", secret).await, (200, 0));
    let after = scene.get(&scene.suspect()).await;
    assert_eq!(before["result"]["issued_on"], after["result"]["issued_on"]);
    assert_ne!(before["result"]["modified_on"], after["result"]["modified_on"]);
}

#[tokio::test]
async fn a_disabled_token_is_refused_everywhere_but_verified_as_disabled() {
    let scene = Scene::new().await;
    let token = scene.get(&scene.suspect()).await["result"].clone();
    let mut body = json!({ "name": token["name"], "policies": token["policies"], "status": "disabled" });
    assert!(scene.send(Method::PUT, &scene.suspect(), body.take()).await.unwrap().status().is_success());
    let secret = &scene.scenario.cast.suspect_secret;
    assert_eq!(scene.refusal("/zones", secret).await, (401, 10000));
    assert_eq!(scene.refusal("/accounts/{a}/tokens/verify", secret).await, (200, 0));
}

#[tokio::test]
async fn others_act_just_before_a_request_from_where_they_are() {
    let scene = Scene::new().await;
    let account = scene.scenario.cast.account_id.clone();
    let (email, ip) = ("tomas.herrera@harborlane.example", "203.0.113.77");
    let invite = |email: &str| Request {
        method: "POST".to_owned(),
        path: format!("/accounts/{account}/members"),
        query: String::new(),
        headers: Vec::new(),
        body: Some(json!({ "email": email, "roles": [] })),
    };
    let origin = Origin { ip: ip.to_owned(), credential: Some(format!("dashboard:{email}")) };
    for (skip, guest) in [(1, "second@a.example"), (0, "first@a.example")] {
        let (path, request, origin) = ("*/members".to_owned(), invite(guest), origin.clone());
        scene.simulator.meanwhile(Meanwhile { method: Some("GET".to_owned()), path, skip, request, origin });
    }
    let members = async || scene.get("/accounts/{a}/members").await["result"].as_array().unwrap().clone();
    scene.get("/zones").await;
    assert!(scene.simulator.deeds().is_empty());
    let first = members().await;
    assert_eq!(first.last().unwrap()["email"], "first@a.example", "before the list was taken");
    assert_eq!(members().await.last().unwrap()["email"], "second@a.example");
    assert_eq!(members().await.len(), first.len() + 1, "each once");
    let made: Value = serde_json::from_slice(&scene.simulator.deeds()[0].body).unwrap();
    assert_eq!(made["result"]["id"], first.last().unwrap()["id"]);
    assert!(scene.simulator.requests().iter().all(|request| request.method == "GET"), "nothing of it arrived");
    let log = scene.get("/accounts/{a}/logs/audit?since=2026-11-20&before=2026-11-21&direction=desc").await;
    let told = log["result"].as_array().unwrap().iter().find(|entry| entry["resource"]["id"] == made["result"]["id"]);
    let actor = &told.unwrap()["actor"];
    assert_eq!((&actor["email"], &actor["ip_address"], &actor["context"]), (&json!(email), &json!(ip), &json!("dash")));
}

#[tokio::test]
async fn who_is_removed_from_the_account_loses_it_but_not_the_token() {
    let scene = Scene::new().await;
    let zone = scene.zone("hl-books.example").await;
    let records = format!("/zones/{zone}/dns_records");
    let secret =
        scene.scenario.cast.tokens.iter().find(|token| token.name == "priya dns scripts").unwrap().secret.clone();
    assert_eq!(scene.refusal(&records, &secret).await, (200, 0));
    let members = scene.get("/accounts/{a}/members").await;
    let priya = members["result"].as_array().unwrap().iter().find(|it| it["user"]["first_name"] == "Priya").unwrap();
    let member = format!("/accounts/{{a}}/members/{}", priya["id"].as_str().unwrap());
    scene.send(Method::DELETE, &member, Value::Null).await.unwrap();
    assert_eq!(scene.refusal(&records, &secret).await, (403, 10000));
    assert_eq!(scene.refusal("/user/tokens/verify", &secret).await, (200, 0));
    let again = scene.send(Method::DELETE, &member, Value::Null).await.unwrap();
    assert_eq!(again.json::<Value>().await.unwrap()["errors"][0]["code"], 1003);
}

#[tokio::test]
async fn a_fault_is_applied_or_not_as_its_kind_says() {
    let scene = Scene::new().await;
    let zone = scene.zone("hl-books.example").await;
    let path = format!("/zones/{zone}/dns_records");
    let found = async |content: &str| {
        let found = scene.get(&format!("{path}?content={content}")).await;
        found["result"].as_array().unwrap().len()
    };
    let cases = [
        (FaultKind::DropBefore, None, 0),
        (FaultKind::DropAfter, None, 1),
        (FaultKind::DropAfterPartial, Some(200), 1),
        (FaultKind::Truncated, Some(200), 1),
        (FaultKind::Refuse, Some(400), 0),
        (FaultKind::Forbidden, Some(403), 0),
        (FaultKind::Throttle { retry_after: 7 }, Some(429), 0),
        (FaultKind::ServerError, Some(500), 0),
        (FaultKind::BadGatewayHtml, Some(502), 0),
        (FaultKind::Html, Some(200), 0),
        (FaultKind::SuccessFalse, Some(200), 0),
    ];
    for (index, (kind, status, applied)) in cases.into_iter().enumerate() {
        let content = format!("192.0.2.{}", 100 + index);
        scene.fault("POST", "/zones/*/dns_records", kind.clone());
        let answer = scene.send(Method::POST, &path, record(&content)).await;
        assert_eq!(answer.as_ref().ok().map(|answer| answer.status().as_u16()), status, "{kind:?}");
        if let Ok(answer) = answer {
            let waits = answer.headers().contains_key("retry-after");
            assert_eq!(waits, status == Some(429), "{kind:?}");
            let whole = answer.json::<Value>().await;
            assert!(!whole.is_ok_and(|body| body["success"] == true), "{kind:?}");
        }
        assert_eq!(found(&content).await, applied, "{kind:?}");
    }
}

#[tokio::test]
async fn slow_answers_come_late_and_hanging_ones_never() {
    let scene = Scene::new().await;
    let delay = std::time::Duration::from_millis(150);
    scene.fault("GET", "/user", FaultKind::Slow(delay));
    let asked = std::time::Instant::now();
    scene.get("/user").await;
    assert!(asked.elapsed() >= delay);
    scene.fault("GET", "/user", FaultKind::Hang);
    let hanging = tokio::time::timeout(delay, scene.send(Method::GET, "/user", Value::Null)).await;
    assert!(hanging.is_err());
    scene.simulator.stop().await;
}

#[tokio::test]
async fn a_restart_finds_the_same_world_and_the_same_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::in_dir(Some(dir.path().to_owned())).await;
    let zone = scene.zone("hl-books.example").await;
    let path = format!("/zones/{zone}/dns_records");
    // A refused write must not disturb what is replayed.
    scene.send(Method::POST, &path, json!({ "type": "A" })).await.unwrap();
    scene.send(Method::POST, &path, record("192.0.2.99")).await.unwrap();
    let rolled = scene.send(Method::PUT, &format!("{}/value", scene.suspect()), json!({})).await.unwrap();
    let secret = rolled.json::<Value>().await.unwrap()["result"].as_str().unwrap().to_owned();
    let before = world_digest(&scene.simulator);
    scene.simulator.stop().await;
    let scene = Scene::in_dir(Some(dir.path().to_owned())).await;
    assert_eq!(world_digest(&scene.simulator), before);
    assert_eq!(scene.refusal("/accounts/{a}/tokens/verify", &secret).await, (200, 0));
}

#[tokio::test]
async fn past_the_limit_everything_is_refused() {
    let scene = Scene::new().await;
    let first = scene.send(Method::GET, "/user", Value::Null).await.unwrap();
    assert!(first.headers()["ratelimit"].to_str().unwrap().starts_with("\"default\";r=1199;"));
    for _ in 1..1200 {
        scene.send(Method::GET, "/user", Value::Null).await.unwrap();
    }
    let over = scene.send(Method::GET, "/user", Value::Null).await.unwrap();
    assert_eq!(over.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(over.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn the_planted_compromise_is_there_and_the_baseline_is_from_before() {
    let scene = Scene::new().await;
    let scenario = &scene.scenario;
    let families: std::collections::BTreeSet<&str> = scenario.truth.iter().map(|it| it.family.as_str()).collect();
    let wanted = ["access_rules", "certificates", "dns_records", "members", "rulesets", "tokens"];
    assert_eq!(families.into_iter().collect::<Vec<_>>(), wanted);
    let world = world_digest(&scene.simulator).to_string();
    let known: String =
        baseline(scenario, NOW.parse::<Timestamp>().unwrap()).iter().map(|(_, it)| it.to_string()).collect();
    for planted in &scenario.truth {
        assert!(planted.id.len() == 32 && world.contains(&planted.id), "{planted:?}");
        assert!(!planted.name.is_empty(), "{planted:?}");
    }
    assert!(!known.contains("203.0.113."), "the baseline knows nothing of the intruder");
    assert_eq!(baseline(scenario, Timestamp::UNIX_EPOCH).len(), 4);
    assert!(canaries(scenario).iter().all(|secret| secret.contains(CANARY)));
    assert!(!world.contains(CANARY), "secrets are not part of the state that is compared");
}

#[tokio::test]
async fn an_intruder_who_is_awake_revives_the_suspect() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::of("leaked-token-awake", Some(dir.path().to_owned())).await;
    let token = scene.get(&scene.suspect()).await["result"].clone();
    let cut = json!({ "name": token["name"], "policies": token["policies"], "status": "disabled" });
    scene.send(Method::PUT, &scene.suspect(), cut).await.unwrap();
    assert_eq!(scene.get(&scene.suspect()).await["result"]["status"], "disabled");
    let zone = scene.zone("hl-books.example").await;
    for host in 90..92 {
        let content = format!("192.0.2.{host}");
        scene.send(Method::POST, &format!("/zones/{zone}/dns_records"), record(&content)).await.unwrap();
    }
    assert_eq!(scene.get(&scene.suspect()).await["result"]["status"], "active");
    let before = world_digest(&scene.simulator);
    scene.simulator.stop().await;
    let scene = Scene::of("leaked-token-awake", Some(dir.path().to_owned())).await;
    assert_eq!(world_digest(&scene.simulator), before, "what the intruder did is replayed too");
}
