use serde_json::{Value, json};

use super::{Certainty, Gone, Past, Rewound, Writes, deleted, gone, rewind};
use crate::hunt::{AuditEvent, Family, Seat, blank};
use crate::model::Change;

const RECORDS: Family =
    Family { name: "records", path: "/places/{zone}/records", modified: "/modified", created: "/created", ..blank() };
const LIST: &str = "/places/z/records";

fn seat() -> Seat {
    Seat::zone("z", "one.example")
}

fn event(at: &str, action: &str, path: &str, before: &Value) -> AuditEvent {
    let event = json!({
        "id": at, "at": format!("2026-11-20T{at}:00Z"), "action": action, "success": true, "resource_type": "x",
        "uri": format!("/client/v4{path}"), "log": "v2", "before": before,
    });
    serde_json::from_value(event).unwrap()
}

fn rewound(item: &Value, events: &[AuditEvent]) -> Option<(Change, Certainty, Value)> {
    let since = "2026-11-20T00:00:00Z".parse().unwrap();
    let item = RECORDS.item(&seat(), item.clone());
    let writes = Writes::new(events, since);
    rewind(&RECORDS, &item, LIST, since, &writes).map(|it| {
        let before = it.difference.before.as_ref().map(|before| before.value.clone()).unwrap_or_default();
        (it.difference.change(), it.certainty, before)
    })
}

/// A record as the log has all of it.
fn whole(content: &str) -> Value {
    json!({ "id": "1", "content": content, "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z" })
}

/// What is gone of what these acts deleted.
fn past(events: &[AuditEvent]) -> Vec<Rewound<'_>> {
    let since = "2026-11-20T00:00:00Z".parse().unwrap();
    let past = Past::new("a", str::to_owned, events, since);
    past.gone(&[&RECORDS], &[seat()], &|event| event.email.is_some()).into_iter().map(|(_, it)| it).collect()
}

#[test]
fn the_oldest_write_says_what_it_was() {
    let events = [
        event("02:00", "update", "/places/z/records/1", &json!({ "id": "1", "content": "b", "ttl": 1 })),
        event("01:00", "update", "/places/z/records/1", &json!({ "id": "1", "content": "a", "ttl": 1 })),
    ];
    let item = json!({ "id": "1", "content": "c", "ttl": 1 });
    let expected = json!({ "content": "a", "ttl": 1 });
    assert_eq!(rewound(&item, &events), Some((Change::Changed, Certainty::Exact, expected)));
    // Put back meanwhile, and one that nobody wrote.
    assert_eq!(rewound(&json!({ "id": "1", "content": "a", "ttl": 1 }), &events), None);
    assert_eq!(rewound(&json!({ "id": "2", "content": "a", "ttl": 1 }), &events), None);
}

#[test]
fn a_write_below_an_item_is_one_of_it_only_where_it_is_a_part() {
    let events = [
        event("01:00", "update", "/places/z/records/1/notes/7", &Value::Null),
        event("02:00", "update", "/places/z/other/1", &Value::Null),
    ];
    let item = RECORDS.item(&seat(), json!({ "id": "1" }));
    let since = "2026-11-20T00:00:00Z".parse().unwrap();
    let writes = Writes::new(&events, since);
    assert!(rewind(&RECORDS, &item, LIST, since, &writes).is_none());
    let with_notes = Family { parts: &["notes"], ..RECORDS };
    assert_eq!(rewind(&with_notes, &item, LIST, since, &writes).map(|it| it.writes.len()), Some(1));
}

#[test]
fn what_is_made_below_an_item_makes_no_new_one_and_the_log_may_have_the_whole() {
    let family = Family { parts: &["notes"], ..RECORDS };
    let since = "2026-11-20T00:00:00Z".parse().unwrap();
    let before = |old: &Value| {
        let events = [event("01:00", "create", "/places/z/records/1/notes", old)];
        let item = family.item(&seat(), json!({ "id": "1", "content": "b" }));
        let found = rewind(&family, &item, LIST, since, &Writes::new(&events, since)).unwrap();
        (found.difference.change(), found.certainty, found.difference.before.unwrap().value)
    };
    let whole = (Change::Changed, Certainty::Exact, json!({ "content": "a" }));
    assert_eq!(before(&json!({ "id": "1", "content": "a" })), whole);
    let part = (Change::Changed, Certainty::Unknown, Value::Null);
    assert_eq!(before(&json!({ "id": "7", "text": "a note" })), part);
}

