//! Before- and after-images on one line, cut down to what differs.

use serde_json::Value;

use super::words::{UNKNOWN, cut};

/// The longest value of one field, in characters.
const LONGEST_FIELD: usize = 60;
/// The longest line.
const LONGEST_LINE: usize = 200;

/// Both images, limited to the fields in which they differ. The whole of them lies in the evidence.
pub(super) fn changed_fields(before: Option<&Value>, after: Option<&Value>) -> (String, String) {
    let (Some(Value::Object(was)), Some(Value::Object(is))) = (before, after) else {
        let shown = |image: Option<&Value>| image.map_or_else(|| UNKNOWN.to_owned(), whole);
        return (shown(before), shown(after));
    };
    let mut keys: Vec<&String> = was.keys().chain(is.keys()).filter(|key| was.get(*key) != is.get(*key)).collect();
    keys.sort();
    keys.dedup();
    if keys.is_empty() {
        return ("no difference".to_owned(), "no difference".to_owned());
    }
    let side = |map: &serde_json::Map<String, Value>| {
        line(keys.iter().map(|key| (key.as_str(), map.get(*key).map_or_else(|| "absent".to_owned(), field))))
    };
    (side(was), side(is))
}

/// A whole value on one line.
pub(super) fn whole(value: &Value) -> String {
    match value {
        Value::Null => "absent".to_owned(),
        Value::Object(map) => line(map.iter().map(|(key, value)| (key.as_str(), field(value)))),
        other => field(other),
    }
}

fn line<'k>(fields: impl Iterator<Item = (&'k str, String)>) -> String {
    let fields: Vec<String> = fields.map(|(key, value)| format!("{}: {value}", cut(key, LONGEST_FIELD))).collect();
    cut(&fields.join(", "), LONGEST_LINE)
}

fn field(value: &Value) -> String {
    cut(&value.to_string(), LONGEST_FIELD)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{changed_fields, whole};

    #[test]
    fn only_what_differs_is_shown() {
        let (was, is) = changed_fields(
            Some(&json!({"content": "192.0.2.1", "ttl": 1, "gone": true})),
            Some(&json!({"content": "203.0.113.9", "ttl": 1})),
        );
        assert_eq!(was, r#"content: "192.0.2.1", gone: true"#);
        assert_eq!(is, r#"content: "203.0.113.9", gone: absent"#);
    }

    #[test]
    fn an_image_that_is_missing_is_unknown() {
        assert_eq!(changed_fields(None, Some(&json!("x"))), ("unknown".to_owned(), "\"x\"".to_owned()));
    }

    #[test]
    fn long_values_are_cut_and_say_so() {
        let text = whole(&json!({"script": "x".repeat(5_000)}));
        assert!(text.ends_with('…') && text.chars().count() < 80, "{text}");
    }
}
