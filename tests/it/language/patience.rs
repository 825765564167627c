//! `retry` and `timeout`: reads may be tried again and may take too long; writes and people are neither.

use std::time::Duration;

use quell::simulator::FaultKind;

use super::{run, steps};
use crate::scene::Scene;

fn members(more: &str) -> String {
    format!(
        "[[steps]]\nid = \"members\"\nphase = \"identify\"\ntitle = \"Members\"\naction = \"cloudflare.members.list\"\n\
         on_failure = \"continue\"\n{more}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_failed_is_tried_again_as_often_as_the_runbook_says() {
    for (retry, exit, status) in [("retry = { times = 2, every = \"1s\" }", 0, "done"), ("", 12, "failed")] {
        let scene = Scene::new().await;
        scene.fault("GET", "/members", 2, FaultKind::Forbidden);
        let document = run(&scene, &members(retry), "").expect(exit).json();
        assert_eq!(steps(&document), [("members".to_owned(), status.to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_takes_too_long_fails_with_its_limit() {
    let scene = Scene::new().await;
    scene.fault("GET", "/members", 1, FaultKind::Slow(Duration::from_secs(20)));
    // The clock of a test runs a hundred times as fast.
    let ran = run(&scene, &members("timeout = \"1m 40s\""), "").expect(12);
    assert!(ran.stderr.contains("took longer than the `timeout` of 1m 40s"), "{}", ran.stderr);
}
