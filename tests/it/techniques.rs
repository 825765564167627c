//! The table of techniques, and `quell techniques`.

use std::collections::BTreeSet;

use quell::cli::catalogue::CATALOGUE;
use quell::cloudflare::families::{families, family};
use quell::cloudflare::techniques::techniques;

use crate::scene::Scene;

/// Families that show no technique, and why.
const SHOW_NONE: &[(&str, &str)] = &[
    ("legacy_filters", "retired; read as rulesets"),
    ("legacy_firewall_rules", "retired; read as rulesets"),
    ("legacy_rate_limits", "retired; read as rulesets"),
    ("memberships", "what the calling user belongs to elsewhere"),
    ("mtls_associations", "where a certificate is used, which the resource itself says"),
    ("page_shield_connections", "what browsers were seen to do"),
    ("page_shield_scripts", "what browsers were seen to load"),
    ("resource_groups", "what policies name"),
    ("roles", "what there can be"),
    ("ssl_verification", "the state of a validation"),
    ("dispatch_namespaces", "what holds scripts, which show by themselves"),
    ("account_ruleset_versions", "what rulesets were, which are shown as they are"),
    ("zone_ruleset_versions", "what rulesets were, which are shown as they are"),
    ("user_invites", "invitations to the calling user from other accounts"),
    ("dns_views", "which zones an internal resolver answers"),
    ("workers_previews", "whether a script has addresses of its own for tests"),
    ("workers_account_settings", "defaults for new scripts"),
    ("turnstile_widgets", "a widget opens nothing"),
];

#[test]
fn ids_are_those_of_the_catalogue_in_order() {
    let ids: Vec<&str> = techniques().map(|technique| technique.id).collect();
    let row = |prefix: &str, count: usize| (1..=count).map(|n| format!("CF-{prefix}{n:02}")).collect::<Vec<_>>();
    let all = [row("I", 13), row("T", 17), row("Z", 5), row("E", 6), row("D", 5)].concat();
    assert_eq!(ids, all);
}

#[test]
fn every_entry_is_whole() {
    for technique in techniques() {
        let id = technique.id;
        assert!(!technique.title.is_empty() && !technique.title.ends_with('.') && !technique.page.is_empty(), "{id}");
        assert!(!technique.attack.is_empty(), "{id}");
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
fn every_family_shows_a_technique_or_is_left_out_for_a_reason() {
    let shown: BTreeSet<&str> = techniques().flat_map(|technique| technique.shows).map(|show| show.family).collect();
    for name in &shown {
        assert!(family(name).is_some(), "no family is called {name}");
    }
    let left_out: BTreeSet<&str> = SHOW_NONE.iter().map(|(name, _)| *name).collect();
    let silent: Vec<&str> = families().map(|family| family.name).filter(|name| !shown.contains(name)).collect();
    let silent: BTreeSet<&str> = silent.into_iter().collect();
    assert_eq!(silent, left_out);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_lists_them_and_shows_one() {
    let scene = Scene::new().await;
    let list = scene.run(&["techniques"]).expect(0).stdout;
    assert!(list.starts_with("Identity and persistence\n  CF-I01  a stolen API token is used\n"), "{list}");
    assert_eq!(list.lines().filter(|line| line.starts_with("  CF-")).count(), 46);
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
    let document = scene.run(&["techniques", "CF-I06", "--json"]).expect(0).json();
    assert_eq!((&document["schema"], &document["attack_version"]), (&"quell.technique/1".into(), &"19".into()));
    assert!(document["hidden"].as_str().unwrap().contains("Origin CA key"), "{document}");
    let all = scene.run(&["techniques", "--json"]).expect(0).json();
    assert_eq!(all["techniques"].as_array().unwrap().len(), 46);
    let wrong = scene.run(&["techniques", "CF-T99"]).expect(2);
    assert!(
        wrong.stderr.contains("there is no technique `CF-T99`") && wrong.stderr.contains("`CF-T0"),
        "{}",
        wrong.stderr
    );
}
