use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::bounds::Bounds;
use super::file::{full_path, named_file};
use super::input::InputType;
use crate::model::Digest;

/// Something that a runbook needs to know.
#[derive(Debug, Clone, Serialize)]
pub struct InputSpec {
    /// Its name.
    pub name: String,
    /// What kind of value it takes.
    #[serde(rename = "type")]
    pub ty: InputType,
    /// What to ask.
    pub prompt: Option<String>,
    /// The value where none is given.
    pub default: Option<Value>,
    /// True where the run cannot begin without it.
    pub required: bool,
    /// True where `not known` is an answer, kept as null.
    pub unknown_ok: bool,
    /// What it must be besides of its type.
    pub bounds: Bounds,
}

impl InputSpec {
    /// True where there is nothing to take in its place.
    pub const fn must_be_given(&self) -> bool {
        self.required && self.default.is_none() && !self.unknown_ok
    }

    /// The value that is meant where a runbook gives `given`; texts are read as they would be from a prompt.
    ///
    /// # Errors
    /// Why it cannot be had, in words.
    pub fn settle(&self, given: Option<Value>, now: Timestamp) -> Result<Value, String> {
        match given {
            None | Some(Value::Null) if self.must_be_given() => Err("it has no value, and one is needed".to_owned()),
            None | Some(Value::Null) => Ok(self.default.clone().unwrap_or_default()),
            Some(Value::String(text)) => self.parse(&text, now).map_err(|why| format!("`{text}` will not do: {why}")),
            Some(value) => self.take(value.clone()).map_err(|why| format!("`{value}` will not do: {why}")),
        }
    }

    /// Takes a value that is no text, e.g. a list in an answers file.
    ///
    /// # Errors
    /// What is wrong with it, in words for the person who wrote it.
    pub fn take(&self, value: Value) -> Result<Value, String> {
        if !self.ty.takes(&value) {
            return Err(self.ty.wanted().to_owned());
        }
        self.is_not_bare(&value)?;
        self.bounds.hold(&value).map(|()| value)
    }

    /// A list without items is no value where one is needed.
    fn is_not_bare(&self, value: &Value) -> Result<(), String> {
        match value {
            Value::Array(items) if items.is_empty() && self.required => Err("it needs at least one item".to_owned()),
            _ => Ok(()),
        }
    }

    /// Reads a value from text, e.g. of `--set`. `now` is for relative times.
    ///
    /// # Errors
    /// What is wrong with it, in words for the person who typed it.
    pub fn parse(&self, text: &str, now: Timestamp) -> Result<Value, String> {
        if self.is_unknown(text) {
            return Ok(Value::Null);
        }
        let value = self.ty.parse(text, now)?;
        self.is_not_bare(&value)?;
        self.bounds.hold(&value).map(|()| value)
    }

    /// The environment variable that it may come from.
    pub fn variable(&self) -> String {
        format!("QUELL_INPUT_{}", self.name.to_uppercase())
    }

    /// Whether a text says that it is not known, where that is an answer.
    pub(super) fn is_unknown(&self, text: &str) -> bool {
        self.unknown_ok && matches!(text.trim().to_lowercase().as_str(), "not known" | "unknown" | "?")
    }

    /// A value to compare with one that a run has: a file by its full path, also where it is gone.
    pub fn comparable(&self, value: Value) -> Value {
        match (&self.ty, &value) {
            (InputType::File, Value::String(named)) => full_path(named).map_or(value, Value::String),
            _ => value,
        }
    }

    /// A value as a run takes it: a file by its full path, which means the same from everywhere, and beside it the digest of
    /// what is in it now.
    ///
    /// # Errors
    /// The file cannot be taken; in words.
    pub fn in_full(&self, value: Value) -> Result<(Value, Option<(String, Digest)>), String> {
        match (&self.ty, &value) {
            (InputType::File, Value::String(named)) => {
                let (path, digest) = named_file(named).map_err(|why| format!("`{named}`: {why}"))?;
                Ok((Value::String(path.clone()), Some((path, digest))))
            }
            _ => Ok((value, None)),
        }
    }
}
