use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::model::secret_named;

/// What kind of value an input takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum InputType {
    /// A line of text.
    String,
    /// True or false.
    Bool,
    /// A whole number.
    Integer,
    /// A moment.
    Timestamp,
    /// A length of time.
    Duration,
    /// An IP address.
    Ip,
    /// An e-mail address.
    Email,
    /// One of several.
    Choice {
        /// Which.
        choices: Vec<String>,
    },
    /// Several texts.
    List,
    /// A file or directory, whether it is there or not.
    Path,
    /// A file that is there; the run is bound to its bytes.
    File,
    /// Something that must never be written down: its value in a run is `{ "secret_env": NAME }`.
    Secret,
    /// A token of the account: its id or name, or `unknown`.
    #[serde(rename = "cloudflare.token")]
    CloudflareToken,
    /// A zone of the account: its name.
    #[serde(rename = "cloudflare.zone")]
    CloudflareZone,
    /// Zones of the account: names or ids.
    #[serde(rename = "cloudflare.zones")]
    CloudflareZones,
    /// A member of the account: the e-mail.
    #[serde(rename = "cloudflare.member")]
    CloudflareMember,
    /// A range of IP addresses, as in `192.0.2.0/24`.
    Cidr,
}

/// The names of the types, as they stand in a runbook.
pub(super) const NAMES: &[&str] = &[
    "string",
    "bool",
    "integer",
    "timestamp",
    "duration",
    "ip",
    "cidr",
    "email",
    "choice",
    "list",
    "path",
    "file",
    "secret",
    "cloudflare.token",
    "cloudflare.zone",
    "cloudflare.zones",
    "cloudflare.member",
];

impl InputType {
    /// Whether its values are lists of texts.
    pub const fn is_list(&self) -> bool {
        matches!(self, Self::List | Self::CloudflareZones)
    }

    /// The type called `name`.
    pub(super) fn named(name: &str, choices: Vec<String>) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "bool" => Self::Bool,
            "integer" => Self::Integer,
            "timestamp" => Self::Timestamp,
            "duration" => Self::Duration,
            "ip" => Self::Ip,
            "email" => Self::Email,
            "choice" => Self::Choice { choices },
            "list" => Self::List,
            "path" => Self::Path,
            "file" => Self::File,
            "secret" => Self::Secret,
            "cloudflare.token" => Self::CloudflareToken,
            "cloudflare.zone" => Self::CloudflareZone,
            "cloudflare.zones" => Self::CloudflareZones,
            "cloudflare.member" => Self::CloudflareMember,
            "cidr" => Self::Cidr,
            _ => return None,
        })
    }

    /// JSON Schema of its values.
    pub(super) fn schema(&self) -> Value {
        match self {
            Self::Bool => json!({ "type": "boolean" }),
            Self::Integer => json!({ "type": "integer" }),
            Self::List | Self::CloudflareZones => json!({ "type": "array", "items": { "type": "string" } }),
            Self::Choice { choices } => json!({ "type": "string", "enum": choices }),
            Self::Secret => json!({
                "type": "object", "properties": { "secret_env": { "type": "string" } }, "required": ["secret_env"],
                "additionalProperties": false,
            }),
            _ => json!({ "type": "string" }),
        }
    }

    /// Whether a value that is no text is one of this type.
    pub(super) fn takes(&self, value: &Value) -> bool {
        match self {
            Self::Bool => value.is_boolean(),
            Self::Integer => value.is_i64(),
            Self::List | Self::CloudflareZones => {
                value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
            }
            Self::Secret => value.as_object().and_then(secret_named).is_some(),
            _ => false,
        }
    }

    /// What is wanted, in words.
    pub(super) const fn wanted(&self) -> &'static str {
        match self {
            Self::Bool => "it must be true or false",
            Self::Integer => "it must be a whole number",
            Self::List | Self::CloudflareZones => "it must be a list of texts",
            Self::Secret => "it must be an input of the type `secret`, or `{ secret_env = \"NAME\" }`",
            _ => "it must be text",
        }
    }

    /// Reads a value; `now` is for relative times such as `9h ago`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(&self, text: &str, now: Timestamp) -> Result<Value, String> {
        let text = text.trim();
        match self {
            Self::Bool => match text {
                "true" | "yes" => Ok(json!(true)),
                "false" | "no" => Ok(json!(false)),
                _ => Err("it must be `true` or `false`".into()),
            },
            Self::Integer => text.parse::<i64>().map(Value::from).map_err(|_| "it must be a whole number".into()),
            Self::Timestamp => timestamp(text, now).map(|at| json!(at.to_string())),
            Self::Duration => duration(text).map(|length| json!(format!("{length:#}"))),
            Self::Ip => {
                text.parse::<std::net::IpAddr>().map(|ip| json!(ip)).map_err(|_| "it must be an IP address".into())
            }
            Self::Cidr => match text.parse::<ipnet::IpNet>() {
                Ok(range) if range.trunc() == range => Ok(json!(range)),
                Ok(range) => Err(format!("the range begins at `{}`", range.trunc())),
                Err(_) => Err("it must be a range of IP addresses such as `192.0.2.0/24`".into()),
            },
            Self::Email => match text.split_once('@') {
                Some((name, host)) if !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace) => {
                    Ok(json!(text))
                }
                _ => Err("it must be an e-mail address".into()),
            },
            Self::Choice { choices } => {
                if choices.iter().any(|choice| choice == text) {
                    Ok(json!(text))
                } else {
                    Err(format!("it must be one of {}", choices.join(", ")))
                }
            }
            Self::List | Self::CloudflareZones => {
                Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect())
            }
            Self::Secret => Err(self.wanted().into()),
            Self::String
            | Self::Path
            | Self::File
            | Self::CloudflareToken
            | Self::CloudflareZone
            | Self::CloudflareMember => {
                if text.is_empty() {
                    Err("it is empty".into())
                } else {
                    Ok(json!(text))
                }
            }
        }
    }
}

