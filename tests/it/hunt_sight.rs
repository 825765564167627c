//! What a hunt may rule out, and of whom it may say nothing: a log that begins too late, acts of which it tells too
//! little, addresses that honest people use as well, and people at new places.

use jiff::SignedDuration;
use quell::cloudflare::simulator::Scenario;
use serde_json::{Value, json};

use crate::nights::others::Other;
use crate::scene::{Ran, Scene};
use crate::stage::Stage;

const COLLECT: &str = "cloudflare.audit.collect";
const TOMAS: &str = "tomas.herrera@harborlane.example";
const MAYA: &str = "maya.lindqvist@harborlane.example";

/// From where Tomás has worked for weeks.
const OFFICE: &str = "198.51.100.14";

/// From where nobody ever worked.
const NEW: &str = "198.51.100.222";

fn verdict<'o>(output: &'o Value, technique: &str) -> &'o str {
    let judged = output["verdicts"].as_array().unwrap().iter().find(|judged| judged["technique"] == technique);
    judged.unwrap()["verdict"].as_str().unwrap()
}

/// Whether nothing but what is never logged keeps the technique from being ruled out.
fn is_seen(output: &Value, technique: &str) -> bool {
    let judged = output["verdicts"].as_array().unwrap().iter().find(|judged| judged["technique"] == technique);
    judged.unwrap()["permanent"] == true
}

/// Technique and whose it is, for each finding, sorted.
fn found(output: &Value) -> Vec<(&str, &str)> {
    let mut found: Vec<(&str, &str)> = output["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["technique"].as_str().unwrap(), it["attribution"].as_str().unwrap()))
        .collect();
    found.sort_unstable();
    found
}

// ------------------------------------------------------------------------------------------------ how far a log reaches

#[tokio::test]
async fn a_log_that_tells_nothing_of_before_the_window_is_not_whole() {
    let stage = Stage::of(Scenario::big(1, 0).unwrap()).await;
    let hours = |hours| stage.now - SignedDuration::from_hours(hours);
    // Nothing at all, and nothing but what quell itself has just read.
    for (before, part) in [
        (hours(1), "it has no entry at all, which proves nothing"),
        (stage.now + SignedDuration::from_hours(1), "after the window does, and nothing in it is older"),
    ] {
        let seen = stage.plan(COLLECT, json!({ "since": hours(9), "before": before })).await.unwrap();
        assert_eq!(seen.plan.output["complete"], false, "{}", seen.plan.summary);
        let told =
            |family: &str, part: &str| seen.gaps.iter().any(|gap| gap.family == family && gap.reason.contains(part));
        assert!(told("audit_v2", part), "{:#?}", seen.gaps);
        assert!(told("audit_v1", "it has no entry at all, which proves nothing"), "{:#?}", seen.gaps);
    }
}

#[tokio::test]
async fn a_log_that_has_something_older_is_whole_however_short_the_look_back() {
    let stage = Stage::new().await;
    let since = stage.now - SignedDuration::from_secs(1);
    let seen = stage.plan(COLLECT, json!({ "since": since, "lookback": "1s" })).await.unwrap();
    assert_eq!((&seen.plan.output["complete"], seen.gaps.as_slice()), (&json!(true), &[][..]));
}

#[tokio::test]
async fn a_window_that_begins_before_what_is_kept_is_not_whole() {
    let stage = Stage::new().await;
    let since = stage.now - SignedDuration::from_hours(24 * 600);
    let seen = stage.plan(COLLECT, json!({ "since": since })).await.unwrap();
    assert_eq!(seen.plan.output["complete"], false);
    assert!(seen.gaps.iter().any(|gap| gap.reason.contains("18 months")), "{:#?}", seen.gaps);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_said_of_anybody_nothing_is_ruled_out() {
    let scene = Scene::in_scenario(Scenario::big(1, 0).unwrap()).await;
    let told = scene.run(&["hunt", "--since", "9h ago", "--only", "account_tokens", "--json"]).expect(16).json();
    assert_eq!(told["log"]["complete"], false);
    let verdicts = told["verdicts"].as_array().unwrap();
    assert!(verdicts.iter().all(|judged| judged["verdict"] == "unknown"), "{verdicts:#?}");
}

// ----------------------------------------------------------------------------------------- acts that no path tells apart

async fn hunted(stage: &Stage, event: Value) -> (Value, Vec<String>) {
    let since = stage.now - SignedDuration::from_hours(9);
    let mut told = json!({
        "id": "1", "at": stage.now - SignedDuration::from_hours(1), "success": true, "resource_id": "r",
        "ip": "203.0.113.199", "resource_type": "route",
    });
    told.as_object_mut().unwrap().extend(event.as_object().cloned().unwrap());
    let families =
        ["workers_routes", "workers_domains", "workers_previews", "workers_subdomain", "members", "account_tokens"];
    let with = json!({
        "since": since, "events": [told], "log_complete": true, "families": families, "principals": [{
            "token_id": "stolen", "token_name": "ci", "honest_ips": ["198.51.100.90"], "hostile_ips": ["203.0.113.199"],
        }],
    });
    let seen = stage.plan("cloudflare.hunt", with).await.unwrap();
    (seen.plan.output, seen.gaps.into_iter().map(|gap| gap.reason).collect())
}

#[tokio::test]
async fn an_act_that_only_the_older_log_tells_of_rules_out_nothing_that_it_may_have_been() {
    let stage = Stage::of(Scenario::planted(&[], false).unwrap()).await;
    let older = |action: &str| json!({ "action": action, "log": "v1", "token_id": "stolen" });
    let (output, gaps) = hunted(&stage, older("create")).await;
    for technique in ["CF-T02", "CF-I03", "CF-I05"] {
        assert_eq!(verdict(&output, technique), "unknown", "{technique}");
    }
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0].starts_with("1 write by the intruder") && gaps[0].contains("(route)"), "{gaps:?}");
    // A colleague's is a colleague's.
    let honest = json!({ "action": "create", "log": "v1", "email": TOMAS, "ip": OFFICE });
    let (output, gaps) = hunted(&stage, honest).await;
    assert_eq!((verdict(&output, "CF-T02"), gaps.len()), ("ruled_out", 0), "{gaps:?}");
}

