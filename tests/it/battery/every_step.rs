//! A runbook with every kind of step and every action that knows no provider: real programs, a real host.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quell::cli::catalogue::CATALOGUE;
use serde_json::json;

use super::{
    Calls, Drill, killed_after_every_entry, killed_after_every_kind_of_entry, killed_around_calls, killed_at, outline,
    undisturbed,
};
use crate::outside::Host;
use crate::scene::Scene;

const RUNBOOK: &str = include_str!("../fixtures/every-step.toml");
const CALLED: &str = include_str!("../fixtures/called.toml");

const ANSWERS: &str = r#"
[defaults]
answer   = "run"
in_doubt = "retry"

[steps.who]
fields = { owner = "Maya" }

[steps.pace]
fields = { choice = "now", reason = "it leaked", agreed_by = "Maya" }

[steps.hold]
fields = { resumed_by = "Maya" }

[steps.hands]
fields = { attested_by = "Priya Nair" }

[steps."hunt/again#1"]
fields = { choice = "yes", reason = "one is left", agreed_by = "Maya" }

[steps."hunt/again#2"]
fields = { choice = "no", reason = "none is left", agreed_by = "Maya" }
"#;

/// Its calls: nine programs and requests, and a message.
const CALLS: usize = 9;

struct EveryStep {
    scene: Scene,
    host: Host,
}

impl Drill for EveryStep {
    type End = Vec<(String, String)>;

    /// One of its steps fails on purpose.
    const EXIT: i32 = 12;

    async fn begin() -> Self {
        let scene = Scene::new().await;
        scene.write("every-step.toml", RUNBOOK);
        scene.write("answers.toml", ANSWERS);
        std::fs::create_dir(scene.path("runbooks")).unwrap();
        scene.write("runbooks/called.toml", CALLED);
        let is_blocked = Arc::new(AtomicBool::new(false));
        let host = Host::start(move |line, nth| {
            let found = |body: serde_json::Value| (200, Vec::new(), body.to_string());
            match line {
                "GET /state" if nth == 0 => (404, Vec::new(), "not yet".to_owned()),
                "GET /state" => found(json!({ "state": "on" })),
                "GET /blocked" => found(json!({ "blocked": is_blocked.load(Ordering::SeqCst) })),
                "POST /block" => {
                    is_blocked.store(true, Ordering::SeqCst);
                    found(json!({}))
                }
                _ => found(json!({})),
            }
        })
        .await;
        Self { scene, host }
    }

    fn scene(&self) -> &Scene {
        &self.scene
    }

    fn runbook(&self) -> &str {
        "every-step.toml"
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.scene.command(args);
        if args[0] == "run" {
            command.args(["--set", &format!("host={}", self.host.url)]);
        }
        command.args(["--answers", "answers.toml", "--json"]);
        command.env("PATH", "/usr/bin:/bin").env("QUELL_HTTP_HOSTS", "127.0.0.1");
        command.env("HOOK", format!("{}/hook", self.host.url));
        command
    }

    fn arrived(&self) -> Calls {
        let lines = std::fs::read_to_string(self.scene.path("lines.txt")).unwrap_or_default();
        let programs = lines.lines().map(|line| format!("tee -a lines.txt < {line}"));
        let sent = self.host.lines().into_iter().filter_map(|line| match line.as_str() {
            "POST /hook" => Some("POST «env HOOK»".to_owned()),
            "POST /block" => Some(line),
            _ => None,
        });
        let mut calls = Calls::new();
        programs.chain(sent).for_each(|call| *calls.entry(call).or_default() += 1);
        calls
    }

    /// What became of each step, in order.
    fn end(&self) -> Vec<(String, String)> {
        outline(&self.scene)
    }
}

#[test]
fn it_uses_every_kind_of_step_and_every_action_that_knows_no_provider() {
    let own = CATALOGUE.iter().map(|action| action.spec().id).filter(|id| !id.contains('.'));
    for action in own.chain(["runbook"]) {
        assert!(RUNBOOK.contains(&format!("\"{action}\"\n")), "no step of the action `{action}`");
    }
    for word in ["when", "foreach", "repeat", "retry", "timeout", "requires", "on_failure"] {
        assert!(RUNBOOK.lines().any(|line| line.starts_with(word)), "no step with `{word}`");
    }
    assert!(RUNBOOK.contains("[[steps.steps]]") && RUNBOOK.contains("[[finally]]") && RUNBOOK.contains("step:page"));
}

#[tokio::test(flavor = "multi_thread")]
async fn undisturbed_it_does_everything_once() {
    let drill = undisturbed::<EveryStep>().await;
    let lines = std::fs::read_to_string(drill.scene.path("lines.txt")).unwrap();
    assert_eq!(lines.lines().collect::<Vec<_>>(), ["page", "one", "two", "sweep", "sweep", "called", "goodbye"]);
    let all: usize = drill.arrived().values().sum();
    assert_eq!(all, CALLS, "{:?}", drill.arrived());
    let status = |path: &str| drill.end().into_iter().find(|(of, _)| of == path).unwrap().1;
    assert_eq!((status("must"), status("leapt")), ("failure_decided".into(), "step_skipped".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_one_entry_of_every_kind_1() {
    killed_after_every_kind_of_entry::<EveryStep>(0, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_one_entry_of_every_kind_2() {
    killed_after_every_kind_of_entry::<EveryStep>(1, 2).await;
}

/// A program, a request, a message.
#[tokio::test(flavor = "multi_thread")]
async fn killed_around_one_call_of_every_kind_it_does_nothing_twice() {
    killed_around_calls::<EveryStep>(1..=3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_inside_the_last_line() {
    killed_at::<EveryStep>(["after-intent:1", "after-send:3", "after-append:50"].into_iter().map(str::to_owned), true)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `cargo test --test it -- --ignored`"]
async fn killed_after_every_entry_1() {
    killed_after_every_entry::<EveryStep>(0, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `cargo test --test it -- --ignored`"]
async fn killed_after_every_entry_2() {
    killed_after_every_entry::<EveryStep>(1, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `cargo test --test it -- --ignored`"]
async fn killed_around_every_call_it_does_nothing_twice() {
    killed_around_calls::<EveryStep>(1..=CALLS).await;
}
