use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Action, ActionSpec, Estimate, Look, StepError, StepPlan};
use crate::model::{Danger, count};

/// Fails where something is not as it must be.
pub(super) struct Assert;

/// Parameters of `assert`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// What must hold; all of it is looked at, and all that does not hold is told.
    that: Vec<Check>,
}

/// One thing that must hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    /// The value, mostly a reference to an earlier result.
    #[serde(default)]
    value: Value,
    /// How it is compared.
    must: Comparison,
    /// What it is compared with; nothing for `be_empty` and `not_be_empty`.
    #[serde(default)]
    with: Value,
    /// What to say where it does not hold: what that means, and what to do.
    otherwise: String,
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Comparison {
    /// The value is this one.
    Equal,
    /// It is another one.
    Differ,
    /// The list has this item, or the text this part.
    Contain,
    /// The list, table or text has nothing in it, or there is none.
    BeEmpty,
    /// It has.
    NotBeEmpty,
    /// The number, or the number of items, is this or more.
    BeAtLeast,
    /// It is this or less.
    BeAtMost,
}

/// Output of `assert`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Output {
    /// How many things were looked at.
    checked: u64,
}

impl Action for Assert {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "assert",
        version: 1,
        summary: "Fail where something is not as it must be",
        docs: "Compares inputs and results of earlier steps with what they must be, and fails with the words of everything \
               that does not hold; `on_failure` says what then. Looks at nothing by itself and sends nothing.",
        verb: "check",
        max_danger: Danger::Observe,
        permissions: &[],
        example: "that = [{ value = [\"a\"], must = \"be_at_most\", with = 1, otherwise = \"More than one is left.\" }]",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 0, per_zone: 0 },
    };

    async fn plan(params: Params, _look: &Look<'_>) -> Result<StepPlan<Output>, StepError> {
        let failed: Vec<&str> =
            params.that.iter().filter(|check| !holds(check)).map(|check| check.otherwise.as_str()).collect();
        if !failed.is_empty() {
            return Err(StepError::new(failed.join("; ")));
        }
        let summary = format!("{} as they must be", count(params.that.len(), "thing"));
        Ok(StepPlan::seen(Output { checked: params.that.len() as u64 }, summary))
    }
}

fn holds(check: &Check) -> bool {
    let (value, with) = (&check.value, &check.with);
    match check.must {
        Comparison::Equal => value == with,
        Comparison::Differ => value != with,
        Comparison::Contain => match (value, with) {
            (Value::Array(items), item) => items.contains(item),
            (Value::String(text), Value::String(part)) => text.contains(part),
            _ => false,
        },
        Comparison::BeEmpty => size(value) == Some(0.0),
        Comparison::NotBeEmpty => size(value).is_some_and(|size| size > 0.0),
        Comparison::BeAtLeast => amount(value).zip(with.as_f64()).is_some_and(|(amount, least)| amount >= least),
        Comparison::BeAtMost => amount(value).zip(with.as_f64()).is_some_and(|(amount, most)| amount <= most),
    }
}

/// How much is in a value; `None` for a number or a flag, which hold nothing.
fn size(value: &Value) -> Option<f64> {
    let size = match value {
        Value::Null => 0,
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        Value::String(text) => text.len(),
        Value::Bool(_) | Value::Number(_) => return None,
    };
    u32::try_from(size).ok().map(f64::from)
}

fn amount(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| size(value))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Check, holds};

    fn judged(value: &Value, must: &str, with: &Value) -> bool {
        let check = json!({ "value": value, "must": must, "with": with, "otherwise": "" });
        holds(&serde_json::from_value::<Check>(check).unwrap())
    }

    #[test]
    fn every_comparison_has_its_yes_and_its_no() {
        for (value, must, yes, no) in [
            (json!("a"), "equal", json!("a"), json!("b")),
            (json!("a"), "differ", json!("b"), json!("a")),
            (json!(["a"]), "contain", json!("a"), json!("b")),
            (json!("abc"), "contain", json!("b"), json!("x")),
            (json!([1, 2]), "be_at_least", json!(2), json!(3)),
            (json!(5), "be_at_most", json!(5), json!(4)),
        ] {
            assert!(judged(&value, must, &yes), "{must} {value}");
            assert!(!judged(&value, must, &no), "{must} {value}");
        }
        for (value, is_empty) in [(json!([]), true), (json!(null), true), (json!(""), true), (json!({ "a": 1 }), false)]
        {
            assert_eq!(judged(&value, "be_empty", &Value::Null), is_empty, "{value}");
            assert_eq!(judged(&value, "not_be_empty", &Value::Null), !is_empty, "{value}");
        }
        // What has no size is neither.
        assert!(!judged(&json!(0), "be_empty", &Value::Null) && !judged(&json!(0), "not_be_empty", &Value::Null));
        assert!(!judged(&json!("x"), "be_at_least", &json!("1")));
    }
}