#[test]
fn a_write_of_many_is_one_of_each_that_says_that_it_changed_then() {
    let made = json!({ "id": "1", "created": "2026-11-20T01:00:20Z" });
    let writes = |path: &str, action: &str| {
        let events = [event("01:00", action, path, &Value::Null)];
        let since = "2026-11-20T00:00:00Z".parse().unwrap();
        let item = RECORDS.item(&seat(), made.clone());
        rewind(&RECORDS, &item, LIST, since, &Writes::new(&events, since)).map(|it| it.writes.len())
    };
    assert_eq!(writes("/places/z/records", "update"), Some(1));
    assert_eq!(writes("/places/z/records/import", "create"), Some(1));
    // Somebody else's new item, another list, another time.
    assert_eq!(writes("/places/z/records", "create"), Some(0));
    assert_eq!(writes("/places/y/records", "update"), Some(0));
    let later = json!({ "id": "1", "created": "2026-11-20T02:00:20Z" });
    let events = [event("01:00", "update", LIST, &Value::Null)];
    let since = "2026-11-20T00:00:00Z".parse().unwrap();
    let found = rewind(&RECORDS, &RECORDS.item(&seat(), later), LIST, since, &Writes::new(&events, since));
    assert_eq!(found.map(|it| it.writes.len()), Some(0));
}

#[test]
fn a_part_is_put_over_what_is_there_and_nothing_is_made_up() {
    let partly = [event("01:00", "update", "/places/z/records/1", &json!({ "content": "a" }))];
    let item = json!({ "id": "1", "content": "c", "ttl": 1 });
    let expected = json!({ "content": "a", "ttl": 1 });
    assert_eq!(rewound(&item, &partly), Some((Change::Changed, Certainty::Approximate, expected)));
    let silent = [event("01:00", "update", "/places/z/records/1", &Value::Null)];
    assert_eq!(rewound(&item, &silent), Some((Change::Changed, Certainty::Unknown, Value::Null)));
}

#[test]
fn what_says_of_itself_that_it_is_new_or_was_written_is_told_without_a_log() {
    let new = json!({ "id": "1", "content": "c", "created": "2026-11-20T03:00:00Z" });
    assert_eq!(rewound(&new, &[]), Some((Change::Added, Certainty::Exact, Value::Null)));
    let old =
        json!({ "id": "1", "content": "c", "created": "2026-11-19T03:00:00Z", "modified": "2026-11-19T03:00:00Z" });
    assert_eq!(rewound(&old, &[]), None);
}

#[test]
fn what_changed_with_something_below_it_is_told_by_that() {
    let events = [event("03:00", "update", "/places/z/records/1/value", &Value::Null)];
    let changed = |at: &str| json!({ "id": "1", "modified": format!("2026-11-20T{at}:30Z") });
    assert_eq!(rewound(&changed("03:00"), &events), None);
    assert_eq!(
        rewound(&changed("04:00"), &events),
        Some((Change::Changed, Certainty::Unknown, Value::Null)),
        "nobody says by whom"
    );
}

#[test]
fn what_was_deleted_is_told_by_the_log() {
    let events = [
        event("01:00", "delete", "/places/z/records/1", &whole("a")),
        event("01:00", "delete", "/places/z/records/2", &Value::Null),
        event("01:00", "delete", "/places/z/other/3", &Value::Null),
    ];
    let found = past(&events);
    assert_eq!(
        found.iter().filter_map(|it| it.difference.item()).map(|it| it.id.as_str()).collect::<Vec<_>>(),
        ["1", "2"]
    );
    assert_eq!(deleted(&RECORDS, &events[0]).and_then(|it| it.zone), Some("z"));
    assert_eq!((found[0].certainty, found[1].certainty), (Certainty::Exact, Certainty::Unknown));
    assert_eq!(found[0].difference.change(), Change::Removed);
}

