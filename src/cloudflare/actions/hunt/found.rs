//! Findings of a hunt, in words.

use serde_json::Value;

use crate::cloudflare::attribution::{Doing, doing};
use crate::cloudflare::families::about;
use crate::cloudflare::techniques::{EITHER, is_either, is_rest};
use crate::hunt::rewind::{Certainty, Rewound};
use crate::hunt::technique::Technique;
use crate::hunt::{AuditEvent, Family, Principal};
use crate::model::{Change, Digest, Finding, FindingStatus, Resource, Source};

/// What a finding is told by, beside its technique and family: the id of the resource and, where another may have the same,
/// where it lies. Settings of all zones are called alike, and so are schedules of Workers.
pub(super) fn reference(seat: Option<&str>, id: &str) -> String {
    // A path has all of it.
    let is_shared = |seat: &&str| !is_unique(id) && !id.starts_with('/') && !matches!(*seat, "account" | "user");
    match seat.filter(is_shared).filter(|seat| *seat != id) {
        Some(seat) => format!("{seat}/{id}"),
        None => id.to_owned(),
    }
}

/// Whether the provider drew an id, so that nothing else has it.
fn is_unique(id: &str) -> bool {
    id.len() >= 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// A resource that differs, as one technique.
pub(super) fn of_difference(
    technique: &Technique,
    family: &Family,
    rewound: &Rewound<'_>,
    doing: &Doing,
    evidence: &[Digest],
) -> Finding {
    let difference = &rewound.difference;
    let item = difference.item();
    let name = item.map(|item| family.label(item)).unwrap_or_default();
    let seat = item.map(|item| &item.seat);
    let id = item.map(|item| item.id.clone()).filter(|id| !id.is_empty());
    let id = id.or_else(|| seat.map(|seat| seat.name.clone())).unwrap_or_default();
    let zone = seat.filter(|seat| seat.zone_id.is_some()).map(|seat| zone_of(&seat.name));
    let value = |item: &Option<crate::hunt::Item>| {
        item.as_ref().map(|item| item.value.clone()).filter(|value| !value.is_null())
    };
    let how = match rewound.certainty {
        Certainty::Exact => String::new(),
        Certainty::Approximate => format!(" What it was before is known in part: {}.", rewound.why),
        Certainty::Unknown => format!(" What it was before is not known: {}.", rewound.why),
    };
    let happened = match difference.change() {
        Change::Added if rewound.fleeting => "made and deleted again",
        Change::Added => "made",
        Change::Removed => "deleted",
        Change::Changed => "changed",
    };
    let happened = if doing.at.is_some() {
        format!("was {happened} in the window")
    } else if rewound.writes.is_empty() && difference.came_at().is_none() {
        // Only a baseline shows it.
        "differs from the baseline; nothing says since when, or by whom".to_owned()
    } else {
        format!("was {happened} in the window; no log says by whom")
    };
    let either = if is_either(technique.id, family.name) { EITHER } else { "" };
    let sources = [(true, Source::Diff), (doing.at.is_some(), Source::Audit)];
    Finding {
        id: format!("{}:{}:{}", technique.id, family.name, reference(seat.map(|seat| seat.name.as_str()), &id)),
        technique: technique.id.to_owned(),
        severity: doing.weigh(technique.severity),
        status: FindingStatus::Open,
        family: family.name.to_owned(),
        change: difference.change(),
        resource: Resource { id, name: name.clone(), zone },
        actor: doing.actor.clone(),
        attribution: doing.attribution,
        detail: format!("{}: `{name}` {happened}.{how}{either}{}", family.title, doing.remark()),
        at: doing.at,
        before: value(&difference.before),
        after: value(&difference.after),
        evidence: evidence.to_vec(),
        sources: sources.into_iter().filter(|(is, _)| *is).map(|(_, source)| source).collect(),
    }
}

/// Acts on one thing that only the log shows, oldest first; `None` for none. `of` is what the thing is told by.
pub(super) fn of_act(
    technique: &Technique,
    of: &str,
    thing: Resource,
    events: &[&AuditEvent],
    principals: &[Principal],
) -> Option<Finding> {
    let newest = events.last()?;
    let doing = doing(events.iter().copied(), principals);
    let is_same = |event: &&&AuditEvent| event.resource_id.is_some() && event.resource_id == newest.resource_id;
    let is_made = events.iter().filter(is_same).any(|event| event.action == "create");
    let is_fleeting = newest.action == "delete" && is_made && newest.resource_id.as_deref() == Some(of);
    let change = match newest.action.as_str() {
        "create" => Change::Added,
        // Made and deleted again: there is nothing to bring back.
        "delete" if is_fleeting => Change::Added,
        "delete" => Change::Removed,
        _ => Change::Changed,
    };
    let times = if events.len() == 1 { String::new() } else { format!(" ({} acts)", events.len()) };
    let again = if is_fleeting { ", made and deleted again" } else { "" };
    let text = |value: Option<&Value>, field: &str| value?.get(field)?.as_str().map(str::to_owned);
    // What the log calls a kind of resource, the table may call otherwise.
    let known = newest.path().and_then(about);
    let family = known.map_or_else(|| newest.resource_type.clone(), |(family, _)| family.name.to_owned());
    let what = match (is_rest(technique), newest.path()) {
        (true, Some(path)) => format!(": {} {path}", newest.action),
        (true, None) => format!(": {} {}", newest.action, newest.resource_type),
        (false, _) => String::new(),
    };
    let either = if is_either(technique.id, &family) { EITHER } else { "" };
    let name = text(newest.after.as_ref(), "name").or_else(|| text(newest.before.as_ref(), "name"));
    Some(Finding {
        id: format!("{}:{family}:{of}", technique.id),
        technique: technique.id.to_owned(),
        severity: doing.weigh(technique.severity),
        status: FindingStatus::Open,
        family,
        change,
        resource: Resource { name: name.unwrap_or(thing.name), ..thing },
        actor: newest.actor(),
        attribution: doing.attribution,
        detail: format!("The audit log shows it{times}{again}: {}{what}.{either}{}", technique.title, doing.remark()),
        at: Some(newest.at),
        before: newest.before.clone().filter(|_| !is_fleeting),
        after: if is_fleeting { newest.before.clone() } else { newest.after.clone() },
        evidence: Vec::new(),
        sources: vec![Source::Audit],
    })
}

/// Acts that are told by who acts: the finding is about the credential, and not about what was done last.
pub(super) fn of_actor(
    technique: &Technique,
    family: &str,
    actor: Resource,
    events: &[&AuditEvent],
    principals: &[Principal],
) -> Option<Finding> {
    let finding = of_act(technique, &actor.id, actor.clone(), events, principals)?;
    Some(Finding {
        id: format!("{}:{family}:{}", technique.id, actor.id),
        family: family.to_owned(),
        change: Change::Changed,
        resource: actor,
        before: None,
        after: None,
        ..finding
    })
}

/// The zone's name, of a seat that may lie below an item in it.
fn zone_of(seat: &str) -> String {
    seat.split('/').next().unwrap_or_default().to_owned()
}
