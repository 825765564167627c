//! API tokens, of the calling user and of the account (API.md section 5).

mod graph;
mod marks;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use graph::{Held, held};
pub use marks::{Mark, controls, marks};

use super::api::segment;
use crate::action::{Look, StepError};
use crate::model::{Gap, Target};
use crate::provider::{Paging, ReadError, ReadRequest};

/// Names a token for the steps that act on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRef {
    /// Its id.
    pub id: String,
    /// Its name; may be chosen by an attacker.
    #[serde(default)]
    pub name: String,
    /// The finding that acting on it deals with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// False where it is only suspected: then nobody acts on it without choosing it.
    #[serde(default = "yes")]
    pub sure: bool,
}

const fn yes() -> bool {
    true
}

/// Who owns a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The calling user.
    User,
    /// The account.
    Account,
}

/// A token as the API shows it.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// Its name; not unique, may be chosen by an attacker.
    pub name: String,
    /// `active`, `disabled` or `expired`.
    pub status: String,
    /// Who owns it.
    pub owner: Owner,
    /// When it was made.
    pub issued_on: Option<Timestamp>,
    /// When it was last changed, rolled included.
    pub modified_on: Option<Timestamp>,
    /// When it was last used; absent: never, or not recorded yet.
    pub last_used_on: Option<Timestamp>,
    /// When it ends; absent: never.
    pub expires_on: Option<Timestamp>,
    /// Everything, as it came.
    pub raw: Map<String, Value>,
}

/// Fields that a full update takes and must be given back, or they are dropped (documented).
const KEPT: [&str; 5] = ["name", "policies", "condition", "not_before", "expires_on"];

impl Token {
    fn read(value: Value, owner: Owner) -> Option<Self> {
        let Value::Object(raw) = value else { return None };
        let text = |name: &str| raw.get(name).and_then(Value::as_str);
        let time = |name: &str| text(name).and_then(|text| text.parse().ok());
        Some(Self {
            id: text("id")?.to_owned(),
            name: text("name").unwrap_or_default().to_owned(),
            status: text("status").unwrap_or("active").to_owned(),
            owner,
            issued_on: time("issued_on"),
            modified_on: time("modified_on"),
            last_used_on: time("last_used_on"),
            expires_on: time("expires_on"),
            raw,
        })
    }

    /// Path of the token.
    pub fn path(&self, account: &str) -> String {
        format!("{}/{}", collection(self.owner, account), segment(&self.id))
    }

    /// What a full update must send to change the status and nothing else.
    pub fn update(&self, status: &str) -> Value {
        let mut body = Map::new();
        for field in KEPT {
            if let Some(value) = self.raw.get(field).filter(|value| !value.is_null()) {
                body.insert(field.to_owned(), value.clone());
            }
        }
        // Read as `request.ip` in older answers, sent as `request_ip` (documented).
        if let Some(Value::Object(condition)) = body.get_mut("condition")
            && let Some(ip) = condition.remove("request.ip")
        {
            condition.insert("request_ip".to_owned(), ip);
        }
        // Names inside permission groups are for reading only; ids suffice (documented).
        for policy in body.get_mut("policies").and_then(Value::as_array_mut).into_iter().flatten() {
            for group in policy.get_mut("permission_groups").and_then(Value::as_array_mut).into_iter().flatten() {
                *group = json!({ "id": group["id"] });
            }
        }
        body.insert("status".to_owned(), status.into());
        Value::Object(body)
    }

    /// The token without what changes by mere use: what is shown, consented to and compared.
    pub fn image(&self) -> Value {
        let mut image = Map::from_iter([("status".to_owned(), Value::from(self.status.as_str()))]);
        for field in KEPT {
            if let Some(value) = self.raw.get(field).filter(|value| !value.is_null()) {
                image.insert(field.to_owned(), value.clone());
            }
        }
        Value::Object(image)
    }

    /// The token as the target of an effect; `all` tells whether its name is its own.
    pub fn target(&self, all: &[Self]) -> Target {
        let ambiguous = all.iter().any(|other| other.id != self.id && other.name == self.name);
        Target { kind: "token".to_owned(), id: self.id.clone(), name: self.name.clone(), ambiguous }
    }

    /// The names of its permission groups.
    pub fn permissions(&self) -> Vec<&str> {
        let groups = self.policies().filter_map(|policy| policy["permission_groups"].as_array()).flatten();
        groups.filter_map(|group| group["name"].as_str()).collect()
    }

