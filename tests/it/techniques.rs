//! The table of techniques, and `quell techniques`.

use std::collections::BTreeSet;

use quell::cli::catalogue::CATALOGUE;
use quell::cloudflare::families::{about, families, family};
use quell::cloudflare::techniques::{BY_ITSELF, of_act, of_difference, technique, techniques};
use quell::hunt::technique::Technique;
use quell::hunt::{AuditEvent, Difference, Family, Item, Seat};
use quell::model::Change;
use serde_json::{Value, json};

use crate::scene::Scene;

/// Families that no technique with a name looks at, and why: what differs in them is something else that was changed, or
/// came about by itself.
const NAMELESS: &[(&str, &str)] = &[
    ("legacy_filters", "retired, and read as rulesets"),
    ("legacy_firewall_rules", "retired, and read as rulesets"),
    ("legacy_rate_limits", "retired, and read as rulesets"),
    ("memberships", "what the calling user belongs to elsewhere"),
    ("mtls_associations", "where a certificate is used"),
    ("page_shield_connections", "what browsers were seen to do"),
    ("page_shield_scripts", "what browsers were seen to load"),
    ("roles", "what there can be"),
    ("ssl_verification", "the state of a validation"),
    ("account_ruleset_versions", "what rulesets were, which are shown as they are"),
    ("zone_ruleset_versions", "what rulesets were, which are shown as they are"),
    ("user_invites", "invitations to the calling user from other accounts"),
    ("dns_views", "which zones an internal resolver answers"),
    ("workers_account_settings", "defaults for new scripts"),
    ("turnstile_widgets", "a widget opens nothing"),
];

/// Whatever no other names.
const REST: &str = "CF-X01";

fn named() -> impl Iterator<Item = &'static Technique> {
    techniques().filter(|technique| technique.id != REST)
}

#[test]
fn ids_are_those_of_the_catalogue_in_order() {
    let ids: Vec<&str> = techniques().map(|technique| technique.id).collect();
    let row = |prefix: &str, count: usize| (1..=count).map(|n| format!("CF-{prefix}{n:02}")).collect::<Vec<_>>();
    let all = [row("I", 13), row("T", 17), row("Z", 5), row("E", 6), row("D", 5), row("X", 1)].concat();
    assert_eq!(ids, all);
}

#[test]
fn every_entry_is_whole() {
    for technique in techniques() {
        let id = technique.id;
        assert!(!technique.title.is_empty() && !technique.title.ends_with('.') && !technique.page.is_empty(), "{id}");
        assert_eq!(technique.attack.is_empty(), id == REST, "{id}");
        for attack in technique.attack {
            let digits = attack.strip_prefix('T').unwrap().replacen('.', "", 1);
            assert!(
                matches!(digits.len(), 4 | 7) && digits.bytes().all(|byte| byte.is_ascii_digit()),
                "{id}: {attack}"
            );
        }
        for lever in [technique.contain, technique.revert] {
            assert!(lever.text.ends_with('.'), "{id}: {}", lever.text);
            for action in lever.actions {
                assert!(CATALOGUE.get(action).is_some(), "{id} names the action {action}");
            }
        }
        // Something tells of it, or it is said that nothing does.
        assert!(!technique.acts.is_empty() || !technique.shows.is_empty() || !technique.hidden.is_empty(), "{id}");
        for act in technique.acts {
            assert!(matches!(act.does, "" | "create" | "update" | "delete") && act.path.starts_with('/'), "{id}");
        }
    }
}

#[test]
fn every_family_shows_a_technique_with_a_name_or_is_left_out_for_a_reason() {
    let shown: BTreeSet<&str> = named().flat_map(|technique| technique.shows).map(|show| show.family).collect();
    for name in &shown {
        assert!(family(name).is_some(), "no family is called {name}");
    }
    let left_out: BTreeSet<&str> = NAMELESS.iter().map(|(name, _)| *name).collect();
    let silent: Vec<&str> = families().map(|family| family.name).filter(|name| !shown.contains(name)).collect();
    let silent: BTreeSet<&str> = silent.into_iter().collect();
    assert_eq!(silent, left_out);
    let rest: Vec<&str> = technique(REST).unwrap().shows.iter().map(|show| show.family).collect();
    let read: Vec<&str> = families().filter(|family| family.retired.is_none()).map(|family| family.name).collect();
    assert_eq!(rest, read, "it is ruled out only where all was seen");
}

const fn word(change: Change) -> &'static str {
    match change {
        Change::Added => "added",
        Change::Changed => "changed",
        Change::Removed => "removed",
    }
}

