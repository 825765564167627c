//! Baselines by the real binary, of the simulated account.

mod back;
mod capture;
mod compare;
mod imported;
mod interrupted;
mod unsound;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::scene::Scene;

/// The account with a baseline of some families in `good`.
async fn captured(only: &str) -> (Scene, PathBuf) {
    let scene = Scene::new().await;
    scene.run(&["baseline", "capture", "good", "--only", only]).expect(0);
    let good = scene.path("good");
    (scene, good)
}

/// The items of a family.
fn items(dir: &Path, family: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(dir.join(format!("{family}.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn manifest(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("manifest.json")).unwrap()).unwrap()
}

/// Id and zone of the DNS record of this type and name.
fn record(dir: &Path, kind: &str, name: &str) -> (String, String) {
    let all = items(dir, "dns_records");
    let found = all.iter().find(|item| item["value"]["type"] == kind && item["value"]["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no {kind} {name} in {all:#?}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&found["id"]), text(&found["seat"]["zone_id"]))
}

/// The files of a baseline, without the manifest.
fn lines(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = crate::scene::files(dir);
    all.retain(|(path, _)| path.extension().is_some_and(|extension| extension == "jsonl"));
    all.sort();
    all
}