/// What is said of a moment that no calendar has.
const TOO_FAR: &str = "it is further away than the calendar goes";

fn timestamp(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    // `2026-11-23 14:05Z`: what people write by hand.
    if let Some(minutes) = text.strip_suffix('Z')
        && let Ok(at) = minutes.parse::<jiff::civil::DateTime>()
    {
        let at = at.to_zoned(jiff::tz::TimeZone::UTC).map(|at| at.timestamp());
        return at.map_err(|_| TOO_FAR.to_owned());
    }
    let ago = text.strip_suffix("ago").or_else(|| text.strip_prefix('-')).unwrap_or(text);
    match duration(ago) {
        Ok(length) => now.checked_sub(length).map_err(|_| TOO_FAR.to_owned()),
        Err(_) => Err("it must be a moment in UTC such as `2026-11-23 14:05Z`, or a time such as `20m ago`".into()),
    }
}

pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    match text.trim().parse::<SignedDuration>() {
        Ok(length) if length > SignedDuration::ZERO => Ok(length),
        _ => Err("it must be a length of time such as `15m` or `1h 30m`".into()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::InputType;

    #[test]
    fn a_range_begins_where_it_says() {
        let read = |text| InputType::Cidr.parse(text, Timestamp::UNIX_EPOCH);
        assert_eq!(read("192.0.2.0/24"), Ok(json!("192.0.2.0/24")));
        assert_eq!(read("2001:db8::/32"), Ok(json!("2001:db8::/32")));
        assert_eq!(read("192.0.2.7/24"), Err("the range begins at `192.0.2.0/24`".into()));
        assert!(read("192.0.2.0").is_err() && read("").is_err());
    }

    #[test]
    fn moments_are_taken_as_people_write_them() {
        let now: Timestamp = "2026-11-23T14:00:00Z".parse().unwrap();
        for (text, wanted) in [
            ("2026-11-23T13:00:00Z", "2026-11-23T13:00:00Z"),
            ("2026-11-23T15:00:00+02:00", "2026-11-23T13:00:00Z"),
            ("2026-11-23 13:00Z", "2026-11-23T13:00:00Z"),
            ("1h ago", "2026-11-23T13:00:00Z"),
            ("-1h", "2026-11-23T13:00:00Z"),
            ("1h 30m ago", "2026-11-23T12:30:00Z"),
        ] {
            assert_eq!(InputType::Timestamp.parse(text, now), Ok(json!(wanted)), "{text}");
        }
        assert_eq!(InputType::Timestamp.parse("99999999999999h ago", now), Err(super::TOO_FAR.into()));
        for wrong in ["", "yesterday", "2026-11-23 13:00", "0s"] {
            assert!(InputType::Timestamp.parse(wrong, now).is_err(), "{wrong}");
        }
    }
}
