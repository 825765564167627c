//! What is told by the hunt and by the second look, each thing once, where others review a part of it.

use quell::clock::Clock as _;
use quell::model::{Change, Finding};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Account, ZONE, send};

const OTHER: &str = "harborlane.example";

fn of<'f>(found: &'f [Finding], family: &str) -> Vec<&'f Finding> {
    found.iter().filter(|finding| finding.family == family).collect()
}

#[tokio::test]
async fn a_setting_of_two_zones_is_two_findings_and_stands_zone_by_zone() {
    let account = Account::new().await;
    let zones = send(&account.stage, &Method::GET, &format!("/zones?name={OTHER}"), Value::Null).await;
    let other = format!("/zones/{}/settings/ssl", zones[0]["id"].as_str().unwrap());
    let was = send(&account.stage, &Method::GET, &other, Value::Null).await["value"].clone();
    account.intrude(Method::PATCH, "/zones/{z}/settings/ssl", json!({ "value": "off" })).await;
    account.intrude(Method::PATCH, &other, json!({ "value": "off" })).await;
    let mut with = account.known(account.since()).await;
    with["zones"] = json!([ZONE, OTHER]);
    let hunt = account.plan("cloudflare.hunt", with).await.unwrap();
    let mut ids: Vec<&str> =
        of(&hunt.plan.findings, "zone_settings").iter().map(|finding| finding.id.as_str()).collect();
    ids.sort_unstable();
    let wanted = [OTHER, ZONE].map(|zone| format!("CF-T14:zone_settings:{zone}/ssl"));
    let mut wanted = wanted.each_ref().map(String::as_str);
    wanted.sort_unstable();
    assert_eq!(ids, wanted);

    account.mend("PATCH", &other, json!({ "value": was })).await;
    let mut with = account.known(account.since()).await;
    with["zones"] = json!([ZONE, OTHER]);
    with["hunted"] = hunt.plan.output["found"].clone();
    with["acts_until"] = hunt.plan.output["acts_until"].clone();
    let seen = account.plan("cloudflare.recheck", with).await.unwrap();
    let rows = seen.plan.output["rechecked"].as_array().unwrap();
    let stands = |zone: &str| {
        let id = format!("CF-T14:zone_settings:{zone}/ssl");
        rows.iter().find(|row| row["finding"] == id.as_str()).unwrap()["stands"].clone()
    };
    assert_eq!((stands(OTHER), stands(ZONE)), (json!("gone"), json!("still_there")));
}

#[tokio::test]
async fn what_is_gone_is_told_though_others_review_what_is_there() {
    let account = Account::new().await;
    let listed = send(&account.stage, &Method::GET, &format!("/zones/{}/rulesets", account.zone), Value::Null).await;
    let is_custom = |it: &&Value| it["phase"] == "http_request_firewall_custom";
    let ruleset = listed.as_array().unwrap().iter().find(is_custom).unwrap()["id"].as_str().unwrap().to_owned();
    let records = format!("/zones/{}/dns_records", account.zone);
    let records = send(&account.stage, &Method::GET, &records, Value::Null).await;
    let record = records.as_array().unwrap().iter().find(|record| record["type"] == "MX").unwrap()["id"].clone();
    let record = record.as_str().unwrap();
    account.intrude(Method::DELETE, &format!("/zones/{{z}}/rulesets/{ruleset}"), Value::Null).await;
    account.intrude(Method::DELETE, &format!("/zones/{{z}}/dns_records/{record}"), Value::Null).await;
    let mut with = account.known(account.since()).await;
    with["families"] = json!(["dns_records", "zone_rulesets"]);
    with["reviewed"] = json!(true);
    let hunt = account.plan("cloudflare.hunt", with.clone()).await.unwrap();
    let rules = of(&hunt.plan.findings, "zone_rulesets");
    assert_eq!(
        rules.iter().map(|it| (it.resource.id.as_str(), it.change)).collect::<Vec<_>>(),
        [(&*ruleset, Change::Removed)]
    );
    // Without a baseline no review of DNS sees what is gone.
    let told: Vec<_> = of(&hunt.plan.findings, "dns_records").iter().map(|it| it.resource.id.as_str()).collect();
    assert_eq!(told, [record]);

    with["hunted"] = hunt.plan.output["found"].clone();
    with["acts_until"] = hunt.plan.output["acts_until"].clone();
    let seen = account.plan("cloudflare.recheck", with).await.unwrap();
    let told = of(&seen.plan.findings, "dns_records");
    assert_eq!(
        told.iter().map(|it| (it.resource.id.as_str(), it.change)).collect::<Vec<_>>(),
        [(record, Change::Removed)]
    );
    let rows: Vec<&str> = seen.plan.effects.iter().map(|effect| effect.target.id.as_str()).collect();
    assert!(rows.contains(&record) && rows.contains(&&*ruleset), "{rows:?}");
}

