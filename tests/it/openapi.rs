//! Requests measured against the official schema, in process.

use std::path::Path;

use quell::simulator::LoggedRequest;
use serde_json::{Map, Value, json};

/// The official schema of the API, where it lies beside the checkout.
pub(crate) struct OpenApi {
    document: Value,
    /// The same for what is sent.
    requests: Value,
}

impl OpenApi {
    /// Loads it. Where it is absent that is said loudly, or fails if `QUELL_REQUIRE_SCHEMA` is set.
    pub(crate) fn load() -> Option<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cloudflare/openapi-subset.json");
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let mut document: Value = serde_json::from_str(&text).unwrap();
                let mut requests = document.clone();
                read_only_is_not_required(&mut requests, &document);
                to_json_schema(&mut document);
                to_json_schema(&mut requests);
                Some(Self { document, requests })
            }
            Err(error) => {
                assert!(std::env::var_os("QUELL_REQUIRE_SCHEMA").is_none(), "the official schema is required: {error}");
                // Past the capture of test output, so that nobody takes silence for a check.
                let warning =
                    format!("\n*** NOT CHECKED against the official schema: {} is absent ***\n", path.display());
                std::io::Write::write_all(&mut std::io::stderr(), warning.as_bytes()).unwrap();
                None
            }
        }
    }

    /// What the schema has against a request; empty where it is right.
    pub(crate) fn violations(&self, request: &LoggedRequest) -> Vec<String> {
        let path = request.path.split('?').next().unwrap_or_default();
        let name = format!("{} {path}", request.method);
        let Some((item, operation)) = self.operation(&request.method, path) else {
            return vec![format!("{name}: no such operation")];
        };
        let mut found = Vec::new();
        let parameters: Vec<Value> = [item, operation]
            .iter()
            .flat_map(|holder| holder["parameters"].as_array().cloned().unwrap_or_default())
            .map(|parameter| self.resolve(&parameter))
            .filter(|parameter| parameter["in"] == "query")
            .collect();
        let query: Vec<(String, String)> = url::form_urlencoded::parse(request.query.as_bytes()).into_owned().collect();
        for (key, value) in &query {
            match parameters.iter().find(|parameter| parameter["name"] == key.as_str()) {
                None => found.push(format!("{name}: unknown query parameter `{key}`")),
                Some(parameter) => found.extend(self.check(
                    &parameter["schema"],
                    &typed(value, &self.resolve(&parameter["schema"])),
                    &format!("{name}?{key}"),
                )),
            }
        }
        for parameter in parameters.iter().filter(|parameter| parameter["required"] == true) {
            if !query.iter().any(|(key, _)| parameter["name"] == key.as_str()) {
                found.push(format!("{name}: required query parameter `{}` is missing", parameter["name"]));
            }
        }
        let wanted = self.resolve(&operation["requestBody"]);
        match (&request.body, wanted["content"]["application/json"]["schema"].clone()) {
            (Some(body), Value::Null) => found.push(format!("{name}: a body is sent where none is described: {body}")),
            (Some(body), schema) => found.extend(self.check(&schema, body, &name)),
            (None, _) if wanted["required"] == true => found.push(format!("{name}: the body is missing")),
            (None, _) => {}
        }
        found
    }

    /// The paths that can be read, as the schema writes them.
    pub(crate) fn readable(&self) -> Vec<String> {
        let paths = self.document["paths"].as_object().unwrap();
        paths.iter().filter(|(_, item)| item.get("get").is_some()).map(|(path, _)| path.clone()).collect()
    }

    /// The values that a header of a read may have.
    pub(crate) fn header_values(&self, path: &str, name: &str) -> Vec<String> {
        let (item, operation) = self.operation("get", path).unwrap();
        let holders =
            [item, operation].into_iter().flat_map(|holder| holder["parameters"].as_array().into_iter().flatten());
        let header = holders.map(|it| self.resolve(it)).find(|it| it["in"] == "header" && it["name"] == name);
        let values = header.map(|header| self.resolve(&header["schema"])["enum"].clone()).unwrap_or_default();
        values.as_array().into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    }

    /// What holds answers to a read of `path` against the schema.
    pub(crate) fn answers(&self, path: &str) -> jsonschema::Validator {
        let (_, operation) = self.operation("get", path).unwrap();
        let described = self.resolve(&operation["responses"]["200"]);
        let mut root = with_components(&self.document, &described["content"]["application/json"]["schema"]);
        optional_may_be_null(&mut root);
        jsonschema::options().with_draft(jsonschema::Draft::Draft4).build(&root).unwrap()
    }

    fn operation(&self, method: &str, path: &str) -> Option<(&Value, &Value)> {
        let parts: Vec<&str> = path.split('/').collect();
        let mut best: Option<(usize, &Value, &Value)> = None;
        for (template, item) in self.document["paths"].as_object()? {
            let wanted: Vec<&str> = template.split('/').collect();
            let fits = wanted.len() == parts.len()
                && wanted.iter().zip(&parts).all(|(want, part)| want.starts_with('{') || want == part);
            let fixed = wanted.iter().filter(|want| !want.starts_with('{')).count();
            if fits
                && let Some(operation) = item.get(method.to_lowercase())
                && best.is_none_or(|(most, _, _)| fixed > most)
            {
                best = Some((fixed, item, operation));
            }
        }
        best.map(|(_, item, operation)| (item, operation))
    }

    fn resolve(&self, value: &Value) -> Value {
        match value["$ref"].as_str() {
            Some(reference) => {
                self.resolve(self.document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null))
            }
            None => value.clone(),
        }
    }

    fn check(&self, schema: &Value, value: &Value, name: &str) -> Vec<String> {
        let root = with_components(&self.requests, schema);
        let validator = jsonschema::options().with_draft(jsonschema::Draft::Draft4).build(&root).unwrap();
        validator
            .iter_errors(value)
            .map(|error| format!("{name}: {} at {}: {value}", error, error.instance_path()))
            .collect()
    }
}

