//! DNS records.

use serde_json::{Map, Value, json};

use super::call::{Call, Refusal, Reply, ReplyBody, id_of};
use super::paging::Paging;
use super::permissions::Scope;
use super::secret;
use super::world::{Account, Zone};

/// The fields of a record that a client sets, and what they are when it does not.
const SETTABLE: &[&str] =
    &["type", "name", "content", "data", "priority", "ttl", "proxied", "settings", "comment", "tags"];

/// The routes below `/zones/{z}/dns_records`.
pub(super) fn route(account: &mut Account, call: &Call, zone: &str, rest: &[&str]) -> Result<Reply, Refusal> {
    let groups: &[&str] = if call.method == "GET" { &["DNS Read", "DNS Write"] } else { &["DNS Write"] };
    account.require(call, groups, Scope::Zone(zone))?;
    match (call.method.as_str(), rest) {
        ("GET", []) => Ok(list(account.zone(call, zone)?, call)),
        ("GET", ["export"]) => Ok(export(account.zone(call, zone)?)),
        ("GET", [id]) => {
            let zone = account.zone(call, zone)?;
            Ok(Reply::result(zone.records[position(zone, id)?].clone()))
        }
        ("POST", []) => create(account, call, zone),
        ("POST", ["batch"]) => batch(account, call, zone),
        ("PATCH" | "PUT", [id]) => update(account, call, zone, id),
        ("DELETE", [id]) => {
            let zone = account.zone_mut(call, zone)?;
            let removed = zone.records.remove(position(zone, id)?);
            let mut reply = Reply::deleted(removed);
            // This one answer declares nothing but `result`.
            reply.body = ReplyBody::Bare(json!({ "result": { "id": id } }));
            Ok(reply)
        }
        _ => Err(Refusal::no_route(&call.path)),
    }
}

fn position(zone: &Zone, id: &str) -> Result<usize, Refusal> {
    let found = zone.records.iter().position(|record| id_of(record) == id);
    found.ok_or_else(|| Refusal::new(404, 81044, "Record does not exist."))
}

fn list(zone: &Zone, call: &Call) -> Reply {
    if zone.more_records > 0 {
        return numbered(zone, call);
    }
    let wanted = |field: &str| call.query.get(field).map(str::to_ascii_lowercase);
    let filters: Vec<(&str, String)> =
        ["name", "type", "content"].into_iter().filter_map(|field| Some((field, wanted(field)?))).collect();
    let listed: Vec<Value> = zone
        .records
        .iter()
        .filter(|record| {
            filters.iter().all(|(field, value)| record[field].as_str().is_some_and(|it| it.eq_ignore_ascii_case(value)))
        })
        .cloned()
        .collect();
    Paging::DNS.page(&call.query, &listed, zone.records.len())
}

/// The list of a large zone: those behind the stored records are made here, page by page. It knows no filters.
fn numbered(zone: &Zone, call: &Call) -> Reply {
    let stored = zone.records.len();
    let (range, info) = Paging::DNS.window(&call.query, stored + zone.more_records, stored + zone.more_records);
    let name = zone.object["name"].as_str().unwrap_or_default();
    let record = |at: usize| {
        let Some(number) = at.checked_sub(stored) else { return zone.records[at].clone() };
        let content = format!("198.18.{}.{}", number / 256 % 256, number % 256);
        let given = json!({ "type": "A", "name": format!("host-{number}"), "content": content, "ttl": 300 });
        let id = secret::id(&format!("{name}/{number}"));
        new_record(&id, &given, name, "2026-01-01T00:00:00Z").unwrap_or_default()
    };
    Reply::page(range.map(record).collect(), Some(info))
}

/// A zone file: no ids, no proxy state.
fn export(zone: &Zone) -> Reply {
    let name = zone.object["name"].as_str().unwrap_or_default();
    let mut text = format!(";; Domain: {name}.\n;; Exported for backup.\n$ORIGIN {name}.\n");
    for record in &zone.records {
        let field = |field: &str| record[field].as_str().unwrap_or_default();
        let priority = record["priority"].as_u64().map(|priority| format!("{priority} ")).unwrap_or_default();
        let (name, kind, content) = (field("name"), field("type"), field("content"));
        let dot = if matches!(kind, "CNAME" | "MX" | "NS") { "." } else { "" };
        text.push_str(&format!("{name}.\t{}\tIN\t{kind}\t{priority}{content}{dot}\n", record["ttl"]));
    }
    Reply { body: ReplyBody::Text(text), change: None }
}

fn create(account: &mut Account, call: &Call, zone: &str) -> Result<Reply, Refusal> {
    let id = account.new_id();
    let zone = account.zone_mut(call, zone)?;
    let record = new_record(&id, &call.body, zone.object["name"].as_str().unwrap_or_default(), &call.stamp())?;
    conflict(zone, &record, None)?;
    zone.records.push(record.clone());
    Ok(Reply::created(record))
}

