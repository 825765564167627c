//! Killed at every entry of a runbook that uses every kind of step, and resumed: the same items, the same rounds, every
//! effect once.

use serde_json::Value;

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
        + &by_hand("finally", "goodbye", "tell the team", "");
    scene.write("drill.toml", &format!("{HEAD}{runbook}"));
    let answers = format!(
        "[defaults]\nin_doubt = \"retry\"\n[steps.cut]\nanswer = \"run\"\n[steps.visit]\n{DONE}[steps.goodbye]\n{DONE}"
    ) + &says("hunt/again#1", "yes")
        + &says("hunt/again#2", "no");
    scene.write("answers.toml", &answers);
    scene
}

/// What the journal says of each step, without times and digests.
fn outline(scene: &Scene) -> Vec<(String, String)> {
    let journal = scene.journal();
    let told = journal
        .iter()
        .filter(|entry| matches!(entry["event"]["type"].as_str(), Some("expanded" | "step_done" | "run_closed")));
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
        let mut command = scene.command(&["run", "drill.toml", "--answers", "answers.toml"]);
        let point = format!("after-append:{nth}");
        assert_eq!(ran(command.env("QUELL_CRASH_AT", &point)).code, -1, "{point} was never reached");
        scene.run(&["resume", "--answers", "answers.toml"]).expect(0);
        assert_eq!(outline(&scene), wanted, "{point}");
        let writes = scene.writes();
        assert_eq!(writes.len(), 1, "{point}: {writes:?}");
    }
}
