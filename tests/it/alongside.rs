//! What goes on beside the steps of a run: who does what, the clocks, what people write down.

use std::time::Duration;

use quell::simulator::FaultKind;
use serde_json::{Value, json};

use crate::scene::Scene;
use crate::spine::Spine;
use crate::terminal::typist::Typist;

/// A runbook that asks for consent to one change, with clocks.
const CLOCKS: &str = r#"
schema = 1
name   = "clocks"
title  = "Clocks"
target = "10m"
update_every = "30m"

[inputs.detected_at]
type       = "timestamp"
prompt     = "When?"
unknown_ok = true

[inputs.commander]
type   = "string"
prompt = "Who decides?"

[[steps]]
id     = "cut"
phase  = "contain"
title  = "Cut"
action = "decide"
with   = { question = "Cut now?", options = [{ id = "yes", title = "yes" }, { id = "no", title = "no" }] }

[[steps]]
id     = "after"
phase  = "recover"
title  = "After"
action = "decide"
with   = { question = "Well?", options = [{ id = "yes", title = "yes" }, { id = "no", title = "no" }] }
"#;

async fn clocks(every: &str) -> Scene {
    let scene = Scene::new().await;
    scene.write("clocks.toml", &CLOCKS.replace("30m", every));
    scene
}

fn opened(scene: &Scene) -> Value {
    let journal = scene.journal();
    journal.iter().rfind(|entry| entry["event"]["type"] == "run_opened").unwrap()["event"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_who_stands_on_the_entries_and_in_the_report() {
    let spine = Spine::new().await;
    let suspect = &spine.scene.scenario.cast.suspect_token_id;
    let unanswered =
        spine.scene.write("none.toml", &format!("[inputs]\nsuspect = \"{suspect}\"\n")).display().to_string();
    let roles = "commander=Maya Lindqvist,scribe=Tester";
    let args = ["run", "spine.toml", "--answers", &unanswered, "--roles", roles, "--json"];
    let ran = spine.scene.run(&args).expect(11);
    assert!(ran.stderr.contains("roles      commander Maya Lindqvist, scribe Tester"), "{}", ran.stderr);
    let document = ran.json();
    assert_eq!(document["roles"], json!({ "commander": "Maya Lindqvist", "scribe": "Tester" }));
    // The operator of the scene is `tester`: what the run's roles give to that name holds for every entry.
    assert!(spine.scene.journal().iter().all(|entry| entry["role"] == "scribe"));

    // Another person's note bears another role; what is said on the spot goes before what the run says.
    let note = |operator: &str, role: Option<&str>, words: &str| {
        let mut command = spine.scene.command(&["note", words]);
        command.env("QUELL_OPERATOR", operator);
        role.map(|role| command.env("QUELL_ROLE", role));
        crate::scene::ran(&mut command).expect(0);
    };
    note("maya lindqvist", None, "one");
    note("tester", Some("approver"), "two");
    note("Jonas", None, "three");
    spine.scene.run(&["decide", "four"]).expect(0);
    let journal = spine.scene.journal();
    let written: Vec<&Value> =
        journal.iter().filter(|entry| entry["event"]["type"] == "noted").map(|entry| &entry["role"]).collect();
    assert_eq!(written, [&json!("commander"), &json!("approver"), &Value::Null, &json!("scribe")]);

    let status = spine.scene.run(&["status"]).expect(0).stdout;
    assert!(status.contains("commander Maya Lindqvist, scribe Tester\n"), "{status}");
    spine.scene.run(&["report"]).expect(0);
    let report = std::fs::read_to_string(spine.scene.incident().join("report.md")).unwrap();
    let people = "| People | Jonas, maya lindqvist \\(commander\\), tester \\(scribe, approver\\) |";
    assert!(report.contains(people), "{report}");
    assert!(report.contains("| responder | maya lindqvist \\(commander\\) | note: one |"), "{report}");
    let decided = report.lines().find(|line| line.contains("| four |")).unwrap();
    assert!(decided.contains("| tester \\(scribe\\) |"), "{decided}");

    // Resumed, the roles are those of the run; another run of the incident inherits them.
    let answers = spine.answers("");
    spine.resume(&answers).expect(0);
    let id = document["incident"].as_str().unwrap();
    spine.scene.run(&["run", "spine.toml", "--incident", id, "--answers", &unanswered, "--roles", "approver=Ann"]);
    let wanted = json!({ "approver": "Ann", "commander": "Maya Lindqvist", "scribe": "Tester" });
    assert_eq!(opened(&spine.scene)["roles"], wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_the_start_answers_the_runbooks_questions() {
    let scene = clocks("30m").await;
    let answers = scene.write("answers.toml", "[defaults]\nfields = {}\n").display().to_string();
    let run = |more: &[&str]| scene.run(&[&["run", "clocks.toml", "--answers", &answers, "--json"], more].concat());
    let document = run(&["--detected", "2026-01-02 03:04Z", "--roles", "commander=Maya"]).expect(11).json();
    assert_eq!(document["detected_at"], "2026-01-02T03:04:00Z");
    let journal = scene.journal();
    let sealed = journal.iter().find(|entry| entry["event"]["type"] == "plan_sealed").unwrap();
    let inputs = &sealed["event"]["inputs"];
    assert_eq!((&inputs["detected_at"], &inputs["commander"]), (&json!("2026-01-02T03:04:00Z"), &json!("Maya")));

    // And the other way round: what the runbook asks for is known of the run.
    std::fs::remove_dir_all(scene.state_dir()).unwrap();
    let document = run(&["--set", "detected_at=20m ago", "--set", "commander=Maya"]).expect(11).json();
    assert!(document["detected_at"].is_string() && document["roles"]["commander"] == "Maya", "{document}");
    let status = scene.run(&["status"]).expect(0).stdout;
    assert!(status.contains("; detected 20 min ago; 9 min left of 10 min to contain\n"), "{status}");
    assert_eq!(opened(&scene)["update_seconds"], 1800);
    let due = scene.run(&["status", "--json"]).json()["update_due"].as_str().unwrap().to_owned();
    scene.run(&["update", "told the board"]).expect(0);
    let later = scene.run(&["status", "--json"]).json()["update_due"].as_str().unwrap().to_owned();
    assert!(due < later, "{due} {later}");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_times_that_are_none_are_told() {
    let scene = clocks("30m").await;
    for (args, said) in [
        (["--roles", "boss=Ann"], "there is no role `boss`: it is one of commander, operator, scribe, approver"),
        (["--roles", "commander"], "it is not `role=name`"),
        (["--roles", "commander= "], "nobody is named as commander"),
        (["--roles", "scribe=Ann,scribe=Bob"], "two people are named as scribe: Ann and Bob"),
        (["--detected", "yesterdayish"], "`--detected` cannot be `yesterdayish`: it must be a moment in UTC"),
        (["--detected", "2999-01-01 00:00Z"], "it lies in the future"),
    ] {
        for command in ["run", "rehearse"] {
            let answers = ["--answers", "answers.toml"];
            scene.write("answers.toml", "");
            let ran = scene.run(&[&[command, "clocks.toml"], &answers[..], &args[..]].concat()).expect(2);
            assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
        }
    }
    assert!(!scene.state_dir().exists(), "nothing was begun");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clocks_stand_above_the_prompts() {
    let scene = clocks("30m").await;
    let args = ["run", "clocks.toml", "--detected", "20m ago", "--roles", "commander=Maya"];
    let mut typist = Typist::at(scene.command(&args));
    let above = typist.sees("\ncut> ");
    assert!(above.contains("detected 20 min ago; 9 min left of 10 min to contain"), "{above}");
    // The same is not said twice.
    typist.types("note the deploy team knows");
    let above = typist.sees("\ncut> ");
    assert!(!above.contains("left of") && above.contains("note       the deploy team knows"), "{above}");
    for line in ["yes", "because", ""] {
        typist.types(line);
        typist.sees("> ");
    }
    // What is contained has no time left.
    let above = typist.screen.split("After").last().unwrap().to_owned();
    assert!(above.contains("detected 20 min ago\r\n"), "{above}");
    typist.types("pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_update_that_falls_due_is_reminded_of_until_somebody_gives_it() {
    let scene = clocks("2s").await;
    let args = ["run", "clocks.toml", "--detected", "20m ago", "--roles", "commander=Maya"];
    let mut typist = Typist::at(scene.command(&args));
    typist.sees("\ncut> ");
    typist.sees("a status update is due, as every 2 s: tell the others, then type `update");
    typist.sees("\ncut> ");
    // What was typed before the reminder is no half of another word.
    typist.types("update the board knows");
    typist.sees("update     the board knows");
    typist.sees("\ncut> ");
    typist.sees("a status update is due");
    typist.answers("cut", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);

    // Somebody else gives it from another terminal: nobody is reminded for nothing.
    let scene = clocks("6s").await;
    let mut typist = Typist::at(scene.command(&args));
    typist.sees("\ncut> ");
    let given = std::time::Instant::now();
    while given.elapsed() < Duration::from_secs(7) {
        scene.run(&["update", "told the board"]).expect(0);
        std::thread::sleep(Duration::from_millis(500));
    }
    typist.types("pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert!(!typist.screen.contains("a status update is due"), "{}", typist.screen);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_told_before_the_run_is_ended_also_at_once_after_a_resume() {
    let spine = Spine::new().await;
    let suspect = spine.scene.scenario.cast.suspect_token_id.clone();
    spine.scene.fault("PUT", "*/value", 1, FaultKind::Forbidden);
    let mut typist = Typist::at(spine.scene.command(&["run", "spine.toml"]));
    typist.answers("suspect", &suspect);
    typist.answers("cut", "cut");
    typist.answers("roll", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    let mut typist = Typist::at(spine.scene.command(&["resume"]));
    typist.answers("roll", "abort false alarm");
    let left = typist.sees("\nabort> ");
    assert!(left.contains("done: 1 change\r\n  proven     disable token ci-deploy: read back"), "{left}");
    assert!(left.contains("not done: 9 changes\r\n  waiting    rotate token"), "{left}");
    assert!(left.contains("broken off: roll\r\nnot begun: revoke\r\n"), "{left}");
    typist.types("abort");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
}
