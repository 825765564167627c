//! What is partly secret is masked, and keeps its form.

mod address;

use serde_json::{Map, Value};

use crate::cloudflare::marked;
pub(super) use crate::cloudflare::marked::expressions;
use crate::hunt::{MASK, mask_named};

pub(super) use address::{log_destination, webhook};

/// Values of environment variables, masked: plain ones are where people put secrets too.
pub(super) fn variables(value: &mut Value) {
    everywhere(value, &mut |name, value| {
        if name == "env_vars" {
            let variables = value.as_object_mut().into_iter().flat_map(Map::values_mut);
            variables.filter_map(|variable| variable.get_mut("value")).for_each(hide);
        }
    });
}

/// Pages: variables, and commands, into which people write them.
pub(super) fn pages(value: &mut Value) {
    variables(value);
    everywhere(value, &mut |name, value| {
        if name == "build_command" {
            marked::texts(value);
        }
    });
}

/// Load balancers and checks: headers, what the path of a check brings along, and what rules ask for.
pub(super) fn balancing(value: &mut Value) {
    headers(value);
    marked::expressions(value);
    everywhere(value, &mut |name, value| {
        if name == "path" {
            query(value);
        }
    });
}

/// What customers of a customer note down.
pub(super) fn custom_metadata(value: &mut Value) {
    value.get_mut("custom_metadata").into_iter().for_each(marked::texts);
}

/// Values of headers, masked, but for the name of the host.
pub(super) fn headers(value: &mut Value) {
    everywhere(value, &mut |name, value| {
        if matches!(name, "header" | "headers" | "add_headers") {
            let headers = value.as_object_mut().into_iter().flatten();
            headers.filter(|(name, _)| !name.eq_ignore_ascii_case("host")).for_each(|(_, value)| hide(value));
        }
    });
}

/// Texts whose names end as those of secrets do, masked: the configurations of identity providers and of tools are each
/// their own.
pub(super) fn named_secrets(value: &mut Value) {
    mask_named(value);
    everywhere(value, &mut |name, value| {
        if name.ends_with("uri") || name.ends_with("url") {
            query(value);
        }
        // Zaraz says by its kind that a variable is secret.
        if value["type"] == "secret" {
            value.get_mut("value").into_iter().for_each(hide);
        }
    });
}

/// What the addresses of a resource bring along, wherever they stand, and the values of its headers. A tunnel calls the
/// address of what it leads to a service.
pub(super) fn addresses(value: &mut Value) {
    headers(value);
    everywhere(value, &mut |name, value| {
        if name == "service" || name.ends_with("uri") || name.ends_with("url") {
            query(value);
        }
    });
}

/// Policies of Gateway: besides, what they ask for.
pub(super) fn gateway(value: &mut Value) {
    addresses(value);
    marked::expressions(value);
}

/// Versions and deployments of Workers: what people note down with them.
pub(super) fn annotations(value: &mut Value) {
    everywhere(value, &mut |name, value| {
        if let Value::String(text) = value
            && name == "workers/message"
        {
            *text = marked::said(text);
        }
    });
}

/// What a request to this path holds that no list shows: values that are kept for whoever asks, and what runs.
pub(super) fn held(path: &str, value: &mut Value) {
    let has = |part: &str| path.split('/').any(|segment| segment == part);
    if HOLDERS.iter().any(|part| has(part)) {
        match value {
            Value::String(_) => hide(value),
            _ => everywhere(value, &mut |name, value| match value {
                // What was done to a table is told, and not what was put into it.
                Value::String(text) if name == "sql" => *text = marked::literals(text),
                value if HELD.contains(&name) => marked::texts(value),
                _ => {}
            }),
        }
    }
    if has("snippets") || has("scripts") {
        everywhere(value, &mut |name, value| {
            if matches!(name, "files" | "content" | "code" | "body") {
                marked::texts(value);
            }
        });
    }
}

/// Parts of paths under which values lie.
const HOLDERS: [&str; 5] = ["kv", "d1", "queues", "secrets_store", "secrets"];

/// What holds a value there.
const HELD: [&str; 5] = ["value", "values", "params", "body", "text"];

/// A ruleset, or one rule: what rules set and ask for, marked.
pub(super) fn rules(ruleset: &mut Value) {
    match ruleset.get_mut("rules").and_then(Value::as_array_mut) {
        Some(rules) => rules.iter_mut().for_each(marked::rule),
        None => marked::rule(ruleset),
    }
}

