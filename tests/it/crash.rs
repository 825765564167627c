//! A run against the account is killed at every point there is: no rolled secret is lost, and the account is the same in
//! the end. And two who want to drive at once.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::battery::{BEFORE_PLAN, Calls, Drill, calls, killed_after_every_entry, killed_around_calls, killed_at};
use crate::scene::{Ran, Scene};
use crate::spine::Spine;

impl Drill for Spine {
    /// What the account looks like to those who rely on it: every token and its status.
    type End = BTreeMap<String, String>;

    async fn begin() -> Self {
        let spine = Self::new().await;
        // By these answers everything is done, and a roll in doubt is rolled again.
        spine.answers("[defaults]\nin_doubt = \"retry\"\n");
        spine
    }

    fn scene(&self) -> &Scene {
        &self.scene
    }

    fn runbook(&self) -> &str {
        "spine.toml"
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.scene.command(args);
        command.args(["--answers", "answers.toml", "--json"]);
        command
    }

    fn arrived(&self) -> Calls {
        calls(&self.scene)
    }

    fn end(&self) -> BTreeMap<String, String> {
        let digest = self.scene.account();
        let tokens = digest["tokens"].as_array().unwrap_or_else(|| panic!("{digest:#}"));
        tokens.iter().map(|token| (token["id"].as_str().unwrap().to_owned(), token["status"].to_string())).collect()
    }

    /// The newest secret of each rolled token is in the vault, and works.
    fn check(&self, resumed: &Ran, point: &str) {
        let document = resumed.json();
        for id in &self.rolled {
            let revealed = self.scene.run(&["secrets", "reveal", id, document["incident"].as_str().unwrap()]).expect(0);
            let secret = revealed.stdout.trim().to_owned();
            let url = format!(
                "{}/accounts/{}/tokens/verify",
                self.scene.simulator.base_url(),
                self.scene.scenario.cast.account_id
            );
            let status = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let client = reqwest::Client::builder().no_proxy().build().unwrap();
                    client.get(url).bearer_auth(secret).send().await.unwrap().status().as_u16()
                })
            });
            assert_eq!(status.join().unwrap(), 200, "{point}: the sealed secret of {id} does not work");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_every_entry_1() {
    killed_after_every_entry::<Spine>(0, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_every_entry_2() {
    killed_after_every_entry::<Spine>(1, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_around_every_request() {
    killed_around_calls::<Spine>(1..=4).await;
    killed_at::<Spine>((1..=2).map(|nth| format!("after-seal:{nth}")), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_inside_the_last_line() {
    let points = ["after-append:6", "after-intent:1", "after-send:2", "after-seal:1", "after-append:20"];
    killed_at::<Spine>(points.into_iter().map(str::to_owned), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_plan_is_fixed_nothing_was_sent() {
    for nth in 1..BEFORE_PLAN - 1 {
        let spine = Spine::begin().await;
        assert_eq!(Drill::run(&spine, Some(&format!("after-append:{nth}"))).code, -1);
        let resumed = Drill::resume(&spine).expect(2);
        assert!(resumed.stderr.contains("nothing was sent"), "{}", resumed.stderr);
        assert!(spine.scene.writes().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_driver_is_refused_and_a_note_is_not() {
    let spine = Spine::new().await;
    let suspect = spine.scene.scenario.cast.suspect_token_id.clone();
    spine.scene.fault("PUT", &suspect, 1, quell::simulator::FaultKind::Hang);
    let answers = spine.answers("");
    let mut driving = spine.scene.command(&["run", "spine.toml", "--answers", &answers]).spawn().unwrap();
    while spine.scene.writes().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let second = spine.resume(&answers).expect(14);
    assert!(second.stderr.contains("is being driven by process"), "{}", second.stderr);
    spine.scene.run(&["note", "seen from another terminal"]).expect(0);
    driving.kill().unwrap();
    driving.wait().unwrap();
    // The kernel has freed the lock; the effect is in doubt and is looked at, and it did not take place.
    let document = spine.resume(&answers).expect(13).json();
    assert_eq!(document["outcome"], "paused");
    let notes = spine
        .scene
        .journal()
        .iter()
        .filter(|entry: &&Value| entry["event"]["text"] == "seen from another terminal")
        .count();
    assert_eq!(notes, 1);
}
