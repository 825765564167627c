//! Everything that can be wrong from outside: a clear error, the right exit code, nothing sent, nothing lost.

use std::fs;
use std::process::Command;

use quell::simulator::FaultKind;

use crate::scene::{Ran, Scene, ran};
use crate::spine::Spine;

/// What failed, with the exit code, and what to do next.
#[track_caller]
fn refused(ran: Ran, code: i32, message: &str) -> Ran {
    let ran = ran.expect(code);
    assert!(ran.stderr.contains(message), "`{message}` is not said:\n{}", ran.stderr);
    assert!(ran.stderr.contains("error: ") && ran.stderr.contains("hint: "), "{}", ran.stderr);
    ran
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_runbook() {
    let spine = Spine::new().await;
    let answers = spine.answers("");
    spine.scene.write("spine.toml", "schema = 1\nname = \"spine\n");
    refused(spine.run(&answers), 10, "has 1 error");
    refused(spine.scene.run(&["run", "nowhere.toml", "--answers", &answers]), 2, "cannot read the runbook");
    refused(spine.scene.run(&["run", "nosuch", "--answers", &answers]), 2, "there is no runbook `nosuch`");
    assert!(spine.scene.simulator.requests().is_empty());
}

#[test]
fn a_literal_is_no_template_but_has_a_type() {
    let dir = tempfile::tempdir().unwrap();
    let check = |with: &str| {
        let step = "[[steps]]\nid = \"a\"\nphase = \"learn\"\ntitle = \"A\"\nwhy = \"W\"\naction = \"cloudflare.token.disable\"\n";
        fs::write(dir.path().join("a.toml"), format!("schema = 1\nname = \"a\"\ntitle = \"A\"\n{step}with = {with}\n"))
            .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_quell"));
        ran(command.args(["runbooks", "check", "a.toml"]).env_clear().env("HOME", dir.path()).current_dir(dir.path()))
    };
    check("{ tokens = { literal = [{ id = \"1\", name = \"{{#if {{nope}}\" }] } }").expect(0);
    let wrong = check("{ tokens = { literal = \"all\" } }").expect(10);
    let said = format!("{}{}", wrong.stdout, wrong.stderr);
    assert!(said.contains("R010") && said.contains("`tokens` must be a list, and is text"), "{said}");
    check("{ tokens = [{ id = \"1\", name = \"{{#if {{nope}}\" }] }").expect(10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_answers_file() {
    let spine = Spine::new().await;
    let answers = spine.scene.write("wrong.toml", "[steps.cutt]\nanser = \"run\"\n").display().to_string();
    let ran = refused(spine.run(&answers), 2, "the answers file cannot be used");
    assert!(ran.stderr.contains("anser") && ran.stderr.contains("answer"), "{}", ran.stderr);
    // Every problem has a line of its own.
    let text = "[defaults]\nselect = \"all\"\nphrase = \"x\"\n";
    let answers = spine.scene.write("wrong.toml", text).display().to_string();
    let ran = refused(spine.run(&answers), 2, "the answers file cannot be used");
    let causes: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("cause: ")).collect();
    assert!(causes.len() == 2 && causes[0].contains("wrong.toml:2:1: `select` is about"), "{}", ran.stderr);
    assert!(causes[1].contains("wrong.toml:3:1: `phrase` is about"), "{}", ran.stderr);
    assert!(spine.scene.simulator.requests().is_empty());
}

/// A runbook that looks at the zones of its input.
pub(crate) const ZONED: &str = "schema = 1\nname = \"zoned\"\ntitle = \"Zones\"\n[inputs.zones]\ntype = \"cloudflare.zones\"\n\
     [[steps]]\nid = \"dns\"\nphase = \"identify\"\ntitle = \"x\"\naction = \"cloudflare.dns.diff\"\n\
     with = { since = \"2020-01-01T00:00:00Z\", zones = { from = \"inputs.zones\" } }\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_is_not_there_is_refused_before_a_run_begins() {
    let scene = Scene::new().await;
    scene.write("zoned.toml", ZONED);
    scene.write("none.toml", "");
    scene.write("zones.toml", "[inputs]\nzones = [\"hl-books.example\", \"1\"]\n");
    let run = |more: &[&str], variable: Option<&str>| {
        let mut command = scene.command(&["run", "zoned.toml"]);
        ran(command.args(more).envs(variable.map(|value| ("QUELL_INPUT_ZONES", value))))
    };
    let none = "no zone `1` among the 4 that the credential sees";
    refused(run(&["--answers", "none.toml", "--set", "zones=1"], None), 2, none);
    refused(run(&["--answers", "zones.toml"], None), 2, none);
    refused(run(&["--answers", "none.toml"], Some("1")), 2, none);
    refused(scene.run(&["plan", "zoned.toml", "--zones", "1"]), 2, none);
    let near =
        refused(run(&["--answers", "none.toml", "--set", "zones=hl-boks.example"], None), 2, "`hl-boks.example`");
    assert!(near.stderr.contains("hint: nothing was sent; did you mean `hl-books.example`?"), "{}", near.stderr);
    assert!(!scene.incident_exists());

    let taken = run(&["--answers", "none.toml", "--set", "zones=HL-Books.example., harborlane.example"], None);
    assert!(matches!(taken.code, 0 | 16), "{taken:#?}");

    // Where nobody can tell what there is, the word is taken.
    let blind = Scene::new().await;
    blind.write("zoned.toml", ZONED);
    blind.write("none.toml", "");
    blind.fault("GET", "/zones", 1000, FaultKind::Forbidden);
    blind.run(&["run", "zoned.toml", "--answers", "none.toml", "--set", "zones=1"]).expect(12);
    let sealed = blind.journal().into_iter().find(|entry| entry["event"]["type"] == "plan_sealed").unwrap();
    assert_eq!(sealed["event"]["inputs"]["zones"], serde_json::json!(["1"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_token() {
    let spine = Spine::new().await;
    let answers = spine.scene.write("answers.toml", "[inputs]\nsuspect = \"no-such-token\"\n").display().to_string();
    // A name that nothing bears is told, and every other token is offered: no dead end, and nothing is sent unasked.
    let ran = spine.run(&answers).expect(11);
    let told = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("the suspect `no-such-token` NOT SEEN by any list"), "{told}");
    assert!(spine.scene.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_input_or_credential() {
    let spine = Spine::new().await;
    let empty = spine.scene.write("empty.toml", "").display().to_string();
    refused(spine.run(&empty), 11, "the runbook needs the input `suspect`");
    let args = ["run", "spine.toml", "--answers", &empty];
    refused(ran(&mut spine.scene.bare(&args)), 2, "there is no Cloudflare credential");
    refused(
        ran(spine.scene.command(&args).env("CLOUDFLARE_API_KEY", "x")),
        2,
        "both `CLOUDFLARE_API_TOKEN` and `CLOUDFLARE_API_KEY`",
    );
    refused(spine.scene.run(&["run", "spine.toml"]), 11, "there is no terminal to ask a person on");
    assert!(!spine.scene.state_dir().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_of_the_wrong_kind_or_revoked() {
    let spine = Spine::new().await;
    let answers = spine.answers("");
    let cast = &spine.scene.scenario.cast;
    for (secret, message) in [
        (cast.global_key.as_str(), "global API key"),
        ("cfut_0000000000000000000000000000000000000000deadbeef", "cannot act on the account"),
    ] {
        let mut command = spine.scene.command(&["run", "spine.toml", "--answers", &answers]);
        let ran = refused(ran(command.env("CLOUDFLARE_API_TOKEN", secret)), 2, message);
        assert!(!ran.stderr.contains(secret), "the credential is printed");
    }
    assert!(!spine.scene.state_dir().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_ends_on_the_way() {
    let spine = Spine::new().await;
    let answers = spine.answers("");
    // From the second step on everything is refused, as it is for a token that was revoked meanwhile.
    spine.scene.simulator.script(quell::simulator::Fault {
        method: None,
        path: "/tokens".to_owned(),
        skip: 6,
        times: 1000,
        kind: FaultKind::Forbidden,
    });
    let ran = spine.run(&answers);
    assert!(matches!(ran.code, 11..=13), "{ran:?}");
    assert!(ran.stderr.contains("quell resume"), "{}", ran.stderr);
    let document = ran.json();
    assert_eq!(document["outcome"], "paused");
    spine.scene.run(&["verify", document["incident"].as_str().unwrap()]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_a_gap_and_not_silence() {
    let spine = Spine::new().await;
    let answers = spine.answers("");
    let account = spine.scene.scenario.cast.account_id.clone();
    spine.scene.fault("GET", &format!("/accounts/{account}/tokens*"), 1000, FaultKind::Forbidden);
    let document = spine.run(&answers).json();
    let gaps = document["gaps"].as_array().unwrap();
    let refused: Vec<_> = gaps.iter().filter(|gap| gap["permission"] == "Account API Tokens Read").collect();
    assert_eq!(refused.len(), 1, "{gaps:#?}");
    assert_eq!((&refused[0]["family"], &refused[0]["scope"]), (&"tokens".into(), &"the account".into()));
    // That the suspect is in no list is no sign that it is gone: it may stand in the one that was refused.
    let others: Vec<_> = gaps.iter().filter(|gap| gap["permission"].is_null()).collect();
    assert!(!others.is_empty(), "{gaps:#?}");
    for gap in others {
        assert!(gap["reason"].as_str().unwrap().contains("not every list could be: the account:"), "{gap}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_host() {
    let spine = Spine::new().await;
    let answers = spine.answers("");
    let mut command = spine.scene.command(&["run", "spine.toml", "--answers", &answers]);
    let ran = refused(
        ran(command.env("CLOUDFLARE_BASE_URL", "http://127.0.0.1:1/client/v4")),
        2,
        "cannot act on the account",
    );
    assert!(ran.stderr.contains("nothing was sent"), "{}", ran.stderr);
    let mut command = spine.scene.command(&["run", "spine.toml", "--answers", &answers]);
    refused(
        crate::scene::ran(command.env("CLOUDFLARE_BASE_URL", "http://example.com/client/v4")),
        2,
        "`CLOUDFLARE_BASE_URL` cannot be used",
    );
    assert!(!spine.scene.state_dir().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_directory_that_cannot_be_written() {
    let spine = Spine::new().await;
    let answers = spine.answers("");
    // Permissions do not stop the superuser, who may run the tests; a file in the way stops everybody.
    let file = spine.scene.write("file", "");
    let mut command = spine.scene.command(&["run", "spine.toml", "--answers", &answers]);
    refused(ran(command.env("QUELL_STATE_DIR", file.join("state"))), 2, "cannot make the incident's directory");
    assert!(spine.scene.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing() {
    let spine = Spine::new().await;
    let answers = spine.answers("");
    let mut fell_in_journal = false;
    for blocks in [8, 24, 48, 72, 96, 128] {
        let spine = Spine::new().await;
        let _ = spine.answers("");
        let inner = spine.scene.command(&["run", "spine.toml", "--answers", &answers, "--json"]);
        // A limit on the size of files fails writes as a full disk does, without one.
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""))
            .arg(inner.get_program())
            .args(inner.get_args());
        command
            .env_clear()
            .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .current_dir(spine.scene.path("."));
        let limited = ran(command.stdin(std::process::Stdio::null()));
        if limited.code == 0 {
            continue;
        }
        assert!(matches!(limited.code, 2 | 11..=15), "{blocks}: {limited:?}");
        fell_in_journal |= limited.code == 14;
        let sent = spine.scene.writes().len();
        if !spine.scene.state_dir().exists() || fs::read_dir(spine.scene.state_dir()).unwrap().next().is_none() {
            continue;
        }
        // With room again the run goes on from where it was, and nothing is sent twice.
        let resumed = spine.resume(&answers);
        assert!(matches!(resumed.code, 0 | 2), "{blocks}: {resumed:?}");
        if resumed.code == 0 {
            assert_eq!(spine.scene.writes().len(), 4, "{blocks}: {sent} were sent before");
        }
    }
    assert!(fell_in_journal, "no limit met the journal");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_runbook_on_resume() {
    let spine = Spine::new().await;
    let suspect = &spine.scene.scenario.cast.suspect_token_id;
    let answers = spine.scene.write("stop.toml", &format!("[inputs]\nsuspect = \"{suspect}\"\n")).display().to_string();
    spine.run(&answers).expect(11);
    let runbook = spine.scene.path("spine.toml");
    let text = fs::read_to_string(&runbook).unwrap();
    fs::write(&runbook, text.replace("It leaked.", "Because.")).unwrap();
    let ran = refused(spine.resume(&answers), 10, "was edited after the run began");
    assert!(ran.stderr.contains("\n-why = \"It leaked.\"\n+why = \"Because.\"\n"), "{}", ran.stderr);
    fs::write(&runbook, text).unwrap();
    spine.resume(&spine.answers("")).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_named_otherwise_on_resume() {
    let spine = Spine::new().await;
    let suspect = &spine.scene.scenario.cast.suspect_token_id;
    let answers = spine.scene.write("stop.toml", &format!("[inputs]\nsuspect = \"{suspect}\"\n")).display().to_string();
    spine.run(&answers).expect(11);
    let text = fs::read_to_string(spine.answers("")).unwrap();
    let by_name = text.replace(&format!("[inputs]\nsuspect = \"{suspect}\""), "[inputs]\nsuspect = \"ci-deploy\"");
    let resumed = spine.resume(&spine.scene.write("named.toml", &by_name).display().to_string()).expect(0);
    let said = format!("note: the input `suspect` is given as \"ci-deploy\" and stays \"{suspect}\": name and id");
    let told = resumed.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains(&said), "{}", resumed.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_or_host_on_resume() {
    let spine = Spine::new().await;
    let suspect = &spine.scene.scenario.cast.suspect_token_id;
    let answers = spine.scene.write("stop.toml", &format!("[inputs]\nsuspect = \"{suspect}\"\n")).display().to_string();
    spine.run(&answers).expect(11);
    let other = Scene::new().await;
    let resume = ["resume", "--answers", &answers];
    let mut command = spine.scene.command(&resume);
    refused(ran(command.env("CLOUDFLARE_BASE_URL", other.simulator.base_url())), 2, "another API host");
    let mut command = spine.scene.command(&resume);
    let elsewhere = ran(command.env("CLOUDFLARE_ACCOUNT_ID", "00000000000000000000000000000000")).expect(2);
    assert!(elsewhere.stderr.contains("nothing was sent"), "{}", elsewhere.stderr);
    assert!(spine.scene.writes().is_empty() && other.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_journal_is_not_resumed_and_is_still_reported() {
    let spine = Spine::new().await;
    spine.run(&spine.answers("")).expect(0);
    let dir = spine.scene.incident();
    let id = dir.file_name().unwrap().to_str().unwrap();
    let evidence = fs::read_dir(dir.join("evidence")).unwrap().next().unwrap().unwrap().path();
    let kept = fs::read(&evidence).unwrap();
    fs::remove_file(&evidence).unwrap();
    assert!(spine.scene.run(&["verify", id]).expect(14).stdout.contains("evidence_missing"));
    fs::write(&evidence, b"{}").unwrap();
    assert!(spine.scene.run(&["verify", id]).expect(14).stdout.contains("evidence_altered"));
    fs::write(&evidence, kept).unwrap();
    spine.scene.run(&["verify", id]).expect(0);
    let journal = dir.join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("ci-deploy", "ci-depl0y", 1)).unwrap();
    spine.scene.run(&["verify", id]).expect(14);
    spine.scene.run(&["report", id]).expect(14);
    let report = fs::read_to_string(dir.join("report.md")).unwrap();
    assert!(report.lines().take(12).any(|line| line.to_lowercase().contains("damaged")), "{}", &report[..600]);
    refused(spine.scene.run(&["resume", id, "--answers", &spine.answers("")]), 14, "is damaged");
    refused(spine.scene.run(&["note", id, "words"]), 14, "is damaged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_toml_is_said_to_be_none() {
    let spine = Spine::new().await;
    let readme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md").display().to_string();
    spine.scene.write("notes.toml", &fs::read_to_string(&readme).unwrap());
    let ran = spine.scene.run(&["runbooks", "check", "notes.toml"]).expect(10);
    assert_eq!(ran.stderr.matches("error[").count(), 5, "{}", ran.stderr);
    assert!(ran.stderr.contains("more; notes.toml is not TOML: mend that first"), "{}", ran.stderr);
    let all = spine.scene.run(&["runbooks", "check", "notes.toml", "--json"]).expect(10).json();
    assert!(all["problems"].as_array().unwrap().len() > 20, "a program is told of all");
}