#[test]
fn a_write_whose_old_value_is_not_known_leaves_what_lies_before_it_unknown() {
    let path = "/places/z/records/1";
    let events = [
        event("01:00", "update", path, &Value::Null),
        event("02:00", "update", path, &json!({ "id": "1", "content": "evil" })),
    ];
    let item = json!({ "id": "1", "content": "worse" });
    assert_eq!(rewound(&item, &events), Some((Change::Changed, Certainty::Unknown, Value::Null)));
    // The other way round, all that lies after it does not matter.
    let events = [
        event("01:00", "update", path, &json!({ "id": "1", "content": "good" })),
        event("02:00", "update", path, &Value::Null),
    ];
    let exact = Some((Change::Changed, Certainty::Exact, json!({ "content": "good" })));
    assert_eq!(rewound(&item, &events), exact);
    // It says itself that it was written before the log has anything of it.
    let events = [event("02:00", "update", path, &json!({ "id": "1", "content": "evil" }))];
    let item = json!({ "id": "1", "content": "worse", "modified": "2026-11-20T00:30:00Z" });
    assert_eq!(rewound(&item, &events), Some((Change::Changed, Certainty::Unknown, Value::Null)));
    let after = Writes::new(&events, "2026-11-20T00:00:00Z".parse().unwrap());
    let it = rewind(&RECORDS, &RECORDS.item(&seat(), item), LIST, "2026-11-20T00:00:00Z".parse().unwrap(), &after);
    assert_eq!(it.unwrap().why, "it was written at 2026-11-20 00:30:00Z, which no log has");
}

#[test]
fn what_was_deleted_and_made_again_under_its_name_is_changed() {
    let path = "/places/z/records/1";
    let item = json!({ "id": "1", "content": "evil", "created": "2026-11-20T03:00:02Z" });
    for does in ["create", "update"] {
        let events = [event("02:59", "delete", path, &whole("good")), event("03:00", does, path, &Value::Null)];
        let exact = Some((Change::Changed, Certainty::Exact, json!({ "content": "good" })));
        assert_eq!(rewound(&item, &events), exact, "{does}");
        // The log has nothing of what was deleted.
        let events = [event("02:59", "delete", path, &Value::Null), event("03:00", does, path, &Value::Null)];
        assert_eq!(rewound(&item, &events), Some((Change::Changed, Certainty::Unknown, Value::Null)), "{does}");
    }
    let events = [event("03:00", "create", LIST, &Value::Null)];
    assert_eq!(rewound(&item, &events), Some((Change::Added, Certainty::Exact, Value::Null)));
}

#[test]
fn what_is_the_only_one_of_its_seat_is_set_and_not_made() {
    let hold = Family { path: "/places/{zone}/hold", id: "", ..RECORDS };
    let since = "2026-11-20T00:00:00Z".parse().unwrap();
    let events = [event("01:00", "create", "/places/z/hold", &Value::Null)];
    let item = hold.item(&seat(), json!({ "hold": true }));
    let found = rewind(&hold, &item, "/places/z/hold", since, &Writes::new(&events, since)).unwrap();
    assert_eq!((found.difference.change(), found.certainty), (Change::Changed, Certainty::Unknown));

    // The log calls it by an id of its own.
    let mut told = event("01:00", "update", "/places/z/hold", &json!({ "hold": false }));
    told.resource_id = Some("z".to_owned());
    let events = [told];
    let found = rewind(&hold, &item, "/places/z/hold", since, &Writes::new(&events, since)).unwrap();
    let before = found.difference.before.map(|before| before.value);
    assert_eq!((before, found.certainty), (Some(json!({ "hold": false })), Certainty::Exact));
}

#[test]
fn an_entry_without_a_path_is_of_the_zone_that_it_names() {
    let of = |zone: Option<&str>| {
        let old = json!({ "id": "1", "content": "a" });
        let mut entry = AuditEvent { uri: None, ..event("01:00", "update", "", &old) };
        (entry.resource_id, entry.zone) = (Some("1".to_owned()), zone.map(str::to_owned));
        rewound(&json!({ "id": "1", "content": "b" }), &[entry]).is_some()
    };
    assert_eq!((of(Some("one.example")), of(Some("two.example")), of(None)), (true, false, true));
}

