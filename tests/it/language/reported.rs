//! `report`: the post-mortem in the middle of a run.

use quell::model::Digest;

use super::plain::step;
use super::{HEAD, output, run};
use crate::scene::{Scene, ran};

fn runbook() -> String {
    step("say", "note", "text = \"before the draft\"")
        + &step("draft", "report", "")
        + &step("after", "note", "text = \"{{steps.draft.path}} is {{steps.draft.sha256}}\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_draft_is_written_at_this_point_and_later_steps_know_where() {
    let scene = Scene::new().await;
    run(&scene, &runbook(), "").expect(0);
    let draft = output(&scene, "draft");
    let path = scene.incident().join("report.md");
    assert_eq!(draft["path"], path.display().to_string());
    let said = format!("{} is {}", path.display(), draft["sha256"].as_str().unwrap());
    assert_eq!(output(&scene, "after")["text"], said.as_str());
    let journal = scene.journal();
    let written = journal.iter().position(|entry| entry["event"]["type"] == "report_written").unwrap();
    assert_eq!(journal[written]["event"]["sha256"], draft["sha256"]);

    // Killed right after: what lies there is what the journal says, and tells of what came before.
    let scene = Scene::new().await;
    scene.write("drill.toml", &format!("{HEAD}{}", runbook()));
    scene.write("answers.toml", "");
    let mut command = scene.command(&["run", "drill.toml", "--answers", "answers.toml"]);
    assert_eq!(ran(command.env("QUELL_CRASH_AT", format!("after-append:{written}"))).code, -1);
    let text = std::fs::read(scene.incident().join("report.md")).unwrap();
    assert_eq!(scene.journal()[written]["event"]["sha256"], Digest::of(&text).to_string());
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("before the draft") && !text.contains("the post-mortem is written"), "{text}");
    scene.run(&["resume", "--answers", "answers.toml"]).expect(0);
    let ends = scene.journal().into_iter().filter(|entry| entry["event"]["type"] == "report_written").count();
    assert_eq!(ends, 1, "written once more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_cannot_be_written_fails_the_step() {
    let scene = Scene::new().await;
    scene.write("drill.toml", &format!("{HEAD}{}", runbook()));
    scene.write("answers.toml", "");
    let mut command = scene.command(&["run", "drill.toml", "--answers", "answers.toml"]);
    assert_eq!(ran(command.env("QUELL_CRASH_AT", "after-append:5")).code, -1);
    std::fs::create_dir(scene.incident().join("report.md")).unwrap();
    scene.run(&["resume", "--answers", "answers.toml"]).expect(12);
    let journal = scene.journal();
    let failed = journal.iter().find(|entry| entry["event"]["type"] == "step_failed").unwrap();
    assert_eq!(failed["path"], "draft");
    let text = |key: &str| failed["event"][key].as_str().unwrap().to_owned();
    assert!(text("error").starts_with("cannot read the earlier draft"), "{failed}");
    assert!(text("hint").contains("then retry"), "{failed}");

    // What was in the way is gone.
    std::fs::remove_dir(scene.incident().join("report.md")).unwrap();
    scene.write("answers.toml", "[defaults]\non_failure = \"retry\"\n");
    scene.run(&["resume", "--answers", "answers.toml"]).expect(0);
    assert_eq!(output(&scene, "draft")["path"], scene.incident().join("report.md").display().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_writes_none_and_does_not_know_its_digest() {
    let scene = Scene::new().await;
    scene.write("drill.toml", &format!("{HEAD}{}", runbook()));
    let document = scene.run(&["plan", "drill.toml", "--json"]).expect(0).json();
    let steps = document["steps"].as_array().unwrap();
    let predicted: Vec<_> = steps.iter().map(|step| step["prediction"].as_str().unwrap()).collect();
    assert_eq!(predicted, ["already_so", "already_so", "cannot_know"]);
    assert_eq!(steps[1]["summary"], "would write the post-mortem");
    assert!(!scene.state_dir().exists());
}
