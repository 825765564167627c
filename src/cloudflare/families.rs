//! Every kind of resource that an intruder may touch and that the API lists, as data (API.md sections 5 to 15).
//!
//! One entry, one kind. Where the documentation names no permission group, the entry names the one of the product it
//! belongs to. Codes of refusals are observed, not documented.
//!
//! Endpoints that answer with a live secret are in no entry: the token of a tunnel, a Turnstile widget by its site key,
//! the deploy hooks of Pages, the zone signing keys of DNSSEC. Lists that hold one among other things are read and masked.
//! Logs are no resources. The audit logs of the account and of the user are read elsewhere; logins through Access, sent
//! notifications and the log of a parent organization nowhere, as the last of the techniques says. What SCIM provisions
//! is read as members and groups, and an export of DNS as records.

mod access;
mod balancing;
mod canonical;
mod certificates;
mod dns;
mod email;
mod hostnames;
mod identity;
mod logs;
mod pages;
mod redact;
mod rules;
mod scripts;
mod storage;
mod traffic;
mod tunnels;
mod workers;
mod zone;

use std::cmp::Reverse;

use serde_json::Value;

use crate::hunt::rewind::{Named, named};
use crate::hunt::{Family, Reach, Shape, blank};
use crate::provider::Paging;

/// All entries, by their file.
const TABLES: &[&[Family]] = &[
    identity::FAMILIES,
    zone::FAMILIES,
    dns::FAMILIES,
    certificates::FAMILIES,
    hostnames::FAMILIES,
    rules::FAMILIES,
    traffic::FAMILIES,
    scripts::FAMILIES,
    workers::FAMILIES,
    pages::FAMILIES,
    storage::FAMILIES,
    access::FAMILIES,
    tunnels::FAMILIES,
    email::FAMILIES,
    logs::FAMILIES,
    balancing::FAMILIES,
];

/// Every kind of resource, parents before what belongs to them.
pub fn families() -> impl Iterator<Item = &'static Family> {
    TABLES.iter().copied().flatten()
}

/// The family of that name.
pub fn family(name: &str) -> Option<&'static Family> {
    families().find(|family| family.name == name)
}

/// The family that a path of the API is about, and what the path says of it. The value of a token stands for the token.
pub fn about(path: &str) -> Option<(&'static Family, Named<'_>)> {
    let path = path.strip_suffix("/value").unwrap_or(path);
    let all = families().filter_map(|family| Some((family, named(family, path)?)));
    // What belongs to an item is closer than the item.
    all.min_by_key(|(family, _)| Reverse(family.path.split('/').count()))
}

/// What is told of a resource by something else than its list, masked: by the family of the path, where it has one that is
/// known, and by the names of its fields.
pub(super) fn mask_told(path: Option<&str>, told: &mut Value) {
    if let Some((family, _)) = path.and_then(about) {
        *told = family.redacted(told.take());
    }
    redact::untold(told);
    path.into_iter().for_each(|path| redact::held(path, told));
    // The value of a token is its secret, and many other things have a value.
    if path.is_some_and(|path| path.split('/').any(|part| part == "tokens")) {
        redact::token(told);
    }
}

/// A value, or what holds one, of which nothing says what it is of.
pub(super) fn mask_bare(told: &mut Value) {
    redact::token(told);
}

/// A list that one answer holds whole.
const SINGLE: Shape = Shape::List(Paging::Single);

/// A list with `page` and `per_page`.
const fn pages(per_page: u32) -> Shape {
    Shape::List(Paging::Pages { per_page })
}

/// An entry of the account.
const fn of_account() -> Family {
    blank()
}

/// An entry of the calling user.
const fn of_user() -> Family {
    Family { reach: Reach::User, ..blank() }
}

/// An entry of a zone.
const fn of_zone() -> Family {
    Family { reach: Reach::Zone, ..blank() }
}

/// An entry of an item of another family.
const fn of(parent: &'static str) -> Family {
    Family { reach: Reach::Of(parent), ..blank() }
}

/// The only one of its seat, as settings are: it has no id, and needs no key.
const fn one(family: Family) -> Family {
    Family { shape: Shape::One, id: "", label: &[], ..family }
}
