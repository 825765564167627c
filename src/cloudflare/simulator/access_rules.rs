//! IP access rules of zones, of the account and of the user.

use serde_json::{Value, json};

use super::call::{Call, Refusal, Reply, id_of};
use super::paging::Paging;
use super::permissions::Scope;
use super::world::Account;

const PAGING: Paging = Paging { default: 20, min: 1, max: 1000, repeats_last: false };

/// The routes below `…/firewall/access_rules/rules`.
pub(super) fn route(account: &mut Account, call: &Call, scope: Scope<'_>, rest: &[&str]) -> Result<Reply, Refusal> {
    let (write, read, held_on) = match scope {
        Scope::Zone(_) => ("Firewall Services Write", "Firewall Services Read", scope),
        _ => ("Account Firewall Access Rules Write", "Account Firewall Access Rules Read", Scope::Account),
    };
    let groups: &[&str] = if call.method == "GET" { &[write, read] } else { &[write] };
    account.require(call, groups, held_on)?;
    match (call.method.as_str(), rest) {
        ("GET", []) => {
            let listed = listed(account, call, scope)?;
            Ok(PAGING.page(&call.query, &listed, listed.len()))
        }
        ("GET", [id]) => {
            let listed = listed(account, call, scope)?;
            listed.into_iter().find(|rule| id_of(rule) == *id).map(Reply::result).ok_or_else(not_found)
        }
        ("POST", []) => {
            let id = account.new_id();
            let rule = new_rule(&id, &call.body, scope, &call.stamp());
            own(account, call, scope)?.push(rule.clone());
            Ok(Reply::created(rule))
        }
        ("PATCH", [id]) => {
            let given = call.object()?.clone();
            let own = own(account, call, scope)?;
            let position = own.iter().position(|rule| id_of(rule) == *id).ok_or_else(not_found)?;
            let before = own[position].clone();
            for (name, value) in given {
                own[position][name] = value;
            }
            own[position]["modified_on"] = call.stamp().into();
            Ok(Reply::updated(before, own[position].clone()))
        }
        ("DELETE", [id]) => {
            let own = own(account, call, scope)?;
            let position = own.iter().position(|rule| id_of(rule) == *id).ok_or_else(not_found)?;
            Ok(Reply::deleted(own.remove(position)))
        }
        _ => Err(Refusal::no_route(&call.path)),
    }
}

/// The list of a zone shows what it inherits; it is deleted at its own level only.
fn listed(account: &mut Account, call: &Call, scope: Scope<'_>) -> Result<Vec<Value>, Refusal> {
    let mut listed = own(account, call, scope)?.clone();
    if matches!(scope, Scope::Zone(_)) {
        listed.extend_from_slice(&account.access_rules);
        listed.extend_from_slice(&account.user_access_rules);
    }
    Ok(listed)
}

fn own<'a>(account: &'a mut Account, call: &Call, scope: Scope<'_>) -> Result<&'a mut Vec<Value>, Refusal> {
    match scope {
        Scope::Zone(zone) => Ok(&mut account.zone_mut(call, zone)?.access_rules),
        Scope::Account => Ok(&mut account.access_rules),
        Scope::User => Ok(&mut account.user_access_rules),
    }
}

/// An access rule out of the fields that a client gives.
pub(super) fn new_rule(id: &str, given: &Value, scope: Scope<'_>, stamp: &str) -> Value {
    let kind = match scope {
        Scope::Zone(_) => "zone",
        Scope::Account => "organization",
        Scope::User => "user",
    };
    json!({
        "id": id,
        "mode": given["mode"],
        "configuration": given["configuration"],
        "notes": given["notes"].as_str().unwrap_or_default(),
        "paused": false,
        "allowed_modes": ["whitelist", "block", "challenge", "js_challenge", "managed_challenge"],
        "scope": { "type": kind },
        "created_on": stamp,
        "modified_on": stamp,
    })
}

fn not_found() -> Refusal {
    Refusal::new(404, 10001, "firewallaccessrules.api.not_found")
}
