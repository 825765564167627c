//! Who is acting, who belongs to the account, and what the logs say: and what each of them cannot say.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use quell::cloudflare::api::Credential;
use quell::provider::{Paging, ReadError, ReadRequest};
use quell::secret::Secret;
use quell::simulator::FaultKind;
use serde_json::{Value, json};

use crate::stage::Stage;

const AUDIT: &str = "cloudflare.audit.collect";
const MEMBERS: &str = "cloudflare.members.list";

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect()
}

fn window(stage: &Stage) -> Value {
    json!({ "since": stage.now - SignedDuration::from_hours(24), "before": stage.now })
}

/// What every event of the window did, to tell it by.
fn acts(output: &Value) -> Vec<String> {
    let events = output["events"].as_array().unwrap().iter().filter(|event| event["action"] != "view");
    events.map(|event| format!("{} {} {}", event["at"], event["resource_id"], event["ip"])).collect()
}

#[tokio::test]
async fn each_act_stands_once_though_both_logs_tell_of_it() {
    let stage = Stage::new().await;
    let seen = stage.plan(AUDIT, window(&stage)).await.unwrap();
    let output = &seen.plan.output;
    assert_eq!((&output["complete"], seen.gaps.len()), (&json!(true), 0));
    let acts = acts(output);
    assert!(acts.len() > 20, "{acts:?}");
    assert_eq!(acts.iter().collect::<BTreeSet<_>>().len(), acts.len(), "an act stands twice: {acts:#?}");
    let planted = stage.scenario.truth.len();
    assert!(acts.len() >= planted);
    // Of twins the entry stays that says more.
    assert!(output["events"].as_array().unwrap().iter().all(|event| event["log"] == "v2"));
    let own = stage.scenario.cast.responder_token_id.as_str();
    assert!(output["events"].as_array().unwrap().iter().all(|event| event["token_id"] != own));
    let order: Vec<&str> = output["events"].as_array().unwrap().iter().map(|it| it["at"].as_str().unwrap()).collect();
    assert!(order.is_sorted());
}

#[tokio::test]
async fn a_log_that_is_refused_is_a_gap_and_the_other_one_still_tells() {
    let stage = Stage::new().await;
    let account = stage.scenario.cast.account_id.clone();
    let whole = stage.plan(AUDIT, window(&stage)).await.unwrap().plan.output;
    let (first, second) = (format!("/accounts/{account}/audit_logs"), format!("/accounts/{account}/logs/audit"));
    stage.fault("GET", &first, 0, FaultKind::Forbidden);
    let seen = stage.plan(AUDIT, window(&stage)).await.unwrap();
    assert_eq!((&seen.plan.output["complete"], acts(&seen.plan.output)), (&json!(false), acts(&whole)));
    let gaps: Vec<_> = seen.gaps.iter().map(|gap| (gap.family.as_str(), gap.permission.as_deref())).collect();
    assert_eq!(gaps, [("audit_v1", Some("Account Settings Read"))]);
    assert!(seen.plan.summary.contains("NOT complete"), "{}", seen.plan.summary);
    // Both scopes of log v2.
    stage.fault("GET", &second, 0, FaultKind::Forbidden);
    stage.fault("GET", &second, 0, FaultKind::Forbidden);
    let seen = stage.plan(AUDIT, window(&stage)).await.unwrap();
    assert_eq!(seen.plan.output["complete"], false);
    assert_eq!(seen.gaps.iter().filter(|gap| gap.family == "audit_v2").count(), 2, "{:?}", seen.gaps);
    let told: BTreeSet<String> = acts(&seen.plan.output).into_iter().collect();
    assert!(seen.plan.output["events"].as_array().unwrap().iter().all(|event| event["log"] == "v1"));
    for planted in &stage.scenario.truth {
        let id = if planted.family == "rulesets" { continue } else { &planted.id };
        assert!(told.iter().any(|act| act.contains(id)), "log v1 alone does not tell of {}", planted.what);
    }
    // Neither: then there is nothing to go on with.
    for path in [&first, &second, &second] {
        stage.fault("GET", path, 0, FaultKind::Forbidden);
    }
    let error = stage.plan(AUDIT, window(&stage)).await.map(|_| ()).unwrap_err();
    assert!(error.message.contains("either audit log") && error.hint.is_some(), "{error}");
}

