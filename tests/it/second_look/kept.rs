//! A snapshot is kept beside the evidence, survives a kill, and says where it is not whole.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use quell::model::Digest;
use quell::simulator::FaultKind;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{Account, ZONE};
use crate::scene::Scene;
use crate::stage::Stage;

const RUNBOOK: &str = r#"
schema = 1
name   = "keep"
title  = "Keep what is there"

[[steps]]
id     = "keep-state"
phase  = "identify"
title  = "Keep the account as it is"
action = "cloudflare.snapshot"
with   = { families = ["dns_records", "members", "lists", "list_items"] }
"#;

/// What the step said in the end.
fn output(scene: &Scene) -> Value {
    let journal = scene.journal();
    let done = journal.iter().rfind(|entry| entry["path"] == "keep-state" && entry["event"]["type"] == "step_done");
    done.unwrap()["event"]["output"]["inline"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_snapshot_goes_on_where_it_was_and_is_bound_to_the_journal() {
    let scene = Scene::new().await;
    let runbook = scene.write("keep.toml", RUNBOOK).display().to_string();
    // The records of one zone never come.
    let zones = scene.run(&["baseline", "capture", "zones", "--only", "zones"]).expect(0);
    assert!(!zones.stdout.is_empty());
    let all = std::fs::read_to_string(scene.path("zones/zones.jsonl")).unwrap();
    let zone: Value = serde_json::from_str(all.lines().next().unwrap()).unwrap();
    let stuck = zone["id"].as_str().unwrap();
    scene.fault("GET", &format!("*/zones/{stuck}/dns_records?*"), 1, FaultKind::Hang);
    let answers = scene.write("answers.toml", "").display().to_string();
    let mut command = scene.command(&["run", &runbook, "--answers", &answers]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = std::time::Instant::now();
    // Members, lists with their items, and the records of the other three zones are read.
    let read = || {
        let dir = scene.state_dir();
        let incidents = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let ledgers = incidents.map(|it| it.path().join("snapshots/r1/keep-state/.partial/stage/ended.1.jsonl"));
        ledgers.filter_map(|path| std::fs::read_to_string(path).ok()).map(|text| text.lines().count()).sum::<usize>()
    };
    while read() < 1 + 1 + 1 + 2 + 3 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} lists", read());
        std::thread::sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::KILL).unwrap();
    child.wait().unwrap();

    let before = scene.simulator.requests().len();
    scene.run(&["resume", "--answers", &answers]).expect(0);
    let arrived = scene.simulator.requests().split_off(before);
    let of = |part: &str| arrived.iter().filter(|request| request.path.contains(part)).count();
    assert_eq!((of("/dns_records"), of("/members"), of("/rules/lists")), (1, 0, 0), "{arrived:#?}");

    let kept = output(&scene);
    let dir = kept["dir"].as_str().unwrap();
    assert_eq!(Path::new(dir), scene.incident().join("snapshots/r1/keep-state"));
    assert_eq!(kept["partial"], Value::Null);
    let manifest = std::fs::read(Path::new(dir).join("manifest.json")).unwrap();
    // The journal names the manifest, which names the digests of all files.
    assert_eq!(kept["manifest"], Digest::of(&manifest).as_str());
    let named = scene.journal().iter().any(|entry| entry["event"]["evidence"]["sha256"] == kept["manifest"]);
    assert!(named, "the manifest is no evidence");
    assert!(scene.incident().join("evidence").join(kept["manifest"].as_str().unwrap()).is_file());
    let shown = scene.run(&["baseline", "show", dir]).expect(0).stdout;
    assert!(shown.contains("dns_records") && !shown.contains("PARTIAL"), "{shown}");
    // It is a baseline like any other, and as the account is.
    scene.run(&["baseline", "diff", dir]).expect(0);
    scene.run(&["verify"]).expect(0);
}

#[tokio::test]
async fn when_the_time_is_over_what_was_read_is_marked_partial_and_the_rest_is_a_gap() {
    let account = Account::new().await;
    let with = json!({ "families": ["dns_records", "members"], "within": "0s" });
    let seen = account.plan("cloudflare.snapshot", with).await.unwrap();
    let output = &seen.plan.output;
    assert_eq!(output["partial"], "it was interrupted");
    assert!(output["dir"].as_str().unwrap().ends_with("/.partial"), "{output}");
    assert!(seen.plan.summary.contains("PARTIAL"), "{}", seen.plan.summary);
    let mut missing: Vec<&str> = seen.gaps.iter().map(|gap| gap.family.as_str()).collect();
    missing.dedup();
    assert_eq!(missing, ["dns_records", "members"], "{:?}", seen.gaps);
    assert!(seen.gaps.iter().all(|gap| gap.reason.contains("not read yet")), "{:?}", seen.gaps);
    // The same step again goes on, and is whole.
    let with = json!({ "families": ["dns_records", "members"] });
    let seen = account.plan("cloudflare.snapshot", with).await.unwrap();
    assert_eq!(
        (&seen.plan.output["partial"], &seen.plan.output["families"], seen.gaps.len()),
        (&Value::Null, &2.into(), 0)
    );
}

#[tokio::test]
async fn what_is_refused_is_a_gap_and_a_look_that_keeps_nothing_names_no_place() {
    let stage = Stage::new().await;
    stage.fault("GET", "/members", 0, FaultKind::Forbidden);
    let with = json!({ "zones": [ZONE], "families": ["dns_records", "members"] });
    let seen = stage.plan("cloudflare.snapshot", with).await.unwrap();
    assert_eq!((&seen.plan.output["dir"], &seen.plan.output["families"]), (&Value::Null, &1.into()));
    assert_eq!(seen.gaps.len(), 1, "{:?}", seen.gaps);
    assert_eq!(seen.gaps[0].family, "members");
    let missing = stage.plan("cloudflare.snapshot", json!({ "zones": ["no.example"] })).await.map(|_| ()).unwrap_err();
    assert!(missing.message.contains("no zone `no.example`"), "{missing}");
}
