//! API tokens, of users and of the account.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::call::{Actor, Call, Refusal, Reply, id_of, stamp};
use super::paging::Paging;
use super::permissions::{Scope, listed, stored_policies};
use super::secret;
use super::world::Account;

/// A token with its secret.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// The email of the user who owns it; `None` if the account does.
    pub(super) owner: Option<String>,
    pub(super) secret: String,
    /// As the API shows it, except that `status` is never `expired`, which is derived.
    pub(super) object: Value,
}

impl Token {
    pub(super) fn status(&self, at: Timestamp) -> &str {
        let expires: Option<Timestamp> = self.object["expires_on"].as_str().and_then(|text| text.parse().ok());
        if expires.is_some_and(|expires| expires <= at) {
            return "expired";
        }
        self.object["status"].as_str().unwrap_or("active")
    }

    fn shown(&self, at: Timestamp) -> Value {
        let mut object = self.object.clone();
        object["status"] = self.status(at).into();
        object
    }
}

/// The prefix of the secrets of tokens of that owner.
pub(super) fn prefix(owner: Option<&str>) -> &'static str {
    if owner.is_some() { "cfut" } else { "cfat" }
}

/// The routes below `/user/tokens` (`owner` is the caller) and `/accounts/{a}/tokens` (`owner` is `None`).
pub(super) fn route(account: &mut Account, call: &Call, owner: Option<&str>, rest: &[&str]) -> Result<Reply, Refusal> {
    let (scope, write, read) = match owner {
        Some(_) => (Scope::User, "API Tokens Write", "API Tokens Read"),
        None => (Scope::Account, "Account API Tokens Write", "Account API Tokens Read"),
    };
    if (call.method.as_str(), rest) == ("GET", &["verify"]) {
        return verify(account, call, owner);
    }
    let groups: &[&str] = if call.method == "GET" { &[write, read] } else { &[write] };
    account.require(call, groups, scope)?;
    match (call.method.as_str(), rest) {
        ("GET", ["permission_groups"]) => Ok(Reply::page(listed(), None)),
        ("GET", []) => {
            let owned: Vec<Value> = account
                .tokens
                .iter()
                .filter(|token| token.owner.as_deref() == owner)
                .map(|token| token.shown(call.at))
                .collect();
            Ok(Paging::USUAL.page(&call.query, &owned, owned.len()))
        }
        ("POST", []) => create(account, call, owner),
        ("GET", [id]) => Ok(Reply::result(find(account, owner, id)?.shown(call.at))),
        ("PUT", [id]) => update(account, call, owner, id),
        ("DELETE", [id]) => {
            let removed = find(account, owner, id)?.object.clone();
            account.linger(id, call.at);
            account.tokens.retain(|token| id_of(&token.object) != *id);
            Ok(Reply::deleted(removed))
        }
        ("PUT", [id, "value"]) => roll(account, call, owner, id),
        _ => Err(Refusal::no_route(&call.path)),
    }
}

fn find<'a>(account: &'a mut Account, owner: Option<&str>, id: &str) -> Result<&'a mut Token, Refusal> {
    let mut tokens = account.tokens.iter_mut();
    tokens
        .find(|token| token.owner.as_deref() == owner && id_of(&token.object) == id)
        .ok_or_else(|| Refusal::new(404, 1003, "API Token not found"))
}

/// Speaks about the calling token only, and only where its owner is asked for.
fn verify(account: &Account, call: &Call, owner: Option<&str>) -> Result<Reply, Refusal> {
    let Actor::Token(id) = &call.actor else { return Err(Refusal::invalid("Missing \"Authorization\" header")) };
    let token = account.token_verified(id, call.at).filter(|token| token.owner.as_deref() == owner);
    let token = token.ok_or_else(|| Refusal::new(403, 9109, "Invalid access token"))?;
    let status = token.status(call.at);
    let mut result = json!({ "id": id, "status": status });
    for field in ["not_before", "expires_on"] {
        if let Some(time) = token.object.get(field) {
            result[field] = time.clone();
        }
    }
    let reply = Reply::result(result);
    // In `messages` this number is no error.
    Ok(if status == "active" { reply.with_message(10000, "This API Token is valid and active") } else { reply })
}

