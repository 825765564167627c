//! A cut that somebody else makes: by `quell do` beside the run, by a colleague in the dashboard, before the run or while it
//! rests. Nothing is sent a second time, and whose token it is stays known.

use serde_json::{Value, json};

use crate::scene::{Ran, Scene, ran};

/// Nobody can name the suspect at first.
const UNKNOWN: &str = r#"
[inputs]
suspect       = "unknown"
detected_at   = "10m ago"
exposed_since = "7h ago"

[defaults]
left = "later:Jonas Weber"

[steps.own-sound]
answer = "run"
fields = { choice = "sound", reason = "made today on another machine" }

[steps.pace]
answer = "run"
fields = { choice = "evidence-first", reason = "nobody is harmed at this moment" }
"#;

/// What is answered from the cut on, where the token with this id is the intruder's.
fn from_the_cut_on(id: &str) -> String {
    let hands = [
        "key-now-owner",
        "key-soon-owner",
        "key-later-owner",
        "dns-settle",
        "certificates-settle",
        "firewall-settle",
        "people",
        "key",
    ]
    .map(|step| format!("[steps.{step}]\nanswer = \"run\"\nfields = {{ attested_by = \"Priya Nair\" }}\n"));
    let ways = ["key-now-way", "key-soon-way", "key-later-way"].map(|step| {
        format!("[steps.{step}]\nanswer = \"run\"\nfields = {{ choice = \"owner\", reason = \"he does so now\" }}\n")
    });
    format!(
        "{UNKNOWN}\n[steps.cut]\nanswer = \"run\"\nselect = [\"{id}\"]\nphrase = \"disable 1\"\n\
         [steps.cut-again]\nanswer = \"run\"\nselect = \"none\"\n\
         [steps.members-out]\nanswer = \"run\"\nphrase = \"tomas.herrera@harborlane-example.test\"\n\
         [steps.rotate]\nanswer = \"run\"\nselect = \"none\"\n[steps.rotate-later]\nanswer = \"run\"\nselect = \"none\"\n\
         [steps.revoke]\nanswer = \"run\"\nphrase = \"{id}\"\n\
         [steps.watch]\nanswer = \"run\"\nfields = {{ owner = \"Jonas Weber\" }}\n{}{}",
        hands.concat(),
        ways.concat()
    )
}

fn file(scene: &Scene, name: &str, text: &str) -> String {
    scene.write(name, text).display().to_string()
}

/// With nothing of the scene's own account: a rehearsal brings its own.
fn rehearsed(scene: &Scene, args: &[&str]) -> Ran {
    ran(&mut scene.bare(args))
}

/// The last output of a step, as the journal has it.
#[track_caller]
fn output(scene: &Scene, step: &str) -> Value {
    let journal = scene.journal();
    let is_it = |path: &str| path.rsplit('/').next().unwrap().split(['#', '[']).next() == Some(step);
    let done =
        |entry: &&Value| entry["event"]["type"] == "step_done" && is_it(entry["path"].as_str().unwrap_or_default());
    let entry = journal.iter().rfind(done).unwrap_or_else(|| panic!("{step} was not done"));
    let output = &entry["event"]["output"];
    match output["kept"]["sha256"].as_str() {
        None => output["inline"].clone(),
        Some(kept) => {
            let kept = scene.incident().join("evidence").join(kept);
            serde_json::from_slice(&std::fs::read(kept).unwrap()).unwrap()
        }
    }
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|token| token["id"].as_str().unwrap()).collect()
}

/// Takes the rehearsal up, from where it rests to its end: all that was planted is found, and nobody else is blamed.
#[track_caller]
fn ends_well(scene: &Scene, answers: &str) -> Ran {
    let answers = file(scene, "on.toml", answers);
    let resumed = rehearsed(scene, &["resume", "--answers", &answers]);
    assert!(matches!(resumed.code, 0 | 16), "{resumed:?}");
    assert!(resumed.stderr.contains("6 of 6 planted artefacts found"), "{}", resumed.stderr);
    assert!(!resumed.stderr.contains("innocent, and blamed"), "{}", resumed.stderr);
    let id = &scene.scenario.cast.suspect_token_id;
    let status = rehearsed(scene, &["status", "--json"]).expect(0).json();
    let of_token = |finding: &&Value| finding["resource"]["id"] == id.as_str();
    let findings: Vec<_> = status["findings"].as_array().unwrap().iter().filter(of_token).collect();
    assert!(!findings.is_empty());
    for finding in findings {
        assert!(matches!(finding["status"].as_str(), Some("contained" | "reverted")), "{finding:#}");
    }
    rehearsed(scene, &["verify"]).expect(0);
    // That sessions and the key were taken back is somebody's word; what nobody chose does not count.
    let brief = rehearsed(scene, &["status", "--brief"]).expect(0).stdout;
    assert!(brief.contains("; cut NOT proven (") && brief.contains(", 5 changes not proven); "), "{brief}");
    resumed
}

