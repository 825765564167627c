use serde_json::{Value, json};

use super::{Hours, Kind, Material, Standing, Usage, usages};
use crate::hunt::{AuditEvent, Principal, SeenBefore};
use crate::model::Attribution;

fn event(minute: u8, with: &Value) -> AuditEvent {
    let mut event = json!({
        "id": minute.to_string(), "at": format!("2026-11-20T03:{minute:02}:00Z"), "action": "update", "success": true,
        "resource_type": "x", "resource_id": "r", "log": "v2",
    });
    for (name, value) in with.as_object().unwrap() {
        event[name] = value.clone();
    }
    serde_json::from_value(event).unwrap()
}

fn token(minute: u8, ip: &str, agent: &str) -> AuditEvent {
    event(
        minute,
        &json!({ "token_id": "t", "token_name": "ci", "ip": ip, "user_agent": agent, "context": "api_token" }),
    )
}

fn seen(token: Option<&str>, email: Option<&str>, context: &str, ip: &str, agent: Option<&str>) -> SeenBefore {
    SeenBefore {
        token_id: token.map(str::to_owned),
        email: email.map(str::to_owned),
        context: Some(context.to_owned()),
        ip: Some(ip.to_owned()),
        user_agent: agent.map(str::to_owned),
        count: 3,
        kinds: std::collections::BTreeSet::new(),
    }
}

fn analysed(events: &[AuditEvent], before: &[SeenBefore], held: &[Principal]) -> Vec<Usage> {
    let hours = Hours { days: vec!["fri".into()], begin: "03:02".into(), end: "04:00".into(), zone: "UTC".into() };
    usages(&Material {
        events,
        before,
        held,
        own: Some("own"),
        is_own_address: &|ip| ip == "office",
        hours: Some(&hours.read().unwrap()),
        gives_credential: |event| (event.action == "create").then_some("makes a token"),
    })
}

fn standings(usage: &Usage) -> Vec<(&str, Standing, bool)> {
    usage.places.iter().map(|it| (it.ip.as_deref().unwrap_or_default(), it.standing, it.unexplained)).collect()
}

#[test]
fn what_is_new_is_told_by_what_is_new_about_it() {
    let before = [seen(Some("t"), None, "api_token", "ci", Some("deploy/1"))];
    let events = [
        token(1, "ci", "deploy/1"),
        token(2, "ci", "deploy/2"),
        token(2, "ci", "curl"),
        token(3, "bad", "curl"),
        token(4, "office", "curl"),
        event(5, &json!({ "token_id": "other", "ip": "bad" })),
        event(6, &json!({ "ip": null })),
    ];
    let usages = analysed(&events, &before, &[]);
    let named: Vec<_> = usages.iter().map(|it| (it.kind, it.id.as_str(), it.known, it.unexplained)).collect();
    assert_eq!(
        named,
        [(Kind::Token, "t", true, true), (Kind::Token, "other", false, true), (Kind::Unnamed, "", false, false)]
    );
    assert_eq!(
        standings(&usages[0]),
        [
            ("ci", Standing::Usual, false),
            ("ci", Standing::NewProgram, true),
            // A later version of the same program is no news.
            ("ci", Standing::NewProgram, false),
            ("bad", Standing::NewAddress, true),
            // The team said beforehand that this address is its own.
            ("office", Standing::NewAddress, false),
        ]
    );
    assert_eq!(standings(&usages[1]), [("bad", Standing::NewPrincipal, true)]);
    assert_eq!((usages[0].off_hours, usages[1].off_hours), (Some(1), Some(0)));
}

#[test]
fn a_stolen_token_in_honest_use_is_a_shared_principal() {
    let before = [seen(Some("t"), None, "api_token", "ci", Some("deploy/1"))];
    let held = [Principal {
        token_id: "t".into(),
        token_name: "ci".into(),
        intruder_made: false,
        honest_ips: vec!["ci".into()],
        hostile_ips: vec!["bad".into()],
        mixed_ips: vec![],
        open_ips: vec![],
        let_in: Vec::new(),
    }];
    let usages = analysed(&[token(1, "ci", "deploy/1"), token(2, "bad", "curl")], &before, &held);
    let whose: Vec<_> = usages[0].places.iter().map(|it| (it.whose, it.user_agent.as_deref().unwrap())).collect();
    assert_eq!(whose, [(Attribution::Shared, "deploy/1"), (Attribution::Intruder, "curl")]);
    assert!(usages[0].shared && usages[0].held);
    assert_eq!(usages[0].usual, before);
    // One that only the intruder ever had is not.
    let alone = [Principal { intruder_made: true, honest_ips: vec![], ..held[0].clone() }];
    let usages = analysed(&[token(2, "bad", "curl")], &[], &alone);
    assert!(!usages[0].shared && usages[0].held);
}

#[test]
fn a_key_that_was_never_used_from_there_is_new_and_failures_and_credentials_are_counted() {
    let dash = |minute, more: Value| {
        let mut with = json!({ "email": "maya@a.example", "ip": "home", "context": "dash", "user_agent": "Firefox" });
        with.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event(minute, &with)
    };
    let before = [seen(None, Some("maya@a.example"), "dash", "home", Some("Firefox"))];
    let events = [
        dash(1, json!({})),
        dash(2, json!({ "context": "api_key", "action": "create" })),
        dash(3, json!({ "context": "api_key", "action": "view", "success": false })),
        dash(4, json!({ "own": true, "action": "create" })),
    ];
    let usages = analysed(&events, &before, &[]);
    assert_eq!((usages.len(), usages[0].id.as_str()), (1, "maya@a.example"));
    let of: Vec<_> = usages[0].places.iter().map(|it| (it.standing, it.unexplained, it.writes, it.failed)).collect();
    assert_eq!(of, [(Standing::Usual, false, 1, 0), (Standing::NewContext, true, 1, 1), (Standing::Own, false, 1, 0)]);
    let acts: Vec<_> = usages[0].credential_acts.iter().map(|act| (act.id.as_str(), act.does.as_str())).collect();
    assert_eq!(acts, [("2", "makes a token")], "what quell made is no news");
    // A log that names neither the kind of access nor the program leaves them open.
    let old = [SeenBefore { context: None, user_agent: None, ..before[0].clone() }];
    assert_eq!(analysed(&events[1..2], &old, &[])[0].places[0].standing, Standing::Usual);
}
