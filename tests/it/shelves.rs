//! Where a runbook is found by name: which one wins is shown, and journaled with its digest.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::scene::{Scene, ran};

fn book(title: &str) -> String {
    format!(
        "schema = 1\nname = \"watch\"\ntitle = \"{title}\"\nsummary = \"x\"\n\
         [[steps]]\nid = \"who\"\nphase = \"prepare\"\ntitle = \"Who\"\naction = \"cloudflare.whoami\"\n"
    )
}

/// The same name on every shelf, first to last.
fn stock(scene: &Scene) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for dir in ["flagged", "runbooks", "configured", ".config/quell/runbooks"] {
        fs::create_dir_all(scene.path(dir)).unwrap();
        paths.push(scene.write(&format!("{dir}/watch.toml"), &book(dir)));
    }
    scene.write(".config/quell/quell.toml", "[runbooks]\ndirs = [\"../../configured\"]\n");
    paths
}

fn sources(scene: &Scene, name: &str) -> Vec<(String, bool)> {
    let list = ran(&mut scene.bare(&["runbooks", "list", "--json", "--runbooks", "flagged"])).expect(0).json();
    let rows = list["runbooks"].as_array().unwrap().clone();
    let rows = rows.iter().filter(|row| row["name"] == name);
    rows.map(|row| (row["title"].as_str().unwrap().to_owned(), row["shadowed"] == true)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_shelf_wins_and_the_others_are_listed_as_shadowed() {
    let scene = Scene::new().await;
    let paths = stock(&scene);
    let listed = ["flagged", "runbooks", "configured", ".config/quell/runbooks"];
    let expected: Vec<_> = listed.iter().zip(0..).map(|(title, at)| ((*title).to_owned(), at > 0)).collect();
    assert_eq!(sources(&scene, "watch"), expected);
    for (path, title) in paths.iter().zip(listed) {
        let mut command = scene.bare(&["runbooks", "show", "watch", "--json"]);
        let shown = ran(command.env("QUELL_RUNBOOKS", scene.path("flagged"))).expect(0).json();
        assert_eq!(shown["title"], title);
        fs::remove_file(path).unwrap();
    }
    ran(&mut scene.bare(&["runbooks", "show", "watch"])).expect(2);
    // The library's own is found last, and can be shadowed like any other.
    let library = "cloudflare-token-compromise";
    let own = scene.write(&format!("runbooks/{library}.toml"), &book("mine"));
    assert_eq!(sources(&scene, library).iter().map(|row| row.1).collect::<Vec<_>>(), [false, true]);
    fs::remove_file(own).unwrap();
    let shown = ran(&mut scene.bare(&["runbooks", "show", library, "--json"])).expect(0).json();
    assert_eq!(shown["source"], "embedded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_named_must_be_there() {
    let scene = Scene::new().await;
    let missing = ran(&mut scene.bare(&["runbooks", "show", "watch", "--runbooks", "nowhere"])).expect(2);
    assert!(
        missing.stderr.contains("there is no directory nowhere of runbooks, which --runbooks names"),
        "{}",
        missing.stderr
    );
    fs::create_dir_all(scene.path(".config/quell")).unwrap();
    scene.write(".config/quell/quell.toml", "[runbooks]\ndirs = [\"gone\"]\n");
    ran(&mut scene.bare(&["config", "check"])).expect(2);
    ran(&mut scene.bare(&["runbooks", "list"])).expect(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_winner_is_shown_and_journaled_and_found_again_from_anywhere() {
    let scene = Scene::new().await;
    let paths = stock(&scene);
    let text = fs::read_to_string(&paths[1]).unwrap().replace(
        "[[steps]]",
        "[[steps]]\nid = \"ask\"\nphase = \"prepare\"\ntitle = \"Ask\"\naction = \"ask\"\n\
         with = { instruction = \"x\", questions = [{ name = \"a\", prompt = \"A?\", required = true }] }\n[[steps]]",
    );
    fs::write(&paths[1], text).unwrap();
    let answers = scene.write("answers.toml", "").display().to_string();
    let paused = scene.run(&["run", "watch", "--answers", &answers]).expect(11);
    let journal = scene.journal();
    let opened: &Value = &journal.iter().find(|entry| entry["event"]["type"] == "run_opened").unwrap()["event"];
    let source = paths[1].display().to_string();
    assert_eq!(opened["source"], source.as_str());
    let digest = opened["runbook_sha256"].as_str().unwrap();
    let header: String = paused.stderr.split_whitespace().collect();
    assert!(header.contains(&format!("watch({}),{source}", &digest[..12])), "{}", paused.stderr);
    // From another directory it is still the same file that is held against the sealed text.
    fs::create_dir(scene.path("elsewhere")).unwrap();
    fs::write(&paths[1], book("edited")).unwrap();
    let mut command = scene.command(&["resume", "--answers", &answers]);
    let refused = ran(command.current_dir(scene.path("elsewhere"))).expect(10);
    assert!(refused.stderr.contains("was edited after the run began"), "{}", refused.stderr);
}
