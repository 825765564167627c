//! Work by hand at a terminal: what is shown of it, and `check again`, which reads once more and lets nobody vouch for
//! what it shows.

use quell::simulator::FaultKind;
use serde_json::{Value, json};

use crate::scene::Scene;
use crate::second_look::looking_again;
use crate::terminal::typist::Typist;

const ARGS: [&str; 4] = ["run", "again.toml", "--set", "since=24h ago"];

async fn scene() -> Scene {
    let scene = Scene::new().await;
    scene.write("again.toml", &looking_again(&[("look", r#"["dns_records"]"#)]));
    scene
}

/// The work that the step `look` has proposed last.
fn rows(scene: &Scene) -> Vec<Value> {
    let journal = scene.journal();
    let proposed = journal.iter().rfind(|entry| entry["path"] == "look" && entry["event"]["type"] == "proposed");
    proposed.unwrap()["event"]["effects"].as_array().unwrap().clone()
}

/// What the request that stands beside a row does is done elsewhere, by somebody.
fn take_back(scene: &Scene, row: &Value) {
    let request = &row["call"]["request"];
    let (method, path) = (request["method"].as_str().unwrap(), request["path"].as_str().unwrap());
    scene.act(method, path, request.get("body").cloned());
}

/// What the journal has of rows of the step `look`: kind of event, the row from 1, and what it says.
fn told(scene: &Scene, rows: &[Value]) -> Vec<(String, usize, String)> {
    let row = |effect: &Value| rows.iter().position(|row| row["key"] == *effect).unwrap() + 1;
    let journal = scene.journal();
    let of = journal.iter().filter(|entry| entry["path"] == "look").map(|entry| &entry["event"]);
    of.filter_map(|event| {
        let said = match event["type"].as_str().unwrap() {
            "verified" => event["verdict"]["verdict"].as_str().unwrap(),
            "settled" => event["by"].as_str().unwrap(),
            _ => return None,
        };
        Some((event["type"].as_str().unwrap().to_owned(), row(&event["effect"]), said.to_owned()))
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn work_is_read_again_as_often_as_it_is_asked_and_settled_by_what_is_read() {
    let scene = scene().await;
    let mut typist = Typist::at(scene.command(&ARGS));
    let shown = typist.answers("look", "check again");
    for said in [
        "\n  dashboard ",
        " > DNS > Records",
        "as it is",
        "content: ",
        "to read it in a shell with the credential:",
        "curl -sS -X GET \"${CLOUDFLARE_BASE_URL:?must name the API that was looked at}\"'/zones/",
        "or to do it in a shell with the credential:",
        "-H \"Authorization: Bearer $CLOUDFLARE_API_TOKEN\"",
        "check again [ROW or NAME]: read it again",
    ] {
        assert!(shown.contains(said), "{said} is not in\n{shown}");
    }
    let rows = rows(&scene);
    assert!(rows.len() >= 4, "{rows:#?}");
    // Not done yet: that is written down, and asked again without showing everything once more.
    let again = typist.answers("look", "check again 99");
    assert!(again.contains("the change is not in place") && !again.contains("curl"), "{again}");
    typist.sees(&format!("there is no row 99: rows go from 1 to {}", rows.len()));
    typist.answers("look", "check again nobody");
    typist.sees("nothing here is called `nobody`");
    assert_eq!(told(&scene, &rows), [("verified".to_owned(), 1, "does_not_hold".to_owned())]);

    // What cannot be seen is not known, and settles nothing.
    take_back(&scene, &rows[0]);
    scene.fault("GET", "*/dns_records", 2, FaultKind::Forbidden);
    typist.answers("look", "check again");
    let hidden = typist.answers("look", "check again");
    assert!(hidden.contains("cannot tell: "), "{hidden}");

    // The read shows it now. The next is asked for; another is done meanwhile, and called by its row.
    take_back(&scene, &rows[2]);
    let second = typist.answers("look", "check again 3");
    assert!(second.contains("proven") && second.contains("by hand 2 of"), "{second}");
    typist.answers("look", "check again 3");
    typist.sees("`3` is settled already");
    typist.answers("look", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    let settled = told(&scene, &rows);
    let expected = [("verified", 1, "does_not_hold"), ("verified", 1, "cannot_tell")]
        .map(|(kind, row, said)| (kind.to_owned(), row, said.to_owned()));
    assert_eq!(settled[..2], expected);
    let proven =
        |row| [("verified".to_owned(), row, "holds".to_owned()), ("settled".to_owned(), row, "probe".to_owned())];
    assert_eq!(settled[2..], [proven(1), proven(3)].concat(), "{settled:#?}");

    // After a pause it goes on where it was. What somebody sees to later is read too.
    let mut typist = Typist::at(scene.command(&["resume"]));
    typist.answers("look", "later Jonas Weber");
    typist.sees("by hand 4 of");
    take_back(&scene, &rows[1]);
    typist.answers("look", "check again 2");
    typist.sees("proven");
    for _ in 3..rows.len() {
        typist.answers("look", "later Jonas Weber");
    }
    // What could not be seen once is told.
    assert_eq!(typist.leaves(), 16, "{}", typist.screen);
    let settled = told(&scene, &rows);
    assert_eq!(settled.iter().filter(|(kind, ..)| kind == "settled").count(), 3, "{settled:#?}");
    assert!(settled.iter().all(|(_, _, said)| said != "person"), "{settled:#?}");

    let journal = scene.journal();
    assert!(journal.iter().all(|entry| entry["event"]["type"] != "intended"));
    let reverted = |row: &Value| {
        journal.iter().any(|entry| {
            entry["event"]["type"] == "finding_settled"
                && entry["event"]["id"] == row["resolves"]["finding"]
                && entry["event"]["status"] == "reverted"
        })
    };
    assert!(rows[..3].iter().all(reverted) && !reverted(&rows[3]));
    let output = journal.iter().rfind(|entry| entry["path"] == "look" && entry["event"]["type"] == "step_done");
    let rechecked = output.unwrap()["event"]["output"]["inline"]["rechecked"].as_array().unwrap().clone();
    let gone = rechecked.iter().filter(|row| row["stands"] == "gone").count();
    assert!(gone >= 3, "{rechecked:#?}");
    let report = std::fs::read_to_string(scene.incident().join("report.md")).unwrap();
    assert!(report.contains("done and proven") && !report.contains("attests"), "{report}");
    scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_be_done_and_does_not_show_is_read_again() {
    let scene = scene().await;
    let mut typist = Typist::at(scene.command(&ARGS));
    for line in ["done Priya Nair", "", ""] {
        typist.answers("look", line);
    }
    typist.sees("look: not seen");
    typist.answers("look", "check again");
    // Still not: so it is asked for once more, and nothing stands in the report as done.
    let asked = typist.answers("look", "inspect");
    assert!(asked.contains("by hand 1 of"), "{asked}");
    let rows = rows(&scene);
    take_back(&scene, &rows[0]);
    typist.answers("look", "check again");
    let next = typist.answers("look", "pause");
    assert!(next.contains("proven") && next.contains("by hand 2 of"), "{next}");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    let told = told(&scene, &rows);
    let kinds: Vec<&str> = told.iter().map(|(_, _, said)| said.as_str()).collect();
    assert_eq!(kinds, ["person", "does_not_hold", "does_not_hold", "holds", "probe"], "{told:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_person_a_file_lets_work_be_read_again_before_it_says_who_does_it() {
    let scene = scene().await;
    let file = scene.write("wait.toml", "").display().to_string();
    let wait = [&ARGS[..], &["--answers", &file]].concat();
    scene.run(&wait).expect(11);
    let rows = rows(&scene);
    take_back(&scene, &rows[1]);
    let answers = "[steps.look]\nfields = { check_again = true }\nleft = \"later:Jonas Weber\"\n";
    let answers = scene.write("answers.toml", answers).display().to_string();
    let document = scene.run(&["resume", "--answers", &answers, "--json"]).json();
    let step = document["steps"].as_array().unwrap().iter().find(|step| step["id"] == "look").unwrap().clone();
    assert_eq!(step["status"], "done", "{step:#}");
    let verdicts: Vec<&Value> = step["effects"].as_array().unwrap().iter().map(|effect| &effect["verdict"]).collect();
    assert_eq!(verdicts[..3], [&json!("does_not_hold"), &json!("holds"), &json!("does_not_hold")], "{step:#}");
    assert!(verdicts.iter().all(|verdict| !verdict.is_null()), "{step:#}");
    assert_eq!(told(&scene, &rows).iter().filter(|(kind, ..)| kind == "settled").count(), 1);
    // It has ended, and is not done.
    let summary = step["summary"].as_str().unwrap();
    assert_eq!(summary, format!("1 of {} done and proven, {} for later", rows.len(), rows.len() - 1));
    let status = scene.run(&["status"]).expect(0).stdout;
    assert!(status.lines().any(|line| line.starts_with("left ") && line.contains(" look ")), "{status}");
}
