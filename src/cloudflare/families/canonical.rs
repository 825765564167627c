//! Forms in which two items that mean the same are equal.

use serde_json::{Map, Value, json};

use crate::cloudflare::{dns, rules};
/// A token: policies without ids and in order, and one spelling of its condition, which is given in two (documented).
pub(super) fn token(token: &mut Value) {
    policies(token);
    if let Some(condition) = token.get_mut("condition").and_then(Value::as_object_mut)
        && let Some(addresses) = condition.shift_remove("request.ip")
    {
        condition.insert("request_ip".to_owned(), addresses);
    }
}

/// A member or a user group: roles by name, without what every role allows; policies as those of tokens.
pub(super) fn member(member: &mut Value) {
    policies(member);
    let role = |role: &Value| json!({ "id": role["id"], "name": role["name"] });
    if let Some(roles) = member.get_mut("roles").and_then(Value::as_array_mut) {
        *roles = roles.iter().map(role).collect();
        sort(roles);
    }
}

/// Ids of policies are new with each update, and their order means nothing.
fn policies(value: &mut Value) {
    for policy in value.get_mut("policies").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(policy) = policy.as_object_mut() {
            policy.shift_remove("id");
        }
        for list in ["permission_groups", "resource_groups"] {
            policy.get_mut(list).and_then(Value::as_array_mut).into_iter().for_each(|list| sort(list));
        }
    }
    value.get_mut("policies").and_then(Value::as_array_mut).into_iter().for_each(|policies| sort(policies));
}

fn sort(values: &mut [Value]) {
    values.sort_by_cached_key(Value::to_string);
}

/// A DNS record by its canonical content, with its own spelling kept aside: enough to make it again.
pub(super) fn record(raw: &mut Value) {
    if let Some(record) = dns::Record::take(raw) {
        *raw = record.into_form();
    }
}

/// A record in the API's own spelling, with some fields as they were. Its content is given in two, and one of them says it.
pub(super) fn earlier_record(form: &Value, old: &Value) -> Option<Value> {
    let (mut raw, old) = (form.get("image")?.as_object()?.clone(), old.as_object()?);
    if old.contains_key("content") || old.contains_key("data") {
        raw.retain(|field, _| field != "content" && field != "data");
    }
    raw.extend(old.iter().map(|(field, was)| (field.clone(), was.clone())));
    Some(raw.into())
}

/// A ruleset with its rules by their reference, which stays when the id does not, and their order beside them. What
/// every change moves (id, version and time of each rule) is kept aside.
pub(super) fn ruleset(value: &mut Value) {
    let Some(map) = value.as_object_mut() else { return };
    let listed = map.shift_remove("rules");
    let (mut by_reference, mut order, mut marks) = (Map::new(), Vec::new(), Map::new());
    for item in listed.iter().filter_map(Value::as_array).flatten() {
        let Some(rule) = rules::Rule::read(item) else { continue };
        let reference = match item["ref"].as_str() {
            Some(reference) if !reference.is_empty() && !by_reference.contains_key(reference) => reference.to_owned(),
            _ => rule.id.clone(),
        };
        let mark = json!({ "id": rule.id, "version": item["version"], "last_updated": item["last_updated"] });
        order.push(Value::from(reference.clone()));
        marks.insert(reference.clone(), mark);
        by_reference.insert(reference, rule.image);
    }
    by_reference.sort_keys();
    map.insert("rules".to_owned(), by_reference.into());
    map.insert("order".to_owned(), order.into());
    map.insert("marks".to_owned(), marks.into());
}

/// A snippet: when it was changed is all that its list says of its code.
pub(super) fn snippet(value: &mut Value) {
    value["code_changed_on"] = value["modified_on"].clone();
}

/// Settings of a Worker, with its bindings by name.
pub(super) fn bindings(value: &mut Value) {
    if let Some(Value::Array(list)) = value.get("bindings") {
        let mut named: Map<String, Value> =
            list.iter().map(|it| (it["name"].as_str().unwrap_or_default().to_owned(), it.clone())).collect();
        named.sort_keys();
        value["bindings"] = named.into();
    }
}

/// A certificate pack: its certificates without what each renewal moves.
pub(super) fn pack(pack: &mut Value) {
    certificates(pack.get_mut("certificates"));
}

/// A custom hostname: the certificates under its name without what each renewal moves.
pub(super) fn hostname(hostname: &mut Value) {
    certificates(hostname.pointer_mut("/ssl/certificates"));
}

/// What a renewal moves of a certificate. Who signed it and for which hosts stays, unless somebody swapped it.
const RENEWED: [&str; 10] = [
    "id",
    "serial_number",
    "fingerprint_sha256",
    "certificate",
    "issued_on",
    "uploaded_on",
    "modified_on",
    "expires_on",
    "status",
    "priority",
];

/// While one is renewed, the old one stands beside the new one: what is alike is there once.
fn certificates(list: Option<&mut Value>) {
    let Some(list) = list.and_then(Value::as_array_mut) else { return };
    for certificate in list.iter_mut().filter_map(Value::as_object_mut) {
        RENEWED.iter().for_each(|field| drop(certificate.shift_remove(*field)));
        certificate.get_mut("hosts").and_then(Value::as_array_mut).into_iter().for_each(|hosts| sort(hosts));
        certificate.sort_keys();
    }
    sort(list);
    list.dedup();
}

