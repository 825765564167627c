use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hunt::Seat;
use crate::model::{Account, Digest, Gap};

/// The form of the files that this version writes and reads.
pub const SCHEMA: &str = "quell.baseline/1";

/// What a baseline holds, and what it does not: `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// Name and version of the program that wrote it.
    pub tool: String,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Source::is_capture")]
    pub source: Source,
    /// The account; of files from elsewhere it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// Host of the API that it was read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// When the first of it was read.
    pub began_at: Timestamp,
    /// When the last of it was read.
    pub ended_at: Timestamp,
    /// Why reading ended before all was read, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<String>,
    /// The zones that were looked into.
    pub zones: Zones,
    /// What is held of each family, by its name.
    pub families: BTreeMap<String, Held>,
}

/// Where a baseline comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The account was read.
    #[default]
    Capture,
    /// Files of other tools were read.
    Import,
}

impl Source {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_capture(&self) -> bool {
        *self == Self::Capture
    }
}

/// The zones that were looked into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zones {
    /// All that there were: a zone that is not among them was not there.
    All,
    /// Those that were asked for, by name; of others nothing is known.
    Asked(BTreeSet<String>),
    /// Those that were seen, by name; there may be others.
    Short {
        /// Their names.
        names: BTreeSet<String>,
        /// Why not all were seen.
        gap: Gap,
    },
}

impl Zones {
    /// Why nothing is known of the zone, where nothing is.
    pub fn blind_to(&self, zone: &str) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Asked(names) => (!names.contains(zone)).then_some("it was not asked for"),
            Self::Short { names, gap } => (!names.contains(zone)).then_some(&gap.reason),
        }
    }
}

/// What is held of a family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Lines of its file.
    pub items: u64,
    /// Digest of its file.
    pub sha256: Digest,
    /// What of it could not be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Names of the seats at which it was not read to its end before reading was interrupted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unread: BTreeSet<String>,
    /// Fields, as JSON pointers, that the file it comes from cannot say, by the name of the seat.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub silent: BTreeMap<String, BTreeSet<String>>,
}

impl Held {
    /// Seats at which not everything is known, with what belongs to items there.
    pub(in crate::hunt) fn dark(&self) -> Dark<'_> {
        Dark(self.gaps.iter().map(|gap| gap.scope.as_str()).chain(self.unread.iter().map(String::as_str)).collect())
    }
}

/// Names of seats at which not everything is known.
#[derive(Debug)]
pub(in crate::hunt) struct Dark<'m>(BTreeSet<&'m str>);

impl Dark<'_> {
    /// Whether the seat of this name, or one that it belongs to, is one.
    pub(in crate::hunt) fn covers(&self, seat: &str) -> bool {
        !self.0.is_empty()
            && (self.0.contains(seat) || seat.match_indices('/').any(|(at, _)| self.0.contains(&seat[..at])))
    }
}

/// So many names are told; of the others, how many there are.
const NAMED: usize = 3;

impl Manifest {
    /// What could not be seen, and what was not read yet: one for each family.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut all = Vec::new();
        if let Zones::Short { gap, .. } = &self.zones {
            all.push(gap.clone());
        }
        for (family, held) in &self.families {
            all.extend(held.gaps.iter().cloned());
            if !held.unread.is_empty() {
                let reason = match &self.partial {
                    Some(why) => format!("not read yet: {why}"),
                    None => "not read yet".to_owned(),
                };
                let scope = named(held.unread.iter().map(String::as_str));
                all.push(Gap { family: family.clone(), scope, reason, permission: None });
            }
        }
        all
    }

    /// Whether all is known of the family at the seat of this name.
    pub fn knows(&self, family: &str, seat: &str) -> bool {
        let is_blind = zone_of(seat).is_some_and(|zone| self.zones.blind_to(zone).is_some());
        !is_blind && self.families.get(family).is_some_and(|held| !held.dark().covers(seat))
    }

    /// How many items it holds.
    pub fn items(&self) -> u64 {
        self.families.values().map(|held| held.items).sum()
    }
}

/// The first names, and how many more there are.
pub(in crate::hunt) fn named<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    let mut text = names[..names.len().min(NAMED)].join(", ");
    if names.len() > NAMED {
        text.push_str(&format!(" and {} more", names.len() - NAMED));
    }
    text
}

impl Seat {
    /// Name of the zone, for what lives in one.
    pub fn zone_name(&self) -> Option<&str> {
        zone_of(&self.name)
    }
}

/// Name of the zone in the name of a seat; none where that is the account's or the user's.
pub(in crate::hunt) fn zone_of(seat: &str) -> Option<&str> {
    let top = seat.split('/').next().unwrap_or(seat);
    (top != "account" && top != "user").then_some(top)
}

#[cfg(test)]
mod tests {
    use super::{Held, Zones, named};
    use crate::model::{Digest, Gap};

    #[test]
    fn what_belongs_to_what_was_not_seen_is_not_seen_either() {
        let gap = |scope: &str| Gap { family: "x".into(), scope: scope.into(), reason: "403".into(), permission: None };
        let held = Held {
            items: 0,
            sha256: Digest::of(b""),
            gaps: vec![gap("account/1"), gap("b.example")],
            unread: ["c.example".to_owned()].into(),
            silent: [].into(),
        };
        let dark = held.dark();
        for seat in ["account/1", "account/1/2", "b.example", "b.example/1", "c.example"] {
            assert!(dark.covers(seat), "{seat}");
        }
        for seat in ["account", "account/11", "a.example", "bb.example"] {
            assert!(!dark.covers(seat), "{seat}");
        }
    }

    #[test]
    fn of_zones_that_were_not_asked_for_nothing_is_known() {
        let asked = Zones::Asked(["a.example".to_owned()].into());
        assert_eq!((asked.blind_to("a.example"), asked.blind_to("b.example").is_some()), (None, true));
        assert_eq!(Zones::All.blind_to("b.example"), None);
        assert_eq!(named(["a", "b", "c", "d", "e"].into_iter()), "a, b, c and 2 more");
    }
}
