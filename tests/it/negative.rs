//! The negative test: once the suspect is cut, its leaked value is tried until it is refused, and what came of that is
//! proof, failure or gap, and said.

use std::fs;
use std::process::Command;

use jiff::SignedDuration;
use quell::cloudflare::simulator::scenario;
use quell::simulator::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::scene::{Ran, Scene, files, ran};
use crate::spine::Spine;
use crate::terminal::typist::Typist;

const VARIABLE: &str = "QUELL_SUSPECT_VALUE";
const SOURCE: &str = "verification with the leaked value of token";

/// Cuts the suspect, and leaves all else.
fn answers(spine: &Spine) -> String {
    let text = "[steps.cut]\nanswer = \"run\"\n[steps.roll]\nanswer = \"skip\"\nreason = \"not now\"\n\
                [steps.revoke]\nanswer = \"skip\"\nreason = \"not now\"\n";
    spine.scene.write("cut.toml", text).display().to_string()
}

fn command(spine: &Spine, args: &[&str]) -> Command {
    let mut command = spine.scene.command(args);
    command.args(["--answers", &answers(spine), "--json"]);
    command
}

fn run(spine: &Spine, value: &str) -> Ran {
    ran(command(spine, &["run", "spine.toml"]).env(VARIABLE, value))
}

/// The verdicts of the step `cut`, in words, with whether the leaked value was tried.
fn verdicts(scene: &Scene) -> Vec<(String, String, bool)> {
    let journal = scene.journal();
    let verified = journal.iter().filter(|entry| entry["path"] == "cut" && entry["event"]["type"] == "verified");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let read = |entry: &Value| {
        let event = &entry["event"];
        let tried = event["evidence"].as_array().unwrap().iter().any(|it| text(&it["source"]).starts_with(SOURCE));
        (text(&event["verdict"]["verdict"]), text(&event["verdict"]["detail"]), tried)
    };
    verified.map(read).collect()
}

fn report(scene: &Scene) -> String {
    fs::read_to_string(scene.incident().join("report.md")).unwrap()
}

/// How often anybody asked the API with the suspect's value.
fn asked_with_the_value(scene: &Scene) -> usize {
    let suspect = &scene.scenario.cast.suspect_token_id;
    scene.simulator.requests().iter().filter(|request| request.credential == *suspect).count()
}

