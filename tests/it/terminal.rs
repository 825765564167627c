//! The real binary in a pseudo-terminal, key by key: what a person types, mistypes, pastes and interrupts.

mod suspect;
pub(crate) mod typist;
mod waiting;

use std::time::Duration;

use expectrl::ControlCode;
use quell::simulator::FaultKind;
use serde_json::Value;

use self::typist::{Typist, rehearsal};
use crate::scene::{Scene, files};
use crate::spine::Spine;

const INPUTS: &[(&str, &str)] = &[
    ("suspect", "ci-deploy"),
    ("detected_at", "10m ago"),
    ("exposed_since", "10h ago"),
    ("reported_by", "secret scanner"),
    ("commander", "Maya Lindqvist"),
    ("zones", ""),
];

/// The two questions before the evidence.
const QUESTIONS: &[(&str, &str)] = &[
    ("own-sound", "sound"),
    ("own-sound", "made today on another machine"),
    ("own-sound", ""),
    ("pace", "evidence-first"),
    ("pace", "no harm is seen at this moment"),
    ("pace", ""),
];

fn types_all(typist: &mut Typist, lines: &[(&str, &str)]) {
    for (label, line) in lines {
        typist.answers(label, line);
    }
}

/// Says of `items` pieces of work that they are done, with nothing to add.
fn does_by_hand(typist: &mut Typist, step: &str, items: usize) {
    for _ in 0..items {
        types_all(typist, &[(step, "done Priya Nair"), (step, ""), (step, "")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_rehearsal_by_hand() {
    let scene = Scene::new().await;
    let mut typist = Typist::at(rehearsal(&scene, &[]));
    typist.answers("suspect", "");
    typist.sees("`suspect` needs a value");
    types_all(&mut typist, &INPUTS[..1]);
    typist.answers("detected_at", "yesterdayish");
    typist.sees("it must be a moment in UTC");
    types_all(&mut typist, &INPUTS[1..]);
    types_all(&mut typist, QUESTIONS);

    // Nothing but verb and number does it: not a return key, not a yes, not another number.
    for wrong in ["", "y", "disable", "disable 2", "Disable 3!"] {
        typist.answers("cut", wrong);
    }
    // What a skip breaks is said before, and not skipped yet.
    typist.answers("cut", "skip no time");
    typist.sees("`inventory-after-cut`, `cut-again` build on this step; to skip");
    typist.answers("cut", "inspect 2");
    typist.sees("metrics-exporter");
    typist.answers("cut", "note the deploy team knows");
    typist.answers("cut", "disable 3");
    let first = typist.answers("cut", "");
    assert!(first.contains("cut: the first is done, 2 rows to go"), "{first}");
    typist.answers("cut", "y");

    typist.answers("rounds/cut-widened#1", "n");
    typist.sees("not done; say why to leave it");
    typist.answers("rounds/cut-widened#1", "y");
    typist.answers("rounds/members-out#1", "y");
    typist.answers("rounds/members-out#1", "maya.lindqvist@harborlane-example.test");
    typist.answers("rotate", "1 9");
    typist.sees("there is no row `9`");
    types_all(&mut typist, &[("rotate", "1"), ("rotate", "rotate 1"), ("rotate", "later platform team for all")]);
    does_by_hand(&mut typist, "dns-settle", 5);
    does_by_hand(&mut typist, "certificates-settle", 3);
    does_by_hand(&mut typist, "firewall-settle", 5);
    does_by_hand(&mut typist, "people", 3);
    typist.answers("people", "later Jonas Weber");
    does_by_hand(&mut typist, "key", 1);
    typist.answers("rotate-later", "skip they rotate tomorrow");
    // Irreversible: the count with the verb, as for every list.
    typist.answers("revoke", "revoke 3");
    typist.answers("revoke", "y");
    // The second look names what is still there; nobody's word makes it vanish.
    typist.sees("take back account_tokens analytics");
    typist.answers("recheck", "later Priya Nair");
    typist.sees("take back dns_records TXT");
    types_all(&mut typist, &[("recheck", "later Jonas Weber")]);
    types_all(&mut typist, &[("watch", "Jonas Weber"), ("watch", "")]);
    typist.sees("17 of 17 planted artefacts found");
    assert_eq!(typist.leaves(), 0, "{}", typist.screen);
    typist.has_no_wide_line(80);

    let report = std::fs::read_to_string(scene.incident().join("report.md")).unwrap();
    for said in ["they rotate tomorrow", "platform team", "the deploy team knows", "Jonas Weber"] {
        assert!(report.contains(said), "{said}\n{report}");
    }
    let journal = scene.journal();
    let intents = journal.iter().filter(|entry| entry["event"]["type"] == "intended").count();
    assert_eq!(intents, 3 + 1 + 1 + 1 + 3, "cut, widened, removed, rotated, deleted");
}

/// At the consent prompt of the spine's first effect, in the account of the scene.
async fn at_consent() -> (Spine, Typist) {
    let spine = Spine::new().await;
    let mut typist = Typist::at(spine.scene.command(&["run", "spine.toml"]));
    typist.answers("suspect", "ci-deploy");
    (spine, typist)
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_a_prompt_pauses_and_resume_asks_again() {
    let (spine, mut typist) = at_consent().await;
    typist.sees("\ncut> ");
    typist.presses(ControlCode::EndOfText);
    assert_eq!(typist.leaves(), 130, "{}", typist.screen);
    assert!(typist.screen.contains("quell resume"), "{}", typist.screen);
    assert_eq!(spine.scene.writes().len(), 0);

    let mut typist = Typist::at(spine.scene.command(&["resume"]));
    typist.answers("cut", "cut");
    typist.sees("\nroll> ");
    // The end of input is nobody there any more: a pause, not an answer.
    typist.presses(ControlCode::EndOfTransmission);
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert_eq!(spine.scene.writes().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_twice_in_flight_leaves_in_doubt_and_resume_looks() {
    let (spine, mut typist) = at_consent().await;
    let suspect = &spine.scene.scenario.cast.suspect_token_id;
    spine.scene.fault("PUT", &format!("*/tokens/{suspect}"), 1, FaultKind::Hang);
    typist.answers("cut", "cut");
    typist.sees("sending");
    typist.presses(ControlCode::EndOfText);
    typist.sees("once more leaves at once");
    typist.presses(ControlCode::EndOfText);
    assert_eq!(typist.leaves(), 130, "{}", typist.screen);
    assert!(typist.screen.contains("in doubt"), "{}", typist.screen);
    let status = spine.scene.run(&["status"]).expect(0);
    assert!(status.stdout.contains("in doubt"), "{status:#?}");

    // The look shows that the token is still active: what did not arrive is asked for anew, never sent again unasked.
    let mut typist = Typist::at(spine.scene.command(&["resume"]));
    typist.sees("\ncut> ");
    assert_eq!(spine.scene.writes().len(), 1);
    typist.types("pause");
    assert_eq!(typist.leaves(), 13, "{}", typist.screen);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_before_a_consent_prompt_is_no_consent() {
    let spine = Spine::new().await;
    spine.scene.fault("GET", "/user/tokens", 1, FaultKind::Slow(Duration::from_secs(1)));
    let mut typist = Typist::at(spine.scene.command(&["run", "spine.toml"]));
    typist.answers("suspect", "ci-deploy");
    typist.sees("inventory: List tokens");
    typist.types("cut");
    // Were it not thrown away, it would be taken for the consent, or for the first line of a paste.
    typist.answers("cut", "help");
    let between = typist.sees("skip REASON: leave this");
    assert!(!between.contains("sending") && !between.contains("several lines"), "{between}");
    typist.answers("cut", "cut\ncut");
    typist.sees("several lines came at once, so none of them was taken");
    typist.answers("cut", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert_eq!(spine.scene.writes().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credential_is_asked_for_without_echo() {
    let spine = Spine::new().await;
    let token = spine.scene.scenario.cast.responder_token.clone();
    let mut command = spine.scene.command(&["run", "spine.toml"]);
    command.env_remove("CLOUDFLARE_API_TOKEN");
    let mut typist = Typist::at(command);
    typist.types_secret("token", &token);
    typist.answers("suspect", "ci-deploy");
    typist.answers("cut", "skip only a look");
    typist.answers("roll", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert!(!typist.screen.contains(&token));
    for (path, bytes) in files(&spine.scene.state_dir()) {
        assert!(!String::from_utf8_lossy(&bytes).contains(&token), "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_passphrase_is_asked_for_again() {
    let spine = Spine::new().await;
    let cast = &spine.scene.scenario.cast;
    let bare = |args: &[&str]| {
        let mut command = spine.scene.bare(args);
        command
            .env("CLOUDFLARE_BASE_URL", spine.scene.simulator.base_url())
            .env("CLOUDFLARE_API_TOKEN", &cast.responder_token)
            .env("CLOUDFLARE_ACCOUNT_ID", &cast.account_id);
        command
    };
    let to_roll = |typist: &mut Typist| {
        types_all(typist, &[("roll", "1"), ("roll", "rotate 1"), ("roll", "later platform team for all")]);
    };
    let mut typist = Typist::at(bare(&["run", "spine.toml"]));
    types_all(&mut typist, &[("suspect", "ci-deploy"), ("cut", "skip only a look")]);
    to_roll(&mut typist);
    // Too short three times: then the run rests.
    for short in ["", "short", "1234567"] {
        typist.types_secret("passphrase for the new vault", short);
    }
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert_eq!(typist.screen.matches("8 characters or more; once more").count(), 2, "{}", typist.screen);
    assert_eq!(spine.scene.writes().len(), 0);

    let mut typist = Typist::at(bare(&["resume"]));
    for (first, again) in [("correct horse", "correct hose"), ("correct horse", "correct horse")] {
        typist.types_secret("passphrase for the new vault", first);
        typist.types_secret("the same once more", again);
    }
    typist.answers("revoke", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert_eq!(typist.screen.matches("the two passphrases differ; once more").count(), 1, "{}", typist.screen);
    assert_eq!(spine.scene.writes().len(), 1);

    let rolled = spine.scene.writes()[0].path.clone();
    let rolled = rolled.rsplit('/').nth(1).unwrap().to_owned();
    let mut typist = Typist::at(bare(&["secrets", "reveal", &rolled]));
    for passphrase in ["correct house", "correct horse"] {
        typist.types_secret("passphrase of the vault", passphrase);
    }
    assert_eq!(typist.leaves(), 0, "{}", typist.screen);
    assert!(typist.screen.contains("the passphrase does not open this vault; once more"), "{}", typist.screen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_that_goes_on_shows_where_its_calls_go() {
    let scene = Scene::new().await;
    let mut typist = Typist::at(rehearsal(&scene, &[]));
    types_all(&mut typist, INPUTS);
    types_all(&mut typist, QUESTIONS);
    typist.answers("cut", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    let opened = scene.journal().iter().find_map(|entry| entry["event"]["api"].as_str().map(str::to_owned)).unwrap();

    let mut typist = Typist::at(scene.bare(&["resume"]));
    typist.answers("cut", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    let hosts: Vec<&str> = typist
        .screen
        .split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'))
        .filter(|word| word.starts_with("127.0.0.1:"))
        .collect();
    assert_eq!(hosts.len(), 2, "in the header and where consent is asked for: {}", typist.screen);
    assert!(hosts[0] == hosts[1] && hosts[0] != opened, "{hosts:?}, and {opened} before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_in_the_suspects_name_is_told_at_once_and_what_is_meant_is_taken() {
    let spine = Spine::new().await;
    let mut typist = Typist::at(spine.scene.command(&["run", "spine.toml"]));
    typist.answers("suspect", "?");
    typist.sees(&format!("- ci-deploy ({})", spine.scene.scenario.cast.suspect_token_id));
    typist.answers("suspect", "ci-deplo");
    typist.sees("no token that this credential sees is called that; did you mean `ci-deploy`");
    // Said twice, it is meant: it is followed, and what else may be meant is the first that the cut offers.
    typist.answers("suspect", "ci-deplo");
    let above = typist.answers("cut", "disable 1");
    let said = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said(&above).contains("did you mean `ci-deploy`"), "{above}");
    // The number behind the verb says how many, and here somebody means the row.
    let above = typist.answers("cut", "1");
    assert!(said(&above).contains("no row is chosen; type the row's number first"), "{above}");
    let above = typist.answers("cut", "pause");
    assert!(said(&above).contains("chosen: 1 ci-deploy"), "{above}");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert!(spine.scene.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_is_not_there_is_asked_for_again_however_often_it_is_typed() {
    let scene = Scene::new().await;
    scene.write("zoned.toml", crate::bad_input::ZONED);
    let mut typist = Typist::at(scene.command(&["run", "zoned.toml"]));
    for _ in 0..2 {
        typist.answers("zones", "hl-books.example, 1");
        typist.sees("no zone `1` among the 4 that the credential sees");
    }
    typist.answers("zones", "?");
    typist.sees("- hl-books.example (");
    typist.answers("zones", "hl-boks.example");
    typist.sees("did you mean");
    typist.sees("`hl-books.example`?");
    typist.answers("zones", "hl-books.example, harborlane.example");
    assert!(matches!(typist.leaves(), 0 | 16), "{}", typist.screen);
    let sealed = scene.journal().into_iter().find(|entry| entry["event"]["type"] == "plan_sealed").unwrap();
    assert_eq!(sealed["event"]["inputs"]["zones"], serde_json::json!(["hl-books.example", "harborlane.example"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_paste_of_several_lines_no_input_is_taken() {
    let spine = Spine::new().await;
    let cast = &spine.scene.scenario.cast;
    let mut typist = Typist::at(spine.scene.command(&["run", "spine.toml"]));
    typist.sees("\nsuspect> ");
    typist.half_types("uptime checks\nterraform plan\n20m ago\n");
    typist.sees("several lines came at once, so none of them was taken");
    typist.answers("suspect", &cast.suspect_token_id);
    typist.answers("cut", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    let sealed = spine.scene.journal().into_iter().find(|entry| entry["event"]["type"] == "plan_sealed").unwrap();
    assert_eq!(sealed["event"]["inputs"]["suspect"], cast.suspect_token_id.as_str());
}

const HANDS: &str = r#"
schema = 1
name   = "hands"
title  = "By hand"

[[steps]]
id     = "people"
phase  = "recover"
title  = "Tell them"
why    = "They must know."
action = "manual"

[steps.with]
items = [
  { title = "Call Priya", instruction = "Call her." },
  { title = "Call Jonas", instruction = "Call him." },
  { title = "Call Ruth", instruction = "Call her." },
]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_for_all_holds_of_all_work_that_is_left_and_is_part_of_no_name() {
    let scene = Scene::new().await;
    scene.write("hands.toml", HANDS);
    let mut typist = Typist::at(scene.command(&["run", "hands.toml"]));
    types_all(&mut typist, &[("people", "done Maya"), ("people", ""), ("people", ""), ("people", "done Bob for all")]);
    typist.sees("`done` is said of each alone");
    typist.answers("people", "later sam for all");
    typist.leaves();
    assert!(typist.screen.contains("3 of 3, Call Ruth: later, by sam"), "{}", typist.screen);
    let left: Vec<Value> = scene
        .journal()
        .iter()
        .filter(|entry| entry["event"]["type"] == "rows_left")
        .flat_map(|entry| entry["event"]["left"].as_array().unwrap().clone())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left.iter().all(|left| left.to_string().contains(r#""owner":"sam""#)), "{left:?}");
}
