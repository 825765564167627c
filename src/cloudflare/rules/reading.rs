use jiff::Timestamp;
use serde_json::Value;

use super::Ruleset;
use crate::action::Look;
use crate::cloudflare::api::segment;
use crate::model::Gap;
use crate::provider::{Paging, ReadError, ReadRequest};

/// What a ruleset was before the window.
#[derive(Debug, Clone, PartialEq)]
pub enum Previous {
    /// This version.
    Version(Ruleset),
    /// It was not there.
    None,
    /// It cannot be seen any more.
    Unknown,
}

/// The customer's own rulesets below `path`, with their rules. What cannot be seen is noted as a gap of `scope`; `None`
/// where that is all of it.
pub async fn rulesets(path: &str, scope: &str, permission: &str, look: &Look<'_>) -> Option<Vec<Ruleset>> {
    let gap = |error: &ReadError| look.gap(error.gap("rulesets", scope, Some(permission)));
    let listing =
        match look.list(&ReadRequest::new(path), Paging::CursorAfter { per_page: 50 }, "rulesets", scope).await {
            Ok(listing) => listing,
            Err(error) => {
                gap(&error);
                return None;
            }
        };
    let text = |item: &Value, field: &str| item.get(field).and_then(Value::as_str).map(str::to_owned);
    let mut found = Vec::new();
    for item in listing.items {
        // Those of kind `managed` are Cloudflare's and cannot be changed.
        let is_own = matches!(text(&item, "kind").as_deref(), Some("zone" | "root" | "custom"));
        let Some(id) = text(&item, "id").filter(|_| is_own) else { continue };
        match look.get(&ReadRequest::new(format!("{path}/{}", segment(&id)))).await {
            Ok(reading) => found.extend(Ruleset::read(&reading.result)),
            // Gone since it was listed: there are no rules in it.
            Err(ReadError::NotFound(_)) => {}
            Err(error) => gap(&error),
        }
    }
    Some(found)
}

/// What `ruleset` was before `since`: its newest version from before.
///
/// Old versions stay readable until somebody deletes them, so missing numbers are noted as a gap.
pub async fn previous(path: &str, ruleset: &Ruleset, since: Timestamp, scope: &str, look: &Look<'_>) -> Previous {
    let gap = |reason: String| {
        look.gap(Gap { family: "ruleset_versions".into(), scope: scope.to_owned(), reason, permission: None });
    };
    let versions_path = format!("{path}/{}/versions", segment(&ruleset.id));
    // Not as a list: all versions of a ruleset bear its id, and lists are de-duplicated by id.
    let versions = match look.get(&ReadRequest::new(&versions_path)).await {
        Ok(reading) => reading.result,
        Err(error) => {
            gap(format!("what ruleset `{}` was before the window cannot be seen: {error}", ruleset.id));
            return Previous::Unknown;
        }
    };
    let mut versions: Vec<Ruleset> =
        versions.as_array().into_iter().flatten().filter_map(Ruleset::read).filter(|it| it.version > 0).collect();
    versions.sort_by_key(|version| version.version);
    let missing = missing_numbers(&versions, ruleset.version);
    if !missing.is_empty() {
        gap(format!("versions {} of ruleset `{}` have been deleted", missing.join(", "), ruleset.id));
    }
    let from_before = |version: &&Ruleset| version.updated.is_some_and(|at| at < since);
    let Some(newest) = versions.iter().rev().find(from_before) else {
        return if versions.first().is_some_and(|first| first.version == 1) {
            Previous::None
        } else {
            gap(format!("no version of ruleset `{}` from before the window is left", ruleset.id));
            Previous::Unknown
        };
    };
    match look.get(&ReadRequest::new(format!("{versions_path}/{}", newest.version))).await {
        Ok(reading) => Ruleset::read(&reading.result).map_or(Previous::Unknown, Previous::Version),
        Err(error) => {
            gap(format!("version {} of ruleset `{}` cannot be seen: {error}", newest.version, ruleset.id));
            Previous::Unknown
        }
    }
}

/// Numbers between the oldest version and the present one that are not there.
fn missing_numbers(versions: &[Ruleset], present: u64) -> Vec<String> {
    let Some(oldest) = versions.first() else { return Vec::new() };
    // An attacker may have made very many; the first few tell enough.
    (oldest.version..=present)
        .filter(|number| !versions.iter().any(|version| version.version == *number))
        .take(10)
        .map(|number| number.to_string())
        .collect()
}
