use std::collections::BTreeSet;

use super::super::book::Book;
use super::super::facts::Act;
use super::super::words::{count, time};
use super::{Dated, row};
use crate::model::{Actor, Attribution, Change, Finding, FindingStatus};

/// Acts of the intruder's credentials, and findings that carry a time. An act that a finding is about is told once.
pub(super) fn rows(book: &Book<'_>) -> Vec<Dated> {
    let mut rows = Vec::new();
    let mut told = BTreeSet::new();
    for finding in book.source.state.findings.values() {
        let Some((at, lane)) = finding.at.zip(lane(finding.attribution)) else { continue };
        if finding.status == FindingStatus::RuledOut {
            continue;
        }
        told.insert((at.as_second(), finding.resource.id.as_str()));
        let what = format!(
            "{} {} {}: {}",
            deed(book, finding),
            kind_in_words(&finding.family),
            finding.resource.name,
            finding.detail
        );
        let mut dated = row(at, lane, finding.actor.words(), what, format!("finding {}", finding.technique));
        dated.row.evidence = finding.evidence.iter().map(ToString::to_string).collect();
        rows.push(dated);
    }
    let acts = book.facts.events.iter().filter_map(|(act, path)| {
        let lane = lane(book.facts.attribute(act))?;
        let told = act.resource_id.as_ref().is_some_and(|id| told.contains(&(act.at.as_second(), id.as_str())));
        (!told).then_some((act, path, lane))
    });
    let mut acts: Vec<_> = acts.collect();
    acts.sort_by(|(a, ..), (b, ..)| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id)));
    for alike in acts.chunk_by(|(a, _, lane_a), (b, _, lane_b)| lane_a == lane_b && are_alike(a, b)) {
        let [(first, path, lane), rest @ ..] = alike else { continue };
        let mut what = describe(first);
        if let Some((last, ..)) = rest.last() {
            what.push_str(&format!(", and {} alike until {}", count(rest.len(), "act"), time(last.at)));
        }
        let log = first.log.as_ref().map_or_else(|| "audit log".to_owned(), |log| format!("audit log {log}"));
        rows.push(row(first.at, lane, actor(first).words(), what, format!("{log}, read by step {path}")));
    }
    rows
}

/// What was done to the resource. A credential that acted, and that no record says was acted on, was used.
fn deed(book: &Book<'_>, finding: &Finding) -> &'static str {
    let id = Some(&finding.resource.id);
    let is_touched =
        || book.facts.events.iter().any(|(act, _)| act.resource_id.as_ref() == id && finding.at == Some(act.at));
    match finding.change {
        Change::Changed if finding.actor.token_id.as_ref() == id && !is_touched() => "used",
        Change::Added => "added",
        Change::Removed => "removed",
        Change::Changed => "changed",
    }
}

/// `dns_records`: one `dns record`.
fn kind_in_words(family: &str) -> String {
    family.strip_suffix('s').unwrap_or(family).replace('_', " ")
}

const fn lane(attribution: Attribution) -> Option<&'static str> {
    match attribution {
        Attribution::Intruder => Some("intruder"),
        Attribution::Shared => Some("shared"),
        Attribution::Other | Attribution::Unattributed => None,
    }
}

/// Hundreds of the same act in a row are one row: a sweep must not bury what matters.
fn are_alike(a: &Act, b: &Act) -> bool {
    (&a.action, &a.resource_type, &a.zone, a.success) == (&b.action, &b.resource_type, &b.zone, b.success)
        && actor(a) == actor(b)
}

fn actor(act: &Act) -> Actor {
    Actor {
        token_id: act.token_id.clone(),
        token_name: act.token_name.clone(),
        email: act.email.clone(),
        ip: act.ip.clone(),
    }
}

fn describe(act: &Act) -> String {
    let mut what = format!("{} {}", act.action, act.resource_type).trim_end().to_owned();
    if let Some(zone) = &act.zone {
        what.push_str(&format!(" in {zone}"));
    }
    if let Some(uri) = &act.uri {
        what.push_str(&format!(" ({} {uri})", act.method.as_deref().unwrap_or("request")));
    }
    if !act.success {
        what.push_str(" — attempt that failed");
    }
    what
}
