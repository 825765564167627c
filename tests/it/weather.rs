//! A run that is torn away by something outside it, and what `quell resume` says then: a lost terminal, a kill, a full
//! disk, a credential that is not valid any more.

mod line;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use expectrl::ControlCode;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::scene::{Scene, ran};
use crate::spine::Spine;
use crate::terminal::typist::Typist;

/// The lines that `resume` prints before it goes on: the header, and where things stand.
fn first_screen(said: &str) -> Vec<&str> {
    let begin = said.find("incident   ").unwrap_or_else(|| panic!("no header\n{said}"));
    let lines: Vec<&str> = said[begin..].lines().map(str::trim_end).collect();
    let last = lines.iter().position(|line| line.starts_with("next ")).unwrap_or_else(|| panic!("{lines:#?}"));
    lines[..=last].to_vec()
}

/// Holds it to a screen of 80 columns and 24 lines, below the heading.
#[track_caller]
fn fits_a_screen(said: &str) {
    let lines = first_screen(said);
    assert!(lines.len() < 24 && lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
}

fn row<'s>(said: &'s str, label: &str) -> &'s str {
    let lines = first_screen(said);
    let found = lines.iter().find(|line| line.starts_with(&format!("{label:<10} ")));
    found.unwrap_or_else(|| panic!("no `{label}`\n{lines:#?}")).trim_start_matches(label).trim_start()
}

/// The last pause in the journal, in words.
fn paused(scene: &Scene) -> String {
    let journal = scene.journal();
    let last =
        journal.iter().rfind(|entry| entry["event"]["type"] == "paused").unwrap_or_else(|| panic!("it never paused"));
    last["event"]["reason"].as_str().unwrap().to_owned()
}

