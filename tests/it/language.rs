//! The language in motion: groups, lists, rounds, and what is done in any case, run by the real binary.

mod amended;
mod asked;
mod called;
mod inputs;
mod patience;
mod plain;
mod reported;
mod resumed;
mod stopped;

use serde_json::{Value, json};

use crate::scene::{Ran, Scene, ran};

const HEAD: &str = "schema = 1\nname = \"drill\"\ntitle = \"Drill\"\n\n";

/// A step by hand, `under` the list that it stands in.
fn by_hand(under: &str, id: &str, instruction: &str, more: &str) -> String {
    format!(
        "[[{under}]]\nid = \"{id}\"\nphase = \"contain\"\ntitle = \"By hand\"\naction = \"manual\"\n\
         with = {{ instruction = \"{instruction}\" }}\n{more}\n"
    )
}

/// A group, for what comes below it.
fn group(id: &str, more: &str) -> String {
    format!("[[steps]]\nid = \"{id}\"\nphase = \"contain\"\ntitle = \"Group\"\n{more}\n")
}

/// A question with the answers yes and no.
fn question(under: &str, id: &str) -> String {
    format!(
        "[[{under}]]\nid = \"{id}\"\nphase = \"contain\"\ntitle = \"Ask\"\naction = \"decide\"\n\
         with = {{ question = \"Again?\", options = [{{ id = \"yes\", title = \"yes\" }}, {{ id = \"no\", title = \"no\" }}] }}\n\n"
    )
}

fn inventory() -> String {
    "[[steps]]\nid = \"inventory\"\nphase = \"identify\"\ntitle = \"Tokens\"\naction = \"cloudflare.tokens.inventory\"\n\
     with = { suspect = \"ci-deploy\" }\n\n"
        .to_owned()
}

const DONE: &str = "answer = \"run\"\nfields = { attested_by = \"Priya Nair\" }\n";

fn run(scene: &Scene, runbook: &str, answers: &str) -> Ran {
    scene.write("drill.toml", &format!("{HEAD}{runbook}"));
    scene.write("answers.toml", answers);
    scene.run(&["run", "drill.toml", "--answers", "answers.toml", "--json"])
}

/// The steps of a run's document: path and status.
fn steps(document: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let steps = document["steps"].as_array().unwrap();
    steps.iter().map(|step| (text(&step["path"]), text(&step["status"]))).collect()
}

fn named(steps: &[(&str, &str)]) -> Vec<(String, String)> {
    steps.iter().map(|(path, status)| ((*path).to_owned(), (*status).to_owned())).collect()
}

