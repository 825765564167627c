//! What differs, by meaning.

use quell::simulator::FaultKind;
use serde_json::{Value, json};

use super::{captured, items, record};
use crate::scene::Ran;

/// Change, name and fields of each difference.
fn told(ran: &Ran) -> Vec<(String, String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let document = ran.json();
    let all = document["differences"].as_array().unwrap();
    let mut told: Vec<_> = all
        .iter()
        .map(|it| {
            let fields = it["fields"].as_array().unwrap().iter().map(|field| text(&field["field"])).collect();
            (text(&it["change"]), text(&it["name"]), fields)
        })
        .collect();
    told.sort();
    told
}

fn row(change: &str, name: &str, fields: &[&str]) -> (String, String, Vec<String>) {
    (change.to_owned(), name.to_owned(), fields.iter().map(|field| (*field).to_owned()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_compared_by_what_they_do() {
    let (scene, good) = captured("dns_records").await;
    let all = items(&good, "dns_records");
    let of = |kind: &str| all.iter().find(|item| item["value"]["type"] == kind).unwrap();
    // Made again under another id: the same.
    let again = of("MX");
    let zone = again["seat"]["zone_id"].as_str().unwrap();
    scene.act("DELETE", &format!("/zones/{zone}/dns_records/{}", again["id"].as_str().unwrap()), None);
    scene.act("POST", &format!("/zones/{zone}/dns_records"), Some(again["value"]["image"].clone()));
    // Another target, and no proxy any more.
    let moved = all.iter().find(|item| item["value"]["proxied"] == true && item["value"]["type"] == "A").unwrap();
    let (id, in_zone) = (moved["id"].as_str().unwrap(), moved["seat"]["zone_id"].as_str().unwrap());
    let body = json!({ "content": "203.0.113.66", "proxied": false });
    scene.act("PATCH", &format!("/zones/{in_zone}/dns_records/{id}"), Some(body));
    // Gone, and new.
    let gone = of("TXT");
    let (id, in_zone) = (gone["id"].as_str().unwrap(), gone["seat"]["zone_id"].as_str().unwrap());
    scene.act("DELETE", &format!("/zones/{in_zone}/dns_records/{id}"), None);
    let new = json!({ "type": "NS", "name": "deep", "content": "ns.evil.example", "ttl": 300 });
    scene.act("POST", &format!("/zones/{zone}/dns_records"), Some(new));

    let name = |item: &Value| {
        format!("{} {}", item["value"]["type"].as_str().unwrap(), item["value"]["name"].as_str().unwrap())
    };
    let new_name = format!("NS deep.{}", again["seat"]["name"].as_str().unwrap());
    let expected = [
        row("added", &new_name, &[]),
        row("changed", &name(moved), &["/content", "/proxied"]),
        row("removed", &name(gone), &[]),
    ];
    let ran = scene.run(&["baseline", "diff", "good", "--json"]).expect(0);
    assert_eq!(told(&ran), expected);
    let document = ran.json();
    assert_eq!((&document["added"], &document["removed"], &document["changed"]), (&json!(1), &json!(1), &json!(1)));
    let changed = document["differences"].as_array().unwrap().iter().find(|it| it["change"] == "changed").unwrap();
    assert_eq!(
        changed["fields"][0],
        json!({ "field": "/content", "before": moved["value"]["content"], "after": "203.0.113.66" })
    );
    assert_eq!(changed["fields"][1], json!({ "field": "/proxied", "before": true, "after": false }));

    // Of two baselines it is the same, offline; and the other way round.
    scene.run(&["baseline", "capture", "now", "--only", "dns_records"]).expect(0);
    let offline = |args: &[&str]| crate::scene::ran(&mut scene.bare(args)).expect(0);
    assert_eq!(told(&offline(&["baseline", "diff", "good", "--against", "now", "--json"])), expected);
    let back = told(&offline(&["baseline", "diff", "now", "--against", "good", "--json"]));
    assert_eq!(back[0], row("added", &name(gone), &[]));

    let text = offline(&["baseline", "diff", "good", "--against", "now"]).stdout;
    assert!(
        text.contains("-- DNS records -") && text.ends_with("1 added, 1 removed, 1 changed, in 1 of 1 families\n"),
        "{text}"
    );
    assert!(text.contains("             proxied: true -> false\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(scene.writes().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_compared_by_reference_and_others_by_what_they_are_called() {
    let (scene, good) = captured("zone_rulesets,members,lists,list_items").await;
    let all = items(&good, "zone_rulesets");
    let ruleset = all.iter().find(|item| !item["value"]["order"].as_array().unwrap().is_empty()).unwrap();
    let (id, zone) = (ruleset["id"].as_str().unwrap(), ruleset["seat"]["zone_id"].as_str().unwrap());
    let reference = ruleset["value"]["order"][0].as_str().unwrap();
    let rule = ruleset["value"]["marks"][reference]["id"].as_str().unwrap();
    let mut image = ruleset["value"]["rules"][reference].clone();
    image["enabled"] = false.into();
    image["ref"] = reference.into();
    scene.act("PATCH", &format!("/zones/{zone}/rulesets/{id}/rules/{rule}"), Some(image));
    let list = items(&good, "lists")[0].clone();
    let path = format!("/accounts/{{a}}/rules/lists/{}", list["id"].as_str().unwrap());
    scene.act("DELETE", &path, None);

    let ran = scene.run(&["baseline", "diff", "good", "--json"]).expect(0);
    let told = told(&ran);
    let field = format!("/rules/{reference}/enabled");
    assert!(told.iter().any(|(change, _, fields)| change == "changed" && *fields == [&*field]), "{told:#?}");
    let gone = told.iter().filter(|(change, ..)| change == "removed").count();
    let own = items(&good, "list_items").iter().filter(|item| item["seat"]["parent"] == list["id"]).count();
    assert_eq!((told.len(), gone), (2 + own, 1 + own), "{told:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_seen_on_either_side_is_not_compared() {
    let (scene, good) = captured("zones,dns_records,members").await;
    let zones = items(&good, "zones");
    let (one, other) = (&zones[0], &zones[1]);
    let text = |item: &Value, at: &str| item.pointer(at).unwrap().as_str().unwrap().to_owned();
    for zone in [one, other] {
        let body = json!({ "type": "A", "name": "new", "content": "203.0.113.66", "ttl": 300 });
        scene.act("POST", &format!("/zones/{}/dns_records", text(zone, "/id")), Some(body));
    }
    scene.fault("GET", &format!("*/zones/{}/dns_records?*", text(one, "/id")), 2, FaultKind::Forbidden);
    let ran = scene.run(&["baseline", "diff", "good", "--json"]).expect(16);
    let name = format!("A new.{}", text(other, "/value/name"));
    assert_eq!(told(&ran), [row("added", &name, &[])]);
    let document = ran.json();
    assert_eq!(document["gaps"].as_array().unwrap().len(), 1, "{document:#}");
    assert_eq!(document["gaps"][0]["scope"], text(one, "/value/name"));
    assert!(document["gaps"][0]["reason"].as_str().unwrap().starts_with("in the account: "));

    // Nothing is said to be the same where nothing was seen.
    scene.fault("GET", "/dns_records?", u32::MAX, FaultKind::Forbidden);
    let ran = scene.run(&["baseline", "diff", "good"]).expect(16);
    assert!(ran.stdout.contains("NOT COMPARED, since it could not be seen:"), "{}", ran.stdout);
    for zone in &zones {
        assert!(ran.stdout.contains(&format!("dns_records of {}", text(zone, "/value/name"))), "{}", ran.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_zones_that_were_not_asked_for_nothing_is_said() {
    let (scene, good) = captured("zones,dns_records").await;
    let zones = items(&good, "zones");
    let text = |item: &Value, at: &str| item.pointer(at).unwrap().as_str().unwrap().to_owned();
    for zone in &zones {
        let body = json!({ "type": "A", "name": "new", "content": "203.0.113.66", "ttl": 300 });
        scene.act("POST", &format!("/zones/{}/dns_records", text(zone, "/id")), Some(body));
    }
    let name = text(&zones[0], "/value/name");
    let ran = scene.run(&["baseline", "diff", "good", "--zones", &name, "--json"]).expect(0);
    assert_eq!(told(&ran), [row("added", &format!("A new.{name}"), &[])]);
    let said = ran.json()["not_examined"][0].as_str().unwrap().to_owned();
    assert_eq!(said, format!("zones other than {name}: the account does not hold them"));
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_act_on_no_terminal() {
    let (scene, good) = captured("dns_records,lists").await;
    let (_, zone) = record(
        &good,
        "MX",
        items(&good, "dns_records").iter().find(|it| it["value"]["type"] == "MX").unwrap()["value"]["name"]
            .as_str()
            .unwrap(),
    );
    let body = json!({ "type": "TXT", "name": "x", "content": "\u{1b}[2J\u{202e}evil\u{9b}31m\u{7}", "ttl": 300 });
    scene.act("POST", &format!("/zones/{zone}/dns_records"), Some(body));
    let body = json!({ "name": "evil_list", "kind": "ip", "description": "\u{1b}]0;owned\u{7}\r\nfake line" });
    scene.act("POST", "/accounts/{a}/rules/lists", Some(body));
    let ran = scene.run(&["baseline", "diff", "good"]).expect(0);
    assert!(ran.stdout.contains("2 added, 0 removed, 0 changed"), "{}", ran.stdout);
    for control in ['\u{1b}', '\u{202e}', '\u{9b}', '\u{7}', '\r'] {
        assert!(!ran.stdout.contains(control) && !ran.stderr.contains(control), "{control:?}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("\nfake line"), "{}", ran.stdout);
}
