//! What is done beside the steps of a run: one thing at once, what was done elsewhere, handing over, closing.

use std::process::Stdio;

use quell::simulator::FaultKind;
use serde_json::{Value, json};

use crate::scene::{Ran, Scene, files, ran};
use crate::spine::Spine;
use crate::terminal::typist::Typist;

/// A run that rests before its cut.
async fn resting() -> Spine {
    let spine = Spine::new().await;
    let suspect = &spine.scene.scenario.cast.suspect_token_id;
    let stop = spine.scene.write("stop.toml", &format!("[inputs]\nsuspect = \"{suspect}\"\n")).display().to_string();
    spine.run(&stop).expect(11);
    spine
}

fn do_disable(spine: &Spine, answers: &str) -> Ran {
    let tokens = json!([{ "id": spine.scene.scenario.cast.suspect_token_id }]);
    let answers = spine.scene.write("do.toml", answers).display().to_string();
    let with = format!("tokens={tokens}");
    spine.scene.run(&["do", "cloudflare.token.disable", "--with", &with, "--answers", &answers, "--json"])
}

fn events(spine: &Spine, kind: &str) -> Vec<Value> {
    let journal = spine.scene.journal();
    journal.into_iter().map(|entry| entry["event"].clone()).filter(|event| event["type"] == kind).collect()
}

