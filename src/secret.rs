//! Values that must not be seen: unprintable by type, and masked wherever they turn up in text.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::{LazyLock, PoisonError, RwLock};

use hmac::{Hmac, KeyInit, Mac};
use regex::Regex;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A secret text. It has no `Display` and no `Serialize`, and its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes ownership of the value; it is wiped from memory when dropped.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value, for the one place that must send or seal it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("«secret»")
    }
}

/// Bytes that may hold a secret, such as the answer to a roll. `Debug` shows their number only.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes ownership of the bytes; they are wiped from memory when dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the one place that must seal or read them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "«{} bytes»", self.0.len())
    }
}

/// Shapes that are secrets wherever they stand. Unprefixed tokens have no shape of their own: those are masked by
/// exact value ([`Redactor::learn`]) or by declared field, so that innocent ids stay readable.
static SHAPES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?P<token>\bcf(?:k|ut|at|oat|ct)_[A-Za-z0-9_-]{20,})",
        r"|(?P<key>\bv1\.0-[0-9a-fA-F]{20,}[0-9a-zA-Z-]*)",
        r"|(?P<identity>AGE-SECRET-KEY-[0-9A-Z-]{20,})",
        r"|(?P<bearer>(?i:bearer)\s+[A-Za-z0-9._~+/=-]{16,})",
        r"|(?P<pem>-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\z))",
        r"|(?P<userinfo>(?:://)[^/\s:@]+:[^/\s@]+@)",
    ))
    .ok()
});

/// Whether a text holds what is a secret by its shape.
pub fn is_shaped_like_secret(text: &str) -> bool {
    SHAPES.as_ref().is_none_or(|shapes| shapes.is_match(text))
}

/// Whether a text may be a credential: shaped like a secret, or like the older values without a prefix. Those of tokens
/// are 40 letters, digits, hyphens and underscores, global API keys are 37 hexadecimal digits.
pub fn may_be_token_value(text: &str) -> bool {
    let text = text.trim();
    let has = |wanted: fn(&u8) -> bool| text.bytes().any(|byte| wanted(&byte));
    let is_old = text.len() == 40
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit);
    is_old || may_be_global_key(text) || is_shaped_like_secret(text)
}

/// Whether a text may be a global API key, of the older or the newer kind.
pub fn may_be_global_key(text: &str) -> bool {
    let text = text.trim();
    let is_old = text.len() == 37 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_old || (text.starts_with("cfk_") && is_shaped_like_secret(text))
}

/// Whether a mask stands in a text, so that it is not what it was.
pub fn holds_mask(text: &str) -> bool {
    text.contains('«') && text.contains('»')
}

/// Where something shaped like a secret stands in `text`, in bytes.
pub fn secret_shaped(text: &str) -> Vec<Range<usize>> {
    match SHAPES.as_ref() {
        Some(shapes) => shapes.find_iter(text).map(|found| found.range()).collect(),
        // Without the shapes nothing is known to be harmless.
        None => std::iter::once(0..text.len()).collect(),
    }
}

/// `text` with stars for what is shaped like a secret, byte for byte, so that every place in it stays right.
pub fn conceal(text: &str) -> Cow<'_, str> {
    let mut out = Cow::Borrowed(text);
    for range in secret_shaped(text) {
        let stars: String = text[range.clone()].split_inclusive('\n').map(starred).collect();
        out.to_mut().replace_range(range, &stars);
    }
    out
}

fn starred(line: &str) -> String {
    let body = line.strip_suffix('\n').unwrap_or(line);
    "*".repeat(body.len()) + &line[body.len()..]
}

