//! Whatever the bytes are, the checker answers; what it accepts, it accepts again.

use proptest::prelude::*;
use proptest::sample::Index;
use quell::runbook::{embedded, render_json, render_text};

use super::checked;

/// A change to a text, as an editor or a bad copy makes it.
#[derive(Debug, Clone)]
enum Slip {
    Cut(Index, u8),
    Insert(Index, String),
    Swap(Index, Index, u8),
    Repeat(Index, u8),
}

fn slip() -> impl Strategy<Value = Slip> {
    let pieces = prop::sample::select(vec![
        "[[steps]]\n",
        "{{",
        "}}",
        "{{#each ",
        "{{/if}}",
        "{{else}}",
        "(not ",
        ")",
        "\"",
        "'",
        "\"\"\"",
        "[",
        "]",
        "{ from = ",
        "steps.",
        "inputs.",
        "@root.",
        "../",
        "this",
        "\\u001b",
        "\0",
        "\u{feff}",
        "\r\n",
        "é",
        "\u{202e}",
        "= 1\n",
        "id = \"cut\"\n",
        "step:",
        ".",
        "-",
        "99999999999999999999",
        "1_0",
        "nan",
        "2026-11-23",
        "#",
    ]);
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, length)| Slip::Cut(at, length)),
        (any::<Index>(), pieces).prop_map(|(at, piece)| Slip::Insert(at, piece.to_owned())),
        (any::<Index>(), ".{0,6}").prop_map(|(at, text)| Slip::Insert(at, text)),
        (any::<Index>(), any::<Index>(), any::<u8>()).prop_map(|(one, other, length)| Slip::Swap(one, other, length)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, length)| Slip::Repeat(at, length)),
    ]
}

fn slipped(text: &str, slip: &Slip) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    if chars.is_empty() {
        return String::from("x");
    }
    let span = |at: &Index, length: u8, len: usize| {
        let start = at.index(len);
        start..(start + usize::from(length)).min(len)
    };
    match slip {
        Slip::Cut(at, length) => {
            chars.drain(span(at, *length, chars.len()));
        }
        Slip::Insert(at, piece) => {
            let at = at.index(chars.len());
            chars.splice(at..at, piece.chars());
        }
        Slip::Swap(one, other, length) => {
            let (one, other) = (span(one, *length, chars.len()), span(other, *length, chars.len()));
            for (one, other) in one.zip(other) {
                chars.swap(one, other);
            }
        }
        Slip::Repeat(at, length) => {
            let span = span(at, *length, chars.len());
            let piece: Vec<char> = chars[span.clone()].to_vec();
            chars.splice(span.end..span.end, piece);
        }
    }
    chars.into_iter().collect()
}

/// Everything that `quell runbooks check` does with a text.
fn answer(text: &str) {
    let once = checked(text);
    let sound = once.runbook.is_some();
    let shown = render_text(&once.problems, "drill.toml", text, false, 100);
    assert!(!shown.chars().any(|c| c != '\n' && c.is_control()), "{shown:?}");
    let document = render_json(&once.problems, "drill.toml", text);
    assert_eq!(document["errors"] == 0, sound, "{document:#}");
    let mut last = 0;
    for problem in &once.problems {
        assert!(problem.span.start >= last && problem.span.end <= text.len().max(1), "{problem:?}");
        last = problem.span.start;
    }
    let again = checked(text);
    assert_eq!((again.runbook.is_some(), &again.problems), (sound, &once.problems));
    if let (Some(once), Some(again)) = (once.runbook, again.runbook) {
        assert_eq!(serde_json::to_value(once).unwrap(), serde_json::to_value(again).unwrap());
    }
}

/// A runbook with something of everything, short enough to be hit often.
const SMALL: &str = r#"schema = 1
name = "drill"
title = "Drill"
[inputs.pace]
type = "choice"
choices = ["now", "later"]
default = "now"
[[steps]]
id = "look"
phase = "identify"
title = "Look {{incident.account_name}}"
action = "cloudflare.tokens.inventory"
with = { suspect = "{{inputs.pace}}", events = [] }
[[steps]]
id = "cut"
phase = "contain"
title = "Cut {{#if inputs.pace}}{{inputs.pace}}{{/if}}"
why = "It leaked."
action = "cloudflare.token.disable"
with = { tokens = { from = "steps.look.suspects", default = [{ id = "{{#each steps.look.tokens}}{{this.id}}{{@root.incident.id}}{{/each}}", name = "" }] } }
when = "(not (eq inputs.pace \"later\"))"
requires = ["look"]
on_failure = "stop"
"#;

#[test]
fn what_the_slips_start_from_is_sound() {
    assert!(checked(SMALL).runbook.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        answer(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_template_has_an_answer(text in "[{}#/()@. =a-c|\"~!&>^-]{0,40}") {
        answer(&SMALL.replace("It leaked.", &text.replace('"', "\\\"")));
        answer(&SMALL.replace("(not (eq inputs.pace \\\"later\\\"))", &text.replace('"', "\\\"")));
    }

    #[test]
    fn a_small_runbook_with_slips_has_an_answer(slips in prop::collection::vec(slip(), 1..5)) {
        answer(&slips.iter().fold(SMALL.to_owned(), |text, slip| slipped(&text, slip)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_embedded_runbook_with_slips_has_an_answer(slips in prop::collection::vec(slip(), 1..5)) {
        answer(&slips.iter().fold(embedded()[0].1.to_owned(), |text, slip| slipped(&text, slip)));
    }
}
