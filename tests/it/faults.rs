//! What goes wrong on the way, by the real binary: never a quiet short result. Whatever was not seen is named, stands in
//! what is kept, and ends with exit 16; what passes by itself leaves no mark.

use quell::cloudflare::simulator::Scenario;
use quell::simulator::{Fault, FaultKind};

use crate::scene::Scene;

/// So many zones that their list has two pages.
const ZONES: usize = 60;

const CAPTURE: &[&str] = &["baseline", "capture", "good", "--only", "zones", "--json"];

async fn scene() -> Scene {
    Scene::in_scenario(Scenario::big(ZONES, 0).unwrap()).await
}

/// Strikes the second page of the zones, so many times after so many.
fn second_page(skip: u32, times: u32, kind: FaultKind) -> Fault {
    Fault { method: Some("GET".to_owned()), path: "*/zones?*page=2&*".to_owned(), skip, times, kind }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_lost_in_the_middle_is_a_gap_and_exit_16() {
    for kind in [
        FaultKind::Forbidden,
        FaultKind::Refuse,
        FaultKind::ServerError,
        FaultKind::BadGatewayHtml,
        FaultKind::Html,
        FaultKind::Truncated,
        FaultKind::SuccessFalse,
        FaultKind::DropBefore,
        FaultKind::DropAfterPartial,
    ] {
        let scene = scene().await;
        scene.simulator.script(second_page(0, u32::MAX, kind.clone()));
        let ran = scene.run(CAPTURE);
        assert_eq!(ran.code, 16, "{kind:?}: {ran:#?}");
        let told = ran.json();
        let gaps = told["gaps"].as_array().unwrap();
        assert!(gaps.iter().any(|gap| gap["family"] == "zones"), "{kind:?}: {told:#}");
        assert!(
            gaps.iter().any(|gap| gap["reason"].as_str().unwrap().contains("page 2 was lost")),
            "{kind:?}: {told:#}"
        );
        // What was read is kept, and what was not is no zone that is gone.
        assert_eq!(told["items"], 50, "{kind:?}: {told:#}");
        let shown = scene.run(&["baseline", "show", "good"]).expect(0).stdout;
        assert!(shown.contains("not seen"), "{kind:?}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_by_chance_loses_nothing() {
    for kind in [FaultKind::Forbidden, FaultKind::BadGatewayHtml, FaultKind::Truncated, FaultKind::DropBefore] {
        let scene = scene().await;
        scene.simulator.script(second_page(0, 1, kind.clone()));
        let ran = scene.run(CAPTURE);
        assert_eq!((ran.code, &ran.json()["items"]), (0, &ZONES.into()), "{kind:?}: {ran:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_doctor_cannot_read_for_whatever_reason_is_exit_16() {
    let scene = Scene::new().await;
    for (family, path, kind) in [
        ("members", "*/members?*", FaultKind::SuccessFalse),
        ("kv_namespaces", "*/storage/kv/namespaces?*", FaultKind::BadGatewayHtml),
        ("queues", "*/queues", FaultKind::Truncated),
    ] {
        let fault = Fault { method: Some("GET".to_owned()), path: path.to_owned(), skip: 0, times: u32::MAX, kind };
        scene.simulator.script(fault);
        let document = scene.run(&["doctor", "--json"]).expect(16).json();
        let rows = document["families"].as_array().unwrap();
        let row = rows.iter().find(|row| row["family"] == family).unwrap();
        assert_ne!(row["sight"], "readable", "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_repeats_its_last_page_ends() {
    // `/accounts` does; without an account named, it is what tells which one there is.
    let scene = Scene::new().await;
    let mut command = scene.command(&["baseline", "capture", "good", "--only", "members"]);
    crate::scene::ran(command.env_remove("CLOUDFLARE_ACCOUNT_ID")).expect(0);
    let asked = scene.simulator.requests().iter().filter(|request| request.path.starts_with("/accounts?")).count();
    assert!((1..=2).contains(&asked), "{asked}");
}
