//! Which families can be read at all: one request for each, at one seat of its kind.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use serde::Serialize;
use serde_json::Value;

use super::family::{Family, Reach};
use super::item::Seat;
use crate::model::Gap;
use crate::provider::{BoxFuture, Lane, Next, ReadError, ReadSide};

/// Whether a family can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "sight", rename_all = "snake_case")]
pub enum Probed {
    /// It was.
    Readable,
    /// It could not.
    Refused {
        /// Why, and the permission that it takes.
        gap: Gap,
    },
    /// There was nothing to try it on.
    Untried {
        /// Why, in words.
        why: String,
    },
}

/// A family, and what trying to read it showed.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The family.
    pub family: &'static Family,
    /// What it showed.
    pub probed: Probed,
}

/// What a try showed, and the seat of what belongs to the first item.
type Shown = (Probed, Option<Seat>);

/// Reads the first answer of each family, in the account and in `zone`, `in_flight` at a time. What belongs to an item of
/// another family is tried on the first item of that. Families are told in the order in which they are given; parents
/// come before what belongs to them.
pub async fn probe(
    read: &dyn ReadSide,
    families: &[&'static Family],
    zone: Option<&Seat>,
    encode: fn(&str) -> String,
    in_flight: usize,
) -> Vec<Probe> {
    let mut seen: BTreeMap<&str, Shown> = BTreeMap::new();
    // Each round tries what hangs on the round before.
    loop {
        let ready: Vec<(&'static Family, Result<Seat, String>)> = families
            .iter()
            .filter(|family| !seen.contains_key(family.name))
            .filter_map(|family| Some((*family, seat(family, zone, &seen)?)))
            .collect();
        if ready.is_empty() {
            break;
        }
        let mut tries: Vec<BoxFuture<'_, (&str, Shown)>> = Vec::new();
        for (family, seat) in ready {
            tries.push(Box::pin(async move {
                match seat {
                    Ok(seat) => (family.name, first(read, family, &seat, encode).await),
                    Err(why) => (family.name, (Probed::Untried { why }, None)),
                }
            }));
        }
        seen.extend(futures_util::stream::iter(tries).buffer_unordered(in_flight.max(1)).collect::<Vec<_>>().await);
    }
    let probe = |family: &&'static Family| {
        let probed = seen.get(family.name).map(|(probed, _)| probed.clone());
        let probed = probed.unwrap_or_else(|| Probed::Untried { why: "what it belongs to was not tried".to_owned() });
        Probe { family, probed }
    };
    families.iter().map(probe).collect()
}

/// Where to try it, or why it cannot be tried; `None` while that is not known.
fn seat(family: &Family, zone: Option<&Seat>, seen: &BTreeMap<&str, Shown>) -> Option<Result<Seat, String>> {
    Some(match family.reach {
        Reach::User => Ok(Seat::user()),
        Reach::Account => Ok(Seat::account()),
        Reach::Zone => zone.cloned().ok_or_else(|| "no zone can be seen".to_owned()),
        Reach::Of(parent) => match seen.get(parent)? {
            (_, Some(seat)) => Ok(seat.clone()),
            (Probed::Readable, None) => Err(format!("there is nothing of `{parent}` to try it on")),
            (Probed::Refused { .. } | Probed::Untried { .. }, None) => Err(format!("`{parent}` could not be read")),
        },
    })
}

/// The first answer of a family, and the seat of its first item.
async fn first(read: &dyn ReadSide, family: &'static Family, seat: &Seat, encode: fn(&str) -> String) -> Shown {
    let Some(variant) = family.variants.first() else {
        return (Probed::Untried { why: "nothing is asked for".to_owned() }, None);
    };
    let request = family.request(variant, seat, &read.account().id, encode).lane(Lane::Sweep);
    let answer = match family.layout() {
        Some(layout) => match read.pages(&request, layout).next().await {
            Ok(Next::Page(page)) => Ok(page.items),
            Ok(Next::End) => Ok(Vec::new()),
            Ok(Next::Short(why)) => Err(ReadError::Unreadable(why)),
            Err(error) => Err(error),
        },
        None => match read.get(&request).await {
            Ok(reading) => family.items(reading.result).map_err(ReadError::Unreadable),
            Err(error) => Err(error),
        },
    };
    match answer {
        Ok(items) => (Probed::Readable, items.iter().find_map(|item| below(family, seat, item))),
        Err(error) => (Probed::Refused { gap: error.gap(family.name, &seat.name, Some(family.permission)) }, None),
    }
}

fn below(family: &Family, seat: &Seat, item: &Value) -> Option<Seat> {
    let id = Some(family.id_of(item)).filter(|id| !id.is_empty() && (family.is_own)(item))?;
    Some(seat.of(&id))
}
