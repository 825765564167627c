use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostic;

/// A value of the TOML tree, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Table(Vec<(Key, Node)>),
    Array(Vec<Node>),
    /// The text, and where its first byte stands in the file if it was written without escapes.
    Text(String, Option<usize>),
    Integer(i64),
    Float(f64),
    Bool(bool),
    Datetime(String),
}

/// A key, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
}

impl Node {
    /// The whole tree of a file, as far as it could be read; syntax errors are problems.
    pub(crate) fn read(source: &str, problems: &mut Vec<Diagnostic>) -> Self {
        let (table, errors) = DeTable::parse_recoverable(source);
        for error in errors {
            problems.push(syntax(&error.span().unwrap_or(0..0), error.message()));
        }
        let span = table.span();
        Self { span, kind: table_kind(table.get_ref(), source) }
    }

    fn of(value: &Spanned<DeValue<'_>>, source: &str) -> Self {
        let kind = match value.get_ref() {
            // Text without escapes is borrowed from the source.
            DeValue::String(text @ Cow::Borrowed(part)) => Kind::Text(text.to_string(), offset_in(source, part)),
            DeValue::String(text) => Kind::Text(text.to_string(), None),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Kind::Integer(number),
                // Too large for a whole number: at least it is a number.
                Err(_) => Kind::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            },
            DeValue::Float(number) => Kind::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(flag) => Kind::Bool(*flag),
            DeValue::Datetime(at) => Kind::Datetime(at.to_string()),
            DeValue::Array(items) => Kind::Array(items.iter().map(|item| Self::of(item, source)).collect()),
            DeValue::Table(table) => table_kind(table, source),
        };
        Self { span: value.span(), kind }
    }

    /// The entries of a table.
    pub(crate) fn entries(&self) -> &[(Key, Self)] {
        match &self.kind {
            Kind::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The value under a key.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.entries().iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }

    /// The text, where it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// What it is, with an article, for messages.
    pub(crate) const fn what(&self) -> &'static str {
        match self.kind {
            Kind::Table(_) => "a table",
            Kind::Array(_) => "a list",
            Kind::Text(..) => "text",
            Kind::Integer(_) => "a whole number",
            Kind::Float(_) => "a number",
            Kind::Bool(_) => "true or false",
            Kind::Datetime(_) => "a date",
        }
    }

    /// The value as it is quoted in a message; a table or list by its kind.
    pub(super) fn shown(&self) -> String {
        match &self.kind {
            Kind::Table(_) | Kind::Array(_) => self.what().to_owned(),
            Kind::Text(text, _) | Kind::Datetime(text) => format!("`{text}`"),
            Kind::Integer(number) => format!("`{number}`"),
            Kind::Float(number) => format!("`{number}`"),
            Kind::Bool(flag) => format!("`{flag}`"),
        }
    }

    /// The name of its JSON Schema type.
    pub(crate) const fn json_type(&self) -> &'static str {
        match self.kind {
            Kind::Table(_) => "object",
            Kind::Array(_) => "array",
            Kind::Text(..) | Kind::Datetime(_) => "string",
            Kind::Integer(_) => "integer",
            Kind::Float(_) => "number",
            Kind::Bool(_) => "boolean",
        }
    }

    /// The value without places.
    pub(crate) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Table(entries) => Value::Object(
                entries.iter().map(|(key, value)| (key.name.clone(), value.to_json())).collect::<Map<_, _>>(),
            ),
            Kind::Array(items) => items.iter().map(Self::to_json).collect(),
            Kind::Text(text, _) | Kind::Datetime(text) => text.clone().into(),
            Kind::Integer(number) => (*number).into(),
            Kind::Float(number) => (*number).into(),
            Kind::Bool(flag) => (*flag).into(),
        }
    }
}

fn table_kind(table: &DeTable<'_>, source: &str) -> Kind {
    let entry = |(key, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        (Key { name: key.get_ref().to_string(), span: key.span() }, Node::of(value, source))
    };
    Kind::Table(table.iter().map(entry).collect())
}

/// Where a part of the source stands in it.
fn offset_in(source: &str, part: &str) -> Option<usize> {
    let offset = (part.as_ptr() as usize).checked_sub(source.as_ptr() as usize)?;
    (source.get(offset..offset + part.len()) == Some(part)).then_some(offset)
}

/// A syntax error, with what it means where the parser's words are about grammar.
fn syntax(span: &Range<usize>, message: &str) -> Diagnostic {
    let message = message.lines().next().unwrap_or_default();
    let problem = Diagnostic::error("R001", span, format!("this is not TOML: {message}"));
    if message.starts_with("duplicate key") {
        problem.help("a key stands once in a table: take one of the two out")
    } else if message.starts_with("unclosed") {
        problem.help("what was opened before is not closed by here")
    } else if message.contains("visible characters") {
        problem.help("there is a character here that no text may hold as it is, such as a tab or a null byte")
    } else if message.contains("string, expected `") {
        problem.help("a text ends on its line with the quote that it began with; a longer one stands between `\"\"\"`")
    } else if message.starts_with("string values must be quoted") {
        problem.help("put it between double quotes")
    } else {
        problem
    }
}