/// A schema with everything that it refers to, and nothing else: to build a validator of the whole takes long.
fn with_components(document: &Value, schema: &Value) -> Value {
    let mut root = json!({ "allOf": [schema], "components": { "schemas": {} } });
    let mut wanted = references(schema);
    while let Some(name) = wanted.pop() {
        if root["components"]["schemas"].get(&name).is_none() {
            let component = &document["components"]["schemas"][&name];
            wanted.extend(references(component));
            root["components"]["schemas"][&name] = component.clone();
        }
    }
    root
}

/// What is for reading only is required of answers alone, and is not to be sent (OpenAPI 3.0.3, Schema Object). So it is
/// with the `id` of a policy, which creation refuses as the reuse of an existing one.
fn read_only_is_not_required(value: &mut Value, document: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| read_only_is_not_required(item, document)),
        Value::Object(map) => {
            let properties = map.get("properties").cloned().unwrap_or_default();
            let is_read_only = |name: &Value| {
                let property = &properties[name.as_str().unwrap_or_default()];
                let named = property["$ref"].as_str().and_then(|it| document.pointer(it.trim_start_matches('#')));
                named.unwrap_or(property)["readOnly"] == true
            };
            if let Some(Value::Array(required)) = map.get_mut("required") {
                required.retain(|name| !is_read_only(name));
                // Of draft 4 the list is not empty.
                if required.is_empty() {
                    map.remove("required");
                }
            }
            map.values_mut().for_each(|item| read_only_is_not_required(item, document));
        }
        _ => {}
    }
}

/// A query value as the type that its schema names.
fn typed(value: &str, schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("integer") => value.parse::<i64>().map_or(json!(value), |number| json!(number)),
        Some("number") => value.parse::<f64>().map_or(json!(value), |number| json!(number)),
        Some("boolean") => value.parse::<bool>().map_or(json!(value), |flag| json!(flag)),
        Some("array") => json!([value]),
        _ => json!(value),
    }
}

/// OpenAPI 3.0 says `nullable` where JSON Schema has a second type, and has keys that mean nothing to it.
fn to_json_schema(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(to_json_schema),
        Value::Object(map) => {
            map.values_mut().for_each(to_json_schema);
            for key in ["example", "discriminator", "x-auditable", "readOnly"] {
                if !map.get(key).is_some_and(Value::is_object) || key == "example" {
                    map.remove(key);
                }
            }
            if map.remove("nullable") == Some(json!(true)) {
                let inner = Value::Object(std::mem::take(map));
                *map = Map::from_iter([("anyOf".to_owned(), json!([inner, { "type": "null" }]))]);
            }
        }
        _ => {}
    }
}

/// Names of the components that a schema refers to.
fn references(value: &Value) -> Vec<String> {
    let named = value["$ref"].as_str().and_then(|it| it.strip_prefix("#/components/schemas/")).map(str::to_owned);
    let inner: Vec<&Value> = match value {
        Value::Object(map) => map.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    named.into_iter().chain(inner.into_iter().flat_map(references)).collect()
}

/// Where an answer is wrong, and how: what the first of several allowed forms has against it, for the others are odd ones.
pub(crate) fn faults(error: &jsonschema::ValidationError<'_>) -> Vec<(String, String)> {
    use jsonschema::error::ValidationErrorKind::{AnyOf, OneOfNotValid};
    match error.kind() {
        AnyOf { context } | OneOfNotValid { context } if !context.is_empty() => {
            context[0].iter().flat_map(faults).collect()
        }
        _ => vec![(error.instance_path().to_string(), error.to_string())],
    }
}

/// Optional fields that have no value come as null (observed), whatever the schema says of their type.
fn optional_may_be_null(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(optional_may_be_null),
        Value::Object(map) => {
            let required = map.get("required").cloned().unwrap_or_default();
            let is_required = |name: &String| required.as_array().is_some_and(|it| it.iter().any(|it| it == name));
            for (name, property) in map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
                if !is_required(name) && property.is_object() {
                    *property = json!({ "anyOf": [property.take(), { "type": "null" }] });
                }
            }
            map.values_mut().for_each(optional_may_be_null);
        }
        _ => {}
    }
}

#[test]
fn a_wrong_request_is_noticed() {
    let Some(schema) = OpenApi::load() else { return };
    let request = |method: &str, path: &str, query: &str, body: Option<Value>| LoggedRequest {
        seq: 1,
        at: jiff::Timestamp::UNIX_EPOCH,
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        body,
        status: 200,
        applied: false,
        credential: String::new(),
    };
    let id = "023e105f4ecef8ad9ca31a8372d0c353";
    let token = format!("/accounts/{id}/tokens/{id}");
    assert_eq!(schema.violations(&request("GET", "/nothing/here", "", None)).len(), 1);
    assert_eq!(
        schema.violations(&request("GET", &format!("/accounts/{id}/tokens"), "per_page=50&colour=red", None)).len(),
        1
    );
    assert_eq!(schema.violations(&request("GET", &format!("/accounts/{id}/tokens"), "per_page=500", None)).len(), 1);
    assert!(!schema.violations(&request("PUT", &token, "", Some(json!({ "name": 7 })))).is_empty());
    assert!(schema.violations(&request("GET", &token, "", None)).is_empty());
}
