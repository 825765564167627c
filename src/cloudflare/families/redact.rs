//! What is partly secret is masked, and keeps its form.

mod address;

use serde_json::{Map, Value};

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

    use super::{headers, named_secrets, variables};

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
}
