use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::hunt::{Difference, Family};

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    /// Where it stands: a JSON pointer into the canonical form; empty for the whole of it.
    pub field: String,
    /// As it was; `None` where it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// As it is; `None` where it is not there any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// The fields that differ in an item that was changed; none for one that was added or removed. Lists that grew or shrank
/// are told whole.
pub fn fields(family: &Family, difference: &Difference) -> Vec<FieldChange> {
    let (Some(before), Some(after)) = (&difference.before, &difference.after) else { return Vec::new() };
    let mut found = Vec::new();
    compare(&mut String::new(), Some(&family.compared(before)), Some(&family.compared(after)), &mut found);
    found
}

fn compare(at: &mut String, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<FieldChange>) {
    let length = at.len();
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in names {
                at.push('/');
                at.push_str(&name.replace('~', "~0").replace('/', "~1"));
                compare(at, one.get(name), other.get(name), found);
                at.truncate(length);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                at.push_str(&format!("/{index}"));
                compare(at, Some(one), Some(other), found);
                at.truncate(length);
            }
        }
        (before, after) => {
            found.push(FieldChange { field: at.clone(), before: before.cloned(), after: after.cloned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{FieldChange, fields};
    use crate::hunt::{Difference, Family, Seat, blank};

    const FAMILY: Family = Family { name: "things", aside: &["marks"], volatile: &["seen"], ..blank() };

    fn differing(before: &Value, after: &Value) -> Vec<(String, Option<Value>, Option<Value>)> {
        let item = |raw: &Value| Some(FAMILY.item(&Seat::account(), raw.clone()));
        let difference = Difference { family: "things".into(), before: item(before), after: item(after) };
        let told = |FieldChange { field, before, after }| (field, before, after);
        fields(&FAMILY, &difference).into_iter().map(told).collect()
    }

    #[test]
    fn fields_are_told_one_by_one_with_before_and_after() {
        let before = json!({ "id": "1", "seen": 1, "marks": 1, "on": true, "to": [1, { "x": 2 }], "gone": 1, "deep": { "a/b": 1, "same": 2 } });
        let after = json!({ "id": "2", "seen": 2, "marks": 2, "on": false, "to": [1, { "x": 3 }], "new": null, "deep": { "a/b": 2, "same": 2 } });
        let some = |value: Value| Some(value);
        assert_eq!(
            differing(&before, &after),
            [
                ("/deep/a~1b".to_owned(), some(json!(1)), some(json!(2))),
                ("/gone".to_owned(), some(json!(1)), None),
                ("/new".to_owned(), None, some(json!(null))),
                ("/on".to_owned(), some(json!(true)), some(json!(false))),
                ("/to/1/x".to_owned(), some(json!(2)), some(json!(3))),
            ]
        );
    }

    #[test]
    fn a_list_that_grew_is_told_whole() {
        let list = |items: Value| json!({ "id": "1", "list": items });
        let expected = [("/list".to_owned(), Some(json!(["a"])), Some(json!(["a", "b"])))];
        assert_eq!(differing(&list(json!(["a"])), &list(json!(["a", "b"]))), expected);
        assert_eq!(differing(&list(json!([])), &list(json!([]))), []);
    }
}