/// A thing of the family as it was, was changed to, or as neither.
fn difference(family: &Family, before: bool, after: bool) -> Difference {
    let item = |is: bool, value: Value| {
        let id = if family.id.is_empty() { String::new() } else { "x".to_owned() };
        let item = Item { seat: Seat::account(), key: Vec::new(), id, created: None, modified: None, value };
        is.then_some(item)
    };
    let (before, after) = (item(before, json!({ "what": "a" })), item(after, json!({ "what": "b" })));
    Difference { family: family.name.to_owned(), before, after }
}

#[test]
fn whatever_differs_is_something_unless_it_comes_about_by_itself() {
    let mut alone = BTreeSet::new();
    for family in families() {
        for (before, after) in [(false, true), (true, true), (true, false)] {
            let difference = difference(family, before, after);
            let found = of_difference(&difference, &[]);
            if found.is_empty() {
                alone.insert((family.name, word(difference.change())));
            }
            // What somebody wrote is somebody's doing, whatever it is.
            let write = json!({
                "id": "1", "at": "2026-11-20T01:00:00Z", "action": "update", "success": true, "resource_type": "thing",
                "uri": "/client/v4/a/path/that/nobody/knows", "log": "v2",
            });
            let write: AuditEvent = serde_json::from_value(write).unwrap();
            assert!(!of_difference(&difference, &[&write]).is_empty(), "{} is told nowhere", family.name);
            assert!(found.len() < 2 || !found.iter().any(|technique| technique.id == REST), "{}", family.name);
        }
    }
    let any = |family| [(family, "added"), (family, "changed"), (family, "removed")];
    let whole = [
        "account_ruleset_versions",
        "zone_ruleset_versions",
        "ssl_verification",
        "memberships",
        "roles",
        "user_invites",
        "page_shield_connections",
        "page_shield_scripts",
    ];
    let mut expected: BTreeSet<_> = whole.into_iter().flat_map(any).collect();
    let gone = [
        "certificate_packs",
        "deleted_tunnels",
        "deleted_warp_connectors",
        "tunnel_connections",
        "warp_connections",
        "pages_deployments",
        "workers_tails",
        "workers_versions",
    ];
    expected.extend(gone.map(|family| (family, "removed")));
    expected.extend(["pages_deployments", "workers_versions"].map(|family| (family, "changed")));
    assert_eq!(alone, expected);
    for it in BY_ITSELF {
        assert!(family(it.shows.family).is_some() && !it.why.is_empty(), "{}", it.shows.family);
    }
}

#[test]
fn the_mode_for_development_ends_by_itself_and_begins_by_nobody_else() {
    let switched = |to: &str, setting: &str| {
        let item = |value: &str| Item {
            seat: Seat::zone("z", "one.example"),
            key: Vec::new(),
            id: setting.to_owned(),
            created: None,
            modified: None,
            value: json!({ "value": value }),
        };
        let from = if to == "on" { "off" } else { "on" };
        let (before, after) = (Some(item(from)), Some(item(to)));
        let difference = Difference { family: "zone_settings".to_owned(), before, after };
        of_difference(&difference, &[]).iter().map(|technique| technique.id).collect::<Vec<_>>()
    };
    assert_eq!(switched("off", "development_mode"), Vec::<&str>::new());
    assert_eq!((switched("on", "development_mode"), switched("off", "ipv6")), (vec![REST], vec![REST]));
    assert_eq!(switched("off", "always_use_https"), ["CF-T14"]);
}

#[test]
fn a_list_of_redirects_sends_visitors_elsewhere_and_any_other_lets_addresses_past() {
    let of = |family: &str, value: Value| {
        let item = |value: Value| Item {
            seat: Seat::account().of("l"),
            key: Vec::new(),
            id: "x".to_owned(),
            created: None,
            modified: None,
            value,
        };
        let difference = Difference { family: family.to_owned(), before: None, after: Some(item(value)) };
        of_difference(&difference, &[]).iter().map(|technique| technique.id).collect::<Vec<_>>()
    };
    let redirect = json!({ "redirect": { "source_url": "one.example/login", "target_url": "https://evil.example" } });
    assert_eq!(of("list_items", redirect), ["CF-T05"]);
    assert_eq!(of("list_items", json!({ "ip": "203.0.113.9" })), ["CF-T13"]);
    assert_eq!(of("lists", json!({ "kind": "redirect" })), ["CF-T05"]);
    assert_eq!(of("lists", json!({ "kind": "ip" })), ["CF-T13"]);
    assert_eq!(of("list_items", json!({ "comment": "x" })), ["CF-T05", "CF-T13"], "nothing tells its kind");
}