#[tokio::test]
async fn what_an_act_left_is_not_over_because_nobody_looked() {
    let account = Account::new().await;
    let ssl = "/zones/{z}/settings/ssl";
    account.intrude(Method::PATCH, ssl, json!({ "value": "off" })).await;
    let hunt_in = async |families: &[&str]| {
        let mut with = account.known(account.since()).await;
        with["families"] = json!(families);
        with["zones"] = json!([ZONE]);
        account.plan("cloudflare.hunt", with).await.unwrap()
    };
    let hunt = hunt_in(&["dns_records"]).await;
    let id = format!("CF-T14:zone_settings:{ZONE}/ssl");
    let found: Vec<Finding> = serde_json::from_value(hunt.plan.output["found"].clone()).unwrap();
    assert_eq!(found.iter().find(|it| it.id == id).unwrap().sources, [quell::model::Source::Audit], "nobody read it");
    let stands = async |families: &[&str]| {
        let mut with = account.known(account.since()).await;
        with["families"] = json!(families);
        with["zones"] = json!([ZONE]);
        with["hunted"] = hunt.plan.output["found"].clone();
        with["acts_until"] = hunt.plan.output["acts_until"].clone();
        let seen = account.plan("cloudflare.recheck", with).await.unwrap();
        let rows = seen.plan.output["rechecked"].as_array().unwrap().clone();
        let row = rows.into_iter().find(|row| row["finding"] == id.as_str()).unwrap();
        (row["stands"].as_str().unwrap().to_owned(), row["because"].as_str().unwrap().to_owned())
    };
    let (stood, why) = stands(&["dns_records"]).await;
    assert_eq!((stood.as_str(), why.as_str()), ("unknown", "zone_settings was not read"));
    let (stood, why) = stands(&["dns_records", "zone_settings"]).await;
    assert!(stood == "still_there" && why.contains("what it left is there"), "{stood}: {why}");
}

#[tokio::test]
async fn a_ruleset_of_which_nothing_says_the_phase_leaves_both_techniques_open() {
    let account = Account::new().await;
    let mut with = account.known(account.since()).await;
    let path = format!("/client/v4/zones/{}/rulesets/0123456789abcdef0123456789abcdef", account.zone);
    with["events"].as_array_mut().unwrap().push(json!({
        "id": "7", "at": account.stage.clock.now(), "action": "delete", "success": true, "resource_type": "ruleset",
        "ip": super::HOSTILE, "log": "v2", "uri": path, "zone": ZONE,
    }));
    with["families"] = json!(["zone_rulesets", "account_rulesets"]);
    let hunt = account.plan("cloudflare.hunt", with).await.unwrap();
    let told: Vec<_> =
        of(&hunt.plan.findings, "zone_rulesets").iter().map(|it| (&*it.technique, &*it.detail)).collect();
    let [(technique, detail)] = &told[..] else { panic!("{told:?}") };
    assert!(*technique == "CF-X01" && detail.contains("perhaps CF-T05 or CF-T12"), "{technique} {detail}");
    let verdicts = hunt.plan.output["verdicts"].as_array().unwrap();
    for id in ["CF-T05", "CF-T12"] {
        let judged = verdicts.iter().find(|it| it["technique"] == id).unwrap();
        let because = judged["because"].to_string();
        assert!(judged["verdict"] == "unknown" && because.contains("nothing says the phase"), "{judged}");
    }
}

#[tokio::test]
async fn a_credential_that_whoever_has_a_colleagues_machine_may_have_made_is_asked_about() {
    let account = Account::new().await;
    let known = account.known(account.since()).await;
    let verdict = async |ip: &str, more: Value| {
        let mut with = known.clone();
        with["principals"][0]["honest_ips"] = json!(["198.51.100.12"]);
        let mut event = json!({
            "id": "7", "at": account.stage.clock.now(), "action": "create", "success": true, "resource_type": "token",
            "resource_id": "made", "email": "maya@a.example", "context": "dash", "ip": ip, "log": "v2",
            "uri": "/client/v4/accounts/a/tokens",
        });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        with["events"].as_array_mut().unwrap().push(event);
        with["families"] = json!(["account_tokens"]);
        let output = account.plan("cloudflare.hunt", with).await.unwrap().plan.output;
        let verdicts = output["verdicts"].as_array().unwrap().clone();
        let judged = verdicts.into_iter().find(|it| it["technique"] == "CF-I03").unwrap();
        assert_eq!(judged["findings"], json!([]), "nobody is blamed");
        (judged["verdict"].as_str().unwrap().to_owned(), judged["because"].to_string())
    };
    let first = json!({ "unexplained": true, "new_kind": true });
    let (judged, why) = verdict("198.51.100.14", first).await;
    assert!(judged == "unknown" && why.contains("had never done the like") && why.contains("maya@a.example"), "{why}");
    let (judged, why) = verdict("198.51.100.12", json!({})).await;
    assert!(judged == "unknown" && why.contains("is at home as well"), "{why}");
    for (ip, more) in [("198.51.100.14", json!({})), ("198.51.100.12", json!({ "action": "delete" }))] {
        let (_, why) = verdict(ip, more).await;
        assert!(!why.contains("ask them"), "{ip}: {why}");
    }
}
