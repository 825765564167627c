//! The process is killed at every point there is; the next one goes on. No effect twice without a new consent, none
//! lost, no rolled secret lost, the same account in the end.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::Value;

use crate::scene::{Ran, ran};
use crate::spine::Spine;

/// Entries before the plan is fixed: a crash there leaves an incident in which nothing was sent.
const BEFORE_PLAN: usize = 4;

fn crash(spine: &Spine, answers: &str, point: &str) -> Ran {
    let mut command = spine.scene.command(&["run", "spine.toml", "--answers", answers, "--json"]);
    ran(command.env("QUELL_CRASH_AT", point))
}

/// What the account looks like to those who rely on it.
fn account(spine: &Spine) -> BTreeMap<String, String> {
    let digest = spine.scene.account();
    let tokens = digest["tokens"].as_array().unwrap_or_else(|| panic!("{digest:#}"));
    tokens.iter().map(|token| (token["id"].as_str().unwrap().to_owned(), token["status"].to_string())).collect()
}

fn check(spine: &Spine, answers: &str, point: &str, reference: &BTreeMap<String, String>) {
    let resumed = spine.resume(answers);
    assert_eq!(resumed.code, 0, "{point}: {}\n{}", resumed.stderr, resumed.stdout);
    let document = resumed.json();
    assert_eq!(document["outcome"], "done", "{point}");
    assert_eq!(account(spine), *reference, "{point}");

    let journal = spine.scene.journal();
    let events = |kind: &str| journal.iter().filter(|entry| entry["event"]["type"] == kind).collect::<Vec<_>>();
    // Every request that arrived has an intent of its own, and every further intent a consent of its own.
    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    for write in spine.scene.writes() {
        *arrived.entry(format!("{} {}", write.method, write.path)).or_default() += 1;
    }
    let mut intended: BTreeMap<String, usize> = BTreeMap::new();
    let mut calls: BTreeMap<String, String> = BTreeMap::new();
    for entry in events("proposed") {
        for effect in entry["event"]["effects"].as_array().unwrap() {
            let call =
                format!("{} {}", effect["call"]["method"].as_str().unwrap(), effect["call"]["path"].as_str().unwrap());
            calls.insert(effect["key"].as_str().unwrap().to_owned(), call);
        }
    }
    let mut consented: BTreeMap<String, usize> = BTreeMap::new();
    for entry in events("consented") {
        for consent in entry["event"]["effects"].as_array().unwrap() {
            *consented.entry(calls[consent["effect"].as_str().unwrap()].clone()).or_default() += 1;
        }
    }
    for entry in events("intended") {
        *intended.entry(calls[entry["event"]["effect"].as_str().unwrap()].clone()).or_default() += 1;
    }
    for (call, times) in &arrived {
        assert!(times <= &intended[call], "{point}: {call} arrived {times} times, intended {intended:?}");
    }
    for (call, times) in &intended {
        assert!(times <= &consented[call], "{point}: {call} was intended {times} times, consented {consented:?}");
    }
    // The newest secret of each rolled token is in the vault, and works.
    for id in &spine.rolled {
        let revealed = spine.scene.run(&["secrets", "reveal", id, document["incident"].as_str().unwrap()]).expect(0);
        let secret = revealed.stdout.trim().to_owned();
        let url = format!(
            "{}/accounts/{}/tokens/verify",
            spine.scene.simulator.base_url(),
            spine.scene.scenario.cast.account_id
        );
        let status = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = reqwest::Client::builder().no_proxy().build().unwrap();
                client.get(url).bearer_auth(secret).send().await.unwrap().status().as_u16()
            })
        });
        assert_eq!(status.join().unwrap(), 200, "{point}: the sealed secret of {id} does not work");
    }
    spine.scene.run(&["verify", document["incident"].as_str().unwrap()]).expect(0);
}

/// Answers by which everything is done, and a roll in doubt is rolled again.
fn answers(spine: &Spine) -> String {
    spine.answers("[defaults]\nin_doubt = \"retry\"\n")
}

async fn battery(points: impl Iterator<Item = String>, torn: bool) {
    let reference = {
        let spine = Spine::new().await;
        spine.run(&answers(&spine)).expect(0);
        account(&spine)
    };
    for point in points {
        let spine = Spine::new().await;
        let answers = answers(&spine);
        let crashed = crash(&spine, &answers, &point);
        assert_eq!(crashed.code, -1, "{point} was never reached: {}", crashed.stderr);
        if torn {
            let path = spine.scene.incident().join("journal.jsonl");
            let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(br#"{"v":0,"seq":99,"at":"2026-11-2"#).unwrap();
        }
        check(&spine, &answers, &point, &reference);
    }
}

async fn entries() -> usize {
    let spine = Spine::new().await;
    spine.run(&answers(&spine)).expect(0);
    spine.scene.journal().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_every_entry_of_the_first_half() {
    let half = entries().await / 2;
    battery((BEFORE_PLAN..half).map(|nth| format!("after-append:{nth}")), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_every_entry_of_the_second_half() {
    let all = entries().await;
    // The first entry is written before there is a file to append to; after the last there is nothing to resume.
    battery((all / 2..all - 1).map(|nth| format!("after-append:{nth}")), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_around_every_request() {
    let points = ["before-intent", "after-intent", "before-send", "after-send"];
    battery(points.iter().flat_map(|point| (1..=4).map(move |nth| format!("{point}:{nth}"))), false).await;
    battery((1..=2).map(|nth| format!("after-seal:{nth}")), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_inside_the_last_line() {
    battery(
        ["after-append:6", "after-intent:1", "after-send:2", "after-seal:1", "after-append:20"]
            .into_iter()
            .map(str::to_owned),
        true,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_plan_is_fixed_nothing_was_sent() {
    for nth in 1..BEFORE_PLAN - 1 {
        let spine = Spine::new().await;
        let answers = answers(&spine);
        assert_eq!(crash(&spine, &answers, &format!("after-append:{nth}")).code, -1);
        let resumed = spine.resume(&answers).expect(2);
        assert!(resumed.stderr.contains("nothing was sent"), "{}", resumed.stderr);
        assert!(spine.scene.writes().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_driver_is_refused_and_a_note_is_not() {
    let spine = Spine::new().await;
    let suspect = spine.scene.scenario.cast.suspect_token_id.clone();
    spine.scene.fault("PUT", &suspect, 1, quell::simulator::FaultKind::Hang);
    let answers = spine.answers("");
    let mut driving = spine.scene.command(&["run", "spine.toml", "--answers", &answers]).spawn().unwrap();
    while spine.scene.writes().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let second = spine.resume(&answers).expect(14);
    assert!(second.stderr.contains("is being driven by process"), "{}", second.stderr);
    spine.scene.run(&["note", "seen from another terminal"]).expect(0);
    driving.kill().unwrap();
    driving.wait().unwrap();
    // The kernel has freed the lock; the effect is in doubt and is looked at, and it did not take place.
    let document = spine.resume(&answers).expect(13).json();
    assert_eq!(document["outcome"], "paused");
    let notes = spine
        .scene
        .journal()
        .iter()
        .filter(|entry: &&Value| entry["event"]["text"] == "seen from another terminal")
        .count();
    assert_eq!(notes, 1);
}