#[tokio::test]
async fn failed_attempts_of_its_own_token_stay_and_its_reads_do_not() {
    let stage = Stage::new().await;
    let path = format!("/accounts/{}/tokens/no-such-token", stage.scenario.cast.account_id);
    assert_eq!(stage.act("DELETE", &path, None), 404);
    let with = json!({ "since": stage.now - SignedDuration::from_hours(1), "before": stage.now + SignedDuration::from_hours(1) });
    let output = stage.plan(AUDIT, with).await.unwrap().plan.output;
    let own = stage.scenario.cast.responder_token_id.as_str();
    let events = output["events"].as_array().unwrap();
    let own: Vec<_> = events.iter().filter(|event| event["token_id"] == own).collect();
    assert_eq!(own.len(), 1, "{own:#?}");
    assert_eq!((&own[0]["action"], &own[0]["success"]), (&json!("delete"), &json!(false)));
}

#[tokio::test]
async fn an_open_invitation_makes_no_super_administrator() {
    let stage = Stage::new().await;
    let before = stage.plan(MEMBERS, json!({})).await.unwrap().plan.output;
    assert_eq!((&before["super_administrators"], &before["pending"]), (&json!(2), &json!(1)));
    let roles = stage.send("GET", "/accounts/{a}/roles?per_page=50", Value::Null).await;
    let named = |role: &&Value| role["name"].as_str().unwrap().starts_with("Super Administrator");
    let role = roles.as_array().unwrap().iter().find(named).unwrap();
    let body = json!({ "email": "tomas@harborlane-example.test", "roles": [role["id"]] });
    stage.send("POST", "/accounts/{a}/members", body).await;
    let tomas =
        before["members"].as_array().unwrap().iter().find(|it| it["email"].as_str().unwrap().starts_with("tomas"));
    let tomas = tomas.unwrap()["id"].as_str().unwrap();
    stage.send("DELETE", &format!("/accounts/{{a}}/members/{tomas}"), Value::Null).await;
    let after = stage.plan(MEMBERS, json!({})).await.unwrap().plan;
    assert_eq!((&after.output["super_administrators"], &after.output["pending"]), (&json!(1), &json!(2)));
    let controls = texts(&after.output["controls"]);
    assert!(controls.iter().any(|text| text.contains("fewer than two Super Administrators")), "{controls:?}");
}

#[tokio::test]
async fn the_clock_is_compared_and_only_a_large_difference_is_a_warning() {
    for (ahead, warned) in [(0, false), (20, false), (90, true), (-90, true)] {
        let stage = Stage::ahead_by(ahead).await;
        let output = stage.plan("cloudflare.whoami", json!({})).await.unwrap().plan.output;
        // The API tells whole seconds, and the request takes its time.
        let skew = output["skew_seconds"].as_i64().unwrap();
        assert!((skew - ahead).abs() <= 5, "{skew} for {ahead}");
        let warns = texts(&output["warnings"]).iter().any(|text| text.contains("clock"));
        assert_eq!(warns, warned, "{ahead}: {output}");
    }
}

#[tokio::test]
async fn each_kind_of_credential_is_told_for_what_it_is() {
    let mut stage = Stage::new().await;
    let output = stage.plan("cloudflare.whoami", json!({})).await.unwrap().plan.output;
    assert_eq!((&output["kind"], &output["two_factor"]), (&json!("user token"), &json!(true)));
    assert_eq!(texts(&output["warnings"]), Vec::<&str>::new());
    assert!(texts(&output["permissions"]).contains(&"API Tokens Write"));

    let ci = stage.token("ci-deploy").secret;
    stage.reconnect(Credential::Token(Secret::new(ci))).await;
    let asked = stage.simulator().requests().len();
    let seen = stage.plan("cloudflare.whoami", json!({})).await.unwrap();
    assert_eq!((&seen.plan.output["kind"], seen.gaps.len()), (&json!("account-owned token"), 0));
    assert!(stage.arrived(asked).iter().all(|request| request.path != "/user"), "it has no user");
    // Nor is anything asked that only a user could see: the API would answer that the token was revoked.
    let list = ReadRequest::new("/user/tokens");
    let never = stage.connected.read.list(&list, Paging::Pages { per_page: 50 }).await.unwrap_err();
    assert!(
        matches!(&never, ReadError::Impossible(why) if why.contains("has no user")) && !never.is_outage(),
        "{never}"
    );
    assert_eq!(stage.connected.read.get(&ReadRequest::new("/user")).await.map(drop), Err(never));
    assert!(
        stage.arrived(asked).iter().all(|request| !request.path.starts_with("/user")),
        "{:?}",
        stage.arrived(asked)
    );

    // One that may not read itself: that is a gap, and no permissions are made up.
    let backup = stage.token("dns-backup");
    stage.reconnect(Credential::Token(Secret::new(backup.secret))).await;
    let seen = stage.plan("cloudflare.whoami", json!({})).await.unwrap();
    assert_eq!(seen.plan.output["permissions"], Value::Null);
    assert_eq!(seen.gaps.iter().filter(|gap| gap.family == "tokens").count(), 1, "{:?}", seen.gaps);

    let (email, key) = (stage.scenario.cast.email.clone(), Secret::new(stage.scenario.cast.global_key.clone()));
    stage.reconnect(Credential::GlobalKey { email, key }).await;
    let output = stage.plan("cloudflare.whoami", json!({})).await.unwrap().plan.output;
    assert_eq!((&output["kind"], &output["token_id"]), (&json!("global API key"), &Value::Null));
    assert!(texts(&output["warnings"])[0].contains("cannot be limited"));
}

