//! Values of the wrong kind or out of range.

use insta::assert_snapshot;

use super::{codes, drill, inventory, look, shown, step};

#[test]
fn a_newer_schema() {
    assert_snapshot!(shown(&drill(&inventory()).replace("schema = 1", "schema = 2")), @r##"
    error[R004]: the runbook is written in version 2 of the language, and this quell reads 1
     --> drill.toml:1:10
      |
    1 | schema = 2
      |          ^
      |
    help: a newer quell reads it
    "##);
}

#[test]
fn an_older_schema() {
    assert_snapshot!(shown(&drill(&inventory()).replace("schema = 1", "schema = 0")), @r##"
    error[R004]: the runbook is written in version 0 of the language, and this quell reads 1
     --> drill.toml:1:10
      |
    1 | schema = 0
      |          ^
      |
    help: write `schema = 1`
    "##);
}

#[test]
fn a_schema_that_is_text() {
    assert_snapshot!(shown(&drill(&inventory()).replace("schema = 1", "schema = \"1\"")), @r##"
    error[R004]: `schema` must be a whole number
     --> drill.toml:1:10
      |
    1 | schema = "1"
      |          ^^^
      |
    help: write `schema = 1`
    "##);
}

#[test]
fn a_title_that_is_a_number() {
    assert_snapshot!(shown(&drill(&inventory()).replace("\"Drill\"", "7")), @r##"
    error[R004]: `title` must be text, and is a whole number
     --> drill.toml:3:9
      |
    3 | title = 7
      |         ^
      |
    help: put it between double quotes
    "##);
}

#[test]
fn a_blank_title() {
    assert_snapshot!(shown(&drill(&inventory()).replace("\"Drill\"", "\" \"")), @r##"
    error[R004]: `title` is empty
     --> drill.toml:3:9
      |
    3 | title = " "
      |         ^^^
      |
    help: one line that says when to take this runbook
    "##);
}

#[test]
fn a_name_with_spaces() {
    assert_snapshot!(shown(&drill(&inventory()).replace("\"drill\"", "\"Token Leak\"")), @r##"
    error[R006]: `Token Leak` is not of the shape of a name
     --> drill.toml:2:8
      |
    2 | name = "Token Leak"
      |        ^^^^^^^^^^^^
      |
    help: it takes small letters, digits and single hyphens, beginning with a letter, 64 characters at most: for example `token-leak`
    "##);
}

#[test]
fn a_target_that_is_no_length_of_time() {
    assert_snapshot!(shown(&drill(&(String::from("target = \"soon\"\n\n") + &inventory()))), @r##"
    error[R004]: `target` cannot be read: it must be a length of time such as `15m` or `1h 30m`
     --> drill.toml:5:10
      |
    5 | target = "soon"
      |          ^^^^^^
    "##);
}

#[test]
fn updates_that_are_wanted_at_no_length_of_time() {
    assert_snapshot!(shown(&drill(&(String::from("update_every = 30\n\n") + &inventory()))), @r##"
    error[R004]: `update_every` cannot be read: it must be a length of time such as `15m` or `1h 30m`
     --> drill.toml:5:16
      |
    5 | update_every = 30
      |                ^^
    "##);
}

#[test]
fn an_id_in_capitals() {
    assert_snapshot!(shown(&drill(&step("CutSuspect", r#"action = "cloudflare.whoami""#))), @r##"
    error[R006]: `CutSuspect` is not of the shape of an id
     --> drill.toml:6:6
      |
    6 | id = "CutSuspect"
      |      ^^^^^^^^^^^^
      |
    help: it takes small letters, digits and single hyphens, beginning with a letter, 64 characters at most: for example `cutsuspect`
    "##);
}

#[test]
fn an_id_with_spaces() {
    assert_snapshot!(shown(&drill(&step("cut the suspect", r#"action = "cloudflare.whoami""#))), @r##"
    error[R006]: `cut the suspect` is not of the shape of an id
     --> drill.toml:6:6
      |
    6 | id = "cut the suspect"
      |      ^^^^^^^^^^^^^^^^^
      |
    help: it takes small letters, digits and single hyphens, beginning with a letter, 64 characters at most: for example `cut-the-suspect`
    "##);
}

#[test]
fn an_id_that_is_empty() {
    assert_snapshot!(shown(&drill(&step("", r#"action = "cloudflare.whoami""#))), @r##"
    error[R004]: `id` is empty
     --> drill.toml:6:6
      |
    6 | id = ""
      |      ^^
      |
    help: what the step is called in consent, journal and report, such as `id = "cut-suspect"`
    "##);
}

#[test]
fn an_id_that_is_a_verb() {
    assert_snapshot!(shown(&drill(&step("skip", r#"action = "cloudflare.whoami""#))), @r##"
    error[R020]: no step can be called `skip`
     --> drill.toml:6:6
      |
    6 | id = "skip"
      |      ^^^^^^
      |
    help: the id is typed to consent, and `skip` means something else there; say what the step does to what, as in `cut-suspect`
    "##);
}

#[test]
fn an_unknown_phase() {
    assert_snapshot!(shown(&drill(&inventory()).replace("\"identify\"", "\"containment\"")), @r##"
    error[R004]: `phase` cannot be `containment`
     --> drill.toml:7:9
      |
    7 | phase = "containment"
      |         ^^^^^^^^^^^^^
      |
    help: did you mean `contain`?
    "##);
}

#[test]
fn a_moment_that_is_told_from_now() {
    let since = |text: &str| look(&format!("action = \"cloudflare.audit.collect\"\nwith = {{ since = \"{text}\" }}"));
    for text in ["10h ago", "yesterday", "2026-11-23 14:05"] {
        assert_eq!(codes(&since(text)), ["R010"], "{text}");
        assert!(shown(&since(text)).contains(&format!("`since` cannot be `{text}`: it is a moment such as")), "{text}");
    }
    assert_eq!(codes(&since("2026-11-23T14:05:00Z")), [""; 0]);
}
