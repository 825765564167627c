//! API tokens, of the calling user and of the account (API.md section 5).

mod grant;
mod graph;
mod listing;
mod marks;
mod negative;
mod provisioner;
mod reach;
mod spared;
mod suspicion;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use grant::{Grant, grant};
pub use graph::{Grip, Held, Known, Tampering, held, owner_in_log};
pub use listing::{Found, Seen, find, find_listed, find_of, list, own, own_unkept};
pub use marks::{Mark, controls, marks};
pub use negative::{proven, proven_already, refused_unseen};
pub use provisioner::Provisioner;
pub use reach::ZoneNames;
pub use spared::{is_spared, refuse_own, spare};
pub use suspicion::{Suspicion, Traces, behaviour, suspicion};

use super::api::segment;
use crate::model::{Effect, Gap, Target, canonical_digest};
use crate::secret::holds_mask;

/// [`TokenRef::owner`] of a token that the account owns.
pub const ACCOUNT: &str = "account";

/// Permission groups about a user, whom a token that the account owns does not have.
pub const OF_USERS: [&str; 4] = ["API Tokens Read", "API Tokens Write", "Memberships Read", "User Details Read"];

/// Names a token for the steps that act on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRef {
    /// Its id.
    pub id: String,
    /// Its name; may be chosen by an attacker.
    #[serde(default)]
    pub name: String,
    /// Whose it is: `account`, or the e-mail of a user. Without it, a token that no list shows may be another user's own,
    /// and is never taken to be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What speaks against it, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
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

impl TokenRef {
    /// A token of which nothing else is known.
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), owner: None, why: None, finding: None, sure: true }
    }

    /// Its name, or its id where the name is not known.
    pub fn label(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }

    /// Its name with its id, or the one of the two that is known: a name may stand in the place of the id.
    pub fn in_full(&self) -> String {
        let label = self.label();
        if label == self.id { label.to_owned() } else { format!("{label} ({})", self.id) }
    }

    /// The token that an effect touches.
    pub fn of(effect: &Effect) -> Self {
        Self {
            owner: effect.before["owner"].as_str().map(str::to_owned),
            finding: effect.resolves.as_ref().map(|resolves| resolves.finding.clone()),
            ..Self::new(&effect.target.id, &effect.target.name)
        }
    }
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
    /// The same by name, as in [`TokenRef::owner`].
    pub whose: String,
    /// When it was made.
    pub issued_on: Option<Timestamp>,
    /// When it was last changed, rolled included.
    pub modified_on: Option<Timestamp>,
    /// When it was last used; absent: never, or not recorded yet.
    pub last_used_on: Option<Timestamp>,
    /// When it ends; absent: never.
    pub expires_on: Option<Timestamp>,
    /// The service that minted it for somebody; none where the API names none.
    pub provisioner: Option<Provisioner>,
    /// Everything, as it came.
    pub raw: Map<String, Value>,
}

/// Fields that a full update takes and must be given back, or they are dropped (documented).
const KEPT: [&str; 5] = ["name", "policies", "condition", "not_before", "expires_on"];

impl Token {
    fn read(value: Value, owner: Owner, whose: &str) -> Option<Self> {
        let provisioner = Provisioner::of(&value);
        let Value::Object(raw) = value else { return None };
        let text = |name: &str| raw.get(name).and_then(Value::as_str);
        let time = |name: &str| text(name).and_then(|text| text.parse().ok());
        Some(Self {
            id: text("id")?.to_owned(),
            name: text("name").unwrap_or_default().to_owned(),
            status: text("status").unwrap_or("active").to_owned(),
            owner,
            whose: whose.to_owned(),
            issued_on: time("issued_on"),
            modified_on: time("modified_on"),
            last_used_on: time("last_used_on"),
            expires_on: time("expires_on"),
            provisioner,
            raw,
        })
    }

    /// A token that is not listed any more, of which little is known.
    pub fn gone(named: &TokenRef) -> Self {
        Self {
            id: named.id.clone(),
            name: named.label().to_owned(),
            status: "deleted".to_owned(),
            owner: if named.owner.as_deref() == Some(ACCOUNT) { Owner::Account } else { Owner::User },
            whose: named.owner.clone().unwrap_or_default(),
            issued_on: None,
            modified_on: None,
            last_used_on: None,
            expires_on: None,
            provisioner: None,
            raw: Map::new(),
        }
    }

    /// Path of the token.
    pub fn path(&self, account: &str) -> String {
        format!("{}/{}", collection(self.owner, account), segment(&self.id))
    }

    /// What a full update must send to change the status and nothing else.
    pub fn update(&self, status: &str) -> Value {
        let mut image = self.image();
        image["status"] = status.into();
        full_update(&image)
    }

    /// The token without what changes by mere use: what is shown and consented to.
    pub fn image(&self) -> Value {
        let mut image = Map::new();
        image.insert("status".to_owned(), self.status.as_str().into());
        image.insert("owner".to_owned(), self.whose.as_str().into());
        image.extend(self.kept());
        Value::Object(image)
    }

