use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::Digest;

use super::file::{
    AnswersError, AnswersFile, Canary, InDoubt, Left, OnFailure, Problem, Select, StepAnswer, StepAnswers, Unmet,
};

/// Reads an answers file. `name` is what it is called in messages.
///
/// Nothing that is not understood is passed over: an unknown key is a problem like a wrong value, and all problems are
/// told at once.
pub fn parse(name: &str, text: &str) -> Result<AnswersFile, AnswersError> {
    let mut reader = Reader { text, problems: Vec::new() };
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        reader.problem(error.span().unwrap_or_default(), error.message().to_owned());
    }
    let file = reader.file(name, document.get_ref());
    if reader.problems.is_empty() {
        return Ok(file);
    }
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| (problem.line, problem.column));
    Err(AnswersError { name: name.to_owned(), problems })
}

/// `; did you mean ...?`, where one of `known` is close to `word`.
pub(super) fn did_you_mean<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> String {
    let close = known.map(|known| (strsim::jaro_winkler(word, known), known)).filter(|(near, _)| *near > 0.8);
    let best = close.max_by(|(left, _), (right, _)| left.total_cmp(right));
    best.map(|(_, known)| format!("; did you mean `{known}`?")).unwrap_or_default()
}

const KEYS: [&str; 11] =
    ["answer", "select", "phrase", "reason", "left", "in_doubt", "on_failure", "unmet", "canary", "alone", "fields"];

