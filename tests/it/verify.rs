//! What `quell verify` notices, and which incident a command takes that was given none.

use std::fs;
use std::path::PathBuf;

use crate::scene::Ran;
use crate::spine::Spine;

/// A whole run of the spine, closed.
async fn closed() -> Spine {
    let spine = Spine::new().await;
    spine.run(&spine.answers("")).expect(0);
    spine
}

fn verify(spine: &Spine) -> Ran {
    spine.scene.run(&["verify"])
}

fn kinds(spine: &Spine) -> Vec<String> {
    let document = spine.scene.run(&["verify", "--json"]).json();
    let problems = document["problems"].as_array().unwrap();
    problems.iter().map(|problem| problem["kind"].as_str().unwrap().to_owned()).collect()
}

/// The sealed answers, without the wrapped private half.
fn sealed(spine: &Spine) -> Vec<PathBuf> {
    let vault = fs::read_dir(spine.scene.incident().join("vault")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = vault
        .filter(|path| path.extension().is_some_and(|end| end == "age") && !path.ends_with("identity.age"))
        .collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_answers_and_plans_are_held_against_the_journal() {
    let spine = closed().await;
    let document = spine.scene.run(&["verify", "--json"]).expect(0).json();
    assert_eq!(document["sealed"], serde_json::json!({ "checked": 2, "missing": 0, "altered": 0 }));
    assert_eq!(document["plans"]["checked"], 1);

    let [one, two] = sealed(&spine).try_into().unwrap();
    let plan = spine.scene.incident().join("plan-r1.json");
    for (file, missing, altered) in [
        (one, "sealed_missing", "sealed_altered"),
        (two, "sealed_missing", "sealed_altered"),
        (plan, "plan_missing", "plan_altered"),
    ] {
        let whole = fs::read(&file).unwrap();
        for at in [0, whole.len() / 2, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&file, bytes).unwrap();
            assert!(verify(&spine).expect(14).stdout.contains(altered), "{} at {at}", file.display());
            assert_eq!(kinds(&spine), [altered]);
        }
        fs::remove_file(&file).unwrap();
        assert!(verify(&spine).expect(14).stdout.contains("NOT as it was written"));
        assert_eq!(kinds(&spine), [missing]);
        fs::write(&file, whole).unwrap();
        verify(&spine).expect(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_head_the_last_line_is_said_to_be_unproven() {
    let spine = closed().await;
    let head = spine.scene.run(&["verify", "--json"]).json()["head"].as_str().unwrap().to_owned();
    let journal = spine.scene.incident().join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let last = text.trim_end().rfind('\n').unwrap() + 1;
    let changed = format!("{}{}", &text[..last], text[last..].replacen("tester", "nobody", 1));
    fs::write(&journal, changed).unwrap();
    let said = verify(&spine).expect(0).stdout;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("Not proven without `--head HASH`: that the last line is as it was written"), "{said}");
    assert!(spine.scene.run(&["verify", "--head", &head]).expect(14).stdout.contains("head: no line has the digest"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_beginning_of_a_line_is_a_torn_tail() {
    let spine = closed().await;
    let journal = spine.scene.incident().join("journal.jsonl");
    let whole = fs::read(&journal).unwrap();
    for flipped in (0..8).map(|bit| b'\n' ^ (1 << bit)).chain(*b" }\"") {
        let mut bytes = whole.clone();
        *bytes.last_mut().unwrap() = flipped;
        fs::write(&journal, bytes).unwrap();
        let found = quell::journal::inspect(&spine.scene.incident()).unwrap();
        assert_eq!(found.problems.iter().map(|problem| problem.kind).collect::<Vec<_>>(), ["line"], "{flipped:?}");
        assert!(quell::journal::Journal::open(&spine.scene.incident()).is_err(), "{flipped:?}");
    }
    assert!(verify(&spine).expect(14).stdout.contains("no beginning of an entry"));
    for tail in [&b"{"[..], b"{\"v\":0,\"by\":\"J\xc3"] {
        fs::write(&journal, [&whole, tail].concat()).unwrap();
        assert!(verify(&spine).expect(0).stdout.contains("torn_tail"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_dropped_line_is_told_once() {
    let spine = closed().await;
    let journal = spine.scene.incident().join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let kept = lines.iter().enumerate().filter(|(at, _)| *at != 5).map(|(_, line)| format!("{line}\n"));
    fs::write(&journal, kept.collect::<String>()).unwrap();
    assert_eq!(kinds(&spine), ["chain", "order"]);
    let said = verify(&spine).expect(14).stdout;
    assert!(said.contains(&format!("; {} more after it cannot be placed", lines.len() - 7)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_reads_takes_the_newest_incident_when_none_is_open() {
    let spine = closed().await;
    let id = spine.scene.incident().file_name().unwrap().to_str().unwrap().to_owned();
    let newest = format!("{id} (live {}, ended)", spine.scene.simulator.base_url().split('/').nth(2).unwrap());
    let rolled = spine.rolled[0].clone();
    for args in [&["status"][..], &["verify"], &["report"], &["secrets", "list"], &["secrets", "reveal", &rolled]] {
        let said = spine.scene.run(args).expect(0).stderr;
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(&format!("none is open, so this is the newest: {newest}")), "{args:?}: {said}");
        assert_eq!(
            spine.scene.run(&[args, &[id.as_str()]].concat()).expect(0).stderr.matches("none is open").count(),
            0
        );
    }
    // What goes on with a run, or writes what cannot be taken back, wants an open one, and says which there would be.
    for args in [&["resume", "--answers", "answers.toml"][..], &["note", "words"]] {
        let said = spine.scene.run(args).expect(2).stderr;
        assert!(said.contains("there is no open incident") && said.contains(&newest), "{args:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_incident_that_is_not_the_newest_is_named() {
    let spine = Spine::new().await;
    let unanswered = spine.scene.write("none.toml", "[inputs]\nsuspect = \"ci-deploy\"\n").display().to_string();
    let open = spine.run(&unanswered).expect(11).json()["incident"].as_str().unwrap().to_owned();
    let later = spine.run(&spine.answers("")).expect(0).json()["incident"].as_str().unwrap().to_owned();
    let ran = spine.scene.run(&["status", "--json"]);
    assert_eq!(ran.json()["incident"], open.as_str());
    if open < later {
        assert!(ran.stderr.contains(&format!("{open} (")) && ran.stderr.contains(&format!("{later} (")), "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_goes_to_the_open_incident_or_to_the_one_named() {
    let spine = Spine::new().await;
    let unanswered = spine.scene.write("none.toml", "[inputs]\nsuspect = \"ci-deploy\"\n").display().to_string();
    spine.run(&unanswered).expect(11);
    let id = spine.scene.incident().file_name().unwrap().to_str().unwrap().to_owned();
    spine.scene.run(&["note", "called the registrar"]).expect(0);
    spine.scene.run(&["note", &id, "they called back"]).expect(0);
    for (command, words) in [("decide", "keep the site up"), ("todo", "ask the bank"), ("update", "told the board")] {
        spine.scene.run(&[command, &id, words]).expect(0);
        for args in [&[command, " "] as &[&str], &[command], &[command, &id, ""]] {
            let told = spine.scene.run(args).expect(2).stderr;
            let example = format!("hint: write them in quotes, for example `quell {command} \"");
            assert!(told.contains("is empty\n") && told.contains(&example), "{args:?}: {told}");
        }
    }
    let journal = spine.scene.journal();
    let notes: Vec<_> = journal.iter().map(|entry| &entry["event"]).filter(|event| event["type"] == "noted").collect();
    let notes: Vec<_> =
        notes.iter().map(|note| (note["kind"].as_str(), note["text"].as_str().unwrap_or_default())).collect();
    assert_eq!(
        notes,
        [
            (None, "called the registrar"),
            (None, "they called back"),
            (Some("decision"), "keep the site up"),
            (Some("todo"), "ask the bank"),
            (Some("update"), "told the board"),
        ]
    );
    spine.scene.run(&["report"]).expect(0);
    let report = std::fs::read_to_string(spine.scene.incident().join("report.md")).unwrap();
    let section = |title: &str| {
        let found = report.split(title).nth(1).unwrap_or_else(|| panic!("{title}\n{report}"));
        found.split("\n#").next().unwrap_or_default().to_owned()
    };
    assert!(section("### Decisions and answers").contains("keep the site up"), "{report}");
    assert!(section("## Action items").contains("ask the bank"), "{report}");
    for command in ["note", "decide", "todo", "update"] {
        let help = spine.scene.run(&[command, "--help"]).expect(0).stdout;
        assert!(help.contains("[INCIDENT] <TEXT>"), "{help}");
    }
}