fn at_consent(spine: &Spine) -> Typist {
    let mut typist = Typist::at(spine.scene.command(&["run", "spine.toml"]));
    typist.answers("suspect", "ci-deploy");
    typist.sees("\ncut> ");
    typist
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_rests_the_run_and_resume_says_why() {
    let spine = Spine::new().await;
    let mut typist = at_consent(&spine);
    kill_process(Pid::from_raw(typist.pid()).unwrap(), Signal::HUP).unwrap();
    assert_eq!(typist.leaves(), 130, "{}", typist.screen);
    assert_eq!(paused(&spine.scene), "its terminal is gone");
    assert!(spine.scene.writes().is_empty());

    let mut typist = Typist::at(spine.scene.command(&["resume"]));
    typist.answers("cut", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    let said = &typist.screen;
    fits_a_screen(said);
    assert!(row(said, "rested").ends_with(" ago: its terminal is gone"), "{said}");
    assert_eq!(row(said, "done"), "1 of 4 steps ended; 0 changes made");
    assert_eq!(row(said, "left"), "3 steps: cut, roll, revoke");
    assert_eq!(row(said, "next"), "ask for consent at `cut`");
}

/// Waits for a child to end.
fn ends(child: &mut Child) {
    let waits = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(waits.elapsed() < Duration::from_secs(30), "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_torn_away_rests_the_run() {
    let spine = Spine::new().await;
    let quell = spine.scene.command(&["run", "spine.toml", "--set", "suspect=ci-deploy"]);
    let words: Vec<String> = std::iter::once(quell.get_program())
        .chain(quell.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    // `script` holds the other end of a terminal; killed, it takes the terminal with it as a lost connection does.
    let mut script = Command::new("script");
    script
        .args(["-qec", &format!("exec {}", words.join(" ")), "/dev/null"])
        .env_clear()
        .envs(quell.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", std::env::var("PATH").unwrap())
        .env("TERM", "xterm")
        .current_dir(spine.scene.path("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let Ok(mut script) = script.spawn() else {
        return assert!(std::env::var("CI").is_err(), "no `script` to hold a terminal by");
    };
    let waits = Instant::now();
    let is_asked = || {
        let journal = spine.scene.state_dir().exists() && spine.scene.incident_exists();
        journal && spine.scene.journal().iter().any(|entry| entry["event"]["type"] == "proposed")
    };
    while !is_asked() {
        assert!(waits.elapsed() < Duration::from_secs(60), "it never asked");
        std::thread::sleep(Duration::from_millis(50));
    }
    script.kill().unwrap();
    ends(&mut script);
    let waits = Instant::now();
    while !spine.scene.journal().iter().any(|entry| entry["event"]["type"] == "paused") {
        assert!(waits.elapsed() < Duration::from_secs(30), "it did not rest");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(paused(&spine.scene), "its terminal is gone");
    assert!(spine.scene.writes().is_empty());
    spine.resume(&spine.answers("")).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_a_prompt_nothing_is_lost_and_resume_names_the_process() {
    let spine = Spine::new().await;
    let mut typist = at_consent(&spine);
    let pid = typist.pid();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    typist.dies();
    let mut typist = Typist::at(spine.scene.command(&["resume"]));
    typist.sees("\ncut> ");
    typist.presses(ControlCode::EndOfText);
    assert_eq!(typist.leaves(), 130, "{}", typist.screen);
    fits_a_screen(&typist.screen);
    let rested = row(&typist.screen, "rested");
    assert!(rested.contains(&format!(" ago: its process ({pid} on ")), "{rested}");
    assert_eq!(paused(&spine.scene), "interrupted by Ctrl-C");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_consented_to_and_what_is_in_doubt_is_named_before_it_goes_on() {
    for (point, label, said, next) in [
        ("before-intent:2", "consented", "rotate token", "read again what was consented to, then send, at `roll`"),
        ("before-send:2", "in doubt", "rotate token", "look what became of the effect in doubt at `roll`"),
    ] {
        let spine = Spine::new().await;
        let answers = spine.answers("");
        let mut command = spine.scene.command(&["run", "spine.toml", "--answers", &answers]);
        assert_eq!(ran(command.env("QUELL_CRASH_AT", point)).code, -1, "{point}");
        let resumed = spine.resume(&answers);
        fits_a_screen(&resumed.stderr);
        assert!(row(&resumed.stderr, label).starts_with(said), "{}", resumed.stderr);
        assert_eq!(row(&resumed.stderr, "next"), next, "{point}");
        assert!(row(&resumed.stderr, "done").contains("1 change made"), "{}", resumed.stderr);
    }
}

/// Whoever runs it, in the account of the scene, by the key of the responder instead of the token.
fn by_key(scene: &Scene, args: &[&str]) -> Command {
    let mut command = scene.command(args);
    command
        .env_remove("CLOUDFLARE_API_TOKEN")
        .env("CLOUDFLARE_API_KEY", &scene.scenario.cast.global_key)
        .env("CLOUDFLARE_EMAIL", &scene.scenario.cast.email);
    command
}

/// Somebody disables the responder's token.
async fn disable_responder(scene: &Scene) {
    let cast = &scene.scenario.cast;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/user/tokens/{}", scene.simulator.base_url(), cast.responder_token_id);
    let as_owner = |request: reqwest::RequestBuilder| {
        request.header("X-Auth-Email", &cast.email).header("X-Auth-Key", &cast.global_key)
    };
    let answer: Value = as_owner(client.get(&url)).send().await.unwrap().json().await.unwrap();
    let token = &answer["result"];
    let body = serde_json::json!({ "name": token["name"], "policies": token["policies"], "status": "disabled" });
    let answer = as_owner(client.put(&url)).json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_dies_half_way_stops_the_run_and_another_goes_on() {
    let spine = Spine::new().await;
    let mut typist = at_consent(&spine);
    typist.types("cut");
    typist.sees("\nroll> ");
    disable_responder(&spine.scene).await;
    let before = spine.scene.writes().len();
    typist.types("pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    let answers = spine.answers("");
    let dead = spine.scene.run(&["resume", "--answers", &answers]).expect(2);
    assert!(dead.stderr.contains("disabled") && dead.stderr.contains("`quell resume`"), "{}", dead.stderr);
    assert_eq!(spine.scene.writes().len(), before);

    let resumed = ran(&mut by_key(&spine.scene, &["resume", "--answers", &answers, "--json"])).expect(0);
    fits_a_screen(&resumed.stderr);
    assert!(row(&resumed.stderr, "acting as").starts_with("global API key"), "{}", resumed.stderr);
    let changed = row(&resumed.stderr, "credential");
    assert!(changed.starts_with("another one than before, which was user token"), "{changed}");
    assert_eq!(
        spine.scene.writes().iter().filter(|write| write.applied).count() - before,
        3,
        "two rolls, one deletion"
    );
    let journal = spine.scene.journal();
    let resumed = journal.iter().rfind(|entry| entry["event"]["type"] == "run_resumed").unwrap();
    assert_eq!(resumed["event"]["credential"]["kind"], "global_key");

    // The key of somebody in another account is no way in.
    let other = Spine::new().await;
    let stop = other.scene.write("stop.toml", "[inputs]\nsuspect = \"ci-deploy\"\n").display().to_string();
    other.run(&stop).expect(11);
    let mut command = other.scene.command(&["resume", "--answers", &answers]);
    command.env("CLOUDFLARE_ACCOUNT_ID", "0123456789abcdef0123456789abcdef");
    let refused = ran(&mut command).expect(2);
    assert!(refused.stderr.contains("nothing was sent"), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_credential_is_told_from_a_missing_permission() {
    let spine = Spine::new().await;
    let mut typist = at_consent(&spine);
    disable_responder(&spine.scene).await;
    // The send is refused, which says the same of a missing permission; the look behind it finds out.
    typist.types("cut");
    typist.sees("refused");
    typist.answers("cut", "retry with the same");
    typist.answers("cut", "cut");
    let said = typist.answers("cut", "pause");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "cannot list the tokens: the API refused the credential: it is disabled by now",
        "the credential may have expired or been revoked: resume with another one",
    ] {
        assert!(said.contains(told), "{said}");
    }
    assert_eq!(typist.leaves(), 12, "{}", typist.screen);

    let mut typist = Typist::at(by_key(&spine.scene, &["resume"]));
    // The consent stands: it is read again, and sent as nothing has changed since, which the first screen says.
    typist.answers("cut", "retry with the key");
    typist.answers("roll", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert_eq!(spine.scene.writes().iter().filter(|write| write.applied).count(), 1 + 1, "the test's own, and the cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_so_already_is_done_with_its_proof() {
    let spine = Spine::new().await;
    let answers = spine.answers("");
    // Somebody was faster: the suspect is disabled by hand before the step comes to it.
    let suspect = spine.scene.scenario.cast.suspect_token_id.clone();
    let mut typist = at_consent(&spine);
    typist.types("pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    let cast = &spine.scene.scenario.cast;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/accounts/{}/tokens/{suspect}", spine.scene.simulator.base_url(), cast.account_id);
    let deleted = client.delete(&url).bearer_auth(&cast.responder_token).send().await.unwrap();
    assert!(deleted.status().is_success());

    // A run of its own in a fresh incident finds the goal met: nothing is asked, and the proof is kept.
    std::fs::remove_dir_all(spine.scene.state_dir()).unwrap();
    let text = std::fs::read_to_string(spine.scene.path("spine.toml")).unwrap();
    let tokens = format!("{{ tokens = [{{ id = \"{suspect}\", name = \"ci-deploy\", owner = \"account\" }}] }}");
    spine.scene.write("spine.toml", &text.replace("{ tokens = { from = \"steps.inventory.suspects\" } }", &tokens));
    let ran = spine.scene.run(&["run", "spine.toml", "--answers", &answers, "--json"]);
    let document = ran.json();
    let steps = document["steps"].as_array().unwrap();
    let cut = steps.iter().find(|step| step["id"] == "cut").unwrap();
    assert_eq!((&cut["status"], &cut["already"][0]["name"]), (&"done".into(), &"ci-deploy".into()), "{cut}");
    assert!(ran.stderr.contains("  already so ci-deploy: "), "{}", ran.stderr);
    let journal = spine.scene.journal();
    let proposed = journal.iter().find(|entry| entry["event"]["type"] == "proposed" && entry["path"] == "cut").unwrap();
    assert_eq!(proposed["event"]["already"][0][0], "ci-deploy");
    spine.scene.run(&["report"]).expect(0);
    let report = std::fs::read_to_string(spine.scene.incident().join("report.md")).unwrap();
    let section = report.split("### Already so when it was looked at").nth(1).unwrap_or_else(|| panic!("{report}"));
    assert!(section.contains("| `cut` | ci-deploy |"), "{section}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_encrypted_needs_no_root_certificates() {
    let spine = Spine::new().await;
    let answers = spine.answers("");
    let nowhere = spine.scene.path("nowhere");
    let mut command = spine.scene.command(&["run", "spine.toml", "--answers", &answers]);
    ran(command.env("SSL_CERT_FILE", &nowhere).env("SSL_CERT_DIR", &nowhere)).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_hangs_is_taken_over_with_a_reason_and_then_sends_nothing() {
    let spine = Spine::new().await;
    let mut hung = at_consent(&spine);
    let answers = spine.answers("");
    let locked = spine.resume(&answers).expect(14);
    let told = locked.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains(&format!("is being driven by process {} on ", hung.pid())), "{}", locked.stderr);
    assert!(told.contains("quell resume --take-over REASON"), "{}", locked.stderr);
    spine.scene.run(&["resume", "--answers", &answers, "--take-over", " "]).expect(2);

    let taken =
        spine.scene.run(&["resume", "--answers", &answers, "--take-over", "nobody is at that laptop"]).expect(0);
    assert!(taken.stderr.contains(&format!("taken over from process {}", hung.pid())), "{}", taken.stderr);
    let sent = spine.scene.writes().len();
    assert_eq!(sent, 4);
    let journal = spine.scene.journal();
    let decided = journal.iter().find(|entry| entry["event"]["kind"] == "decision").unwrap();
    let words = decided["event"]["text"].as_str().unwrap();
    assert!(words.starts_with("took the incident over from process ") && words.ends_with(": nobody is at that laptop"));

    // It wakes up, and what is typed there does nothing any more.
    hung.types("cut");
    assert_eq!(hung.leaves(), 14, "{}", hung.screen);
    let screen = hung.screen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(screen.contains("has taken over: nothing more is written or sent from here"), "{}", hung.screen);
    assert_eq!(spine.scene.writes().len(), sent);
    assert_eq!(spine.scene.journal().len(), journal.len());
    spine.scene.run(&["verify"]).expect(0);
}