    /// The first field, besides the status, that is not what `before` (an [image](Self::image)) holds.
    ///
    /// What means the same counts as the same: an update may give policies other ids, their groups another order, and
    /// the condition another spelling.
    pub fn differs_from(&self, before: &Value) -> Option<&'static str> {
        self.differences(before).into_iter().next()
    }

    /// All such fields.
    pub fn differences(&self, before: &Value) -> Vec<&'static str> {
        let (now, before) = (self.kept(), before.as_object().cloned().unwrap_or_default());
        let (now, before) = (meaning(now), meaning(before));
        // Of a masked text nothing can be told but that there was one.
        let is_masked = |field: &str| before.get(field).and_then(Value::as_str).is_some_and(holds_mask);
        KEPT.into_iter().filter(|field| now.get(*field) != before.get(*field) && !is_masked(field)).collect()
    }

    /// Whether the token is as `image` (an [image](Self::image)) holds it, its status included.
    pub fn is_as(&self, image: &Value) -> bool {
        image["status"] == self.status.as_str() && self.differs_from(image).is_none()
    }

    fn kept(&self) -> Map<String, Value> {
        let kept = KEPT.iter().filter_map(|field| Some(((*field).to_owned(), self.raw.get(*field)?.clone())));
        let mut kept = Value::Object(kept.collect());
        drop_nulls(&mut kept);
        kept.as_object().cloned().unwrap_or_default()
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

    /// Names the token for the steps that act on it.
    pub fn reference(&self) -> TokenRef {
        TokenRef { owner: Some(self.whose.clone()), ..TokenRef::new(&self.id, &self.name) }
    }

    /// The addresses that it works from; empty: from all but those of [`Self::refused_addresses`].
    pub fn addresses(&self) -> Vec<&str> {
        self.condition("in")
    }

    /// The addresses that it does not work from.
    pub fn refused_addresses(&self) -> Vec<&str> {
        self.condition("not_in")
    }

    /// Both spellings occur (documented).
    fn condition(&self, which: &str) -> Vec<&str> {
        let condition = self.raw.get("condition");
        let lists = ["request_ip", "request.ip"].into_iter().filter_map(|key| condition?[key][which].as_array());
        lists.flatten().filter_map(Value::as_str).collect()
    }

    fn policies(&self) -> impl Iterator<Item = &Value> {
        self.raw.get("policies").and_then(Value::as_array).into_iter().flatten()
    }

    /// `2026-11-20 14:05Z`, or `never seen`.
    pub fn last_use(&self) -> String {
        self.last_used_on.map_or_else(|| "never seen".to_owned(), |at| at.strftime("%F %H:%MZ").to_string())
    }
}

/// The body of a full update after which the token is as `image` (see [`Token::image`]) has it.
pub fn full_update(image: &Value) -> Value {
    let mut body = Map::new();
    for field in KEPT.iter().chain(&["status"]) {
        if let Some(value) = image.get(*field) {
            body.insert((*field).to_owned(), value.clone());
        }
    }
    spell_condition(&mut body);
    // Names inside permission groups are for reading only; ids suffice (documented).
    for policy in policies(&mut body) {
        for group in policy.get_mut("permission_groups").and_then(Value::as_array_mut).into_iter().flatten() {
            *group = json!({ "id": group["id"] });
        }
    }
    Value::Object(body)
}

/// A field that is null says no more than one that is missing.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The address condition is read as `request.ip` in older answers, and sent as `request_ip` (documented).
fn spell_condition(token: &mut Map<String, Value>) {
    if let Some(Value::Object(condition)) = token.get_mut("condition")
        && let Some(ip) = condition.remove("request.ip")
    {
        condition.insert("request_ip".to_owned(), ip);
    }
}

fn policies(token: &mut Map<String, Value>) -> impl Iterator<Item = &mut Value> {
    token.get_mut("policies").and_then(Value::as_array_mut).into_iter().flatten()
}

/// The same token in one spelling, for comparison.
fn meaning(mut token: Map<String, Value>) -> Map<String, Value> {
    spell_condition(&mut token);
    for policy in policies(&mut token) {
        let ids = policy["permission_groups"].as_array().into_iter().flatten();
        let mut ids: Vec<&str> = ids.filter_map(|group| group["id"].as_str()).collect();
        ids.sort_unstable();
        *policy = json!({ "effect": policy["effect"], "groups": ids, "resources": policy["resources"] });
    }
    if let Some(Value::Array(policies)) = token.get_mut("policies") {
        policies.sort_by_key(canonical_digest);
    }
    for time in ["not_before", "expires_on"] {
        if let Some(value) = token.get_mut(time)
            && let Some(at) = value.as_str().and_then(|text| text.parse::<Timestamp>().ok())
        {
            *value = at.to_string().into();
        }
    }
    token
}

/// Each token once, as it was named first.
pub fn unique(tokens: Vec<TokenRef>) -> Vec<TokenRef> {
    let mut unique: Vec<TokenRef> = Vec::new();
    for token in tokens {
        if !unique.iter().any(|known| known.id == token.id) {
            unique.push(token);
        }
    }
    unique
}

/// Adds a token to a list that may have it already.
pub fn include(tokens: &mut Vec<TokenRef>, token: TokenRef) {
    if !tokens.iter().any(|known| known.id == token.id) {
        tokens.push(token);
    }
}

/// The gap of a token that is named and not to be seen among `seen`.
pub fn invisible(seen: &Seen, token: &TokenRef) -> Gap {
    Gap { family: "tokens".to_owned(), scope: token.in_full(), reason: seen.why_unseen("the token"), permission: None }
}

/// The part of a summary that tells what was not dealt with, or nothing: of `gaps`, so many are of tokens that are left alone.
pub fn not_dealt_with(gaps: &[Gap], left_alone: usize, what: &str) -> String {
    let left = if left_alone == 0 { String::new() } else { format!(", {left_alone} LEFT ALONE") };
    let unseen = gaps.len() - left_alone;
    left + &if unseen == 0 { String::new() } else { format!(", {unseen} NOT SEEN: not {what} by this run") }
}

fn collection(owner: Owner, account: &str) -> String {
    match owner {
        Owner::User => "/user/tokens".to_owned(),
        Owner::Account => format!("/accounts/{}/tokens", segment(account)),
    }
}
