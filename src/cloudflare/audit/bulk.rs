//! Acts on many things in one request: a batch of DNS records (API.md section 10), settings of a zone in one body. Each
//! thing is told as if it had been written alone, as far as the log names it.

use serde_json::Value;

use crate::cloudflare::api::segment;
use crate::hunt::AuditEvent;

/// The lists of a batch of DNS records, and what is done with what each holds.
const BATCH: [(&str, &str); 4] =
    [("deletes", "delete"), ("patches", "update"), ("puts", "update"), ("posts", "create")];

/// The same acts, those on many things at once as one act for each thing. One of which the log does not name everything
/// stays beside what it names of it, for what is left.
pub fn apart(events: Vec<AuditEvent>) -> Vec<AuditEvent> {
    let mut all = Vec::with_capacity(events.len());
    for event in events {
        let (parts, is_whole) = match below_zone(&event) {
            Some((list, "settings")) if event.action == "update" => settings(&event, list),
            Some((list, "batch")) => batch(&event, list.strip_suffix("/batch").unwrap_or(list)),
            _ => (Vec::new(), false),
        };
        all.extend(parts);
        if !is_whole {
            all.push(event);
        }
    }
    all
}

/// Id of the act in the log, of one of the acts that [`apart`] makes of it: they were one request.
pub fn request(event: &AuditEvent) -> &str {
    event.id.split_once(BESIDE).map_or(event.id.as_str(), |(id, _)| id)
}

/// Whether an act is a batch of DNS records that may have deleted some which the log does not name.
pub fn hides_deletions(event: &AuditEvent) -> bool {
    let is_batch = below_zone(event).is_some_and(|(_, last)| last == "batch");
    is_batch && !lists(event).is_some_and(|told| items(told, "deletes").all(|item| id(item).is_some()))
}

/// Stands between the log's id of an act and the number of a thing in it.
const BESIDE: &str = "/part-";

/// The path of an act on the settings or on a batch of records of a zone, and its last segment.
fn below_zone(event: &AuditEvent) -> Option<(&str, &str)> {
    let path = event.path()?;
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        ["zones", _, last @ "settings"] | ["zones", _, "dns_records", last @ "batch"] => Some((path, last)),
        _ => None,
    }
}

fn settings(event: &AuditEvent, list: &str) -> (Vec<AuditEvent>, bool) {
    let written: Vec<&Value> = event.after.iter().flat_map(|after| items(after, "items")).collect();
    let before =
        |name: &str| event.before.iter().flat_map(|before| items(before, "items")).find(|it| id(it) == Some(name));
    let named = written.iter().filter_map(|item| {
        let name = id(item)?;
        Some(Part { action: "update", id: name, before: before(name), after: Some(item) })
    });
    let parts: Vec<AuditEvent> = named.enumerate().map(|(at, part)| part.of(event, list, at)).collect();
    let is_whole = !parts.is_empty() && parts.len() == written.len();
    (parts, is_whole)
}

fn batch(event: &AuditEvent, list: &str) -> (Vec<AuditEvent>, bool) {
    let Some(told) = lists(event) else { return (Vec::new(), false) };
    let mut parts = Vec::new();
    let mut is_whole = true;
    for (name, action) in BATCH {
        let before =
            |wanted: &str| event.before.iter().flat_map(|it| items(it, name)).find(|it| id(it) == Some(wanted));
        for item in items(told, name) {
            let Some(id) = id(item) else {
                is_whole = false;
                continue;
            };
            let (before, after) = match action {
                // The answer holds what was deleted; the request its id alone, which says nothing.
                "delete" => (before(id).or(Some(item).filter(|item| item.get("type").is_some())), None),
                "create" => (None, Some(item)),
                _ => (before(id), Some(item)),
            };
            parts.push(Part { action, id, before, after }.of(event, list, parts.len()));
        }
    }
    (parts, is_whole)
}

/// What the log tells of a batch; `None` where it has neither the answer nor the request.
fn lists(event: &AuditEvent) -> Option<&Value> {
    event.after.as_ref().filter(|told| BATCH.iter().any(|(name, _)| told[*name].is_array()))
}

/// One thing of many.
struct Part<'v> {
    action: &'static str,
    id: &'v str,
    before: Option<&'v Value>,
    after: Option<&'v Value>,
}

impl Part<'_> {
    /// The act on it, as if it had been alone.
    fn of(self, event: &AuditEvent, list: &str, number: usize) -> AuditEvent {
        let path = match self.action {
            "create" => list.to_owned(),
            _ => format!("{}/{}", list.trim_end_matches('/'), segment(self.id)),
        };
        AuditEvent {
            id: format!("{}{BESIDE}{number}", event.id),
            action: self.action.to_owned(),
            resource_id: Some(self.id.to_owned()),
            uri: Some(path),
            before: self.before.cloned(),
            after: self.after.cloned(),
            ..event.clone()
        }
    }
}

