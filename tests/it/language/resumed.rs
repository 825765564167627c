//! Killed at every entry of runbooks that call one another, and resumed: the same items, every effect once.

use std::process::Command;

use super::called::{call, shelve};
use super::{DONE, HEAD, by_hand};
use crate::battery::{Calls, Drill, calls, killed_after_every_entry, outline, undisturbed};
use crate::scene::Scene;

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

struct Calling(Scene);

impl Drill for Calling {
    /// What became of each step, in order.
    type End = Vec<(String, String)>;

    async fn begin() -> Self {
        Self(calling().await)
    }

    fn scene(&self) -> &Scene {
        &self.0
    }

    fn runbook(&self) -> &str {
        "drill.toml"
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.0.command(args);
        command.args(["--answers", "answers.toml", "--json"]);
        command
    }

    fn arrived(&self) -> Calls {
        calls(&self.0)
    }

    fn end(&self) -> Vec<(String, String)> {
        outline(&self.0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_that_is_over_is_begun_anew_and_never_run() {
    let scene = Scene::new().await;
    scene.write("drill.toml", &format!("{HEAD}{}", by_hand("steps", "visit", "x", "")));
    scene.write("answers.toml", &format!("[steps.visit]\n{DONE}"));
    let document =
        crate::scene::ran(&mut scene.bare(&["rehearse", "drill.toml", "--answers", "answers.toml", "--json"]));
    let id = document.expect(0).json()["incident"].as_str().unwrap().to_owned();
    let over = crate::scene::ran(&mut scene.bare(&["resume", &id, "--answers", "answers.toml"])).expect(2);
    assert!(over.stderr.contains("`quell rehearse RUNBOOK` begins another rehearsal"), "{}", over.stderr);
    assert!(!over.stderr.contains("quell run"), "{}", over.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_every_entry_of_called_runbooks_it_ends_the_same() {
    let whole = undisturbed::<Calling>().await;
    let expanded = whole.end().into_iter().filter(|(_, kind)| kind == "expanded").count();
    assert_eq!((expanded, whole.0.writes().len()), (3, 2), "{:?}", whole.end());
    killed_after_every_entry::<Calling>(0, 1).await;
}
