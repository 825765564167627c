//! What is written on any family shows in its list and in both audit logs, and survives a restart.

use quell::cloudflare::simulator::{CANARY, WorldOptions, scenario, start, world_digest};
use quell::simulator::Simulator;
use reqwest::Method;
use serde_json::{Value, json};

struct Writer {
    account: String,
    email: String,
    key: String,
    base: String,
    client: reqwest::Client,
}

impl Writer {
    fn new(simulator: &Simulator) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let cast = scenario("leaked-token").unwrap().cast;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let (account, email, key) = (cast.account_id, cast.email, cast.global_key);
        Self { account, email, key, base: simulator.base_url().to_owned(), client }
    }

    /// As the responder with every right, which the responder's token has not.
    async fn send(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{}", self.base, path.replace("{a}", &self.account));
        let request = self.client.request(method, url).header("x-auth-email", &self.email);
        let request = request.header("x-auth-key", &self.key).header("user-agent", "writer/1");
        let answer = if body.is_null() { request.send().await } else { request.json(&body).send().await }.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn done(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.send(method, path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer["result"].clone()
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        self.done(Method::GET, path, Value::Null).await.as_array().unwrap().clone()
    }

    async fn zone(&self) -> String {
        self.list("/zones?name=harborlane-shop.example").await[0]["id"].as_str().unwrap().to_owned()
    }

    /// The newest entry of each log that is about that type of resource.
    async fn logged(&self, kind: &str) -> (Value, Value) {
        let first = self.list("/accounts/{a}/audit_logs?per_page=1000").await;
        let window = "since=2026-01-01&before=2100-01-01&limit=1000";
        let (_, second) = self
            .send(Method::GET, &format!("/accounts/{{a}}/logs/audit?{window}&resource_type={kind}"), Value::Null)
            .await;
        let is_write = |entry: &&Value| entry["action"]["type"] != "view";
        let second = second["result"].as_array().unwrap().iter().find(is_write).cloned();
        (first.into_iter().find(|entry| entry["resource"]["type"] == kind).unwrap(), second.unwrap())
    }
}

async fn world() -> Simulator {
    let options = WorldOptions::at("2026-11-20T12:00:00Z".parse().unwrap());
    start(&scenario("leaked-token").unwrap(), options).await.unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn a_route_is_made_changed_and_removed_and_both_logs_tell() {
    let simulator = world().await;
    let writer = Writer::new(&simulator);
    let zone = writer.zone().await;
    let routes = format!("/zones/{zone}/workers/routes");
    let given = json!({ "pattern": "harborlane-shop.example/login*", "script": "checkout" });
    let made = writer.done(Method::POST, &routes, given).await;
    let one = format!("{routes}/{}", text(&made["id"]));
    let (first, second) = writer.logged("workers_routes").await;
    assert_eq!(
        (&first["action"]["type"], &first["oldValue"], &first["newValue"]),
        (&json!("add"), &Value::Null, &made)
    );
    assert_eq!(first["actor"]["email"], writer.email.as_str());
    assert_eq!(second["action"]["type"], "create");
    assert_eq!(second["actor"]["context"], "api_key");
    assert_eq!(second["resource"]["product"], "workers");
    assert_eq!(second["resource"]["id"], made["id"]);
    assert_eq!(second["raw"]["user_agent"], "writer/1");
    assert_eq!(second["raw"]["uri"], format!("/client/v4{routes}"));
    assert_eq!(second["zone"]["name"], "harborlane-shop.example");
    let changed = writer.done(Method::PUT, &one, json!({ "pattern": made["pattern"], "script": "image-resize" })).await;
    let (first, _) = writer.logged("workers_routes").await;
    assert_eq!(
        (&first["oldValue"]["script"], &first["newValue"]["script"]),
        (&json!("checkout"), &json!("image-resize"))
    );
    assert_eq!(writer.list(&routes).await.last(), Some(&changed));
    writer.done(Method::DELETE, &one, Value::Null).await;
    let (first, second) = writer.logged("workers_routes").await;
    assert_eq!((&first["oldValue"], &second["action"]["type"]), (&changed, &json!("delete")));
    assert_eq!(writer.list(&routes).await.len(), 1);
    let (status, _) = writer.send(Method::DELETE, &one, Value::Null).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn each_kind_of_write_does_what_it_does_to_its_list() {
    let simulator = world().await;
    let writer = Writer::new(&simulator);
    let zone = writer.zone().await;
    let scripts = "/accounts/{a}/workers/scripts";
    // Made by being put there under its name; what belongs to it is there from then on.
    let script = writer.done(Method::PUT, &format!("{scripts}/beacon"), json!({ "handlers": ["fetch"] })).await;
    assert_eq!(script["id"], "beacon");
    let settings = writer.done(Method::GET, &format!("{scripts}/beacon/settings"), Value::Null).await;
    assert_eq!(settings["bindings"], json!([]));
    // A whole list at once.
    let schedules = format!("{scripts}/beacon/schedules");
    writer.done(Method::PUT, &schedules, json!([{ "cron": "*/5 * * * *" }, { "cron": "0 0 * * *" }])).await;
    writer.done(Method::PUT, &schedules, json!([{ "cron": "*/5 * * * *" }])).await;
    let listed = writer.done(Method::GET, &schedules, Value::Null).await;
    assert_eq!(listed["schedules"].as_array().unwrap().len(), 1);
    // One of a list, by its name.
    let secrets = format!("{scripts}/beacon/secrets");
    for text in ["a", "b"] {
        writer.done(Method::PUT, &secrets, json!({ "name": "KEY", "type": "secret_text", "text": text })).await;
    }
    assert_eq!(writer.list(&secrets).await.len(), 1);
    // The only one of its kind.
    let hidden = "/accounts/{a}/workers/scripts/nothing/settings";
    assert_eq!(writer.send(Method::GET, hidden, Value::Null).await.0, 404);
    let catch_all = format!("/zones/{zone}/email/routing/rules/catch_all");
    assert_eq!(writer.send(Method::GET, &catch_all, Value::Null).await.0, 404);
    let forward = json!({ "enabled": true, "matchers": [{ "type": "all" }],
        "actions": [{ "type": "forward", "value": ["x@relay-transit.example"] }] });
    writer.done(Method::PUT, &catch_all, forward.clone()).await;
    assert_eq!(writer.done(Method::GET, &catch_all, Value::Null).await["actions"], forward["actions"]);
    let enabled = format!("/zones/{zone}/secondary_dns/outgoing");
    writer.done(Method::POST, &enabled, json!({ "name": "harborlane-shop.example.", "peers": [] })).await;
    writer.done(Method::POST, &format!("{enabled}/enable"), json!({})).await;
    assert_eq!(writer.done(Method::GET, &format!("{enabled}/status"), Value::Null).await, "enabled");
    // Marked as deleted, and kept.
    let tunnels = "/accounts/{a}/cfd_tunnel";
    let tunnel = writer.done(Method::POST, tunnels, json!({ "name": "maintenance" })).await;
    writer.done(Method::DELETE, &format!("{tunnels}/{}", text(&tunnel["id"])), Value::Null).await;
    assert_eq!(writer.list(&format!("{tunnels}?is_deleted=true")).await.len(), 2);
    assert_eq!(writer.list(&format!("{tunnels}?is_deleted=false")).await.len(), 1);
    // Some of a list.
    let lists = writer.list("/accounts/{a}/rules/lists").await;
    let items = format!("/accounts/{{a}}/rules/lists/{}/items", text(&lists[0]["id"]));
    writer.done(Method::POST, &items, json!([{ "ip": "203.0.113.199" }, { "ip": "203.0.113.204" }])).await;
    let added = writer.list(&items).await;
    assert_eq!(added.len(), 4);
    writer.done(Method::DELETE, &items, json!({ "items": [{ "id": added[3]["id"] }] })).await;
    assert_eq!(writer.list(&items).await, added[..3]);
    // What is missing stays missing.
    let nowhere = "/accounts/{a}/workers/scripts/nothing/schedules";
    let (status, refused) = writer.send(Method::PUT, nowhere, json!([])).await;
    assert_eq!((status, &refused["errors"][0]["code"]), (404, &json!(10007)));
    assert_eq!(writer.send(Method::POST, "/accounts/{a}/no/such/thing", json!({})).await.0, 404);
}

#[tokio::test]
async fn the_files_of_their_own_can_be_written_too() {
    let simulator = world().await;
    let writer = Writer::new(&simulator);
    let zone = writer.zone().await;
    let off = json!({ "settings": { "enforce_twofactor": true } });
    assert_eq!(writer.done(Method::PUT, "/accounts/{a}", off).await["settings"]["enforce_twofactor"], true);
    let paused = writer.done(Method::PATCH, &format!("/zones/{zone}"), json!({ "paused": true })).await;
    assert_eq!(paused["paused"], true);
    let dnssec = writer.done(Method::PATCH, &format!("/zones/{zone}/dnssec"), json!({ "status": "disabled" })).await;
    assert_eq!(dnssec["status"], "disabled");
    let hold = format!("/zones/{zone}/hold");
    assert_eq!(writer.done(Method::POST, &hold, json!({})).await["hold"], true);
    assert_eq!(writer.done(Method::DELETE, &hold, Value::Null).await["hold"], false);
    let rulesets = format!("/zones/{zone}/rulesets");
    let redirect = json!({ "name": "redirects", "kind": "zone", "phase": "http_request_dynamic_redirect",
        "rules": [{ "action": "redirect", "expression": "true" }] });
    let made = writer.done(Method::POST, &rulesets, redirect).await;
    assert_eq!(made["rules"].as_array().unwrap().len(), 1);
    let one = format!("{rulesets}/{}", text(&made["id"]));
    let rule = json!({ "action": "redirect", "expression": "false" });
    writer.done(Method::POST, &format!("{one}/rules"), rule).await;
    writer.done(Method::DELETE, &format!("{one}/versions/1"), Value::Null).await;
    let versions = writer.list(&format!("{one}/versions")).await;
    assert_eq!(versions.iter().map(|it| text(&it["version"])).collect::<Vec<_>>(), ["2"]);
    writer.done(Method::DELETE, &one, Value::Null).await;
    assert_eq!(writer.send(Method::GET, &one, Value::Null).await.0, 404);
    writer.done(Method::DELETE, &format!("/zones/{zone}"), Value::Null).await;
    assert!(writer.list("/zones?name=harborlane-shop.example").await.is_empty());
}

#[tokio::test]
async fn no_secret_reaches_the_logs() {
    let simulator = world().await;
    let writer = Writer::new(&simulator);
    let secret = "hunter2-not-for-logs";
    let jobs = "/accounts/{a}/logpush/jobs";
    let to = format!("s3://elsewhere/logs?region=eu-north-1&access-key-id={secret}&secret-access-key={secret}");
    let job = writer.done(Method::POST, jobs, json!({ "dataset": "audit_logs_v2", "destination_conf": to })).await;
    assert!(job["id"].is_u64(), "{job}");
    writer.done(Method::POST, "/accounts/{a}/cfd_tunnel", json!({ "name": "t", "tunnel_secret": secret })).await;
    let tokens = writer.list("/accounts/{a}/access/service_tokens").await;
    let token = format!("/accounts/{{a}}/access/service_tokens/{}", text(&tokens[0]["id"]));
    let rotated = writer.done(Method::POST, &format!("{token}/rotate"), json!({})).await;
    assert!(text(&rotated["client_secret"]).contains(CANARY));
    let webhooks = "/accounts/{a}/alerting/v3/destinations/webhooks";
    let url = format!("https://hooks.example/T/{secret}");
    writer.done(Method::POST, webhooks, json!({ "name": "w", "url": url, "secret": secret })).await;
    for kind in ["logpush_jobs", "tunnels", "service_tokens", "alert_webhooks"] {
        let (first, second) = writer.logged(kind).await;
        for entry in [first, second] {
            let written = entry.to_string();
            assert!(!written.contains(secret) && !written.contains(CANARY), "{kind}: {written}");
        }
    }
    let (first, _) = writer.logged("logpush_jobs").await;
    assert!(text(&first["newValue"]["destination_conf"]).starts_with("s3://elsewhere/logs?"), "{first}");
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let open = || async {
        let options = WorldOptions {
            dir: Some(dir.path().to_owned()),
            ..WorldOptions::at("2026-11-20T12:00:00Z".parse().unwrap())
        };
        start(&scenario("leaked-token").unwrap(), options).await.unwrap()
    };
    let simulator = open().await;
    let writer = Writer::new(&simulator);
    writer.done(Method::PUT, "/accounts/{a}/workers/scripts/beacon", json!({ "handlers": ["fetch"] })).await;
    writer.send(Method::PUT, "/accounts/{a}/workers/scripts/nothing/schedules", json!([])).await;
    writer.done(Method::POST, "/accounts/{a}/cfd_tunnel", json!({ "name": "maintenance" })).await;
    let before = world_digest(&simulator);
    assert!(before.to_string().contains("beacon") && before.to_string().contains("maintenance"));
    simulator.stop().await;
    assert_eq!(world_digest(&open().await), before);
}
