//! The zones that a step looks at.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::action::{Look, StepError};
use crate::hunt::AuditEvent;
use crate::model::Gap;
use crate::provider::{Paging, ReadError, ReadRequest, ReadSide};

/// A zone, by what every other read needs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its id.
    pub id: String,
    /// Its name, in lower case.
    pub name: String,
}

/// The zones of the account that the credential may see; only the `wanted` ones (names or ids) where any are named. The
/// team's crown jewels come first, for the time of a response is short; the rest in the order of their names. A crown
/// jewel that is not among the zones is a gap.
///
/// # Errors
/// The list cannot be read, or a wanted zone is not in it: what was asked for is never silently left out.
pub async fn zones(look: &Look<'_>, wanted: &[String]) -> Result<Vec<Zone>, StepError> {
    let request = ReadRequest::new("/zones").with("account.id", look.account());
    let listing = look
        .list(&request, Paging::Pages { per_page: 50 }, "zones", look.account())
        .await
        .map_err(|error| StepError::read("list the zones", &error))?;
    let mut all: Vec<Zone> = listing.items.iter().filter_map(zone).collect();
    let jewels = look.safeguards();
    all.sort_by(|a, b| (jewels.turn(&a.name), &a.name).cmp(&(jewels.turn(&b.name), &b.name)));
    if all.is_empty() {
        look.gap(none_seen(look.account()));
    }
    // The account of a rehearsal is another than the one that the team has spoken of.
    if !look.provider().world().is_rehearsal() {
        missing_jewels(&all, &jewels.crown_jewels).for_each(|gap| look.gap(gap));
    }
    choose(all, wanted)
}

/// The zones of the account that the credential may see, in the order of their names, and why there may be others.
///
/// # Errors
/// Not even the beginning of the list can be read.
pub async fn seen(read: &dyn ReadSide) -> Result<(Vec<Zone>, Option<String>), ReadError> {
    let request = ReadRequest::new("/zones").with("account.id", &read.account().id);
    let listing = read.list(&request, Paging::Pages { per_page: 50 }).await?;
    let mut all: Vec<Zone> = listing.items.iter().filter_map(zone).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let unread = listing.items.len() - all.len();
    let unread = (unread > 0).then(|| format!("{unread} zones are not as the API documents them"));
    Ok((all, listing.shortfall.or(unread)))
}

/// A list of zones is as long as what the credential may see: an empty one says nothing of what there is.
pub fn none_seen(account: &str) -> Gap {
    Gap {
        family: "zones".into(),
        scope: account.into(),
        reason: "the credential sees no zone: the account has none, or none is within its permissions".into(),
        permission: Some("Zone Read".into()),
    }
}

/// Zones that the audit log tells of, and that are not among those `seen` although the log tells of no deletion.
pub fn unseen(seen: &[Zone], events: &[AuditEvent]) -> Vec<Gap> {
    let is_gone = |event: &AuditEvent| event.success && event.action == "delete" && is_zone(event.path());
    let gone: BTreeSet<String> = events.iter().filter(|event| is_gone(event)).filter_map(named).collect();
    let told: BTreeSet<String> = events.iter().filter_map(|event| event.zone.as_deref()).map(bare).collect();
    let is_seen = |name: &String| gone.contains(name) || seen.iter().any(|zone| zone.name == *name);
    let gap = |name| Gap {
        family: "zones".into(),
        scope: name,
        reason: "the audit log tells of it, and it is none of the zones that the credential sees".into(),
        permission: Some("Zone Read".into()),
    };
    told.into_iter().filter(|name| !is_seen(name)).map(gap).collect()
}

fn is_zone(path: Option<&str>) -> bool {
    path.and_then(|path| path.strip_prefix("/zones/")).is_some_and(|id| !id.contains('/'))
}

fn named(event: &AuditEvent) -> Option<String> {
    let before = || event.before.as_ref()?.get("name")?.as_str();
    event.zone.as_deref().or_else(before).map(bare)
}

