//! The runbook language: TOML in, a checked [`Runbook`] or every problem at once out.
//!
//! | file | what it holds |
//! |---|---|
//! | `node` | the TOML tree with the place of every value |
//! | `fields` | reading a table's keys, and noticing those that do not belong |
//! | `parse`, `step`, `inputs` | tree to [`Runbook`] |
//! | `input`, `input_spec`, `bounds`, `file` | types of inputs, and what a value must be besides |
//! | `nested` | runbooks that call others: found, read, and held by the step that calls |
//! | `walk`, `check`, `call` | a runbook against a [`Vocabulary`], list by list and step by step: what actions take and give |
//! | `schema`, `reference`, `text`, `secret` | the parts of that check: JSON Schema, `{ from = … }`, `{{ … }}` |
//! | `index`, `named` | where steps stand, and which of them a text names |
//! | `template`, `resolve` | filling in text and references when a step begins |
//! | `reserved` | words that are no id, since a prompt understands them |
//! | `json_schema` | the language as JSON Schema, for editors |
//! | `outline`, `graph`, `scaffold`, `library` | a runbook at a glance, as a drawing, to begin with; those in the binary |
//! | `lint` | what is allowed and should be mended all the same |
//! | `diagnostic`, `codes` | problems, and how they are shown |
//! | `glossary` | what types and helpers mean, for the reference |

mod bounds;
mod call;
mod check;
mod codes;
mod diagnostic;
mod fields;
mod file;
mod glossary;
mod graph;
mod index;
mod input;
mod input_spec;
mod inputs;
mod json_schema;
mod language;
mod library;
mod lint;
mod named;
mod nested;
mod node;
mod outline;
mod parse;
mod reference;
mod reserved;
mod resolve;
mod scaffold;
mod schema;
mod secret;
mod step;
mod template;
mod text;
mod walk;

pub use bounds::{Bound, Bounds};
pub use check::{ActionWords, Vocabulary};
pub use codes::{CODES, WARNINGS, explain};
pub use diagnostic::{Diagnostic, Severity, render_json, render_text};
pub(crate) use fields::Fields;
pub use file::named_file;
pub use glossary::{HELPERS, INPUT_TYPES};
pub use graph::graph;
pub use input::InputType;
pub use input_spec::InputSpec;
pub use json_schema::json_schema;
pub use language::{Confirm, Foreach, OnFailure, RUNBOOK, Repeat, Retry, Runbook, Source, StepSpec};
pub use library::{EMBEDDED, Embedded, Found, Library, Unfound, embedded};
pub use lint::INPUTS_OF_THE_REPORT;
pub(crate) use lint::secrets as lint_secrets;
pub use named::named;
pub use nested::{Called, NestedText, Place};
pub(crate) use node::{Key, Kind, Node};
pub use outline::{Outline, OutlineCall, OutlineStep, outline};
pub use reserved::RESERVED;
pub use resolve::{ResolveError, Scope, resolve, resolve_value};
pub use scaffold::scaffold;
pub use template::{TemplateError, Templates};

/// A runbook's text, read and checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The runbook; `None` where there are errors.
    pub runbook: Option<Runbook>,
    /// Every problem, in the order of the text.
    pub problems: Vec<Diagnostic>,
    /// The runbooks that it calls, and those that these call: each once, in the order in which they are met.
    pub nested: Vec<NestedText>,
}

/// One text, read and checked.
struct Judged {
    runbook: Option<Runbook>,
    problems: Vec<Diagnostic>,
}

/// How long a runbook may be, in bytes. The longest that people keep are a tenth of it; what is longer is a mistake,
/// and must not hold a responder up.
pub const MAX_BYTES: usize = 256 * 1024;

/// How many problems are told at once. Nobody reads more before mending the first.
const MAX_PROBLEMS: usize = 100;

/// Codes of problems that may come from text behind a syntax error, which was not read.
const MAYBE_UNREAD: &[&str] = &["R003", "R008", "R011", "R014"];

/// Reads and checks a runbook, and those that it calls, which `library` finds. Touches nothing else.
pub fn load(source_name: &str, text: &str, vocabulary: &Vocabulary, library: &dyn Library) -> Checked {
    let mut reading = nested::Reading::new(vocabulary, library);
    let Judged { runbook, problems } = judge(source_name, text, &mut reading);
    Checked { runbook, problems, nested: reading.finish() }
}

/// Reads and checks one text.
fn judge(source_name: &str, text: &str, reading: &mut nested::Reading<'_>) -> Judged {
    if text.len() > MAX_BYTES {
        let message = format!("a runbook has at most {MAX_BYTES} bytes, and this has {}", text.len());
        let problem = Diagnostic::error("R021", &(0..0), message);
        return Judged { runbook: None, problems: vec![problem.help("is it the right file?")] };
    }
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        let problem = Diagnostic::error("R003", &(0..0), "the runbook is empty");
        return Judged { runbook: None, problems: vec![problem.help("was it saved?")] };
    }
    let (runbook, mut problems) = reading.text(source_name, text);
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    problems.dedup();
    if problems.iter().any(|problem| problem.code == "R001") {
        problems.retain(|problem| !MAYBE_UNREAD.contains(&problem.code));
    }
    let sound = problems.iter().all(|problem| problem.severity == Severity::Warning);
    if problems.len() > MAX_PROBLEMS {
        let more = problems.len() - MAX_PROBLEMS;
        problems.truncate(MAX_PROBLEMS);
        let last = problems.last().map_or(0..0, |problem| problem.span.clone());
        let problem = Diagnostic::error("R021", &last, format!("{more} more problems are not shown"));
        problems.push(problem.help("mend those above, and check again"));
    }
    problems.iter_mut().for_each(Diagnostic::shorten);
    Judged { runbook: sound.then_some(runbook), problems }
}
