//! `{ from = … }` that points nowhere, forwards, or at something else.

use insta::assert_snapshot;

use super::{after_inventory, drill, inventory, look, shown, step};

#[test]
fn an_unknown_step() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.members.list"
with = { principals = { from = "steps.inventry.principals" } }"#)), @r##"
    error[R011]: there is no step `inventry`
      --> drill.toml:17:32
       |
    17 | with = { principals = { from = "steps.inventry.principals" } }
       |                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: did you mean `steps.inventory`?
    "##);
}

#[test]
fn a_step_like_no_other() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.members.list"
with = { principals = { from = "steps.audit.principals" } }"#)), @r##"
    error[R011]: there is no step `audit`
      --> drill.toml:17:32
       |
    17 | with = { principals = { from = "steps.audit.principals" } }
       |                                ^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: the steps before are `inventory`
    "##);
}

#[test]
fn a_later_step() {
    assert_snapshot!(shown(&drill(&(step("members", "action = \"cloudflare.members.list\"\nwith = { principals = { from = \"steps.inventory.principals\" } }") + &inventory()))), @r##"
    error[R012]: `steps.inventory` is a later step, which has no result yet
      --> drill.toml:10:32
       |
    10 | with = { principals = { from = "steps.inventory.principals" } }
       |                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: refer to an earlier step
    "##);
}

#[test]
fn the_step_itself() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.members.list"
with = { principals = { from = "steps.look.principals" } }"#)), @r##"
    error[R012]: `steps.look` is the step itself, which has no result yet
      --> drill.toml:10:32
       |
    10 | with = { principals = { from = "steps.look.principals" } }
       |                                ^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: refer to an earlier step
    "##);
}

#[test]
fn an_unknown_field() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.token.disable"
why = "It leaked."
with = { tokens = { from = "steps.inventory.suspect" } }"#)), @r##"
    error[R011]: `steps.inventory` has no field `suspect`
      --> drill.toml:18:28
       |
    18 | with = { tokens = { from = "steps.inventory.suspect" } }
       |                            ^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: did you mean `suspects`?
    "##);
}

#[test]
fn a_field_like_no_other() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.token.disable"
why = "It leaked."
with = { tokens = { from = "steps.inventory.zone" } }"#)), @r##"
    error[R011]: `steps.inventory` has no field `zone`
      --> drill.toml:18:28
       |
    18 | with = { tokens = { from = "steps.inventory.zone" } }
       |                            ^^^^^^^^^^^^^^^^^^^^^^
       |
    help: its fields are `tokens`, `suspects`, `held`, `unheard`, `doubted`, `widened`, `revived`, `rotatable`, `principals`, `already_dead`, `beyond_tokens`, `holders`, `holder_work`, `controls`
    "##);
}

#[test]
fn a_field_of_the_wrong_type() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.token.disable"
why = "It leaked."
with = { tokens = { from = "steps.inventory.already_dead" } }"#)), @r##"
    error[R013]: `tokens` must be a list, and `steps.inventory.already_dead` is true or false
      --> drill.toml:18:28
       |
    18 | with = { tokens = { from = "steps.inventory.already_dead" } }
       |                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: `tokens`: The tokens to disable, as `cloudflare.tokens.inventory` names them
    "##);
}

#[test]
fn a_whole_step() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.token.disable"
why = "It leaked."
with = { tokens = { from = "steps.inventory" } }"#)), @r##"
    error[R013]: `tokens` must be a list, and `steps.inventory` is a table
      --> drill.toml:18:28
       |
    18 | with = { tokens = { from = "steps.inventory" } }
       |                            ^^^^^^^^^^^^^^^^^
       |
    help: `tokens`: The tokens to disable, as `cloudflare.tokens.inventory` names them
    "##);
}
