//! Runbooks that call others: scope, inputs, lists, what is done in any case, and what the run is bound to.

use std::fs;

use serde_json::{Value, json};

use super::{DONE, HEAD, by_hand, inventory, named, output, run, steps};
use crate::scene::{Ran, Scene, ran};

/// Disables a token by its name, and says so. Its ids are also used by those that call it.
const BLOCK: &str = r#"
schema = 1
name   = "block"
title  = "Block a token"

[inputs.who]
type     = "string"
required = true

[inputs.pace]
type    = "choice"
choices = ["now", "later"]
default = "now"

[[steps]]
id     = "inventory"
phase  = "identify"
title  = "Look for {{inputs.who}}"
action = "cloudflare.tokens.inventory"
with   = { suspect = { from = "inputs.who" } }

[[steps]]
id     = "cut"
phase  = "contain"
title  = "Cut {{inputs.who}}"
why    = "It leaked."
action = "cloudflare.token.disable"
with   = { tokens = { from = "steps.inventory.suspects" } }

[[finally]]
id     = "tell"
phase  = "recover"
title  = "Tell"
action = "manual"
with   = { instruction = "{{inputs.who}}, {{inputs.pace}}: {{len steps.inventory.suspects}}" }
"#;

/// A step that calls a runbook.
pub(super) fn call(under: &str, id: &str, with: &str, more: &str) -> String {
    format!(
        "[[{under}]]\nid = \"{id}\"\nphase = \"contain\"\ntitle = \"Call\"\naction = \"runbook\"\nwith = {{ {with} }}\n{more}\n"
    )
}

/// Puts a runbook where it is found by its name.
pub(super) fn shelve(scene: &Scene, name: &str, text: &str) {
    fs::create_dir_all(scene.path("runbooks")).unwrap();
    scene.write(&format!("runbooks/{name}.toml"), text);
}

/// What was to be done by hand at `path`.
pub(super) fn instruction(scene: &Scene, path: &str) -> Value {
    let journal = scene.journal();
    let is_it = |entry: &&Value| entry["path"] == path && entry["event"]["type"] == "proposed";
    journal.iter().find(is_it).unwrap()["event"]["effects"][0]["call"]["instruction"].clone()
}

/// The event of this kind, at `path` where there is one.
pub(super) fn event(scene: &Scene, kind: &str, path: Option<&str>) -> Value {
    let journal = scene.journal();
    let is_it = |entry: &&Value| entry["event"]["type"] == kind && path.is_none_or(|path| entry["path"] == path);
    journal.iter().find(is_it).unwrap_or_else(|| panic!("no {kind}"))["event"].clone()
}

fn blocking() -> String {
    inventory()
        + &call("steps", "block", "name = \"block\", inputs = { who = \"ci-deploy\" }", "")
        + &by_hand(
            "steps",
            "after",
            "{{#each steps.block.cut.disabled}}{{this.name}}{{/each}} of {{len steps.inventory.tokens}}",
            "",
        )
}

