//! `when`.

use insta::assert_snapshot;

use super::{after_inventory, look, shown};

#[test]
fn a_when_of_two_values() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.whoami"
when = "steps.inventory.already_dead steps.inventory.beyond_tokens""#)), @r##"
    error[R015]: `steps.inventory.already_dead steps.inventory.beyond_tokens` is not a condition
      --> drill.toml:17:8
       |
    17 | when = "steps.inventory.already_dead steps.inventory.beyond_tokens"
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: it is a path such as `steps.audit.complete`, or a call such as `(eq steps.pace.choice "cut-now")`
    "##);
}

#[test]
fn a_when_that_closes_its_own_braces() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
when = "incident.id}}1{{/if}}{{#if incident.id""#)), @r##"
    error[R015]: `incident.id}}1{{/if}}{{#if incident.id` is not a condition
      --> drill.toml:10:8
       |
    10 | when = "incident.id}}1{{/if}}{{#if incident.id"
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: it is a path such as `steps.audit.complete`, or a call such as `(eq steps.pace.choice "cut-now")`
    "##);
}

#[test]
fn a_when_that_is_no_condition() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
when = "if the token is dead""#)), @r##"
    error[R015]: `if the token is dead` is not a condition
      --> drill.toml:10:8
       |
    10 | when = "if the token is dead"
       |        ^^^^^^^^^^^^^^^^^^^^^^
       |
    help: it is a path such as `steps.audit.complete`, or a call such as `(eq steps.pace.choice "cut-now")`
    "##);
}

#[test]
fn a_when_with_operators() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.whoami"
when = "steps.inventory.already_dead == true""#)), @r##"
    error[R015]: `steps.inventory.already_dead == true` is not a condition
      --> drill.toml:17:8
       |
    17 | when = "steps.inventory.already_dead == true"
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: it is a path such as `steps.audit.complete`, or a call such as `(eq steps.pace.choice "cut-now")`
    "##);
}

#[test]
fn a_when_with_braces() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.whoami"
when = "{{steps.inventory.already_dead}}""#)), @r##"
    error[R015]: `{{steps.inventory.already_dead}}` is not a condition
      --> drill.toml:17:8
       |
    17 | when = "{{steps.inventory.already_dead}}"
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: it is a path such as `steps.audit.complete`, or a call such as `(eq steps.pace.choice "cut-now")`
    "##);
}

#[test]
fn a_when_with_an_unknown_helper() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.whoami"
when = "(is steps.inventory.already_dead)""#)), @r##"
    error[R016]: there is no helper `is`
      --> drill.toml:17:8
       |
    17 | when = "(is steps.inventory.already_dead)"
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: the helpers are `if`, `unless`, `each`, `with`, `lookup`, `eq`, `ne`, `gt`, `gte`, `lt`, `lte`, `and`, `or`, `not`, `any`, `len`, `json`, `md`, `join`, `default`, `time`
    "##);
}

#[test]
fn a_when_of_an_unknown_field() {
    assert_snapshot!(shown(&after_inventory(r#"action = "cloudflare.whoami"
when = "(not steps.inventory.alredy_dead)""#)), @r##"
    error[R011]: `steps.inventory` has no field `alredy_dead`
      --> drill.toml:17:8
       |
    17 | when = "(not steps.inventory.alredy_dead)"
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: did you mean `already_dead`?
    "##);
}

#[test]
fn a_when_of_the_step_itself() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
when = "steps.look.account""#)), @r##"
    error[R012]: `steps.look` is the step itself, which has no result yet
      --> drill.toml:10:8
       |
    10 | when = "steps.look.account"
       |        ^^^^^^^^^^^^^^^^^^^^
       |
    help: refer to an earlier step
    "##);
}

#[test]
fn an_empty_when() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
when = """#)), @r##"
    error[R015]: `when` is empty
      --> drill.toml:10:8
       |
    10 | when = ""
       |        ^^
       |
    help: it is a path such as `steps.audit.complete`, or a call such as `(eq steps.pace.choice "cut-now")`
    "##);
}
