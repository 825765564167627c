//! The two logs as the API gives them (API.md section 8), turned into one event.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::secrets::{mask, mask_value};
use crate::hunt::AuditEvent;
use crate::model::{plain_address, plain_email};

/// The same act in both logs lies this far apart at most.
const TWIN: SignedDuration = SignedDuration::from_secs(2);

/// An entry of log v2.
pub fn second(entry: &Value) -> Option<AuditEvent> {
    let mut entry = entry.clone();
    mask(&mut entry);
    let text = |pointer: &str| {
        entry.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    Some(AuditEvent {
        id: text("/id")?,
        at: text("/action/time")?.parse().ok()?,
        action: text("/action/type").unwrap_or_default(),
        // A string in this log, a bool in the other (documented).
        success: entry.pointer("/action/result").and_then(Value::as_str) != Some("failure"),
        resource_type: text("/resource/type").unwrap_or_default(),
        resource_id: text("/resource/id"),
        zone: text("/zone/name"),
        email: text("/actor/email").map(|it| plain_email(&it)),
        token_id: text("/actor/token_id"),
        token_name: text("/actor/token_name"),
        context: text("/actor/context"),
        ip: text("/actor/ip_address").map(|it| plain_address(&it)),
        user_agent: text("/raw/user_agent"),
        method: text("/raw/method"),
        uri: text("/raw/uri"),
        status: entry.pointer("/raw/status_code").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok()),
        // No field tells what it was.
        before: None,
        after: value(&entry, &["/resource/response", "/resource/request"]),
        log: "v2".to_owned(),
        own: false,
        unexplained: false,
        new_kind: false,
    })
}