#[test]
fn a_part_of_what_it_was_makes_up_no_fields() {
    let family = Family {
        canonical: |value| {
            if value.get("ttl").is_none() {
                value["ttl"] = 1.into();
            }
        },
        made_up: &[("ttl", &["ttl"])],
        ..RECORDS
    };
    let since = "2026-11-20T00:00:00Z".parse().unwrap();
    let before = |events: &[AuditEvent]| {
        let item = family.item(&seat(), json!({ "id": "1", "content": "b", "ttl": 300 }));
        let it = rewind(&family, &item, LIST, since, &Writes::new(events, since)).unwrap();
        (it.certainty, it.difference.before.unwrap().value)
    };
    let part = event("01:00", "update", "/places/z/records/1", &json!({ "id": "1", "content": "a" }));
    let silent = event("02:00", "update", "/places/z/records/1", &Value::Null);
    let kept = (Certainty::Approximate, json!({ "content": "a", "ttl": 300 }));
    assert_eq!(before(std::slice::from_ref(&part)), kept);
    // What the rest was after that write is not known.
    assert_eq!(before(&[part, silent]), (Certainty::Approximate, json!({ "content": "a" })));
    let deletion = [event("01:00", "delete", "/places/z/records/1", &json!({ "id": "1", "content": "a" }))];
    let seat = seat();
    let of = Gone { family: &family, seat: &seat, list: LIST, id: "1", fields: None };
    let it = gone(&of, &deletion.iter().collect::<Vec<_>>(), since);
    assert_eq!(
        (it.certainty, it.difference.before.unwrap().value),
        (Certainty::Approximate, json!({ "content": "a" }))
    );
}

#[test]
fn what_was_made_and_deleted_again_is_nothing_to_bring_back() {
    let path = "/places/z/records/1";
    let made = AuditEvent { resource_id: Some("1".to_owned()), ..event("01:00", "create", LIST, &Value::Null) };
    let young =
        json!({ "id": "1", "content": "evil", "created": "2026-11-20T01:00:00Z", "modified": "2026-11-20T01:00:00Z" });
    let changed = event("02:00", "update", path, &json!({ "id": "1", "content": "first" }));
    let deletion = event("03:00", "delete", path, &young);
    for events in [
        vec![made.clone(), deletion.clone()],
        vec![made.clone(), changed.clone(), deletion.clone()],
        // No log has that it was made, and it says so.
        vec![deletion.clone()],
        // All at once, in whatever order the log has it.
        vec![event("01:00", "delete", path, &young), made.clone()],
        vec![made.clone(), event("03:00", "delete", path, &Value::Null)],
    ] {
        let found = past(&events);
        let [it] = found.as_slice() else { panic!("{found:#?}") };
        assert_eq!((it.fleeting, it.difference.change(), it.certainty), (true, Change::Added, Certainty::Exact));
        assert_eq!(it.writes.len(), events.len());
    }
    assert_eq!(past(&[made.clone(), deletion.clone()])[0].difference.after.as_ref().unwrap().value["content"], "evil");
    // A colleague made it and somebody else deleted it: it is missing, as the colleague left it.
    let honest = |event: AuditEvent| AuditEvent { email: Some("maya@a.example".to_owned()), ..event };
    let events = [honest(made), deletion];
    let found = past(&events).pop().unwrap();
    assert_eq!((found.fleeting, found.young, found.difference.change()), (false, true, Change::Removed));
    assert_eq!(found.difference.before.unwrap().value, json!({ "content": "evil" }));
}

#[test]
fn what_was_changed_and_then_deleted_is_missing_as_it_was_before_the_window() {
    let path = "/places/z/records/1";
    let deletion = event("03:00", "delete", path, &whole("evil"));
    let before = |events: &[AuditEvent]| {
        let found = past(events);
        let [it] = found.as_slice() else { panic!("{found:#?}") };
        (it.difference.change(), it.certainty, it.difference.before.as_ref().unwrap().value.clone())
    };
    let events = [event("02:00", "update", path, &whole("good")), deletion.clone()];
    assert_eq!(before(&events), (Change::Removed, Certainty::Exact, json!({ "content": "good" })));
    let events = [event("02:00", "update", path, &Value::Null), deletion];
    assert_eq!(before(&events), (Change::Removed, Certainty::Unknown, Value::Null));
}

