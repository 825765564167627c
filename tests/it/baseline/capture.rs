//! What a capture holds.

use std::collections::BTreeSet;

use quell::cloudflare::families::families;
use quell::cloudflare::simulator::canaries;
use quell::model::Digest;
use quell::simulator::FaultKind;
use serde_json::json;

use super::{captured, items, lines, manifest};
use crate::scene::{Scene, files};

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_held_once_and_no_secret_and_the_next_capture_is_the_same() {
    let scene = Scene::new().await;
    let ran = scene.run(&["baseline", "capture", "good", "--json"]).expect(0);
    let good = scene.path("good");
    let (told, held) = (ran.json(), manifest(&good));
    assert_eq!(
        (&told["schema"], &told["partial"], &told["gaps"]),
        (&json!("quell.baseline.capture/1"), &json!(null), &json!([]))
    );
    assert_eq!(held["zones"], "all");

    let names: BTreeSet<String> = families().map(|family| family.name.to_owned()).collect();
    let written: BTreeSet<String> =
        lines(&good).iter().map(|(path, _)| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(written, names);
    let mut total = 0;
    for (path, bytes) in lines(&good) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        let of = &held["families"][name];
        assert_eq!(of["sha256"], Digest::of(&bytes).as_str(), "{name}");
        assert_eq!(of["items"], text.lines().count() as u64, "{name}");
        total += text.lines().count() as u64;
        let all: BTreeSet<&str> = text.lines().collect();
        assert_eq!(all.len(), text.lines().count(), "{name} holds something twice");
    }
    assert_eq!(told["items"], total);
    for zone in items(&good, "zones") {
        let id = zone["id"].as_str().unwrap();
        assert!(items(&good, "dns_records").iter().any(|record| record["seat"]["zone_id"] == id), "{zone}");
    }

    let secrets = canaries(&scene.scenario);
    for (path, bytes) in files(&good) {
        let text = String::from_utf8(bytes).unwrap();
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{}", path.display());
        assert!(!text.contains("CANARY"), "{}", path.display());
    }
    assert_eq!(scene.writes().len(), 0);

    // Of one zone, since all of it three times is more than five minutes allow, and the client would wait.
    let zone = items(&good, "zones")[0]["value"]["name"].as_str().unwrap().to_owned();
    scene.run(&["baseline", "capture", "one", "--zones", &zone]).expect(0);
    let one = scene.path("one");
    let before = lines(&one);
    scene.run(&["baseline", "capture", "one", "--zones", &zone]).expect(0);
    assert_eq!(lines(&one), before);
    assert!(!one.join(".partial").exists());
    let diff = scene.run(&["baseline", "diff", "one"]).expect(0);
    assert_eq!(diff.stdout, format!("nothing differs in what was compared: {} families\n", names.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_seen_is_named_and_kept() {
    let (scene, good) = captured("zones").await;
    let zone = items(&good, "zones")[1].clone();
    let (id, name) = (zone["id"].as_str().unwrap(), zone["value"]["name"].as_str().unwrap());
    scene.fault("GET", &format!("*/zones/{id}/dns_records?*"), u32::MAX, FaultKind::Forbidden);
    let ran = scene.run(&["baseline", "capture", "good", "--only", "zones,dns_records", "--json"]).expect(16);
    let gaps = ran.json()["gaps"].clone();
    assert_eq!(gaps.as_array().unwrap().len(), 1, "{gaps:#}");
    assert_eq!(
        (&gaps[0]["family"], &gaps[0]["scope"], &gaps[0]["permission"]),
        (&json!("dns_records"), &json!(name), &json!("DNS Read"))
    );
    assert!(ran.stderr.contains("what was not seen stands in the manifest"), "{}", ran.stderr);
    assert_eq!(manifest(&good)["families"]["dns_records"]["gaps"], gaps);
    let shown = scene.run(&["baseline", "show", "good"]).expect(0).stdout;
    assert!(shown.contains("not seen   dns_records of ") && shown.contains("needs `DNS"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_zones_that_is_refused_leaves_the_account_and_says_so() {
    let scene = Scene::new().await;
    scene.fault("GET", "/zones?", u32::MAX, FaultKind::Forbidden);
    let ran = scene.run(&["baseline", "capture", "good", "--only", "members,dns_records", "--json"]).expect(16);
    let told = ran.json();
    assert_eq!(told["gaps"][0]["family"], "zones");
    assert!(told["items"].as_u64().unwrap() > 0);
    assert_eq!(items(&scene.path("good"), "dns_records").len(), 0);
    // What is not known is no record that is gone.
    let ran = scene.run(&["baseline", "diff", "good"]).expect(16);
    assert!(ran.stdout.contains("nothing differs in what was compared: 2 families"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("NOT COMPARED") && ran.stdout.contains("zones of account: in the baseline: "),
        "{}",
        ran.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_narrows_to_zones_and_families_that_there_are() {
    let (scene, good) = captured("zones").await;
    let name = items(&good, "zones")[0]["value"]["name"].as_str().unwrap().to_owned();
    scene.run(&["baseline", "capture", "some", "--only", "dns_records,members", "--zones", &name]).expect(0);
    let some = scene.path("some");
    assert!(items(&some, "dns_records").iter().all(|item| item["seat"]["name"] == *name));
    assert!(!items(&some, "dns_records").is_empty() && !items(&some, "members").is_empty());
    assert_eq!(manifest(&some)["zones"], json!({ "asked": [name] }));
    let ran = scene.run(&["baseline", "capture", "x", "--zones", &format!("{name}x")]).expect(2);
    assert!(ran.stderr.contains(&format!("did you mean `{name}`?")), "{}", ran.stderr);
    let ran = scene.run(&["baseline", "capture", "x", "--only", "dns_record"]).expect(2);
    assert!(ran.stderr.contains("did you mean `dns_records`?"), "{}", ran.stderr);
    assert!(!scene.path("x").exists());
    // With what they belong to.
    scene.run(&["baseline", "capture", "x", "--only", "list_items"]).expect(0);
    assert_eq!((items(&scene.path("x"), "lists").len(), items(&scene.path("x"), "list_items").len()), (2, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_files_in_the_directory_stay_and_those_of_a_former_baseline_go() {
    let (scene, good) = captured("members,roles").await;
    std::fs::write(good.join("README.md"), "ours").unwrap();
    std::fs::create_dir(good.join(".git")).unwrap();
    scene.run(&["baseline", "capture", "good", "--only", "members"]).expect(0);
    let mut names: Vec<_> =
        std::fs::read_dir(&good).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, [".git", "README.md", "manifest.json", "members.jsonl"]);
}
