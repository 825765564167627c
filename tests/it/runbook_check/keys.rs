//! Keys and parameters that do not belong.

use insta::assert_snapshot;

use super::{after_inventory, drill, inventory, look, shown, with_input};

#[test]
fn an_unknown_key_of_the_runbook() {
    assert_snapshot!(shown(&drill(&(String::from("owner = \"ann\"\n\n") + &inventory()))), @r##"
    error[R002]: a runbook has no key `owner`
     --> drill.toml:5:1
      |
    5 | owner = "ann"
      | ^^^^^
      |
    help: its keys are `schema`, `name`, `title`, `summary`, `severity`, `target`, `update_every`, `inputs`, `steps`, `finally`
    "##);
}

#[test]
fn a_misspelt_key_of_the_runbook() {
    assert_snapshot!(shown(&drill(&(String::from("sumary = \"Look.\"\n\n") + &inventory()))), @r##"
    error[R002]: a runbook has no key `sumary`
     --> drill.toml:5:1
      |
    5 | sumary = "Look."
      | ^^^^^^
      |
    help: did you mean `summary`?
    "##);
}

#[test]
fn an_unknown_key_of_a_step() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
colour = "red""#)), @r##"
    error[R002]: a step has no key `colour`
      --> drill.toml:10:1
       |
    10 | colour = "red"
       | ^^^^^^
       |
    help: its keys are `id`, `phase`, `title`, `why`, `steps`, `action`, `with`, `when`, `confirm`, `on_failure`, `requires`, `foreach`, `as`, `repeat`, `retry`, `timeout`, `skippable`
    "##);
}

#[test]
fn a_misspelt_key_of_a_step() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
on_failiure = "stop""#)), @r##"
    error[R002]: a step has no key `on_failiure`
      --> drill.toml:10:1
       |
    10 | on_failiure = "stop"
       | ^^^^^^^^^^^
       |
    help: did you mean `on_failure`?
    "##);
}

#[test]
fn a_retry_that_is_no_table() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
retry = 3"#)), @r##"
    error[R004]: a retry must be a table, and is a whole number
      --> drill.toml:10:9
       |
    10 | retry = 3
       |         ^
       |
    help: it is written `retry = { times = 3, every = "10s" }`
    "##);
}

#[test]
fn an_unknown_key_of_an_input() {
    assert_snapshot!(shown(&with_input(r#"[inputs.since]
type = "timestamp"
secret = true"#)), @r##"
    error[R002]: an input has no key `secret`
     --> drill.toml:7:1
      |
    7 | secret = true
      | ^^^^^^
      |
    help: its keys are `type`, `prompt`, `default`, `required`, `unknown_ok`, `choices`, `pattern`, `min`, `max`, `min_length`, `max_length`
    "##);
}

#[test]
fn a_misspelt_key_of_an_input() {
    assert_snapshot!(shown(&with_input(r#"[inputs.since]
type = "timestamp"
promt = "Since when?""#)), @r##"
    error[R002]: an input has no key `promt`
     --> drill.toml:7:1
      |
    7 | promt = "Since when?"
      | ^^^^^
      |
    help: did you mean `prompt`?
    "##);
}

#[test]
fn an_unknown_parameter() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
with = { deep = true }"#)), @r##"
    error[R009]: `cloudflare.whoami` has no parameter `deep`
      --> drill.toml:10:10
       |
    10 | with = { deep = true }
       |          ^^^^
       |
    help: its parameters are `suspect`
    "##);
}

#[test]
fn a_misspelt_parameter() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.token.disable"
why = "It leaked."
with = { token = { from = "steps.inventory.suspects" } }"#)), @r##"
    error[R008]: `cloudflare.token.disable` needs the parameter `tokens`
      --> drill.toml:18:8
       |
    18 | with = { token = { from = "steps.inventory.suspects" } }
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: `tokens`: The tokens to disable, as `cloudflare.tokens.inventory` names them

    error[R009]: `cloudflare.token.disable` has no parameter `token`
      --> drill.toml:18:10
       |
    18 | with = { token = { from = "steps.inventory.suspects" } }
       |          ^^^^^
       |
    help: did you mean `tokens`?
    "##);
}
