//! Somebody who has never used quell: rehearses, and then looks at a large account in the way that the rehearsal tells.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use quell::cloudflare::simulator::{Quota, Scenario, WorldOptions, scenario, start};
use quell::simulator::{LoggedRequest, Request};
use serde_json::{Value, json};

use super::morning::{find, no_secret_lies_about};
use super::others::Other;
use super::responder::{Asked, Mind, Responder};
use crate::scene::Scene;
use crate::terminal::typist::{Typist, rehearsal};

/// Asks for help wherever it may be had, tries a yes where a phrase is wanted, and then does what the screen says.
#[derive(Default)]
struct Newcomer {
    helped: BTreeSet<String>,
}

impl Mind for Newcomer {
    fn input(&self, name: &str) -> Option<&str> {
        Some(match name {
            "suspect" => "ci-deploy",
            "detected_at" => "10m ago",
            "exposed_since" => "10h ago",
            "reported_by" | "commander" => "not known",
            "baseline" | "zones" => "",
            _ => return None,
        })
    }

    fn wants(&self, step: &str, row: &str) -> bool {
        matches!(step, "cut" | "cut-again" | "revoke")
            && ["ci-deploy", "metrics-exporter", "log-f"].iter().any(|name| row.starts_with(name))
    }

    fn left(&self, _step: &str) -> &str {
        "later platform team"
    }

    fn works(&mut self, asked: &Asked, _shown: Option<&str>) -> String {
        match asked.step() {
            "recheck" => "later Jonas Weber".to_owned(),
            _ => "done".to_owned(),
        }
    }

    fn answers(&mut self, asked: &Asked) -> Option<String> {
        let step = asked.step();
        if ["cut", "dns-settle"].contains(&step) {
            for first in ["help", "yes"] {
                if self.helped.insert(format!("{step} {first}")) {
                    return Some(first.to_owned());
                }
            }
        }
        match step {
            "watch" if asked.says("Who reads the audit log") => Some("Jonas Weber".to_owned()),
            "watch" => Some(String::new()),
            _ => None,
        }
    }
}

