//! Members of the account and their roles.

use serde_json::{Value, json};

use super::call::{Call, Refusal, Reply, id_of};
use super::paging::Paging;
use super::permissions::Scope;
use super::world::Account;

const WRITE: &[&str] = &["Account Settings Write"];
const READ: &[&str] = &["Account Settings Write", "Account Settings Read"];

/// `/accounts/{a}/roles`.
pub(super) fn roles(account: &Account, call: &Call) -> Result<Reply, Refusal> {
    account.require(call, READ, Scope::Account)?;
    Ok(Paging::USUAL.page(&call.query, &account.roles, account.roles.len()))
}

/// The routes below `/accounts/{a}/members`.
pub(super) fn route(account: &mut Account, call: &Call, rest: &[&str]) -> Result<Reply, Refusal> {
    account.require(call, if call.method == "GET" { READ } else { WRITE }, Scope::Account)?;
    let position = |account: &Account, id: &str| {
        let found = account.members.iter().position(|member| id_of(member) == id);
        found.ok_or_else(|| Refusal::new(404, 1003, "Member not found"))
    };
    match (call.method.as_str(), rest) {
        ("GET", []) => {
            let status = call.query.get("status");
            let listed: Vec<Value> = account
                .members
                .iter()
                .filter(|member| status.is_none_or(|status| member["status"] == status))
                .cloned()
                .collect();
            Ok(Paging::USUAL.page(&call.query, &listed, account.members.len()))
        }
        ("GET", [id]) => Ok(Reply::result(account.members[position(account, id)?].clone())),
        ("POST", []) => invite(account, call),
        ("PUT", [id]) => {
            let position = position(account, id)?;
            let before = account.members[position].clone();
            let roles = roles_named(account, call)?;
            let member = &mut account.members[position];
            member["roles"] = roles;
            // A full update: what is left out is dropped.
            member["policies"] = call.body.get("policies").cloned().unwrap_or_else(|| json!([]));
            Ok(Reply::updated(before, account.members[position].clone()))
        }
        ("DELETE", [id]) => {
            let position = position(account, id)?;
            Ok(Reply::deleted(account.members.remove(position)))
        }
        _ => Err(Refusal::no_route(&call.path)),
    }
}

fn invite(account: &mut Account, call: &Call) -> Result<Reply, Refusal> {
    let email = call.text("email")?.to_owned();
    let roles = roles_named(account, call)?;
    let member = json!({
        "id": account.new_id(),
        "email": email,
        "user": { "id": account.new_id(), "email": email, "two_factor_authentication_enabled": false },
        "status": call.body["status"].as_str().unwrap_or("pending"),
        "roles": roles,
        "policies": [],
    });
    account.members.push(member.clone());
    Ok(Reply::created(member))
}

/// `roles` of the body as full objects: bare ids on POST, objects on PUT.
fn roles_named(account: &Account, call: &Call) -> Result<Value, Refusal> {
    let wanted = call.body["roles"].as_array().ok_or_else(|| Refusal::invalid("Missing required field: roles"))?;
    let role = |wanted: &Value| {
        let id = wanted.as_str().unwrap_or_else(|| id_of(wanted));
        account.roles.iter().find(|role| id_of(role) == id).cloned()
    };
    let roles: Option<Vec<Value>> = wanted.iter().map(role).collect();
    roles.map(Value::from).ok_or_else(|| Refusal::invalid("Role not found"))
}
