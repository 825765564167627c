//! `{ from = … }` to inputs, and references that are none.

use insta::assert_snapshot;

use super::{drill, inventory, look, shown, step};

#[test]
fn an_unknown_input_where_there_are_none() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.tokens.inventory"
with = { suspect = { from = "inputs.suspect" } }"#)), @r##"
    error[R011]: the runbook has no input `suspect`
      --> drill.toml:10:29
       |
    10 | with = { suspect = { from = "inputs.suspect" } }
       |                             ^^^^^^^^^^^^^^^^
       |
    help: an input begins with `[inputs.suspect]`
    "##);
}

#[test]
fn an_unknown_input() {
    assert_snapshot!(shown(&drill(&(r#"[inputs.suspect]
type = "cloudflare.token"
required = true

"#.to_owned() + &step("look", "action = \"cloudflare.tokens.inventory\"\nwith = { suspect = { from = \"inputs.suspct\" } }")))), @r##"
    error[R011]: the runbook has no input `suspct`
      --> drill.toml:14:29
       |
    14 | with = { suspect = { from = "inputs.suspct" } }
       |                             ^^^^^^^^^^^^^^^
       |
    help: did you mean `inputs.suspect`?
    "##);
}

#[test]
fn an_input_that_may_be_left_empty() {
    assert_snapshot!(shown(&drill(&(r#"[inputs.suspect]
type = "cloudflare.token"

"#.to_owned() + &step("look", "action = \"cloudflare.tokens.inventory\"\nwith = { suspect = { from = \"inputs.suspect\" } }")))), @r##"
    error[R014]: `suspect` would have no value: the input `suspect` may be left empty
      --> drill.toml:13:29
       |
    13 | with = { suspect = { from = "inputs.suspect" } }
       |                             ^^^^^^^^^^^^^^^^
       |
    help: add a `default` beside `from`
    "##);
}

#[test]
fn an_input_whose_type_is_wrong_is_one_mistake() {
    assert_snapshot!(shown(&drill(&(r#"[inputs.zones]
type = "lists"

"#.to_owned() + &step("look", "action = \"cloudflare.dns.diff\"\nwith = { zones = { from = \"inputs.zones\" } }")))), @r##"
    error[R004]: `type` cannot be `lists`
     --> drill.toml:6:8
      |
    6 | type = "lists"
      |        ^^^^^^^
      |
    help: did you mean `list`?
    "##);
}

#[test]
fn a_path_that_begins_nowhere() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.tokens.inventory"
with = { suspect = { from = "input.suspect" } }"#)), @r##"
    error[R011]: `input.suspect` points nowhere
      --> drill.toml:10:29
       |
    10 | with = { suspect = { from = "input.suspect" } }
       |                             ^^^^^^^^^^^^^^^
       |
    help: did you mean `inputs.suspect`?
    "##);
}

#[test]
fn a_from_that_is_no_text() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.tokens.inventory"
with = { suspect = { from = 1 } }"#)), @r##"
    error[R004]: `from` must be text, and is a whole number
      --> drill.toml:10:29
       |
    10 | with = { suspect = { from = 1 } }
       |                             ^
       |
    help: it is a path such as `steps.inventory.suspects`
    "##);
}

#[test]
fn another_key_beside_from() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.tokens.inventory"
with = { suspect = { from = "incident.id", or = "x" } }"#)), @r##"
    error[R002]: a reference has no key `or`
      --> drill.toml:10:44
       |
    10 | with = { suspect = { from = "incident.id", or = "x" } }
       |                                            ^^
       |
    help: its keys are `from` and `default`
    "##);
}

#[test]
fn a_step_that_may_be_skipped() {
    assert_snapshot!(shown(&drill(&(inventory().replace("title", "when = \"(eq incident.world \\\"live\\\")\"\ntitle") + &step("cut", "action = \"cloudflare.token.disable\"\nwhy = \"It leaked.\"\nwith = { tokens = { from = \"steps.inventory.suspects\" } }")))), @r##"
    error[R014]: `tokens` would have no value: step `inventory` has a `when`, and may be skipped
      --> drill.toml:19:28
       |
    19 | with = { tokens = { from = "steps.inventory.suspects" } }
       |                            ^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: add a `default` beside `from`
    "##);
}
