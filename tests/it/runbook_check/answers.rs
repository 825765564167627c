//! What a step says of consent, failure and parameters.

use insta::assert_snapshot;

use super::{after_inventory, look, shown};

#[test]
fn an_unknown_confirm() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
confirm = "yes""#)), @r##"
    error[R004]: `confirm` cannot be `yes`
      --> drill.toml:10:11
       |
    10 | confirm = "yes"
       |           ^^^^^
       |
    help: it is one of `ask`, `step`, `target`, `second-person`
    "##);
}

#[test]
fn a_step_that_does_not_say_why() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.token.disable"
with = { tokens = { from = "steps.inventory.suspects" } }"#)), @r##"
    warning[R018]: step `cut` can change something and does not say `why`
      --> drill.toml:13:6
       |
    13 | id = "cut"
       |      ^^^^^
       |
    help: say in one sentence what is lost by skipping it
    "##);
}

#[test]
fn a_confirm_that_is_too_lax() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.token.disable"
why = "It leaked."
confirm = "ask"
with = { tokens = { from = "steps.inventory.suspects" } }"#)), @r##"
    warning[R017]: `cloudflare.token.disable` can be disruptive, which asks for more than this
      --> drill.toml:18:11
       |
    18 | confirm = "ask"
       |           ^^^^^
       |
    help: it has no effect: leave it out, or make it stricter
    "##);
}

#[test]
fn an_unknown_on_failure() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
on_failure = "retry""#)), @r##"
    error[R004]: `on_failure` cannot be `retry`
      --> drill.toml:10:14
       |
    10 | on_failure = "retry"
       |              ^^^^^^^
       |
    help: it is one of `ask`, `stop`, `continue`, `step:ID`
    "##);
}

#[test]
fn an_on_failure_of_the_wrong_kind() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
on_failure = true"#)), @r##"
    error[R004]: `on_failure` must be text, and is true or false
      --> drill.toml:10:14
       |
    10 | on_failure = true
       |              ^^^^
       |
    help: it is one of `ask`, `stop`, `continue`, `step:ID`
    "##);
}

#[test]
fn a_with_that_is_no_table() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
with = "suspect""#)), @r##"
    error[R004]: `with` must be a table, and is text
      --> drill.toml:10:8
       |
    10 | with = "suspect"
       |        ^^^^^^^^^
       |
    help: it is written `with = { NAME = VALUE }`, or under a line `[steps.with]`
    "##);
}

#[test]
fn a_requires_that_is_no_list() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
requires = "look""#)), @r##"
    error[R004]: `requires` must be a list of texts, and is text
      --> drill.toml:10:12
       |
    10 | requires = "look"
       |            ^^^^^^
       |
    help: put it between `[` and `]`
    "##);
}

#[test]
fn a_parameter_of_the_wrong_kind() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.token.disable"
why = "It leaked."
with = { tokens = "ci-deploy" }"#)), @r##"
    error[R010]: `tokens` must be a list, and is text
      --> drill.toml:11:19
       |
    11 | with = { tokens = "ci-deploy" }
       |                   ^^^^^^^^^^^
       |
    help: `tokens`: The tokens to disable, as `cloudflare.tokens.inventory` names them
    "##);
}

#[test]
fn a_parameter_of_the_wrong_kind_inside_a_list() {
    assert_snapshot!(shown(&look(r#"action = "decide"
with = { question = "Now?", options = ["now"] }"#)), @r##"
    error[R010]: each of `options` must be a table, and this is text
      --> drill.toml:10:40
       |
    10 | with = { question = "Now?", options = ["now"] }
       |                                        ^^^^^
       |
    help: `options`: What may be chosen
    "##);
}