/// Zaraz: each tool calls its own key as it likes, so that all texts of their settings are marked, and so is what variables
/// hold. Whoever has the key for debugging sees what the tools do.
pub(super) fn zaraz(value: &mut Value) {
    named_secrets(value);
    value.get_mut("debugKey").into_iter().for_each(marked::texts);
    let variables = value.get_mut("variables").and_then(Value::as_object_mut);
    variables.into_iter().flat_map(Map::values_mut).filter_map(|it| it.get_mut("value")).for_each(marked::texts);
    let tools = value.get_mut("tools").and_then(Value::as_object_mut);
    for tool in tools.into_iter().flat_map(Map::values_mut) {
        for part in ["settings", "defaultFields"] {
            tool.get_mut(part).into_iter().for_each(marked::texts);
        }
    }
}

/// Something of which nobody says what it is, masked by the names of its fields and by its form.
pub(super) fn untold(value: &mut Value) {
    variables(value);
    named_secrets(value);
    annotations(value);
    forms(value);
}

fn forms(value: &mut Value) {
    // Webhooks have both.
    if value.get("secret").is_some() && value.get("url").is_some() {
        webhook(value);
    }
    if value.get("destination_conf").is_some() {
        log_destination(value);
    }
    // A secret of a Worker, and a plain variable.
    if matches!(value.get("type").and_then(Value::as_str), Some("secret_text" | "plain_text")) {
        value.get_mut("text").into_iter().for_each(hide);
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(forms),
        Value::Array(items) => items.iter_mut().for_each(forms),
        Value::String(text) if text.contains("-----BEGIN") && text.contains("PRIVATE KEY") => hide(value),
        _ => {}
    }
}

/// A token, or its value alone.
pub(super) fn token(value: &mut Value) {
    match value {
        Value::String(_) => hide(value),
        Value::Object(map) => map.get_mut("value").into_iter().for_each(hide),
        _ => {}
    }
}

/// What an address brings along: the values of its query, and who calls.
fn query(value: &mut Value) {
    if let Value::String(text) = value {
        *text = marked::opened(text);
    }
}

pub(super) fn hide(value: &mut Value) {
    // What was kept marked is read again, and must come out the same.
    if !value.is_null() && !value.as_str().is_some_and(|text| text.is_empty() || marked::is_in(text)) {
        *value = MASK.into();
    }
}

