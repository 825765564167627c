//! Files that nobody wrote as a runbook, or that somebody wrote to do harm.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use quell::runbook::{MAX_BYTES, RESERVED, render_json};

use super::{checked, codes, drill, inventory, shown, step};

/// An answer comes at once, is short, and has nothing in it that acts on a terminal.
#[track_caller]
fn assert_tame(text: &str) -> String {
    let began = Instant::now();
    let shown = shown(text);
    let document = render_json(&checked(text).problems, "drill.toml", text).to_string();
    assert!(began.elapsed() < Duration::from_secs(20), "it took {:?}", began.elapsed());
    assert!(shown.len() < 200_000 && document.len() < 200_000, "{} and {} bytes", shown.len(), document.len());
    for c in shown.chars() {
        assert!(
            c == '\n' || !(c.is_control() || matches!(c, '\u{202e}' | '\u{2066}' | '\u{feff}')),
            "{c:?} in {shown}"
        );
    }
    let start: String = text.chars().take(400).collect();
    assert!(checked(text).runbook.is_none(), "it is accepted: {start}");
    shown
}

#[test]
fn an_empty_file() {
    for text in ["", "\n\n", "\u{feff}", "\u{feff} \r\n"] {
        assert_eq!(codes(text), ["R003"], "{text:?}");
    }
    assert_snapshot!(assert_tame(""), @r##"
    error[R003]: the runbook is empty
     --> drill.toml:1:1
      |
    1 |
      | ^
      |
    help: was it saved?
    "##);
}

#[test]
fn a_file_of_comments_only() {
    assert_snapshot!(shown("# to be written\n"), @r##"
    error[R003]: this runbook has no `schema`
     --> drill.toml:1:1
      |
    1 | # to be written
      | ^
      |
    help: write `schema = 1` at the top: the version of the language

    error[R003]: this runbook has no `name`
     --> drill.toml:1:1
      |
    1 | # to be written
      | ^
      |
    help: a short name to call it by, such as `name = "token-leak"`

    error[R003]: this runbook has no `title`
     --> drill.toml:1:1
      |
    1 | # to be written
      | ^
      |
    help: one line that says when to take this runbook

    error[R003]: this runbook has no `steps`
     --> drill.toml:1:1
      |
    1 | # to be written
      | ^
      |
    help: a step begins with the line `[[steps]]`
    "##);
}

#[test]
fn a_byte_order_mark_is_no_column() {
    let text = format!("\u{feff}{}", drill(&inventory()));
    assert!(checked(&text).runbook.is_some());
    let wrong = text.replace("schema = 1", "schema = 2");
    assert_snapshot!(shown(&wrong), @r##"
    error[R004]: the runbook is written in version 2 of the language, and this quell reads 1
     --> drill.toml:1:10
      |
    1 | schema = 2
      |          ^
      |
    help: a newer quell reads it
    "##);
    let document = render_json(&checked(&wrong).problems, "drill.toml", &wrong);
    assert_eq!(document["problems"][0]["column"], 10);
}

#[test]
fn lines_as_windows_ends_them() {
    let text = drill(&inventory()).replace('\n', "\r\n");
    assert!(checked(&text).runbook.is_some());
    let wrong = text.replace("tokens.inventory", "tokens.inventry");
    let (windows, unix) = (shown(&wrong), shown(&wrong.replace("\r\n", "\n")));
    let trimmed: Vec<&str> = windows.lines().map(str::trim_end).collect();
    assert_eq!(trimmed.join("\n"), unix);
    assert!(windows.contains("drill.toml:9:10"), "{windows}");
}

#[test]
fn what_acts_on_a_terminal_is_shown_and_not_done() {
    let title = "\u{1b}]0;pwned\u{7}\u{1b}[2J\u{202e}live\u{2066}";
    assert_tame(&drill(&step(title, "action = \"cloudflare.whoami\"")));
    assert_tame(&drill(&format!("{title:?} = 1")));
    // TOML spells control characters as `\u001b`; they are shown as text all the same.
    let escaped = drill(&step("\\u001b[2Jcut\\u202e", "action = \"cloudflare.\\u001b[2J\""));
    assert_snapshot!(assert_tame(&escaped), @r##"
    error[R006]: `\u{1b}[2Jcut\u{202e}` is not of the shape of an id
     --> drill.toml:6:6
      |
    6 | id = "\u001b[2Jcut\u202e"
      |      ^^^^^^^^^^^^^^^^^^^^
      |
    help: it takes small letters, digits and single hyphens, beginning with a letter, 64 characters at most: for example `cut-suspect`

    error[R007]: there is no action `cloudflare.\u{1b}[2J`
     --> drill.toml:9:10
      |
    9 | action = "cloudflare.\u001b[2J"
      |          ^^^^^^^^^^^^^^^^^^^^^^
      |
    help: did you mean `cloudflare.hunt`?
    "##);
}

#[test]
fn bytes_of_nothing() {
    assert_snapshot!(assert_tame(&drill(&inventory()).replace("Look", "Lo\0ok")), @r##"
    error[R001]: this is not TOML: invalid basic string, expected non-double-quote visible characters, `\`
     --> drill.toml:8:12
      |
    8 | title = "Lo?ok"
      |            ^
      |
    help: there is a character here that no text may hold as it is, such as a tab or a null byte
    "##);
    assert_tame(&"\0".repeat(1000));
}

#[test]
fn a_line_without_end_is_cut() {
    let long = "x".repeat(100_000);
    for rest in [format!("summary = {{ a = \"{long}\" }}"), format!("{long} = 1"), format!("severity = [\"{long}\"]")] {
        assert!(assert_tame(&drill(&rest)).len() < 4000);
    }
    let ids = [("action = \"cloudflare.whoami\"\nrequires = [\"", "\"]"), ("action = \"", "\""), ("phase = \"", "\"")];
    for (before, after) in ids {
        let twice = step(&long, "action = \"ask\"") + &step("look", &format!("{before}{long}y{after}"));
        assert!(assert_tame(&drill(&twice)).len() < 20_000);
    }
}

#[test]
fn a_file_that_is_too_long() {
    let long = format!("{}# {}", drill(&inventory()), "x".repeat(5 << 20));
    assert_eq!(codes(&long), ["R021"]);
    assert_tame(&long);
    let just = drill(&inventory());
    let just = format!("{just}#{}", "x".repeat(MAX_BYTES - just.len() - 1));
    assert!(checked(&just).runbook.is_some());
}

#[test]
fn nesting_without_end() {
    let deep = 20_000;
    assert_tame(&drill(&format!("summary = {}", "[".repeat(deep))));
    assert_tame(&drill(&format!("summary = {}{}", "[".repeat(deep), "]".repeat(deep))));
    assert_tame(&drill(&format!("summary = {}", "{ a = ".repeat(deep))));
    assert_tame(&drill(&format!("a{} = 1", ".a".repeat(deep))));
    assert_tame(&drill(&format!("[a{}]", ".a".repeat(deep))));
}

#[test]
fn templates_without_end() {
    let why = |text: &str| drill(&step("look", &format!("action = \"cloudflare.whoami\"\nwhy = '{text}'")));
    let when = |text: &str| drill(&step("look", &format!("action = \"cloudflare.whoami\"\nwhen = '{text}'")));
    for deep in [49, 99, 400, 5000, 12_000] {
        let not = format!("{}incident.idd{}", "(not ".repeat(deep), ")".repeat(deep));
        assert_tame(&when(&not));
        assert_tame(&why(&format!("{{{{#if {not}}}}}x{{{{/if}}}}")));
        assert_tame(&why(&format!("{{{{#if x}}}}{}{{{{/if}}}}", "{{else if x}}".repeat(deep))));
        assert_tame(&why(&format!("{}{}", "{{#if x}}".repeat(deep), "{{/if}}".repeat(deep))));
        assert_tame(&why(&"{".repeat(deep)));
    }
}

#[test]
fn mistakes_without_end_are_counted() {
    let steps: String = (0..2000).map(|n| step(&format!("look-{n}"), &format!("action = \"loo-{n}\""))).collect();
    let text = drill(&steps);
    assert_eq!(codes(&text).len(), 101);
    let shown = assert_tame(&text);
    assert!(shown.contains("1900 more problems are not shown"), "{shown}");
}

#[test]
fn no_word_of_the_prompt_is_an_id() {
    for word in RESERVED {
        let text = drill(&step(word, "action = \"cloudflare.whoami\""));
        assert_eq!(codes(&text), ["R020"], "{word}");
    }
}
