//! Inputs, their types and their defaults.

use insta::assert_snapshot;

use super::{drill, shown, step, with_input};

#[test]
fn an_unknown_input_type() {
    assert_snapshot!(shown(&with_input(r#"[inputs.since]
type = "time""#)), @r##"
    error[R004]: `type` cannot be `time`
     --> drill.toml:6:8
      |
    6 | type = "time"
      |        ^^^^^^
      |
    help: did you mean `timestamp`?
    "##);
}

#[test]
fn a_choice_without_choices() {
    assert_snapshot!(shown(&with_input(r#"[inputs.pace]
type = "choice""#)), @r##"
    error[R003]: input `pace` has no `choices`
     --> drill.toml:5:1
      |
    5 | [inputs.pace]
      | ^^^^^^^^^^^^^
      |
    help: what may be chosen, such as `choices = ["now", "later"]`
    "##);
}

#[test]
fn an_input_name_with_a_hyphen() {
    assert_snapshot!(shown(&with_input(r#"[inputs.since-when]
type = "timestamp""#)), @r##"
    error[R006]: the input name `since-when` is not of small letters, digits and underscores
     --> drill.toml:5:9
      |
    5 | [inputs.since-when]
      |         ^^^^^^^^^^
      |
    help: for example `exposed_since`
    "##);
}

#[test]
fn defaults_of_the_wrong_type() {
    assert_snapshot!(shown(&with_input(r#"[inputs]
many = { type = "integer", default = "many" }
sure = { type = "bool", default = "maybe" }
zone = { type = "string", default = ["a", "b"] }
list = { type = "list", default = [1] }
when = { type = "timestamp", default = "20m ago" }
host = { type = "ip", default = "example.com" }
pace = { type = "choice", choices = ["now", "later"], default = "soon" }"#)), @r##"
    error[R004]: the default of `many` is `many`: it must be a whole number
     --> drill.toml:6:38
      |
    6 | many = { type = "integer", default = "many" }
      |                                      ^^^^^^

    error[R004]: the default of `sure` is `maybe`: it must be true or false
     --> drill.toml:7:35
      |
    7 | sure = { type = "bool", default = "maybe" }
      |                                   ^^^^^^^

    error[R004]: the default of `zone` is a list: it must be text
     --> drill.toml:8:37
      |
    8 | zone = { type = "string", default = ["a", "b"] }
      |                                     ^^^^^^^^^^

    error[R004]: the default of `list` is a list: it must be a list of texts
     --> drill.toml:9:35
      |
    9 | list = { type = "list", default = [1] }
      |                                   ^^^

    error[R004]: the default of `when` is `20m ago`: it must be a moment, since nobody knows yet when the run begins
      --> drill.toml:10:40
       |
    10 | when = { type = "timestamp", default = "20m ago" }
       |                                        ^^^^^^^^^

    error[R004]: the default of `host` is `example.com`: it must be an IP address
      --> drill.toml:11:33
       |
    11 | host = { type = "ip", default = "example.com" }
       |                                 ^^^^^^^^^^^^^

    error[R004]: the default of `pace` is `soon`: it must be one of now, later
      --> drill.toml:12:65
       |
    12 | pace = { type = "choice", choices = ["now", "later"], default = "soon" }
       |                                                                 ^^^^^^
    "##);
}

#[test]
fn bounds_that_cannot_be_read() {
    assert_snapshot!(shown(&with_input(
        r#"[inputs]
name = { type = "string", pattern = "[a-z" }
days = { type = "integer", min = "1", max = 2.5 }
wait = { type = "duration", min = 5, max = "soon" }
text = { type = "string", min_length = 0, max_length = "9" }"#
    )), @r##"
    error[R004]: `pattern` is no regular expression: unclosed character class
     --> drill.toml:6:37
      |
    6 | name = { type = "string", pattern = "[a-z" }
      |                                     ^^^^^^
      |
    help: it is matched against the whole text, for example `[a-z]+-[0-9]+`

    error[R004]: `min` must be a whole number, and is text
     --> drill.toml:7:34
      |
    7 | days = { type = "integer", min = "1", max = 2.5 }
      |                                  ^^^
      |
    help: write it without quotes

    error[R004]: `max` must be a whole number, and is a number
     --> drill.toml:7:45
      |
    7 | days = { type = "integer", min = "1", max = 2.5 }
      |                                             ^^^
      |
    help: write it without quotes

    error[R004]: `min` must be text, and is a whole number
     --> drill.toml:8:35
      |
    8 | wait = { type = "duration", min = 5, max = "soon" }
      |                                   ^
      |
    help: put it between double quotes

    error[R004]: `max` cannot be read: it must be a length of time such as `15m` or `1h 30m`
     --> drill.toml:8:44
      |
    8 | wait = { type = "duration", min = 5, max = "soon" }
      |                                            ^^^^^^

    error[R004]: `min_length` must be from 1 to 100000, and is 0
     --> drill.toml:9:40
      |
    9 | text = { type = "string", min_length = 0, max_length = "9" }
      |                                        ^

    error[R004]: `max_length` must be a whole number, and is text
     --> drill.toml:9:56
      |
    9 | text = { type = "string", min_length = 0, max_length = "9" }
      |                                                        ^^^
      |
    help: write it without quotes
    "##);
}

#[test]
fn bounds_between_which_nothing_is() {
    assert_snapshot!(shown(&with_input(
        r#"[inputs]
days = { type = "integer", min = 5, max = 4 }
wait = { type = "duration", min = "1h", max = "59m" }
text = { type = "string", min_length = 5, max_length = 4 }"#
    )), @r##"
    error[R004]: `max` is 4, and `min` is 5: no value is within
     --> drill.toml:6:43
      |
    6 | days = { type = "integer", min = 5, max = 4 }
      |                                           ^

    error[R004]: `max` is 59m, and `min` is 1h: no value is within
     --> drill.toml:7:47
      |
    7 | wait = { type = "duration", min = "1h", max = "59m" }
      |                                               ^^^^^

    error[R004]: `max_length` is 4, and `min_length` is 5: no text is within
     --> drill.toml:8:56
      |
    8 | text = { type = "string", min_length = 5, max_length = 4 }
      |                                                        ^
    "##);
}

#[test]
fn keys_that_are_for_other_types() {
    assert_snapshot!(shown(&with_input(
        r#"[inputs]
name = { type = "string", min = 1, choices = ["a"] }
days = { type = "integer", pattern = "[0-9]+", max_length = 3 }"#
    )), @r##"
    error[R022]: an input of the type `string` has no `min`
     --> drill.toml:6:33
      |
    6 | name = { type = "string", min = 1, choices = ["a"] }
      |                                 ^
      |
    help: `min` is for `integer`, `duration`

    error[R022]: an input of the type `string` has no `choices`
     --> drill.toml:6:46
      |
    6 | name = { type = "string", min = 1, choices = ["a"] }
      |                                              ^^^^^
      |
    help: `choices` is for `choice`

    error[R022]: an input of the type `integer` has no `pattern`
     --> drill.toml:7:38
      |
    7 | days = { type = "integer", pattern = "[0-9]+", max_length = 3 }
      |                                      ^^^^^^^^
      |
    help: `pattern` is for `string`, `list`

    error[R022]: an input of the type `integer` has no `max_length`
     --> drill.toml:7:61
      |
    7 | days = { type = "integer", pattern = "[0-9]+", max_length = 3 }
      |                                                             ^
      |
    help: `max_length` is for `string`
    "##);
}

#[test]
fn defaults_outside_of_their_bounds() {
    assert_snapshot!(shown(&with_input(
        r#"[inputs]
name = { type = "string", pattern = "[a-z]+", default = "Ann" }
days = { type = "integer", max = 30, default = 31 }
wait = { type = "duration", min = "5m", default = "1m" }
list = { type = "list", pattern = "[a-z]+", default = ["ann", "b0b"] }"#
    )), @r##"
    error[R004]: the default of `name` is `Ann`: it must match `[a-z]+`
     --> drill.toml:6:57
      |
    6 | name = { type = "string", pattern = "[a-z]+", default = "Ann" }
      |                                                         ^^^^^

    error[R004]: the default of `days` is `31`: it must be at most 30
     --> drill.toml:7:48
      |
    7 | days = { type = "integer", max = 30, default = 31 }
      |                                                ^^

    error[R004]: the default of `wait` is `1m`: it must be at least 5m
     --> drill.toml:8:51
      |
    8 | wait = { type = "duration", min = "5m", default = "1m" }
      |                                                   ^^^^

    error[R004]: the default of `list` is a list: it must match `[a-z]+`
     --> drill.toml:9:55
      |
    9 | list = { type = "list", pattern = "[a-z]+", default = ["ann", "b0b"] }
      |                                                       ^^^^^^^^^^^^^^
    "##);
}

#[test]
fn a_secret_with_a_default() {
    assert_snapshot!(shown(&with_input(
        r#"[inputs.key]
type       = "secret"
default    = "hunter22"
unknown_ok = true"#
    )), @r##"
    error[R022]: a secret has no `default`
     --> drill.toml:7:14
      |
    7 | default    = "hunter22"
      |              ^^^^^^^^^^
      |
    help: a secret comes from the environment (`QUELL_INPUT_NAME`) or from the prompt, and from nowhere else

    error[R022]: a secret has no `unknown_ok`
     --> drill.toml:8:14
      |
    8 | unknown_ok = true
      |              ^^^^
      |
    help: a secret comes from the environment (`QUELL_INPUT_NAME`) or from the prompt, and from nowhere else
    "##);
}

/// A runbook with a secret and an input of text, and this step.
fn with_secret(rest: &str) -> String {
    let inputs =
        "[inputs.key]\ntype = \"secret\"\nrequired = true\n[inputs.text]\ntype = \"string\"\nrequired = true\n\n";
    drill(&(inputs.to_owned() + &step("act", &format!("why = \"x\"\n{rest}"))))
}

#[test]
fn a_secret_where_it_may_stand() {
    for rest in [
        "action = \"http\"\nwith = { url = \"https://x.example/\", headers = { k = { from = \"inputs.key\" } }, body = { a = [{ from = \"inputs.key\" }] } }",
        "action = \"command\"\nwith = { argv = [\"x\"], env = { K = { from = \"inputs.key\" } }, stdin = { from = \"inputs.key\" } }",
        "action = \"notify\"\nwith = { service = \"slack\", message = \"x\", target = { from = \"inputs.key\" } }",
    ] {
        let used = step("said", "action = \"note\"\nwith = { text = \"{{inputs.text}}\" }");
        assert_eq!(shown(&format!("{}\n\n{used}", with_secret(rest))), "");
    }
}

#[test]
fn a_secret_where_a_text_is_wanted() {
    assert_snapshot!(shown(&with_secret(
        "action = \"http\"\nwith = { url = { from = \"inputs.key\" }, outputs = { id = { from = \"inputs.key\" } } }"
    )), @r##"
    error[R032]: `url` must be text, and `inputs.key` is a secret
      --> drill.toml:18:25
       |
    18 | with = { url = { from = "inputs.key" }, outputs = { id = { from = "inputs.key" } } }
       |                         ^^^^^^^^^^^^
       |
    help: a secret goes where `{ secret_env = "NAME" }` may stand: headers and body of `http`, `env` and `stdin` of `command`, the target of `notify`

    error[R032]: `id` must be text, and `inputs.key` is a secret
      --> drill.toml:18:67
       |
    18 | with = { url = { from = "inputs.key" }, outputs = { id = { from = "inputs.key" } } }
       |                                                                   ^^^^^^^^^^^^
       |
    help: a secret goes where `{ secret_env = "NAME" }` may stand: headers and body of `http`, `env` and `stdin` of `command`, the target of `notify`
    "##);
    assert_snapshot!(shown(&with_secret("action = \"command\"\nwith = { argv = [\"x\", { from = \"inputs.key\" }] }")), @r##"
    error[R032]: each of `argv` must be text, and `inputs.key` is a secret
      --> drill.toml:18:32
       |
    18 | with = { argv = ["x", { from = "inputs.key" }] }
       |                                ^^^^^^^^^^^^
       |
    help: a secret goes where `{ secret_env = "NAME" }` may stand: headers and body of `http`, `env` and `stdin` of `command`, the target of `notify`
    "##);
}

#[test]
fn a_secret_in_a_text_or_a_condition() {
    assert_snapshot!(shown(&with_secret(
        "action = \"note\"\nwith = { text = \"{{inputs.key}} {{json inputs.key}} {{#if inputs.key}}x{{/if}}\" }\nwhen = \"inputs.key\""
    )), @r##"
    error[R032]: `inputs.key` is a secret, and what stands in a text or a condition is written down
      --> drill.toml:18:18
       |
    18 | with = { text = "{{inputs.key}} {{json inputs.key}} {{#if inputs.key}}x{{/if}}" }
       |                  ^^^^^^^^^^^^^^
       |
    help: pass it with `{ from = "inputs.key" }` where `{ secret_env = … }` may stand

    error[R032]: `inputs.key` is a secret, and what stands in a text or a condition is written down
      --> drill.toml:18:33
       |
    18 | with = { text = "{{inputs.key}} {{json inputs.key}} {{#if inputs.key}}x{{/if}}" }
       |                                 ^^^^^^^^^^^^^^^^^^^
       |
    help: pass it with `{ from = "inputs.key" }` where `{ secret_env = … }` may stand

    error[R032]: `inputs.key` is a secret, and what stands in a text or a condition is written down
      --> drill.toml:18:53
       |
    18 | with = { text = "{{inputs.key}} {{json inputs.key}} {{#if inputs.key}}x{{/if}}" }
       |                                                     ^^^^^^^^^^^^^^^^^^
       |
    help: pass it with `{ from = "inputs.key" }` where `{ secret_env = … }` may stand

    error[R032]: `inputs.key` is a secret, and what stands in a text or a condition is written down
      --> drill.toml:19:8
       |
    19 | when = "inputs.key"
       |        ^^^^^^^^^^^^
       |
    help: pass it with `{ from = "inputs.key" }` where `{ secret_env = … }` may stand

    warning[R028]: `inputs.key` always holds
      --> drill.toml:19:8
       |
    19 | when = "inputs.key"
       |        ^^^^^^^^^^^^
       |
    help: leave it out
    "##);
    assert_snapshot!(shown(&with_secret(
        "action = \"note\"\nwith = { text = \"{{#each inputs.text}}{{@root.inputs.key}}{{../inputs.key}}{{/each}}\" }"
    )), @r##"
    error[R032]: `inputs.key` is a secret, and what stands in a text or a condition is written down
      --> drill.toml:18:39
       |
    18 | with = { text = "{{#each inputs.text}}{{@root.inputs.key}}{{../inputs.key}}{{/each}}" }
       |                                       ^^^^^^^^^^^^^^^^^^^^
       |
    help: pass it with `{ from = "inputs.key" }` where `{ secret_env = … }` may stand

    error[R032]: `inputs.key` is a secret, and what stands in a text or a condition is written down
      --> drill.toml:18:59
       |
    18 | with = { text = "{{#each inputs.text}}{{@root.inputs.key}}{{../inputs.key}}{{/each}}" }
       |                                                           ^^^^^^^^^^^^^^^^^
       |
    help: pass it with `{ from = "inputs.key" }` where `{ secret_env = … }` may stand
    "##);
}

#[test]
fn something_else_where_a_secret_is_wanted() {
    assert_snapshot!(shown(&with_secret(
        "action = \"notify\"\nwith = { service = \"slack\", message = \"x\", target = { from = \"inputs.text\" } }"
    )), @r##"
    error[R032]: `target` must be a secret, and `inputs.text` is text
      --> drill.toml:18:62
       |
    18 | with = { service = "slack", message = "x", target = { from = "inputs.text" } }
       |                                                              ^^^^^^^^^^^^^
       |
    help: pass an input of the type `secret`, or `{ secret_env = "NAME" }`
    "##);
}
