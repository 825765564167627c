//! The user behind the credential, and the account.

use serde_json::{Value, json};

use super::call::{Actor, Call, Refusal, Reply, id_of};
use super::paging::Paging;
use super::permissions::{Scope, names};
use super::world::Account;

/// The endpoint goes on giving its last page; a client that waits for an empty one never ends.
const ACCOUNTS: Paging = Paging { repeats_last: true, ..Paging::USUAL };

/// `/user`.
pub(super) fn user(account: &Account, call: &Call) -> Result<Reply, Refusal> {
    account.require(call, &["User Details Read"], Scope::User)?;
    let email = account.user_of(call).ok_or_else(|| Refusal::authentication(403))?;
    let person = account.people.get(&email).ok_or_else(|| Refusal::authentication(403))?;
    Ok(Reply::result(person.object.clone()))
}

/// PATCH of `/user`: of the profile, what the API lets be edited.
pub(super) fn update_user(account: &mut Account, call: &Call) -> Result<Reply, Refusal> {
    account.require(call, &["User Details Write"], Scope::User)?;
    let email = account.user_of(call).ok_or_else(|| Refusal::authentication(403))?;
    let given = call.object()?.clone();
    let person = account.people.get_mut(&email).ok_or_else(|| Refusal::authentication(403))?;
    let before = person.object.clone();
    for field in ["country", "first_name", "last_name", "telephone", "zipcode"] {
        if let Some(value) = given.get(field) {
            person.object[field] = value.clone();
        }
    }
    Ok(Reply::updated(before, person.object.clone()))
}

/// `/memberships`.
pub(super) fn memberships(account: &Account, call: &Call) -> Result<Reply, Refusal> {
    account.require(call, &["Memberships Read"], Scope::User)?;
    let email = account.user_of(call).unwrap_or_default();
    let listed: Vec<Value> = account
        .members
        .iter()
        .filter(|member| member["user"]["email"] == *email)
        .map(|member| {
            json!({
                "id": id_of(member),
                "status": member["status"],
                "account": account.object,
                "api_access_enabled": null,
                "roles": member["roles"].as_array().into_iter().flatten().map(|role| &role["name"]).collect::<Vec<_>>(),
            })
        })
        .collect();
    Ok(Paging::USUAL.page(&call.query, &listed, listed.len()))
}

/// `/accounts`.
pub(super) fn accounts(account: &Account, call: &Call) -> Result<Reply, Refusal> {
    if let Actor::Token(id) = &call.actor
        && account.token(id).is_some_and(|token| token.owner.is_none())
    {
        return Err(Refusal::invalid("List accounts endpoint does not support account owned tokens"));
    }
    Ok(ACCOUNTS.page(&call.query, std::slice::from_ref(&account.object), 1))
}

/// PUT of `/accounts/{a}`: settings that are not given stay.
pub(super) fn update(account: &mut Account, call: &Call) -> Result<Reply, Refusal> {
    account.require(call, &["Account Settings Write"], Scope::Account)?;
    let before = account.object.clone();
    if let Some(name) = call.object()?.get("name") {
        account.object["name"] = name.clone();
    }
    for (name, value) in call.body["settings"].as_object().into_iter().flatten() {
        account.object["settings"][name] = value.clone();
    }
    Ok(Reply::updated(before, account.object.clone()))
}

/// `/accounts/{a}`: any right on the account opens it.
pub(super) fn account(account: &Account, call: &Call) -> Result<Reply, Refusal> {
    let any: Vec<&str> = names().collect();
    account.require(call, &any, Scope::Account)?;
    Ok(Reply::result(account.object.clone()))
}
