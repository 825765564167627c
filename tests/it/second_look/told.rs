//! What is told by the hunt and by the second look, each thing once, where others review a part of it.

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