/// Masks secrets in text. A mask carries a fingerprint keyed per incident, so that two values still differ.
pub struct Redactor {
    key: [u8; 32],
    known: RwLock<Vec<Secret>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// A redactor whose fingerprints are keyed with `key`.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, known: RwLock::new(Vec::new()) }
    }

    /// Masks this exact value from now on, whatever its shape, also as it is written inside JSON; of a value that is JSON
    /// itself, such as a key file, every text in it too. Texts of fewer than 8 characters are not taken: masking them
    /// would destroy evidence.
    pub fn learn(&self, secret: &Secret) {
        self.learn_text(secret.expose());
        if let Ok(document) = serde_json::from_str(secret.expose()) {
            self.learn_texts(&document);
        }
    }

    fn learn_texts(&self, value: &serde_json::Value) {
        match value {
            serde_json::Value::String(text) => self.learn_text(text),
            serde_json::Value::Array(items) => items.iter().for_each(|item| self.learn_texts(item)),
            serde_json::Value::Object(map) => map.values().for_each(|item| self.learn_texts(item)),
            _ => {}
        }
    }

    fn learn_text(&self, value: &str) {
        if value.len() < 8 {
            return;
        }
        let escaped = serde_json::Value::from(value).to_string();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for form in [value, escaped.trim_matches('"')] {
            if !known.iter().any(|known| known.expose() == form) {
                known.push(Secret::new(form));
            }
        }
        // One that holds another is masked first, so that nothing of it is left over.
        known.sort_by_key(|known| std::cmp::Reverse(known.expose().len()));
    }

    /// The mask for `value`: `«token:9f3a52c1»`.
    pub fn mask(&self, kind: &str, value: &str) -> String {
        let fingerprint = match Hmac::<Sha256>::new_from_slice(&self.key) {
            Ok(mut mac) => {
                mac.update(value.as_bytes());
                hex::encode(&mac.finalize().into_bytes()[..4])
            }
            Err(_) => String::from("masked"),
        };
        format!("«{kind}:{fingerprint}»")
    }

    /// `text` with every known value and every secret-shaped passage masked.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut out = Cow::Borrowed(text);
        for secret in self.known.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if out.contains(secret.expose()) {
                out = Cow::Owned(out.replace(secret.expose(), &self.mask("secret", secret.expose())));
            }
        }
        let Some(shapes) = SHAPES.as_ref() else {
            return Cow::Owned("«text withheld: the redactor is broken»".to_owned());
        };
        if !shapes.is_match(&out) {
            return out;
        }
        let masked = shapes.replace_all(&out, |found: &regex::Captures<'_>| {
            let kind = ["token", "key", "identity", "bearer", "pem", "userinfo"]
                .into_iter()
                .find(|name| found.name(name).is_some());
            let mask = self.mask(kind.unwrap_or("secret"), &found[0]);
            if kind == Some("userinfo") { format!("://{mask}@") } else { mask }
        });
        Cow::Owned(masked.into_owned())
    }

    /// [`Redactor::redact`] for bytes; bytes that are not UTF-8 are replaced, since they could hide a secret.
    pub fn redact_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.redact(&String::from_utf8_lossy(bytes)).into_owned().into_bytes()
    }

    /// [`Redactor::redact`] for every text in a JSON value, names of fields too.
    pub fn redact_json(&self, value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) => {
                if let Cow::Owned(masked) = self.redact(text) {
                    *text = masked;
                }
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(|item| self.redact_json(item)),
            serde_json::Value::Object(map) => {
                map.values_mut().for_each(|item| self.redact_json(item));
                if map.keys().any(|key| matches!(self.redact(key), Cow::Owned(_))) {
                    let entries = std::mem::take(map).into_iter();
                    *map = entries.map(|(key, item)| (self.redact(&key).into_owned(), item)).collect();
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Redactor, Secret, SecretBytes, conceal, may_be_global_key, may_be_token_value};

    fn redactor() -> Redactor {
        Redactor::new([7; 32])
    }

    #[test]
    fn masks_shapes_and_keeps_what_is_not_secret() {
        let redactor = redactor();
        for secret in [
            "cfut_0123456789012345678901234567890123456789abcd",
            "cfat_0123456789012345678901234567890123456789abcd",
            "v1.0-0123456789abcdef0123456789",
            "AGE-SECRET-KEY-1QQPQGZZ0123456789ABCDEFGHJKLMNPQRSTUVWXYZ",
            "Bearer abcdefghijklmnopqrstuvwxyz",
            "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----",
        ] {
            let out = redactor.redact(secret).into_owned();
            assert!(!out.contains(&secret[12..]), "{out}");
        }
        assert_eq!(redactor.redact("token ed17574386854bf78a67040be0a770b0"), "token ed17574386854bf78a67040be0a770b0");
        let url = redactor.redact("https://user:hunter2@logs.example/x").into_owned();
        assert!(url.starts_with("https://«userinfo:") && url.ends_with("@logs.example/x"), "{url}");
    }

    #[test]
    fn credentials_without_a_prefix_are_known_by_their_length() {
        let key = "0123456789abcdef0123456789abcdef01234";
        assert!(may_be_token_value(key) && may_be_global_key(&format!(" {key}\n")));
        assert!(may_be_token_value("aB3-aB3-aB3-aB3-aB3-aB3-aB3-aB3-aB3-aB3-"));
        assert!(!may_be_global_key("cfut_0123456789012345678901234567890123456789abcd"));
        // The id of a token or a zone has 32, a commit 40.
        for harmless in [&key[..32], &key[..36], "0123456789abcdef0123456789abcdef01234567", "ci-deploy"] {
            assert!(!may_be_token_value(harmless), "{harmless}");
        }
    }

    #[test]
    fn what_is_concealed_keeps_its_place() {
        let text = "a = \"cfut_0123456789012345678901234567890123456789abcd\"\n-----BEGIN PRIVATE KEY-----\nMHcé\n-----END PRIVATE KEY-----\nb";
        let concealed = conceal(text);
        assert_eq!(concealed.len(), text.len());
        assert_eq!(concealed.lines().count(), text.lines().count());
        assert!(concealed.starts_with("a = \"***") && concealed.ends_with("***\nb"), "{concealed}");
        assert!(!concealed.contains("0123") && !concealed.contains("MHc"), "{concealed}");
        assert_eq!(conceal("nothing here"), "nothing here");
    }

    #[test]
    fn two_values_still_differ_after_masking() {
        let redactor = redactor();
        redactor.learn(&Secret::new("unprefixed-secret-one"));
        redactor.learn(&Secret::new("unprefixed-secret-two"));
        let out = redactor.redact("unprefixed-secret-one unprefixed-secret-two unprefixed-secret-one").into_owned();
        let masks: Vec<_> = out.split(' ').collect();
        assert_eq!(masks[0], masks[2]);
        assert_ne!(masks[0], masks[1]);
    }

    #[test]
    fn a_known_value_is_masked_in_every_form_and_whole() {
        let redactor = redactor();
        redactor.learn(&Secret::new("inner-part"));
        redactor.learn(&Secret::new("with inner-part and \"more\""));
        let mut json = serde_json::json!({ "inner-part": ["with inner-part and \"more\""] });
        assert!(!redactor.redact(&json.to_string()).contains("more"));
        redactor.redact_json(&mut json);
        let out = json.to_string();
        assert!(!out.contains("inner") && !out.contains("more") && out.matches("«secret:").count() == 2, "{out}");
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?} {:?}", Secret::new("hush-hush"), SecretBytes::new(vec![1, 2])), "«secret» «2 bytes»");
    }
}