    fn policies(&self) -> impl Iterator<Item = &Value> {
        self.raw.get("policies").and_then(Value::as_array).into_iter().flatten()
    }

    /// `2026-11-20`, or `never`.
    pub fn last_use(&self) -> String {
        self.last_used_on.map_or_else(|| "never seen".to_owned(), |at| at.strftime("%F %H:%MZ").to_string())
    }
}

/// Every token that the credential can see.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The tokens.
    pub tokens: Vec<Token>,
    /// True where both lists were read to their end: then a token that is not among them is gone.
    pub complete: bool,
}

impl Seen {
    /// The token with this id.
    pub fn get(&self, id: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| token.id == id)
    }
}

/// Lists the calling user's tokens and the account's. A list that cannot be read is a gap; if neither can, that is an
/// error.
pub async fn list(look: &Look<'_>) -> Result<Seen, StepError> {
    let mut seen = Seen { tokens: Vec::new(), complete: true };
    let mut refused: Vec<ReadError> = Vec::new();
    for owner in [Owner::User, Owner::Account] {
        let (scope, permission) = match owner {
            Owner::User => ("the user of this credential", "API Tokens Read"),
            Owner::Account => ("the account", "Account API Tokens Read"),
        };
        let request = ReadRequest::new(collection(owner, look.account()));
        match look.list(&request, Paging::Pages { per_page: 50 }, "tokens", scope).await {
            Ok(listing) => {
                seen.complete &= listing.shortfall.is_none();
                seen.tokens.extend(listing.items.into_iter().filter_map(|item| Token::read(item, owner)));
            }
            // A token that the account owns has no user whose tokens there could be.
            Err(_) if owner == Owner::User && has_no_user(look) => {}
            Err(error) => {
                look.gap(error.gap("tokens", scope, Some(permission)));
                seen.complete = false;
                refused.push(error);
            }
        }
    }
    match refused.first() {
        Some(error) if seen.tokens.is_empty() => Err(StepError::read("list the tokens", error)),
        _ => Ok(seen),
    }
}

fn has_no_user(look: &Look<'_>) -> bool {
    look.provider().credential().kind == crate::model::CredentialKind::AccountToken
}

/// What a fresh look at one token shows.
#[derive(Debug)]
pub enum Found {
    /// It is there.
    There(Box<Token>),
    /// It is not there, by a complete list.
    Gone,
    /// It cannot be told, and why.
    Unseen(String),
}

/// Looks at the token of an effect, whose call names its path.
pub async fn find(look: &Look<'_>, path: &str, id: &str) -> Found {
    let owner = if path.starts_with("/user/") { Owner::User } else { Owner::Account };
    let request = ReadRequest::new(format!("{}/{}", collection(owner, look.account()), segment(id)));
    match look.get(&request).await {
        Ok(reading) => match Token::read(reading.result, owner) {
            Some(token) => Found::There(Box::new(token)),
            None => Found::Unseen("the API's answer is no token".to_owned()),
        },
        // Not proof by itself (documented for code 7003): the list decides.
        Err(ReadError::NotFound(_) | ReadError::Rejected(_)) => match list(look).await {
            Ok(seen) => match seen.get(id) {
                Some(token) => Found::There(Box::new(token.clone())),
                None if seen.complete => Found::Gone,
                None => Found::Unseen("it is not in the list, and the list is not complete".to_owned()),
            },
            Err(error) => Found::Unseen(error.message),
        },
        Err(error) => Found::Unseen(error.to_string()),
    }
}

/// Refuses to act on the credential that makes the calls.
pub fn refuse_own(look: &Look<'_>, tokens: &[TokenRef], doing: &str) -> Result<(), StepError> {
    let own = look.provider().credential().id.as_deref();
    if tokens.iter().any(|token| Some(token.id.as_str()) == own) {
        return Err(StepError::new(format!("this would {doing} the token that quell is acting with")).hint(
            "make another credential, resume with it, and run the step again: then the old one can be dealt with",
        ));
    }
    Ok(())
}

/// The gap of a token that is named and not to be seen.
pub fn invisible(token: &TokenRef) -> Gap {
    Gap {
        family: "tokens".to_owned(),
        scope: if token.name.is_empty() { token.id.clone() } else { token.name.clone() },
        reason: "this credential cannot see the token; it may be another user's, who must act on it".to_owned(),
        permission: None,
    }
}

fn collection(owner: Owner, account: &str) -> String {
    match owner {
        Owner::User => "/user/tokens".to_owned(),
        Owner::Account => format!("/accounts/{}/tokens", segment(account)),
    }
}