/// An entry of log v1. Its actions have names of their own; those that add and delete are put into the words of v2.
pub fn first(entry: &Value) -> Option<AuditEvent> {
    let mut entry = entry.clone();
    mask(&mut entry);
    let text = |pointer: &str| {
        entry.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let action = text("/action/type").unwrap_or_default();
    Some(AuditEvent {
        id: text("/id")?,
        at: text("/when")?.parse().ok()?,
        action: match action.as_str() {
            "add" | "create" => "create".to_owned(),
            "delete" | "rem" | "remove" => "delete".to_owned(),
            "login" | "logout" => action.clone(),
            _ => "update".to_owned(),
        },
        success: entry.pointer("/action/result").and_then(Value::as_bool) != Some(false),
        resource_type: text("/resource/type").unwrap_or(action),
        resource_id: text("/resource/id"),
        zone: text("/metadata/zone_name"),
        email: text("/actor/email").map(|it| plain_email(&it)),
        // Only sometimes there (observed).
        token_id: text("/metadata/token_id"),
        token_name: text("/metadata/token_name"),
        context: None,
        ip: text("/actor/ip").map(|it| plain_address(&it)),
        user_agent: None,
        method: None,
        uri: None,
        status: None,
        before: value(&entry, &["/oldValueJson", "/oldValue"]),
        after: value(&entry, &["/newValueJson", "/newValue"]),
        log: "v1".to_owned(),
        own: false,
        unexplained: false,
        new_kind: false,
    })
}

/// The first of these places that holds something. Values are objects, or texts of JSON (both observed).
fn value(entry: &Value, places: &[&str]) -> Option<Value> {
    let read = |value: &Value| match value {
        Value::String(text) => serde_json::from_str(text).ok(),
        other => Some(other.clone()),
    };
    let is_empty = |value: &Value| value.as_object().is_none_or(serde_json::Map::is_empty);
    places.iter().filter_map(|place| entry.pointer(place)).filter_map(read).find(|value| !is_empty(value))
}

/// Both logs as one, oldest first and each act once: of twins, the entry of v2 stays, which says who, and takes over what
/// only v1 knows: what the resource was.
pub fn merge(second: Vec<AuditEvent>, first: Vec<AuditEvent>) -> Vec<AuditEvent> {
    let mut merged = second;
    merged.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    merged.dedup_by(|a, b| a.id == b.id);
    let mut taken = vec![false; merged.len()];
    let mut more: Vec<AuditEvent> = Vec::new();
    // The account's list and the user's own have entries in common.
    let mut known = BTreeSet::new();
    for event in first.into_iter().filter(|event| known.insert(event.id.clone())) {
        let near = merged.partition_point(|of| of.at < event.at.checked_sub(TWIN).unwrap_or(Timestamp::MIN));
        let end = event.at.checked_add(TWIN).unwrap_or(Timestamp::MAX);
        let around = (near..merged.len()).take_while(|at| merged[*at].at <= end);
        let distance = |at: &usize| {
            let of: &AuditEvent = &merged[*at];
            (of.action != event.action, of.at.duration_since(event.at).abs())
        };
        // Of several writes to one resource within moments, each has a twin of its own.
        let twin = around.filter(|at| !taken[*at] && is_twin(&merged[*at], &event)).min_by_key(distance);
        match twin {
            Some(at) => {
                taken[at] = true;
                let of = &mut merged[at];
                // Only now it is known what the older log told of.
                let path = of.path().map(str::to_owned);
                let [before, after] = [event.before, event.after].map(|told| {
                    let mut told = told?;
                    mask_value(path.as_deref(), &mut told);
                    Some(told)
                });
                of.before = of.before.take().or(before);
                of.after = of.after.take().or(after);
            }
            None => more.push(event),
        }
    }
    merged.extend(more);
    merged.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    merged
}

/// Whether an entry of log v2 and one of log v1 tell of the same act. A failed attempt is no twin of what took effect, nor
/// is a deletion one of anything else; what a log does not say is not held against it.
fn is_twin(of: &AuditEvent, event: &AuditEvent) -> bool {
    let alike = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
    // The older log has many words for an update, and some products update where they make something.
    let deletes = |event: &AuditEvent| event.action == "delete";
    let is_act = event.action == "update" || deletes(of) == deletes(event);
    let is_same = match (&of.resource_id, &event.resource_id) {
        (Some(of), Some(id)) => of == id,
        // Without an id on either side, only what tells the same otherwise is the same.
        (None, None) => of.action == event.action && of.zone == event.zone,
        _ => false,
    };
    of.is_write()
        && of.success == event.success
        && is_act
        && is_same
        && of.ip == event.ip
        && alike(&of.email, &event.email)
        && alike(&of.token_id, &event.token_id)
        && of.at.duration_since(event.at).abs() <= TWIN
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{first, merge, second};
    use crate::hunt::{AuditEvent, Principal, attribute};
    use crate::model::Attribution;

    fn v2(at: &str, action: &str, result: &str, resource: Option<&str>) -> AuditEvent {
        let entry = json!({
            "id": format!("2-{at}"), "action": { "type": action, "result": result, "time": format!("2026-11-20T04:00:{at}Z") },
            "actor": { "ip_address": "203.0.113.9", "token_id": "t" }, "resource": { "id": resource, "type": "setting" },
        });
        second(&entry).unwrap()
    }

    fn v1(at: &str, action: &str, resource: Option<&str>, old: &str) -> AuditEvent {
        let entry = json!({
            "id": format!("1-{at}-{action}"), "when": format!("2026-11-20T04:00:{at}Z"), "action": { "type": action, "result": true },
            "actor": { "ip": "203.0.113.9" }, "resource": { "id": resource, "type": "setting" }, "oldValue": { "value": old },
        });
        first(&entry).unwrap()
    }

    #[test]
    fn an_address_and_a_mailbox_are_the_same_in_every_spelling() {
        let newer = |ip: &str, email: &str| {
            second(&json!({
                "id": "1", "action": { "type": "update", "time": "2026-11-20T04:00:00Z" },
                "actor": { "ip_address": ip, "email": email },
            }))
        };
        let older = |ip: &str, email: &str| {
            first(&json!({ "id": "1", "when": "2026-11-20T04:00:00Z", "actor": { "ip": ip, "email": email } }))
        };
        for (spelled, plain) in [("2001:DB8:0:0::1", "2001:db8::1"), ("::ffff:192.0.2.7", "192.0.2.7")] {
            for event in [newer(spelled, "Maya@A.example"), older(spelled, "Maya@A.example")] {
                let event = event.unwrap();
                assert_eq!((event.ip.as_deref(), event.email.as_deref()), (Some(plain), Some("maya@a.example")));
                // What somebody else tells of the intruder is read the same way.
                let held = json!([{
                    "token_id": "t", "token_name": "t", "honest_ips": [], "hostile_ips": [spelled.to_uppercase()],
                }]);
                let held: Vec<Principal> = serde_json::from_value(held).unwrap();
                assert_eq!(attribute(&event, &held), Attribution::Intruder, "{spelled}");
            }
        }
    }

    /// Each act of the merged log, with what it says that was there before.
    fn told(second: Vec<AuditEvent>, first: Vec<AuditEvent>) -> Vec<(String, Option<Value>)> {
        merge(second, first)
            .into_iter()
            .map(|event| (event.id, event.before.map(|before| before["value"].clone())))
            .collect()
    }

    #[test]
    fn a_failed_attempt_takes_nothing_from_the_act_after_it() {
        let second = vec![v2("00", "update", "failure", Some("ssl")), v2("01.9", "update", "success", Some("ssl"))];
        let merged = told(second, vec![v1("00", "change_setting", Some("ssl"), "strict")]);
        assert_eq!(merged, [("2-00".to_owned(), None), ("2-01.9".to_owned(), Some(json!("strict")))]);
    }

    #[test]
    fn what_was_made_and_deleted_at_once_keeps_its_own() {
        let second = vec![v2("00", "create", "success", Some("r"))];
        let merged = told(second, vec![v1("01", "delete", Some("r"), "it")]);
        assert_eq!(merged, [("2-00".to_owned(), None), ("1-01-delete".to_owned(), Some(json!("it")))]);
    }

    #[test]
    fn entries_that_name_no_resource_are_the_same_only_where_the_rest_is() {
        let second = vec![v2("00", "create", "success", None)];
        let merged = told(second.clone(), vec![v1("00", "delete", None, "a"), v1("00", "add", None, "b")]);
        assert_eq!(merged, [("1-00-delete".to_owned(), Some(json!("a"))), ("2-00".to_owned(), Some(json!("b")))]);
        assert_eq!(told(second, vec![v1("00", "purge", None, "a")]).len(), 2);
    }

    #[test]
    fn both_logs_give_the_same_event_once() {
        let v2 = json!({
            "id": "2a", "action": { "type": "create", "result": "success", "time": "2026-11-20T10:00:01Z" },
            "actor": { "email": "a@b.example", "ip_address": "203.0.113.9", "context": "api_token", "token_id": "t", "token_name": "n" },
            "raw": { "method": "POST", "uri": "/client/v4/accounts/a/tokens", "user_agent": "curl" },
            "resource": { "id": "r", "type": "token" }, "zone": {},
        });
        let v1 = json!({
            "id": "1a", "when": "2026-11-20T10:00:00Z", "action": { "type": "add", "result": true },
            "actor": { "email": "a@b.example", "ip": "203.0.113.9" }, "resource": { "id": "r", "type": "token" },
        });
        let older = json!({ "id": "1b", "when": "2025-11-20T10:00:00Z", "action": { "type": "add", "result": true }, "resource": { "id": "r" } });
        let (v2, v1, older) = (second(&v2).unwrap(), first(&v1).unwrap(), first(&older).unwrap());
        assert_eq!((v2.action.as_str(), v1.action.as_str()), ("create", "create"));
        let merged = merge(vec![v2.clone(), v2.clone()], vec![v1, older.clone()]);
        assert_eq!(merged, [older, v2]);
    }

    #[test]
    fn a_failed_attempt_is_told_as_one() {
        let v2 =
            json!({ "id": "x", "action": { "type": "update", "result": "failure", "time": "2026-11-20T10:00:01Z" } });
        assert!(!second(&v2).unwrap().success);
        let v1 = json!({ "id": "x", "when": "2026-11-20T10:00:01Z", "action": { "type": "set", "result": false } });
        assert!(!first(&v1).unwrap().success);
        assert_eq!(second(&json!({ "id": "no time" })), None);
    }
}
