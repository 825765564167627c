//! What the log says about one call.

use serde_json::{Map, Value, json};

use crate::cloudflare::simulator::call::{Actor, Call, Change, id_of};
use crate::cloudflare::simulator::secret::{self, CANARY};
use crate::cloudflare::simulator::shelf::Place;
use crate::cloudflare::simulator::world::Account;

/// Path segment, and product and type of the resource that it stands for.
const RESOURCES: [(&str, &str, &str); 12] = [
    ("tokens", "api_tokens", "token"),
    ("members", "members", "member"),
    ("roles", "members", "role"),
    ("dns_records", "dns", "dns_record"),
    ("certificate_packs", "ssl", "certificate_pack"),
    ("custom_certificates", "ssl", "custom_certificate"),
    ("certificates", "origin_ca", "certificate"),
    ("rulesets", "rulesets", "ruleset"),
    ("access_rules", "firewall", "access_rule"),
    ("purge_cache", "cache", "cache"),
    ("settings", "zone_settings", "zone_setting"),
    ("audit", "audit_logs", "audit_log"),
];

/// Writes a call into the log: every call into version 2, applied writes into version 1 too.
///
/// `change` is what the call did; without it, the call was a read or had no effect.
pub(in crate::cloudflare::simulator) fn record(
    account: &mut Account,
    call: &Call,
    status: u16,
    change: Option<&Change>,
) {
    // Not numbered: reads are not replayed, and an entry keeps its id through a restart.
    let id = secret::id(&format!("audit/{}/{}/{}/{}", call.at, call.actor, call.method, call.path));
    let email = account.user_of(call);
    let second = second_version(account, call, &id, email.as_deref(), status, change);
    account.audit.second.push(second);
    if let Some(change) = change {
        let first = first_version(account, call, &id, email.as_deref(), change);
        account.audit.first.push(first);
    }
}

fn second_version(
    account: &Account,
    call: &Call,
    id: &str,
    email: Option<&str>,
    status: u16,
    change: Option<&Change>,
) -> Value {
    let (product, kind) = resource(&call.path);
    let succeeded = status < 400;
    let action = action(&call.method);
    let mut actor = json!({ "type": "user", "ip_address": call.ip });
    match &call.actor {
        Actor::Token(token_id) => {
            actor["context"] = "api_token".into();
            actor["token_id"] = token_id.as_str().into();
            actor["token_name"] = account.token(token_id).map_or(Value::Null, |token| token.object["name"].clone());
        }
        Actor::GlobalKey(_) => actor["context"] = "api_key".into(),
        Actor::Dashboard(_) => actor["context"] = "dash".into(),
        Actor::Application(_) => actor["context"] = "oauth".into(),
        Actor::System => actor["type"] = "system".into(),
    }
    match email.and_then(|email| account.people.get(email)) {
        Some(person) => {
            actor["id"] = id_of(&person.object).into();
            actor["email"] = person.object["email"].clone();
        }
        // An account-owned token acts as the account, which has no email.
        None if matches!(call.actor, Actor::Token(_)) => {
            actor["type"] = "account".into();
            actor["id"] = account.id().into();
        }
        None => {}
    }
    let target = target(call, change);
    let mut entry = json!({
        "id": id,
        "account": { "id": account.id(), "name": account.object["name"] },
        "action": {
            "type": action,
            "result": if succeeded { "success" } else { "failure" },
            "description": format!("{action} {kind}"),
            "time": call.stamp(),
        },
        "actor": actor,
        "raw": {
            "cf_ray_id": &id[..16],
            "method": call.method,
            "status_code": status,
            "uri": format!("/client/v4{}", call.path),
            "user_agent": call.agent,
        },
        "resource": { "id": target, "type": kind, "product": product, "scope": scope(&call.path) },
    });
    if let Some(change) = change {
        entry["resource"]["request"] = redacted(call, &call.body);
        entry["resource"]["response"] = redacted(call, &change.after);
    }
    if let Some(zone) = account.zone_of(call, change) {
        entry["zone"] = json!({ "id": zone.object["id"], "name": zone.object["name"] });
    }
    entry
}

