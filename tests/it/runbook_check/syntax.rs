//! TOML that is none.

use insta::assert_snapshot;

use super::{drill, look, shown};

#[test]
fn the_same_key_twice() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
action = "ask""#)), @r##"
    error[R001]: this is not TOML: duplicate key
      --> drill.toml:10:1
       |
    10 | action = "ask"
       | ^^^^^^
       |
    help: a key stands once in a table: take one of the two out
    "##);
}

#[test]
fn a_text_that_is_not_closed() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
why = "It leaked."#)), @r##"
    error[R001]: this is not TOML: invalid basic string, expected `"`
      --> drill.toml:10:18
       |
    10 | why = "It leaked.
       |                  ^
       |
    help: a text ends on its line with the quote that it began with; a longer one stands between `"""`
    "##);
}

#[test]
fn a_table_that_is_not_closed() {
    assert_snapshot!(shown(&look(r#"action = "cloudflare.whoami"
with = { a = 1,"#)), @r##"
    error[R001]: this is not TOML: unclosed inline table, expected `}`
      --> drill.toml:10:16
       |
    10 | with = { a = 1,
       |                ^
       |
    help: what was opened before is not closed by here

    error[R009]: `cloudflare.whoami` has no parameter `a`
      --> drill.toml:10:10
       |
    10 | with = { a = 1,
       |          ^
       |
    help: its parameters are `suspect`
    "##);
}

#[test]
fn a_text_without_quotes() {
    assert_snapshot!(shown(&look(r#"action = ask"#)), @r##"
    error[R001]: this is not TOML: string values must be quoted, expected literal string
     --> drill.toml:9:10
      |
    9 | action = ask
      |          ^^^
      |
    help: put it between double quotes
    "##);
}

#[test]
fn a_table_header_that_is_not_closed() {
    assert_snapshot!(shown(&drill("[[steps]\nid = \"look\"")), @r##"
    error[R001]: this is not TOML: unclosed array table, expected `]`
     --> drill.toml:5:9
      |
    5 | [[steps]
      |         ^
      |
    help: what was opened before is not closed by here

    error[R002]: a runbook has no key `id`
     --> drill.toml:6:1
      |
    6 | id = "look"
      | ^^
      |
    help: its keys are `schema`, `name`, `title`, `summary`, `severity`, `target`, `update_every`, `inputs`, `steps`, `finally`
    "##);
}
