//! `quell doctor`: what a credential can see.

use quell::cloudflare::families::families;
use quell::simulator::FaultKind;
use serde_json::Value;

use crate::scene::Scene;

fn row<'d>(document: &'d Value, family: &str) -> &'d Value {
    document["families"].as_array().unwrap().iter().find(|row| row["family"] == family).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_family_is_tried_once_and_nothing_is_written_or_kept() {
    let scene = Scene::new().await;
    let document = scene.run(&["doctor", "--json"]).expect(0).json();
    let asked = families().filter(|family| family.retired.is_none()).count();
    let rows = document["families"].as_array().unwrap();
    assert_eq!(rows.len(), asked);
    assert!(rows.iter().all(|row| row["sight"] != "refused"), "{document:#}");
    assert_eq!(
        (&row(&document, "dns_records")["sight"], &document["zone"]),
        (&"readable".into(), &"harborlane-cdn.example".into())
    );
    assert_eq!(document["writes"], "unknown until tried");
    assert!(scene.writes().is_empty() && !scene.state_dir().exists());
    let requests = scene.simulator.requests();
    assert!(requests.len() < asked + 20, "{}", requests.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_named_and_what_hangs_on_it_is_not_tried() {
    let scene = Scene::new().await;
    let account = &scene.scenario.cast.account_id;
    scene.fault("GET", &format!("/accounts/{account}/workers/scripts"), 2, FaultKind::Forbidden);
    let ran = scene.run(&["doctor", "--zone", "harborlane-shop.example"]).expect(16);
    let told = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in [
        "REFUSED workers_scripts: needs `Workers Scripts Read`: the API refused to show it: HTTP 403",
        "not tried workers_versions: `workers_scripts` could not be read",
        "zone harborlane-shop.example",
        "Whether it can write is unknown until tried.",
    ] {
        assert!(told.contains(text), "{text}\n{}", ran.stdout);
    }
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    let wrong = scene.run(&["doctor", "--zone", "elsewhere.example"]).expect(2);
    assert!(wrong.stderr.contains("no zone `elsewhere.example` among the 4"), "{}", wrong.stderr);
}
