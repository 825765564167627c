//! Killed at every entry of a runbook that uses every kind of step, and resumed: the same items, the same rounds, every
//! effect once.

use serde_json::Value;

use super::called::{call, shelve};
use super::plain::step;
use super::{DONE, HEAD, by_hand, group, inventory, question, says};
use crate::scene::{Scene, ran};

/// Entries before the plan is fixed.
const BEFORE_PLAN: usize = 4;

async fn stage() -> Scene {
    let scene = Scene::new().await;
    let cut = "[[steps.steps]]\nid = \"cut\"\nphase = \"contain\"\ntitle = \"Cut\"\nwhy = \"x\"\n\
               action = \"cloudflare.token.disable\"\nwith = { tokens = { from = \"steps.inventory.suspects\" } }\n\n";
    let runbook = inventory()
        + &group("hunt", "repeat = { until = '(eq steps.again.choice \"no\")', max = 3 }\n")
        + cut
        + &question("steps.steps", "again")
        + &by_hand("steps", "visit", "go to {{name}}", "foreach = [\"one\", \"two\"]\nas = \"name\"\n")
        + &step("calm-down", "wait", "for = \"1s\"")
        + &step("draft", "report", "")
        + &by_hand("finally", "goodbye", "tell the team", "");
    scene.write("drill.toml", &format!("{HEAD}{runbook}"));
    let answers = format!(
        "[defaults]\nin_doubt = \"retry\"\n[steps.cut]\nanswer = \"run\"\n[steps.visit]\n{DONE}[steps.goodbye]\n{DONE}"
    ) + &says("hunt/again#1", "yes")
        + &says("hunt/again#2", "no");
    scene.write("answers.toml", &answers);
    scene
}

/// A runbook that calls one for each of two tokens, and that one another.
async fn calling() -> Scene {
    let scene = Scene::new().await;
    let inputs = "[inputs.id]\ntype = \"string\"\nrequired = true\n[inputs.name]\ntype = \"string\"\ndefault = \"?\"\n";
    let cut = "[[steps]]\nid = \"cut\"\nphase = \"contain\"\ntitle = \"Cut\"\nwhy = \"x\"\naction = \"cloudflare.token.disable\"\n\
               with = { tokens = [{ id = \"{{inputs.id}}\", name = \"{{inputs.name}}\" }] }\n"
        .to_owned()
        + &by_hand("finally", "tell", "{{len steps.cut.disabled}}", "");
    shelve(&scene, "cut", &format!("{}{inputs}{cut}", HEAD.replace("drill", "cut")));
    let inner = call("steps", "cut", "name = \"cut\", inputs = { id = { from = \"inputs.id\" } }", "")
        + &by_hand("finally", "tell", "{{inputs.name}}: {{len steps.cut.cut.disabled}}", "");
    shelve(&scene, "inner", &format!("{}{inputs}{inner}", HEAD.replace("drill", "inner")));
    let tokens = ["ci-deploy", "terraform plan"].map(|name| {
        let token = scene.scenario.cast.tokens.iter().find(|token| token.name == name).unwrap();
        format!("{{ id = \"{}\", name = \"{name}\" }}", token.id)
    });
    let list = format!("foreach = [{}]\nas = \"token\"\n", tokens.join(", "));
    let with = "name = \"inner\", inputs = { id = \"{{token.id}}\", name = { from = \"token.name\" } }";
    let runbook = call("steps", "each", with, &list) + &by_hand("finally", "tell", "the team", "");
    scene.write("drill.toml", &format!("{HEAD}{runbook}"));
    let by_hand = ["each/cut/tell", "each/tell", "tell"].map(|step| format!("[steps.\"{step}\"]\n{DONE}"));
    let cut = "[steps.\"each/cut/cut\"]\nanswer = \"run\"\n";
    scene.write("answers.toml", &format!("[defaults]\nin_doubt = \"retry\"\n{}{cut}", by_hand.concat()));
    scene
}

/// What the journal says of each step, without times and digests.
fn outline(scene: &Scene) -> Vec<(String, String)> {
    let journal = scene.journal();
    let told = journal.iter().filter(|entry| {
        matches!(
            entry["event"]["type"].as_str(),
            Some("expanded" | "waited" | "report_written" | "step_done" | "run_closed")
        )
    });
    let of = |entry: &Value| {
        let path = entry["path"].as_str().unwrap_or_default().to_owned();
        (path, entry["event"]["type"].as_str().unwrap().to_owned())
    };
    told.map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_every_entry_it_ends_the_same() {
    let whole = stage().await;
    whole.run(&["run", "drill.toml", "--answers", "answers.toml"]).expect(0);
    let (wanted, entries) = (outline(&whole), whole.journal().len());
    assert!(wanted.iter().filter(|(_, kind)| kind == "expanded").count() == 3, "{wanted:?}");
    for nth in BEFORE_PLAN..entries - 1 {
        let scene = stage().await;
        killed(&scene, nth, &wanted, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_every_entry_of_called_runbooks_it_ends_the_same() {
    let whole = calling().await;
    whole.run(&["run", "drill.toml", "--answers", "answers.toml"]).expect(0);
    let (wanted, entries, writes) = (outline(&whole), whole.journal().len(), whole.writes().len());
    assert!(wanted.iter().filter(|(_, kind)| kind == "expanded").count() == 3, "{wanted:?}");
    assert_eq!(writes, 2, "{wanted:?}");
    for nth in BEFORE_PLAN..entries - 1 {
        let scene = calling().await;
        killed(&scene, nth, &wanted, writes);
    }
}

/// Killed after one entry and resumed, the run is as it was without.
#[track_caller]
fn killed(scene: &Scene, nth: usize, wanted: &[(String, String)], writes: usize) {
    let mut command = scene.command(&["run", "drill.toml", "--answers", "answers.toml"]);
    let point = format!("after-append:{nth}");
    assert_eq!(ran(command.env("QUELL_CRASH_AT", &point)).code, -1, "{point} was never reached");
    scene.run(&["resume", "--answers", "answers.toml"]).expect(0);
    assert_eq!(outline(scene), wanted, "{point}");
    assert_eq!(scene.writes().len(), writes, "{point}: {:?}", scene.writes());
    scene.run(&["verify"]).expect(0);
}
