//! Zones, and what of them is neither DNS nor certificates nor rules.

use serde_json::{Value, json};

use super::call::{Call, Refusal, Reply, id_of};
use super::paging::Paging;
use super::permissions::Scope;
use super::world::Account;
use super::{access_rules, certificates, dns, rules, shelf};

const SETTINGS_WRITE: &[&str] = &["Zone Settings Write"];
const SETTINGS_READ: &[&str] = &["Zone Settings Write", "Zone Settings Read"];
const ZONE_READ: &[&str] = &["Zone Read", "Zone Write"];

/// The routes below `/zones`.
pub(super) fn route(account: &mut Account, call: &Call, rest: &[&str]) -> Result<Reply, Refusal> {
    let [zone, rest @ ..] = rest else { return list(account, call) };
    match (call.method.as_str(), rest) {
        (_, ["dns_records", rest @ ..]) => dns::route(account, call, zone, rest),
        (_, ["ssl", "certificate_packs", rest @ ..]) => certificates::packs(account, call, zone, rest),
        (_, ["custom_certificates", rest @ ..]) => certificates::custom(account, call, zone, rest),
        (_, ["rulesets", rest @ ..]) => rules::route(account, call, Scope::Zone(zone), rest),
        (_, ["firewall", "access_rules", "rules", rest @ ..]) => {
            access_rules::route(account, call, Scope::Zone(zone), rest)
        }
        ("GET", []) => {
            account.require(call, ZONE_READ, Scope::Zone(zone))?;
            Ok(Reply::result(account.zone(call, zone)?.object.clone()))
        }
        ("PATCH" | "PUT", []) => {
            account.require(call, &["Zone Write"], Scope::Zone(zone))?;
            let object = &mut account.zone_mut(call, zone)?.object;
            edit(object, call, &["paused", "type", "vanity_name_servers"])
        }
        ("DELETE", []) => {
            account.require(call, &["Zone Write"], Scope::Zone(zone))?;
            let gone = account.zone(call, zone)?.object.clone();
            account.zones.retain(|it| id_of(&it.object) != *zone);
            Ok(Reply::deleted(gone))
        }
        ("POST" | "PATCH" | "DELETE", ["hold"]) => {
            account.require(call, &["Zone Write"], Scope::Zone(zone))?;
            let hold = &mut account.zone_mut(call, zone)?.hold;
            let before = hold.clone();
            hold["hold"] = (call.method != "DELETE").into();
            let include = call.query.get("include_subdomains").or(call.body["include_subdomains"].as_str());
            if let Some(include) = include {
                hold["include_subdomains"] = include.into();
            }
            Ok(Reply::updated(before, hold.clone()))
        }
        ("PATCH", ["dnssec"]) => {
            account.require(call, &["DNS Write"], Scope::Zone(zone))?;
            let dnssec = &mut account.zone_mut(call, zone)?.dnssec;
            edit(dnssec, call, &["status", "dnssec_multi_signer", "dnssec_presigned", "dnssec_use_nsec3"])
        }
        ("GET", ["hold"]) => {
            account.require(call, ZONE_READ, Scope::Zone(zone))?;
            Ok(Reply::result(account.zone(call, zone)?.hold.clone()))
        }
        ("GET", ["dnssec"]) => {
            account.require(call, &["DNS Read", "DNS Write"], Scope::Zone(zone))?;
            Ok(Reply::result(account.zone(call, zone)?.dnssec.clone()))
        }
        ("GET", ["settings", name]) => {
            account.require(call, SETTINGS_READ, Scope::Zone(zone))?;
            let settings = &account.zone(call, zone)?.settings;
            let setting = settings.iter().find(|setting| id_of(setting) == *name);
            setting.cloned().map(Reply::result).ok_or_else(|| Refusal::new(400, 1003, "Undefined zone setting"))
        }
        ("PATCH", ["settings"]) => {
            account.require(call, SETTINGS_WRITE, Scope::Zone(zone))?;
            set_many(account, call, zone)
        }
        ("PATCH", ["settings", name]) => {
            account.require(call, SETTINGS_WRITE, Scope::Zone(zone))?;
            set(account, call, zone, name)
        }
        _ => shelf::route(account, call),
    }
}

/// Sets the fields that are given, of those that can be.
fn edit(object: &mut Value, call: &Call, fields: &[&str]) -> Result<Reply, Refusal> {
    let before = object.clone();
    let given = call.object()?;
    for field in fields {
        if let Some(value) = given.get(*field) {
            object[*field] = value.clone();
        }
    }
    object["modified_on"] = call.stamp().into();
    Ok(Reply::updated(before, object.clone()))
}

/// Lists what the caller may see, which may be nothing.
fn list(account: &Account, call: &Call) -> Result<Reply, Refusal> {
    if call.method != "GET" {
        return Err(Refusal::no_route(&call.path));
    }
    let account_wanted = call.query.get("account.id");
    let name_wanted = call.query.get("name");
    let listed: Vec<Value> = account
        .zones
        .iter()
        .map(|zone| &zone.object)
        .filter(|_| account_wanted.is_none_or(|id| id == account.id()))
        .filter(|zone| name_wanted.is_none_or(|name| zone["name"] == name))
        .filter(|zone| account.require(call, ZONE_READ, Scope::Zone(id_of(zone))).is_ok())
        .cloned()
        .collect();
    Ok(Paging::USUAL.page(&call.query, &listed, account.zones.len()))
}

fn set(account: &mut Account, call: &Call, zone: &str, name: &str) -> Result<Reply, Refusal> {
    let value = call.object()?.get("value").ok_or_else(|| Refusal::invalid("Missing required field: value"))?;
    let settings = &mut account.zone_mut(call, zone)?.settings;
    let setting = settings.iter_mut().find(|setting| id_of(setting) == name);
    let setting = setting.ok_or_else(|| Refusal::new(400, 1003, "Undefined zone setting"))?;
    let before = setting.clone();
    setting["value"] = value.clone();
    setting["modified_on"] = call.stamp().into();
    Ok(Reply::updated(before, setting.clone()))
}

/// Several settings in one body, all of them or none.
fn set_many(account: &mut Account, call: &Call, zone: &str) -> Result<Reply, Refusal> {
    let items = call.object()?.get("items").and_then(Value::as_array);
    let items = items.ok_or_else(|| Refusal::invalid("Missing required field: items"))?;
    let kept = account.zone(call, zone)?.settings.clone();
    let (mut was, mut is) = (Vec::new(), Vec::new());
    for item in items {
        let one = Call { body: item.clone(), ..call.clone() };
        match set(account, &one, zone, id_of(item)) {
            Ok(Reply { change, .. }) => {
                let change = change.map(|change| (change.before, change.after)).unwrap_or_default();
                was.push(change.0);
                is.push(change.1);
            }
            Err(refusal) => {
                account.zone_mut(call, zone)?.settings = kept;
                return Err(refusal);
            }
        }
    }
    let is = Value::Array(is);
    Ok(Reply::result(is.clone()).changing(String::new(), json!({ "items": was }), is))
}
