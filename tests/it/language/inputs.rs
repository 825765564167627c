//! What inputs must be besides of their type, from every source; and files, which are bound by what is in them.

use std::fs;

use quell::model::Digest;
use serde_json::json;

use super::called::{call, event, shelve};
use super::{DONE, HEAD, by_hand, named, run, steps};
use crate::scene::{Scene, ran};
use crate::terminal::typist::Typist;

const TICKET: &str =
    "[inputs.ticket]\ntype = \"string\"\nrequired = true\npattern = \"[A-Z]+-[0-9]+\"\nmax_length = 8\n\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_value_must_be_within_its_bounds_wherever_it_comes_from() {
    let scene = Scene::new().await;
    scene.write("drill.toml", &format!("{HEAD}{TICKET}{}", by_hand("steps", "visit", "{{inputs.ticket}}", "")));
    let plan = |answers: &str, set: Option<&str>, env: &str| {
        scene.write("answers.toml", answers);
        let mut args = vec!["plan", "drill.toml", "--answers", "answers.toml", "--json"];
        let set = set.map(|value| format!("ticket={value}"));
        args.extend(set.iter().flat_map(|set| ["--set", set.as_str()]));
        ran(scene.command(&args).env("QUELL_INPUT_TICKET", env))
    };
    for (answers, set, env, why) in [
        ("", Some("sec-1"), "SEC-1", "it must match `[A-Z]+-[0-9]+`"),
        ("[inputs]\nticket = \"SEC-1 \\n x\"\n", None, "SEC-1", "it must match"),
        ("", None, "xSEC-1", "it must match"),
        ("", None, "SEC-12345", "it must have at most 8 characters, and has 9"),
    ] {
        let ran = plan(answers, set, env).expect(2);
        assert!(ran.stderr.contains("the input `ticket` cannot be") && ran.stderr.contains(why), "{}", ran.stderr);
    }
    assert_eq!(plan("", None, "SEC-1").expect(0).json()["inputs"]["ticket"], "SEC-1");

    let mut typist = Typist::at(scene.command(&["run", "drill.toml"]));
    typist.answers("ticket", "sec-1");
    typist.sees("it must match `[A-Z]+-[0-9]+`");
    typist.answers("ticket", "SEC-1");
    typist.answers("visit", "pause");
    assert_eq!(typist.leaves(), 11, "{}", typist.screen);
    assert_eq!(event(&scene, "plan_sealed", None)["inputs"]["ticket"], "SEC-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_and_lengths_of_time_have_ends() {
    let scene = Scene::new().await;
    let inputs = "[inputs.days]\ntype = \"integer\"\nmin = 1\nmax = 30\n[inputs.wait]\ntype = \"duration\"\nmin = \"5m\"\nmax = \"1h\"\n\
                  [inputs.names]\ntype = \"list\"\npattern = \"[a-z]+\"\n\n";
    scene.write("drill.toml", &format!("{HEAD}{inputs}{}", by_hand("steps", "visit", "x", "")));
    for (set, why) in [
        ("days=0", Some("it must be at least 1")),
        ("days=31", Some("it must be at most 30")),
        ("days=30", None),
        ("wait=299s", Some("it must be at least 5m")),
        ("wait=61m", Some("it must be at most 1h")),
        ("wait=1h", None),
        ("names=ann,b0b", Some("it must match `[a-z]+`")),
        ("names=ann,bob", None),
    ] {
        scene.write("answers.toml", "");
        let args = ["plan", "drill.toml", "--answers", "answers.toml", "--set", set];
        let ran = scene.run(&args).expect(if why.is_some() { 2 } else { 0 });
        assert!(ran.stderr.contains(why.unwrap_or_default()), "{set}: {}", ran.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_in_an_answers_file_is_held_against_type_and_bounds() {
    let scene = Scene::new().await;
    let inputs = "[inputs.word]\ntype = \"string\"\n[inputs.pick]\ntype = \"choice\"\nchoices = [\"a\", \"b\"]\n[inputs.wait]\ntype = \"duration\"\n\
                  [inputs.names]\ntype = \"list\"\npattern = \"[a-z]+\"\n\n";
    scene.write("drill.toml", &format!("{HEAD}{inputs}{}", by_hand("steps", "visit", "x", "")));
    let plan = |given: &str| {
        scene.write("answers.toml", &format!("[inputs]\n{given}\n"));
        scene.run(&["plan", "drill.toml", "--answers", "answers.toml", "--json"])
    };
    for (given, why) in [
        ("word = [\"a\"]", "the input `word` cannot be `[\"a\"]`: it must be text"),
        ("word = { a = 1 }", "it must be text"),
        ("pick = [\"a\"]", "it must be text"),
        ("wait = [\"1h\"]", "it must be text"),
        ("names = [1]", "it must be a list of texts"),
        ("names = [[\"a\"]]", "it must be a list of texts"),
        ("names = [\"ann\", \"b0b\"]", "it must match `[a-z]+`"),
    ] {
        let ran = plan(given).expect(2);
        assert!(ran.stderr.contains(why), "{given}: {}", ran.stderr);
    }
    assert_eq!(plan("names = [\"ann\", \"bob\"]").expect(0).json()["inputs"]["names"], json!(["ann", "bob"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_needed_has_something_in_it() {
    let scene = Scene::new().await;
    let inputs = "[inputs.names]\ntype = \"list\"\nrequired = true\n\n";
    scene.write("drill.toml", &format!("{HEAD}{inputs}{}", by_hand("steps", "visit", "x", "")));
    for (answers, set) in [("[inputs]\nnames = []\n", None), ("", Some("names=")), ("", Some("names=,"))] {
        scene.write("answers.toml", answers);
        let mut args = vec!["plan", "drill.toml", "--answers", "answers.toml"];
        args.extend(set.iter().flat_map(|set| ["--set", set]));
        let ran = scene.run(&args).expect(2);
        assert!(ran.stderr.contains("it needs at least one item"), "{}", ran.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_called_runbook_holds_what_it_is_given_against_its_bounds() {
    let scene = Scene::new().await;
    shelve(
        &scene,
        "inner",
        &format!("{}{TICKET}{}", HEAD.replace("drill", "inner"), by_hand("steps", "visit", "x", "")),
    );
    let ask = "[[steps]]\nid = \"ask\"\nphase = \"identify\"\ntitle = \"Ask\"\naction = \"ask\"\n\
               with = { instruction = \"x\", questions = [{ name = \"ticket\", prompt = \"?\", required = true }] }\n";
    let with = "name = \"inner\", inputs = { ticket = \"{{steps.ask.answers.ticket}}\" }";
    let runbook = ask.to_owned() + &call("steps", "inner", with, "on_failure = \"continue\"\n");
    let answers = "[steps.ask]\nanswer = \"run\"\nfields = { ticket = \"none\" }\n";
    let document = run(&scene, &runbook, answers).expect(12).json();
    assert_eq!(steps(&document), named(&[("ask", "done"), ("inner", "failed")]));
    let error = event(&scene, "step_failed", Some("inner"))["error"].clone();
    assert_eq!(error, "the input `ticket` of the runbook `inner`: `none` will not do: it must match `[A-Z]+-[0-9]+`");
}

const FILE: &str = "[inputs.report]\ntype = \"file\"\nrequired = true\n\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_must_be_there_and_be_one() {
    let scene = Scene::new().await;
    scene.write("drill.toml", &format!("{HEAD}{FILE}{}", by_hand("steps", "visit", "{{inputs.report}}", "")));
    scene.write("answers.toml", "");
    fs::create_dir(scene.path("dir")).unwrap();
    for (name, why) in
        [("nowhere.txt", "it cannot be read"), ("dir", "it is not a file"), ("/dev/zero", "it is not a file")]
    {
        let set = format!("report={name}");
        let ran = scene.run(&["plan", "drill.toml", "--answers", "answers.toml", "--set", &set]).expect(2);
        assert!(ran.stderr.contains(&format!("the input `report` cannot be `{name}`: {why}")), "{}", ran.stderr);
    }
    // What a runbook says where nobody says anything must be there as well.
    scene.write(
        "drill.toml",
        &format!(
            "{HEAD}{}{}",
            FILE.replace("required = true", "default = \"nowhere.txt\""),
            by_hand("steps", "visit", "x", "")
        ),
    );
    let ran = scene.run(&["plan", "drill.toml", "--answers", "answers.toml"]).expect(2);
    assert!(ran.stderr.contains("cannot be `nowhere.txt`"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_bound_to_what_is_in_its_files() {
    let scene = Scene::new().await;
    let runbook = FILE.to_owned() + &by_hand("steps", "visit", "read {{inputs.report}}", "");
    let path = scene.write("report.txt", "one");
    let digest = || {
        scene.write("drill.toml", &format!("{HEAD}{runbook}"));
        scene.write("answers.toml", "[inputs]\nreport = \"report.txt\"\n");
        scene.run(&["plan", "drill.toml", "--answers", "answers.toml", "--json"]).expect(0).json()
    };
    let first = digest();
    let path_text = path.canonicalize().unwrap().display().to_string();
    assert_eq!(first["inputs"]["report"], path_text.as_str());
    scene.write("report.txt", "two");
    assert_ne!(digest()["digest"], first["digest"]);

    run(&scene, &runbook, "[inputs]\nreport = \"report.txt\"\n").expect(11);
    let sealed = event(&scene, "plan_sealed", None);
    assert_eq!(sealed["files"], json!({ path_text.as_str(): Digest::of(b"two") }));
    scene.write("answers.toml", &format!("[steps.visit]\n{DONE}"));
    let resume = || scene.run(&["resume", "--answers", "answers.toml"]);
    scene.write("report.txt", "three");
    let refused = resume().expect(10);
    assert!(refused.stderr.contains("an input of the run, was edited after the run began"), "{}", refused.stderr);
    fs::remove_file(&path).unwrap();
    assert!(resume().expect(10).stderr.contains("cannot be taken any more"));
    scene.write("report.txt", "two");
    resume().expect(0);
    scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_called_runbook_are_bound_when_it_begins() {
    let scene = Scene::new().await;
    shelve(&scene, "inner", &format!("{}{FILE}{}", HEAD.replace("drill", "inner"), by_hand("steps", "visit", "x", "")));
    let runbook = call("steps", "inner", "name = \"inner\", inputs = { report = \"report.txt\" }", "");
    scene.write("report.txt", "one");
    run(&scene, &runbook, "").expect(11);
    let path = scene.path("report.txt").canonicalize().unwrap().display().to_string();
    let expanded = event(&scene, "expanded", Some("inner"));
    assert_eq!(expanded["inputs"]["inline"][""]["report"], path.as_str());
    assert_eq!(expanded["files"], json!({ path.as_str(): Digest::of(b"one") }));
    scene.write("report.txt", "two");
    scene.write("answers.toml", &format!("[steps.\"inner/visit\"]\n{DONE}"));
    let refused = scene.run(&["resume", "--answers", "answers.toml"]).expect(10);
    assert!(refused.stderr.contains("was edited after the run began"), "{}", refused.stderr);
}