#[test]
fn what_was_deleted_and_is_there_as_it_was_is_not_gone_but_one_of_its_name_elsewhere_is() {
    let events = [
        event("01:00", "delete", "/places/z/records/1", &whole("a")),
        event("01:10", "create", "/places/z/records/1", &Value::Null),
        event("01:20", "delete", "/places/y/records/1", &whole("a")),
    ];
    let since = "2026-11-20T00:00:00Z".parse().unwrap();
    let mut past = Past::new("a", str::to_owned, &events, since);
    let item = RECORDS.item(&seat(), whole("a"));
    // `Past::of` takes what lives as long as the program.
    static OF: Family = RECORDS;
    assert!(past.of(&OF, &item).is_none(), "it is as it was");
    let gone = past.gone(&[&OF], &[seat()], &|_| false);
    let seats: Vec<_> =
        gone.iter().filter_map(|(_, it)| it.difference.item()).map(|it| it.seat.zone_id.clone()).collect();
    assert_eq!(seats, [Some("y".to_owned())]);
}

#[test]
fn an_act_on_a_whole_is_joined_to_the_part_that_it_made_and_of_two_the_nearer() {
    let versions = Family { path: "/scripts/{parent}/versions", made_at: &[".", "..", "../content"], ..RECORDS };
    let list = "/scripts/api/versions";
    let since = "2026-11-20T00:00:00Z".parse().unwrap();
    let seat = Seat::account().of("api");
    let by = |made: &str, events: &[AuditEvent]| {
        let made = json!({ "id": "7", "created": format!("2026-11-20T{made}Z") });
        let found = rewind(&versions, &versions.item(&seat, made), list, since, &Writes::new(events, since)).unwrap();
        assert_eq!((found.difference.change(), found.certainty), (Change::Added, Certainty::Exact));
        found.writes.iter().map(|event| event.id.clone()).collect::<Vec<_>>()
    };
    let events = [
        event("01:00", "update", "/scripts/api", &json!({ "id": "api" })),
        event("01:01", "update", "/scripts/api/content", &Value::Null),
        event("01:02", "create", list, &Value::Null),
    ];
    assert_eq!(by("01:00:03", &events), ["01:00"]);
    assert_eq!(by("01:00:58", &events), ["01:01"]);
    assert_eq!(by("01:02:01", &events), ["01:02"]);
    // Another script, another time, a deletion.
    let others = [
        event("01:00", "update", "/scripts/web", &Value::Null),
        event("03:00", "update", "/scripts/api", &Value::Null),
        event("01:00", "delete", "/scripts/api/content", &Value::Null),
    ];
    assert!(by("01:00:03", &others).is_empty());
}

/// A record that says of itself that it was changed in the window.
fn changed(content: &str, at: &str) -> Value {
    json!({ "id": "1", "content": content, "created": "2026-01-01T00:00:00Z", "modified": format!("2026-11-20T{at}:00Z") })
}

#[test]
fn what_a_write_that_is_not_named_left_is_not_what_it_was() {
    let path = "/places/z/records/1";
    let since = "2026-11-20T00:00:00Z".parse().unwrap();
    let batch = event("01:00", "create", "/places/z/records/batch", &Value::Null);
    let events = [batch.clone(), event("04:00", "update", path, &changed("evil", "01:00"))];
    let item = changed("worse", "04:00");
    assert_eq!(rewound(&item, &events), Some((Change::Changed, Certainty::Unknown, Value::Null)));
    let writes = Writes::new(&events, since);
    assert_eq!(
        rewind(&RECORDS, &RECORDS.item(&seat(), item.clone()), LIST, since, &writes).unwrap().why,
        "the oldest that the log has of it was itself written at 2026-11-20 01:00:00Z, and not what was there before"
    );
    // At the very start of the window, and a moment before it.
    let at = |modified: &str| {
        let mut old = whole("a");
        old["modified"] = modified.into();
        rewound(&item, &[event("04:00", "update", path, &old)]).unwrap().1
    };
    assert_eq!((at("2026-11-20T00:00:00Z"), at("2026-11-19T23:59:59Z")), (Certainty::Unknown, Certainty::Exact));
    // A part of it says so as well.
    let part = json!({ "content": "evil", "modified": "2026-11-20T01:00:00Z" });
    let of = |old: &Value| rewound(&item, &[event("04:00", "update", path, old)]).unwrap().1;
    assert_eq!((of(&part), of(&json!({ "content": "a" }))), (Certainty::Unknown, Certainty::Exact));
    // It was made in the window: it was not there.
    let mut young = changed("evil", "01:00");
    young["created"] = "2026-11-20T01:00:00Z".into();
    let (change, certainty, _) = rewound(&item, &[event("04:00", "update", path, &young)]).unwrap();
    assert_eq!((change, certainty), (Change::Added, Certainty::Exact));
    // The same of what is gone.
    let events = [batch, event("04:00", "delete", path, &changed("evil", "01:00"))];
    let found = past(&events).pop().unwrap();
    assert_eq!((found.difference.change(), found.certainty), (Change::Removed, Certainty::Unknown));
    assert_eq!(found.difference.before.unwrap().value, Value::Null);
}