/// A connector by the addresses that it connects from: it gets a new id with each start.
pub(super) fn connector(raw: &mut Value) {
    let connections = raw["conns"].as_array().into_iter().flatten();
    let mut addresses: Vec<&str> = connections.filter_map(|connection| connection["origin_ip"].as_str()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    *raw = json!({ "id": raw["id"], "origin_ips": addresses, "arch": raw["arch"] });
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{connector, earlier_record, hostname, member, pack, record, ruleset, token};

    fn form(canonical: fn(&mut Value), raw: &Value) -> Value {
        let mut value = raw.clone();
        canonical(&mut value);
        value
    }

    #[test]
    fn policies_are_compared_without_ids_and_order() {
        let one = json!({ "condition": { "request.ip": { "in": ["192.0.2.1/32"] } }, "policies": [
            { "id": "1", "effect": "allow", "permission_groups": [{ "id": "b" }, { "id": "a" }] },
            { "id": "2", "effect": "deny", "permission_groups": [] },
        ] });
        let other = json!({ "condition": { "request_ip": { "in": ["192.0.2.1/32"] } }, "policies": [
            { "id": "4", "effect": "deny", "permission_groups": [] },
            { "id": "3", "effect": "allow", "permission_groups": [{ "id": "a" }, { "id": "b" }] },
        ] });
        assert_eq!(form(token, &one), form(token, &other));
        let roles = json!({ "roles": [{ "id": "2", "name": "b", "permissions": {} }, { "id": "1", "name": "a" }] });
        assert_eq!(form(member, &roles), json!({ "roles": [{ "id": "1", "name": "a" }, { "id": "2", "name": "b" }] }));
    }

    #[test]
    fn a_record_keeps_its_own_spelling_aside() {
        let raw = json!({ "id": "1", "type": "mx", "name": "Example.com.", "content": "10 MX.example.net.",
            "comment": "ours", "ttl": 300, "modified_on": "2026-01-01T00:00:00Z" });
        let canonical = form(record, &raw);
        assert_eq!((&canonical["content"], &canonical["priority"]), (&json!("mx.example.net"), &json!(10)));
        assert_eq!(canonical["image"]["content"], "10 MX.example.net.");
        assert_eq!(canonical["image"]["comment"], "ours");
    }

    #[test]
    fn some_fields_of_a_record_as_they_were_leave_the_others_and_make_up_none() {
        let now = form(
            record,
            &json!({ "type": "SRV", "name": "sip.example.com", "content": "5 6 evil.example.net",
            "data": { "weight": 5, "port": 6, "target": "evil.example.net" }, "priority": 1, "ttl": 300, "proxied": false }),
        );
        let was = earlier_record(&now, &json!({ "content": "5 6 good.example.net" })).unwrap();
        assert_eq!((&was["data"], &was["ttl"], &was["type"]), (&Value::Null, &json!(300), &json!("SRV")));
        assert_eq!(form(record, &was)["content"], "5 6 good.example.net");
    }

    #[test]
    fn rules_are_compared_by_reference_and_in_order() {
        let rule = |id: &str, reference: &str| json!({ "id": id, "ref": reference, "version": "3", "action": "block", "expression": "true" });
        let one = form(ruleset, &json!({ "rules": [rule("1", "block"), rule("2", "2")] }));
        assert_eq!(one["order"], json!(["block", "2"]));
        assert_eq!(one["rules"]["block"]["action"], "block");
        assert_eq!(one["marks"]["block"]["id"], "1");
        // Made again by the tool that set the reference.
        let again = form(ruleset, &json!({ "rules": [rule("9", "block"), rule("2", "2")] }));
        assert_eq!(one["order"], again["order"]);
        // A reference that is there twice is no name.
        let twice = form(ruleset, &json!({ "rules": [rule("1", "block"), rule("2", "block")] }));
        assert_eq!(twice["order"], json!(["block", "2"]));
        assert_eq!(form(ruleset, &json!({ "id": "x" }))["rules"], json!({}));
    }

    #[test]
    fn a_renewed_certificate_is_the_same_and_one_of_another_issuer_or_host_is_not() {
        let one = |serial: &str, issuer: &str, host: &str| json!({ "id": serial, "serial_number": serial, "expires_on": serial, "issuer": issuer, "hosts": [host, "a"] });
        let packed = |list: Value| form(pack, &json!({ "id": "p", "certificates": list }));
        let hosted = |list: Value| form(hostname, &json!({ "id": "h", "ssl": { "certificates": list } }));
        let old = || one("1", "Google", "b");
        for form in [&packed as &dyn Fn(Value) -> Value, &hosted] {
            let before = form(json!([old()]));
            assert_eq!(before, form(json!([one("2", "Google", "b")])));
            assert_eq!(before, form(json!([one("2", "Google", "b"), old()])), "both are there while it is renewed");
            assert_ne!(before, form(json!([one("1", "Sectigo", "b")])));
            assert_ne!(before, form(json!([one("1", "Google", "evil")])));
            assert_ne!(before, form(json!([old(), one("2", "Sectigo", "b")])));
            assert_ne!(before, form(json!([])));
        }
    }

    #[test]
    fn a_connector_is_where_it_connects_from() {
        let raw = json!({ "id": "1", "arch": "linux_amd64", "run_at": "now", "conns": [
            { "origin_ip": "192.0.2.2", "colo_name": "AMS" }, { "origin_ip": "192.0.2.1" }, { "origin_ip": "192.0.2.2" },
        ] });
        assert_eq!(
            form(connector, &raw),
            json!({ "id": "1", "origin_ips": ["192.0.2.1", "192.0.2.2"], "arch": "linux_amd64" })
        );
    }
}
