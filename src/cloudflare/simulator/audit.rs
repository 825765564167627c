//! The audit log, and the three endpoints that show it.

mod entry;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::call::{Call, Query, Refusal, Reply, ReplyBody};
use super::paging::{Paging, after_cursor};
use super::permissions::Scope;
use super::world::Account;

pub(super) use entry::record;

const READ: &[&str] = &["Account Settings Write", "Account Settings Read"];

/// Both versions of the log, each in order of time.
#[derive(Debug, Clone, Default)]
pub(super) struct AuditLog {
    first: Vec<Value>,
    second: Vec<Value>,
}

/// `/accounts/{a}/audit_logs`.
pub(super) fn first_version(account: &Account, call: &Call) -> Result<Reply, Refusal> {
    account.require(call, READ, Scope::Account)?;
    let whole_account =
        |entry: &&Value| call.query.get("hide_user_logs") != Some("true") || entry["resource"]["type"] != "user_token";
    pages(account.audit.first.iter().filter(whole_account), &call.query)
}

/// `/user/audit_logs`: what the user did.
pub(super) fn of_user(account: &Account, call: &Call) -> Result<Reply, Refusal> {
    account.require(call, READ, Scope::Account)?;
    let email = account.user_of(call).ok_or_else(|| Refusal::authentication(403))?;
    pages(account.audit.first.iter().filter(|entry| entry["actor"]["email"] == *email), &call.query)
}

fn pages<'a>(entries: impl Iterator<Item = &'a Value>, query: &Query) -> Result<Reply, Refusal> {
    // Version 1 takes whole days and nothing finer.
    let date = |name: &str| {
        let given = query.get(name);
        let parsed: Option<Result<Date, _>> =
            given.map(|text| if text.len() == 10 { text.parse().map_err(|_| ()) } else { Err(()) });
        parsed.transpose().map_err(|()| Refusal::invalid(&format!("{name} must be a full-date as in RFC 3339")))
    };
    let (since, before) = (date("since")?, date("before")?);
    let filters =
        [("id", "/id"), ("action.type", "/action/type"), ("actor.ip", "/actor/ip"), ("actor.email", "/actor/email")];
    let mut found: Vec<Value> = entries
        .filter(|entry| {
            let day = entry["when"].as_str().and_then(|when| when.get(..10)?.parse::<Date>().ok());
            since.is_none_or(|since| day >= Some(since)) && before.is_none_or(|before| day <= Some(before))
        })
        .filter(|entry| passes(entry, &filters, query))
        .cloned()
        .collect();
    if query.get("direction") != Some("asc") {
        found.reverse();
    }
    let mut reply = Paging::AUDIT.page(query, &found, found.len());
    // This list does not say how long it is.
    if let ReplyBody::Envelope { result_info, .. } = &mut reply.body {
        *result_info = None;
    }
    Ok(reply)
}

/// The filters of version 2 and where their fields are.
const FILTERS: [(&str, &str); 19] = [
    ("id", "/id"),
    ("actor_email", "/actor/email"),
    ("actor_id", "/actor/id"),
    ("actor_ip_address", "/actor/ip_address"),
    ("actor_token_id", "/actor/token_id"),
    ("actor_token_name", "/actor/token_name"),
    ("actor_type", "/actor/type"),
    ("actor_context", "/actor/context"),
    ("action_type", "/action/type"),
    ("action_result", "/action/result"),
    ("resource_product", "/resource/product"),
    ("resource_type", "/resource/type"),
    ("resource_id", "/resource/id"),
    ("resource_scope", "/resource/scope"),
    ("zone_id", "/zone/id"),
    ("zone_name", "/zone/name"),
    ("raw_method", "/raw/method"),
    ("raw_uri", "/raw/uri"),
    ("raw_cf_ray_id", "/raw/cf_ray_id"),
];

/// `/accounts/{a}/logs/audit`.
pub(super) fn second_version(account: &Account, call: &Call) -> Result<Reply, Refusal> {
    account.require(call, READ, Scope::Account)?;
    let bound = |name: &str| call.query.get(name).and_then(moment);
    let (Some(since), Some(before)) = (bound("since"), bound("before")) else {
        return Err(Refusal::invalid("since and before are required"));
    };
    let mut found: Vec<Value> = account
        .audit
        .second
        .iter()
        .filter(|entry| {
            let time = entry["action"]["time"].as_str().and_then(moment);
            time.is_some_and(|time| since <= time && time <= before)
        })
        .filter(|entry| passes(entry, &FILTERS, &call.query))
        .cloned()
        .collect();
    if call.query.get("direction") != Some("asc") {
        found.reverse();
    }
    let limit = call.query.number("limit").unwrap_or(100).clamp(1, 1000);
    let (page, next) = after_cursor(&found, call.query.get("cursor"), limit)?;
    let info = json!({ "count": page.len().to_string(), "cursor": next.unwrap_or_default() });
    // Version 2 declares no `messages`.
    Ok(Reply::bare(json!({ "success": true, "errors": [], "result": page, "result_info": info })))
}

/// A timestamp, or the first moment of a date in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let date = || Some(text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
    if text.len() == 10 { date() } else { text.parse().ok() }
}

/// Several values of one filter are alternatives; `name.not` excludes.
fn passes(entry: &Value, filters: &[(&str, &str)], query: &Query) -> bool {
    filters.iter().all(|(name, pointer)| {
        let held = entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let not = format!("{name}.not");
        let mut wanted = query.all(name).peekable();
        (wanted.peek().is_none() || wanted.any(|value| value == held)) && query.all(&not).all(|value| value != held)
    })
}
