//! A run that goes by itself up to a danger, with nobody at the terminal, through the real binary.

use quell::journal::Basis;
use quell::model::Danger;
use serde_json::{Value, json};

use crate::planned::Bound;
use crate::scene::{Ran, Scene, ran};

fn run(bound: &Bound, args: &[&str]) -> Ran {
    bound.scene.run(&[&["run", "bound.toml", "--json"], args].concat())
}

fn put(token: usize) -> (String, usize) {
    ("PUT".to_owned(), token)
}

/// The runbook with `change` made to its first step.
fn with_cut(bound: &Bound, change: &str) {
    let text = std::fs::read_to_string(bound.scene.path("bound.toml")).unwrap();
    let why = "why    = \"They leaked.\"\n";
    assert!(text.contains(why));
    bound.scene.write("bound.toml", &text.replace(why, &format!("{why}{change}\n")));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_what_is_no_worse_and_rests_at_the_rest() {
    let bound = Bound::new().await;
    let ran = run(&bound, &["--yes-up-to", "disruptive"]).expect(11);
    assert_eq!(bound.sent(), [put(0), put(1), put(2)], "the list, and no row that starts unselected");
    let by_itself = Basis::UpTo(Danger::Disruptive);
    assert_eq!(bound.consents(), [("cut".to_owned(), by_itself, vec![0, 1, 2])]);
    let said = Bound::said(&ran);
    for told in [
        "consent by itself up to disruptive; all else is asked for",
        "consented by itself, up to disruptive",
        "goes on with the rest of the list: the first row is proven",
        "step `roll` needs consent (rows that start unselected are a person's choice)",
        "nobody is there to ask, and there is no answers file",
    ] {
        assert!(said.contains(told), "{told}\n{}", ran.stderr);
    }
    let document = ran.json();
    assert_eq!(document["outcome"], "paused");
    assert_eq!(document["steps"][0]["effects"][0]["consent"], json!({ "up_to": "disruptive" }));
    assert_eq!(document["steps"][1]["effects"][0]["consent"], Value::Null);
    let report = std::fs::read_to_string(bound.scene.incident().join("report.md")).unwrap().replace('\\', "");
    for told in ["let the run go on by itself up to disruptive", "by the order to go on by itself up to disruptive"] {
        assert!(report.contains(told), "{told}\n{report}");
    }
    // Neither a row that was never chosen, nor what cannot be put back, nor work by hand, however often it is resumed.
    let answers = bound.filled("[steps.roll]\nanswer = \"skip\"\nreason = \"later\"\n");
    bound.scene.write("roll.toml", &answers);
    let ran = bound.scene.run(&["resume", "--yes-up-to", "disruptive", "--answers", "roll.toml"]).expect(11);
    assert!(Bound::said(&ran).contains("what cannot be put back is never consented to beforehand"), "{ran:#?}");
    bound.scene.write("revoke.toml", "[steps.revoke]\nanswer = \"skip\"\nreason = \"later\"\n");
    let ran = bound.scene.run(&["resume", "--yes-up-to", "disruptive", "--answers", "revoke.toml"]).expect(11);
    assert!(Bound::said(&ran).contains("step `tell` needs who did it"), "{ran:#?}");
    assert_eq!(bound.sent().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_danger_up_to_the_named_one() {
    let bound = Bound::new().await;
    let ran = run(&bound, &["--yes-up-to", "reversible"]).expect(11);
    assert_eq!(bound.sent(), []);
    assert!(Bound::said(&ran).contains("it is more than reversible, up to which the run goes by itself"), "{ran:#?}");

    // A token that nobody has used lately can be put back, and breaks nothing.
    let idle = bound.scene.scenario.cast.tokens.iter().rfind(|token| token.name == "analytics").unwrap().id.clone();
    bound.scene.write("idle.toml", &IDLE.replace("TOKEN", &idle));
    bound.scene.run(&["run", "idle.toml", "--yes-up-to", "reversible"]).expect(0);
    assert_eq!(bound.scene.writes().len(), 1);

    for (word, told) in [
        ("irreversible", "what cannot be put back is never consented to beforehand"),
        ("observe", "it is `reversible` or `disruptive`"),
        ("", "it is `reversible` or `disruptive`"),
    ] {
        for command in [&["run", "bound.toml"][..], &["resume"], &["rehearse"]] {
            let ran = bound.scene.run(&[command, &["--yes-up-to", word]].concat()).expect(2);
            assert!(ran.stderr.contains(told) || word.is_empty(), "{}", ran.stderr);
        }
    }
}

const IDLE: &str = r#"
schema = 1
name   = "idle"
title  = "An idle token"

[[steps]]
id     = "cut"
phase  = "contain"
title  = "Disable it"
why    = "Nobody uses it."
action = "cloudflare.token.disable"
with   = { tokens = [{ id = "TOKEN" }] }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_stricter_confirm_is_a_persons() {
    for (confirm, sent) in [("ask", 3), ("step", 3), ("target", 0)] {
        let bound = Bound::new().await;
        with_cut(&bound, &format!("confirm = \"{confirm}\""));
        let ran = run(&bound, &["--yes-up-to", "disruptive"]).expect(11);
        assert_eq!(bound.sent().len(), sent, "{confirm}");
        let told = "`confirm` asks for more than the danger does";
        assert_eq!(Bound::said(&ran).contains(told), sent == 0, "{confirm}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_answers_file_says_goes_before() {
    for (answer, sent) in [
        ("answer = \"skip\"\nreason = \"not now\"", vec![]),
        ("answer = \"run\"\nselect = [\"TWO\"]\nphrase = \"cut\"", vec![put(1)]),
        ("answer = \"run\"\nphrase = \"disable 3\"", vec![put(0), put(1), put(2)]),
        // Nothing about consent: the order holds.
        ("on_failure = \"stop\"", vec![put(0), put(1), put(2)]),
    ] {
        let bound = Bound::new().await;
        bound.scene.write("answers.toml", &bound.filled(&format!("[steps.cut]\n{answer}\n")));
        run(&bound, &["--yes-up-to", "disruptive", "--answers", "answers.toml"]).expect(11);
        assert_eq!(bound.sent(), sent, "{answer}");
        let is_typed = bound.consents().first().is_none_or(|(_, basis, _)| *basis == Basis::Typed);
        assert_eq!(is_typed, answer.contains("answer"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_seen_to_work_is_not_gone_on_with() {
    let bound = Bound::new().await;
    let path = format!("*/tokens/{}", bound.ids[0]);
    bound.scene.fault("PUT", &path, 1, quell::simulator::FaultKind::DropBefore);
    let ran = run(&bound, &["--yes-up-to", "disruptive"]).expect(13);
    assert_eq!(bound.sent(), [put(0)], "in doubt, and never sent again by itself");
    assert!(Bound::said(&ran).contains("it is not known whether"), "{ran:#?}");
    // Nor by a second process with the same order.
    bound.scene.run(&["resume", "--yes-up-to", "disruptive"]).expect(13);
    bound.scene.write("retry.toml", "[steps.cut]\nin_doubt = \"retry\"\n");
    let ran = bound.scene.run(&["resume", "--yes-up-to", "disruptive", "--answers", "retry.toml"]);
    assert!(
        Bound::said(&ran).contains("it was tried before, and each further try has a consent of its own"),
        "{ran:#?}"
    );
    assert_eq!(bound.sent(), [put(0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_it_sends_nothing_twice() {
    let whole = Bound::new().await;
    run(&whole, &["--yes-up-to", "disruptive"]).expect(11);
    let entries = whole.scene.journal().len();
    for nth in (3..entries - 1).step_by(3) {
        let bound = Bound::new().await;
        let point = format!("after-append:{nth}");
        let mut command = bound.scene.command(&["run", "bound.toml", "--yes-up-to", "disruptive"]);
        assert_eq!(ran(command.env("QUELL_CRASH_AT", &point)).code, -1, "{point} was never reached");
        let resumed = bound.scene.run(&["resume", "--yes-up-to", "disruptive"]);
        assert!([11, 13].contains(&resumed.code), "{point}: {}", resumed.stderr);
        let mut sent = bound.sent();
        let all = sent.len();
        sent.sort();
        sent.dedup();
        assert_eq!(sent.len(), all, "{point}: something was sent twice");
        assert!(resumed.code == 13 || all == 3, "{point}: {}", resumed.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_order_and_without_anybody_nothing_begins_and_a_rehearsal_asks_what_it_must() {
    let scene = Scene::new().await;
    let mut command = scene.bare(&["rehearse", "--set", "suspect=ci-deploy"]);
    assert_eq!(ran(&mut command).code, 11);
    assert!(!scene.state_dir().exists());
    let mut command = scene.bare(&["rehearse", "--set", "suspect=ci-deploy", "--yes-up-to", "disruptive"]);
    let rested = ran(&mut command).expect(11);
    let said = Bound::said(&rested);
    assert!(said.contains("step `own-sound` needs `choice`"), "{}", rested.stderr);
    assert!(!scene.incident().join("vault").exists());
}
