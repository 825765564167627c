//! How each credential was used in a window, held against what was usual before it.

mod hours;
mod place;
mod usual;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use hours::{Hours, WorkingHours};
pub use place::{Place, Standing};
pub use usual::{Usual, is_program};

use super::audit::{AuditEvent, Principal, SeenBefore};
use crate::model::Attribution;

/// What an analysis is made from.
pub struct Material<'m> {
    /// What happened in the window, oldest first.
    pub events: &'m [AuditEvent],
    /// What was usual before it.
    pub before: &'m [SeenBefore],
    /// What the intruder holds, as far as that is known.
    pub held: &'m [Principal],
    /// Id, or e-mail, of the credential that quell acts with.
    pub own: Option<&'m str>,
    /// Whether an address is the team's own, by what the team said beforehand.
    pub is_own_address: &'m dyn Fn(&str) -> bool,
    /// When the team works; off-hours are not judged without.
    pub hours: Option<&'m WorkingHours>,
    /// What an act does that gives somebody a credential: `makes a token`.
    pub gives_credential: fn(&AuditEvent) -> Option<&'static str>,
}

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A token.
    Token,
    /// A person, by whatever else than a token.
    User,
    /// Nobody is named; an address is.
    Address,
    /// Nobody is named at all: the provider itself, as a rule.
    Unnamed,
}

impl Kind {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::User => "user",
            Self::Address => "address",
            Self::Unnamed => "nobody named",
        }
    }
}

/// How one principal was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// What it is.
    pub kind: Kind,
    /// Id of the token, e-mail, or address.
    pub id: String,
    /// What it is called; may be chosen by an attacker.
    pub name: String,
    /// True where it was seen before the window.
    pub known: bool,
    /// True where the intruder holds it.
    pub held: bool,
    /// True where quell acts with it.
    pub own: bool,
    /// True where the intruder holds it and others use it honestly: shared principal.
    pub shared: bool,
    /// True where something of it is new and nothing explains it.
    pub unexplained: bool,
    /// From where, with what and how it was used in the window.
    pub places: Vec<Place>,
    /// From where and with what it was used before the window, for one that the intruder holds.
    pub usual: Vec<SeenBefore>,
    /// Acts outside the team's hours; none where the hours are not known.
    pub off_hours: Option<u64>,
    /// Acts that gave somebody a credential, or tried to.
    pub credential_acts: Vec<CredentialAct>,
    /// Its first act of the window.
    pub first: Timestamp,
    /// Its last.
    pub last: Timestamp,
}

/// An act that gives somebody a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialAct {
    /// The log's id of it.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// What it does: `makes a token`.
    pub does: String,
    /// Id of the resource, where the log names it.
    pub resource_id: Option<String>,
    /// False for a failed attempt.
    pub success: bool,
}

impl Usage {
    /// The sum over its places.
    pub fn total(&self, of: fn(&Place) -> u64) -> u64 {
        self.places.iter().map(of).sum()
    }

    /// `token ci-deploy`: not escaped.
    pub fn title(&self) -> String {
        match (self.kind, self.name.is_empty()) {
            (Kind::Unnamed, _) => self.kind.words().to_owned(),
            (kind, true) => format!("{} {}", kind.words(), self.id),
            (kind, false) => format!("{} {}", kind.words(), self.name),
        }
    }
}

/// How every principal was used, those with something unexplained first, then by their first act. quell's own acts are
/// counted in places of their own.
pub fn usages(material: &Material<'_>) -> Vec<Usage> {
    let usual = Usual::new(material.before);
    let mut by_principal: BTreeMap<(Kind, &str), Vec<&AuditEvent>> = BTreeMap::new();
    for event in material.events {
        by_principal.entry(principal(event)).or_default().push(event);
    }
    let mut usages: Vec<Usage> = by_principal
        .into_iter()
        .filter_map(|((kind, id), events)| usage(kind, id, &events, material, &usual))
        .collect();
    usages.sort_by_key(|usage| (!usage.unexplained, usage.first, usage.id.clone()));
    usages
}

/// Who did it: the token, else the person, else the address.
pub fn principal(event: &AuditEvent) -> (Kind, &str) {
    match (&event.token_id, &event.email, &event.ip) {
        (Some(token), ..) => (Kind::Token, token),
        (None, Some(email), _) => (Kind::User, email),
        (None, None, Some(ip)) => (Kind::Address, ip),
        (None, None, None) => (Kind::Unnamed, ""),
    }
}

/// What is new about an act, given what was usual before.
pub fn standing(event: &AuditEvent, before: &[SeenBefore]) -> Standing {
    let (kind, id) = principal(event);
    place::standing(event, &earlier(kind, id, before))
}

/// The earlier uses of a principal.
fn earlier<'b>(kind: Kind, id: &str, before: &'b [SeenBefore]) -> Vec<&'b SeenBefore> {
    let of = |seen: &&SeenBefore| match kind {
        Kind::Token => seen.token_id.as_deref() == Some(id),
        Kind::User => seen.token_id.is_none() && seen.email.as_deref() == Some(id),
        Kind::Address => seen.token_id.is_none() && seen.email.is_none() && seen.ip.as_deref() == Some(id),
        Kind::Unnamed => false,
    };
    before.iter().filter(of).collect()
}

fn usage(kind: Kind, id: &str, events: &[&AuditEvent], material: &Material<'_>, usual: &Usual<'_>) -> Option<Usage> {
    let (first, last) = (events.iter().map(|event| event.at).min()?, events.iter().map(|event| event.at).max()?);
    let before = earlier(kind, id, material.before);
    let places = place::places(events, &before, material, usual);
    let held = kind == Kind::Token && material.held.iter().any(|held| held.token_id == id);
    let whose = |wanted| places.iter().any(|place| place.whose == wanted);
    let known_honest = material.held.iter().any(|held| held.token_id == id && !held.honest_ips.is_empty());
    let acts = events.iter().filter(|event| !event.own);
    let credential_acts = acts.clone().filter_map(|event| {
        let does = (material.gives_credential)(event)?;
        Some(CredentialAct {
            id: event.id.clone(),
            at: event.at,
            does: does.to_owned(),
            resource_id: event.resource_id.clone(),
            success: event.success,
        })
    });
    let off_hours = material.hours.map(|hours| acts.clone().filter(|event| !hours.contains(event.at)).count() as u64);
    Some(Usage {
        kind,
        id: id.to_owned(),
        name: events.iter().rev().find_map(|event| event.token_name.clone()).unwrap_or_default(),
        known: !before.is_empty(),
        held,
        own: material.own == Some(id),
        shared: held && (known_honest || whose(Attribution::Shared)),
        unexplained: places.iter().any(|place| place.unexplained),
        usual: if held { before.into_iter().cloned().collect() } else { Vec::new() },
        places,
        off_hours,
        credential_acts: credential_acts.collect(),
        first,
        last,
    })
}

#[cfg(test)]
mod tests;
