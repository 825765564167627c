//! How far it reached, as far as the records tell.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::book::Book;
use crate::model::{Attribution, CREDENTIALS, Finding, FindingStatus};

/// What the intruder held and touched, as far as it was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Radius {
    /// The credentials that are taken to be in the intruder's hands.
    pub principals: Vec<PrincipalRow>,
    /// Addresses that hostile acts came from.
    pub addresses: Vec<String>,
    /// Zones in which something is attributed to the intruder; those that matter most come first.
    pub zones: Vec<ZoneRow>,
    /// Findings that are not ruled out, by kind of resource.
    pub touched: Vec<TouchedRow>,
    /// Acts in the records that are attributed to the intruder.
    pub acts: usize,
    /// Acts with a shared credential that may be the intruder's or honest.
    pub shared_acts: usize,
}

/// A zone in which something is attributed to the intruder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneRow {
    /// Its name.
    pub name: String,
    /// True where it is one of those that matter most.
    pub crown_jewel: bool,
}

/// A credential in the intruder's hands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrincipalRow {
    /// Its name.
    pub name: String,
    /// The provider's id.
    pub id: String,
    /// Addresses of honest use.
    pub honest: Vec<String>,
    /// Addresses that only the intruder is known to have used.
    pub hostile: Vec<String>,
    /// Addresses that are new of it, and where others worked before: nobody can say whether it was the intruder.
    #[serde(default)]
    pub mixed: Vec<String>,
}

/// One kind of resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchedRow {
    /// The kind.
    pub family: String,
    /// Findings attributed to the intruder.
    pub intruder: usize,
    /// Findings by a credential that is shared with honest use.
    pub shared: usize,
    /// Findings that no record attributes to the intruder.
    pub unattributed: usize,
    /// Findings that are still open.
    pub open: usize,
}

pub(super) fn radius(book: &Book<'_>) -> Radius {
    let mut families: BTreeMap<&str, TouchedRow> = BTreeMap::new();
    let mut zones = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    let (mut acts, mut shared_acts) = (0, 0);
    for finding in book.source.state.findings.values().filter(|finding| finding.status != FindingStatus::RuledOut) {
        let row = families.entry(&finding.family).or_default();
        match finding.attribution {
            Attribution::Intruder => {
                row.intruder += 1;
                zones.extend(finding.resource.zone.clone());
                addresses.extend(finding.actor.ip.clone());
            }
            Attribution::Shared => row.shared += 1,
            Attribution::Other | Attribution::Unattributed => row.unattributed += 1,
        }
        row.open += usize::from(finding.status == FindingStatus::Open);
    }
    for (act, _) in &book.facts.events {
        match book.facts.attribute(act) {
            Attribution::Intruder => {
                acts += 1;
                zones.extend(act.zone.clone());
                addresses.extend(act.ip.clone());
            }
            Attribution::Shared => shared_acts += 1,
            Attribution::Other | Attribution::Unattributed => {}
        }
    }
    let principals = book.facts.principals.iter().map(|held| PrincipalRow {
        name: held.token_name.clone(),
        id: held.token_id.clone(),
        honest: held.honest_ips.clone(),
        hostile: held.hostile_ips.clone(),
        mixed: held.mixed_ips.iter().chain(&held.open_ips).cloned().collect(),
    });
    let mut principals: Vec<PrincipalRow> = principals.collect();
    // Whose key or session it is told by is a person, who has one row: no token, but techniques.
    let findings = book.source.state.findings.values();
    let of_people = |it: &&Finding| it.family == CREDENTIALS && it.attribution == Attribution::Intruder;
    for finding in findings.filter(of_people).filter(|it| it.status != FindingStatus::RuledOut) {
        let (name, technique) = (&finding.resource.name, &finding.technique);
        let at = principals.iter().position(|it| it.name == *name && (it.id == *name || it.id.starts_with("CF-")));
        let at = at.unwrap_or_else(|| {
            principals.push(PrincipalRow { name: name.clone(), ..PrincipalRow::default() });
            principals.len() - 1
        });
        let row = &mut principals[at];
        row.id = match row.id.starts_with("CF-") {
            true => format!("{}, {technique}", row.id),
            false => technique.clone(),
        };
        row.hostile.extend(finding.actor.ip.iter().filter(|ip| !row.hostile.contains(ip)).cloned().collect::<Vec<_>>());
    }
    let touched = families.into_iter().map(|(family, row)| TouchedRow { family: family.to_owned(), ..row });
    let mut zones: Vec<ZoneRow> =
        zones.into_iter().map(|name| ZoneRow { crown_jewel: book.is_crown_jewel(&name), name }).collect();
    zones.sort_by_key(|zone| !zone.crown_jewel);
    Radius {
        principals,
        addresses: addresses.into_iter().collect(),
        zones,
        touched: touched.collect(),
        acts,
        shared_acts,
    }
}
