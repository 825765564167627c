//! Another version of quell than the one that began the run: the journal is made to say so.

use std::fs;

use quell::model::Digest;
use serde_json::{Value, json};

use super::super::plain::step;
use super::{amended, refused, resting, resume, three};
use crate::language::DONE;
use crate::scene::Scene;

/// Two steps by hand, and a third that waits.
fn waiting() -> String {
    let by_hand = crate::language::by_hand("steps", "three", "do it at {{inputs.late}}", "");
    three().replace(&by_hand, "").replace("[inputs.late]\ntype = \"string\"\ndefault = \"dusk\"\n", "")
        + &step("three", "wait", "for = \"1s\"")
}

/// Writes the journal anew with `change` made to each event, as another version would have written it.
fn rewrite(scene: &Scene, change: impl Fn(&mut Value)) {
    let mut entries = scene.journal();
    let mut text = String::new();
    for entry in &mut entries {
        change(&mut entry["event"]);
        if let Some(line) = text.lines().last() {
            entry["prev"] = json!(Digest::of(line.as_bytes()));
        }
        text += &format!("{entry}\n");
    }
    fs::write(scene.incident().join("journal.jsonl"), text).unwrap();
}

/// Makes the run one that quell 0.0.9 began, in which `action` had version 9.
fn age(scene: &Scene, action: &str) {
    let other = "f".repeat(64);
    let path = scene.incident().join("plan-r1.json");
    rewrite(scene, |event| match event["type"].as_str() {
        Some("incident_opened") => event["tool"] = json!("0.0.9"),
        Some("plan_sealed") if !action.is_empty() => {
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text.replace(event["digest"].as_str().unwrap(), &other)).unwrap();
            event["digest"] = json!(other);
            event["actions"][action] = json!(9);
        }
        _ => {}
    });
    scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_that_plans_the_same_is_shown() {
    let scene = resting(&waiting()).await;
    age(&scene, "");
    let told = resume(&scene, &[]).expect(0).stderr;
    let now = env!("CARGO_PKG_VERSION");
    assert!(told.contains(&format!("{now} goes on with what 0.0.9 drove")), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_of_an_action_is_refused_or_accepted_where_it_has_not_begun() {
    let now = env!("CARGO_PKG_VERSION");
    let version = |action: &str| format!("the action `{action}` has another version in quell {now}: 9 before, 1 now");
    let scene = resting(&waiting()).await;
    age(&scene, "manual");
    let told = refused(&scene, &[], &version("manual")).stderr;
    assert!(told.contains("resume with quell 0.0.9"), "{told}");
    let under_way = "the step `two` is under way, and its action `manual` has another version: 9 before, 1 now";
    refused(&scene, &["--accept", "newer"], under_way);

    let scene = resting(&waiting()).await;
    age(&scene, "wait");
    refused(&scene, &[], &version("wait"));
    scene.write("answers.toml", &format!("[steps.two]\n{DONE}"));
    resume(&scene, &["--accept", "the old one is gone"]).expect(0);
    assert_eq!(amended(&scene)[0]["changes"], json!([version("wait")]));
    assert_eq!(amended(&scene)[0]["plan"]["actions"], json!({ "manual": 1, "wait": 1 }));
    scene.run(&["verify"]).expect(0);
}
