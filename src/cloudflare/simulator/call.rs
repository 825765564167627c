//! A request whose sender is known, and what becomes of it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Who makes a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Actor {
    /// An API token, by its id.
    Token(String),
    /// A Global API key, by the email of its user.
    GlobalKey(String),
    /// A dashboard session, by the email of its user.
    Dashboard(String),
    /// An application that a user has consented to, by the email of that user.
    Application(String),
    /// The provider itself.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(id) => f.write_str(id),
            Self::GlobalKey(email) => write!(f, "global-key:{email}"),
            Self::Dashboard(email) => write!(f, "dashboard:{email}"),
            Self::Application(email) => write!(f, "application:{email}"),
            Self::System => f.write_str("system"),
        }
    }
}

impl FromStr for Actor {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.split_once(':') {
            Some(("global-key", email)) => Self::GlobalKey(email.to_owned()),
            Some(("dashboard", email)) => Self::Dashboard(email.to_owned()),
            Some(("application", email)) => Self::Application(email.to_owned()),
            _ if text == "system" => Self::System,
            _ => Self::Token(text.to_owned()),
        })
    }
}

/// A request whose sender is known.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) actor: Actor,
    pub(super) ip: String,
    pub(super) agent: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Query,
    pub(super) body: Value,
    /// Where R2 is asked for buckets; `default` unless a header says otherwise.
    pub(super) jurisdiction: String,
    pub(super) at: Timestamp,
}

impl Call {
    /// The time of the call as the API writes times.
    pub(super) fn stamp(&self) -> String {
        stamp(self.at)
    }

    /// The body, which must be an object.
    pub(super) fn object(&self) -> Result<&Map<String, Value>, Refusal> {
        self.body.as_object().ok_or_else(|| Refusal::invalid("Request body is invalid."))
    }

    /// A text field of the body that must be there.
    pub(super) fn text(&self, field: &str) -> Result<&str, Refusal> {
        self.body[field].as_str().ok_or_else(|| Refusal::invalid(&format!("Missing required field: {field}")))
    }
}

/// A time as the API writes it: UTC, whole seconds.
pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Decoded query parameters.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.get(name)?.parse().ok()
    }
}

/// A call that did what it was to do.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) body: ReplyBody,
    pub(super) change: Option<Change>,
}

/// The shapes that an answer has.
#[derive(Debug)]
pub(super) enum ReplyBody {
    /// The usual envelope.
    Envelope { result: Value, result_info: Option<Value>, messages: Value },
    /// JSON without an envelope.
    Bare(Value),
    /// Plain text.
    Text(String),
}

/// What a write did to one object.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) id: String,
    pub(super) before: Value,
    pub(super) after: Value,
}

impl Reply {
    pub(super) fn result(result: Value) -> Self {
        Self { body: ReplyBody::Envelope { result, result_info: None, messages: json!([]) }, change: None }
    }

    pub(super) fn page(result: Vec<Value>, info: Option<Value>) -> Self {
        let body = ReplyBody::Envelope { result: result.into(), result_info: info, messages: json!([]) };
        Self { body, change: None }
    }

    pub(super) fn bare(body: Value) -> Self {
        Self { body: ReplyBody::Bare(body), change: None }
    }

    /// The object came to be.
    pub(super) fn created(object: Value) -> Self {
        let id = id_of(&object).to_owned();
        Self::result(object.clone()).changing(id, Value::Null, object)
    }

    /// The object is another one now.
    pub(super) fn updated(before: Value, after: Value) -> Self {
        let id = id_of(&after).to_owned();
        Self::result(after.clone()).changing(id, before, after)
    }

    /// The object is gone.
    pub(super) fn deleted(before: Value) -> Self {
        let id = id_of(&before).to_owned();
        Self::result(json!({ "id": id })).changing(id, before, Value::Null)
    }

    /// The same, with another result.
    pub(super) fn replace_result(&mut self, with: Value) {
        if let ReplyBody::Envelope { result, .. } = &mut self.body {
            *result = with;
        }
    }

    pub(super) fn changing(mut self, id: String, before: Value, after: Value) -> Self {
        self.change = Some(Change { id, before, after });
        self
    }

    pub(super) fn with_message(mut self, code: u32, text: &str) -> Self {
        if let ReplyBody::Envelope { messages, .. } = &mut self.body {
            *messages = json!([{ "code": code, "message": text }]);
        }
        self
    }
}

/// The `id` of an object, empty if it has none.
pub(super) fn id_of(object: &Value) -> &str {
    object["id"].as_str().unwrap_or_default()
}

/// A call that is answered with an error.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) errors: Value,
}

impl Refusal {
    pub(super) fn new(status: u16, code: u32, message: &str) -> Self {
        Self { status, errors: json!([{ "code": code, "message": message }]) }
    }

    /// The credential is dead or has no right to this.
    pub(super) fn authentication(status: u16) -> Self {
        Self::new(status, 10000, "Authentication error")
    }

    /// No such route, or an identifier in it that leads nowhere.
    pub(super) fn no_route(path: &str) -> Self {
        let text = format!("Could not route to {path}, perhaps your object identifier is invalid?");
        Self::new(404, 7003, &text)
    }

    pub(super) fn invalid(message: &str) -> Self {
        Self::new(400, 1001, message)
    }
}