fn everywhere(value: &mut Value, change: &mut impl FnMut(&str, &mut Value)) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                change(name, value);
                everywhere(value, change);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|value| everywhere(value, change)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{addresses, balancing, custom_metadata, headers, named_secrets, pages, rules, variables, zaraz};

    fn form(redact: fn(&mut Value), raw: &Value) -> Value {
        let mut value = raw.clone();
        redact(&mut value);
        value
    }

    #[test]
    fn what_may_be_secret_is_masked_and_nothing_else() {
        let project = json!({ "deployment_configs": { "production": { "env_vars": {
            "KEY": { "type": "plain_text", "value": "hunter2" }, "GONE": null,
        } } } });
        let masked = json!({ "deployment_configs": { "production": { "env_vars": {
            "KEY": { "type": "plain_text", "value": "«secret»" }, "GONE": null,
        } } } });
        assert_eq!(form(variables, &project), masked);
        let pool =
            json!({ "origins": [{ "header": { "Host": ["a.example"], "X-Key": ["hunter2"] } }], "header": "no map" });
        assert_eq!(form(headers, &pool)["origins"][0]["header"], json!({ "Host": ["a.example"], "X-Key": "«secret»" }));
        let provider = json!({ "config": {
            "client_id": "id", "client_secret": "hunter2", "token_url": "https://idp.example/token", "apiToken": "hunter2",
        }, "vars": { "a": { "type": "secret", "value": "hunter2" } }, "read_service_tokens_from_header": "X" });
        let masked = json!({ "config": {
            "client_id": "id", "client_secret": "«secret»", "token_url": "https://idp.example/token", "apiToken": "«secret»",
        }, "vars": { "a": { "type": "secret", "value": "«secret»" } }, "read_service_tokens_from_header": "X" });
        assert_eq!(form(named_secrets, &provider), masked);
    }

    #[test]
    fn what_people_write_elsewhere_is_marked() {
        let hushed = crate::cloudflare::marked::mark("hush");
        let told = |redact: fn(&mut Value), raw: Value| {
            let told = form(redact, &raw);
            assert_eq!(form(redact, &told), told, "read again");
            told
        };
        let project = told(pages, json!({ "build_config": { "build_command": "hush", "destination_dir": "out" } }));
        assert_eq!(project["build_config"], json!({ "build_command": hushed, "destination_dir": "out" }));
        let monitor = told(
            balancing,
            json!({ "path": "/health?key=hush", "header": { "X": ["hush"] }, "rules": [
            { "condition": "http.cookie eq \"hush\"", "name": "r" },
        ] }),
        );
        assert_eq!(monitor["path"], format!("/health?key={hushed}"));
        assert_eq!(monitor["rules"][0]["condition"], format!("http.cookie eq \"{hushed}\""));
        assert!(!monitor.to_string().contains("\"hush"), "{monitor}");
        let name =
            told(custom_metadata, json!({ "hostname": "a.example", "custom_metadata": { "k": "hush", "n": 1 } }));
        assert_eq!(name, json!({ "hostname": "a.example", "custom_metadata": { "k": hushed, "n": 1 } }));
        let app =
            told(named_secrets, json!({ "scim_config": { "remote_uri": "https://u:hush@a.example/in?t=hush&u" } }));
        assert_eq!(
            app["scim_config"]["remote_uri"],
            format!("https://{}@a.example/in?t={hushed}&u", crate::cloudflare::marked::mark("u:hush"))
        );
        let rule = told(
            rules,
            json!({ "action": "rewrite", "expression": "http.cookie eq \"hush\"", "action_parameters": {
            "uri": { "query": { "value": "hush" }, "path": { "value": "/hush" } },
            "headers": { "X": { "operation": "set", "expression": "concat(\"hush\", \"\")" } },
        } }),
        );
        assert_eq!(
            rule,
            json!({ "action": "rewrite", "expression": format!("http.cookie eq \"{hushed}\""), "action_parameters": {
            "uri": { "query": { "value": hushed }, "path": { "value": "/hush" } },
            "headers": { "X": { "operation": "set", "expression": format!("concat(\"{hushed}\", \"\")") } },
        } })
        );
        let config = told(zaraz, json!({ "debugKey": "hush", "variables": { "v": { "name": "v", "value": "hush" } } }));
        assert_eq!(config, json!({ "debugKey": hushed, "variables": { "v": { "name": "v", "value": hushed } } }));
    }

    #[test]
    fn what_an_address_brings_along_is_marked_wherever_one_is_kept() {
        let hushed = crate::cloudflare::marked::mark("hush");
        let user = crate::cloudflare::marked::mark("u:hush");
        let (to, kept) =
            ("https://u:hush@a.example/x?token=hush", format!("https://{user}@a.example/x?token={hushed}"));
        for (name, raw, place) in [
            (
                "list_items",
                json!({ "redirect": { "source_url": "b.example/y", "target_url": to } }),
                "/redirect/target_url",
            ),
            (
                "page_rules",
                json!({ "actions": [{ "id": "forwarding_url", "value": { "url": to } }] }),
                "/actions/0/value/url",
            ),
            (
                "zone_rulesets",
                json!({ "rules": [{ "action": "redirect", "action_parameters": {
                    "from_value": { "status_code": 302, "target_url": { "value": to } },
                } }] }),
                "/rules/0/action_parameters/from_value/target_url/value",
            ),
            ("custom_pages", json!({ "id": "500_errors", "url": to }), "/url"),
            ("account_custom_pages", json!({ "id": "500_errors", "url": to }), "/url"),
            (
                "gateway_rules",
                json!({ "rule_settings": { "block_page": { "target_uri": to } } }),
                "/rule_settings/block_page/target_uri",
            ),
            (
                "gateway_configuration",
                json!({ "settings": { "block_page": { "target_uri": to } } }),
                "/settings/block_page/target_uri",
            ),
            (
                "tunnel_configurations",
                json!({ "config": { "ingress": [{ "service": to }] } }),
                "/config/ingress/0/service",
            ),
        ] {
            let family = crate::cloudflare::families::family(name).unwrap();
            let told = family.redacted(raw.clone());
            assert_eq!(told.pointer(place).unwrap(), &json!(kept), "{name}");
            assert_eq!(family.redacted(told.clone()), told, "{name}: read again");
            assert!(!String::from_utf8(family.masked(raw.to_string().as_bytes())).unwrap().contains("hush"), "{name}");
        }
        let service = |service: &str| form(addresses, &json!({ "service": service }))["service"].clone();
        for plain in ["http://localhost:8080/@me", "http_status:404", "unix:/run/app.sock", "ssh://db.example:22"] {
            assert_eq!(service(plain), plain);
        }
    }

    #[test]
    fn what_follows_a_hash_what_gateway_asks_for_and_what_people_note_is_marked() {
        let hushed = crate::cloudflare::marked::mark("hush");
        let of = |name: &str, raw: Value| {
            let family = crate::cloudflare::families::family(name).unwrap();
            let told = family.redacted(raw);
            assert_eq!(family.redacted(told.clone()), told, "{name}: read again");
            told
        };
        let page = of("custom_pages", json!({ "url": "https://a.example/cb#access_token=hush&state" }));
        assert_eq!(page["url"], format!("https://a.example/cb#access_token={hushed}&state"));
        let policy = of(
            "gateway_rules",
            json!({ "traffic": "any(http.request.uri.query[*] == \"hush\") or dns.fqdn == \"a\"" }),
        );
        assert_eq!(policy["traffic"], format!("any(http.request.uri.query[*] == \"{hushed}\") or dns.fqdn == \"a\""));
        let policy = of("gateway_rules", json!({ "traffic": "http.request.uri == \"https://a.example/?k=hush\"" }));
        assert_eq!(policy["traffic"], format!("http.request.uri == \"https://a.example/?k={hushed}\""));
        let noted = json!({ "annotations": { "workers/message": "rotate api_key=hush now", "workers/tag": "v1" } });
        for name in ["workers_versions", "workers_deployments"] {
            let told = of(name, noted.clone());
            assert_eq!(told["annotations"]["workers/message"], format!("rotate api_key={hushed} now"), "{name}");
            assert_eq!(told["annotations"]["workers/tag"], "v1");
        }
        let redirect = of(
            "zone_rulesets",
            json!({ "rules": [{ "action": "redirect", "action_parameters": { "from_value": {
            "target_url": { "expression": "concat(\"https://a.example/?t=hush\", http.request.uri.path)" },
        } } }] }),
        );
        let target = &redirect["rules"][0]["action_parameters"]["from_value"]["target_url"]["expression"];
        assert_eq!(target, &json!(format!("concat(\"https://a.example/?t={hushed}\", http.request.uri.path)")));
    }

    #[test]
    fn bindings_of_a_version_are_masked_as_those_of_the_settings_are() {
        let versions = crate::cloudflare::families::family("workers_versions").unwrap();
        let binding = |text: &str| {
            json!({ "resources": { "bindings": [
            { "type": "plain_text", "name": "P", "text": text }, { "type": "secret_text", "name": "K", "text": text },
            { "type": "json", "name": "J", "json": { "key": text } },
        ] }, "metadata": { "source": "wrangler" } })
        };
        let told = versions.redacted(binding("hush"));
        assert!(!told.to_string().contains("hush"), "{told}");
        assert_eq!(told["resources"]["bindings"][0]["name"], "P");
        assert_eq!(told["metadata"]["source"], "wrangler");
    }

    #[test]
    fn what_is_marked_shows_that_it_changed_and_stays_as_it_is_when_it_is_read_again() {
        let rule = |value: &str| {
            json!({ "rules": [{ "action": "rewrite", "action_parameters": { "headers": {
                "X-Origin": { "operation": "set", "value": value }, "X-Country": { "operation": "set", "expression": "ip.src.country" },
            } } }, { "action": "block" }] })
        };
        let (one, other) = (form(rules, &rule("hunter2")), form(rules, &rule("hunter3")));
        assert!(!one.to_string().contains("hunter2") && one.to_string().contains("ip.src.country"), "{one}");
        assert_ne!(one, other);
        assert_eq!(form(rules, &one), one);
        let tool = json!({ "tools": { "t": { "name": "Pixel", "settings": { "key": "hunter2", "on": true, "more": ["hunter2"] },
            "defaultFields": { "auth": "hunter2" }, "actions": { "a": { "data": { "html": "<script>" } } } } } });
        let marked = form(zaraz, &tool);
        assert!(!marked.to_string().contains("hunter2"), "{marked}");
        assert_eq!(
            (&marked["tools"]["t"]["name"], &marked["tools"]["t"]["settings"]["on"]),
            (&json!("Pixel"), &json!(true))
        );
        assert!(marked.to_string().contains("<script>"), "{marked}");
        assert_eq!(form(zaraz, &marked), marked);
    }
}
