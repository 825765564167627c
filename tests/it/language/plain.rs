//! The actions that look at nothing and send nothing: `note`, `assert`, `pause`.

use super::{inventory, output, run, steps};
use crate::scene::Scene;

pub(super) fn step(id: &str, action: &str, with: &str) -> String {
    format!(
        "[[steps]]\nid = \"{id}\"\nphase = \"contain\"\ntitle = \"Plain\"\naction = \"{action}\"\nwith = {{ {with} }}\n\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_stands_in_the_timeline() {
    let scene = Scene::new().await;
    let runbook = inventory() + &step("say", "note", "text = \"{{len steps.inventory.tokens}} tokens\"");
    let document = run(&scene, &runbook, "").expect(0).json();
    assert_eq!(output(&scene, "say")["text"], "12 tokens");
    let report = std::fs::read_to_string(scene.incident().join("report.md")).unwrap();
    assert!(report.lines().any(|line| line.contains("say: done: 12 tokens")), "{document:#}\n{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_tells_everything_that_does_not_hold() {
    let scene = Scene::new().await;
    let check = |must: &str, words: &str| {
        format!("{{ value = {{ from = \"steps.inventory.suspects\" }}, must = \"{must}\", otherwise = \"{words}\" }}")
    };
    let good = step("sure", "assert", &format!("that = [{}]", check("not_be_empty", "no suspect")));
    let bad = step("unsure", "assert", &format!("that = [{}, {}]", check("be_empty", "one"), check("be_empty", "two")))
        .replace("title", "on_failure = \"continue\"\ntitle");
    let ran = run(&scene, &(inventory() + &good + &bad), "").expect(12);
    let wanted = [("inventory", "done"), ("sure", "done"), ("unsure", "failed")];
    assert_eq!(steps(&ran.json()), super::named(&wanted));
    assert!(ran.stderr.contains("failed: one; two"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_waits_for_a_name() {
    let scene = Scene::new().await;
    let runbook = step("hold", "pause", "message = \"until the deploy is through\"");
    assert_eq!(run(&scene, &runbook, "").expect(11).json()["outcome"], "paused");
    scene.write("answers.toml", "[steps.hold]\nanswer = \"run\"\nfields = { resumed_by = \"Maya\" }\n");
    scene.run(&["resume", "--answers", "answers.toml"]).expect(0);
    assert_eq!(output(&scene, "hold")["resumed_by"], "Maya");
}
