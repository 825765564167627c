use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::codes::WARNINGS;
use crate::escape;
use crate::secret::conceal;

/// One problem of a runbook: what, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its code, e.g. `R004`; [`super::explain`] says more.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// What to do.
    pub help: Option<String>,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The runbook cannot be run.
    Error,
    /// It can be run, and should be mended.
    Warning,
}

impl Diagnostic {
    pub(crate) fn error(code: &'static str, span: &Range<usize>, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), span: span.clone(), help: None }
    }

    pub(crate) fn warning(code: &'static str, span: &Range<usize>, message: impl Into<String>) -> Self {
        debug_assert!(WARNINGS.contains(&code), "{code} is not said to be a warning");
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Cuts what is quoted from a hostile or broken file: a message is read, not scrolled.
    pub(super) fn shorten(&mut self) {
        for text in std::iter::once(&mut self.message).chain(self.help.as_mut()) {
            if let Some((end, _)) = text.char_indices().nth(LONGEST) {
                text.truncate(end);
                text.push('…');
            }
        }
    }
}

/// Characters of a message at most.
const LONGEST: usize = 400;

/// The nearest of `known` to `unknown`, where one is near enough to have been meant.
pub(super) fn did_you_mean<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing takes time with the product of the lengths, and nobody means a name of a thousand letters.
    let is_name = |name: &str| name.len() <= 100;
    let known = known.into_iter().filter(|name| is_name(name) && is_name(unknown));
    let rated = known.map(|name| (strsim::jaro_winkler(unknown, name), name));
    // Two slips make nothing of a word of three letters.
    let slips = |name: &str| unknown.chars().count().max(name.chars().count()).saturating_sub(1).min(5) / 2;
    let near =
        rated.filter(|(likeness, name)| *likeness >= 0.8 || strsim::damerau_levenshtein(unknown, name) <= slips(name));
    near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// The code of what is not TOML.
const SYNTAX: &str = "R001";

/// How many problems are shown of a text that is not TOML: the rest may come of the first.
const HANDFUL: usize = 5;

/// The problems as text with excerpts, in the manner of rustc. Of a text that is not TOML only the first few, and that
/// there are more.
pub fn render_text(problems: &[Diagnostic], source_name: &str, source: &str, colour: bool, width: usize) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(width);
    let (source, skipped) = without_mark(source);
    let (shown, name) = (visible(source), escape::terminal(source_name));
    let mut out = String::new();
    let mut told: Vec<&Diagnostic> = problems.iter().collect();
    let is_toml = problems.iter().all(|problem| problem.code != SYNTAX);
    if !is_toml {
        told.sort_by_key(|problem| problem.code != SYNTAX);
        told.truncate(HANDFUL);
    }
    for problem in &told {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let message = escape::terminal(&conceal(&problem.message));
        let help = problem.help.as_deref().map(escape::terminal);
        let span = within(&shifted(&problem.span, skipped), source);
        let snippet = Snippet::source(&shown).path(&name).annotation(AnnotationKind::Primary.span(span));
        let mut group: Vec<Group<'_>> = vec![level.primary_title(&message).id(problem.code).element(snippet)];
        if let Some(help) = &help {
            group.push(Group::with_title(Level::HELP.secondary_title(help)));
        }
        out.push_str(&renderer.render(&group));
        out.push_str("\n\n");
    }
    if !is_toml {
        let more = match problems.len() - told.len() {
            0 => String::new(),
            more => format!("and {more} more; "),
        };
        out.push_str(&format!("{more}{name} is not TOML: mend that first, the rest may come of it\n"));
    }
    out
}

/// The problems as one JSON document.
pub fn render_json(problems: &[Diagnostic], source_name: &str, source: &str) -> Value {
    let (source, skipped) = without_mark(source);
    let rows: Vec<Value> = problems
        .iter()
        .map(|problem| {
            let span = shifted(&problem.span, skipped);
            let (line, column) = place(source, span.start);
            let (end_line, end_column) = place(source, span.end);
            json!({
                "code": problem.code,
                "severity": if problem.severity == Severity::Error { "error" } else { "warning" },
                "message": conceal(&problem.message), "line": line, "column": column, "end_line": end_line, "end_column": end_column,
                "help": problem.help,
            })
        })
        .collect();
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    json!({ "schema": "quell.check/1", "file": source_name, "problems": rows, "errors": errors, "warnings": problems.len() - errors })
}

/// The source without the byte order mark that some editors write, which no editor counts as a column; and its length.
fn without_mark(source: &str) -> (&str, usize) {
    source.strip_prefix('\u{feff}').map_or((source, 0), |rest| (rest, source.len() - rest.len()))
}

const fn shifted(span: &Range<usize>, by: usize) -> Range<usize> {
    span.start.saturating_sub(by)..span.end.saturating_sub(by)
}

/// Line and column, both from 1; the column counts characters.
fn place(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The source with secrets and what would act on a terminal replaced, byte for byte, so that every span stays right.
fn visible(source: &str) -> String {
    let source = conceal(source);
    let mut out = String::with_capacity(source.len());
    let mut rest = source.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '\r' && rest.peek() == Some(&'\n') {
            out.push(' '); // The end of a line as Windows writes it.
        } else if c == '\n' || c == '\t' || escape::terminal(c.encode_utf8(&mut [0; 4])).chars().eq([c]) {
            out.push(c);
        } else {
            out.extend(std::iter::repeat_n('?', c.len_utf8()));
        }
    }
    out
}

/// A span that lies inside the source, on character boundaries, and is at least one character long where it can be.
fn within(span: &Range<usize>, source: &str) -> Range<usize> {
    let mut start = span.start.min(source.len());
    while !source.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, source.len());
    while !source.is_char_boundary(end) {
        end += 1;
    }
    // The end of a line is shown as that, and not as a stretch of two lines.
    if end == start && !source[start..].starts_with(['\n', '\r']) {
        end += source[start..].chars().next().map_or(0, char::len_utf8);
    }
    start..end
}
