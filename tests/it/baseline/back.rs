//! Without a baseline: the account is rewound to a moment by the audit log, and it is said how well that is known.

use serde_json::{Value, json};

use crate::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_since_is_told_with_what_it_was_and_by_whom() {
    let scene = Scene::new().await;
    scene.run(&["baseline", "capture", "now", "--only", "dns_records"]).expect(0);
    let records = super::items(&scene.path("now"), "dns_records");
    let of = |kind: &str| records.iter().find(|item| item["value"]["type"] == kind).unwrap().clone();
    let (changed, deleted) = (of("A"), of("MX"));
    let path = |item: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        format!("/zones/{}/dns_records/{}", text(&item["seat"]["zone_id"]), text(&item["id"]))
    };
    let list = path(&changed).rsplit_once('/').unwrap().0.to_owned();
    scene.act("PATCH", &path(&changed), Some(json!({ "content": "203.0.113.67" })));
    scene.act("DELETE", &path(&deleted), None);
    scene.act("POST", &list, Some(json!({ "type": "A", "name": "vpn", "content": "203.0.113.66", "ttl": 60 })));

    let zone = |item: &Value| item["seat"]["name"].as_str().unwrap().to_owned();
    let zones = format!("{},{}", zone(&changed), zone(&deleted));
    let ran = scene.run(&["baseline", "diff", "--at", "5m ago", "--zones", &zones, "--json"]).expect(0);
    let document = ran.json();
    assert_eq!((&document["log_complete"], &document["gaps"]), (&true.into(), &json!([])));
    let all = document["differences"].as_array().unwrap();
    let rows: Vec<&Value> = all.iter().filter(|row| row["family"] == "dns_records").collect();
    assert_eq!(rows.len(), 3, "{all:#?}");
    let row = |change: &str| *rows.iter().find(|row| row["change"] == change).unwrap();
    for change in ["added", "changed", "removed"] {
        assert_eq!(row(change)["certainty"], "exact", "{change}: {}", row(change));
        assert!(row(change)["actor"]["ip"].is_string() && row(change)["at"].is_string(), "{}", row(change));
    }
    assert_eq!(row("changed")["before"]["content"], changed["value"]["content"]);
    assert_eq!(row("changed")["after"]["content"], "203.0.113.67");
    assert_eq!((&row("removed")["id"], &row("removed")["after"]), (&deleted["id"], &Value::Null));

    let shown = scene.run(&["baseline", "diff", "--at", "5m ago", "--zones", &zones]).expect(0).stdout;
    for said in ["what it was: exact; last by ", "DNS records", "203.0.113.67"] {
        assert!(shown.contains(said), "{said}\n{shown}");
    }
    assert_eq!(shown.lines().filter(|line| line.chars().count() > 80).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_that_is_none_and_two_things_to_compare_with_are_refused() {
    let scene = Scene::new().await;
    let said = scene.run(&["baseline", "diff", "--at", "yesterdayish"]).expect(2);
    assert!(said.stderr.contains("`--at` cannot be `yesterdayish`"), "{}", said.stderr);
    scene.run(&["baseline", "diff", "good", "--at", "5m ago"]).expect(2);
    scene.run(&["baseline", "diff"]).expect(2);
    assert!(scene.simulator.requests().is_empty());
}