#[tokio::test]
async fn an_act_without_its_request_leaves_open_what_its_kind_may_have_been() {
    let stage = Stage::of(Scenario::planted(&[], false).unwrap()).await;
    let bare = json!({ "action": "create", "log": "v2", "token_id": "stolen", "resource_type": "member" });
    let (output, gaps) = hunted(&stage, bare).await;
    assert_eq!((verdict(&output, "CF-I07"), gaps.len()), ("unknown", 1), "{gaps:?}");
    assert_eq!(verdict(&output, "CF-T02"), "ruled_out", "a member is no route");
}

#[tokio::test]
async fn a_batch_of_records_that_the_log_does_not_name_may_have_deleted_more_than_is_known() {
    let stage = Stage::of(Scenario::planted(&[], false).unwrap()).await;
    let (zone, name) = stage.zones().await.remove(0);
    let since = stage.now - SignedDuration::from_hours(9);
    let hunt = async |ip: &str, after: Value| {
        let batch = json!({
            "id": "1", "at": stage.now - SignedDuration::from_hours(1), "success": true, "action": "create", "log": "v2",
            "resource_type": "dns_record", "ip": ip, "zone": name, "email": TOMAS, "after": after,
            "uri": format!("/client/v4/zones/{zone}/dns_records/batch"),
        });
        let with = json!({
            "since": since, "events": [batch], "log_complete": true, "families": ["dns_records"], "principals": [{
                "token_id": "stolen", "token_name": "ci", "honest_ips": [], "hostile_ips": ["203.0.113.199"],
            }],
        });
        let seen = stage.plan("cloudflare.hunt", with).await.unwrap();
        let gaps: Vec<String> = seen.gaps.into_iter().map(|gap| format!("{}: {}", gap.scope, gap.reason)).collect();
        (is_seen(&seen.plan.output, "CF-T08"), gaps)
    };
    let (is_seen, gaps) = hunt("203.0.113.199", json!({ "success": true })).await;
    assert_eq!((is_seen, gaps.len()), (false, 1), "{gaps:?}");
    assert!(
        gaps[0].starts_with(&format!("{name}: 1 request by the intruder or by nobody who is known wrote many")),
        "{gaps:?}"
    );
    assert!(gaps[0].ends_with("whether more were deleted cannot be known"), "{gaps:?}");
    // One that is named whole leaves nothing open, and a colleague's is a colleague's.
    let named = json!({ "posts": [{ "id": "n", "type": "A", "name": "n", "content": "203.0.113.1" }] });
    assert_eq!(hunt("203.0.113.199", named).await, (true, Vec::new()));
    assert_eq!(hunt(OFFICE, json!({})).await, (true, Vec::new()));
}

