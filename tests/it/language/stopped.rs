//! A step that fails and says `on_failure = "stop"`: the run rests once, and resuming asks what is to be done.

use super::plain::step;
use super::{by_hand, named, run, steps};
use crate::scene::Scene;
use crate::terminal::typist::Typist;

const RETRY: &str = "[steps.must]\non_failure = \"retry\"\n";
const CONTINUE: &str = "[steps.must]\non_failure = \"continue\"\n";

fn stops() -> String {
    let that = "that = [{ value = 1, must = \"equal\", with = 2, otherwise = \"nope\" }]";
    step("must", "assert", that).replace("title", "on_failure = \"stop\"\ntitle")
        + &step("go-on", "note", "text = \"later\"")
        + &step("tell", "note", "text = \"told\"").replace("[[steps]]", "[[finally]]")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_a_failure_stopped_is_decided_about_on_resume() {
    let scene = Scene::new().await;
    let resume = |answers: &str| {
        scene.write("answers.toml", answers);
        scene.run(&["resume", "--answers", "answers.toml", "--json"])
    };
    assert_eq!(run(&scene, &stops(), CONTINUE).expect(12).json()["outcome"], "paused", "it rests whatever is answered");
    assert!(resume("").expect(12).stderr.contains("it failed: nope"), "a person is asked");
    // Begun again and failed again: it rests again.
    assert_eq!(resume(RETRY).expect(12).json()["outcome"], "paused");
    let document = resume(CONTINUE).expect(12).json();
    assert_eq!(document["outcome"], "done");
    assert_eq!(steps(&document), named(&[("must", "failed"), ("go-on", "done"), ("tell", "done")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_resumes_a_stopped_run_may_end_it_and_the_rest_is_done() {
    let scene = Scene::new().await;
    run(&scene, &(stops() + &by_hand("steps", "last", "x", "")), "").expect(12);
    let mut typist = Typist::at(scene.command(&["resume"]));
    typist.sees("ask what to do about the failed step `must`");
    typist.answers("must", "note still failing");
    typist.answers("must", "abort nothing to be done");
    typist.answers("abort", "abort");
    typist.leaves();
    let journal = scene.journal();
    let told = journal.iter().filter(|entry| entry["event"]["type"] == "step_done" && entry["path"] == "tell").count();
    assert_eq!(told, 1, "{}", typist.screen);
    assert_eq!(journal.last().unwrap()["event"]["type"], "run_closed");
}
