//! A read, and what it must show: `verify` of `http`, `until` of `wait`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::values::check_pointers;
use crate::action::StepError;
use crate::model::{Given, Verdict, WebCheck, WebRead};

/// A `GET`, and what it must show.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    /// Where to look.
    url: String,
    /// Headers: a text, or `{ secret_env = "NAME" }` for a secret in quell's environment.
    #[serde(default)]
    headers: BTreeMap<String, Given>,
    /// HTTP statuses that are right; any 2xx without it.
    #[serde(default)]
    expect: Vec<u16>,
    /// JSON pointer to a value that must be there.
    pointer: Option<String>,
    /// What that value must be.
    equals: Option<Value>,
}

impl Check {
    /// The check as it is journaled and made; its read may take so many seconds.
    pub(super) fn made(self, timeout: u64) -> Result<WebCheck, StepError> {
        check_pointers(&self.pointer)?;
        if self.equals.is_some() && self.pointer.is_none() {
            return Err(StepError::new("`equals` needs a `pointer` to the value that it is compared with")
                .hint("a pointer begins with `/`, like `/result/state`"));
        }
        let read = WebRead { url: self.url, headers: self.headers, timeout };
        Ok(WebCheck { read, expect: self.expect, pointer: self.pointer, equals: self.equals })
    }
}

/// What must be seen, in words.
pub(super) fn wanted(check: &WebCheck) -> String {
    let place = &check.read.url;
    match (&check.pointer, &check.equals) {
        (Some(pointer), Some(wanted)) => format!("`{pointer}` of {place} is {wanted}"),
        (Some(pointer), None) => format!("{place} has `{pointer}`"),
        (None, _) => format!("{place} answers as expected"),
    }
}

/// Whether an answer is one that is right.
pub(super) fn is_expected(expect: &[u16], status: u16) -> bool {
    if expect.is_empty() { (200..300).contains(&status) } else { expect.contains(&status) }
}

/// What an answer says.
pub(super) fn judge(check: &WebCheck, status: u16, body: &[u8]) -> Verdict {
    let place = &check.read.url;
    if !is_expected(&check.expect, status) {
        return Verdict::DoesNotHold(format!("{place} answers with HTTP {status}"));
    }
    let Some(pointer) = &check.pointer else {
        return Verdict::Holds(format!("{place} answers with HTTP {status}"));
    };
    let Ok(document) = serde_json::from_slice::<Value>(body) else {
        return Verdict::CannotTell(format!("the answer of {place} is no JSON"));
    };
    match (document.pointer(pointer), &check.equals) {
        (None, _) => Verdict::DoesNotHold(format!("{place} has no `{pointer}`")),
        (Some(found), Some(wanted)) if found != wanted => {
            Verdict::DoesNotHold(format!("`{pointer}` of {place} is not {wanted}"))
        }
        (Some(_), Some(wanted)) => Verdict::Holds(format!("`{pointer}` of {place} is {wanted}")),
        (Some(_), None) => Verdict::Holds(format!("{place} has `{pointer}`")),
    }
}
