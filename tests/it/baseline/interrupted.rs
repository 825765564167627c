//! A capture that is stopped, killed, or cut off, and the next one.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use quell::simulator::FaultKind;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::{captured, items, lines, manifest};
use crate::scene::{Scene, files, ran};

const ONLY: &str = "zones,dns_records,members,lists,list_items";
const CAPTURE: &[&str] = &["baseline", "capture", "good", "--only", ONLY];

/// Begins a capture that waits for ever for the records of one zone, and returns once all else is read.
fn stuck(scene: &Scene, zone: &str) -> Child {
    scene.fault("GET", &format!("*/zones/{zone}/dns_records?*"), 1, FaultKind::Hang);
    let before = scene.simulator.requests().len();
    let mut command = scene.command(CAPTURE);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let ledger = scene.path("good").join(".partial/stage/ended.1.jsonl");
    // All lists but the one that hangs: zones, members, lists with their items, records of three zones.
    let ended = |path: &Path| std::fs::read_to_string(path).map_or(0, |text| text.lines().count());
    let begun = std::time::Instant::now();
    while ended(&ledger) < 1 + 1 + 1 + 1 + 2 + 3 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", scene.simulator.requests().split_off(before));
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
}

/// The account with a baseline that a colleague has changed since, and what the changed one holds.
async fn scene() -> (Scene, String, Vec<(std::path::PathBuf, Vec<u8>)>) {
    let (scene, good) = captured(ONLY).await;
    let zone = items(&good, "zones")[0]["id"].as_str().unwrap().to_owned();
    let body = json!({ "type": "A", "name": "new", "content": "203.0.113.66", "ttl": 300 });
    scene.act("POST", &format!("/zones/{zone}/dns_records"), Some(body));
    let former = files(&good);
    (scene, zone, former)
}

