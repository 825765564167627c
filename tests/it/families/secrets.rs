//! What answers with a secret is not asked, and what holds one among other things is masked.

use quell::cloudflare::families::{families, family};
use quell::hunt::Seat;
use serde_json::{Value, json};

use super::requests::emptied;

/// Endpoints that answer with a live secret, or with the private half of a key.
const FORBIDDEN: &[&str] = &[
    "/accounts/{}/cfd_tunnel/{}/token",
    "/accounts/{}/warp_connector/{}/token",
    "/accounts/{}/pages/projects/{}/deploy_hooks",
    "/accounts/{}/challenges/widgets/{}",
    "/accounts/{}/r2/temp-access-credentials",
    "/accounts/{}/secondary_dns/tsigs/{}",
    "/accounts/{}/workers/scripts/{}/secrets/{}",
    "/accounts/{}/logpush/ownership",
    "/zones/{}/logpush/ownership",
    "/zones/{}/dnssec/zsk",
    "/accounts/{}/tokens/{}/value",
    "/user/tokens/{}/value",
    "/user/api_key",
];

#[test]
fn no_entry_asks_for_a_secret() {
    for entry in families() {
        for path in [entry.path].into_iter().chain(entry.detail) {
            assert!(!FORBIDDEN.contains(&&*emptied(path)), "{} asks for {path}", entry.name);
            let last = path.rsplit('/').next().unwrap();
            assert!(!["token", "value", "ownership", "api_key", "deploy_hooks"].contains(&last), "{path}");
        }
    }
}

const SECRET: &str = "hunter2-CANARY";

/// An answer of each family that is known to hold secrets, with one in each place where it may stand.
fn bearers() -> Vec<(&'static str, Value)> {
    let variables = json!({ "production": { "env_vars": { "KEY": { "type": "plain_text", "value": SECRET } } } });
    let bearing = |field: &str| json!({ "id": "1", "name": "n", field: SECRET });
    let transforming = json!({ "id": "1", "rules": [{ "id": "1", "action": "rewrite", "expression": "true", "action_parameters": {
        "headers": { "X-Origin": { "operation": "set", "value": SECRET } } } }] });
    let header = json!({ "Authorization": [SECRET], "Host": ["a.example"] });
    vec![
        ("account_tokens", bearing("value")),
        ("user_tokens", bearing("value")),
        ("oauth_clients", bearing("client_secret")),
        ("secondary_dns_tsigs", bearing("secret")),
        ("origin_pulls", bearing("private_key")),
        ("origin_pulls_certificates", bearing("private_key")),
        ("custom_hostnames", json!({ "id": "1", "ssl": { "custom_key": SECRET } })),
        (
            "zaraz",
            json!({ "variables": { "v": { "type": "secret", "value": SECRET } }, "tools": { "t": { "settings": { "accessToken": SECRET, "key": SECRET }, "defaultFields": { "auth": SECRET } } } }),
        ),
        (
            "workers_settings",
            json!({ "bindings": [{ "name": "A", "type": "plain_text", "text": SECRET }, { "name": "B", "type": "json", "json": { "a": SECRET } }] }),
        ),
        (
            "workers_secrets",
            json!({ "name": "A", "type": "secret_text", "text": SECRET, "key_base64": SECRET, "key_jwk": { "k": SECRET } }),
        ),
        ("workers_tails", bearing("url")),
        (
            "workers_log_destinations",
            json!({ "slug": "d", "configuration": { "url": format!("https://u:{SECRET}@logs.example/in/{SECRET}?key={SECRET}"), "headers": header } }),
        ),
        (
            "pages_projects",
            json!({ "name": "p", "deployment_configs": variables, "build_config": { "web_analytics_token": SECRET } }),
        ),
        ("pages_deployments", json!({ "id": "1", "env_vars": { "KEY": { "type": "secret_text", "value": SECRET } } })),
        ("secrets_store_secrets", bearing("value")),
        ("turnstile_widgets", bearing("secret")),
        (
            "access_apps",
            json!({ "id": "1", "saas_app": { "client_secret": SECRET }, "scim_config": { "authentication": { "password": SECRET, "token": SECRET } } }),
        ),
        ("zone_access_apps", json!({ "id": "1", "saas_app": { "client_secret": SECRET } })),
        (
            "identity_providers",
            json!({ "id": "1", "config": { "client_secret": SECRET, "api_token": SECRET }, "scim_config": { "secret": SECRET } }),
        ),
        ("zone_identity_providers", json!({ "id": "1", "config": { "client_secret": SECRET } })),
        ("service_tokens", bearing("client_secret")),
        ("zone_service_tokens", bearing("client_secret")),
        (
            "tunnels",
            json!({ "id": "1", "tunnel_secret": SECRET, "credentials_file": { "TunnelSecret": SECRET }, "token": SECRET }),
        ),
        ("warp_connectors", bearing("tunnel_secret")),
        ("gateway_rules", json!({ "id": "1", "rule_settings": { "add_headers": { "Cf-Key": [SECRET] } } })),
        (
            "logpush_jobs",
            json!({ "id": 1, "destination_conf": format!("s3://b/p?access-key-id={SECRET}&secret-access-key={SECRET}"), "ownership_challenge": SECRET }),
        ),
        (
            "zone_logpush_jobs",
            json!({ "id": 1, "destination_conf": format!("https://:{SECRET}@h.example/{SECRET}/ingest/?header_X={SECRET}") }),
        ),
        (
            "alert_webhooks",
            json!({ "id": "1", "secret": SECRET, "url": format!("https://chat.example/api/{SECRET}/slack?t={SECRET}") }),
        ),
        ("zone_rulesets", transforming.clone()),
        ("account_rulesets", transforming),
        ("load_balancer_pools", json!({ "id": "1", "origins": [{ "name": "o", "header": header }] })),
        ("load_balancer_monitors", json!({ "id": "1", "header": header })),
        ("health_checks", json!({ "id": "1", "http_config": { "header": header } })),
    ]
}

#[test]
fn what_bears_the_name_of_a_secret_is_masked_in_every_family_and_in_the_answer_that_is_kept() {
    for entry in families() {
        let raw = json!({ "id": "1", "parts": [{ "accessToken": SECRET, "token_name": "kept" }] });
        let item = entry.item(&Seat::zone("z", "one.example"), raw.clone());
        let answer = json!({ "success": true, "result": [raw] }).to_string();
        let kept = String::from_utf8(entry.masked(answer.as_bytes())).unwrap();
        assert!(!kept.contains(SECRET) && kept.contains("kept"), "{}: {kept}", entry.name);
        let written = serde_json::to_string(&item).unwrap();
        assert!(!written.contains(SECRET), "{}: {written}", entry.name);
    }
}

#[test]
fn what_holds_a_secret_is_masked() {
    for (name, raw) in bearers() {
        let entry = family(name).unwrap_or_else(|| panic!("no family {name}"));
        assert!(raw.to_string().contains(SECRET), "{name} bears nothing");
        let item = entry.item(&Seat::zone("z", "one.example"), raw);
        let written = serde_json::to_string(&item).unwrap();
        assert!(!written.contains(SECRET), "{name}: {written}");
        assert!(written.contains("«secret"), "{name} does not show that there is one: {written}");
    }
}
