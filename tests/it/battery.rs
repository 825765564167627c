//! A run is killed at every point there is, and the next process goes on with it: no effect twice without a new consent,
//! none lost, and the same in the end as if nothing had happened.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::io::Write;

use serde_json::{Value, json};

use crate::scene::{Ran, Scene, ran};

mod every_step;

/// Entries before the plan is fixed: a crash there leaves an incident in which nothing was sent.
pub(crate) const BEFORE_PLAN: usize = 4;

/// How often each call was made, told by [`label`].
pub(crate) type Calls = BTreeMap<String, usize>;

/// A run, and all that it can leave behind.
pub(crate) trait Drill: Sized {
    /// What must be the same in the end, wherever it was killed.
    type End: PartialEq + Debug;

    /// The exit code of a run in which nothing is amiss but what the runbook itself brings about.
    const EXIT: i32 = 0;

    /// Everything anew.
    async fn begin() -> Self;

    /// Where it takes place.
    fn scene(&self) -> &Scene;

    /// The command that begins the run or goes on with it, unattended, with `args` in front; in doubt it tries again.
    fn command(&self, args: &[&str]) -> std::process::Command;

    /// The runbook's file.
    fn runbook(&self) -> &str;

    /// The calls that have arrived where they were to go.
    fn arrived(&self) -> Calls;

    /// How things stand in the end.
    fn end(&self) -> Self::End;

    /// What else must hold.
    fn check(&self, _resumed: &Ran, _point: &str) {}

    fn run(&self, point: Option<&str>) -> Ran {
        let mut command = self.command(&["run", self.runbook()]);
        command.envs(point.map(|point| ("QUELL_CRASH_AT", point)));
        ran(&mut command)
    }

    fn resume(&self) -> Ran {
        ran(&mut self.command(&["resume"]))
    }
}

