//! Every matcher of every technique, by itself: what the intruder did comes to a finding of that technique, whether what
//! was touched is still listed or gone.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Traces;
use crate::cloudflare::actions::hunt::looking::Hunting;
use crate::cloudflare::audit::bulk::apart;
use crate::cloudflare::families::families;
use crate::cloudflare::techniques::techniques;
use crate::hunt::rewind::named;
use crate::hunt::technique::Act;
use crate::hunt::{AuditEvent, Family, Item, Principal, Reach, Seat};
use crate::model::{Attribution, Change, Finding};

/// Stands for every id: of the account, of a zone, of what is in it.
const ID: &str = "x";

const HOSTILE: &str = "203.0.113.1";

/// Acts of the intruder that this matcher takes for one of its technique.
fn acts_of(act: &Act) -> Vec<AuditEvent> {
    let challenge = json!({ "type": "TXT", "name": "_acme-challenge.one.example", "content": "\"x\"", "ttl": 60 });
    let told = [
        Value::Null,
        challenge,
        json!({ "phase": "http_request_firewall_custom" }),
        json!({ "phase": "http_request_dynamic_redirect" }),
    ];
    let mut found = Vec::new();
    let whole = ["", "/x"];
    for tail in if act.path.ends_with("/**") { &whole[..] } else { &whole[..1] } {
        let path = act.path.replace("/**", tail).replace('*', ID);
        for does in ["create", "update", "delete"] {
            let mut events = told.iter().flat_map(|told| {
                ["api_token", "api_key", "dash", "oauth"].map(|context| {
                    let event = json!({
                        "id": "1", "at": "2026-11-20T01:00:00Z", "action": does, "success": true, "resource_type": "thing",
                        "resource_id": ID, "context": context, "ip": HOSTILE, "email": "someone@a.example", "log": "v2",
                        "uri": format!("/client/v4{path}"),
                        "before": if does == "create" { &Value::Null } else { told },
                        "after": if does == "delete" { &Value::Null } else { told },
                    });
                    serde_json::from_value::<AuditEvent>(event).unwrap()
                })
            });
            found.extend(events.find(|event| act.is(event)));
        }
    }
    found
}

/// What an act was on, where a family lists it: as it may still be listed, and as it may be listed by no family at all.
fn listed(event: &AuditEvent) -> Vec<Option<(&'static Family, Item)>> {
    let path = event.path().unwrap();
    let length = |family: &Family| family.path.split('/').count();
    let about: Vec<_> = families().filter(|family| named(family, path).is_some()).collect();
    let closest = about.iter().map(|family| length(family)).max();
    let of = about.into_iter().filter(|family| Some(length(family)) == closest).map(|family| {
        let seat = match family.reach {
            _ if family.path.contains("{zone}") => Seat::zone(ID, "one.example"),
            Reach::User => Seat::user(),
            _ => Seat::account(),
        };
        let seat = if family.path.contains("{parent}") { seat.of(ID) } else { seat };
        let mut raw = event.after.clone().unwrap_or_else(|| json!({ "what": "it is" }));
        let mut at = &mut raw;
        for field in family.id.split('/').skip(1) {
            at = &mut at[field];
        }
        if !family.id.is_empty() {
            // Of settings, the part of the path is the id.
            let in_path = path.rsplit('/').next().filter(|_| family.path.ends_with("/{part}"));
            *at = in_path.unwrap_or(ID).into();
        }
        Some((family, family.item(&seat, raw)))
    });
    of.chain([None]).collect()
}

