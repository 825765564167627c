//! `{{ … }}` and `when`.

use insta::assert_snapshot;

use super::{after_inventory, look, shown};

#[test]
fn an_unknown_path() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
why = "Because of {{inputs.reason}}.""#)), @r##"
    error[R011]: the runbook has no input `reason`
      --> drill.toml:10:19
       |
    10 | why = "Because of {{inputs.reason}}."
       |                   ^^^^^^^^^^^^^^^^^
       |
    help: an input begins with `[inputs.reason]`
    "##);
}

#[test]
fn an_unknown_root() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
why = "Because of {{reason}}.""#)), @r##"
    error[R011]: `reason` points nowhere
      --> drill.toml:10:19
       |
    10 | why = "Because of {{reason}}."
       |                   ^^^^^^^^^^
       |
    help: a path begins with `inputs.`, `steps.` or `incident.`
    "##);
}

#[test]
fn an_unknown_fact_of_the_incident() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
why = "For {{incident.owner}}.""#)), @r##"
    error[R011]: `incident.owner` is nothing that is known of an incident
      --> drill.toml:10:12
       |
    10 | why = "For {{incident.owner}}."
       |            ^^^^^^^^^^^^^^^^^^
       |
    help: known are `id`, `account_id`, `account_name`, `world`
    "##);
}

#[test]
fn braces_that_are_not_closed() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
why = "Because of {{incident.id and so on""#)), @r##"
    error[R015]: this is not a valid template
      --> drill.toml:10:33
       |
    10 | why = "Because of {{incident.id and so on"
       |                                 ^
       |
    help: every `{{` needs its `}}`, every `{{#if inputs.x}}` its `{{/if}}`
    "##);
}

#[test]
fn a_block_that_is_not_closed() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
why = "{{#if incident.id}}Because.""#)), @r##"
    error[R015]: this is not a valid template
      --> drill.toml:10:35
       |
    10 | why = "{{#if incident.id}}Because."
       |                                   ^
       |
    help: every `{{` needs its `}}`, every `{{#if inputs.x}}` its `{{/if}}`
    "##);
}

#[test]
fn an_unknown_helper() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
why = "{{upper incident.id}}""#)), @r##"
    error[R016]: there is no helper `upper`
      --> drill.toml:10:8
       |
    10 | why = "{{upper incident.id}}"
       |        ^^^^^^^^^^^^^^^^^^^^^
       |
    help: the helpers are `if`, `unless`, `each`, `with`, `lookup`, `eq`, `ne`, `gt`, `gte`, `lt`, `lte`, `and`, `or`, `not`, `any`, `len`, `json`, `md`, `join`, `default`, `time`
    "##);
}

#[test]
fn a_misspelt_helper() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
why = "{{jsn incident.id}}""#)), @r##"
    error[R016]: there is no helper `jsn`
      --> drill.toml:10:8
       |
    10 | why = "{{jsn incident.id}}"
       |        ^^^^^^^^^^^^^^^^^^^
       |
    help: did you mean `json`?
    "##);
}

#[test]
fn a_partial() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
why = "{{> header}}""#)), @r##"
    error[R015]: partials and decorators are not part of the language
      --> drill.toml:10:8
       |
    10 | why = "{{> header}}"
       |        ^^^^^^^^^^^^
       |
    help: write the text itself
    "##);
}

#[test]
fn a_path_in_the_third_line_of_a_text() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
why = """
First.
Then {{incident.id}} of {{incident.idd}}.
""""#)), @r##"
    error[R011]: `incident.idd` is nothing that is known of an incident
      --> drill.toml:12:25
       |
    12 | Then {{incident.id}} of {{incident.idd}}.
       |                         ^^^^^^^^^^^^^^^^
       |
    help: did you mean `incident.id`?
    "##);
}

#[test]
fn a_path_in_a_parameter() {
    assert_snapshot!(shown(&look(r#"action = "decide"
with = { question = "Is {{steps.pace.choice}} right?", options = [{ id = "now", title = "now" }] }"#)), @r##"
    error[R011]: there is no step `pace`
      --> drill.toml:10:25
       |
    10 | with = { question = "Is {{steps.pace.choice}} right?", options = [{ id = "now", title = "now...
       |                         ^^^^^^^^^^^^^^^^^^^^^
       |
    help: no step comes before this one
    "##);
}

#[test]
fn a_field_of_an_item() {
    assert_snapshot!(shown(&after_inventory(r#"action = "manual"
with = { instruction = "{{#each steps.inventory.suspects}}{{this.nme}} {{/each}}" }"#)), @r##"
    error[R011]: `this.nme`: the item has no field `nme`
      --> drill.toml:17:59
       |
    17 | with = { instruction = "{{#each steps.inventory.suspects}}{{this.nme}} {{/each}}" }
       |                                                           ^^^^^^^^^^^^
       |
    help: did you mean `name`?
    "##);
}

#[test]
fn a_path_from_the_root_inside_a_block() {
    assert_snapshot!(shown(&after_inventory(r#"action = "manual"
with = { instruction = "{{#each steps.inventory.suspects}}{{incident.id}} {{/each}}" }"#)), @r##"
    error[R011]: `incident.id` is looked for in the item here
      --> drill.toml:17:59
       |
    17 | with = { instruction = "{{#each steps.inventory.suspects}}{{incident.id}} {{/each}}" }
       |                                                           ^^^^^^^^^^^^^^^
       |
    help: write `@root.incident.id` inside `#each` and `#with`
    "##);
}
