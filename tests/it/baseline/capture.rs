use quell::cloudflare::families::families;
use quell::model::Digest;

use super::{items, manifest, zones};
use crate::scene::{Scene, files};

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_holds_everything_once_and_no_secret_and_is_the_same_again() {
    let scene = Scene::new().await;
    let ran = scene.run(&["baseline", "capture", "good"]);
    eprintln!("{}\n{}", ran.stdout, ran.stderr);
    let good = scene.path("good");
    let shown = scene.run(&["baseline", "show", "good"]);
    eprintln!("{}\n{}", shown.stdout, shown.stderr);
    let diff = scene.run(&["baseline", "diff", "good"]);
    eprintln!("{}\n{}", diff.stdout, diff.stderr);
    eprintln!("{:#}", manifest(&good));
    panic!("{:?}", zones(&good));
}