/// The permission groups that the end of a rehearsal tells to give to a token for looking: of the account, of all zones.
fn told(screen: &str) -> [Vec<String>; 2] {
    ["Account: ", "Zone, all zones: "].map(|label| {
        let line = screen.lines().find_map(|line| line.trim().strip_prefix(label));
        line.unwrap_or_else(|| panic!("no `{label}`\n{screen}"))
            .split(',')
            .map(|it| it.trim().to_owned())
            .filter(|it| !it.is_empty())
            .collect()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_rehearses_by_what_the_screen_says() {
    let scene = Scene::new().await;
    let mut night = Responder { typist: Typist::at(rehearsal(&scene, &[])), mind: Newcomer::default() };
    assert_eq!(night.ends(), 0, "{}", night.typist.screen);
    let screen = &night.typist.screen;
    for said in ["17 of 17 planted artefacts found", "nothing was done; 3 chosen, so type `disable 3` to do it"] {
        assert!(screen.contains(said), "`{said}` was not said\n{screen}");
    }
    assert!(!screen.contains("innocent, and blamed"), "{screen}");
    let score = std::fs::read_to_string(scene.incident().join("score.json")).unwrap();
    let score: Value = serde_json::from_str(&score).unwrap();
    assert_eq!(score["accused"], json!([]));
    assert!(score["planted"].as_array().unwrap().iter().all(|planted| planted["found"] == true), "{score:#}");
    assert!(scene.simulator.requests().is_empty(), "a rehearsal touches no other account");
    // What it tells to give to a token for looking at one's own account is there to be given.
    let listed = groups(&scene);
    for group in told(screen).iter().flatten() {
        assert!(listed.iter().any(|it| it["name"] == group.as_str()), "there is no permission group `{group}`");
    }

    // The rehearsed account, as it was left: the intruder is out, and the responder is not.
    let options = WorldOptions { dir: Some(scene.incident().join("world")), ..WorldOptions::at(Timestamp::now()) };
    let left = start(&scenario("leaked-token").unwrap(), options).await.unwrap();
    let asks = |secret: &str| {
        let headers = vec![("authorization".to_owned(), format!("Bearer {secret}"))];
        let (method, path, query) = ("GET".to_owned(), "/zones".to_owned(), String::new());
        left.act(&Request { method, path, query, headers, body: None })
    };
    let cast = &scene.scenario.cast;
    let of = |name: &str| &cast.tokens.iter().find(|token| token.name.starts_with(name)).unwrap().secret;
    assert_eq!(["ci-deploy", "metrics-exporter", "log-f"].map(|name| asks(of(name))), [401; 3]);
    assert_eq!(asks(&cast.responder_token), 200);
    no_secret_lies_about(&scene, &[&scene.state_dir()], &[screen]);
}

/// The permission groups that the API lists, with their ids.
fn groups(scene: &Scene) -> Vec<Value> {
    let key = Other::with_key_of(&scene.scenario.cast.email, "203.0.113.50");
    let listed = key.does(scene, "GET /accounts/{a}/tokens/permission_groups", Value::Null);
    let listed: Value = serde_json::from_slice(&listed.body).unwrap();
    listed["result"].as_array().unwrap().clone()
}

/// A token that may read everything and write nothing: its value, and its id.
fn read_only(scene: &Scene) -> (String, String) {
    let cast = &scene.scenario.cast;
    let reads = groups(scene).into_iter().filter(|group| group["name"].as_str().unwrap().ends_with("Read"));
    let reads: Vec<Value> = reads.map(|group| json!({ "id": group["id"] })).collect();
    let account = format!("com.cloudflare.api.account.{}", cast.account_id);
    let policies = json!([
        { "effect": "allow", "permission_groups": reads, "resources": { &account: "*" } },
        { "effect": "allow", "permission_groups": reads,
          "resources": { &account: { "com.cloudflare.api.account.zone.*": "*" } } },
    ]);
    let key = Other::with_key_of(&cast.email, "203.0.113.50");
    let made = key.does(scene, "POST /accounts/{a}/tokens", json!({ "name": "look", "policies": policies }));
    let made: Value = serde_json::from_slice(&made.body).unwrap();
    let text = |field: &str| made["result"][field].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    (text("value"), text("id"))
}

/// Of each window, how many requests it took; a window opens with the first request after the one before.
fn windows(requests: &[LoggedRequest], quota: Quota) -> Vec<u64> {
    let length = SignedDuration::from_secs(quota.seconds.into());
    let mut windows: Vec<(Timestamp, u64)> = Vec::new();
    for request in requests {
        match windows.last_mut() {
            Some((opened, taken)) if request.at.duration_since(*opened) < length => *taken += 1,
            _ => windows.push((request.at, 1)),
        }
    }
    windows.into_iter().map(|(_, taken)| taken).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_a_large_account_keeps_to_the_budget() {
    // 1,200 requests in 300 seconds, at another scale.
    looks(6, Quota { requests: 240, seconds: 2 }).await;
}

/// The whole account takes some 20,000 requests: the time alone is at another scale.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `cargo test --test it -- --ignored`"]
async fn a_dry_run_of_all_of_a_large_account_keeps_to_the_budget() {
    let requests = looks(300, Quota { requests: 1200, seconds: 5 }).await;
    assert!(requests > 15_000, "only {requests} requests");
}

/// Looks at so many of three hundred zones with a token that may only read; how many requests that took.
async fn looks(zones: usize, quota: Quota) -> usize {
    let options = WorldOptions { quota, ..WorldOptions::at(Timestamp::now()) };
    let scene = Scene::with(Scenario::big(300, 2).unwrap(), options).await;
    let (token, id) = read_only(&scene);
    // The suspect is cut already, so that the dry run goes on to all that is looked at behind the cut.
    let cast = &scene.scenario.cast;
    let suspect = find(&scene.account(), &cast.suspect_token_id).unwrap().clone();
    let body = json!({ "name": suspect["name"], "policies": suspect["policies"], "status": "disabled" });
    scene.act("PUT", &format!("/accounts/{{a}}/tokens/{}", cast.suspect_token_id), Some(body));
    let before = scene.account();
    let zones: Vec<String> = (0..zones).map(|number| format!("zone-{number:05}.example")).collect();
    let zones = zones.join(",");
    let args = ["run", "cloudflare-token-compromise", "--dry-run", "--set", "suspect=deploy", "--zones", &zones];
    let mut command = scene.command(&args);
    command.env("CLOUDFLARE_API_TOKEN", &token).env_remove("QUELL_HURRY");
    let mut night = Responder { typist: Typist::at(command), mind: Newcomer::default() };
    night.typist.is_patient(Duration::from_secs(400));
    // Without a baseline, deleted records and earlier values cannot be seen.
    assert_eq!(night.ends(), 16, "{}", night.typist.screen);
    let screen = &night.typist.screen;
    let requests = scene.simulator.requests();
    let taken = windows(&requests, quota);
    assert!(requests.iter().all(|request| request.method == "GET" && request.credential == id), "it wrote");
    assert!(requests.iter().all(|request| request.status != 429), "it was throttled: {taken:?}");
    // The last sixth of each window, as the last 200 of 1,200, is kept for the cut.
    let free = quota.requests * 5 / 6;
    assert!(taken.len() > 1 && taken.iter().all(|taken| *taken <= free), "{taken:?}");
    // What is read before the cut does not grow with the account.
    let of_zones = requests.iter().position(|request| request.path.contains("/zones")).unwrap();
    assert!(of_zones < 40, "{of_zones} requests before the first of a zone");
    assert_eq!((scene.account(), scene.incident_exists()), (before, false), "a dry run leaves nothing");
    let said = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "dry run: reads only",
        &format!("the budget of {} in {} s is shared", quota.requests, quota.seconds),
        " requests, budget ",
        "s left",
    ] {
        assert!(said.contains(told), "`{told}` was not said");
    }
    no_secret_lies_about(&scene, &[&scene.state_dir()], &[screen]);
    requests.len()
}
