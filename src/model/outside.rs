use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One call to something other than the provider's API. Holds no secret: secrets are named by environment variable and
/// filled in when it is carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OutsideCall {
    /// A program is run on this machine.
    Command(CommandCall),
    /// A request is sent to some host.
    Web(WebCall),
}

/// One program with its arguments. No shell is between.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandCall {
    /// The program, as a name to be found in `PATH` or an absolute path, and its arguments.
    pub argv: Vec<String>,
    /// Variables that it is given.
    pub env: BTreeMap<String, Given>,
    /// Variables of quell's own environment that it is given as they are.
    pub pass_env: Vec<String>,
    /// What it reads; nothing where there is none.
    pub stdin: Option<Given>,
    /// Where it runs; where quell runs, without one.
    pub cwd: Option<String>,
    /// Seconds after which it is killed with all that it started.
    pub timeout: u64,
    /// Exit codes by which it says that it has done its work.
    pub expect: Vec<i32>,
    /// Values to take from the JSON on its standard output: name to JSON pointer.
    pub outputs: BTreeMap<String, String>,
}

/// One request that may change something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebCall {
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Where to. Named by environment variable where the address itself is the secret.
    pub url: Given,
    /// Headers.
    pub headers: BTreeMap<String, Given>,
    /// Text is sent as it is, `null` as nothing, all else as JSON. `{"secret_env": "NAME"}` in it stands for a secret.
    pub body: Value,
    /// Seconds from the beginning to the last byte of the answer.
    pub timeout: u64,
    /// HTTP statuses that say that it was done; any 2xx where there are none.
    pub expect: Vec<u16>,
    /// Values to take from the JSON of the answer: name to JSON pointer.
    pub outputs: BTreeMap<String, String>,
    /// How to look whether it took.
    pub verify: Option<Box<WebCheck>>,
    /// True for a message: where it fails, nobody is asked and the run goes on. The outcome stays what it was.
    pub best_effort: bool,
}

/// One read of some host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebRead {
    /// Where from.
    pub url: String,
    /// Headers.
    pub headers: BTreeMap<String, Given>,
    /// Seconds from the beginning to the last byte of the answer.
    pub timeout: u64,
}

/// A read, and what it must show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebCheck {
    /// The read.
    pub read: WebRead,
    /// HTTP statuses that are right; any 2xx where there are none.
    pub expect: Vec<u16>,
    /// JSON pointer to a value that must be there.
    pub pointer: Option<String>,
    /// What that value must be.
    pub equals: Option<Value>,
}

/// A text: as it is, or named by the environment variable that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Given {
    /// As it is.
    Text(String),
    /// A secret, read only when it is used.
    Secret(SecretEnv),
}

/// A secret in the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretEnv {
    /// The variable's name.
    pub secret_env: String,
}

impl Given {
    /// Name of the variable, for a secret.
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Secret(secret) => Some(&secret.secret_env),
        }
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Secret(secret) => write!(f, "«env {}»", secret.secret_env),
        }
    }
}

impl OutsideCall {
    /// True where its failure stops nothing.
    pub const fn is_best_effort(&self) -> bool {
        matches!(self, Self::Web(WebCall { best_effort: true, .. }))
    }

    /// Where it happens, in words: this machine, or an address.
    pub fn place(&self) -> String {
        match self {
            Self::Command(_) => "this machine".to_owned(),
            Self::Web(call) => call.url.to_string(),
        }
    }

    /// What is shown of it besides its first line: `(label, text)`. Secrets show as `«env NAME»`.
    pub fn details(&self) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        let mut row = |label: &str, text: String| rows.push((label.to_owned(), text));
        match self {
            Self::Command(call) => {
                call.env.iter().for_each(|(name, value)| row("env", format!("{name}={value}")));
                call.pass_env.iter().for_each(|name| row("env", format!("{name}, as quell has it")));
                call.stdin.iter().for_each(|text| row("stdin", text.to_string()));
                call.cwd.iter().for_each(|dir| row("in", dir.clone()));
                row("timeout", format!("{} s, then it is killed with all that it started", call.timeout));
            }
            Self::Web(call) => {
                call.headers.iter().for_each(|(name, value)| row("header", format!("{name}: {value}")));
                match &call.body {
                    Value::Null => {}
                    body => row("body", shown_body(body)),
                }
            }
        }
        rows
    }
}

impl CommandCall {
    /// The command line as a person would have to type it.
    pub fn line(&self) -> String {
        self.argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for OutsideCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(call) => f.write_str(&call.line()),
            Self::Web(call) => write!(f, "{} {}", call.method, call.url),
        }
    }
}

/// The secret that `{"secret_env": "NAME"}` stands for.
pub fn secret_named(map: &Map<String, Value>) -> Option<&str> {
    map.get("secret_env").filter(|_| map.len() == 1).and_then(Value::as_str)
}

/// A body for people: every secret as `«env NAME»`.
fn shown_body(body: &Value) -> String {
    fn shown(value: &Value) -> Value {
        match value {
            Value::Object(map) => match secret_named(map) {
                Some(name) => Value::String(format!("«env {name}»")),
                None => map.iter().map(|(key, value)| (key.clone(), shown(value))).collect::<Map<_, _>>().into(),
            },
            Value::Array(items) => items.iter().map(shown).collect(),
            other => other.clone(),
        }
    }
    match body {
        Value::String(text) => text.clone(),
        other => shown(other).to_string(),
    }
}

/// A word of a command line as a person would have to type it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Given, OutsideCall, SecretEnv, WebCall};

    #[test]
    fn what_is_shown_names_the_secret_and_keeps_the_rest() {
        let secret = || Given::Secret(SecretEnv { secret_env: "KEY".into() });
        let call = OutsideCall::Web(WebCall {
            method: "POST".into(),
            url: secret(),
            headers: [("authorization".to_owned(), secret())].into(),
            body: json!({ "routing_key": { "secret_env": "KEY" }, "list": [{ "a": 1, "secret_env": "no" }] }),
            timeout: 1,
            expect: Vec::new(),
            outputs: [].into(),
            verify: None,
            best_effort: true,
        });
        assert_eq!(call.to_string(), "POST «env KEY»");
        let rows: Vec<String> = call.details().into_iter().map(|(label, text)| format!("{label}|{text}")).collect();
        assert_eq!(
            rows,
            [
                "header|authorization: «env KEY»",
                r#"body|{"routing_key":"«env KEY»","list":[{"a":1,"secret_env":"no"}]}"#
            ]
        );
        assert_eq!(serde_json::from_value::<OutsideCall>(json!(call)).unwrap(), call);
    }
}