/// What matters most and is not there is said, not passed over: it may be misspelt, deleted or moved away.
fn missing_jewels(all: &[Zone], jewels: &[String]) -> impl Iterator<Item = Gap> {
    let missing = jewels.iter().filter(|jewel| !all.iter().any(|zone| zone.name == **jewel));
    missing.map(|jewel| Gap {
        family: "zones".into(),
        scope: jewel.clone(),
        reason: "quell.toml names it under `crown_jewels`, and it is no zone that the credential sees: misspelt, of another \
                 account, deleted, or moved away"
            .into(),
        permission: None,
    })
}

fn zone(item: &Value) -> Option<Zone> {
    let text = |field: &str| item.get(field)?.as_str();
    Some(Zone { id: text("id")?.to_owned(), name: bare(text("name")?) })
}

/// A name as names are compared: lower case, no final dot.
pub(crate) fn bare(name: &str) -> String {
    name.trim().trim_end_matches('.').to_ascii_lowercase()
}

/// Those that are `wanted` by name or id; all where none is named.
///
/// # Errors
/// One of them is not there; the hint says which may be meant.
pub fn choose(all: Vec<Zone>, wanted: &[String]) -> Result<Vec<Zone>, StepError> {
    let is = |zone: &Zone, wanted: &str| zone.id == wanted || zone.name == bare(wanted);
    if let Some(missing) = wanted.iter().find(|wanted| !all.iter().any(|zone| is(zone, wanted))) {
        let error = StepError::new(format!("no zone `{missing}` among the {} that the credential sees", all.len()));
        let near = all
            .iter()
            .map(|zone| (strsim::jaro_winkler(&zone.name, &bare(missing)), zone))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        return Err(match near {
            Some((_, zone)) => error.hint(format!("did you mean `{}`?", zone.name)),
            None => error.hint("it may have been deleted or moved, or the credential may not see it"),
        });
    }
    Ok(all.into_iter().filter(|zone| wanted.is_empty() || wanted.iter().any(|wanted| is(zone, wanted))).collect())
}

#[cfg(test)]
mod tests {
    use super::{Zone, choose, unseen};
    use crate::hunt::AuditEvent;

    fn all() -> Vec<Zone> {
        ["one.example", "two.example"].map(|name| Zone { id: format!("id-{name}"), name: name.into() }).to_vec()
    }

    #[test]
    fn wanted_zones_are_found_by_name_and_id() {
        let chosen = choose(all(), &["TWO.example.".into()]).unwrap_or_default();
        assert_eq!(chosen, all()[1..]);
        assert_eq!(choose(all(), &["id-one.example".into()]).unwrap_or_default(), all()[..1]);
        assert_eq!(choose(all(), &[]).unwrap_or_default().len(), 2);
    }

    #[test]
    fn a_zone_that_the_log_tells_of_and_nobody_sees_is_a_gap_unless_it_was_deleted() {
        let event = |action: &str, zone: &str, path: &str| -> AuditEvent {
            let event = serde_json::json!({
                "id": path, "at": "2026-11-20T01:00:00Z", "action": action, "success": true, "resource_type": "zone",
                "zone": zone, "uri": path, "log": "v2",
            });
            serde_json::from_value(event).unwrap_or_else(|error| unreachable!("{error}"))
        };
        let events = [
            event("update", "one.example", "/zones/1/hold"),
            event("update", "three.example", "/zones/3/hold"),
            event("update", "four.example", "/zones/4/hold"),
            event("delete", "four.example", "/zones/4"),
        ];
        let gaps = unseen(&all(), &events);
        assert_eq!(gaps.iter().map(|gap| gap.scope.as_str()).collect::<Vec<_>>(), ["three.example"]);
    }

    #[test]
    fn a_zone_that_is_not_there_is_an_error_with_a_guess() {
        let error = choose(all(), &["onee.example".into()]).map_err(|error| error.hint.unwrap_or_default());
        assert_eq!(error, Err("did you mean `one.example`?".into()));
    }
}
