//! What a write does.

use serde_json::{Map, Value, json};

use super::born::{Maker, always, born, soft_delete};
use super::place::Place;
use crate::cloudflare::simulator::call::{Call, Refusal, Reply};
use crate::cloudflare::simulator::world::Account;
use crate::hunt::{Family, Shape};

pub(super) fn write(account: &mut Account, call: &Call, place: &Place) -> Result<Reply, Refusal> {
    let rest: Vec<&str> = place.rest.iter().map(String::as_str).collect();
    let is_list = matches!(place.family.shape, Shape::List(_));
    match (call.method.as_str(), rest.as_slice()) {
        ("POST", []) if is_list => create(account, call, place),
        ("PUT" | "PATCH", []) if is_list => put(account, call, place),
        ("DELETE", []) if is_list => clear(account, call, place),
        ("POST" | "PUT" | "PATCH", []) => set(account, call, place),
        ("DELETE", []) => unset(account, call, place),
        ("POST" | "PUT", [verb]) if !is_list => touch(account, call, place, verb),
        ("PUT" | "PATCH", [id]) => edit(account, call, place, id),
        ("DELETE", [id]) => delete(account, call, place, id),
        // Rotate, refresh, revoke: what it is called differs, and what shows afterwards is when it was done.
        (_, [id, verb]) if is_list => act(account, call, place, id, verb),
        _ => Err(Refusal::no_route(&call.path)),
    }
}

fn make(account: &mut Account, call: &Call, place: &Place, given: &Value) -> Value {
    let id = account.new_id();
    let email = account.user_of(call);
    let maker = Maker {
        account: account.id(),
        email: email.as_deref().unwrap_or_default(),
        parent: place.parent.as_ref().map(|(_, id)| id.as_str()).unwrap_or_default(),
        jurisdiction: &call.jurisdiction,
    };
    born(place.family, given, &id, &maker, &call.stamp())
}

fn create(account: &mut Account, call: &Call, place: &Place) -> Result<Reply, Refusal> {
    let given = match &call.body {
        Value::Array(items) => items.clone(),
        Value::Object(_) => vec![call.body.clone()],
        _ => return Err(Refusal::invalid("Request body is invalid.")),
    };
    let made: Vec<Value> = given.iter().map(|given| make(account, call, place, given)).collect();
    account.shelf.items_mut(&place.list).extend(made.iter().cloned());
    let [one] = made.as_slice() else { return Ok(replaced(place, Vec::new(), made)) };
    let id = place.family.id_of(one);
    Ok(Reply::result(one.clone()).changing(id, Value::Null, one.clone()))
}

/// A whole list, which takes the place of what there was; or one item, by what tells it apart.
fn put(account: &mut Account, call: &Call, place: &Place) -> Result<Reply, Refusal> {
    let whole = match &call.body {
        Value::Array(items) => Some(items.clone()),
        body => ["rules", place.family.inside].iter().find_map(|name| body[*name].as_array().cloned()),
    };
    if let Some(given) = whole {
        let made: Vec<Value> = given.iter().map(|given| make(account, call, place, given)).collect();
        let before = std::mem::replace(account.shelf.items_mut(&place.list), made.clone());
        return Ok(replaced(place, before, made));
    }
    call.object()?;
    let items = account.shelf.items(&place.list);
    let names = |item: &Value| place.family.label.iter().map(|at| item.pointer(at).cloned()).collect::<Vec<_>>();
    match items.iter().find(|item| names(item) == names(&call.body)).map(|item| place.family.id_of(item)) {
        Some(id) => edit(account, call, place, &id),
        None => create(account, call, place),
    }
}

fn replaced(place: &Place, before: Vec<Value>, after: Vec<Value>) -> Reply {
    let id = place.parent.as_ref().map(|(_, id)| id.clone()).unwrap_or_default();
    let result = if place.family.inside.is_empty() { json!(after) } else { json!({ place.family.inside: after }) };
    Reply::result(result).changing(id, before.into(), after.into())
}

/// Some of a list, where the body names them; else all of it.
fn clear(account: &mut Account, call: &Call, place: &Place) -> Result<Reply, Refusal> {
    let named: Vec<&Value> = call.body["items"].as_array().into_iter().flatten().map(|item| &item["id"]).collect();
    let items = account.shelf.items_mut(&place.list);
    let goes = |item: &Value| named.is_empty() || named.contains(&&item["id"]);
    let (gone, kept): (Vec<Value>, Vec<Value>) = std::mem::take(items).into_iter().partition(goes);
    *items = kept;
    Ok(replaced(place, gone, Vec::new()))
}