fn report(spine: &Spine) -> String {
    spine.scene.run(&["report"]).expect(0);
    std::fs::read_to_string(spine.scene.incident().join("report.md")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_thing_is_done_beside_a_run_that_rests_and_the_run_finds_it_done() {
    let spine = resting().await;
    let done = do_disable(&spine, "[steps.do]\nanswer = \"run\"\n").expect(0);
    let document = done.json();
    assert_eq!((&document["run"], &document["outcome"]), (&json!("r2"), &json!("done")));
    let effect = &document["steps"][0]["effects"][0];
    assert_eq!((&effect["outcome"], &effect["verdict"]), (&json!("applied"), &json!("holds")));
    assert!(done.stderr.contains("run r1 of spine rests: go on with `quell resume "), "{}", done.stderr);
    assert_eq!(spine.scene.writes().len(), 1);
    let status = spine.scene.run(&["status", "--json"]).expect(0).json();
    assert_eq!((&status["run"], &status["outcome"]), (&json!("r1"), &json!("paused")));

    let resumed = spine.resume(&spine.answers("")).expect(0).json();
    let cut = resumed["steps"].as_array().unwrap().iter().find(|step| step["id"] == "cut").unwrap().clone();
    let left = &cut["effects"][0]["left"]["disposition"];
    assert_eq!((&cut["status"], left), (&json!("done"), &json!("already_met")), "{cut:#}");
    let disables =
        spine.scene.writes().iter().filter(|write| write.method == "PUT" && !write.path.ends_with("/value")).count();
    assert_eq!(disables, 1);
    spine.scene.run(&["verify"]).expect(0);
    // The response is what is told of, though what was done at once was begun last.
    let status = spine.scene.run(&["status"]).expect(0).stdout;
    assert!(status.contains("\nrun r1: done\nrun r2 of do: done\n"), "{status}");
    assert_eq!(spine.scene.run(&["status", "--json"]).json()["run"], "r1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_at_once_is_asked_for_can_be_looked_at_first_and_is_undone() {
    let spine = resting().await;
    let tokens = json!([{ "id": spine.scene.scenario.cast.suspect_token_id }]);
    let with = format!("tokens={tokens}");
    let entries = spine.scene.journal().len();
    let looked = spine.scene.run(&["do", "cloudflare.token.disable", "--with", &with, "--dry-run"]).expect(0);
    assert!(looked.stdout.contains("disable"), "{}", looked.stdout);
    assert_eq!((spine.scene.journal().len(), spine.scene.writes().len()), (entries, 0));

    // Nobody said yes.
    do_disable(&spine, "").expect(11);
    assert_eq!(spine.scene.writes().len(), 0);
    let status = spine.scene.run(&["status"]).expect(0).stdout;
    // What is told of is the response, also while something at once beside it is open.
    assert!(status.contains("run r1 rests (") && status.contains("inventory"), "{status}");
    assert!(status.contains("run r2 of do: open, and `quell resume` goes on with it first\n"), "{status}");
    let handoff = spine.scene.run(&["handoff", "Ann takes over"]).expect(0).stdout;
    assert!(handoff.contains("run r1 rests (") && handoff.contains("run r2 of do: open"), "{handoff}");
    assert_eq!(spine.scene.run(&["status", "--json"]).json()["run"], "r1");
    let again = do_disable(&spine, "[steps.do]\nanswer = \"run\"\n").expect(0).json();
    assert_eq!(again["run"], "r3");
    spine
        .resume(
            &spine
                .scene
                .write("skip.toml", "[steps.do]\nanswer = \"skip\"\nreason = \"done by r3\"\n")
                .display()
                .to_string(),
        )
        .expect(0);
    // What is left open is the run that everything began with.
    assert_eq!(spine.scene.run(&["status", "--json"]).json()["run"], "r1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_named_as_the_help_says_and_its_leaked_value_is_tried() {
    let spine = resting().await;
    let help = spine.scene.run(&["do", "--help"]).expect(0).stdout;
    assert!(help.contains("--with tokens=ID"), "{help}");
    let cast = &spine.scene.scenario.cast;
    let answers = spine.scene.write("do.toml", "[steps.do]\nanswer = \"run\"\n").display().to_string();
    let disable = |token: &str| {
        let with = format!("tokens={token}");
        let mut command = spine.scene.command(&["do", "cloudflare.token.disable", "--with", &with]);
        ran(command.args(["--answers", &answers, "--json"]).env("QUELL_SUSPECT_VALUE", &cast.suspect_secret)).expect(0)
    };
    let done = disable("ci-deploy");
    let effect = done.json()["steps"][0]["effects"][0].clone();
    assert_eq!((&effect["target"]["id"], &effect["verdict"]), (&json!(cast.suspect_token_id), &json!("holds")));
    let told = done.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("the leaked value is refused"), "{}", done.stderr);
    // What is done to another token says nothing of this value.
    let other = disable(&spine.rolled[0]).stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(other.contains("`QUELL_SUSPECT_VALUE` is not used") && !other.contains("is refused "), "{other}");
    for (path, bytes) in files(&spine.scene.state_dir()) {
        assert!(!String::from_utf8_lossy(&bytes).contains(&cast.suspect_secret), "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_keeps_to_itself_what_was_planted_while_a_run_rests() {
    let scene = Scene::new().await;
    let text = "[inputs]\nsuspect = \"ci-deploy\"\ndetected_at = \"10m ago\"\nexposed_since = \"10h ago\"\n";
    let stop = scene.write("stop.toml", text).display().to_string();
    ran(&mut scene.bare(&["rehearse", "--answers", &stop])).expect(11);
    let answers = scene.write("do.toml", "[steps.do]\nanswer = \"run\"\n").display().to_string();
    let disable = ["do", "cloudflare.token.disable", "--with", "tokens=ci-deploy", "--answers"];
    let wait = scene.write("wait.toml", "").display().to_string();
    ran(scene.bare(&disable).arg(&wait)).expect(11);
    let done = ran(&mut scene.bare(&["resume", "--answers", &answers])).expect(0);
    assert!(!done.stderr.contains("planted") && !done.stderr.contains("missed"), "{}", done.stderr);
    assert!(!scene.incident().join("score.json").exists());
    let again = ran(scene.bare(&disable).arg(&answers)).expect(0);
    assert!(!again.stderr.contains("planted") && again.stderr.contains("rests: go on with"), "{}", again.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_at_once_is_refused_before_anything_is_sent() {
    let spine = resting().await;
    let refused = |args: &[&str], said: &str| {
        let ran = spine.scene.run(&[&["do"], args].concat());
        assert!(matches!(ran.code, 2 | 10 | 11), "{ran:?}");
        let told = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(said), "{said}: {}", ran.stderr);
    };
    refused(&["cloudflare.token.disabel"], "there is no action `cloudflare.token.disabel`");
    refused(&["cloudflare.token.disable", "--with", "tokens"], "`--with tokens` is not `name=value`");
    refused(&["cloudflare.token.disable", "--with", "nothing=1"], "nothing");
    refused(&["cloudflare.token.disable", "--with", "tokens=[]"], "there is no terminal to ask a person on");
    let value = &spine.scene.scenario.cast.responder_token;
    refused(&["cloudflare.token.disable", "--with", &format!("tokens={value}")], "looks like a secret");
    let inside = format!("tokens={}", json!([{ "id": value }]));
    refused(&["cloudflare.token.disable", "--with", &inside], "looks like a secret");
    refused(&["cloudflare.token.disable", "--with", "tokens=a", "--why", "{{inputs.x}}"], "`--why` is plain text");
    let nobody = spine.scene.run(&["do", "cloudflare.token.disable", "--with", "tokens=ci-deploy"]).expect(11);
    assert!(nobody.stderr.contains("`--answers FILE`") && !nobody.stderr.contains("--yes-up-to"), "{}", nobody.stderr);
    // What the action does not take is told before a run is opened, also where it is only looked.
    let entries = spine.scene.journal().len();
    for looks in [&[][..], &["--dry-run"]] {
        let refused = |with: &[&str], said: &str| refused(&[&["cloudflare.token.disable"], with, looks].concat(), said);
        refused(&[], "missing field `tokens`");
        refused(&[], "type `--with tokens=ID,ID`; `quell actions cloudflare.token.disable` lists what it takes");
        refused(&["--with", "tokens=[7]"], "invalid type: integer");
    }
    refused(
        &["cloudflare.token.disable", "--with", "tokens=ci-deplo", "--dry-run"],
        "no token that this credential sees is called `ci-deplo`",
    );
    assert_eq!(spine.scene.journal().len(), entries);
    refused(&["cloudflare.token.disable", "--incident", "1999"], "there is no incident `1999`");
    assert_eq!(spine.scene.writes().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_elsewhere_stands_in_the_timeline_at_its_time_with_its_file() {
    let spine = resting().await;
    let shot = spine.scene.write("shot.png", "pixels").display().to_string();
    let told = spine.scene.run(&[
        "did",
        "Removed the member | in the dashboard",
        "--at",
        "2026-01-02 03:04Z",
        "--file",
        &shot,
    ]);
    assert!(told.expect(0).stderr.contains("done 2026-01-02 03:04Z: written down in "));
    spine.scene.run(&["did", "Called the bank"]).expect(0);
    let attested = events(&spine, "attested");
    assert_eq!((&attested[0]["done_at"], &attested[1]["file"]), (&json!("2026-01-02T03:04:00Z"), &Value::Null));
    let report = report(&spine);
    let rows: Vec<&str> =
        report.lines().filter(|line| line.starts_with("| 2026-01-02T03:04:00Z | responder | tester |")).collect();
    assert_eq!(rows.len(), 1, "{report}");
    assert!(
        rows[0].contains("Removed the member \\| in the dashboard \\(done elsewhere; written down "),
        "{}",
        rows[0]
    );
    spine.scene.run(&["verify"]).expect(0);

    for (args, said) in [
        (vec!["did", "x", "--at", "2999-01-01 00:00Z"], "`--at` cannot be `2999-01-01 00:00Z`: it lies in the future"),
        (vec!["did", "x", "--file", "nowhere.png"], "cannot keep the file nowhere.png"),
        (vec!["did", " "], "the account of what was done is empty"),
        (vec!["did"], "for example `quell did \"disabled the key in the dashboard\" --at \"20m ago\"`"),
        (vec!["handoff"], "the handoff is empty\nhint: write them in quotes, for example `quell handoff \""),
    ] {
        let ran = spine.scene.run(&args).expect(2);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    assert_eq!(events(&spine, "attested").len(), 2);
    let kept = attested[0]["file"]["sha256"].as_str().unwrap();
    std::fs::remove_file(spine.scene.incident().join("evidence").join(kept)).unwrap();
    assert!(spine.scene.run(&["verify"]).expect(14).stdout.contains("evidence_missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_over_is_told_where_things_stand() {
    let spine = resting().await;
    let told = spine.scene.run(&["handoff", "Ann takes over; the bank calls back at nine"]).expect(0);
    for said in
        ["run r1 rests", "to be settled, or accepted by somebody:", "open finding", "\njournal head: ", "\ndirectory: "]
    {
        assert!(told.stdout.contains(said), "{said}: {}", told.stdout);
    }
    assert_eq!(events(&spine, "noted")[0]["kind"], "handoff");
    assert!(report(&spine).contains("handoff: Ann takes over; the bank calls back at nine"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_closed_when_everything_that_is_left_is_accepted_by_name() {
    let spine = Spine::new().await;
    let account = spine.scene.scenario.cast.account_id.clone();
    spine.scene.fault("GET", &format!("/accounts/{account}/tokens*"), 1000, FaultKind::Forbidden);
    let close = |accept: &[&str]| {
        let accept: Vec<&str> = accept.iter().flat_map(|it| ["--accept", it]).collect();
        spine.scene.run(&[&["close"], accept.as_slice()].concat())
    };
    let suspect = &spine.scene.scenario.cast.suspect_token_id;
    let stop = spine.scene.write("stop.toml", &format!("[inputs]\nsuspect = \"{suspect}\"\n")).display().to_string();
    spine.run(&stop).expect(11);
    let open = close(&[]).expect(2);
    assert!(open.stderr.contains("has a run that is not closed"), "{}", open.stderr);
    let skip =
        ["cut", "roll", "revoke"].map(|step| format!("[steps.{step}]\nanswer = \"skip\"\nreason = \"a drill\"\n"));
    spine.resume(&spine.scene.write("skip.toml", &skip.concat()).display().to_string()).expect(16);

    let left = close(&[]).expect(11);
    assert!(
        left.stdout.contains("\n  not seen (") && left.stdout.contains("\n    gap 1: tokens of "),
        "{}",
        left.stdout
    );
    assert!(left.stdout.contains("\n  not examined ("), "{}", left.stdout);
    assert!(left.stderr.contains("that nobody has accepted"), "{}", left.stderr);
    assert!(close(&["F99=Ann: x"]).expect(2).stderr.contains("no open matter is called `F99`"));
    assert!(close(&["all=Ann"]).expect(2).stderr.contains("it is `MATTER=NAME: REASON`"));
    assert_eq!(events(&spine, "incident_closed"), [] as [Value; 0]);

    let closed =
        close(&["all=Maya Lindqvist: the key is dead, the rest is for daylight", "GAP 1=Ann: known"]).expect(0);
    assert!(closed.stderr.contains(" is closed; post-mortem draft:"), "{}", closed.stderr);
    let event = events(&spine, "incident_closed").remove(0);
    let accepted = event["accepted"].as_array().unwrap();
    let first = accepted.iter().find(|it| it["matter"] == "gap 1").unwrap();
    assert_eq!((&first["by"], &first["reason"]), (&json!("Ann"), &json!("known")));
    assert!(accepted.iter().any(|it| it["by"] == "Maya Lindqvist"), "{event:#}");
    let report = report(&spine);
    let told = "; what was left is accepted by Ann, Maya Lindqvist, see Decisions and answers |";
    assert!(report.contains(told), "{report}");
    let status = spine.scene.run(&["status"]).expect(0).stdout;
    assert!(status.contains("incident closed ") && status.contains(" by tester, with "), "{status}");
    assert!(close(&[]).expect(0).stderr.contains("was closed "));
    assert_eq!(events(&spine, "incident_closed").len(), 1);
    // Whoever does one more thing opens it again, and is told so.
    let done = spine.scene.write("do.toml", "[steps.do]\nfields = { attested_by = \"Ann\" }\n").display().to_string();
    let incident = spine.scene.incident().display().to_string();
    let manual = ["do", "manual", "--with", "instruction=Call the bank.", "--incident", &incident, "--answers", &done];
    let opened = spine.scene.run(&manual).stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        opened.contains("is open again, and so is what was accepted then; `quell close` closes it anew"),
        "{opened}"
    );
    assert!(
        events(&spine, "noted").iter().any(|note| note["text"].as_str().unwrap().contains("which tester had closed"))
    );
    let public = spine.scene.run(&["report", "--profile", "public", "-o", "-"]).expect(0).stdout;
    assert!(!public.contains("Lindqvist") && !public.contains("Ann"), "{public}");
    spine.scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_for_others_names_nobody_and_says_whether_the_cut_is_proven() {
    let spine = resting().await;
    let brief = || spine.scene.run(&["status", "--brief"]).expect(0).stdout;
    let before = brief();
    let said = "contain; opened 0 s ago; cut NOT proven (0 of 1 containing step done, 1 change not proven); ";
    assert!(before.replace(" 1 s ago", " 0 s ago").starts_with(said), "{before}");
    assert!(before.ends_with("; next: ask for consent (resting)\n"), "{before}");
    spine.resume(&spine.answers("")).expect(0);
    let after = brief();
    assert!(after.starts_with("response ended; opened ") && after.contains("; cut proven; "), "{after}");
    let cast = &spine.scene.scenario.cast;
    for text in [&before, &after] {
        assert_eq!(text.lines().count(), 1);
        assert!(
            !text.contains(&cast.suspect_token_id) && !text.contains("ci-deploy") && !text.contains("spine"),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_for_others_speaks_of_all_that_was_done_in_the_incident() {
    let spine = resting().await;
    let cut = || {
        let line = spine.scene.run(&["status", "--brief"]).expect(0).stdout;
        let parts: Vec<&str> = line.trim_end().split("; ").collect();
        (parts[0].to_owned(), parts[2].to_owned())
    };
    let said = |phase: &str, cut: &str| (phase.to_owned(), cut.to_owned());
    // What waits for a yes beside the run hides nothing of it.
    do_disable(&spine, "").expect(11);
    assert_eq!(cut(), said("contain", "cut NOT proven (0 of 2 containing steps done, 1 change not proven)"));
    let skip = "[defaults]\nanswer = \"skip\"\nreason = \"a drill\"\n";
    let skip = spine.scene.write("skip.toml", skip).display().to_string();
    spine.resume(&skip).expect(0);
    spine.resume(&skip).expect(0);
    assert_eq!(cut(), said("response ended", "cut NOT proven (0 of 1 containing step done, 1 change not proven)"));
    // What has nothing to do with it proves nothing of it.
    let disable = |id: &str| {
        let answers = spine.scene.write("do.toml", "[steps.do]\nanswer = \"run\"\n").display().to_string();
        let with = format!("tokens={}", json!([{ "id": id }]));
        let incident = spine.scene.incident().display().to_string();
        let place = ["--with", &with, "--answers", &answers, "--incident", &incident];
        spine.scene.run(&[&["do", "cloudflare.token.disable"][..], &place].concat()).expect(0);
    };
    disable(&spine.rolled[0]);
    assert_eq!(cut(), said("response ended", "cut NOT proven (1 of 2 containing steps done, 1 change not proven)"));
    // What was skipped in the run, and is cut now, is cut.
    disable(&spine.scene.scenario.cast.suspect_token_id);
    assert_eq!(cut(), said("response ended", "cut proven"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_shows_what_happens_and_ends_with_the_run() {
    let spine = resting().await;
    let mut command = spine.scene.command(&["status", "--watch", "--brief"]);
    let watch = command.stdout(Stdio::piped()).spawn().unwrap();
    spine.resume(&spine.answers("")).expect(0);
    let watched = watch.wait_with_output().unwrap();
    let told = String::from_utf8(watched.stdout).unwrap();
    assert!(watched.status.success());
    assert!(told.lines().last().unwrap().starts_with("response ended; "), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_watches_leaves_without_a_word_on_safe_points() {
    let spine = resting().await;
    let mut typist = Typist::at(spine.scene.command(&["status", "--watch"]));
    typist.sees("next: ");
    typist.presses(expectrl::ControlCode::EndOfText);
    assert_eq!(typist.leaves(), 0, "{}", typist.screen);
    assert!(!typist.screen.contains("safe point") && !typist.screen.contains("in doubt;"), "{}", typist.screen);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_action_refuses_opens_no_run_and_who_drives_is_asked_to_pause() {
    let spine = resting().await;
    let entries = spine.scene.journal().len();
    let jonas = "members=jonas.weber@harborlane.example";
    let answers = spine.scene.write("do.toml", "").display().to_string();
    for with in ["roles=Nope", "roles="] {
        let args = ["do", "cloudflare.member.set_roles", "--with", jonas, "--with", with, "--answers", &answers];
        let refused = spine.scene.run(&args).expect(12);
        let told = refused.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains("nothing was sent, and no run was opened"), "{}", refused.stderr);
    }
    assert_eq!((spine.scene.journal().len(), spine.scene.writes().len()), (entries, 0));

    let mut driving = Typist::at(spine.scene.command(&["resume"]));
    driving.sees("\ncut> ");
    let held = do_disable(&spine, "[steps.do]\nanswer = \"run\"\n").expect(14);
    assert!(held.stderr.contains("pause it there"), "{}", held.stderr);
    driving.types("pause");
    driving.leaves();
}
