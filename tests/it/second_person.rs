//! `confirm = "second-person"`: nothing is sent before somebody else agrees to the very same.

use serde_json::{Value, json};

use crate::scene::{Ran, Scene, ran};
use crate::terminal::typist::Typist;

const RUNBOOK: &str = r#"
schema = 1
name   = "both"
title  = "Both keys"

[inputs.suspect]
type     = "cloudflare.token"
required = true

[[steps]]
id     = "inventory"
phase  = "identify"
title  = "List tokens"
action = "cloudflare.tokens.inventory"
with   = { suspect = { from = "inputs.suspect" } }

[[steps]]
id      = "cut"
phase   = "contain"
title   = "Delete the suspect"
why     = "It leaked."
action  = "cloudflare.token.revoke"
with    = { tokens = { from = "steps.inventory.suspects" } }
confirm = "second-person"
"#;

fn answers(scene: &Scene, more: &str) -> String {
    let suspect = &scene.scenario.cast.suspect_token_id;
    let text =
        format!("[inputs]\nsuspect = \"{suspect}\"\n[steps.cut]\nanswer = \"run\"\nphrase = \"{suspect}\"\n{more}");
    scene.write("answers.toml", &text).display().to_string()
}

/// A run that waits for a second person, and the code on its screen.
async fn waiting() -> (Scene, String) {
    let scene = Scene::new().await;
    scene.write("both.toml", RUNBOOK);
    let ran = scene.run(&["run", "both.toml", "--answers", &answers(&scene, ""), "--json"]).expect(11);
    let told = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let code = told.split("the code ").nth(1).unwrap()[..6].to_owned();
    assert!(scene.writes().is_empty());
    (scene, code)
}

fn approve(scene: &Scene, who: &str, code: &str) -> Ran {
    let mut command = scene.command(&["approve", "--code", code]);
    ran(command.env("QUELL_OPERATOR", who))
}

fn resume(scene: &Scene, more: &str) -> Ran {
    scene.run(&["resume", "--answers", &answers(scene, more), "--json"])
}

fn seconded(scene: &Scene) -> Vec<Value> {
    let journal = scene.journal();
    journal.into_iter().filter(|entry| entry["event"]["type"] == "seconded").collect()
}

fn report(scene: &Scene) -> String {
    scene.run(&["report"]).expect(0);
    std::fs::read_to_string(scene.incident().join("report.md")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_when_somebody_else_agrees_to_the_same_and_only_then() {
    let (scene, code) = waiting().await;
    resume(&scene, "").expect(11);
    assert!(scene.writes().is_empty());
    let own = approve(&scene, " TESTER ", &code).expect(11);
    assert!(own.stderr.contains("tester consented to this and cannot be the second person"), "{}", own.stderr);
    let wrong = approve(&scene, "Ann", "000000x").expect(11);
    assert!(wrong.stderr.contains("this is not the code of what is shown here"), "{}", wrong.stderr);
    assert_eq!(seconded(&scene), [] as [Value; 0]);
    let status = scene.run(&["status"]).expect(0).stdout;
    assert!(status.contains("next: wait for a second person at `cut`"), "{status}");

    let agreed = approve(&scene, "Ann", &code.to_lowercase()).expect(0);
    let told = agreed.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("DELETE") && told.contains("consented tester"), "{}", agreed.stderr);
    assert!(scene.writes().is_empty());
    resume(&scene, "").expect(0);
    assert_eq!(scene.writes().len(), 1);
    assert_eq!(seconded(&scene)[0]["by"], "Ann");
    let report = report(&scene);
    assert!(report.contains("agree, as the second person, to 1 change"), "{report}");
    let nothing = approve(&scene, "Ann", &code).expect(2);
    assert!(nothing.stderr.contains("there is no open incident"), "{}", nothing.stderr);
    scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_alone_goes_on_with_a_reason_and_the_report_says_so() {
    let (scene, _) = waiting().await;
    resume(&scene, "alone = \"nobody else is awake\"\n").expect(0);
    assert_eq!(scene.writes().len(), 1);
    assert_eq!(seconded(&scene)[0]["event"]["alone"], json!("nobody else is awake"));
    let report = report(&scene);
    let told = "go on without the second person that the step asks for: nobody else is awake";
    assert!(report.contains(told), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_two_terminals_it_goes_on_by_itself_as_soon_as_the_other_one_agrees() {
    let scene = Scene::new().await;
    scene.write("both.toml", RUNBOOK);
    let suspect = scene.scenario.cast.suspect_token_id.clone();
    let mut one = Typist::at(scene.command(&["run", "both.toml", "--set", &format!("suspect={suspect}")]));
    one.answers("cut", "ci-deploy");
    one.sees("a second person is to agree");
    let above = one.answers("cut", "ok");
    let code = above.split("code ").nth(1).unwrap().trim()[..6].to_owned();
    one.sees("nothing is sent before somebody else agrees");
    one.answers("cut", "alone");
    one.sees("say why nobody else can agree");
    assert!(scene.writes().is_empty());

    let mut command = scene.command(&["approve"]);
    command.env("QUELL_OPERATOR", "Ann");
    let mut other = Typist::at(command);
    other.sees("somebody else consented to this");
    let shown = other.answers("code", "000000");
    assert!(shown.contains("DELETE") && !shown.contains("\"permission_groups\""), "{shown}");
    other.sees("this is not the code of what is shown here");
    other.answers("code", "inspect");
    other.sees("\"permission_groups\"");
    other.answers("code", &code);
    assert_eq!(other.leaves(), 0, "{}", other.screen);
    one.sees("by Ann, the second person");
    assert_eq!(one.leaves(), 0, "{}", one.screen);
    assert_eq!(scene.writes().len(), 1);
    one.has_no_wide_line(80);
    other.has_no_wide_line(80);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_changes_are_shown_as_rows_and_three_wrong_codes_are_enough() {
    let scene = Scene::new().await;
    let book = RUNBOOK
        .replace("cloudflare.token.revoke", "cloudflare.tokens.rotate")
        .replace("inventory.suspects", "inventory.rotatable");
    scene.write("both.toml", &book);
    let suspect = scene.scenario.cast.suspect_token_id.clone();
    let text = format!(
        "[inputs]\nsuspect = \"{suspect}\"\n[steps.cut]\nanswer = \"run\"\nselect = [\"acme-dns01\", \"dns-backup\"]\n\
         phrase = \"rotate 2\"\nleft = \"later:ops\"\n"
    );
    let answers = scene.write("answers.toml", &text).display().to_string();
    scene.run(&["run", "both.toml", "--answers", &answers]).expect(11);
    let mut command = scene.command(&["approve"]);
    command.env("QUELL_OPERATOR", "Ann");
    let mut other = Typist::at(command);
    let mut shown = other.answers("code", "inspect");
    shown.push_str(&other.answers("code", "0"));
    assert!(shown.contains("acme-dns01") && shown.contains("dns-backup"), "{shown}");
    assert!(!shown.contains("\"permission_groups\"") && shown.lines().count() < 40, "{shown}");
    assert!(shown.contains("which row? `inspect NUMBER`"), "{shown}");
    other.answers("code", "1");
    other.answers("code", "2");
    assert_eq!(other.leaves(), 11, "{}", other.screen);
    assert_eq!(seconded(&scene), [] as [Value; 0]);
}
