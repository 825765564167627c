//! What is partly secret is masked, and keeps its form.

mod address;

use serde_json::{Map, Value};

use crate::cloudflare::marked;
use crate::hunt::MASK;

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
    const ENDINGS: [&str; 8] =
        ["secret", "token", "password", "privatekey", "apikey", "accesskey", "secretkey", "authorization"];
    everywhere(value, &mut |name, value| {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        if value.is_string() && ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            hide(value);
        }
        // Zaraz says by its kind that a variable is secret.
        if value["type"] == "secret" {
            value.get_mut("value").into_iter().for_each(hide);
        }
    });
}

/// Static values of headers that rules set, marked.
pub(super) fn rule_headers(ruleset: &mut Value) {
    let rules = ruleset.get_mut("rules").and_then(Value::as_array_mut);
    rules.into_iter().flatten().for_each(marked::header_values);
}

/// Zaraz: each tool calls its own key as it likes, so that all texts of their settings are marked.
pub(super) fn zaraz(value: &mut Value) {
    named_secrets(value);
    let tools = value.get_mut("tools").and_then(Value::as_object_mut);
    for tool in tools.into_iter().flat_map(Map::values_mut) {
        for part in ["settings", "defaultFields"] {
            tool.get_mut(part).into_iter().for_each(marked::texts);
        }
    }
}

fn hide(value: &mut Value) {
    if !value.is_null() && value.as_str() != Some("") {
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

    use super::{headers, named_secrets, rule_headers, variables, zaraz};

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
    fn what_is_marked_shows_that_it_changed_and_stays_as_it_is_when_it_is_read_again() {
        let rule = |value: &str| {
            json!({ "rules": [{ "action": "rewrite", "action_parameters": { "headers": {
                "X-Origin": { "operation": "set", "value": value }, "X-Country": { "operation": "set", "expression": "ip.src.country" },
            } } }, { "action": "block" }] })
        };
        let (one, other) = (form(rule_headers, &rule("hunter2")), form(rule_headers, &rule("hunter3")));
        assert!(!one.to_string().contains("hunter2") && one.to_string().contains("ip.src.country"), "{one}");
        assert_ne!(one, other);
        assert_eq!(form(rule_headers, &one), one);
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
