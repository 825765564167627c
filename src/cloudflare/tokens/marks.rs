use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::count;

use super::Token;

/// What makes a token dangerous, or suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It has no end.
    NeverExpires,
    /// It works from any address.
    AnyAddress,
    /// It was not used for 90 days, or never.
    Unused,
    /// It reaches every zone, or every account.
    Broad,
    /// It may make and change tokens.
    CanMint,
    /// It was made in the window.
    CreatedInWindow,
    /// It was changed in the window.
    ChangedInWindow,
}

const UNUSED_AFTER: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The marks of a token.
pub fn marks(token: &Token, now: Timestamp, since: Option<Timestamp>) -> Vec<Mark> {
    let in_window = |at: Option<Timestamp>| since.is_some_and(|since| at.is_some_and(|at| at >= since));
    let unused = token.last_used_on.is_none_or(|at| now.duration_since(at) > UNUSED_AFTER);
    let mint = token.permissions().iter().any(|name| name.ends_with("API Tokens Write"));
    let tests = [
        (Mark::NeverExpires, token.expires_on.is_none()),
        (Mark::AnyAddress, !token.raw.get("condition").is_some_and(limits_address)),
        (Mark::Unused, unused),
        (
            Mark::Broad,
            token.policies().any(|policy| policy["resources"].as_object().is_some_and(|map| map.iter().any(is_broad))),
        ),
        (Mark::CanMint, mint),
        (Mark::CreatedInWindow, in_window(token.issued_on)),
        (Mark::ChangedInWindow, in_window(token.modified_on) && !in_window(token.issued_on)),
    ];
    tests.into_iter().filter(|(_, holds)| *holds).map(|(mark, _)| mark).collect()
}

/// Both spellings of the condition occur (documented).
fn limits_address(condition: &Value) -> bool {
    ["request_ip", "request.ip"].iter().any(|key| condition[*key]["in"].as_array().is_some_and(|list| !list.is_empty()))
}

/// All accounts, or all zones of one or all.
fn is_broad((key, reach): (&String, &Value)) -> bool {
    key.ends_with(".account.*")
        || key.ends_with(".zone.*")
        || reach.as_object().is_some_and(|map| map.keys().any(|key| key.ends_with(".zone.*")))
}

/// What to improve about the tokens, in sentences for the report.
pub fn controls(rows: &[(&Token, &[Mark])]) -> Vec<String> {
    let active: Vec<_> = rows.iter().filter(|(token, _)| token.status == "active").collect();
    let sentences = [
        (Mark::NeverExpires, "without an expiry"),
        (Mark::AnyAddress, "usable from any address"),
        (Mark::Unused, "not used for 90 days"),
        (Mark::CanMint, "able to make and change tokens"),
    ];
    let mut controls = Vec::new();
    for (mark, words) in sentences {
        let marked = active.iter().filter(|(_, marks)| marks.contains(&mark)).count();
        if marked > 0 {
            controls.push(format!("{marked} of {} {words}", count(active.len(), "active token")));
        }
    }
    controls
}
