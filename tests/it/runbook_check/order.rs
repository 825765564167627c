//! Steps that name each other, and several mistakes at once.

use insta::assert_snapshot;

use super::{after_inventory, drill, inventory, look, shown, step};

#[test]
fn two_steps_of_one_id() {
    assert_snapshot!(shown(&drill(&(inventory() + &inventory()))), @r##"
    error[R005]: another step has the id `inventory`
      --> drill.toml:13:6
       |
    13 | id = "inventory"
       |      ^^^^^^^^^^^
       |
    help: the id is a step's address in the journal: give each its own
    "##);
}

#[test]
fn requires_an_unknown_step() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.whoami"
requires = ["inventori"]"#)), @r##"
    error[R011]: there is no step `inventori`
      --> drill.toml:17:13
       |
    17 | requires = ["inventori"]
       |             ^^^^^^^^^^^
       |
    help: did you mean `inventory`?
    "##);
}

#[test]
fn requires_a_later_step() {
    assert_snapshot!(shown(&drill(&(step("first", "action = \"cloudflare.whoami\"\nrequires = [\"inventory\"]") + &inventory()))), @r##"
    error[R012]: `inventory` does not come before this step
      --> drill.toml:10:13
       |
    10 | requires = ["inventory"]
       |             ^^^^^^^^^^^
       |
    help: `requires` names steps that come before
    "##);
}

#[test]
fn requires_itself() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
requires = ["look"]"#)), @r##"
    error[R012]: step `look` cannot require itself
      --> drill.toml:10:13
       |
    10 | requires = ["look"]
       |             ^^^^^^
       |
    help: `requires` names steps that come before
    "##);
}

#[test]
fn goes_back_on_failure() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.whoami"
on_failure = "step:inventory""#)), @r##"
    error[R012]: `inventory` does not come after this step
      --> drill.toml:17:14
       |
    17 | on_failure = "step:inventory"
       |              ^^^^^^^^^^^^^^^^
       |
    help: a run only goes forward: name a step that comes after this one, in the same list
    "##);
}

#[test]
fn goes_to_an_unknown_step_on_failure() {
    assert_snapshot!(shown(&drill(&(step("first", "action = \"cloudflare.whoami\"\non_failure = \"step:inventry\"") + &inventory()))), @r##"
    error[R011]: there is no step `inventry`
      --> drill.toml:10:14
       |
    10 | on_failure = "step:inventry"
       |              ^^^^^^^^^^^^^^^
       |
    help: did you mean `step:inventory`?
    "##);
}

#[test]
fn a_step_without_an_action_is_one_mistake() {
    assert_snapshot!(shown(&drill(&(step("audit", "why = \"To know.\"") + &step("members", "action = \"cloudflare.members.list\"\nrequires = [\"audit\"]\nwith = { events = { from = \"steps.audit.events\" } }")))), @r##"
    error[R003]: step `audit` has no `action`
     --> drill.toml:5:1
      |
    5 | [[steps]]
      | ^^^^^^^^^
      |
    help: `quell actions` lists those that there are
    "##);
}

#[test]
fn mistakes_of_every_kind_come_in_the_order_of_the_file() {
    assert_snapshot!(shown(&drill(&(String::from("sumary = \"Look.\"\n\n") + &step("Look", "action = \"cloudflare.whoamy\"\nwhy = \"{{inputs.gone}}\"") + &step("look", "action = \"decide\"\nconfirm = \"never\"\nwith = { question = 1, options = [] }")))), @r##"
    error[R002]: a runbook has no key `sumary`
     --> drill.toml:5:1
      |
    5 | sumary = "Look."
      | ^^^^^^
      |
    help: did you mean `summary`?

    error[R006]: `Look` is not of the shape of an id
     --> drill.toml:8:6
      |
    8 | id = "Look"
      |      ^^^^^^
      |
    help: it takes small letters, digits and single hyphens, beginning with a letter, 64 characters at most: for example `look`

    error[R007]: there is no action `cloudflare.whoamy`
      --> drill.toml:11:10
       |
    11 | action = "cloudflare.whoamy"
       |          ^^^^^^^^^^^^^^^^^^^
       |
    help: did you mean `cloudflare.whoami`?

    error[R011]: the runbook has no input `gone`
      --> drill.toml:12:8
       |
    12 | why = "{{inputs.gone}}"
       |        ^^^^^^^^^^^^^^^
       |
    help: an input begins with `[inputs.gone]`

    error[R004]: `confirm` cannot be `never`
      --> drill.toml:19:11
       |
    19 | confirm = "never"
       |           ^^^^^^^
       |
    help: it is one of `ask`, `step`, `target`, `second-person`

    error[R010]: `question` must be text, and is a whole number
      --> drill.toml:20:21
       |
    20 | with = { question = 1, options = [] }
       |                     ^
       |
    help: `question`: What is to be decided
    "##);
}
