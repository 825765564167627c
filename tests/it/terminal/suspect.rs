//! A suspect of which only the value is known: pasted without echo, or from the environment, and kept nowhere.

use serde_json::json;

use super::rehearsal;
use super::typist::Typist;
use crate::scene::{Scene, files, ran};
use crate::spine::Spine;

/// Neither on the screen nor in a file.
#[track_caller]
fn is_kept_nowhere(scene: &Scene, secret: &str, shown: &str) {
    assert!(!shown.contains(secret), "{shown}");
    for (path, bytes) in files(&scene.state_dir()) {
        assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{}", path.display());
    }
}

fn sealed_suspect(scene: &Scene) -> serde_json::Value {
    let journal = scene.journal();
    let sealed = journal.iter().find(|entry| entry["event"]["type"] == "plan_sealed").unwrap();
    sealed["event"]["inputs"]["suspect"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pasted_value_leads_to_its_token_and_is_kept_nowhere() {
    let spine = Spine::new().await;
    let cast = &spine.scene.scenario.cast;
    let mut typist = Typist::at(spine.scene.command(&["run", "spine.toml"]));
    typist.answers("suspect", "value");
    typist.types_secret("the leaked value", "cfat_0000000000000000000000000000000000000000");
    typist.sees("no token has this value any more");
    typist.answers("suspect", "value");
    // Too much is no token, and nothing of it is sent.
    let key = format!("cfk_{}", "0".repeat(40));
    typist.types_secret("the leaked value", &key);
    typist.sees("that is no value of a token");
    typist.answers("suspect", "value");
    typist.types_secret("the leaked value", &cast.suspect_secret);
    typist.sees(&format!("the value is that of the token ci-deploy ({}):", cast.suspect_token_id));
    typist.answers("cut", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    is_kept_nowhere(&spine.scene, &cast.suspect_secret, &typist.screen);
    assert_eq!(sealed_suspect(&spine.scene), json!(cast.suspect_token_id));
    assert!(spine.scene.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_value_in_the_environment_does_without_a_person() {
    let spine = Spine::new().await;
    let cast = &spine.scene.scenario.cast;
    let answers = spine.scene.write("paused.toml", "[inputs]\n").display().to_string();
    let run = |value: &str| {
        let mut command = spine.scene.command(&["run", "spine.toml", "--answers", &answers]);
        ran(command.env("QUELL_SUSPECT_VALUE", value))
    };
    let dead = run("cfut_0000000000000000000000000000000000000000").expect(11);
    assert!(dead.stderr.contains("no token has this value any more"), "{}", dead.stderr);
    assert!(dead.stderr.contains("`--set suspect=") && !spine.scene.incident_exists(), "{}", dead.stderr);
    let ran = run(&cast.suspect_secret).expect(11);
    assert!(ran.stderr.contains("the value is that of the token ci-deploy"), "{}", ran.stderr);
    is_kept_nowhere(&spine.scene, &cast.suspect_secret, &format!("{}{}", ran.stdout, ran.stderr));
    assert_eq!(sealed_suspect(&spine.scene), json!(cast.suspect_token_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_global_api_key_is_no_name_however_often_it_is_typed() {
    let spine = Spine::new().await;
    let key = "0123456789abcdef0123456789abcdef01234";
    let mut typist = Typist::at(spine.scene.command(&["run", "spine.toml"]));
    for _ in 0..2 {
        typist.answers("suspect", key);
        typist.sees("that looks like a global API key, and is forgotten");
    }
    typist.answers("suspect", "ci-deploy");
    typist.answers("cut", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    is_kept_nowhere(&spine.scene, key, "");
    let set = format!("suspect={key}");
    let ran = spine.scene.run(&["run", "spine.toml", "--set", &set, "--yes-up-to", "reversible"]).expect(2);
    assert!(ran.stderr.contains("`suspect` looks like a secret") && !ran.stderr.contains(key), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_takes_no_real_value() {
    let scene = Scene::new().await;
    let real = "cfat_1111111111111111111111111111111111111111";
    let mut command = rehearsal(&scene, &[]);
    command.env("QUELL_SUSPECT_VALUE", real);
    let mut typist = Typist::at(command);
    typist.answers("suspect", "value");
    typist.sees("no real value is taken");
    typist.sees("the value is that of the token ci-deploy");
    typist.answers("detected_at", "pause");
    typist.presses(expectrl::ControlCode::EndOfText);
    assert_eq!(typist.leaves(), 130, "{}", typist.screen);
    is_kept_nowhere(&scene, real, &typist.screen);
}
