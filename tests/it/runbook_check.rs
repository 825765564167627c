//! What the checker says about a mistaken runbook: one small file each, as a tired responder would read the answer.

mod answers;
mod arbitrary;
mod binary;
mod called;
mod conditions;
mod groups;
mod hostile;
mod inputs;
mod keys;
mod lints;
mod missing;
mod order;
mod references;
mod references_to_inputs;
mod syntax;
mod templates;
mod values;

use std::sync::LazyLock;

use quell::cli::catalogue::CATALOGUE;
use quell::runbook::{
    CODES, Checked, Embedded, Severity, Vocabulary, embedded, explain, load, render_json, render_text,
};

fn checked(text: &str) -> Checked {
    static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| CATALOGUE.vocabulary());
    load("drill.toml", text, &VOCABULARY, &Embedded)
}

/// What `quell runbooks check` would show, without colour, on a terminal of 100 columns.
fn shown(text: &str) -> String {
    let shown = render_text(&checked(text).problems, "drill.toml", text, false, 100);
    // What stands below every syntax error has a test of its own.
    shown.trim_end().trim_end_matches(NOT_TOML).trim_end().to_owned()
}

const NOT_TOML: &str = "drill.toml is not TOML: mend that first, the rest may come of it";

#[test]
fn below_a_syntax_error_it_says_where_to_begin() {
    let text = look("action = \"cloudflare.whoami\"\nwhy = \"It leaked.");
    let shown = render_text(&checked(&text).problems, "drill.toml", &text, false, 100);
    assert!(shown.trim_end().ends_with(NOT_TOML), "{shown}");
}

/// A runbook with these inputs and steps.
fn drill(rest: &str) -> String {
    format!("schema = 1\nname = \"drill\"\ntitle = \"Drill\"\n\n{rest}")
}

/// A step that is sound but for `rest`, as far as that goes.
fn step(id: &str, rest: &str) -> String {
    format!("[[steps]]\nid = \"{id}\"\nphase = \"identify\"\ntitle = \"Look\"\n{rest}\n\n")
}

/// A runbook of one step.
fn look(rest: &str) -> String {
    drill(&step("look", rest))
}

/// A runbook of two steps; the first is [`inventory`].
fn after_inventory(rest: &str) -> String {
    drill(&(inventory() + &step("cut", rest)))
}

/// A runbook that begins with this input.
fn with_input(input: &str) -> String {
    drill(&format!("{input}\n\n{}", inventory()))
}

/// A step that lists tokens, for others to refer to.
fn inventory() -> String {
    step("inventory", "action = \"cloudflare.tokens.inventory\"\nwith = { suspect = \"ci-deploy\" }")
}

/// The codes of all problems, in the order in which they are told.
fn codes(text: &str) -> Vec<&'static str> {
    checked(text).problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn what_the_tests_start_from_is_sound() {
    assert_eq!(codes(&drill(&inventory())), [""; 0]);
    assert!(checked(&drill(&inventory())).runbook.is_some());
}

#[test]
fn the_embedded_runbooks_are_without_fault() {
    for (name, text) in embedded() {
        assert_eq!(shown(text), "", "{name}");
        assert_eq!(checked(text).runbook.unwrap().name, *name);
    }
}

#[test]
fn every_code_is_explained_once() {
    for (at, (code, meaning)) in CODES.iter().enumerate() {
        assert_eq!(*code, format!("R{:03}", at + 1));
        assert_eq!(explain(code), Some(*meaning));
    }
}

#[test]
fn a_warning_does_not_stop_a_run() {
    let rest = "action = \"cloudflare.token.disable\"\nwith = { tokens = { from = \"steps.inventory.suspects\" } }";
    let text = drill(&(inventory() + &step("cut", rest)));
    let checked = checked(&text);
    assert!(checked.runbook.is_some());
    assert!(checked.problems.iter().all(|problem| problem.severity == Severity::Warning));
    let document = render_json(&checked.problems, "drill.toml", &text);
    assert_eq!((document["errors"].as_u64(), document["warnings"].as_u64()), (Some(0), Some(1)));
    assert_eq!(
        (document["problems"][0]["line"].as_u64(), document["problems"][0]["column"].as_u64()),
        (Some(13), Some(6))
    );
}
