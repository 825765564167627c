//! Keys and parameters that are missing.

use insta::assert_snapshot;

use super::{drill, inventory, look, shown, with_input};

#[test]
fn an_unknown_action() {
    assert_snapshot!(shown(&look(r#"action = "aws.keys.disable""#)), @r##"
    error[R007]: there is no action `aws.keys.disable`
     --> drill.toml:9:10
      |
    9 | action = "aws.keys.disable"
      |          ^^^^^^^^^^^^^^^^^^
      |
    help: `quell actions` lists those that there are
    "##);
}

#[test]
fn a_misspelt_action() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.tokens.disable""#)), @r##"
    error[R007]: there is no action `cloudflare.tokens.disable`
     --> drill.toml:9:10
      |
    9 | action = "cloudflare.tokens.disable"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
    help: did you mean `cloudflare.token.disable`?
    "##);
}

#[test]
fn a_missing_parameter() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.tokens.inventory""#)), @r##"
    error[R008]: `cloudflare.tokens.inventory` needs the parameter `suspect`
     --> drill.toml:5:1
      |
    5 | [[steps]]
      | ^^^^^^^^^
      |
    help: `suspect`: The compromised token: its id, its name if no other has it, or `unknown`
    "##);
}

#[test]
fn a_missing_parameter_inside_a_table() {
    assert_snapshot!(shown(&look(r#"action = "decide"
with = { question = "Now?", options = [{ id = "yes-now" }] }"#)), @r##"
    error[R008]: each of `options` needs the parameter `title`
      --> drill.toml:10:40
       |
    10 | with = { question = "Now?", options = [{ id = "yes-now" }] }
       |                                        ^^^^^^^^^^^^^^^^^^
       |
    help: `title`: What it means
    "##);
}

#[test]
fn no_head_at_all() {
    assert_snapshot!(shown(&inventory()), @r##"
    error[R003]: this runbook has no `schema`
     --> drill.toml:1:1
      |
    1 | [[steps]]
      | ^
      |
    help: write `schema = 1` at the top: the version of the language

    error[R003]: this runbook has no `name`
     --> drill.toml:1:1
      |
    1 | [[steps]]
      | ^
      |
    help: a short name to call it by, such as `name = "token-leak"`

    error[R003]: this runbook has no `title`
     --> drill.toml:1:1
      |
    1 | [[steps]]
      | ^
      |
    help: one line that says when to take this runbook
    "##);
}

#[test]
fn a_step_without_anything() {
    assert_snapshot!(shown(&drill(r#"[[steps]]"#)), @r##"
    error[R003]: this step has no `id`
     --> drill.toml:5:1
      |
    5 | [[steps]]
      | ^^^^^^^^^
      |
    help: what the step is called in consent, journal and report, such as `id = "cut-suspect"`

    error[R003]: this step has no `phase`
     --> drill.toml:5:1
      |
    5 | [[steps]]
      | ^^^^^^^^^
      |
    help: it is one of `prepare`, `identify`, `contain`, `eradicate`, `recover`, `learn`

    error[R003]: this step has no `title`
     --> drill.toml:5:1
      |
    5 | [[steps]]
      | ^^^^^^^^^
      |
    help: one line that says what the step does

    error[R003]: this step has no `action`
     --> drill.toml:5:1
      |
    5 | [[steps]]
      | ^^^^^^^^^
      |
    help: `quell actions` lists those that there are
    "##);
}

#[test]
fn a_step_without_an_action() {
    assert_snapshot!(shown(&look(r#"why = "It leaked.""#)), @r##"
    error[R003]: step `look` has no `action`
     --> drill.toml:5:1
      |
    5 | [[steps]]
      | ^^^^^^^^^
      |
    help: `quell actions` lists those that there are
    "##);
}

#[test]
fn an_input_without_a_type() {
    assert_snapshot!(shown(&with_input(r#"[inputs.since]
prompt = "Since when?""#)), @r##"
    error[R003]: input `since` has no `type`
     --> drill.toml:5:1
      |
    5 | [inputs.since]
      | ^^^^^^^^^^^^^^
      |
    help: it is one of `string`, `bool`, `integer`, `timestamp`, `duration`, `ip`, `cidr`, `email`, `choice`, `list`, `path`, `file`, `secret`, `cloudflare.token`, `cloudflare.zone`, `cloudflare.zones`, `cloudflare.member`
    "##);
}

#[test]
fn no_steps() {
    assert_snapshot!(shown(&drill("")), @r##"
    error[R003]: this runbook has no `steps`
     --> drill.toml:1:1
      |
    1 | schema = 1
      | ^
      |
    help: a step begins with the line `[[steps]]`
    "##);
}

#[test]
fn an_empty_list_of_steps() {
    assert_snapshot!(shown(&drill("steps = []")), @r##"
    error[R003]: the runbook has no steps
     --> drill.toml:5:9
      |
    5 | steps = []
      |         ^^
      |
    help: a step begins with the line `[[steps]]`
    "##);
}

#[test]
fn steps_as_one_table() {
    assert_snapshot!(shown(&drill(r#"[steps]
id = "look""#)), @r##"
    error[R004]: steps are written as `[[steps]]`, and this is a table
     --> drill.toml:5:1
      |
    5 | [steps]
      | ^^^^^^^
      |
    help: each step begins with the line `[[steps]]`, with two brackets
    "##);
}

#[test]
fn a_step_that_is_no_table() {
    assert_snapshot!(shown(&drill("steps = [1]")), @r##"
    error[R004]: a step must be a table, and is a whole number
     --> drill.toml:5:10
      |
    5 | steps = [1]
      |          ^
      |
    help: a step begins with the line `[[steps]]`
    "##);
}