/// What comes of one act.
fn found(event: &AuditEvent, there: Option<&(&'static Family, Item)>) -> Vec<Finding> {
    let events = apart(vec![event.clone()]);
    let held = Principal {
        token_id: "stolen".to_owned(),
        token_name: "ci".to_owned(),
        intruder_made: true,
        honest_ips: Vec::new(),
        hostile_ips: vec![HOSTILE.to_owned()],
        mixed_ips: Vec::new(),
        open_ips: vec![],
        let_in: Vec::new(),
    };
    let principals = [held];
    let hunting = Hunting {
        since: "2026-11-20T00:00:00Z".parse().unwrap(),
        events: &events,
        principals: &principals,
        whole_log: true,
        zones: &[],
        families: &[],
        baseline: None,
    };
    let mut traces = Traces::new(&hunting, ID, &[], None);
    if let Some((family, item)) = there {
        traces.take(family, item, &[]);
    }
    traces.left().findings
}

#[test]
fn what_the_intruder_did_is_found_whether_it_is_still_listed_or_gone() {
    let mut lost = BTreeSet::new();
    for technique in techniques() {
        for act in technique.acts {
            let events = acts_of(act);
            assert!(!events.is_empty(), "nothing is of {} {}", technique.id, act.path);
            for event in events {
                for there in listed(&event) {
                    let found = found(&event, there.as_ref());
                    let is_told =
                        |it: &Finding| it.technique == technique.id && it.attribution == Attribution::Intruder;
                    if !found.iter().any(is_told) {
                        let there = there.map_or("gone", |(family, _)| family.name);
                        let also: Vec<String> = found.into_iter().map(|it| it.id).collect();
                        let (id, does, path) = (technique.id, &event.action, event.path().unwrap_or_default());
                        lost.insert(format!("{id}: {does} {path}, {there}: {also:?}"));
                    }
                }
            }
        }
    }
    assert!(lost.is_empty(), "{} lost:\n{}", lost.len(), lost.into_iter().collect::<Vec<_>>().join("\n"));
}

/// One act of the intruder that no list shows.
fn alone(does: &str, path: &str, more: &Value) -> Vec<Finding> {
    let mut event = json!({
        "id": "1", "at": "2026-11-20T01:00:00Z", "action": does, "success": true, "resource_type": "thing", "log": "v2",
        "ip": HOSTILE, "email": "owner@a.example", "zone": "one.example", "uri": format!("/client/v4{path}"),
        "after": { "name": "what was done last" },
    });
    event.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    found(&serde_json::from_value(event).unwrap(), None)
}

#[test]
fn what_no_technique_names_is_something_else_that_was_changed_and_a_login_is_no_change() {
    let found = alone("create", "/accounts/x/images/v1", &json!({}));
    let [finding] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((finding.technique.as_str(), finding.resource.id.as_str()), ("CF-X01", "/accounts/x/images/v1"));
    assert!(alone("create", "/zones/x/purge_cache", &json!({})).is_empty(), "the cache fills again");
    assert!(finding.detail.ends_with("something else is changed: create /accounts/x/images/v1."), "{}", finding.detail);
    // The older log tells of no path.
    let found = alone("update", "", &json!({ "uri": null, "resource_type": "thing", "resource_id": "7" }));
    assert_eq!(found.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["CF-X01:thing:one.example/7"]);
    assert!(alone("login", "/user/sessions", &json!({})).is_empty());
    assert!(alone("create", "/accounts/x/images/v1", &json!({ "own": true })).is_empty(), "quell did it");
    assert!(
        alone("create", "/accounts/x/images/v1", &json!({ "ip": "198.51.100.1" })).is_empty(),
        "a colleague did it"
    );
}

#[test]
fn a_finding_about_who_acts_says_who_and_not_what_was_done_last() {
    for (context, technique) in
        [("api_key", "CF-I06"), ("origin_ca_key", "CF-I06"), ("dash", "CF-I12"), ("oauth", "CF-I09")]
    {
        let found = alone("delete", "/zones/x/workers/routes/r", &json!({ "context": context }));
        let finding = found.iter().find(|it| it.technique == technique).unwrap();
        assert_eq!(finding.id, format!("{technique}:credentials:owner@a.example"));
        assert_eq!((finding.change, finding.resource.name.as_str()), (Change::Changed, "owner@a.example"));
        assert_eq!((&finding.resource.zone, &finding.before, &finding.after), (&None, &None, &None));
        assert!(found.iter().any(|it| it.technique == "CF-T02"), "what was done is told as well");
    }
    let found = alone("delete", "/zones/x/workers/routes/r", &json!({ "token_id": "stolen" }));
    let finding = found.iter().find(|it| it.technique == "CF-I01").unwrap();
    assert_eq!((finding.id.as_str(), finding.resource.name.as_str()), ("CF-I01:tokens:stolen", "ci"));
    assert_eq!((finding.change, &finding.resource.zone, &finding.before), (Change::Changed, &None, &None));
}

#[test]
fn a_token_that_was_rolled_is_told_as_the_token_that_it_is() {
    for (path, family) in [("/accounts/x/tokens/t/value", "account_tokens"), ("/user/tokens/t/value", "user_tokens")] {
        let found = alone("update", path, &json!({}));
        let finding = found.iter().find(|it| it.technique == "CF-I05").unwrap();
        assert_eq!((finding.family.as_str(), finding.resource.id.as_str()), (family, "t"));
    }
}

#[test]
fn settings_in_one_body_that_were_put_back_are_told_each_as_its_own_technique() {
    let body = json!({ "items": [{ "id": "ssl", "value": "off" }, { "id": "security_level", "value": "off" }] });
    let before = json!({ "items": [{ "id": "ssl", "value": "strict" }] });
    let found = alone("update", "/zones/x/settings", &json!({ "after": body, "before": before, "resource_id": "x" }));
    let told = |finding: &Finding| {
        let value = |state: &Option<Value>| state.as_ref().map(|state| state["value"].clone()).unwrap_or_default();
        (finding.id.clone(), finding.resource.id.clone(), value(&finding.before), value(&finding.after))
    };
    let shield = ("CF-T12:zone_settings:one.example/security_level", "security_level", Value::Null, json!("off"));
    let tls = ("CF-T14:zone_settings:one.example/ssl", "ssl", json!("strict"), json!("off"));
    let wanted = [shield, tls].map(|(id, name, before, after)| (id.to_owned(), name.to_owned(), before, after));
    assert_eq!(found.iter().map(told).collect::<Vec<_>>(), wanted);
    // What the log does not name may be anything.
    let found = alone("update", "/zones/x/settings", &json!({ "after": { "id": "x" } }));
    assert_eq!(found.iter().map(|it| it.technique.as_str()).collect::<Vec<_>>(), ["CF-X01"]);
}

#[test]
fn who_uploaded_a_worker_or_wrote_to_a_list_made_what_came_of_it_and_a_push_is_nobodys() {
    let made = |name: &str, path: &str, ip: &str, raw: &Value| {
        let event = json!({
            "id": "1", "at": "2026-11-20T01:00:00Z", "action": "create", "success": true, "resource_type": "thing",
            "log": "v2", "ip": ip, "email": "maya@a.example", "uri": format!("/client/v4{path}"),
        });
        let family = families().find(|family| family.name == name).unwrap();
        let mut raw = raw.clone();
        raw["id"] = "new".into();
        let item = family.item(&Seat::account().of("api"), raw);
        let found = found(&serde_json::from_value(event).unwrap(), Some(&(family, item)));
        found.iter().filter(|it| it.family == name).map(|it| it.attribution).collect::<Vec<_>>()
    };
    let at = "2026-11-20T01:00:02Z";
    for (name, path, raw) in [
        ("workers_versions", "/accounts/x/workers/scripts/api", json!({ "metadata": { "created_on": at } })),
        ("workers_deployments", "/accounts/x/workers/scripts/api/content", json!({ "created_on": at })),
        ("list_items", "/accounts/x/rules/lists/api/items", json!({ "created_on": at, "ip": "192.0.2.1" })),
    ] {
        assert_eq!(made(name, path, HOSTILE, &raw), [Attribution::Intruder], "{name}");
        assert!(made(name, path, "198.51.100.1", &raw).is_empty(), "{name} by a colleague");
    }
    let built = |trigger: &str| {
        let raw = json!({ "created_on": at, "deployment_trigger": { "type": trigger } });
        made("pages_deployments", "/accounts/x/elsewhere", "198.51.100.1", &raw)
    };
    assert!(built("github:push").is_empty(), "a push built it");
    // A log that has it as nobody's act says no more than that.
    let family = families().find(|family| family.name == "pages_deployments").unwrap();
    let logged = |email: Value, trigger: &str| {
        let event = json!({
            "id": "1", "at": "2026-11-20T01:00:00Z", "action": "create", "success": true, "resource_type": "deployment",
            "log": "v2", "email": email, "resource_id": "new", "uri": "/client/v4/accounts/x/pages/projects/api/deployments",
        });
        let raw = json!({ "id": "new", "created_on": at, "deployment_trigger": { "type": trigger } });
        let item = family.item(&Seat::account().of("api"), raw);
        let events = [serde_json::from_value::<AuditEvent>(event).unwrap()];
        let writes: Vec<&AuditEvent> = events.iter().collect();
        let difference = crate::hunt::Difference { family: family.name.to_owned(), before: None, after: Some(item) };
        crate::cloudflare::techniques::of_difference(&difference, &writes).len()
    };
    assert_eq!((logged(Value::Null, "github:push"), logged(Value::Null, "ad_hoc")), (0, 1));
    assert_eq!(logged(json!("eve@b.example"), "github:push"), 1);
    assert_eq!(built("ad_hoc"), [Attribution::Unattributed], "no log says by whom");
}

/// What comes of one act of the intruder on a ruleset.
fn of_ruleset(does: &str, path: &str, more: &Value, there: Option<Value>) -> Vec<String> {
    let mut event = json!({
        "id": "1", "at": "2026-11-20T01:00:00Z", "action": does, "success": true, "resource_type": "ruleset", "log": "v2",
        "ip": HOSTILE, "email": "owner@a.example", "zone": "one.example", "uri": format!("/client/v4{path}"),
    });
    event.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    let family = families().find(|family| family.name == "zone_rulesets").unwrap();
    let there = there.map(|raw| (family, family.item(&Seat::zone(ID, "one.example"), raw)));
    let found = found(&serde_json::from_value(event).unwrap(), there.as_ref());
    found
        .into_iter()
        .filter(|it| it.family == "zone_rulesets")
        .map(|it| format!("{} {}", it.technique, it.detail))
        .collect()
}

#[test]
fn a_ruleset_is_of_the_technique_that_its_phase_says_or_of_perhaps_either() {
    let ids = |found: &[String]| found.iter().map(|it| it[..6].to_owned()).collect::<Vec<_>>();
    for (phase, technique) in [("http_request_firewall_custom", "CF-T12"), ("http_request_dynamic_redirect", "CF-T05")]
    {
        let ruleset = |at: &str| json!({ "id": "rs", "phase": phase, "last_updated": at, "rules": [] });
        for path in ["/zones/x/rulesets/rs", "/zones/x/rulesets/rs/rules/r"] {
            for does in ["update", "delete"] {
                // It is still there, changed or as if nothing had been.
                for at in ["2026-11-20T01:00:00Z", "2026-11-19T01:00:00Z"] {
                    let found = of_ruleset(does, path, &json!({}), Some(ruleset(at)));
                    assert_eq!(ids(&found), [technique], "{does} {path} {at}: {found:?}");
                }
                // It is gone, and the log says what it was.
                let found = of_ruleset(does, path, &json!({ "before": { "phase": phase } }), None);
                assert_eq!(ids(&found), [technique], "{does} {path}, gone: {found:?}");
                let found = of_ruleset(does, path, &json!({}), None);
                assert_eq!(ids(&found), ["CF-X01"], "{does} {path}, unknown: {found:?}");
                assert!(found[0].contains("perhaps CF-T05 or CF-T12"), "{found:?}");
            }
        }
    }
}
