//! Inputs, their types and their defaults.

use insta::assert_snapshot;

use super::{shown, with_input};

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

    error[R004]: the default of `host` is `example.com`: it is an IP address
      --> drill.toml:11:33
       |
    11 | host = { type = "ip", default = "example.com" }
       |                                 ^^^^^^^^^^^^^

    error[R004]: the default of `pace` is `soon`: it is one of now, later
      --> drill.toml:12:65
       |
    12 | pace = { type = "choice", choices = ["now", "later"], default = "soon" }
       |                                                                 ^^^^^^
    "##);
}
