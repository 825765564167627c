//! A run that goes on when its runbook, its inputs or quell itself are no longer what it began with: refused with the
//! difference, gone on as sealed, or accepted as a decision that is written down.

mod begun;
mod version;

use std::fs;

use serde_json::{Value, json};

use super::called::{call, event, instruction, shelve};
use super::{DONE, HEAD, by_hand};
use crate::scene::{Ran, Scene, ran};

/// An input that the second step uses, and one that only the third does.
const INPUTS: &str =
    "[inputs.early]\ntype = \"string\"\ndefault = \"dawn\"\n[inputs.late]\ntype = \"string\"\ndefault = \"dusk\"\n\n";

/// Three steps by hand.
fn three() -> String {
    format!("{HEAD}{INPUTS}")
        + &by_hand("steps", "one", "do the first", "")
        + &by_hand("steps", "two", "do it at {{inputs.early}}", "")
        + &by_hand("steps", "three", "do it at {{inputs.late}}", "")
}

/// A run that rests at its second step: the first has ended, the third has not begun.
async fn resting(runbook: &str) -> Scene {
    let scene = Scene::new().await;
    scene.write("drill.toml", runbook);
    scene.write("answers.toml", &format!("[steps.one]\n{DONE}"));
    scene.run(&["run", "drill.toml", "--answers", "answers.toml"]).expect(11);
    scene.write("answers.toml", &["one", "two", "three"].map(|id| format!("[steps.{id}]\n{DONE}")).concat());
    scene
}

/// Goes on, with answers to everything.
fn resume(scene: &Scene, more: &[&str]) -> Ran {
    scene.run(&[&["resume", "--answers", "answers.toml"], more].concat())
}

/// Refuses to go on; nothing is written down.
#[track_caller]
fn refused(scene: &Scene, more: &[&str], told: &str) -> Ran {
    let before = scene.journal();
    let refused = resume(scene, more).expect(10);
    let words = refused.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(told), "`{told}` is missing in\n{}", refused.stderr);
    assert!(words.contains("nothing was sent"), "{}", refused.stderr);
    assert_eq!(scene.journal(), before);
    refused
}

fn amended(scene: &Scene) -> Vec<Value> {
    let journal = scene.journal().into_iter().map(|entry| entry["event"].clone());
    journal.filter(|event| event["type"] == "plan_amended").collect()
}