#[track_caller]
fn is_kept_nowhere(scene: &Scene, ran: &Ran) {
    let secret = &scene.scenario.cast.suspect_secret;
    assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{ran:#?}");
    for (path, bytes) in files(&scene.state_dir()) {
        assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leaked_value_is_refused_after_the_cut_and_that_is_kept_and_told() {
    let spine = Spine::new().await;
    let scene = &spine.scene;
    let ran = run(&spine, &scene.scenario.cast.suspect_secret).expect(0);
    let verdicts = verdicts(scene);
    let [(verdict, said, tried)] = verdicts.as_slice() else { panic!("{verdicts:?}") };
    assert_eq!((verdict.as_str(), *tried), ("holds", true), "{said}");
    assert!(said.contains("the leaked value is refused ") && said.contains(" s after the cut"), "{said}");
    assert!(ran.stderr.contains("the leaked value is refused"), "{}", ran.stderr);
    is_kept_nowhere(scene, &ran);
    let report = report(scene);
    let suspect = &scene.scenario.cast.suspect_token_id;
    assert!(report.contains(&format!("negative test with the leaked value of `{suspect}`")), "{report}");
    assert!(report.contains("The leaked value itself was tried after the cut"), "{report}");
    let status = scene.run(&["status"]).expect(0).stdout;
    assert!(status.contains(&format!("leaked value of {suspect}: read back")), "{status}");
    scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_a_while_to_be_known_everywhere_is_tried_until_it_is() {
    let lag = SignedDuration::from_millis(600);
    let spine = Spine::at(Scene::lagging(scenario("leaked-token").unwrap(), lag).await);
    let ran = run(&spine, &spine.scene.scenario.cast.suspect_secret).expect(0);
    let verdicts = verdicts(&spine.scene);
    assert_eq!((verdicts.len(), verdicts[0].0.as_str()), (1, "holds"), "{verdicts:?}");
    // Whose it is was asked once; after the cut more than once.
    assert!(asked_with_the_value(&spine.scene) > 2, "{ran:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_still_accepted_is_no_proof_and_a_person_decides() {
    let lag = SignedDuration::from_hours(1);
    let spine = Spine::at(Scene::lagging(scenario("leaked-token").unwrap(), lag).await);
    let scene = &spine.scene;
    let ran = run(&spine, &scene.scenario.cast.suspect_secret);
    assert!(matches!(ran.code, 11..=13), "{ran:#?}");
    let verdicts = verdicts(scene);
    let (verdict, said, tried) = verdicts.last().unwrap();
    assert_eq!((verdict.as_str(), *tried), ("does_not_hold", true), "{said}");
    assert!(said.contains("NOT PROVEN") && said.contains("is still accepted"), "{said}");
    assert!(ran.stderr.contains("NOT PROVEN"), "{}", ran.stderr);
    let report = report(scene);
    assert!(report.contains("is still accepted"), "{report}");
    let brief = scene.run(&["status", "--brief"]).stdout;
    assert!(!brief.contains("cut proven") && !brief.contains("access cut"), "{brief}");
    is_kept_nowhere(scene, &ran);
    // Another try once it is known everywhere would prove it; nothing was sent twice meanwhile.
    assert_eq!(scene.writes().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_cannot_be_tried_is_a_gap() {
    let spine = Spine::new().await;
    let scene = &spine.scene;
    let path = format!("/accounts/{}/tokens/verify", scene.scenario.cast.account_id);
    // The first asks whose the value is.
    scene.simulator.script(Fault {
        method: Some("GET".into()),
        path,
        skip: 1,
        times: 99,
        kind: FaultKind::ServerError,
    });
    let ran = run(&spine, &scene.scenario.cast.suspect_secret).expect(16);
    let verdicts = verdicts(scene);
    assert_eq!((verdicts[0].0.as_str(), verdicts[0].2), ("holds", true), "{verdicts:?}");
    assert!(verdicts[0].1.contains("by reading back alone"), "{verdicts:?}");
    let gaps = ran.json()["gaps"].to_string();
    assert!(gaps.contains("whether the leaked value is refused could not be learnt"), "{gaps}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspect_who_was_named_is_proven_by_reading_back_alone_and_the_report_says_so() {
    let spine = Spine::new().await;
    let scene = &spine.scene;
    let suspect = format!("suspect={}", scene.scenario.cast.suspect_token_id);
    ran(&mut command(&spine, &["run", "spine.toml", "--set", &suspect])).expect(0);
    assert_eq!(asked_with_the_value(scene), 0);
    let verdicts = verdicts(scene);
    assert_eq!((verdicts[0].0.as_str(), verdicts[0].2), ("holds", false), "{verdicts:?}");
    assert!(report(scene).contains("No leaked value was at hand"), "{}", report(scene));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_suspect_and_the_value_of_another_do_not_begin() {
    let spine = Spine::new().await;
    let scene = &spine.scene;
    let other = scene.scenario.cast.tokens.iter().find(|it| it.id != scene.scenario.cast.suspect_token_id).unwrap();
    let set = format!("suspect={}", other.id);
    let value = &scene.scenario.cast.suspect_secret;
    let ran = ran(command(&spine, &["run", "spine.toml", "--set", &set]).env(VARIABLE, value)).expect(2);
    assert!(ran.stdout.contains("the value of another token"), "{ran:#?}");
    assert!(!scene.incident_exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tries_nothing_and_writes_nothing() {
    let spine = Spine::new().await;
    let scene = &spine.scene;
    let ran = ran(scene.command(&["plan", "spine.toml"]).env(VARIABLE, &scene.scenario.cast.suspect_secret));
    assert!(matches!(ran.code, 0 | 16), "{ran:#?}");
    assert_eq!((scene.writes().len(), asked_with_the_value(scene)), (0, 1), "whose it is, and no more");
    assert!(!ran.stdout.contains("refused"), "{}", ran.stdout);
}

/// Killed between the request and its outcome.
fn killed(spine: &Spine) {
    let value = &spine.scene.scenario.cast.suspect_secret;
    let ran = ran(command(spine, &["run", "spine.toml"]).env(VARIABLE, value).env("QUELL_CRASH_AT", "after-send:1"));
    assert_ne!(ran.code, 0, "{ran:#?}");
    let sealed = spine.scene.journal();
    let opened = sealed.iter().find(|entry| entry["event"]["type"] == "run_opened").unwrap();
    assert_eq!(opened["event"]["leaked"]["token"], json!(spine.scene.scenario.cast.suspect_token_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_the_same_value_is_taken_again_and_no_other() {
    let spine = Spine::new().await;
    killed(&spine);
    let value = &spine.scene.scenario.cast.suspect_secret;
    let ran = ran(command(&spine, &["resume"]).env(VARIABLE, value)).expect(0);
    let verdicts = verdicts(&spine.scene);
    assert!(verdicts[0].1.contains("the leaked value is refused") && verdicts[0].2, "{verdicts:?}");
    is_kept_nowhere(&spine.scene, &ran);

    // Mistyped, a dead value would be refused just the same: it proves nothing.
    let spine = Spine::new().await;
    killed(&spine);
    let ran =
        crate::scene::ran(command(&spine, &["resume"]).env(VARIABLE, "cfat_0000000000000000000000000000000000000000"))
            .expect(16);
    assert!(ran.stderr.contains("not the value that this run began with"), "{}", ran.stderr);
    let verdicts = self::verdicts(&spine.scene);
    assert!(verdicts[0].1.contains("not at hand any more") && !verdicts[0].2, "{verdicts:?}");
    assert!(report(&spine.scene).contains("was not tried after the cut"), "{}", report(&spine.scene));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_the_value_is_asked_for_without_echo_and_may_be_left_out() {
    let spine = Spine::new().await;
    killed(&spine);
    let cast = &spine.scene.scenario.cast;
    let mut typist = Typist::at(spine.scene.command(&["resume"]));
    typist.types_secret("the leaked value once more", "cfat_0000000000000000000000000000000000000000");
    typist.sees("that is not the value that this run began with");
    typist.types_secret("the leaked value once more", &cast.suspect_secret);
    typist.sees("the leaked value is refused");
    typist.answers("roll", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert!(!typist.screen.contains(&cast.suspect_secret));
    // Once the cut is proven nobody is asked for it any more.
    let mut typist = Typist::at(spine.scene.command(&["resume"]));
    typist.answers("roll", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert!(!typist.screen.contains("leaked value"), "{}", typist.screen);

    let spine = Spine::new().await;
    killed(&spine);
    let mut typist = Typist::at(spine.scene.command(&["resume"]));
    typist.types_secret("the leaked value once more", "");
    typist.sees("will be proven by reading back alone");
    typist.answers("roll", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_rehearsal_the_simulated_value_is_tried() {
    let spine = Spine::new().await;
    let mut command = spine.scene.bare(&["rehearse", "spine.toml", "--set", "suspect=value", "--json"]);
    let ran = ran(command.args(["--answers", &answers(&spine)])).expect(0);
    let verdicts = verdicts(&spine.scene);
    assert!(verdicts[0].1.contains("the leaked value is refused"), "{verdicts:?} {ran:#?}");
}
