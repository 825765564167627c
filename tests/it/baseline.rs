//! Baselines by the real binary, of the simulated account.

mod capture;

use std::path::Path;

use serde_json::Value;

use crate::scene::Scene;

/// Ids and names of the zones, as the baseline has them.
fn zones(dir: &Path) -> Vec<(String, String)> {
    let text = |item: &Value, at: &str| item.pointer(at).unwrap().as_str().unwrap().to_owned();
    items(dir, "zones").iter().map(|item| (text(item, "/id"), text(item, "/value/name"))).collect()
}

/// The items of a family.
fn items(dir: &Path, family: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(dir.join(format!("{family}.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn manifest(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("manifest.json")).unwrap()).unwrap()
}

/// Captures into `good`.
fn captured(scene: &Scene) -> std::path::PathBuf {
    scene.run(&["baseline", "capture", "good"]).expect(0);
    scene.path("good")
}