// --------------------------------------------------------------------------------------------------- whose doing it is

/// An account in which nothing happens but what the test does, beside honest work.
async fn quiet() -> Scene {
    Scene::in_scenario(Scenario::planted(&[], true).unwrap()).await
}

fn hunt(scene: &Scene, more: &[&str]) -> Ran {
    let families =
        "dns_records,dns_settings,account_dns_settings,account_tokens,members,user_groups,user_group_members";
    let narrow = ["--only", families];
    scene.run(&[&["hunt", "--since", "20m ago", "--json"][..], &narrow, more].concat())
}

fn secret<'s>(scene: &'s Scene, name: &str) -> &'s str {
    &scene.scenario.cast.tokens.iter().find(|token| token.name == name).unwrap().secret
}

/// Somebody does something, and it takes effect.
fn done(scene: &Scene, who: &Other, request: &str, body: Value) -> Value {
    let answer = who.does(scene, request, body);
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer.status, 200, "{request}: {body}");
    body["result"].take()
}

fn zone(scene: &Scene) -> String {
    scene.account()["zones"][0]["zone"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_at_an_address_where_the_stolen_token_was_used_once_is_not_the_intruder() {
    let scene = quiet().await;
    let body = json!({ "email": "ines@harborlane.example", "roles": [] });
    done(&scene, &Other::with_token(secret(&scene, "ci-deploy"), OFFICE), "GET /zones", Value::Null);
    done(&scene, &Other::in_dashboard(TOMAS, OFFICE), "POST /accounts/{a}/members", body);
    let told = hunt(&scene, &["--suspect", "ci-deploy"]).expect(0).json();
    assert_eq!(found(&told), [("CF-I07", "shared"), ("CF-I12", "shared")], "{:#}", told["findings"]);
    assert_eq!((verdict(&told, "CF-I07"), verdict(&told, "CF-I12")), ("unknown", "unknown"));
    // From an address that only the intruder has, the same is the intruder's.
    let scene = quiet().await;
    let body = json!({ "email": "ines@harborlane.example", "roles": [] });
    done(&scene, &Other::with_token(secret(&scene, "ci-deploy"), NEW), "GET /zones", Value::Null);
    done(&scene, &Other::in_dashboard(TOMAS, NEW), "POST /accounts/{a}/members", body);
    let told = hunt(&scene, &["--suspect", "ci-deploy"]).expect(0).json();
    assert_eq!(verdict(&told, "CF-I07"), "confirmed", "{:#}", told["findings"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_token_did_from_a_new_address_is_nobodys_and_what_was_as_before_is_blamed_on_nobody() {
    let scene = quiet().await;
    let records = format!("/zones/{}/dns_records", zone(&scene));
    let body = |name: &str| json!({ "type": "A", "name": name, "content": "203.0.113.66", "ttl": 60 });
    let priya = |ip| Other::with_token(secret(&scene, "priya dns scripts"), ip).using("python-httpx/0.27.4");
    let made = |ip, name| done(&scene, &priya(ip), &format!("POST {records}"), body(name))["id"].clone();
    let usual = made("198.51.100.15", "vpn");
    let told = hunt(&scene, &["--suspect", "ci-deploy"]).expect(0).json();
    assert_eq!((is_seen(&told, "CF-T07"), found(&told).len()), (true, 0), "{:#}", told["findings"]);
    // Made and deleted: only the log tells.
    let made = made(NEW, "mail2");
    done(&scene, &priya(NEW), &format!("DELETE {records}/{}", made.as_str().unwrap()), Value::Null);
    let told = hunt(&scene, &["--suspect", "ci-deploy"]).expect(0).json();
    assert_eq!((is_seen(&told, "CF-T07"), found(&told)), (false, vec![("CF-T07", "unattributed")]));
    assert_ne!(told["findings"][0]["resource"]["id"], usual);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_suspect_a_session_and_a_key_at_a_new_place_are_told_and_ruled_out_is_nothing_of_theirs() {
    let scene = quiet().await;
    let id = scene.scenario.cast.tokens.iter().find(|token| token.name == "dns-backup").unwrap().id.clone();
    let (session, key) = (Other::in_dashboard(MAYA, NEW), Other::with_key_of(MAYA, NEW));
    done(&scene, &session, &format!("PUT /accounts/{{a}}/tokens/{id}/value"), json!({}));
    let policy = json!({ "effect": "allow", "permission_groups": [], "resources": {} });
    done(&scene, &key, "POST /accounts/{a}/tokens", json!({ "name": "x", "policies": [policy] }));
    let told = hunt(&scene, &[]).expect(0).json();
    for technique in ["CF-I05", "CF-I06", "CF-I12"] {
        assert_eq!(verdict(&told, technique), "unknown", "{technique}");
        assert!(found(&told).contains(&(technique, "unattributed")), "{technique}: {:#}", told["findings"]);
    }
    assert!(found(&told).iter().all(|(_, whose)| *whose == "unattributed"), "{:#}", told["findings"]);
}

/// From where the deploy job always runs.
const RUNNER: &str = "198.51.100.90";

/// The deploy job, or whoever has its token and calls itself so.
fn deploy_job(scene: &Scene, ip: &'static str) -> Other {
    Other::with_token(secret(scene, "ci-deploy"), ip).using("harborlane-deploy/2.15 (ci)")
}

/// Writes the number of the build into DNS, as it does at each deploy.
fn deploy(scene: &Scene, ip: &'static str) {
    let account = scene.account();
    let records = account["zones"][0]["dns_records"].as_array().unwrap();
    let record = records.iter().find(|record| record["comment"] == "written by CI at each deploy").unwrap();
    let request = format!("PATCH /zones/{}/dns_records/{}", zone(scene), record["id"].as_str().unwrap());
    done(scene, &deploy_job(scene, ip), &request, json!({ "content": "\"build=4411\"" }));
}

fn token() -> Value {
    json!({ "name": "x", "policies": [{ "effect": "allow", "permission_groups": [], "resources": {} }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_suspect_what_a_credential_never_did_is_told_from_its_usual_place_too() {
    let scene = quiet().await;
    deploy(&scene, RUNNER);
    let told = hunt(&scene, &[]).expect(0).json();
    // Whatever differs is told where nobody is named; of a deploy nothing else is.
    let as_ever = (vec![("CF-T07", "unattributed")], "ruled_out");
    assert_eq!((found(&told), verdict(&told, "CF-I03")), as_ever, "{:#}", told["findings"]);
    done(&scene, &deploy_job(&scene, RUNNER), "POST /accounts/{a}/tokens", token());
    let told = hunt(&scene, &[]).expect(0).json();
    let made = told["findings"].as_array().unwrap().iter().find(|it| it["technique"] == "CF-I03").unwrap();
    assert_eq!((&made["attribution"], verdict(&told, "CF-I03")), (&json!("unattributed"), "unknown"));
    assert!(made["detail"].as_str().unwrap().contains("had never done the like: ask them"), "{made}");
    // That another token is used at a new place, by nobody who is known, does not say that it was no one else.
    let priya = Other::with_token(secret(&scene, "priya dns scripts"), NEW);
    done(&scene, &priya, "GET /zones", Value::Null);
    let told = hunt(&scene, &[]).expect(0).json();
    assert!(found(&told).contains(&("CF-I03", "unattributed")), "{:#}", told["findings"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_at_a_new_address_is_not_the_intruder_and_what_it_never_did_is() {
    let scene = quiet().await;
    deploy(&scene, NEW);
    let told = hunt(&scene, &["--suspect", "ci-deploy"]).expect(0).json();
    assert!(found(&told).iter().all(|(_, whose)| *whose == "shared"), "{:#}", told["findings"]);
    // A program's name can be faked: with it, a token that the job never made is none of the job's.
    done(&scene, &deploy_job(&scene, NEW), "POST /accounts/{a}/tokens", token());
    let told = hunt(&scene, &["--suspect", "ci-deploy"]).expect(0).json();
    assert!(found(&told).contains(&("CF-I03", "intruder")), "{:#}", told["findings"]);
}