/// The output of the step at `path`, as the journal keeps it.
fn output(scene: &Scene, path: &str) -> Value {
    let journal = scene.journal();
    let done = |entry: &&Value| entry["path"] == path && entry["event"]["type"] == "step_done";
    journal.iter().find(done).unwrap_or_else(|| panic!("{path} is not done"))["event"]["output"]["inline"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_done_for_each_item_and_its_results_are_kept_by_item() {
    let scene = Scene::new().await;
    let list = "foreach = [\"one\", \"two/#[x]\"]\nas = \"name\"\n";
    let runbook = by_hand("steps", "visit", "go to {{name}}", list)
        + &by_hand("steps", "after", "{{len steps.visit.results}} visited", "");
    let document = run(&scene, &runbook, &format!("[steps.visit]\n{DONE}[steps.after]\n{DONE}")).expect(0).json();
    let second = "visit[two%2F%23%5Bx%5D]";
    let wanted = [("visit[one]", "done"), (second, "done"), ("visit", "done"), ("after", "done")];
    assert_eq!(steps(&document), named(&wanted));
    let results = &output(&scene, "visit")["results"];
    assert_eq!((&results[0]["key"], &results[1]["item"]), (&json!("one"), &json!("two/#[x]")));
    let journal = scene.journal();
    let proposed = |path: &str| {
        let is_it = |entry: &&Value| entry["path"] == path && entry["event"]["type"] == "proposed";
        journal.iter().find(is_it).unwrap()["event"]["effects"][0]["call"]["instruction"].clone()
    };
    assert_eq!(proposed(second), "go to two/#[x]");
    assert_eq!(proposed("after"), "2 visited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_gone_through_for_each_item_and_sees_its_own() {
    let scene = Scene::new().await;
    let runbook = inventory()
        + &group("review", "foreach = { from = \"steps.inventory.suspects\" }\nas = \"token\"\n")
        + &question("steps.steps", "ours")
        + &by_hand(
            "steps.steps",
            "tell",
            "{{token.name}}: {{steps.ours.choice}}",
            "when = '(eq steps.ours.choice \"yes\")'",
        );
    let answers = format!(
        "[steps.ours]\nanswer = \"run\"\nfields = {{ choice = \"yes\", reason = \"x\", agreed_by = \"y\" }}\n[steps.tell]\n{DONE}"
    );
    let document = run(&scene, &runbook, &answers).expect(0).json();
    let suspect = &scene.scenario.cast.suspect_token_id;
    let (ours, tell) = (format!("review/ours[{suspect}]"), format!("review/tell[{suspect}]"));
    let wanted = [("inventory", "done"), (ours.as_str(), "done"), (tell.as_str(), "done"), ("review", "done")];
    assert_eq!(steps(&document), named(&wanted));
    assert_eq!(output(&scene, "review")["results"][0]["output"]["ours"]["choice"], "yes");
    assert_eq!(output(&scene, "review")["results"][0]["key"], suspect.as_str());
}

/// A group that asks whether to go on, round by round.
fn rounds(max: u32, more: &str) -> String {
    let repeat = format!("repeat = {{ until = '(eq steps.again.choice \"no\")', max = {max} }}\n{more}");
    group("hunt", &repeat) + &question("steps.steps", "again")
}

fn says(path: &str, choice: &str) -> String {
    format!(
        "[steps.\"{path}\"]\nanswer = \"run\"\nfields = {{ choice = \"{choice}\", reason = \"x\", agreed_by = \"y\" }}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_repeated_until_its_condition_holds() {
    let scene = Scene::new().await;
    let answers = says("hunt/again#1", "yes") + &says("hunt/again#2", "no");
    let document = run(&scene, &rounds(5, ""), &answers).expect(0).json();
    let wanted = [("hunt/again#1", "done"), ("hunt/again#2", "done"), ("hunt", "done")];
    assert_eq!(steps(&document), named(&wanted));
    assert_eq!(output(&scene, "hunt")["again"]["choice"], "no", "the last round counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_that_never_end_are_a_failure() {
    let scene = Scene::new().await;
    let document = run(&scene, &rounds(2, "on_failure = \"continue\"\n"), &says("again", "yes")).expect(12).json();
    let wanted = [("hunt/again#1", "done"), ("hunt/again#2", "done"), ("hunt", "failed")];
    assert_eq!(steps(&document), named(&wanted));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_in_any_case_is_done_after_an_abort() {
    let scene = Scene::new().await;
    let runbook = by_hand("steps", "first", "x", "")
        + &by_hand("steps", "second", "x", "")
        + &by_hand("finally", "goodbye", "tell the team", "");
    let answers = format!("[steps.first]\nanswer = \"abort\"\nreason = \"a false alarm\"\n[steps.goodbye]\n{DONE}");
    let document = run(&scene, &runbook, &answers).expect(11).json();
    let wanted = [("first", "waiting"), ("second", "pending"), ("goodbye", "done")];
    assert_eq!(steps(&document), named(&wanted));
    assert_eq!(document["outcome"], "aborted");
    let last = scene.journal().iter().rfind(|entry| entry["event"]["type"] == "run_closed").unwrap().clone();
    assert_eq!((&last["event"]["outcome"], &last["event"]["reason"]), (&json!("aborted"), &json!("a false alarm")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_may_not_be_skipped_waits() {
    let scene = Scene::new().await;
    let answers = "[steps.must]\nanswer = \"skip\"\nreason = \"no time\"\n";
    let runbook = inventory()
        + "[[steps]]\nid = \"must\"\nphase = \"contain\"\ntitle = \"Cut\"\nwhy = \"x\"\nskippable = false\n\
           action = \"cloudflare.token.disable\"\nwith = { tokens = { from = \"steps.inventory.suspects\" } }\n";
    let ran = run(&scene, &runbook, answers).expect(11);
    assert!(ran.stderr.contains("which may not be skipped"), "{}", ran.stderr);
    assert_eq!(ran.json()["outcome"], "paused");
    assert!(scene.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_goes_through_lists_that_are_known_and_one_round() {
    let scene = Scene::new().await;
    let runbook = by_hand("steps", "visit", "go to {{name}}", "foreach = [\"one\", \"two\"]\nas = \"name\"\n")
        + &rounds(3, "")
        + &by_hand("steps", "later-on", "{{steps.hunt.again.choice}}", "");
    scene.write("drill.toml", &format!("{HEAD}{runbook}"));
    let document = scene.run(&["plan", "drill.toml", "--json"]).expect(0).json();
    let predicted: Vec<(&str, &str)> = document["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["path"].as_str().unwrap(), step["prediction"].as_str().unwrap()))
        .collect();
    let wanted = [
        ("visit", "will_change"),
        ("visit[one]", "will_change"),
        ("visit[two]", "will_change"),
        ("hunt", "cannot_know"),
        ("hunt/again#1", "cannot_know"),
        ("later-on", "cannot_know"),
    ];
    assert_eq!(predicted, wanted);
    assert!(scene.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_come_from_the_flag_the_file_and_the_environment_in_that_order() {
    let scene = Scene::new().await;
    let runbook =
        "[inputs.who]\ntype = \"string\"\n\n".to_owned() + &by_hand("steps", "visit", "for {{inputs.who}}", "");
    scene.write("drill.toml", &format!("{HEAD}{runbook}"));
    scene.write("file.toml", &format!("[inputs]\nwho = \"file\"\n[steps.visit]\n{DONE}"));
    scene.write("none.toml", &format!("[steps.visit]\n{DONE}"));
    for (answers, set, wanted) in
        [("none.toml", None, "environment"), ("file.toml", None, "file"), ("file.toml", Some("flag"), "flag")]
    {
        let set = set.map(|value| format!("who={value}"));
        let mut args = vec!["plan", "drill.toml", "--answers", answers, "--json"];
        args.extend(set.iter().flat_map(|set| ["--set", set.as_str()]));
        let document = ran(scene.command(&args).env("QUELL_INPUT_WHO", "environment")).expect(0).json();
        assert_eq!(document["inputs"]["who"], wanted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_no_input() {
    let scene = Scene::new().await;
    let runbook = "[inputs.who]\ntype = \"string\"\n\n".to_owned() + &by_hand("steps", "visit", "x", "");
    scene.write("drill.toml", &format!("{HEAD}{runbook}"));
    for secret in ["cfut_0123456789012345678901234567890123456789abcd", "Ab3-56789012345678901234567890123456_890"] {
        let ran = scene.run(&["plan", "drill.toml", "--set", &format!("who={secret}")]).expect(2);
        assert!(ran.stderr.contains("looks like a secret"), "{}", ran.stderr);
        assert!(!ran.stderr.contains(secret), "{}", ran.stderr);
    }
}