fn report(scene: &Scene) -> String {
    fs::read_to_string(scene.incident().join("report.md")).unwrap().replace('\\', "")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_refused_with_the_difference() {
    let scene = resting(&three()).await;
    scene.write("drill.toml", &three().replace("inputs.late}}", "inputs.late}}, \\u001b[2J or so"));
    let path = scene.path("drill.toml").display().to_string();
    let told = refused(&scene, &[], "was edited after the run began: sealed ");
    for line in [
        format!("--- {path} (sealed)").as_str(),
        format!("+++ {path} (now)").as_str(),
        "-with = { instruction = \"do it at {{inputs.late}}\" }",
    ] {
        assert!(told.stderr.lines().any(|shown| shown == line), "`{line}` is missing in\n{}", told.stderr);
    }
    assert!(told.stderr.contains("--as-sealed` goes on with the text that the run is bound to"), "{}", told.stderr);

    // What the text holds is shown, and does nothing to the terminal; what is shaped like a secret is not shown.
    let secret = "cfut_0123456789012345678901234567890123456789abcd";
    scene.write("drill.toml", &format!("{}# \u{1b}[2J\u{202e} {secret}\r\n", three()));
    let told = refused(&scene, &[], "was edited after the run began");
    assert!(!told.stderr.contains(['\u{1b}', '\u{202e}']) && !told.stderr.contains(secret), "{}", told.stderr);
    assert!(told.stderr.contains("+# \\u{1b}[2J\\u{202e} ***"), "{}", told.stderr);

    // A long one is cut.
    scene.write("drill.toml", &(three() + &"# more\n".repeat(500)));
    let told = refused(&scene, &[], "was edited after the run began");
    assert!(told.stderr.lines().count() < 80, "{}", told.stderr);
    assert!(told.stderr.contains("more lines; the sealed text is in "), "{}", told.stderr);
    assert!(told.stderr.contains("plan-r1.json"), "{}", told.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_sealed_it_goes_on_with_the_text_that_it_began_with() {
    let scene = resting(&three()).await;
    scene.write("drill.toml", &three().replace("do it at", "never do it at"));
    resume(&scene, &["--as-sealed"]).expect(0);
    assert_eq!(instruction(&scene, "three"), "do it at dusk");
    assert_eq!(amended(&scene), Vec::<Value>::new());
    let decided = event(&scene, "noted", None);
    assert_eq!(decided["kind"], "decision");
    let told = decided["text"].as_str().unwrap();
    assert!(told.starts_with("went on with the sealed text, although the runbook "), "{told}");
    assert!(report(&scene).contains("went on with the sealed text"), "{}", report(&scene));
    scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_is_a_decision_on_record() {
    let scene = resting(&three()).await;
    let edited = three().replace("do it at {{inputs.late}}", "do it by {{inputs.late}}")
        + &by_hand("steps", "four", "and then this", "")
        + &by_hand("finally", "bye", "tell the team", "");
    scene.write("drill.toml", &edited);
    scene.write("answers.toml", &format!("[steps.two]\n{DONE}"));
    let told = resume(&scene, &["--accept", "the vendor said by"]).expect(11).stderr;
    let words = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "+with = { instruction = \"do it by {{inputs.late}}\" }",
        "accepted: the step `three` has another `with`",
        "accepted: the step `four` is new",
        "accepted: the step `bye` is new",
        "by tester: the vendor said by; the runbook",
    ] {
        assert!(words.contains(said), "`{said}` is missing in\n{told}");
    }
    let decision = amended(&scene).remove(0);
    assert_eq!(decision["words"], "the vendor said by");
    let changes = decision["changes"].as_array().unwrap();
    assert!(changes[0].as_str().unwrap().contains("was edited after the run began"), "{changes:?}");
    let rest = ["the step `three` has another `with`", "the step `four` is new", "the step `bye` is new"];
    assert_eq!(changes[1..], rest.map(Value::from));
    let sealed = event(&scene, "plan_sealed", None);
    assert_ne!(decision["plan"]["digest"], sealed["digest"]);
    let kept: Value = serde_json::from_slice(&fs::read(scene.incident().join("plan-r1-2.json")).unwrap()).unwrap();
    assert_eq!((&kept["runbook"]["text"], &kept["digest"]), (&json!(edited), &decision["plan"]["digest"]));
    scene.run(&["verify"]).expect(0);

    // From then on the run is bound to it: no flag is needed, and a later edit is another decision.
    scene.write("answers.toml", &["three", "four"].map(|id| format!("[steps.{id}]\n{DONE}")).concat());
    resume(&scene, &[]).expect(11);
    scene.write("drill.toml", &edited.replace("tell the team", "tell all"));
    scene.write("answers.toml", &format!("[steps.bye]\n{DONE}"));
    refused(&scene, &["--accept", "more of them"], "the step `bye`, which is under way, has another `with`");
    scene.write("drill.toml", &format!("{edited}# as it was said\n"));
    resume(&scene, &["--accept", "a remark"]).expect(0);
    let last = amended(&scene).remove(1);
    assert_eq!(last["changes"].as_array().unwrap().len(), 1, "{last}");
    assert_eq!(instruction(&scene, "three"), "do it by dusk");
    assert!(report(&scene).contains("went on although "), "{}", report(&scene));
    scene.run(&["verify"]).expect(0);
    for name in ["plan-r1.json", "plan-r1-2.json", "plan-r1-3.json"] {
        let path = scene.incident().join(name);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("do the first", "do the worst")).unwrap();
        let found = scene.run(&["verify"]).expect(14).stdout;
        assert!(found.contains("plan of run r1 was altered"), "{name}: {found}");
        fs::write(&path, text).unwrap();
    }
    let status = scene.run(&["status"]).expect(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let amended: Vec<&str> = status.split("plan amended ").skip(1).collect();
    assert_eq!(amended.len(), 2, "{status}");
    assert!(amended[0].contains(" by tester: the vendor said by; the runbook "), "{status}");
    assert!(amended[1].contains(" by tester: a remark; "), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_accept_is_said_and_goes_on() {
    let scene = resting(&three()).await;
    scene.run(&["resume", "--accept", " "]).expect(2);
    scene.run(&["resume", "--set", "late=noon"]).expect(2);
    scene.run(&["resume", "--accept", "x", "--as-sealed"]).expect(2);
    let told = resume(&scene, &["--accept", "in case"]).expect(0);
    assert!(told.stderr.contains("there is nothing to accept"), "{}", told.stderr);
    assert_eq!(amended(&scene), Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_beside_the_decision_it_stands_or_is_asked_for_again() {
    for nth in 1..=4 {
        let scene = resting(&three()).await;
        scene.write("drill.toml", &three().replace("do it at {{inputs.late}}", "do it by {{inputs.late}}"));
        // What a process left that was killed between the file and the entry.
        fs::write(scene.incident().join("plan-r1-2.json"), "{").unwrap();
        let mut command = scene.command(&["resume", "--answers", "answers.toml", "--accept", "said so"]);
        assert_eq!(ran(command.env("QUELL_CRASH_AT", format!("after-append:{nth}"))).code, -1, "{nth}");
        if nth == 1 {
            refused(&scene, &[], "was edited after the run began");
            resume(&scene, &["--accept", "said so"]).expect(0);
        } else {
            resume(&scene, &[]).expect(0);
        }
        assert_eq!(amended(&scene).len(), 1, "{nth}");
        assert_eq!(instruction(&scene, "three"), "do it by dusk", "{nth}");
        scene.run(&["verify"]).expect(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_called_runbook_may_be_another_until_its_step_begins() {
    let scene = Scene::new().await;
    let inner = |words: &str| HEAD.replace("drill", "inner") + &by_hand("steps", "visit", words, "");
    shelve(&scene, "inner", &inner("go there"));
    let runbook =
        HEAD.to_owned() + &by_hand("steps", "one", "x", "") + &call("steps", "visits", "name = \"inner\"", "");
    scene.write("drill.toml", &runbook);
    scene.write("answers.toml", "");
    scene.run(&["run", "drill.toml", "--answers", "answers.toml"]).expect(11);
    shelve(&scene, "inner", &inner("go elsewhere"));
    let told = refused(&scene, &[], "inner.toml was edited after the run began");
    assert!(told.stderr.contains("+with = { instruction = \"go elsewhere\" }"), "{}", told.stderr);
    scene.write("answers.toml", &format!("[steps.one]\n{DONE}"));
    resume(&scene, &["--accept", "it moved"]).expect(11);
    assert_eq!(amended(&scene)[0]["changes"][1], "the step `visits` has another `calls`");

    // It has begun: what it holds is fixed, but how its text is laid out is not what it does.
    shelve(&scene, "inner", &inner("go nowhere"));
    refused(&scene, &["--accept", "again"], "the step `visits`, which is under way, has another `calls`");
    shelve(&scene, "inner", &format!("# moved\n{}", inner("go elsewhere")));
    scene.write("answers.toml", &format!("[steps.\"visits/visit\"]\n{DONE}"));
    resume(&scene, &["--accept", "a remark"]).expect(0);
    assert_eq!(instruction(&scene, "visits/visit"), "go elsewhere");
    scene.run(&["verify"]).expect(0);
}