/// A whole record out of the fields that a client gives.
pub(super) fn new_record(id: &str, given: &Value, zone: &str, stamp: &str) -> Result<Value, Refusal> {
    let missing = |field: &str| Refusal::new(400, 9005, &format!("DNS record is missing {field}."));
    let kind = given["type"].as_str().ok_or_else(|| missing("type"))?;
    let name = given["name"].as_str().ok_or_else(|| missing("name"))?;
    let content = given["content"].as_str().ok_or_else(|| missing("content"))?;
    let proxiable = matches!(kind, "A" | "AAAA" | "CNAME");
    let proxied = proxiable && given["proxied"] == true;
    let mut record = json!({
        "id": id,
        "name": full_name(name, zone),
        "type": kind,
        "content": content,
        "proxiable": proxiable,
        "proxied": proxied,
        "ttl": if proxied { json!(1) } else { given.get("ttl").cloned().unwrap_or(json!(1)) },
        "settings": given.get("settings").cloned().unwrap_or(json!({})),
        "meta": {},
        "comment": given.get("comment").cloned().unwrap_or(Value::Null),
        "tags": given.get("tags").cloned().unwrap_or(json!([])),
        "created_on": stamp,
        "modified_on": stamp,
    });
    for field in ["data", "priority"] {
        if let Some(value) = given.get(field) {
            record[field] = value.clone();
        }
    }
    Ok(record)
}

/// Names are given relative to the zone or in full; `@` is the zone itself.
fn full_name(name: &str, zone: &str) -> String {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if name == "@" || name == zone {
        return zone.to_owned();
    }
    if name.ends_with(&format!(".{zone}")) { name } else { format!("{name}.{zone}") }
}

/// PATCH changes what it names; PUT resets what it does not name.
fn update(account: &mut Account, call: &Call, zone: &str, id: &str) -> Result<Reply, Refusal> {
    let given = call.object()?;
    let zone = account.zone_mut(call, zone)?;
    let position = position(zone, id)?;
    let before = zone.records[position].clone();
    let mut merged = if call.method == "PUT" { json!({}) } else { before.clone() };
    for field in SETTABLE {
        if let Some(value) = given.get(*field) {
            merged[*field] = value.clone();
        }
    }
    if merged["type"] != before["type"] {
        return Err(Refusal::new(400, 9005, "The type of a DNS record cannot be changed."));
    }
    let mut record = new_record(id, &merged, zone.object["name"].as_str().unwrap_or_default(), &call.stamp())?;
    record["created_on"] = before["created_on"].clone();
    conflict(zone, &record, Some(id))?;
    zone.records[position] = record.clone();
    Ok(Reply::updated(before, record))
}

/// Many changes in the order that is documented; the first that fails undoes all.
fn batch(account: &mut Account, call: &Call, zone: &str) -> Result<Reply, Refusal> {
    let given = call.object()?;
    let kept = account.zone(call, zone)?.records.clone();
    let (mut before, mut after) = (Map::new(), Map::new());
    for (list, method) in [("deletes", "DELETE"), ("patches", "PATCH"), ("puts", "PUT"), ("posts", "POST")] {
        let (mut was, mut is) = (Vec::new(), Vec::new());
        for item in given.get(list).and_then(Value::as_array).into_iter().flatten() {
            let one = Call { method: method.to_owned(), body: item.clone(), ..call.clone() };
            let below: &[&str] = if method == "POST" { &[] } else { &[id_of(item)] };
            match route(account, &one, zone, below) {
                Ok(Reply { change, .. }) => {
                    let (old, new) = change.map(|change| (change.before, change.after)).unwrap_or_default();
                    // What was deleted is told as it was.
                    is.push(if new.is_null() { old.clone() } else { new });
                    was.extend(Some(old).filter(|old| !old.is_null()));
                }
                Err(refusal) => {
                    account.zone_mut(call, zone)?.records = kept;
                    return Err(refusal);
                }
            }
        }
        before.insert(list.to_owned(), was.into());
        after.insert(list.to_owned(), is.into());
    }
    let after = Value::Object(after);
    Ok(Reply::result(after.clone()).changing(String::new(), before.into(), after))
}

/// A name has one CNAME or other records, and no record twice.
fn conflict(zone: &Zone, record: &Value, but: Option<&str>) -> Result<(), Refusal> {
    let same_name = zone.records.iter().filter(|other| Some(id_of(other)) != but && other["name"] == record["name"]);
    for other in same_name {
        let same = |field: &str| other[field] == record[field];
        if same("type") && same("content") && same("priority") {
            return Err(Refusal::new(400, 81058, "An identical record already exists."));
        }
        let address = |record: &Value| record["type"] == "A" || record["type"] == "AAAA";
        let alias = |record: &Value| record["type"] == "CNAME";
        if (alias(record) && (alias(other) || address(other))) || (address(record) && alias(other)) {
            let text = "An A, AAAA, or CNAME record with that host already exists.";
            return Err(Refusal::new(400, 81053, text));
        }
    }
    Ok(())
}
