//! Everything that no other file serves: one store for every family of the table, keyed by the path of its list.
//!
//! What the table does not say is in `shelf/born.toml`: what the server adds to what is made, what there is where nothing
//! was ever set, what a list hides unless asked, and what is marked as deleted and kept. PUT is taken as PATCH.

mod born;
mod change;
mod place;
mod view;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::{Call, Refusal, Reply};
use super::permissions::write_twin;
use super::world::Account;
use crate::cloudflare::families::families;
use crate::hunt::{Family, Seat};

pub(super) use born::{Maker, born};
pub(super) use place::Place;

/// Families that have files of their own.
const SERVED_ELSEWHERE: &[&str] = &[
    "user",
    "user_tokens",
    "account_tokens",
    "memberships",
    "account",
    "members",
    "roles",
    "zones",
    "zone_settings",
    "zone_holds",
    "dns_records",
    "dnssec",
    "certificate_packs",
    "custom_certificates",
    "origin_certificates",
    "zone_rulesets",
    "zone_ruleset_versions",
    "account_rulesets",
    "account_ruleset_versions",
    "zone_access_rules",
    "account_access_rules",
    "user_access_rules",
];

/// The items of each list, by the path of the list.
#[derive(Debug, Clone, Default)]
pub(super) struct Shelf(BTreeMap<String, Vec<Value>>);

impl Shelf {
    pub(super) fn items(&self, list: &str) -> &[Value] {
        self.0.get(list).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn items_mut(&mut self, list: &str) -> &mut Vec<Value> {
        self.0.entry(list.to_owned()).or_default()
    }

    /// What is comparable of it: no times, no secrets.
    pub(super) fn snapshot(&self) -> Value {
        let canonical = |path: &str, items: &[Value]| -> Vec<Value> {
            let Some(place) = Place::find(path) else { return Vec::new() };
            items.iter().map(|item| place.family.item(&Seat::account(), item.clone())).map(|it| json!(it)).collect()
        };
        self.0
            .iter()
            .map(|(path, items)| (path.clone(), canonical(path, items).into()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

/// The families that are kept here.
pub(super) fn kept() -> impl Iterator<Item = &'static Family> {
    families().filter(|family| !SERVED_ELSEWHERE.contains(&family.name))
}

/// Performs a call on what a family lists.
pub(super) fn route(account: &mut Account, call: &Call) -> Result<Reply, Refusal> {
    let place = Place::find(&call.path).ok_or_else(|| Refusal::no_route(&call.path))?;
    if let Some(zone) = &place.zone {
        account.zone(call, zone)?;
    }
    let write = write_twin(place.family.permission);
    let groups: &[&str] = if call.method == "GET" { &[place.family.permission, &write] } else { &[&write] };
    account.require(call, groups, place.scope())?;
    if let Some((list, id)) = &place.parent {
        let family = Place::find(list).ok_or_else(|| Refusal::no_route(&call.path))?.family;
        let parents = account.shelf.items(list).iter();
        let mut here = parents.filter(|item| view::is_of_jurisdiction(family, item, &call.jurisdiction));
        if !here.any(|item| family.id_of(item) == *id) {
            return Err(place.missing(&call.path));
        }
    }
    if call.method == "GET" { view::read(account, call, &place) } else { change::write(account, call, &place) }
}
