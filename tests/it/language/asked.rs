//! What stands above the prompts of inputs, and what is said of answers.

use super::{HEAD, by_hand, inventory, run};
use crate::language::plain::step;
use crate::scene::Scene;
use crate::terminal::typist::Typist;

const INPUTS: &str = "[inputs.pace]\ntype = \"choice\"\nchoices = [\"now\", \"later\"]\nrequired = true\n\
                      [inputs.names]\ntype = \"list\"\ndefault = [\"ann\", \"bob\"]\n\
                      [inputs.late]\ntype = \"string\"\nprompt = \"How late?\"\ndefault = \"dusk\"\n\
                      [inputs.more]\ntype = \"string\"\n\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_answered_and_what_nothing_means_stand_above_the_prompt() {
    let scene = Scene::new().await;
    scene.write("drill.toml", &format!("{HEAD}{INPUTS}{}", by_hand("steps", "visit", "x", "")));
    let mut typist = Typist::at(scene.command(&["run", "drill.toml"]));
    let above = typist.answers("pace", "");
    assert!(above.contains("one of now, later") && !above.contains("pace"), "{above}");
    typist.answers("pace", "now");
    let above = typist.answers("names", "");
    assert!(above.contains("several are told apart by commas; empty takes `ann, bob`"), "{above}");
    let above = typist.answers("late", "");
    assert!(above.contains("How late?\r\n  empty takes `dusk`") && !above.contains("leave it out"), "{above}");
    let above = typist.answers("more", "");
    assert!(above.contains("empty to leave it out"), "{above}");
    typist.answers("visit", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    let sealed = super::called::event(&scene, "plan_sealed", None);
    assert_eq!(
        sealed["inputs"],
        serde_json::json!({ "pace": "now", "names": ["ann", "bob"], "late": "dusk", "more": null })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_called_kept_before_the_last_answer() {
    let scene = Scene::new().await;
    let questions = "instruction = \"Say.\", questions = [{ name = \"one\", prompt = \"One?\" }, { name = \"two\", prompt = \"Two?\" }]";
    scene.write("drill.toml", &format!("{HEAD}{}", step("quest", "ask", questions)));
    let mut typist = Typist::at(scene.command(&["run", "drill.toml"]));
    typist.answers("quest", "first");
    typist.sees("(question 2 of 2)");
    typist.answers("quest", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert!(!typist.screen.contains("kept"), "{}", typist.screen);
    assert!(scene.journal().iter().all(|entry| entry["event"]["type"] != "answered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_found_by_letters_in_their_order_and_look_alikes_are_named() {
    let scene = Scene::new().await;
    let input = "[inputs.suspect]\ntype = \"cloudflare.token\"\nrequired = true\n\n";
    scene.write("drill.toml", &format!("{HEAD}{input}{}", by_hand("steps", "visit", "x", "")));
    let mut typist = Typist::at(scene.command(&["run", "drill.toml"]));
    typist.answers("suspect", "? cdply");
    typist.sees("- ci-deploy (");
    typist.answers("suspect", "? log-f");
    typist.sees("may look like another; go by");
    typist.answers("suspect", "ci-deploy");
    typist.answers("visit", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_runbook_says_of_a_failure_is_nobodys_decision() {
    let scene = Scene::new().await;
    let that = "that = [{ value = 1, must = \"equal\", with = 2, otherwise = \"nope\" }]";
    let runbook = step("must", "assert", that).replace("title", "on_failure = \"step:tell\"\ntitle")
        + &inventory()
        + &step("tell", "note", "text = \"told\"");
    let ran = run(&scene, &runbook, "").expect(12);
    assert!(!ran.stderr.contains("retry, or skip"), "nobody is asked: {}", ran.stderr);
    let report = std::fs::read_to_string(scene.incident().join("report.md")).unwrap();
    let decisions = report.split("### Decisions and answers").nth(1).unwrap().split("\n#").next().unwrap();
    assert_eq!(decisions.trim(), "None is recorded.", "{report}");
    assert!(report.contains("go on at tell: as the runbook") && !report.contains("decided to go on"), "{report}");

    let scene = Scene::new().await;
    scene.write("drill.toml", &format!("{HEAD}{runbook}"));
    scene.write("answers.toml", "");
    let quiet = scene.run(&["-q", "run", "drill.toml", "--answers", "answers.toml"]).expect(12);
    assert!(quiet.stderr.contains("go on at `tell`: as the runbook's `on_failure` says"), "{}", quiet.stderr);
}
