//! Which of two techniques a list or an item of one is: redirects send visitors elsewhere, and all else says who is let
//! past. Where nothing tells the kind of the list, both are named.

use serde_json::Value;

use crate::hunt::{AuditEvent, Difference};

/// What a list calls its kind, and an item the field that holds it, where it is one of redirects.
const REDIRECT: &str = "redirect";

/// Whether a list is one of redirects.
pub(super) fn is_of_redirects(difference: &Difference) -> bool {
    of_difference(difference, kind).unwrap_or(true)
}

/// Whether a list is one of anything else.
pub(super) fn is_of_addresses(difference: &Difference) -> bool {
    !of_difference(difference, kind).unwrap_or(false)
}

/// Whether an item is a redirect.
pub(super) fn is_redirect(difference: &Difference) -> bool {
    of_difference(difference, held).unwrap_or(true)
}

/// Whether an item is anything else.
pub(super) fn is_address(difference: &Difference) -> bool {
    !of_difference(difference, held).unwrap_or(false)
}

/// Whether an act may have been on a list of redirects.
pub(super) fn of_redirects(event: &AuditEvent) -> bool {
    of_act(event).unwrap_or(true)
}

/// Whether an act may have been on a list of anything else.
pub(super) fn of_addresses(event: &AuditEvent) -> bool {
    !of_act(event).unwrap_or(false)
}

fn of_difference(difference: &Difference, tells: fn(&Value) -> Option<bool>) -> Option<bool> {
    [&difference.after, &difference.before].into_iter().flatten().find_map(|item| tells(&item.value))
}

fn of_act(event: &AuditEvent) -> Option<bool> {
    let said: Vec<&Value> = [&event.after, &event.before].into_iter().flatten().collect();
    said.iter().find_map(|value| kind(value).or_else(|| held(value)))
}

/// Whether a list says that it is one of redirects; `None` where it does not say its kind.
fn kind(list: &Value) -> Option<bool> {
    list["kind"].as_str().map(|kind| kind == REDIRECT)
}

/// The same of an item, by what it holds.
fn held(item: &Value) -> Option<bool> {
    let holds = |field: &str| item.get(field).is_some_and(|value| !value.is_null());
    match (holds(REDIRECT), ["ip", "asn", "hostname"].into_iter().any(holds)) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}