fn first_version(account: &Account, call: &Call, id: &str, email: Option<&str>, change: &Change) -> Value {
    let (_, kind) = resource(&call.path);
    let verb = match call.method.as_str() {
        "POST" => "add",
        "DELETE" => "delete",
        _ => "change_setting",
    };
    let actor = match email.and_then(|email| account.people.get(email)) {
        Some(person) => {
            json!({ "id": person.object["id"], "email": person.object["email"], "ip": call.ip, "type": "user" })
        }
        None if call.actor == Actor::System => json!({ "type": "Cloudflare" }),
        None => json!({ "id": account.id(), "ip": call.ip, "type": "user" }),
    };
    let mut metadata = json!({});
    if let Actor::Token(token) = &call.actor {
        metadata["token_id"] = token.as_str().into();
    }
    if let Some(zone) = account.zone_of(call, Some(change)) {
        metadata["zone_name"] = zone.object["name"].clone();
    }
    json!({
        "id": id,
        "when": call.stamp(),
        "action": { "type": verb, "result": true },
        "actor": actor,
        "interface": if matches!(call.actor, Actor::Dashboard(_)) { "UI" } else { "API" },
        "owner": { "id": account.id() },
        "resource": { "id": target(call, Some(change)), "type": if call.path.starts_with("/user/") { "user_token" } else { kind } },
        "metadata": metadata,
        "oldValue": redacted(call, &change.before),
        "newValue": redacted(call, &change.after),
    })
}

fn action(method: &str) -> &'static str {
    match method {
        "GET" => "view",
        "POST" => "create",
        "DELETE" => "delete",
        _ => "update",
    }
}

fn resource(path: &str) -> (&'static str, &'static str) {
    if let Some(place) = Place::find(path) {
        // The product is what comes first below the account or the zone.
        let at = if path.starts_with("/user/") { 2 } else { 3 };
        return (place.family.path.split('/').nth(at).unwrap_or_default(), place.family.name);
    }
    let mut segments = path.split('/');
    let known = segments.find_map(|segment| RESOURCES.iter().find(|(name, ..)| *name == segment));
    known.map_or(("account", "account"), |(_, product, kind)| (product, kind))
}

fn scope(path: &str) -> &'static str {
    match path.split('/').nth(1) {
        Some("user") => "user",
        Some("memberships") => "memberships",
        Some("accounts") => "accounts",
        _ => "zones",
    }
}

/// Id of what a call is about: of what it changed, or the last one in its path.
fn target(call: &Call, change: Option<&Change>) -> String {
    let changed = change.map(|change| change.id.clone()).filter(|id| !id.is_empty());
    changed.unwrap_or_else(|| last_id(&call.path))
}

/// The last identifier in a path.
fn last_id(path: &str) -> String {
    let is_id = |segment: &&str| segment.len() == 32 && segment.bytes().all(|byte| byte.is_ascii_hexdigit());
    path.rsplit('/').find(is_id).unwrap_or_default().to_owned()
}

/// Secrets never appear in the log: neither where the family has one, nor those that this world made.
fn redacted(call: &Call, value: &Value) -> Value {
    let family = Place::find(&call.path).map(|place| place.family);
    let hide = |value: &Value| family.map_or_else(|| value.clone(), |family| family.redacted(value.clone()));
    without_secrets(&match value {
        Value::Array(items) => items.iter().map(hide).collect(),
        value => hide(value),
    })
}

fn without_secrets(value: &Value) -> Value {
    const NAMES: [&str; 4] = ["private_key", "tunnel_secret", "client_secret", "secret"];
    match value {
        Value::String(text) if text.contains(CANARY) => "REDACTED".into(),
        Value::Array(items) => items.iter().map(without_secrets).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let is_secret = NAMES.contains(&name.as_str()) && value.is_string();
                (name.clone(), if is_secret { "REDACTED".into() } else { without_secrets(value) })
            })
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}
