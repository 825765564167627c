use std::fmt;

use url::{Host, Url};

/// Where the API is. Documented: `https://api.cloudflare.com/client/v4`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiBase {
    /// Without a slash at the end.
    text: String,
    host: String,
    loopback: bool,
}

/// Why a text is no base URL. Never quotes the text: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BaseError {
    /// Not a URL.
    #[error("the API base is no URL: it should look like `https://api.cloudflare.com/client/v4`")]
    NotAUrl,
    /// Neither https, nor http to this machine itself.
    #[error("the API base must be https; http is taken for a loopback address only, since it shows the credential")]
    NotEncrypted,
    /// Another path.
    #[error("the API base must end in `/client/v4`")]
    NotTheApi,
    /// User name, password, query or fragment.
    #[error("the API base must be a plain URL, without user name, password, query or fragment")]
    NotPlain,
}

impl ApiBase {
    /// Reads a base URL; one slash at its end is forgiven.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, BaseError> {
        let url = Url::parse(text.trim()).map_err(|_| BaseError::NotAUrl)?;
        let loopback = match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => return Err(BaseError::NotAUrl),
        };
        if !(url.scheme() == "https" || (url.scheme() == "http" && loopback)) {
            return Err(BaseError::NotEncrypted);
        }
        let plain =
            url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
        if !plain {
            return Err(BaseError::NotPlain);
        }
        let text = url.as_str().strip_suffix('/').unwrap_or(url.as_str()).to_owned();
        if !text.ends_with("/client/v4") {
            return Err(BaseError::NotTheApi);
        }
        let name = url.host_str().unwrap_or_default();
        let host = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        Ok(Self { text, host, loopback })
    }

    /// Host, with the port where it is not the scheme's own.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// True where it is this machine itself.
    pub const fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// True where nothing is encrypted, which is so on this machine itself at most.
    pub(super) fn is_plain(&self) -> bool {
        self.text.starts_with("http:")
    }

    /// The URL of `path`, which begins with `/` and may end in a query.
    ///
    /// `None` unless the URL says exactly what the path says: dot segments, blanks or a fragment would make the request
    /// another one than the one that was shown, journaled and consented to.
    pub(super) fn url(&self, path: &str) -> Option<Url> {
        let whole = format!("{}{path}", self.text);
        let url = Url::parse(&whole).ok()?;
        (path.starts_with('/') && url.as_str() == whole && url.fragment().is_none()).then_some(url)
    }

    /// What `url` asks for, below the base: `/accounts/…/tokens?page=1`.
    pub(super) fn below<'u>(&self, url: &'u Url) -> &'u str {
        url.as_str().strip_prefix(&self.text).unwrap_or(url.path())
    }
}

impl fmt::Display for ApiBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ApiBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `data` as one segment of a path: everything but letters, digits, `-`, `_`, `.` and `~` is percent-encoded.
pub fn segment(data: &str) -> String {
    data.bytes().fold(String::with_capacity(data.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::{ApiBase, BaseError, segment};

    #[test]
    fn a_base_is_https_or_loopback_and_ends_in_the_version() {
        let base = ApiBase::parse("https://api.cloudflare.com/client/v4/").unwrap();
        assert_eq!(
            (base.host(), base.to_string().as_str()),
            ("api.cloudflare.com", "https://api.cloudflare.com/client/v4")
        );
        assert_eq!(ApiBase::parse("http://127.0.0.1:8080/client/v4").unwrap().host(), "127.0.0.1:8080");
        assert_eq!(ApiBase::parse("http://[::1]:1/client/v4").unwrap().host(), "[::1]:1");
        for (text, error) in [
            ("api.cloudflare.com/client/v4", BaseError::NotAUrl),
            ("http://api.cloudflare.com/client/v4", BaseError::NotEncrypted),
            ("http://127.0.0.1.evil.example/client/v4", BaseError::NotEncrypted),
            ("ftp://localhost/client/v4", BaseError::NotEncrypted),
            ("https://api.cloudflare.com/", BaseError::NotTheApi),
            ("https://me:hunter2@api.cloudflare.com/client/v4", BaseError::NotPlain),
            ("https://api.cloudflare.com/client/v4?x", BaseError::NotPlain),
        ] {
            assert_eq!(ApiBase::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_path_means_what_it_says_or_nothing() {
        let base = ApiBase::parse("https://api.cloudflare.com/client/v4").unwrap();
        assert!(base.url("/zones/a/dns_records/b?force=true").is_some());
        for path in ["zones", "/zones/../accounts", "/zones/%2e%2e/x", "/a b", "/a#b", "/a\\b", "/ä", "@evil.example/"]
        {
            assert_eq!(base.url(path), None, "{path}");
        }
        assert!(base.url(&format!("/zones/{}", segment("a/../b ?#%ä"))).is_some());
    }
}