#[test]
fn what_says_nothing_of_when_it_was_made_is_whole_only_where_others_of_its_kind_tell() {
    static ROUTES: Family = Family { name: "routes", path: "/places/{zone}/routes", ..blank() };
    let part = json!({ "id": "1", "pattern": "one.example/*" });
    let whole = json!({ "id": "1", "pattern": "one.example/*", "script": "api" });
    let of = |old: &Value, others: &[Value]| {
        let events = [event("01:00", "delete", "/places/z/routes/1", old)];
        let mut past = Past::new("a", str::to_owned, &events, "2026-11-20T00:00:00Z".parse().unwrap());
        for other in others {
            past.of(&ROUTES, &ROUTES.item(&seat(), other.clone()));
        }
        let (_, it) = past.gone(&[&ROUTES], &[seat()], &|_| false).pop().unwrap();
        (it.certainty, it.why)
    };
    let approximate = |why: &str| (Certainty::Approximate, why.to_owned());
    assert_eq!(of(&part, &[]), approximate("none of its kind is there to tell whether the log has all of it"));
    let other = [json!({ "id": "2", "pattern": "two.example/*", "script": "api" })];
    assert_eq!(of(&part, &other), approximate("the log has less of it than others of its kind have"));
    assert_eq!(of(&whole, &other), (Certainty::Exact, String::new()));
    // Changed, and then deleted: what the deletion has says the rest.
    let path = "/places/z/routes/1";
    let events = [event("01:00", "update", path, &part), event("02:00", "delete", path, &whole)];
    let past = Past::new("a", str::to_owned, &events, "2026-11-20T00:00:00Z".parse().unwrap());
    let (_, it) = past.gone(&[&ROUTES], &[seat()], &|_| false).pop().unwrap();
    let before = it.difference.before.unwrap().value;
    assert_eq!(
        (it.certainty, before),
        (Certainty::Approximate, json!({ "pattern": "one.example/*", "script": "api" }))
    );
}

#[test]
fn a_part_is_a_part_at_any_depth() {
    let of = |old: &Value, now: &Value| {
        let item = |origins: &Value| json!({ "id": "1", "origins": origins });
        rewound(&item(now), &[event("01:00", "update", "/places/z/records/1", &item(old))]).unwrap().1
    };
    let now = json!([{ "name": "o", "address": "6.6.6.6" }]);
    assert_eq!(of(&json!([{ "name": "o" }]), &now), Certainty::Approximate);
    assert_eq!(of(&json!([{ "name": "o", "address": "5.5.5.5" }, { "name": "p" }]), &now), Certainty::Approximate);
    assert_eq!(of(&json!([{ "name": "o", "address": "5.5.5.5" }]), &now), Certainty::Exact);
    // There were none, one has something more than the others now, and what is no field of the API.
    assert_eq!(of(&json!([]), &now), Certainty::Exact);
    let now = json!([{ "name": "o" }, { "name": "p", "header": { "Host": "evil.example" } }]);
    assert_eq!(of(&json!([{ "name": "o" }]), &now), Certainty::Exact);
    let reach = |zone: &str| json!([{ "resources": { format!("com.example.{zone}"): "*" } }]);
    assert_eq!(of(&reach("a"), &reach("b")), Certainty::Exact);
}
