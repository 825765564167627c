/// The source of a runbook that is part of the binary.
pub const EMBEDDED: &str = "embedded";

/// The text of a runbook, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its absolute path, or [`EMBEDDED`].
    pub source: String,
    /// The same as it was named, for messages.
    pub shown: String,
    /// Its text.
    pub text: String,
}

/// Why there is no runbook of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfound {
    /// Why, in words.
    pub why: String,
    /// What to do about it.
    pub help: String,
}

/// Where the runbooks are that others call.
pub trait Library {
    /// The runbook called `name`.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    fn find(&self, name: &str) -> Result<Found, Unfound>;
}

/// The runbooks in the binary: name and text.
pub const fn embedded() -> &'static [(&'static str, &'static str)] {
    &[("cloudflare-token-compromise", include_str!("../../runbooks/cloudflare-token-compromise.toml"))]
}

/// A library of the runbooks in the binary alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Embedded;

impl Embedded {
    /// The runbook called `name`, where there is one.
    pub fn get(name: &str) -> Option<Found> {
        let (_, text) = embedded().iter().find(|(known, _)| *known == name)?;
        Some(Found { source: EMBEDDED.to_owned(), shown: EMBEDDED.to_owned(), text: (*text).to_owned() })
    }
}

impl Library for Embedded {
    fn find(&self, name: &str) -> Result<Found, Unfound> {
        Self::get(name).ok_or_else(|| Unfound {
            why: format!("there is no runbook `{name}` in the binary"),
            help: "`quell runbooks list` shows those that there are".to_owned(),
        })
    }
}