fn create(account: &mut Account, call: &Call, owner: Option<&str>) -> Result<Reply, Refusal> {
    let body = call.object()?;
    let policies = policies(body)?;
    if policies.as_array().into_iter().flatten().any(|policy| policy.get("id").is_some()) {
        return Err(Refusal::invalid("Reusing existing policies is not supported by token creation"));
    }
    let id = account.new_id();
    let secret = account.new_secret(prefix(owner));
    let mut object = json!({
        "id": id,
        "name": call.text("name")?,
        "status": "active",
        "issued_on": call.stamp(),
        "modified_on": call.stamp(),
    });
    restrictions(body, &mut object);
    object["policies"] = stored_policies(policies, &id).into();
    if owner.is_none()
        && let Some(email) = account.user_of(call)
    {
        object["creator_email_at_creation"] = email.into();
    }
    if let (None, Actor::Application(user)) = (owner, &call.actor) {
        object["provisioner_type"] = "com.cloudflare.api.oauthtoken".into();
        object["provisioner_id"] = secret::id(&format!("{}/application/{user}", account.scenario)).into();
    }
    account.tokens.push(Token { owner: owner.map(str::to_owned), secret: secret.clone(), object: object.clone() });
    let mut shown_once = object.clone();
    shown_once["value"] = secret.into();
    Ok(Reply::result(shown_once).changing(id, Value::Null, object))
}

/// A full update: what is left out of the restrictions is dropped.
fn update(account: &mut Account, call: &Call, owner: Option<&str>, id: &str) -> Result<Reply, Refusal> {
    let body = call.object()?;
    let policies = stored_policies(policies(body)?, id);
    let name = call.text("name")?.to_owned();
    let status = body.get("status").and_then(Value::as_str);
    if status.is_some_and(|status| status != "active" && status != "disabled") {
        return Err(Refusal::invalid("Invalid status"));
    }
    find(account, owner, id)?;
    if status == Some("disabled") {
        account.linger(id, call.at);
    }
    let token = find(account, owner, id)?;
    let before = token.object.clone();
    let fields = token.object.as_object_mut().into_iter();
    fields.for_each(|fields| fields.retain(|name, _| !RESTRICTIONS.contains(&name.as_str())));
    restrictions(body, &mut token.object);
    token.object["name"] = name.into();
    token.object["policies"] = policies.into();
    token.object["modified_on"] = call.stamp().into();
    if let Some(status) = status {
        token.object["status"] = status.into();
    }
    Ok(Reply::updated(before, token.object.clone()))
}

fn roll(account: &mut Account, call: &Call, owner: Option<&str>, id: &str) -> Result<Reply, Refusal> {
    find(account, owner, id)?;
    account.linger(id, call.at);
    let secret = account.new_secret(prefix(owner));
    let token = find(account, owner, id)?;
    let before = token.object.clone();
    token.secret.clone_from(&secret);
    token.object["modified_on"] = call.stamp().into();
    Ok(Reply::result(secret.into()).changing(id.to_owned(), before, token.object.clone()))
}

const RESTRICTIONS: [&str; 3] = ["condition", "not_before", "expires_on"];

fn restrictions(body: &Map<String, Value>, object: &mut Value) {
    for field in RESTRICTIONS {
        if let Some(value) = body.get(field).filter(|value| !value.is_null()) {
            object[field] = value.clone();
        }
    }
}

fn policies(body: &Map<String, Value>) -> Result<&Value, Refusal> {
    let policies = body.get("policies").filter(|policies| policies.as_array().is_some_and(|list| !list.is_empty()));
    policies.ok_or_else(|| Refusal::invalid("Missing required field: policies"))
}

/// Notes that a token was used.
pub(super) fn used(account: &mut Account, id: &str, at: Timestamp) {
    if let Some(token) = account.tokens.iter_mut().find(|token| id_of(&token.object) == id) {
        token.object["last_used_on"] = stamp(at).into();
    }
}