fn items<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn id(item: &Value) -> Option<&str> {
    item.get("id").and_then(Value::as_str).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{apart, hides_deletions, request};
    use crate::hunt::AuditEvent;

    fn act(action: &str, path: &str, before: &Value, after: &Value) -> AuditEvent {
        let event = json!({
            "id": "e", "at": "2026-11-20T00:00:00Z", "action": action, "success": true, "resource_type": "x",
            "resource_id": "z", "zone": "one.example", "uri": format!("/client/v4{path}"), "log": "v2",
            "before": before, "after": after,
        });
        serde_json::from_value(event).unwrap()
    }

    /// What each act was, on which path, with what before and after.
    fn told(event: AuditEvent) -> Vec<(String, String, Value, Value)> {
        let value = |value: &Option<Value>| value.clone().unwrap_or_default();
        let tell =
            |it: &AuditEvent| (it.action.clone(), it.path().unwrap().to_owned(), value(&it.before), value(&it.after));
        let all = apart(vec![event]);
        assert!(all.iter().all(|it| request(it) == "e" && it.zone.as_deref() == Some("one.example")));
        all.iter().map(tell).collect()
    }

    #[test]
    fn each_setting_is_an_act_of_its_own_with_what_the_log_has_of_it() {
        let before = json!({ "items": [{ "id": "ssl", "value": "strict" }] });
        let after = json!({ "items": [{ "id": "tls_1_3", "value": "off" }, { "id": "ssl", "value": "off" }] });
        let path = |name: &str| format!("/zones/z/settings/{name}");
        let update = |name: &str, before: Value, after: Value| ("update".to_owned(), path(name), before, after);
        let tls = update("tls_1_3", Value::Null, json!({ "id": "tls_1_3", "value": "off" }));
        let ssl = update("ssl", json!({ "id": "ssl", "value": "strict" }), json!({ "id": "ssl", "value": "off" }));
        assert_eq!(told(act("update", "/zones/z/settings", &before, &after)), [tls, ssl]);
        // An id is what somebody sent.
        let odd = json!({ "items": [{ "id": "../dns_records" }] });
        assert_eq!(
            told(act("update", "/zones/z/settings", &Value::Null, &odd))[0].1,
            "/zones/z/settings/..%2Fdns_records"
        );
    }

    #[test]
    fn what_the_log_does_not_name_stays_one_act() {
        for after in [json!(null), json!({}), json!({ "items": [] }), json!({ "items": "REDACTED" })] {
            let act = act("update", "/zones/z/settings", &Value::Null, &after);
            assert_eq!(apart(vec![act.clone()]), [act]);
        }
        let after = json!({ "items": [{ "id": "ssl", "value": "off" }, { "value": "off" }] });
        let paths: Vec<String> =
            told(act("update", "/zones/z/settings", &Value::Null, &after)).into_iter().map(|told| told.1).collect();
        assert_eq!(paths, ["/zones/z/settings/ssl", "/zones/z/settings"]);
        // One setting is one already, and so is everything else.
        for path in ["/zones/z/settings/ssl", "/zones/z/dns_records", "/accounts/a/rules/lists/l/items"] {
            let act = act("update", path, &Value::Null, &json!({ "items": [{ "id": "x" }] }));
            assert_eq!(apart(vec![act.clone()]), [act]);
        }
    }

    #[test]
    fn a_batch_is_each_of_its_records() {
        let gone = json!({ "id": "d", "type": "A", "name": "old.one.example", "content": "192.0.2.1" });
        let patched = json!({ "id": "p", "content": "203.0.113.1" });
        let made = json!({ "id": "n", "type": "A", "name": "new.one.example", "content": "203.0.113.2" });
        let answer = json!({ "deletes": [gone], "patches": [patched], "puts": null, "posts": [made] });
        let old = json!({ "id": "p", "content": "192.0.2.2" });
        let batch = act("create", "/zones/z/dns_records/batch", &json!({ "patches": [old] }), &answer);
        assert!(!hides_deletions(&batch));
        let one = |action: &str, path: &str, before: &Value, after: &Value| {
            (action.to_owned(), format!("/zones/z/dns_records{path}"), before.clone(), after.clone())
        };
        assert_eq!(
            told(batch),
            [
                one("delete", "/d", &gone, &Value::Null),
                one("update", "/p", &old, &patched),
                one("create", "", &Value::Null, &made),
            ]
        );
    }

    #[test]
    fn a_batch_that_is_told_in_part_or_not_at_all_may_hide_a_deletion() {
        let path = "/zones/z/dns_records/batch";
        let batch = |after: Value| act("create", path, &Value::Null, &after);
        for after in [json!(null), json!({ "success": true }), json!({ "deletes": [{ "id": "d" }, {}] })] {
            assert!(hides_deletions(&batch(after)));
        }
        // The request names what was to be deleted, by its id alone, and what was made by none.
        let request = batch(json!({ "deletes": [{ "id": "d" }], "posts": [{ "type": "A", "name": "new" }] }));
        assert!(!hides_deletions(&request));
        let told: Vec<(String, Value)> = told(request).into_iter().map(|told| (told.1, told.2)).collect();
        assert_eq!(told, [("/zones/z/dns_records/d".to_owned(), Value::Null), (path.to_owned(), Value::Null)]);
        assert!(!hides_deletions(&act("create", "/zones/z/dns_records", &Value::Null, &Value::Null)));
    }
}