/// Goes on, and sees that only what was missing is read, and that the whole is as if it had been read at once.
fn goes_on(scene: &Scene) {
    let before = scene.simulator.requests().len();
    let said = scene.run(CAPTURE).expect(0);
    assert!(said.stderr.contains("goes on with the capture that was begun at"), "{}", said.stderr);
    let arrived = scene.simulator.requests().split_off(before);
    let of = |part: &str| arrived.iter().filter(|request| request.path.contains(part)).count();
    assert_eq!((of("/dns_records"), of("/members"), of("/rules/lists")), (1, 0, 0), "{arrived:#?}");
    let good = scene.path("good");
    assert!(!good.join(".partial").exists());
    scene.run(&["baseline", "capture", "fresh", "--only", ONLY]).expect(0);
    let bare = |dir: &Path| {
        lines(dir).into_iter().map(|(path, bytes)| (path.file_name().unwrap().to_owned(), bytes)).collect::<Vec<_>>()
    };
    assert_eq!(bare(&good), bare(&scene.path("fresh")));
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_keeps_what_was_read_and_the_next_capture_goes_on() {
    let (scene, zone, former) = scene().await;
    let child = stuck(&scene, &zone);
    signal(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(130), "{stdout}\n{stderr}");
    assert!(stderr.contains("PARTIAL: it was interrupted") && stderr.contains("not read yet"), "{stderr}");

    // The former baseline stands as it was, beside what was read.
    let good = scene.path("good");
    for (path, bytes) in &former {
        assert_eq!(&std::fs::read(path).unwrap(), bytes, "{}", path.display());
    }
    let partial = good.join(".partial");
    assert_eq!(manifest(&partial)["partial"], "it was interrupted");
    let unread = manifest(&partial)["families"]["dns_records"]["unread"].clone();
    assert_eq!(unread.as_array().unwrap().len(), 1, "{unread}");
    assert_eq!(std::fs::read_to_string(partial.join(".gitignore")).unwrap(), "*\n");
    let shown = scene.run(&["baseline", "show", "good/.partial"]).expect(0).stdout;
    assert!(shown.contains("PARTIAL: it was interrupted") && shown.contains("not read yet"), "{shown}");
    // What was not read is not compared.
    let diff = ran(&mut scene.bare(&["baseline", "diff", "good", "--against", "good/.partial", "--json"])).expect(16);
    assert_eq!(diff.json()["differences"], json!([]));
    assert_eq!(diff.json()["gaps"].as_array().unwrap().len(), 1);
    goes_on(&scene);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_capture_loses_no_list_that_was_read() {
    let (scene, zone, former) = scene().await;
    let mut child = stuck(&scene, &zone);
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    for (path, bytes) in &former {
        assert_eq!(&std::fs::read(path).unwrap(), bytes, "{}", path.display());
    }
    // A power cut tore the last lines off, and lost what was read of the members.
    let stage = scene.path("good/.partial/stage");
    let ended = stage.join("ended.1.jsonl");
    let mut text = std::fs::read(&ended).unwrap();
    text.extend(b"{\"place\":{\"family\":\"dns_re");
    std::fs::write(&ended, text).unwrap();
    goes_on(&scene);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_whose_items_were_lost_is_read_again() {
    let (scene, zone, _) = scene().await;
    let mut child = stuck(&scene, &zone);
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    let file = scene.path("good/.partial/stage/members.1.items.jsonl");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 7]).unwrap();
    let before = scene.simulator.requests().len();
    scene.run(CAPTURE).expect(0);
    let arrived = scene.simulator.requests().split_off(before);
    assert_eq!(arrived.iter().filter(|request| request.path.contains("/members")).count(), 1, "{arrived:#?}");
    scene.run(&["baseline", "diff", "good"]).expect(0);
    assert_eq!(items(&scene.path("good"), "members").len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_subject_begins_anew() {
    let (scene, zone, _) = scene().await;
    let child = stuck(&scene, &zone);
    signal(&child, Signal::INT);
    child.wait_with_output().unwrap();
    let said = scene.run(&["baseline", "capture", "good", "--only", "members"]).expect(0);
    assert!(!said.stderr.contains("goes on with"), "{}", said.stderr);
    assert_eq!(lines(&scene.path("good")).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_captures_into_one_place_do_not_meet() {
    let (scene, zone, _) = scene().await;
    let child = stuck(&scene, &zone);
    let said = scene.run(CAPTURE).expect(2);
    assert!(said.stderr.contains("another capture is at work in good"), "{}", said.stderr);
    signal(&child, Signal::INT);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_is_put_in_place_it_is_told_and_the_next_capture_ends_it() {
    let (scene, _, _) = scene().await;
    let died = ran(scene.command(CAPTURE).env("QUELL_CRASH_AT", "baseline_put:1"));
    assert_eq!(died.code, -1, "{died:#?}");
    let said = scene.run(&["baseline", "diff", "good"]).expect(2);
    assert!(said.stderr.contains("is not as its manifest says") && said.stdout.is_empty(), "{said:#?}");
    scene.run(&["baseline", "show", "good"]).expect(2);
    let before = scene.simulator.requests().len();
    scene.run(CAPTURE).expect(0);
    let arrived = scene.simulator.requests().split_off(before);
    assert!(!arrived.iter().any(|request| request.path.contains("dns_records")), "{arrived:#?}");
    scene.run(&["baseline", "diff", "good"]).expect(0);
    let all = items(&scene.path("good"), "dns_records");
    assert!(all.iter().any(|item| item["value"]["content"] == "203.0.113.66"));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_credential_dies_on_the_way_what_was_read_is_kept() {
    let scene = Scene::new().await;
    // Connecting and the list of zones go through; then every list is refused as to nobody.
    let token = scene.scenario.cast.responder_token_id.clone();
    scene.fault("GET", "/dns_records?", 1, FaultKind::Slow(Duration::from_millis(300)));
    let child =
        scene.command(&["baseline", "capture", "good"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = std::time::Instant::now();
    while !scene.simulator.requests().iter().any(|request| request.path.contains("/members")) {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    scene.act("DELETE", &format!("/user/tokens/{token}"), None);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(16), "{stderr}");
    assert!(stderr.contains("PARTIAL: the API refused the credential"), "{stderr}");
    assert!(!scene.path("good/manifest.json").exists() && scene.path("good/.partial/manifest.json").exists());
    let said = scene.run(&["baseline", "diff", "good"]).expect(2);
    assert!(said.stderr.contains("was interrupted, and there is no baseline from before it"), "{}", said.stderr);
}
