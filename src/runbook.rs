//! The runbook language: TOML in, a checked [`Runbook`] or every problem at once out.
//!
//! | file | what it holds |
//! |---|---|
//! | `node` | the TOML tree with the place of every value |
//! | `fields` | reading a table's keys, and noticing those that do not belong |
//! | `parse` | tree to [`Runbook`] |
//! | `check` | a runbook against a [`Vocabulary`]: what actions there are, what they take and give |
//! | `schema`, `reference`, `text` | the parts of that check: JSON Schema, `{ from = … }`, `{{ … }}` |
//! | `template`, `resolve` | filling in text and references when a step begins |
//! | `json_schema` | the language as JSON Schema, for editors |
//! | `outline`, `graph`, `scaffold`, `library` | a runbook at a glance, as a drawing, to begin with; those in the binary |
//! | `lint` | what is allowed and should be mended all the same |
//! | `diagnostic`, `codes` | problems, and how they are shown |

mod check;
mod codes;
mod diagnostic;
mod fields;
mod graph;
mod input;
mod json_schema;
mod language;
mod library;
mod lint;
mod node;
mod outline;
mod parse;
mod reference;
mod resolve;
mod scaffold;
mod schema;
mod template;
mod text;

pub use check::{ActionWords, Vocabulary};
pub use codes::{CODES, explain};
pub use diagnostic::{Diagnostic, Severity, render_json, render_text};
pub(crate) use fields::Fields;
pub use graph::graph;
pub use input::InputType;
pub use json_schema::json_schema;
pub use language::{Confirm, InputSpec, OnFailure, Runbook, Source, StepSpec};
pub use library::embedded;
pub(crate) use lint::secrets as lint_secrets;
pub(crate) use node::{Key, Kind, Node};
pub use outline::{Outline, OutlineStep, outline};
pub use resolve::{ResolveError, Scope, resolve};
pub use scaffold::scaffold;
pub use template::{TemplateError, Templates};

/// A runbook's text, read and checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The runbook; `None` where there are errors.
    pub runbook: Option<Runbook>,
    /// Every problem, in the order of the text.
    pub problems: Vec<Diagnostic>,
}

/// Reads and checks a runbook. Touches nothing but the text.
pub fn load(source_name: &str, text: &str, vocabulary: &Vocabulary) -> Checked {
    let mut problems = Vec::new();
    let parsed = parse::parse(source_name, text, &mut problems);
    check::check(&parsed, vocabulary, text, &mut problems);
    lint::lint(&parsed, text, &mut problems);
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    problems.dedup();
    let sound = problems.iter().all(|problem| problem.severity == Severity::Warning);
    Checked { runbook: sound.then_some(parsed.runbook), problems }
}