#[tokio::test]
async fn a_suspect_is_told_from_the_credential_of_the_run_and_from_others_of_its_user() {
    let mut stage = Stage::new().await;
    let own = stage.scenario.cast.responder_token_id.clone();
    let account = stage.scenario.cast.account_id.clone();
    let own_name =
        stage.send("GET", &format!("/user/tokens/{own}"), Value::Null).await["name"].as_str().unwrap().to_owned();
    let group = &stage.send("GET", &format!("/user/tokens/{own}"), Value::Null).await["policies"][1]["permission_groups"]
        [0]["id"];
    let resources = json!({ format!("com.cloudflare.api.account.{account}"): "*" });
    let policy = json!({ "effect": "allow", "permission_groups": [{ "id": group }], "resources": resources });
    stage.send("POST", "/user/tokens", json!({ "name": "sibling", "policies": [policy] })).await;
    for (suspect, is, words) in [
        (own.as_str(), "same_credential", "THIS VERY CREDENTIAL"),
        (&own_name, "same_credential", "THIS VERY CREDENTIAL"),
        ("sibling", "same_user", "of the same user"),
        ("dns-backup", "other", ""),
        ("unknown", "unknown", ""),
    ] {
        let plan = stage.plan("cloudflare.whoami", json!({ "suspect": suspect })).await.unwrap().plan;
        assert_eq!(plan.output["suspect"], is, "{suspect}");
        let warned = texts(&plan.output["warnings"]).concat();
        assert!(warned.contains(words), "{suspect}: {warned}");
        assert_eq!(warned.to_lowercase().contains("suspect"), !words.is_empty(), "{suspect}: {warned}");
    }
    // The list of its user's tokens is refused: nobody can say.
    stage.fault("GET", "/user/tokens", 0, FaultKind::Forbidden);
    let plan = stage.plan("cloudflare.whoami", json!({ "suspect": "sibling" })).await.unwrap().plan;
    assert_eq!(plan.output["suspect"], "unknown");
    let (email, key) = (stage.scenario.cast.email.clone(), Secret::new(stage.scenario.cast.global_key.clone()));
    stage.reconnect(Credential::GlobalKey { email, key }).await;
    let plan = stage.plan("cloudflare.whoami", json!({ "suspect": own })).await.unwrap().plan;
    assert_eq!(plan.output["suspect"], "same_user");
}

#[tokio::test]
async fn a_credential_that_ends_soon_is_a_warning() {
    for (minutes, warned) in [(60, true), (180, false)] {
        let mut stage = Stage::new().await;
        let ends = stage.now + SignedDuration::from_mins(minutes);
        let account = &stage.scenario.cast.account_id;
        let own = format!("/user/tokens/{}", stage.scenario.cast.responder_token_id);
        let own = stage.send("GET", &own, Value::Null).await;
        let group = &own["policies"][1]["permission_groups"][0]["id"];
        let resources = json!({ format!("com.cloudflare.api.account.{account}"): "*" });
        let policy = json!({ "effect": "allow", "permission_groups": [{ "id": group }], "resources": resources });
        let body = json!({ "name": "short", "policies": [policy], "expires_on": ends.strftime("%FT%TZ").to_string() });
        let made = stage.send("POST", "/user/tokens", body).await;
        stage.reconnect(Credential::Token(Secret::new(made["value"].as_str().unwrap()))).await;
        let plan = stage.plan("cloudflare.whoami", json!({})).await.unwrap().plan;
        let warns = texts(&plan.output["warnings"]).iter().any(|text| text.contains("make another"));
        assert_eq!(warns, warned, "{}", plan.output);
        assert!(plan.summary.contains(", until "), "{}", plan.summary);
    }
}
