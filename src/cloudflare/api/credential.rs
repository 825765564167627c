use std::borrow::Cow;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};

use crate::secret::Secret;

/// What the calls are made with. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub enum Credential {
    /// An API token, of a user or of the account; sent as `Authorization: Bearer` (documented).
    Token(Secret),
    /// The global API key of a user; sent as `X-Auth-Email` and `X-Auth-Key` (documented).
    GlobalKey {
        /// E-mail of the user.
        email: String,
        /// The key.
        key: Secret,
    },
}

impl Credential {
    /// The secret part, to be masked wherever it turns up.
    pub const fn secret(&self) -> &Secret {
        let (Self::Token(secret) | Self::GlobalKey { key: secret, .. }) = self;
        secret
    }

    /// The headers that carry it, marked so that nothing below prints them and HTTP/2 does not index them.
    pub(super) fn headers(&self) -> Result<HeaderMap, InvalidHeaderValue> {
        let sensitive = |text: &str| {
            let mut value = HeaderValue::from_str(text)?;
            value.set_sensitive(true);
            Ok(value)
        };
        let mut headers = HeaderMap::new();
        match self {
            Self::Token(token) => {
                headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {}", token.expose()))?);
            }
            Self::GlobalKey { email, key } => {
                headers.insert(HeaderName::from_static("x-auth-email"), HeaderValue::from_str(email)?);
                headers.insert(HeaderName::from_static("x-auth-key"), sensitive(key.expose())?);
            }
        }
        Ok(headers)
    }

    /// True for the documented prefix of a token that the account owns. Tokens made before 2026 have no prefix, so
    /// false says nothing.
    pub(super) fn is_marked_account_token(&self) -> bool {
        matches!(self, Self::Token(token) if token.expose().starts_with("cfat_"))
    }

    /// Why the value cannot be what it is given as, where its documented prefix tells.
    pub(super) fn misfit(&self) -> Option<&'static str> {
        match self {
            Self::Token(token) => match token.expose() {
                "" => Some("the API token is empty"),
                text if text.starts_with("cfk_") => Some(
                    "what was given as an API token is a global API key: set `CLOUDFLARE_API_KEY` and `CLOUDFLARE_EMAIL` \
                     instead, or better make a token",
                ),
                text if text.starts_with("cfoat_") => Some(
                    "what was given as an API token is the OAuth token of a Wrangler login, which cannot manage tokens: \
                     make an API token",
                ),
                text if text.starts_with("v1.0-") => {
                    Some("what was given as an API token is an Origin CA key, which can only manage certificates")
                }
                _ => None,
            },
            Self::GlobalKey { email, key } => match key.expose() {
                "" => Some("the global API key is empty"),
                text if ["cfut_", "cfat_"].iter().any(|prefix| text.starts_with(prefix)) => Some(
                    "what was given as a global API key is an API token: set `CLOUDFLARE_API_TOKEN` instead, and unset \
                     `CLOUDFLARE_API_KEY`",
                ),
                _ if email.is_empty() => Some("a global API key needs the e-mail of its user in `CLOUDFLARE_EMAIL`"),
                _ => None,
            },
        }
    }

    /// `text` without the secret, should the server have sent it back.
    pub(super) fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let (Self::Token(secret) | Self::GlobalKey { key: secret, .. }) = self;
        if secret.expose().is_empty() || !text.contains(secret.expose()) {
            return Cow::Borrowed(text);
        }
        Cow::Owned(text.replace(secret.expose(), "«secret»"))
    }
}

#[cfg(test)]
mod tests {
    use super::Credential;
    use crate::secret::Secret;

    #[test]
    fn headers_are_marked_and_debug_is_silent() {
        let token = Credential::Token(Secret::new("hush-hush"));
        let key = Credential::GlobalKey { email: "a@b.example".into(), key: Secret::new("hush-hush") };
        for credential in [token, key] {
            let shown = format!("{credential:?} {:?}", credential.headers().unwrap());
            assert!(!shown.contains("hush"), "{shown}");
            assert_eq!(credential.mask("x hush-hush y"), "x «secret» y");
        }
        assert!(Credential::Token(Secret::new("line\nbreak")).headers().is_err());
    }

    #[test]
    fn a_prefix_tells_the_wrong_kind_before_anything_is_sent() {
        for value in ["", "cfk_x", "cfoat_x", "v1.0-x"] {
            assert!(Credential::Token(Secret::new(value)).misfit().is_some(), "{value}");
        }
        for value in ["cfut_x", "cfat_x", "0123456789012345678901234567890123456789"] {
            assert!(Credential::Token(Secret::new(value)).misfit().is_none(), "{value}");
        }
        let key = |value: &str| Credential::GlobalKey { email: "a@b.example".into(), key: Secret::new(value) };
        assert!(key("cfut_x").misfit().is_some() && key("cfk_x").misfit().is_none());
    }
}