/// Stops the harm at once, beside the run that rests.
#[track_caller]
fn at_once(scene: &Scene, action: &str) {
    let id = &scene.scenario.cast.suspect_token_id;
    let answer = file(scene, "do.toml", &format!("[steps.do]\nanswer = \"run\"\nphrase = \"{id}\"\n"));
    let tokens = format!("tokens={}", json!([{ "id": id }]));
    rehearsed(scene, &["do", action, "--with", &tokens, "--answers", &answer]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_harm_stopped_at_once_while_the_run_rests_leaves_the_intruder_known() {
    for (action, said) in [
        ("cloudflare.token.disable", "its status is disabled"),
        ("cloudflare.token.revoke", "it is gone: the list of its owner's tokens does not have it"),
    ] {
        let scene = Scene::of("phished-admin").await;
        let id = &scene.scenario.cast.suspect_token_id;
        let begin = file(&scene, "begin.toml", UNKNOWN);
        rehearsed(&scene, &["rehearse", "--scenario", "phished-admin", "--answers", &begin]).expect(11);
        let brief = rehearsed(&scene, &["status", "--brief"]).expect(0).stdout;
        assert!(brief.contains("cut NOT proven (0 of ") && brief.contains(" containing steps done); "), "{brief}");
        at_once(&scene, action);
        let told = ends_well(&scene, &from_the_cut_on(id)).stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains("already so") && told.contains(said), "{told}");
        assert!(told.contains("0 of 9 done and proven, 8 for later, 1 so already"), "{told}");
        let cut = output(&scene, "cut");
        let counted = ["disabled", "newly", "chosen"].map(|list| ids(&cut[list]));
        assert_eq!(counted, [vec![id.as_str()], vec![], vec![id.as_str()]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_harm_stopped_at_once_before_the_inventory_names_the_first_candidate() {
    for (action, how) in [("cloudflare.token.disable", "disabled"), ("cloudflare.token.revoke", "deleted")] {
        let scene = Scene::of("phished-admin").await;
        let id = &scene.scenario.cast.suspect_token_id;
        let begin = file(&scene, "begin.toml", UNKNOWN.split("[steps.pace]").next().unwrap());
        rehearsed(&scene, &["rehearse", "--scenario", "phished-admin", "--answers", &begin]).expect(11);
        at_once(&scene, action);
        ends_well(&scene, &from_the_cut_on(id));
        let first = &output(&scene, "inventory")["suspects"][0];
        let why = format!("cut in this incident, {how} already, ");
        assert!(first["id"] == id.as_str() && first["why"].as_str().unwrap().starts_with(&why), "{first:#}");
        assert_eq!(ids(&output(&scene, "cut")["disabled"]), [id]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_chosen_only_in_a_later_round_is_followed_as_well() {
    let scene = Scene::of("phished-admin").await;
    let id = &scene.scenario.cast.suspect_token_id;
    let begin = file(&scene, "begin.toml", &UNKNOWN.replace("evidence-first", "cut-now"));
    rehearsed(&scene, &["rehearse", "--scenario", "phished-admin", "--answers", &begin]).expect(11);
    // Before the log is read, nothing speaks against it that does not speak against others.
    let chosen = format!("select = [\"{id}\"]\nphrase = \"disable 1\"\n");
    let (first, later) = ("[steps.cut]\nanswer = \"run\"\n", "[steps.cut-again]\nanswer = \"run\"\n");
    let on = from_the_cut_on(id).replace(&format!("{first}{chosen}"), &format!("{first}select = \"none\"\n"));
    // By then more speaks against it alone, and it is offered once more.
    let offered = format!("{later}select = [\"{id}\"]\nphrase = \"cut-again\"\n");
    let on = on.replace(&format!("{later}select = \"none\"\n"), &offered);
    // Nobody can say yet whose the invitation is; the next round can.
    let waits = "[steps.\"rounds/members-out#1\"]\nanswer = \"run\"\nselect = \"none\"\n";
    ends_well(&scene, &format!("{on}{waits}"));
}
