//! What a log's entry tells of a resource, without what is secret. The logs are said to redact it; nobody promises which
//! fields.

use serde_json::Value;

use crate::cloudflare::families::{mask_bare, mask_told};
use crate::cloudflare::marked::marked;
use crate::hunt::is_secret_name;

/// Where an entry of either log holds what a resource is, was, or was asked to be.
const PLACES: [&str; 7] = [
    "/resource/request",
    "/resource/response",
    "/oldValue",
    "/oldValueJson",
    "/newValue",
    "/newValueJson",
    "/metadata",
];

/// Kinds of the older log whose values are settings.
const SETTINGS: [&str; 2] = ["setting", "zone"];

/// An entry of either log, fit to be kept. By the family of its path, where it has one that is known, and by the names of
/// its fields.
pub fn mask(entry: &mut Value) {
    let uri = entry.pointer("/raw/uri").and_then(Value::as_str).map(str::to_owned);
    // The older log tells no path.
    let of_token = || entry.pointer("/resource/type")?.as_str()?.contains("token").then_some("/user/tokens");
    let path = uri.as_deref().map(path_of).or_else(of_token);
    // Of a kind that nothing tells, a value may be what is kept secret; that of a setting is what it is set to.
    let kind = entry.pointer("/resource/type").and_then(Value::as_str).unwrap_or("setting");
    let is_bare = path.is_none() && !SETTINGS.iter().any(|name| kind.contains(name));
    for place in PLACES {
        let Some(told) = entry.pointer_mut(place) else { continue };
        mask_value(path, told);
        if is_bare && place != "/metadata" {
            change_inner(told, mask_bare);
        }
    }
    if let (Some(uri), Some(told)) = (&uri, entry.pointer_mut("/raw/uri")) {
        *told = mask_uri(uri).into();
    }
}

/// What is told of a resource: a value, or the text of one (both observed).
pub fn mask_value(path: Option<&str>, told: &mut Value) {
    change_inner(told, |told| mask_told(path, told));
}

/// Changes a value, or the value that a text of it says.
fn change_inner(told: &mut Value, change: impl Fn(&mut Value)) {
    let Some(mut inner) = told.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
        change(told);
        return;
    };
    let before = inner.clone();
    change(&mut inner);
    if inner != before {
        *told = inner.to_string().into();
    }
}

/// The page of a log as it came, with its entries fit to be kept.
pub fn mask_page(body: &[u8]) -> Vec<u8> {
    let Ok(page) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    let mut masked = page.clone();
    let entries = if masked.get("result").is_some() { &mut masked["result"] } else { &mut masked };
    match entries {
        Value::Array(entries) => entries.iter_mut().for_each(mask),
        entry => mask(entry),
    }
    if masked == page { body.to_vec() } else { masked.to_string().into_bytes() }
}

/// Whether answers from this path are pages of a log.
pub fn is_log(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    path.ends_with("/logs/audit") || path.ends_with("/audit_logs")
}

/// What lists are paged, sorted and filtered by: parameters of a query that open nothing, without what follows a dot.
const PLAIN: [&str; 36] = [
    "page",
    "per_page",
    "limit",
    "cursor",
    "offset",
    "order",
    "order_by",
    "sort",
    "direction",
    "match",
    "since",
    "before",
    "after",
    "until",
    "start",
    "end",
    "from",
    "to",
    "name",
    "type",
    "kind",
    "status",
    "state",
    "mode",
    "action",
    "phase",
    "content",
    "proxied",
    "id",
    "zone",
    "zone_id",
    "account",
    "account_id",
    "actor",
    "is_deleted",
    "hide_user_logs",
];

fn path_of(uri: &str) -> &str {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    path.strip_prefix("/client/v4").unwrap_or(path)
}

