//! Where a finding is got at: the official schema knows every read and every request that takes it back.

use quell::cloudflare::families::families;
use quell::cloudflare::repair::{Request, way};
use quell::hunt::{Family, Reach, Seat};
use quell::model::{Actor, Attribution, Change, Finding, FindingStatus, Resource, Severity, Source};
use quell::simulator::LoggedRequest;
use serde_json::{Value, json};

use crate::openapi::OpenApi;

const ID: &str = "023e105f4ecef8ad9ca31a8372d0c353";

fn finding(family: &Family, id: &str, change: Change, before: Value, after: Value) -> Finding {
    let some = |value: Value| Some(value).filter(|value| !value.is_null());
    let is_of_zone = family.reach == Reach::Zone || family.path.starts_with("/zones/");
    Finding {
        id: "T1:x:1".into(),
        technique: "CF-T07".into(),
        severity: Severity::High,
        status: FindingStatus::Open,
        family: family.name.into(),
        change,
        resource: Resource { id: id.into(), name: "x".into(), zone: is_of_zone.then(|| "one.example".into()) },
        actor: Actor::default(),
        attribution: Attribution::Intruder,
        detail: String::new(),
        at: None,
        before: some(before),
        after: some(after),
        evidence: Vec::new(),
        sources: vec![Source::Diff],
    }
}

fn seat(family: &Family) -> Seat {
    let seat = match family.reach {
        Reach::User => Seat::user(),
        _ if family.path.starts_with("/zones/") || family.reach == Reach::Zone => Seat::zone(ID, "one.example"),
        _ => Seat::account(),
    };
    if matches!(family.reach, Reach::Of(_)) { seat.of(ID) } else { seat }
}

fn violations(schema: &OpenApi, request: &Request) -> Vec<String> {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    schema.violations(&LoggedRequest {
        seq: 1,
        at: jiff::Timestamp::UNIX_EPOCH,
        method: request.method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        body: request.body.clone(),
        status: 200,
        applied: false,
        credential: String::new(),
    })
}

fn back(name: &str, id: &str, change: Change, before: Value, after: Value) -> Option<Request> {
    let family = families().find(|family| family.name == name).unwrap();
    way(&finding(family, id, change, before, after), Some(&seat(family)), ID).unwrap().back
}

#[test]
fn every_family_has_a_place_and_a_read_and_what_was_added_is_deleted_where_the_api_can() {
    let schema = OpenApi::load();
    let mut deleted = 0;
    for family in families().filter(|family| family.retired.is_none()) {
        let added = finding(
            family,
            ID,
            Change::Added,
            Value::Null,
            json!({ "type": "A", "name": "x", "content": "192.0.2.1" }),
        );
        let way = way(&added, Some(&seat(family)), ID).unwrap();
        assert!(!way.dashboard.is_empty());
        let read = way.read.unwrap_or_else(|| panic!("{} is not read", family.name));
        let Some(schema) = &schema else { continue };
        let known = schema.readable();
        // What the schema does not describe at all is read as the family reads it.
        let is_described = |family: &Family| {
            let shape = |path: &str| {
                path.split('/')
                    .map(|part| if part.starts_with('{') { "{}" } else { part }.to_owned())
                    .collect::<Vec<_>>()
            };
            known.iter().any(|path| shape(path) == shape(family.path))
        };
        if is_described(family) {
            assert_eq!(violations(schema, &read), [""; 0], "{}", family.name);
        }
        for request in way.back.iter().inspect(|_| deleted += 1) {
            assert_eq!(request.method, "DELETE");
            assert_eq!(violations(schema, request), [""; 0], "{}", family.name);
        }
    }
    assert!(schema.is_none() || deleted > 30, "{deleted}");
}

#[test]
fn what_was_changed_is_set_back_in_the_fields_that_differ() {
    let set = |name: &str, id: &str, before: Value, after: Value| back(name, id, Change::Changed, before, after);
    let ssl =
        set("zone_settings", "ssl", json!({ "id": "ssl", "value": "strict" }), json!({ "id": "ssl", "value": "off" }));
    let ssl = ssl.unwrap();
    assert_eq!((ssl.method, ssl.path.as_str()), ("PATCH", format!("/zones/{ID}/settings/ssl").as_str()));
    assert_eq!(ssl.body, Some(json!({ "value": "strict" })));
    let on = json!({ "status": "active", "digest": "x" });
    let dnssec = set("dnssec", "one.example", on.clone(), json!({ "status": "disabled" })).unwrap();
    assert_eq!(
        (dnssec.path.as_str(), dnssec.body.clone()),
        (format!("/zones/{ID}/dnssec").as_str(), Some(json!({ "status": "active" })))
    );
    let record = |content: &str| json!({ "type": "A", "name": "x.one.example", "content": content, "image": { "type": "A", "name": "x.one.example", "content": content } });
    let dns = set("dns_records", ID, record("192.0.2.1"), record("203.0.113.1")).unwrap();
    let body = json!({ "name": "x.one.example", "type": "A", "ttl": 1, "content": "192.0.2.1" });
    assert_eq!((dns.method, dns.body.clone()), ("PATCH", Some(body)));
    if let Some(schema) = OpenApi::load() {
        assert_eq!(violations(&schema, &dnssec), [""; 0]);
        assert_eq!(violations(&schema, &dns), [""; 0]);
    }
    // Nothing is proposed that would not bring it back: a secret that was masked, a field that cannot be set, a state that
    // is on its way, or nobody knows what was.
    assert_eq!(set("page_rules", ID, json!({ "actions": "«secret»" }), json!({ "actions": [] })), None);
    assert_eq!(set("sso_connectors", ID, json!({ "email_domain": "a" }), json!({ "email_domain": "b" })), None);
    assert_eq!(set("dnssec", "one.example", json!({ "status": "pending" }), json!({ "status": "disabled" })), None);
    assert_eq!(set("zone_settings", "ssl", Value::Null, json!({ "value": "off" })), None);
    assert_eq!(set("workers_scripts", "x", json!({ "etag": "a" }), json!({ "etag": "b" })), None);
}

#[test]
fn what_was_removed_is_made_again_where_a_form_of_it_is_enough() {
    let image = json!({ "type": "MX", "name": "one.example", "content": "mx.one.example", "priority": 10 });
    let record = json!({ "type": "MX", "name": "one.example", "content": "mx.one.example", "image": image });
    let made = back("dns_records", ID, Change::Removed, record, Value::Null).unwrap();
    assert_eq!((made.method, made.body), ("POST", Some(image)));
    assert_eq!(back("origin_certificates", ID, Change::Removed, json!({ "hostnames": [] }), Value::Null), None);
    assert_eq!(back("dns_records", ID, Change::Removed, Value::Null, Value::Null), None);
    // Whoever takes a token or a member away is seen to by an action, with its guards.
    for family in ["user_tokens", "account_tokens", "members"] {
        assert_eq!(back(family, ID, Change::Added, Value::Null, json!({})), None, "{family}");
    }
}

#[test]
fn without_a_seat_the_place_in_the_dashboard_is_all_that_is_told() {
    let family = families().find(|family| family.name == "dns_records").unwrap();
    let finding = finding(family, ID, Change::Added, Value::Null, json!({}));
    let way = way(&finding, None, ID).unwrap();
    assert_eq!((way.dashboard.as_str(), way.read, way.back), ("one.example > DNS > Records", None, None));
}