struct Reader<'t> {
    text: &'t str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn file(&mut self, name: &str, document: &DeTable<'_>) -> AnswersFile {
        let mut file = AnswersFile {
            name: name.to_owned(),
            sha256: Some(Digest::of(self.text.as_bytes())),
            ..AnswersFile::default()
        };
        for (key, value) in document {
            match key.get_ref().as_ref() {
                "inputs" => file.inputs = self.json_table(value),
                "plan" => file.approve = self.plan(value),
                "defaults" => file.defaults = self.step(value, true),
                "steps" => {
                    for (id, step) in self.table(value).into_iter().flatten() {
                        let id_text = id.get_ref().to_string();
                        file.places.insert(id_text.clone(), self.place(id.span().start));
                        let step = self.step(step, false);
                        file.steps.insert(id_text, step);
                    }
                }
                other => self.unknown(key.span(), other, &["inputs", "plan", "defaults", "steps"]),
            }
        }
        file
    }

    fn plan(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let mut approve = None;
        for (key, value) in self.table(value).into_iter().flatten() {
            match key.get_ref().as_ref() {
                "approve" => approve = self.text(value),
                other => self.unknown(key.span(), other, &["approve"]),
            }
        }
        approve
    }

    fn step(&mut self, value: &Spanned<DeValue<'_>>, is_default: bool) -> StepAnswers {
        let mut step = StepAnswers::default();
        for (key, value) in self.table(value).into_iter().flatten() {
            match key.get_ref().as_ref() {
                name @ ("phrase" | "select" | "alone") if is_default => {
                    let message = format!("`{name}` is about one step and cannot be a default");
                    self.problem(key.span(), message);
                }
                "answer" => {
                    let known = [("run", StepAnswer::Run), ("skip", StepAnswer::Skip), ("abort", StepAnswer::Abort)];
                    step.answer = self.word(value, &known);
                }
                "select" => step.select = self.select(value),
                "phrase" => step.phrase = self.text(value),
                "reason" => step.reason = self.text(value),
                "left" => step.left = self.left(value),
                "in_doubt" => {
                    let known = [("stop", InDoubt::Stop), ("retry", InDoubt::Retry), ("applied", InDoubt::Applied)];
                    step.in_doubt = self.word(value, &known);
                }
                "on_failure" => {
                    let known =
                        [("stop", OnFailure::Stop), ("retry", OnFailure::Retry), ("continue", OnFailure::Continue)];
                    step.on_failure = self.word(value, &known);
                }
                "unmet" => step.unmet = self.word(value, &[("run", Unmet::Run), ("skip", Unmet::Skip)]),
                "canary" => step.canary = self.word(value, &[("go", Canary::Go), ("stop", Canary::Stop)]),
                "alone" => step.alone = self.text(value),
                "fields" => step.fields = Some(self.json_table(value)),
                other => self.unknown(key.span(), other, &KEYS),
            }
        }
        step
    }

    fn table<'v, 'd>(&mut self, value: &'v Spanned<DeValue<'d>>) -> Option<&'v DeTable<'d>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => {
                self.problem(value.span(), "a table is wanted here".to_owned());
                None
            }
        }
    }

    fn text(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Some(text.to_string()),
            DeValue::String(_) => {
                self.problem(value.span(), "it must not be empty".to_owned());
                None
            }
            _ => {
                self.problem(value.span(), "a text in quotes is wanted here".to_owned());
                None
            }
        }
    }

    fn word<T: Copy>(&mut self, value: &Spanned<DeValue<'_>>, known: &[(&str, T)]) -> Option<T> {
        let text = self.text(value)?;
        let found = known.iter().find(|(word, _)| *word == text).map(|(_, meant)| *meant);
        if found.is_none() {
            let words: Vec<_> = known.iter().map(|(word, _)| format!("`{word}`")).collect();
            let meant = did_you_mean(&text, known.iter().map(|(word, _)| *word));
            self.problem(value.span(), format!("`{text}` is none of {}{meant}", words.join(", ")));
        }
        found
    }

    fn select(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Select> {
        if let DeValue::Array(items) = value.get_ref() {
            return items.iter().map(|item| self.text(item)).collect::<Option<Vec<_>>>().map(Select::Targets);
        }
        match self.text(value)?.as_str() {
            "all" => Some(Select::All),
            "none" => Some(Select::None),
            other => {
                let message = format!("`{other}` is neither `all` nor `none`; targets stand in a list: [\"{other}\"]");
                self.problem(value.span(), message);
                None
            }
        }
    }

    fn left(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Left> {
        let text = self.text(value)?;
        let (word, words) = text.split_once(':').unwrap_or((&text, ""));
        match (word.trim(), words.trim()) {
            ("later", owner) if !owner.is_empty() => Some(Left::Later(owner.to_owned())),
            ("keep", reason) if !reason.is_empty() => Some(Left::Keep(reason.to_owned())),
            _ => {
                self.problem(value.span(), "`later:OWNER` or `keep:REASON` is wanted here".to_owned());
                None
            }
        }
    }

    fn json_table(&mut self, value: &Spanned<DeValue<'_>>) -> Map<String, Value> {
        let mut out = Map::new();
        for (key, value) in self.table(value).into_iter().flatten() {
            out.insert(key.get_ref().to_string(), self.json(value));
        }
        out
    }

    fn json(&mut self, value: &Spanned<DeValue<'_>>) -> Value {
        match value.get_ref() {
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Boolean(truth) => Value::from(*truth),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::from(number),
                Err(_) => {
                    self.problem(value.span(), "the number is too large".to_owned());
                    Value::Null
                }
            },
            DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
            DeValue::Datetime(time) => Value::from(time.to_string()),
            DeValue::Array(items) => items.iter().map(|item| self.json(item)).collect(),
            DeValue::Table(_) => Value::Object(self.json_table(value)),
        }
    }

    fn unknown(&mut self, span: Range<usize>, word: &str, known: &[&str]) {
        let meant = did_you_mean(word, known.iter().copied());
        self.problem(span, format!("unknown key `{word}`{meant}"));
    }

    fn problem(&mut self, span: Range<usize>, message: String) {
        let (line, column) = self.place(span.start);
        self.problems.push(Problem { line, column, message });
    }

    /// Line and column, from 1, of an offset in bytes.
    fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}