fn set(account: &mut Account, call: &Call, place: &Place) -> Result<Reply, Refusal> {
    let given = call.object()?.clone();
    let before = account.shelf.items(&place.list).first().cloned().or_else(|| always(place.family));
    let after = match &before {
        Some(before) => merged(place.family, before, &given, &call.stamp()),
        None => make(account, call, place, &call.body),
    };
    *account.shelf.items_mut(&place.list) = vec![after.clone()];
    let id = place.parent.as_ref().map_or_else(|| place.family.id_of(&after), |(_, id)| id.clone());
    Ok(Reply::result(after.clone()).changing(id, before.unwrap_or_default(), after))
}

fn unset(account: &mut Account, call: &Call, place: &Place) -> Result<Reply, Refusal> {
    let items = account.shelf.items_mut(&place.list);
    if items.is_empty() {
        return Err(place.missing(&call.path));
    }
    let before = items.remove(0);
    let id = place.family.id_of(&before);
    Ok(Reply::result(json!({ "id": id })).changing(id, before, Value::Null))
}

fn edit(account: &mut Account, call: &Call, place: &Place, id: &str) -> Result<Reply, Refusal> {
    let given = call.object()?.clone();
    let items = account.shelf.items_mut(&place.list);
    let Some(at) = place.position(items, id) else {
        if call.method != "PUT" {
            return Err(place.missing(&call.path));
        }
        // What is called by its name is made by putting it there.
        let mut given = Value::Object(given);
        if let Some(name) = place.family.id.strip_prefix('/') {
            given[name] = id.into();
        }
        let made = make(account, call, place, &given);
        account.shelf.items_mut(&place.list).push(made.clone());
        return Ok(Reply::result(made.clone()).changing(id.to_owned(), Value::Null, made));
    };
    let before = items[at].clone();
    let after = merged(place.family, &before, &given, &call.stamp());
    items[at] = after.clone();
    Ok(Reply::result(after.clone()).changing(id.to_owned(), before, after))
}

fn delete(account: &mut Account, call: &Call, place: &Place, id: &str) -> Result<Reply, Refusal> {
    let items = account.shelf.items_mut(&place.list);
    let at = place.position(items, id).ok_or_else(|| place.missing(&call.path))?;
    let before = match soft_delete(place.family, &call.stamp()) {
        None => items.remove(at),
        Some((field, mark)) => {
            let before = items[at].clone();
            items[at][field] = mark;
            before
        }
    };
    let name = before["name"].clone();
    Ok(Reply::result(json!({ "id": id, "name": name })).changing(id.to_owned(), before, Value::Null))
}

fn act(account: &mut Account, call: &Call, place: &Place, id: &str, verb: &str) -> Result<Reply, Refusal> {
    let secret = account.new_secret("cfs");
    let items = account.shelf.items_mut(&place.list);
    let at = place.position(items, id).ok_or_else(|| place.missing(&call.path))?;
    let before = items[at].clone();
    let mut given = call.body.as_object().cloned().unwrap_or_default();
    if verb == "rotate_secret" && place.family.name == "oauth_clients" {
        given.insert("has_rotated_secret".to_owned(), (call.method == "POST").into());
    }
    let after = merged(place.family, &before, &given, &call.stamp());
    items[at] = after.clone();
    let mut shown = after.clone();
    if verb.starts_with("rotate") {
        shown["client_secret"] = secret.into();
    }
    Ok(Reply::result(shown).changing(id.to_owned(), before, after))
}

/// Something is done with the only one of its kind, and when it was done shows.
fn touch(account: &mut Account, call: &Call, place: &Place, verb: &str) -> Result<Reply, Refusal> {
    if place.family.name == "secondary_dns_outgoing" && matches!(verb, "enable" | "disable") {
        // Whether transfers are on is a word, beside what is transferred.
        let after = Value::from(format!("{verb}d"));
        let status = account.shelf.items_mut(&format!("{}/status", place.list));
        let before = std::mem::replace(status, vec![after.clone()]).pop().unwrap_or_default();
        return Ok(Reply::result(after.clone()).changing(String::new(), before, after));
    }
    let before = account.shelf.items(&place.list).first().cloned().or_else(|| always(place.family));
    let before = before.ok_or_else(|| place.missing(&call.path))?;
    let after = merged(place.family, &before, &Map::new(), &call.stamp());
    *account.shelf.items_mut(&place.list) = vec![after.clone()];
    Ok(Reply::result(after.clone()).changing(String::new(), before, after))
}

/// The fields that are given, over those that were there.
fn merged(family: &Family, before: &Value, given: &Map<String, Value>, stamp: &str) -> Value {
    let mut after = before.clone();
    for (name, value) in given {
        after[name] = value.clone();
    }
    if !family.modified.is_empty()
        && let Some(modified) = after.pointer_mut(family.modified)
    {
        *modified = stamp.into();
    }
    after
}
