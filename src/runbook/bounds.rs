use jiff::SignedDuration;
use regex::Regex;
use serde::Serialize;
use serde_json::Value;

use super::input::duration;

/// What a value must be besides of its type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// A regular expression that the whole text matches; of a list, each of its texts.
    pub pattern: Option<String>,
    /// The least that it may be.
    pub min: Option<Bound>,
    /// The most that it may be.
    pub max: Option<Bound>,
    /// How many characters it has at least.
    pub min_length: Option<u32>,
    /// How many characters it has at most.
    pub max_length: Option<u32>,
}

/// The end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Serialize)]
#[serde(untagged)]
pub enum Bound {
    /// Of whole numbers.
    Number(i64),
    /// Of lengths of time.
    Length(SignedDuration),
}

/// A pattern as it is matched: the whole text, however it is written.
pub(super) fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    // By itself first: a parenthesis too many would close the one that is put around it.
    Regex::new(pattern).and_then(|_| Regex::new(&format!(r"\A(?:{pattern})\z")))
}

impl Bounds {
    /// Whether a value of the right type is within them.
    ///
    /// # Errors
    /// Which of them it is not within, in words for the person who gave it.
    pub(super) fn hold(&self, value: &Value) -> Result<(), String> {
        match value {
            Value::Array(items) => items.iter().filter_map(Value::as_str).try_for_each(|item| self.matches(item)),
            Value::String(text) => self.matches(text).and_then(|()| self.has_length(text)),
            _ => Ok(()),
        }?;
        let bound = match value {
            Value::String(text) => duration(text).ok().map(Bound::Length),
            other => other.as_i64().map(Bound::Number),
        };
        match (bound, self.min, self.max) {
            (Some(bound), Some(min), _) if bound < min => Err(format!("it must be at least {min}")),
            (Some(bound), _, Some(max)) if bound > max => Err(format!("it must be at most {max}")),
            _ => Ok(()),
        }
    }

    fn matches(&self, text: &str) -> Result<(), String> {
        match &self.pattern {
            Some(pattern) if !whole(pattern).is_ok_and(|whole| whole.is_match(text)) => {
                Err(format!("it must match `{pattern}`"))
            }
            _ => Ok(()),
        }
    }

    fn has_length(&self, text: &str) -> Result<(), String> {
        let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        match (self.min_length, self.max_length) {
            (Some(min), _) if length < min => Err(format!("it must have at least {min} characters, and has {length}")),
            (_, Some(max)) if length > max => Err(format!("it must have at most {max} characters, and has {length}")),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Length(length) => write!(f, "{length:#}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Bounds;

    #[test]
    fn a_pattern_is_for_the_whole_text() {
        let of = |pattern: &str| Bounds { pattern: Some(pattern.into()), ..Bounds::default() };
        assert!(of("a|ab").hold(&json!("ab")).is_ok());
        for text in ["xab", "abx", "ab\n", ""] {
            assert_eq!(of("a|ab").hold(&json!(text)), Err("it must match `a|ab`".into()), "{text:?}");
        }
        assert!(of("a)|(b").hold(&json!("a")).is_err(), "a parenthesis too many is no way out");
        assert!(of("[a-z]+").hold(&json!(["a", "b1"])).is_err() && of("[a-z]+").hold(&json!(["a", "b"])).is_ok());
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        let bounds = Bounds { min_length: Some(2), max_length: Some(3), ..Bounds::default() };
        for (text, fits) in [("é", false), ("éé", true), ("日本語", true), ("abcd", false)] {
            assert_eq!(bounds.hold(&json!(text)).is_ok(), fits, "{text}");
        }
    }
}