/// Acts, and the techniques of section 2 of the catalogue that they are of.
const ROWS: &[(&str, &str, &[&str])] = &[
    ("create", "/accounts/a/rules/lists/l/items", &["CF-T05", "CF-T13"]),
    ("create", "/accounts/a/scim/v2/Users", &["CF-I07", "CF-I10"]),
    ("update", "/accounts/a/scim/v2/Users/u", &["CF-I07", "CF-I08", "CF-I10"]),
    ("delete", "/accounts/a/scim/v2/Users/u", &["CF-I08", "CF-I10"]),
    ("update", "/accounts/a/scim/v2/Groups/g", &["CF-I07", "CF-I10"]),
    ("delete", "/user/two_factor_authentication", &["CF-I11"]),
    ("update", "/accounts/a/custom_pages/500_errors", &["CF-T06"]),
    ("update", "/zones/z/settings/waf", &["CF-T12"]),
    ("update", "/zones/z/bot_management", &["CF-T12"]),
    ("delete", "/accounts/a/r2/buckets/b/objects/backup.tar", &["CF-D05"]),
    ("update", "/accounts/a/event_notifications/r2/b/configuration/queues/q", &["CF-E03"]),
    ("update", "/zones/z/hostnames/settings/tls/min_tls_version/h.example", &["CF-T14"]),
    ("create", "/accounts/a/workers/observability/destinations", &["CF-T03"]),
    ("create", "/accounts/a/images/v1", &[REST]),
];

#[test]
fn an_act_is_told_as_the_row_that_it_belongs_to() {
    for (does, path, rows) in ROWS {
        let event = json!({
            "id": "1", "at": "2026-11-20T01:00:00Z", "action": does, "success": true, "resource_type": "thing",
            "uri": format!("/client/v4{path}"), "log": "v2",
        });
        let event: AuditEvent = serde_json::from_value(event).unwrap();
        let of: Vec<&str> = of_act(&event).iter().map(|technique| technique.id).collect();
        assert_eq!(of, *rows, "{does} {path}");
    }
    assert!(about("/user/two_factor_authentication").is_none(), "it is not the user that was deleted");
    assert_eq!(about("/user").map(|(family, _)| family.name), Some("user"));
}

#[test]
fn the_duty_to_use_a_second_factor_is_lifted_only_where_it_was_or_may_have_been() {
    let of = |before: Value, after: Value| {
        let item = |value: Value| Item {
            seat: Seat::account(),
            key: Vec::new(),
            id: String::new(),
            created: None,
            modified: None,
            value,
        };
        let difference =
            Difference { family: "account".to_owned(), before: Some(item(before)), after: Some(item(after)) };
        of_difference(&difference, &[]).iter().map(|technique| technique.id).collect::<Vec<_>>()
    };
    let account = |name: &str, duty: bool| json!({ "name": name, "settings": { "enforce_twofactor": duty } });
    assert_eq!(of(account("a", true), account("a", false)), ["CF-I11"]);
    assert_eq!(of(Value::Null, account("a", false)), ["CF-I11"], "nobody knows what it was");
    for harmless in [of(account("a", true), account("b", true)), of(account("a", false), account("b", false))] {
        assert_eq!(harmless, [REST]);
    }
    assert_eq!(of(account("a", false), account("a", true)), [REST]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_lists_them_and_shows_one() {
    let scene = Scene::new().await;
    let list = scene.run(&["techniques"]).expect(0).stdout;
    assert!(list.starts_with("Identity and persistence\n  CF-I01  a stolen API token is used\n"), "{list}");
    assert_eq!(list.lines().filter(|line| line.starts_with("  CF-")).count(), 47);
    let page = scene.run(&["techniques", "cf-t10"]).expect(0).stdout;
    for line in [
        "CF-T10  DNSSEC is switched off, or others may sign",
        "severity    high",
        "ATT&CK      T1685 (version 19)",
        "audit log   any write /zones/*/dnssec/**",
        "shows in    dnssec",
    ] {
        assert!(page.lines().any(|shown| shown == line), "{line}\n{page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    let page = scene.run(&["techniques", "cf-x01"]).expect(0).stdout;
    for part in
        ["shows in    every family of resources that is read", "but not     account_ruleset_versions: every change"]
    {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(!page.contains("ATT&CK") && page.lines().all(|line| line.chars().count() <= 80), "{page}");
    let document = scene.run(&["techniques", "CF-I06", "--json"]).expect(0).json();
    assert_eq!((&document["schema"], &document["attack_version"]), (&"quell.technique/1".into(), &"19".into()));
    assert!(document["hidden"].as_str().unwrap().contains("Origin CA key"), "{document}");
    let all = scene.run(&["techniques", "--json"]).expect(0).json();
    assert_eq!(all["techniques"].as_array().unwrap().len(), 47);
    let wrong = scene.run(&["techniques", "CF-T99"]).expect(2);
    assert!(
        wrong.stderr.contains("there is no technique `CF-T99`") && wrong.stderr.contains("`CF-T0"),
        "{}",
        wrong.stderr
    );
}
