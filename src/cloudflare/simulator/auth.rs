//! Which credential a request carries, and whether it is good.

use jiff::Timestamp;
use serde_json::json;

use super::call::{Actor, Refusal};
use super::tokens::Token;
use super::world::Account;
use crate::simulator::Request;

/// The sender of a request.
pub(super) fn authenticate(account: &Account, request: &Request, at: Timestamp) -> Result<Actor, Refusal> {
    let verifying = request.path.ends_with("/tokens/verify");
    if let Some(header) = request.header("authorization") {
        let secret = header.strip_prefix("Bearer ").ok_or_else(|| invalid_header(6111, "Authorization"))?;
        return bearer(account, secret.trim(), verifying, at);
    }
    match (request.header("x-auth-email"), request.header("x-auth-key")) {
        (Some(_), Some(_)) if verifying => Err(Refusal::invalid("Missing \"Authorization\" header")),
        (Some(email), Some(key)) => global_key(account, email, key),
        _ => Err(Refusal::new(400, 6003, "Invalid request headers")),
    }
}

fn bearer(account: &Account, secret: &str, verifying: bool, at: Timestamp) -> Result<Actor, Refusal> {
    if secret.starts_with("cfk_") || secret.is_empty() {
        return Err(invalid_header(6111, "Authorization"));
    }
    let dead = if verifying { Refusal::new(401, 1000, "Invalid API Token") } else { Refusal::authentication(401) };
    let token = account.token_by_value(secret, at).ok_or(dead)?;
    // Verification is the one thing that a token may still ask when it is disabled.
    if verifying || token.status(at) == "active" { Ok(actor(token)) } else { Err(Refusal::authentication(401)) }
}

fn global_key(account: &Account, email: &str, key: &str) -> Result<Actor, Refusal> {
    if key.starts_with("cfut_") || key.starts_with("cfat_") {
        return Err(invalid_header(6103, "X-Auth-Key"));
    }
    match account.people.get(email) {
        Some(person) if person.global_key == key => Ok(Actor::GlobalKey(email.to_owned())),
        _ => Err(Refusal::authentication(403)),
    }
}

fn actor(token: &Token) -> Actor {
    Actor::Token(super::call::id_of(&token.object).to_owned())
}

/// The answer to a credential of the wrong kind.
fn invalid_header(code: u32, header: &str) -> Refusal {
    Refusal {
        status: 400,
        errors: json!([{
            "code": 6003,
            "message": "Invalid request headers",
            "error_chain": [{ "code": code, "message": format!("Invalid format for {header} header") }],
        }]),
    }
}