/// An effect's call in one line, without what differs from run to run.
pub(crate) fn label(call: &Value) -> String {
    let text = |key: &str| call[key].as_str().unwrap_or_default().to_owned();
    let words = |words: &Value| -> Vec<String> {
        words.as_array().into_iter().flatten().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    match (call["by"].as_str(), call["kind"].as_str()) {
        (Some("http"), _) => format!("{} {}", text("method"), text("path")),
        (Some("outside"), Some("command")) => format!("{} < {}", words(&call["argv"]).join(" "), text("stdin").trim()),
        (Some("outside"), Some("web")) => match call["url"]["secret_env"].as_str() {
            Some(name) => format!("{} «env {name}»", text("method")),
            None => format!("{} {}", text("method"), url::Url::parse(&text("url")).unwrap().path()),
        },
        _ => "by hand".to_owned(),
    }
}

/// The writes that the simulated account has seen.
pub(crate) fn calls(scene: &Scene) -> Calls {
    let mut calls = Calls::new();
    for write in scene.writes() {
        *calls.entry(format!("{} {}", write.method, write.path)).or_default() += 1;
    }
    calls
}

/// What became of each step by the journal, in order; and that the run was closed.
pub(crate) fn outline(scene: &Scene) -> Vec<(String, String)> {
    let ends = ["expanded", "waited", "report_written", "step_done", "step_skipped", "failure_decided", "run_closed"];
    let journal = scene.journal();
    let told = journal.iter().filter(|entry| ends.contains(&entry["event"]["type"].as_str().unwrap()));
    let of = |entry: &Value| {
        let path = entry["path"].as_str().unwrap_or_default().to_owned();
        (path, entry["event"]["type"].as_str().unwrap().to_owned())
    };
    told.map(of).collect()
}

/// The whole run, undisturbed.
pub(crate) async fn undisturbed<D: Drill>() -> D {
    let drill = D::begin().await;
    drill.run(None).expect(D::EXIT);
    drill
}

/// Kills a run at each of these points, goes on, and compares. `torn` leaves half a line behind as well.
pub(crate) async fn killed_at<D: Drill>(points: impl Iterator<Item = String>, torn: bool) {
    let whole = undisturbed::<D>().await;
    let (end, calls) = (whole.end(), whole.arrived());
    for point in points {
        let drill = D::begin().await;
        let crashed = drill.run(Some(&point));
        assert_eq!(crashed.code, -1, "{point} was never reached: {}", crashed.stderr);
        if torn {
            let path = drill.scene().incident().join("journal.jsonl");
            let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(br#"{"v":0,"seq":99,"at":"2026-11-2"#).unwrap();
        }
        let resumed = drill.resume();
        // A message that may not have got through is a gap.
        assert!([D::EXIT, 16].contains(&resumed.code), "{point}: {}\n{}", resumed.stderr, resumed.stdout);
        let document = resumed.json();
        assert_eq!(document["outcome"], "done", "{point}");
        assert_eq!(drill.end(), end, "{point}");
        consented(&drill, &calls, document["gaps"] != json!([]), &point);
        drill.scene().run(&["verify"]).expect(0);
        drill.check(&resumed, &point);
    }
}

/// Kills a run after every entry of one of `parts` parts of it: so that they can go on side by side.
pub(crate) async fn killed_after_every_entry<D: Drill>(part: usize, parts: usize) {
    let all = undisturbed::<D>().await.scene().journal().len();
    let points = entries(all).filter(|nth| nth % parts == part);
    killed_at::<D>(points.map(after), false).await;
}

/// Kills a run after one entry of each kind that each action brings, in one of `parts` parts of them.
pub(crate) async fn killed_after_every_kind_of_entry<D: Drill>(part: usize, parts: usize) {
    let journal = undisturbed::<D>().await.scene().journal();
    let points = of_every_kind(&journal).into_iter().enumerate().filter(|(at, _)| at % parts == part);
    killed_at::<D>(points.map(|(_, nth)| after(nth)), false).await;
}

/// Kills a run before and after each of these calls, counted from 1.
pub(crate) async fn killed_around_calls<D: Drill>(calls: impl Iterator<Item = usize> + Clone) {
    let points = ["before-intent", "after-intent", "before-send", "after-send"];
    let points = points.iter().flat_map(|point| calls.clone().map(move |nth| format!("{point}:{nth}")));
    killed_at::<D>(points, false).await;
}

/// The entries after which a run can be killed: the first is written before there is a file to append to, and after the
/// last there is nothing to resume.
fn entries(all: usize) -> std::ops::Range<usize> {
    BEFORE_PLAN..all - 1
}

fn after(nth: usize) -> String {
    format!("after-append:{nth}")
}

/// Of these entries the first of each type for each action.
fn of_every_kind(journal: &[Value]) -> Vec<usize> {
    let fixed = journal.iter().flat_map(|entry| entry["event"]["steps"].as_array().into_iter().flatten());
    let actions: BTreeMap<&str, &Value> = fixed.map(|step| (step["path"].as_str().unwrap(), &step["action"])).collect();
    let kind = |entry: &Value| {
        let action = entry["path"].as_str().map(|path| actions[path].to_string());
        (action, entry["event"]["type"].to_string())
    };
    let mut seen = BTreeSet::new();
    entries(journal.len()).filter(|nth| seen.insert(kind(&journal[*nth]))).collect()
}

/// Every call that arrived has an intent of its own, and every further intent a consent of its own; each that arrives in
/// an undisturbed run has arrived. One message may be missing, where that is said: it is never sent again.
fn consented<D: Drill>(drill: &D, whole: &Calls, is_told: bool, point: &str) {
    let journal = drill.scene().journal();
    let events =
        |kind: &'static str| journal.iter().map(|entry| &entry["event"]).filter(move |event| event["type"] == kind);
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    let mut messages = Vec::new();
    for effect in events("proposed").flat_map(|event| event["effects"].as_array().unwrap()) {
        labels.insert(effect["key"].as_str().unwrap().to_owned(), label(&effect["call"]));
        if effect["call"]["best_effort"] == true {
            messages.push(label(&effect["call"]));
        }
    }
    let count = |keys: &mut dyn Iterator<Item = &Value>| {
        let mut calls = Calls::new();
        keys.for_each(|key| *calls.entry(labels[key.as_str().unwrap()].clone()).or_default() += 1);
        calls
    };
    let intended = count(&mut events("intended").map(|event| &event["effect"]));
    let all = events("consented").flat_map(|event| event["effects"].as_array().unwrap());
    let consented = count(&mut all.map(|consent| &consent["effect"]));
    let arrived = drill.arrived();
    for (call, times) in &arrived {
        assert!(times <= &intended[call], "{point}: {call} arrived {times} times, intended {intended:?}");
    }
    for (call, times) in &intended {
        assert!(times <= &consented[call], "{point}: {call} was intended {times} times, consented {consented:?}");
    }
    for (call, times) in whole {
        let missed = times - arrived.get(call).unwrap_or(&0).min(times);
        assert!(missed == 0 || (is_told && messages.contains(call)), "{point}: {call} was lost: {arrived:?}");
    }
}
