//! The main runbook cuts and hunts in rounds until a round has nothing left to cut.

use std::fs;

use crate::scene::{Scene, ran};

fn answers() -> String {
    let path = format!("{}/runbooks/cloudflare-token-compromise.answers.toml", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).unwrap()
}

/// The rounds of the group, and how many tokens were disabled in each.
fn rounds(scene: &Scene) -> Vec<usize> {
    let journal = scene.journal();
    let of = |entry: &serde_json::Value| {
        let output = &entry["event"]["output"]["inline"];
        output["newly"].as_array().map(Vec::len)
    };
    let is_cut = |entry: &&serde_json::Value| {
        entry["event"]["type"] == "step_done"
            && entry["path"].as_str().is_some_and(|path| path.starts_with("rounds/cut-again"))
    };
    journal.iter().filter(is_cut).filter_map(of).collect()
}

/// What the second look said.
fn recheck(scene: &Scene) -> serde_json::Value {
    let journal = scene.journal();
    let done = journal.iter().rfind(|entry| entry["path"] == "recheck" && entry["event"]["type"] == "step_done");
    done.unwrap()["event"]["output"]["inline"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_first_cut_left_is_cut_in_the_first_round_and_the_second_finds_nothing_more() {
    let scene = Scene::new().await;
    // Somebody cuts the suspect alone: what it made is found by the round.
    let answers = answers().replace(
        "answer = \"run\"\nphrase = \"disable 3\"",
        "answer = \"run\"\nselect = [\"ci-deploy\"]\nphrase = \"cut\"\nleft = \"later:nobody\"",
    );
    let answers = scene.write("answers.toml", &answers).display().to_string();
    let said = ran(&mut scene.bare(&["rehearse", "--answers", &answers, "--json"])).expect(0);
    assert_eq!(rounds(&scene), [2, 0], "{}", said.stderr);
    // Each round is fixed in the journal before it begins.
    let journal = scene.journal();
    let expanded =
        journal.iter().filter(|entry| entry["path"] == "rounds" && entry["event"]["type"] == "expanded").count();
    assert_eq!(expanded, 2);
    assert!(said.stderr.contains("17 of 17 planted artefacts found"), "{}", said.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_round_after_one_that_took_a_widened_token_and_a_member_finds_nothing_and_the_second_look_proves_it() {
    let scene = Scene::new().await;
    let answers = scene.write("answers.toml", &answers()).display().to_string();
    let said = ran(&mut scene.bare(&["rehearse", "--answers", &answers, "--json"])).expect(0);
    assert_eq!(rounds(&scene), [0, 0], "{}", said.stderr);
    let proof = recheck(&scene);
    assert_eq!((&proof["proof"], &proof["new"]), (&"does_not_hold".into(), &serde_json::json!([])), "{proof}");
    let rows = proof["rechecked"].as_array().unwrap();
    let left: Vec<&str> =
        rows.iter().filter(|row| row["stands"] != "gone").map(|row| row["finding"].as_str().unwrap()).collect();
    // The widened token rests, and is as it was made.
    let [token, record] = left.as_slice() else { panic!("{left:?}") };
    assert!(token.starts_with("CF-I04:account_tokens:") && record.starts_with("CF-T07:dns_records:"), "{left:?}");
}
