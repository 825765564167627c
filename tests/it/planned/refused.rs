//! Runs that would not be the ones that were planned.

use std::fs;

use serde_json::{Value, json};

use super::{Bound, LIVE, RUNBOOK, sealed};
use crate::scene::{Ran, Scene};

/// Nothing was sent, and no incident was begun.
fn untouched(bound: &Bound, ran: &Ran, told: &[&str]) {
    for told in told {
        assert!(Bound::said(ran).contains(told), "{told}\n{}", ran.stderr);
    }
    assert_eq!(bound.sent(), []);
    assert!(!bound.scene.state_dir().exists(), "an incident was begun");
}

/// Writes the plan with `change` made and its digest made anew, as somebody who knows how would.
fn forge(bound: &Bound, change: impl FnOnce(&mut Value)) {
    let mut document = bound.document();
    change(&mut document);
    document["forecast"] = sealed(&document).into();
    bound.scene.write("plan.json", &document.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runbook_that_was_edited() {
    let bound = Bound::new().await;
    bound.plan();
    let answers = bound.answers(LIVE);
    bound.scene.write("bound.toml", &bound.filled(&RUNBOOK.replace("They leaked.", "They leaked!")));
    for args in [vec!["run", "--plan", "plan.json"], vec!["run", "bound.toml", "--plan", "plan.json"]] {
        let ran = bound.scene.run(&[args, vec!["--answers", &answers]].concat()).expect(10);
        untouched(&bound, &ran, &["the text of the runbook", "nothing was sent"]);
    }
    let ran = bound.scene.run(&["run", "cloudflare-token-compromise", "--plan", "plan.json"]).expect(10);
    untouched(&bound, &ran, &["planned `bound`, now `cloudflare-token-compromise`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_input() {
    let bound = Bound::new().await;
    bound.plan();
    let answers = bound.answers(LIVE);
    let run = |set: &str| bound.scene.run(&["run", "--plan", "plan.json", "--set", set, "--answers", &answers]);
    let ran = run("why=an incident").expect(10);
    untouched(&bound, &ran, &["the input `why`: planned \"a drill\", now \"an incident\""]);
    let ran = run("who=me").expect(2);
    untouched(&bound, &ran, &["has no input `who`"]);
    let other = bound.answers(&format!("[inputs]\nwhy = \"an incident\"\n{LIVE}"));
    untouched(&bound, &bound.run(&other).expect(10), &["the input `why`"]);
    // In the file, with its digest made anew: the plan's own digest still tells.
    forge(&bound, |document| document["inputs"]["why"] = "an incident".into());
    let answers = bound.answers(LIVE);
    untouched(&bound, &bound.run(&answers).expect(10), &["the plan's digest: planned "]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_input_said_again() {
    let bound = Bound::new().await;
    bound.plan();
    let answers = bound.answers(LIVE);
    bound
        .scene
        .run(&["run", "bound.toml", "--plan", "plan.json", "--set", "why=a drill", "--answers", &answers])
        .expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_edited() {
    let bound = Bound::new().await;
    bound.plan();
    let (answers, text) = (bound.answers(LIVE), fs::read_to_string(bound.scene.path("plan.json")).unwrap());
    for (from, to) in
        [("\"disruptive\"", "\"reversible\""), ("\"PUT\"", "\"DELETE\""), ("disable token", "look at token")]
    {
        assert!(text.contains(from), "{from}");
        bound.scene.write("plan.json", &text.replacen(from, to, 1));
        untouched(&bound, &bound.run(&answers).expect(10), &["is not as `quell plan` wrote it"]);
    }
    for (broken, told) in [
        ("", "it is no JSON"),
        ("{}", "it has no `schema`"),
        ("{\"schema\": \"quell.plan/2\"}", "this version of quell reads `quell.plan/1`"),
        (&text[..text.len() / 2], "it is no JSON"),
    ] {
        bound.scene.write("plan.json", broken);
        untouched(&bound, &bound.run(&answers).expect(2), &[told]);
    }
    // What this version does not know is not passed over, whatever the digest says.
    bound.scene.write("plan.json", &text);
    forge(&bound, |document| document["more"] = json!(1));
    untouched(&bound, &bound.run(&answers).expect(2), &["unknown field `more`"]);
    fs::remove_file(bound.scene.path("plan.json")).unwrap();
    untouched(&bound, &bound.run(&answers).expect(2), &["cannot read the plan plan.json"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_host_or_version() {
    let bound = Bound::new().await;
    bound.plan();
    let account = bound.scene.scenario.cast.account_id.clone();
    forge(&bound, |document| {
        document["account"]["id"] = "f".repeat(32).into();
        document["actions"]["cloudflare.token.disable"] = json!(99);
    });
    let answers = bound.answers(LIVE);
    let told = [
        format!("the account: planned {}, now {account}", "f".repeat(32)),
        "the version of the action `cloudflare.token.disable`: planned 99, now ".to_owned(),
    ];
    untouched(&bound, &bound.run(&answers).expect(10), &told.each_ref().map(String::as_str));

    // The same plan at another host: another simulated account has another port.
    let other = Scene::new().await;
    bound.plan();
    let answers = bound.answers(LIVE);
    let plan = bound.scene.path("plan.json").display().to_string();
    let ran = other.run(&["run", "--plan", &plan, "--answers", &answers]).expect(10);
    assert!(ran.stderr.contains("the API host: planned "), "{}", ran.stderr);
    assert!(other.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_is_mistyped_or_missing() {
    let bound = Bound::new().await;
    bound.plan();
    let code = bound.code();
    bound.scene.write("answers.toml", &bound.filled(&format!("[plan]\napprove = \"{}\"\n{LIVE}", &code[..7])));
    let ran = bound.run("answers.toml").expect(11);
    untouched(&bound, &ran, &["the plan is not approved", &code]);
    bound.scene.write("answers.toml", &bound.filled(LIVE));
    let ran = bound.run("answers.toml").expect(11);
    untouched(&bound, &ran, &["there is nobody to approve the plan"]);
    assert_eq!(ran.json()["error"]["code"], "plan_not_approved");
    let ran = bound.scene.run(&["run", "--plan", "plan.json", "--yes-up-to", "disruptive"]).expect(11);
    untouched(&bound, &ran, &["there is nobody to approve the plan"]);
    bound.scene.write("answers.toml", "[plan]\naprove = \"x\"\n");
    let ran = bound.run("answers.toml").expect(2);
    untouched(&bound, &ran, &["unknown key `aprove`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_plan_is_said_to_be_old_and_goes() {
    let bound = Bound::new().await;
    bound.plan();
    forge(&bound, |document| document["made_at"] = "2026-01-01T00:00:00Z".into());
    let ran = bound.run(&bound.answers(LIVE)).expect(0);
    assert!(ran.stderr.contains("OLD"), "{}", ran.stderr);
}
