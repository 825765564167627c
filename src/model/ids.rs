use std::fmt;
use std::io::{self, Read};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256 in lower-case hexadecimal, as `sha256sum` prints it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }

    /// The digest of all that can be read from `source`.
    ///
    /// # Errors
    /// It could not be read to its end.
    pub fn of_all(mut source: impl Read) -> io::Result<Self> {
        let (mut hasher, mut chunk) = (Sha256::new(), [0; 16 << 10]);
        loop {
            match source.read(&mut chunk) {
                Ok(0) => return Ok(Self(hex::encode(hasher.finalize()))),
                Ok(read) => hasher.update(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads a digest written by [`Digest::as_str`]; `None` unless it is 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        well_formed.then(|| Self(text.to_owned()))
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Declares an id that is a short text made once, at the edge.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

text_id! {
    /// One incident: the name of its directory, e.g. `20261123-1412-k7qd`.
    IncidentId
}
text_id! {
    /// One run of one runbook inside an incident, e.g. `r1`.
    RunId
}
text_id! {
    /// One effect, named by where and what it is: 16 digits derived from step path, action and target.
    EffectKey
}

impl EffectKey {
    /// Derives the key of the change that `action` at `path` makes to the target `target_id` of kind `target_kind`.
    pub fn derive(path: &str, action: &str, target_kind: &str, target_id: &str) -> Self {
        let material = [path, action, target_kind, target_id].join("\u{0}");
        Self(Digest::of(material.as_bytes()).as_str().chars().take(16).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Digest, EffectKey};

    #[test]
    fn digest_is_what_sha256sum_prints() {
        assert_eq!(Digest::of(b"abc").as_str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn parts_of_an_effect_key_do_not_run_together() {
        assert_ne!(EffectKey::derive("ab", "c", "token", "1"), EffectKey::derive("a", "bc", "token", "1"));
    }
}
