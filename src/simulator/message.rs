//! A request and its answer, as the world sees them.

use serde_json::Value;

/// One request that has arrived.
#[derive(Debug, Clone)]
pub struct Request {
    /// In capitals.
    pub method: String,
    /// Without the base prefix and the query; starts with `/`.
    pub path: String,
    /// Without the question mark, still encoded; empty if there is none.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body if it was JSON.
    pub body: Option<Value>,
}

impl Request {
    /// The first header of that (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Path and query, as in a request line.
    #[must_use]
    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }
}

/// Where a request comes from that somebody makes by other means than the server.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The address that it comes from.
    pub ip: String,
    /// Whose doing it is, as in [`Reaction::credential`]: a session in a browser carries no header that would tell. `None`
    /// where the headers do.
    pub credential: Option<String>,
}

/// What is sent back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Besides the length, which the server adds.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A page such as a proxy on the way would send.
    #[must_use]
    pub fn html(status: u16, title: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), "text/html; charset=UTF-8".to_owned())],
            body: format!(
                "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
            )
            .into_bytes(),
        }
    }
}

/// How the world took a request.
#[derive(Debug, Clone)]
pub struct Reaction {
    /// What the client is to be told.
    pub answer: Answer,
    /// The world is another one now.
    pub applied: bool,
    /// Who asked: an identifier, never a secret.
    pub credential: String,
}
