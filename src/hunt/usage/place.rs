use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Material, Usual};
use crate::hunt::audit::{AuditEvent, SeenBefore, attribute};
use crate::model::Attribution;

/// What is new about a use, the newest sort first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The principal was not seen before.
    NewPrincipal,
    /// It was, and never from this address.
    NewAddress,
    /// It was from this address, and never in this way: `api_key` beside `dash`.
    NewContext,
    /// It was, with another program.
    NewProgram,
    /// Nothing.
    Usual,
    /// quell sent it.
    Own,
}

impl Standing {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NewPrincipal => "not seen before",
            Self::NewAddress => "new address",
            Self::NewContext => "new kind of access",
            Self::NewProgram => "new program",
            Self::Usual => "as before",
            Self::Own => "quell's own",
        }
    }
}

/// From where, with what and how a principal was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Address.
    pub ip: Option<String>,
    /// User agent; may be chosen by an attacker.
    pub user_agent: Option<String>,
    /// `api_key`, `api_token`, `dash`, `oauth`, `origin_ca_key`.
    pub context: Option<String>,
    /// What is new about it.
    pub standing: Standing,
    /// True where it is new and nothing explains it: neither quell, nor an address of the team, nor what was usual there.
    /// Never, where the log has nothing from before the window to hold it against.
    pub unexplained: bool,
    /// Whose doing it is, given what the intruder holds.
    pub whose: Attribution,
    /// Writes that took effect.
    pub writes: u64,
    /// Reads.
    pub reads: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// The first act.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
}

impl Place {
    /// Acts of every sort.
    pub const fn acts(&self) -> u64 {
        self.writes + self.reads + self.failed
    }
}

/// The events of a principal by place, oldest first.
pub(super) fn places(
    events: &[&AuditEvent],
    before: &[&SeenBefore],
    material: &Material<'_>,
    usual: &Usual<'_>,
) -> Vec<Place> {
    let mut by_place: BTreeMap<_, Vec<&AuditEvent>> = BTreeMap::new();
    for event in events {
        let key = (event.own, &event.ip, &event.user_agent, &event.context, attribute(event, material.held) as u8);
        by_place.entry(key).or_default().push(event);
    }
    let mut places: Vec<Place> =
        by_place.into_values().filter_map(|events| place(&events, before, material, usual)).collect();
    places.sort_by_key(|place| (place.first, place.standing));
    places
}

fn place(events: &[&AuditEvent], before: &[&SeenBefore], material: &Material<'_>, usual: &Usual<'_>) -> Option<Place> {
    let event = *events.first()?;
    let is_teams = event.ip.as_deref().is_some_and(|ip| (material.is_own_address)(ip));
    let count = |is: fn(&AuditEvent) -> bool| events.iter().filter(|event| is(event)).count() as u64;
    Some(Place {
        ip: event.ip.clone(),
        user_agent: event.user_agent.clone(),
        context: event.context.clone(),
        standing: standing(event, before),
        unexplained: !is_teams && !material.before.is_empty() && !usual.explains(event),
        whose: attribute(event, material.held),
        writes: count(|event| event.success && event.is_write()),
        reads: count(|event| event.success && !event.is_write()),
        failed: count(|event| !event.success),
        first: events.iter().map(|event| event.at).min()?,
        last: events.iter().map(|event| event.at).max()?,
    })
}

/// What is new about an event, given the earlier uses of its principal. What a log did not tell is not held against it.
pub(super) fn standing(event: &AuditEvent, before: &[&SeenBefore]) -> Standing {
    if event.own {
        return Standing::Own;
    }
    let alike = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
    let from_there: Vec<_> = before.iter().filter(|seen| seen.ip == event.ip).collect();
    let that_way: Vec<_> = from_there.iter().filter(|seen| alike(&seen.context, &event.context)).collect();
    let mut same = that_way.iter().filter(|seen| alike(&seen.user_agent, &event.user_agent));
    match (before.is_empty(), from_there.is_empty(), that_way.is_empty(), same.next()) {
        (true, ..) => Standing::NewPrincipal,
        (_, true, ..) => Standing::NewAddress,
        (_, _, true, _) => Standing::NewContext,
        (.., None) => Standing::NewProgram,
        (.., Some(_)) => Standing::Usual,
    }
}
