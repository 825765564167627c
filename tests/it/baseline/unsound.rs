//! Baselines that are none, or not as they were written.

use super::{captured, manifest};
use crate::scene::{Scene, ran};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_baseline_is_refused_with_what_to_do() {
    let scene = Scene::new().await;
    let refused = |dir: &str, why: &str| {
        let ran = ran(&mut scene.bare(&["baseline", "diff", dir, "--against", dir, "--json"])).expect(2);
        assert!(ran.stderr.contains(why) && ran.stderr.contains("hint: "), "{why}: {}", ran.stderr);
        assert_eq!(ran.json()["schema"], "quell.error/1");
    };
    refused("nowhere", "there is no baseline in nowhere");
    std::fs::create_dir(scene.path("odd")).unwrap();
    refused("odd", "there is no baseline in odd");
    for (text, why) in [
        ("{", "is no manifest of a baseline"),
        ("[]", "it names no `schema`"),
        ("{\"schema\":\"quell.baseline/9\"}", "in the form `quell.baseline/9`"),
        ("{\"schema\":\"quell.baseline/1\"}", "missing field"),
    ] {
        scene.write("odd/manifest.json", text);
        refused("odd", why);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_as_they_were_written_are_refused() {
    let (scene, good) = captured("members,roles").await;
    let path = good.join("members.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let refused = |why: &str| {
        for args in [&["baseline", "show", "good"][..], &["baseline", "diff", "good", "--against", "good"][..]] {
            let ran = ran(&mut scene.bare(args)).expect(2);
            assert!(ran.stderr.contains(why) && ran.stdout.is_empty(), "{args:?}: {ran:#?}");
        }
    };
    let shorter: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, shorter).unwrap();
    refused("good/members.jsonl is not as its manifest says");
    std::fs::remove_file(&path).unwrap();
    refused("good/members.jsonl is not as its manifest says");
    // A name that leads elsewhere is nothing that quell wrote.
    let mut manifest = manifest(&good);
    let held = manifest["families"]["roles"].clone();
    manifest["families"]["../../etc/passwd"] = held;
    std::fs::write(good.join("manifest.json"), manifest.to_string()).unwrap();
    refused("`../../etc/passwd` is no name of a family");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baseline_of_another_account_is_compared_with_nothing() {
    let (scene, good) = captured("members").await;
    let mut manifest = manifest(&good);
    manifest["account"]["id"] = "0123".into();
    std::fs::write(good.join("manifest.json"), manifest.to_string()).unwrap();
    let ran = scene.run(&["baseline", "diff", "good"]).expect(2);
    assert!(ran.stderr.contains("the baseline is of account 0123, and this is account"), "{}", ran.stderr);
    assert!(ran.stdout.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_cannot_be_written_is_told_before_anything_is_read() {
    let scene = Scene::new().await;
    scene.write("file", "");
    let before = scene.simulator.requests().len();
    let ran = scene.run(&["baseline", "capture", "file/good", "--only", "members"]).expect(2);
    assert!(ran.stderr.contains("cannot use file/good/.partial/stage"), "{}", ran.stderr);
    let arrived = scene.simulator.requests().split_off(before);
    assert!(!arrived.iter().any(|request| request.path.contains("/members")), "{arrived:#?}");
}