fn answers() -> String {
    format!("[steps.\"block/cut\"]\nanswer = \"run\"\n[steps.\"block/tell\"]\n{DONE}[steps.after]\n{DONE}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_called_runbook_sees_its_own_inputs_and_steps_and_is_seen_through_its_call() {
    let scene = Scene::new().await;
    shelve(&scene, "block", BLOCK);
    let document = run(&scene, &blocking(), &answers()).expect(0).json();
    let wanted = [
        ("inventory", "done"),
        ("block/inventory", "done"),
        ("block/cut", "done"),
        ("block/tell", "done"),
        ("block", "done"),
        ("after", "done"),
    ];
    assert_eq!(steps(&document), named(&wanted));
    assert_eq!(instruction(&scene, "block/tell"), "ci-deploy, now: 1");
    assert_eq!(instruction(&scene, "after"), "ci-deploy of 12");
    let expanded = event(&scene, "expanded", Some("block"));
    assert_eq!(expanded["inputs"], json!({ "inline": { "": { "who": "ci-deploy", "pace": "now" } } }));
    assert_eq!(expanded["steps"][0]["title"], "Look for ci-deploy");
    let is_final: Vec<bool> =
        expanded["steps"].as_array().unwrap().iter().map(|step| step["finally"] == true).collect();
    assert_eq!(is_final, [false, false, true]);
    scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_run_is_bound_to_every_text() {
    let scene = Scene::new().await;
    shelve(&scene, "block", BLOCK);
    // One that calls one: both are pinned, each once.
    let twice = call("steps", "one", "name = \"block\", inputs = { who = \"ci-deploy\" }", "")
        + &call("steps", "two", "name = \"block\", inputs = { who = \"ci-deploy\" }", "when = \"(eq 1 2)\"");
    shelve(&scene, "twice", &format!("{}{twice}", HEAD.replace("drill", "twice")));
    let runbook = call("steps", "outer", "name = \"twice\"", "");
    let digest = |text: &str| {
        shelve(&scene, "block", text);
        scene.write("drill.toml", &format!("{HEAD}{runbook}"));
        scene.run(&["plan", "drill.toml", "--json"]).expect(0).json()["digest"].clone()
    };
    assert_ne!(digest(&BLOCK.replace("leaked", "was lost")), digest(BLOCK));
    assert_eq!(digest(BLOCK), digest(BLOCK));
    let ran = run(&scene, &runbook, "[steps.\"outer/one/cut\"]\nanswer = \"run\"\n").expect(11);
    assert!(ran.stderr.contains("[steps.\"outer/one/tell\"]"), "{}", ran.stderr);
    let sealed = event(&scene, "plan_sealed", None);
    let nested = sealed["nested"].as_array().unwrap();
    assert_eq!(nested.iter().map(|it| it["name"].as_str().unwrap()).collect::<Vec<_>>(), ["twice", "block"]);
    let kept: Value = serde_json::from_slice(&fs::read(scene.incident().join("plan-r1.json")).unwrap()).unwrap();
    assert_eq!(kept["nested"][1]["text"], BLOCK);
    scene.run(&["verify"]).expect(0);

    // Edited since: neither taken nor passed over.
    shelve(&scene, "block", &BLOCK.replace("Tell", "Say"));
    scene.write("all.toml", &format!("[steps.\"outer/one/tell\"]\n{DONE}"));
    let refused = scene.run(&["resume", "--answers", "all.toml"]).expect(10);
    assert!(refused.stderr.contains("runbooks/block.toml was edited after the run began"), "{}", refused.stderr);
    // Gone: the sealed text is enough.
    fs::remove_file(scene.path("runbooks/block.toml")).unwrap();
    scene.run(&["resume", "--answers", "all.toml"]).expect(0);
    assert_eq!(instruction(&scene, "outer/one/tell"), "ci-deploy, now: 1");
    let report = fs::read_to_string(scene.incident().join("report.md")).unwrap();
    let digest = quell::model::Digest::of(BLOCK.as_bytes());
    assert!(report.lines().any(|line| line.contains("It calls runbook `block`") && line.contains(digest.as_str())));

    let path = scene.incident().join("plan-r1.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("Cut {{inputs.who}}", "Cat {{inputs.who}}")).unwrap();
    let found = scene.run(&["verify"]).expect(14);
    assert!(found.stdout.contains("the plan of run r1 was altered"), "{}", found.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runbook_is_called_for_each_item_with_inputs_of_its_own() {
    let scene = Scene::new().await;
    shelve(
        &scene,
        "greet",
        &(HEAD.replace("drill", "greet")
            + "[inputs.whom]\ntype = \"string\"\nrequired = true\n\n"
            + &by_hand("steps", "greet", "{{inputs.whom}}", "")),
    );
    let list = "foreach = [\"ann\", \"bob\"]\nas = \"name\"\n";
    let runbook = call("steps", "each", "name = \"greet\", inputs = { whom = \"dear {{name}}\" }", list)
        + &by_hand("steps", "after", "{{#each steps.each.results}}{{this.key}} {{/each}}", "");
    let answers = format!("[steps.\"each/greet\"]\n{DONE}[steps.after]\n{DONE}");
    let document = run(&scene, &runbook, &answers).expect(0).json();
    let wanted = [("each/greet[ann]", "done"), ("each/greet[bob]", "done"), ("each", "done"), ("after", "done")];
    assert_eq!(steps(&document), named(&wanted));
    assert_eq!(instruction(&scene, "each/greet[bob]"), "dear bob");
    assert_eq!(instruction(&scene, "after"), "ann bob ");
    let results = output(&scene, "each")["results"].clone();
    assert_eq!((&results[0]["key"], results[0]["output"]["greet"].is_object()), (&json!("ann"), true), "{results:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn once_it_was_begun_what_a_called_runbook_does_in_any_case_is_done() {
    let scene = Scene::new().await;
    shelve(&scene, "block", BLOCK);
    let calls = |id: &str| call("steps", id, "name = \"block\", inputs = { who = \"ci-deploy\" }", "");
    let runbook = calls("first") + &calls("second") + &by_hand("finally", "tell", "all", "");
    let answers = format!(
        "[steps.\"first/cut\"]\nanswer = \"abort\"\nreason = \"no\"\n[steps.\"first/tell\"]\n{DONE}[steps.tell]\n{DONE}"
    );
    let document = run(&scene, &runbook, &answers).expect(11).json();
    let wanted = [
        ("first/inventory", "done"),
        ("first/cut", "waiting"),
        ("first/tell", "done"),
        ("first", "running"),
        ("second", "pending"),
        ("tell", "done"),
    ];
    assert_eq!(steps(&document), named(&wanted));
    assert_eq!(document["outcome"], "aborted");
    assert!(scene.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_will_not_do_fails_the_call_and_nothing_of_it_is_begun() {
    let scene = Scene::new().await;
    shelve(&scene, "block", BLOCK);
    let ask = "[[steps]]\nid = \"ask\"\nphase = \"identify\"\ntitle = \"Ask\"\naction = \"ask\"\n\
               with = { instruction = \"x\", questions = [{ name = \"pace\", prompt = \"?\" }] }\n";
    let with = "name = \"block\", inputs = { who = \"ci-deploy\", pace = { from = \"steps.ask.answers.pace\" } }";
    let runbook = ask.to_owned() + &call("steps", "block", with, "on_failure = \"continue\"\n");
    let answers = "[steps.ask]\nanswer = \"run\"\nfields = { pace = \"soon\" }\n";
    let ran = run(&scene, &runbook, answers).expect(12);
    assert_eq!(steps(&ran.json()), named(&[("ask", "done"), ("block", "failed")]));
    let why = "the input `pace` of the runbook `block`: `soon` will not do: it must be one of now, later";
    assert_eq!(event(&scene, "step_failed", Some("block"))["error"], why);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_looks_into_what_is_called() {
    let scene = Scene::new().await;
    shelve(&scene, "block", BLOCK);
    scene.write("drill.toml", &format!("{HEAD}{}", blocking()));
    let document = scene.run(&["plan", "drill.toml", "--json"]).expect(0).json();
    let predicted: Vec<(&str, &str)> = document["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["path"].as_str().unwrap(), step["prediction"].as_str().unwrap()))
        .collect();
    let wanted = [
        ("inventory", "already_so"),
        ("block", "will_change"),
        ("block/inventory", "already_so"),
        ("block/cut", "will_change"),
        ("block/tell", "will_change"),
        ("after", "cannot_know"),
    ];
    assert_eq!(predicted, wanted);
    assert!(document["permissions"].as_array().unwrap().iter().any(|it| it["write"] == true), "{document:#}");
    assert!(scene.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_accepted_runbooks_are_called() {
    let scene = Scene::new().await;
    shelve(&scene, "block", BLOCK);
    let outer = format!("{HEAD}{}", blocking());
    scene.write("drill.toml", &outer);
    let digest = |text: &str| quell::model::Digest::of(text.as_bytes()).to_string();
    let plan = |accepted: &[String]| -> Ran {
        scene.write("quell.toml", &format!("[runbooks]\naccept_only = {accepted:?}\n"));
        scene.run(&["plan", "drill.toml", "--config", "quell.toml"])
    };
    let refused = plan(&[digest(&outer)]).expect(10);
    assert!(refused.stderr.contains("runbooks/block.toml is not among those"), "{}", refused.stderr);
    assert!(refused.stderr.contains(&digest(BLOCK)), "{}", refused.stderr);
    plan(&[digest(&outer), digest(BLOCK)]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_name_the_steps_of_a_called_runbook_by_the_way_to_them() {
    let scene = Scene::new().await;
    shelve(&scene, "block", BLOCK);
    let ran = run(&scene, &blocking(), &answers().replace("block/cut", "cut")).expect(2);
    assert!(ran.stderr.contains("the runbook has no step `cut`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("block/cut"), "{}", ran.stderr);
    // `inventory` is in both: the plain id is the outer one's.
    let ran = run(&scene, &blocking(), &(answers() + "[steps.inventory]\nanswer = \"run\"\n")).expect(0);
    assert_eq!(ran.json()["outcome"], "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_of_a_called_step_names_it_by_its_way() {
    let scene = Scene::new().await;
    shelve(&scene, "block", BLOCK);
    run(&scene, &blocking(), &answers()).expect(0);
    let incident = scene.incident().file_name().unwrap().to_string_lossy().into_owned();
    scene.run(&["undo", &incident, "cut", "--dry-run"]).expect(2);
    scene.run(&["undo", &incident, "block/cut", "--dry-run"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_show_and_graph_follow_what_is_called() {
    let scene = Scene::new().await;
    shelve(&scene, "block", BLOCK);
    scene.write("drill.toml", &format!("{HEAD}{}", blocking()));
    let bare = |args: &[&str]| ran(&mut scene.bare(args));
    let checked = bare(&["runbooks", "check", "drill.toml"]).expect(0);
    assert!(checked.stderr.contains("runbooks/block.toml: 0 errors, 0 warnings"), "{}", checked.stderr);
    let shown = bare(&["runbooks", "show", "drill.toml"]).expect(0).stdout;
    for part in ["2. block", "calls block, from ", "2.2. cut", "2.3. tell", "disruptive", "(in any case)"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let graph = bare(&["runbooks", "show", "drill.toml", "--graph"]).expect(0).stdout;
    for part in
        ["subgraph s1[\"2. Call<br/>runbook block\"]", "s1_1[\"2. Cut", "s1_0 -.->|from| s1_1", "s1 -.->|from| s2"]
    {
        assert!(graph.contains(part), "{part}: {graph}");
    }
    shelve(&scene, "block", &BLOCK.replace("cloudflare.token.disable", "cloudflare.token.dsable"));
    let checked = bare(&["runbooks", "check", "drill.toml"]).expect(10);
    for part in [
        "error[R024]: the runbook `block` has an error of its own",
        "error[R007]",
        "did you mean `cloudflare.token.disable`?",
    ] {
        assert!(checked.stderr.contains(part), "{part}: {}", checked.stderr);
    }
    let document = bare(&["runbooks", "check", "drill.toml", "--json"]).expect(10).json();
    assert_eq!((&document["errors"], &document["nested"][0]["problems"][0]["code"]), (&json!(1), &json!("R007")));
}
