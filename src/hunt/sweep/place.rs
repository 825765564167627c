use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::hunt::Seat;
use crate::model::Gap;

/// One list of a sweep: a family at a seat. For what belongs to items of another family, also the seat of that family:
/// then it stands for the lists of all its items there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Name of the family.
    pub family: String,
    /// Where.
    pub seat: Seat,
}

/// How a list ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All of it was seen.
    Complete,
    /// Some of it was seen, and there may be more.
    Short(Gap),
    /// Nothing of it was seen.
    Refused(Gap),
}

impl Ending {
    /// What could not be seen.
    pub const fn gap(&self) -> Option<&Gap> {
        match self {
            Self::Complete => None,
            Self::Short(gap) | Self::Refused(gap) => Some(gap),
        }
    }
}

/// Why a sweep ended before all was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// It was asked to.
    Interrupted,
    /// The way to the provider is cut, or the credential is no longer valid; what the last list said.
    Outage(String),
}

/// What a sweep has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Lists that were read to their end.
    pub complete: usize,
    /// What could not be seen, in the order in which it was found out.
    pub gaps: Vec<Gap>,
    /// What was not read to its end, since the sweep was stopped.
    pub unread: Vec<Place>,
    /// Why it was stopped.
    pub stopped: Option<Stopped>,
}

/// So many seats are named in one gap.
const NAMED: usize = 3;

impl Swept {
    /// What is not read yet, one gap for each family.
    pub fn unread_gaps(&self) -> Vec<Gap> {
        let mut families: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for place in &self.unread {
            families.entry(&place.family).or_default().push(&place.seat.name);
        }
        let reason = match &self.stopped {
            Some(Stopped::Outage(why)) => format!("not read yet: {why}"),
            _ => "not read yet".to_owned(),
        };
        let gap = |(family, seats): (&str, Vec<&str>)| {
            let mut scope = seats[..seats.len().min(NAMED)].join(", ");
            if seats.len() > NAMED {
                scope.push_str(&format!(" and {} more", seats.len() - NAMED));
            }
            Gap { family: family.to_owned(), scope, reason: reason.clone(), permission: None }
        };
        families.into_iter().map(gap).collect()
    }
}