/// The address of a deploy hook is the credential; and so may be whatever stands in a query, but for what lists are asked
/// by.
fn mask_uri(uri: &str) -> String {
    // What follows is for whoever asks alone, and none of the request.
    let uri = uri.split('#').next().unwrap_or_default();
    let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
    let mut is_hook = false;
    let segments = path.split('/').map(|segment| {
        let told = if is_hook { marked(segment) } else { segment.to_owned() };
        is_hook = segment == "deploy_hooks";
        told
    });
    let path = segments.collect::<Vec<_>>().join("/");
    let Some(query) = query else { return path };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) if !is_plain(name) => format!("{name}={}", marked(value)),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

fn is_plain(name: &str) -> bool {
    name.split('.').next().is_some_and(|name| PLAIN.contains(&name)) && !is_secret_name(name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{is_log, mask, mask_page};

    fn masked(entry: &Value) -> Value {
        let mut once = entry.clone();
        mask(&mut once);
        let mut twice = once.clone();
        mask(&mut twice);
        assert_eq!(once, twice, "what was kept is read again");
        once
    }

    fn of(path: &str, request: &Value, response: &Value) -> Value {
        let entry = json!({
            "id": "1", "raw": { "uri": format!("/client/v4{path}") }, "resource": { "request": request, "response": response },
        });
        masked(&entry)
    }

    #[test]
    fn what_the_log_tells_of_a_known_kind_is_masked_as_the_kind_itself_is() {
        for (path, told) in [
            (
                "/accounts/a/workers/scripts/api/secrets",
                json!({ "name": "KEY", "text": "hush", "type": "secret_text" }),
            ),
            (
                "/accounts/a/workers/scripts/api",
                json!({ "bindings": [{ "type": "plain_text", "name": "K", "text": "hush" }] }),
            ),
            ("/accounts/a/tokens/t/value", json!("hush")),
            ("/accounts/a/tokens/t/value", json!({ "value": "hush" })),
            ("/accounts/a/tokens", json!({ "id": "t", "name": "ci", "value": "hush" })),
            (
                "/accounts/a/alerting/v3/destinations/webhooks",
                json!({ "url": "https://a.example/hush", "secret": "hush" }),
            ),
            ("/accounts/a/logpush/jobs", json!({ "destination_conf": "s3://b/p?secret-access-key=hush" })),
            ("/accounts/a/pages/projects/site", json!({ "build_config": { "build_command": "K=hush make" } })),
            ("/zones/z/custom_certificates", json!({ "private_key": "hush" })),
            ("/zones/z/rulesets/r/rules", json!({ "expression": "http.cookie eq \"hush\"" })),
            ("/accounts/a/storage/kv/namespaces/n/values/k", json!("hush")),
            ("/accounts/a/storage/kv/namespaces/n/bulk", json!([{ "key": "k", "value": "hush" }])),
            ("/accounts/a/d1/database/d/query", json!({ "sql": "update t set k = 'hush'", "params": ["hush"] })),
            ("/accounts/a/queues/q/messages", json!({ "body": { "k": "hush" } })),
            ("/accounts/a/secrets_store/stores/s/secrets", json!([{ "name": "k", "value": "hush" }])),
            ("/accounts/a/logpush/ownership/validate", json!({ "ownership_challenge": "hush" })),
            ("/zones/z/snippets/s", json!({ "files": { "main.js": "const k = 'hush'" }, "metadata": {} })),
            ("/zones/z/snippets/s", json!({ "files": ["const k = 'hush'"] })),
            (
                "/accounts/a/workers/scripts/s/versions",
                json!({ "annotations": { "workers/message": "use token=hush" } }),
            ),
            ("/accounts/a/cfd_tunnel", json!({ "tunnel_secret": "hush", "token": "hush" })),
        ] {
            let told = of(path, &told, &told);
            assert!(!told.to_string().contains("hush"), "{path}: {told}");
        }
    }

    #[test]
    fn what_bears_the_name_of_a_secret_is_masked_everywhere_and_the_rest_stays() {
        let told = json!({
            "client_secret": "hush", "psk": "hush", "srt": { "passphrase": "hush" }, "streamKey": "hush", "api_key": "hush",
            "secretAccessKey": "hush", "sessionToken": "hush", "pem": "-----BEGIN PRIVATE KEY-----\nhush", "keys": "kept",
            "value": "kept", "url": "https://a.example/kept", "env_vars": { "K": { "value": "hush" } },
        });
        let kept = of("/accounts/a/nobody/knows", &told, &json!({}))["resource"]["request"].clone();
        assert!(!kept.to_string().contains("hush"), "{kept}");
        assert_eq!((&kept["keys"], &kept["value"], &kept["url"]), (&told["keys"], &told["value"], &told["url"]));
        let query = json!({ "sql": "update t set k = 'hush' where id = 7; drop table u", "params": [] });
        let told = of("/accounts/a/d1/database/d/query", &query, &json!({}))["resource"]["request"]["sql"].clone();
        let told = told.as_str().unwrap();
        assert!(
            told.starts_with("update t set k = '«secret ") && told.ends_with("' where id = 7; drop table u"),
            "{told}"
        );
        let first = masked(&json!({
            "resource": { "id": "w", "type": "webhook" }, "oldValue": { "url": "https://a.example/hush", "secret": "hush" },
            "newValueJson": "{\"psk\":\"hush\",\"name\":\"kept\"}", "oldValueJson": "{\"name\": \"kept\"}",
        }));
        assert!(!first.to_string().contains("hush"), "{first}");
        assert_eq!(first["newValueJson"], "{\"psk\":\"«secret»\",\"name\":\"kept\"}");
        assert_eq!(first["oldValueJson"], "{\"name\": \"kept\"}");
        // Of a kind that nobody knows, a value may be anything; of a setting it is what it is set to.
        let bare = |kind: &str, told: Value| {
            masked(&json!({ "resource": { "type": kind }, "newValue": told }))["newValue"].clone()
        };
        assert_eq!(
            bare("kv_pair", json!({ "key": "kept", "value": "hush" })),
            json!({ "key": "kept", "value": "«secret»" })
        );
        assert_eq!(bare("kv_pair", json!("hush")), json!("«secret»"));
        assert_eq!(bare("zone_setting", json!({ "value": "off" })), json!({ "value": "off" }));
        // A token of the account of which the older log tells.
        let rolled =
            masked(&json!({ "resource": { "type": "token" }, "newValue": { "value": "hush", "status": "active" } }));
        assert_eq!(rolled["newValue"], json!({ "value": "«secret»", "status": "active" }));
    }

    #[test]
    fn an_address_is_masked_where_it_is_a_credential() {
        let uri = |uri: &str| masked(&json!({ "raw": { "uri": uri } }))["raw"]["uri"].as_str().unwrap().to_owned();
        let hook = uri("/client/v4/accounts/a/pages/projects/p/deploy_hooks/hush?page=2&api_token=hush");
        assert!(hook.starts_with("/client/v4/accounts/a/pages/projects/p/deploy_hooks/«secret "), "{hook}");
        assert!(hook.contains("?page=2&api_token=«secret ") && !hook.contains("hush"), "{hook}");
        assert_eq!(uri("/client/v4/accounts/a/x#access_token=hush"), "/client/v4/accounts/a/x");
        for plain in ["/client/v4/zones/z/dns_records?name.exact=a&per_page=100", "/client/v4/zones?account.id=a&flag"]
        {
            assert_eq!(uri(plain), plain);
        }
        let told = uri("/client/v4/accounts/a/x?key=hush&sig=hush&page=1&name.token=hush&u=u%3Ahush");
        assert!(!told.contains("hush") && told.contains("?key=«secret ") && told.contains("&page=1&"), "{told}");
    }

    #[test]
    fn a_page_stays_as_it_came_where_nothing_in_it_is_secret() {
        let page = b"{ \"result\": [{\"id\":\"1\", \"oldValue\":{\"value\":\"off\"}}] }";
        assert_eq!(mask_page(page), page);
        let page = json!({ "success": true, "result": [{ "newValue": { "psk": "hush" } }] }).to_string();
        assert_eq!(mask_page(page.as_bytes()), page.replace("hush", "«secret»").as_bytes());
        assert!(is_log("/accounts/a/logs/audit?limit=1") && is_log("/user/audit_logs") && !is_log("/zones"));
    }
}
