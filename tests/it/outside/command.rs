use std::fs;
use std::process::Command;

use serde_json::json;

use super::{CANARY, Outing, effect, end, ends};
use crate::scene::ran;

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_ends_well_is_applied_and_its_words_are_kept() {
    let with = "argv = [\"printf\", '{\"id\": 7, \"name\": \"%s\"}', \"it's one\"]\n\
                outputs = { id = \"/id\", name = \"/name\", gone = \"/gone\" }";
    let later = "[[steps]]\nid = \"next-one\"\nphase = \"contain\"\ntitle = \"Later\"\nwhy = \"A test.\"\naction = \"command\"\n\
                 with = { argv = [\"printf\", \"id {{steps.act-now.values.id}}\"] }";
    let outing = Outing::new("command", with, later).await;
    let document = outing.run().expect(0).json();
    assert_eq!(end(&document), ends("applied", Some("cannot_tell")));
    let expected = json!({
        "done": true, "exit": 0, "values": { "id": 7, "name": "it's one" }, "missing": ["gone"], "simulated": false,
    });
    assert_eq!(outing.output("act-now"), expected);
    assert_eq!(outing.evidence("standard output"), ["{\"id\": 7, \"name\": \"it's one\"}", "id 7"]);
    outing.scene.run(&["verify", document["incident"].as_str().unwrap()]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_code_that_is_not_expected_is_a_refusal_for_a_person() {
    let outing = Outing::new("command", "argv = [\"cat\", \"/no/such/file\"]", "").await;
    let ran = outing.run().expect(12);
    assert_eq!(end(&ran.json()), ends("refused", None));
    let why = outing.events("settled")[0]["outcome"]["why"].as_str().unwrap().to_owned();
    assert!(why.starts_with("it ended with exit code 1, not 0 (it said: ") && why.contains("/no/such/file"), "{why}");
    assert_eq!(outing.events("intended").len(), 1);

    let outing = Outing::new("command", "argv = [\"false\"]\nexpect = [0, 1]", "").await;
    assert_eq!(end(&outing.run().expect(0).json()), ends("applied", Some("cannot_tell")));
    assert_eq!(outing.output("act-now")["exit"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_there_was_provably_not_run() {
    let outing = Outing::new("command", "argv = [\"no-such-program\"]", "").await;
    let document = outing.run().expect(12).json();
    assert_eq!((&effect(&document)["outcome"], &effect(&document)["attempts"]), (&json!("not_sent"), &json!(3)));
    let outing = Outing::new("command", "argv = [\"./relative\"]", "").await;
    let ran = outing.run().expect(12);
    assert!(outing.events("intended").is_empty() && ran.stderr.contains("absolute path"), "{}", ran.stderr);
}

/// Whether a process with these words in its command line is alive.
fn lives(words: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes.map(|entry| entry.path().join("cmdline")).any(|path| {
        let line = fs::read(path).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == words.as_bytes())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_kills_all_that_it_started_and_leaves_it_in_doubt() {
    // `xargs` starts `sleep` as a child of its own; the length of the sleep is its name.
    let sleep = format!("300.{}", std::process::id());
    let with = format!("argv = [\"xargs\", \"sleep\"]\nstdin = \"{sleep}\"\ntimeout = \"1s\"");
    let outing = Outing::new("command", &with, "").await;
    let ran = outing.run().expect(13);
    assert!(!lives(&sleep), "the grandchild outlived the timeout");
    let effect = effect(&ran.json());
    assert_eq!(
        (&effect["outcome"], &effect["in_doubt"], &effect["attempts"]),
        (&json!("unknown"), &json!(true), &json!(1))
    );
    assert!(outing.events("settled")[0]["outcome"]["why"].as_str().unwrap().starts_with("it was killed after 1 s"));
    // Asked again without an answer it still waits; on a person's word it is done, and was run once.
    outing.resume().expect(13);
    outing.answers("in_doubt = \"applied\"\nreason = \"seen on the machine\"\n");
    outing.resume().expect(0);
    assert_eq!(outing.events("intended").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_gets_what_is_named_and_nothing_else() {
    let with = "argv = [\"env\"]\npass_env = [\"OUTING_PASSED\"]\n\
                env = { LITERAL = \"as it is\", TOKEN = { secret_env = \"OUTING_SECRET\" }, LANG = \"C\" }";
    let outing = Outing::new("command", with, "").await;
    let outing = outing.env("OUTING_PASSED", "passed on").env("OUTING_OTHER", "leak").env("LANG", "de_DE.UTF-8");
    let ran = outing.run().expect(0);
    let kept = outing.evidence("standard output").remove(0);
    let mut names: Vec<&str> = kept.lines().map(|line| line.split_once('=').unwrap().0).collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LANG", "LITERAL", "OUTING_PASSED", "PATH", "TOKEN"]);
    assert!(
        kept.contains("LITERAL=as it is\n") && kept.contains("LANG=C\n") && kept.contains("TOKEN=«secret:"),
        "{kept}"
    );
    outing.assert_no_canary(&ran);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_comes_back_in_every_way_is_in_nothing_that_is_kept() {
    // On standard output, as it is and as JSON, and as a value that is taken from that.
    let stdin = "stdin = { secret_env = \"OUTING_SECRET\" }";
    for secret in [CANARY.to_owned(), json!(CANARY).to_string(), json!({ "key": [CANARY] }).to_string()] {
        let with = format!("argv = [\"cat\"]\n{stdin}\noutputs = {{ all = \"\" }}");
        let outing = Outing::new("command", &with, "").await.env("OUTING_SECRET", &secret);
        let ran = outing.run().expect(0);
        assert!(outing.evidence("standard output")[0].contains("«secret:"));
        outing.assert_no_canary(&ran);
    }

    // As the last words of a failure.
    let outing = Outing::new("command", &format!("argv = [\"xargs\", \"-0\", \"cat\"]\n{stdin}"), "").await;
    let ran = outing.run().expect(12);
    assert!(outing.events("settled")[0]["outcome"]["why"].as_str().unwrap().contains("«secret:"));
    outing.assert_no_canary(&ran);
    let report = fs::read_to_string(outing.scene.incident().join("report.md")).unwrap();
    assert!(report.contains("exit code 123"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn quells_own_variables_are_never_handed_on() {
    for with in [
        "argv = [\"env\"]\nenv = { TOKEN = { secret_env = \"CLOUDFLARE_API_TOKEN\" } }",
        "argv = [\"env\"]\npass_env = [\"CLOUDFLARE_API_TOKEN\"]",
        "argv = [\"env\"]\nenv = { CLOUDFLARE_API_TOKEN = \"another\" }",
        "argv = [\"env\"]\nstdin = { secret_env = \"QUELL_VAULT_PASSPHRASE\" }",
    ] {
        let outing = Outing::new("command", with, "").await;
        let ran = outing.run().expect(12);
        assert!(ran.stderr.contains("quell's own"), "{with}: {}", ran.stderr);
        assert!(outing.events("proposed").is_empty(), "{with}");
    }
    let outing = Outing::new("command", "argv = [\"env\"]\npass_env = [\"OUTING_UNSET\"]", "").await;
    assert!(outing.run().expect(12).stderr.contains("`OUTING_UNSET` is not set"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_and_a_rehearsal_run_none() {
    let with = "argv = [\"touch\", \"was-here\"]\noutputs = { id = \"/id\" }\n\
                env = { HUSH = { secret_env = \"OUTING_UNSET\" } }";
    let set = [("OUTING_UNSET", "set after all")];
    let outing = Outing::new("command", with, "").await;
    let here = outing.scene.path("was-here");

    let plan = outing.quell(&["plan", "outing.toml"], &set).expect(0).json();
    let step = &plan["steps"][0];
    assert_eq!(step["prediction"], "will_change");
    assert_eq!(step["summary"], "would run `touch was-here`; what it does and says is not known before");
    assert_eq!(step["effects"][0]["outside"], "touch was-here");
    assert!(!here.exists(), "the dry run ran it");

    // A rehearsal reads no variable either.
    let ran = outing.quell(&["rehearse", "outing.toml"], &[]).expect(0);
    assert!(!here.exists(), "the rehearsal ran it");
    let simulated = "simulated: would have run `touch was-here`";
    assert_eq!(outing.events("verified")[0]["verdict"]["detail"], simulated);
    assert_eq!(outing.output("act-now")["values"], json!({ "id": "simulated" }));
    assert_eq!(outing.output("act-now")["simulated"], true);
    let report = fs::read_to_string(outing.scene.incident().join("report.md")).unwrap();
    assert!(report.contains("simulated: would have run") && report.contains("REHEARSAL"), "{report}");
    assert!(ran.stderr.contains("simulated: would have run"), "{}", ran.stderr);

    // Their twin: a run does.
    outing.quell(&["run", "outing.toml"], &set).expect(0);
    assert!(here.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ran_when_quell_died_is_never_run_again_by_itself() {
    for (point, times) in [("after-intent:1", 0), ("before-send:1", 0), ("after-send:1", 1)] {
        let with = "argv = [\"tee\", \"-a\", \"ran.log\"]\nstdin = \"once.\"";
        let outing = Outing::new("command", with, "").await;
        let log = || fs::read_to_string(outing.scene.path("ran.log")).unwrap_or_default();
        outing.die(point);
        assert_eq!(log(), "once.".repeat(times), "{point}");
        let resumed = outing.resume().expect(13);
        assert_eq!(effect(&resumed.json())["in_doubt"], true, "{point}");
        assert_eq!(log(), "once.".repeat(times), "{point}: it was run again");
        outing.answers("in_doubt = \"retry\"\nreason = \"it is safe to run twice\"\n");
        outing.resume().expect(0);
        assert_eq!(log(), "once.".repeat(times + 1), "{point}");
        assert_eq!(outing.events("consented").len(), 2, "{point}: a second attempt has a consent of its own");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_consent_no_command() {
    let with = "argv = [\"touch\", \"was-here\"]\ndanger = \"irreversible\"";
    let outing = Outing::new("command", with, "").await;
    outing.run().expect(11);
    assert!(!outing.scene.path("was-here").exists());
    outing.answers("[steps.act-now]\nphrase = \"touch was-here\"\n");
    outing.resume().expect(0);
    assert!(outing.scene.path("was-here").exists());
    // What nothing but a look would be worth is no danger that an author may state.
    let outing = Outing::new("command", "argv = [\"true\"]\ndanger = \"observe\"", "").await;
    let check = ran(Command::new(env!("CARGO_BIN_EXE_quell"))
        .args(["runbooks", "check"])
        .arg(outing.scene.path("outing.toml")));
    assert_eq!(check.code, 10, "{check:#?}");
}
