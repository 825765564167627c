//! The rounds in which what was lost and what is new are paired.

use std::io;
use std::path::Path;

use crate::hunt::runs::{Runs, Sorted};
use crate::hunt::snapshot::line::{self, Rank, joined};
use crate::hunt::{Difference, Family, Item};

/// What differs in one family, as far as it is known yet.
pub(super) struct Matching<'f> {
    family: &'f Family,
    scratch: Option<&'f Path>,
    /// What the first round left, for the second.
    left: Left,
    /// What has no id, for the third.
    nameless: Left,
    found: Runs,
}

/// Items that are not paired.
struct Left {
    lost: Runs,
    new: Runs,
}

impl Left {
    fn new(scratch: Option<&Path>) -> Self {
        Self { lost: runs(scratch), new: runs(scratch) }
    }
}

fn runs(scratch: Option<&Path>) -> Runs {
    scratch.map_or_else(Runs::in_memory, Runs::new)
}

impl<'f> Matching<'f> {
    pub(super) fn new(family: &'f Family, scratch: Option<&'f Path>) -> Self {
        Self { family, scratch, left: Left::new(scratch), nameless: Left::new(scratch), found: runs(scratch) }
    }

    pub(super) fn in_memory(family: &'f Family) -> Self {
        Self::new(family, None)
    }

    /// Pairs what has one key: by its id, then with what is the same, then with whatever there is.
    pub(super) fn same_key(&mut self, before: Vec<Item>, mut after: Vec<Item>) -> io::Result<()> {
        let mut rest = Vec::new();
        for item in before {
            match after.iter().position(|other| !item.id.is_empty() && other.id == item.id) {
                Some(at) => self.pair(item, after.remove(at))?,
                None => rest.push(item),
            }
        }
        for item in rest {
            if after.is_empty() {
                self.lost(&item)?;
                continue;
            }
            let at = after.iter().position(|other| !self.differ(&item, other)).unwrap_or(0);
            self.pair(item, after.remove(at))?;
        }
        after.iter().try_for_each(|item| self.new_one(item))
    }

    /// Takes an item whose key there was only before.
    pub(super) fn lost(&mut self, item: &Item) -> io::Result<()> {
        let (left, rank) = self.round(item);
        left.lost.push(rank, line::write(item.clone())?)
    }

    /// Takes an item whose key there is only now.
    pub(super) fn new_one(&mut self, item: &Item) -> io::Result<()> {
        let (left, rank) = self.round(item);
        left.new.push(rank, line::write(item.clone())?)
    }

    /// The round that an unpaired item takes part in next, and where it stands there.
    fn round(&mut self, item: &Item) -> (&mut Left, Vec<u8>) {
        if item.id.is_empty() {
            (&mut self.nameless, by_kin(self.family, item))
        } else {
            (&mut self.left, joined(&[&item.seat.name, &item.id]))
        }
    }

    fn differ(&self, before: &Item, after: &Item) -> bool {
        self.family.compared(before) != self.family.compared(after)
    }

    fn pair(&mut self, before: Item, after: Item) -> io::Result<()> {
        if self.differ(&before, &after) {
            self.found(Some(before), Some(after))?;
        }
        Ok(())
    }

    fn found(&mut self, before: Option<Item>, after: Option<Item>) -> io::Result<()> {
        let difference = Difference { family: self.family.name.to_owned(), before, after };
        let rank = difference.item().map(|item| Rank::of(item).into_bytes()).unwrap_or_default();
        self.found.push(rank, serde_json::to_vec(&difference)?)
    }

    /// Pairs what is left, and tells what differs in order of seat and key.
    pub(super) fn finish(mut self, tell: &mut dyn FnMut(Difference) -> io::Result<()>) -> io::Result<()> {
        let Left { lost, new } = std::mem::replace(&mut self.left, Left::new(self.scratch));
        self.by_id(lost.sorted()?, new.sorted()?)?;
        let Left { lost, new } = std::mem::replace(&mut self.nameless, Left::new(self.scratch));
        self.by_kin(lost.sorted()?, new.sorted()?)?;
        for entry in std::mem::replace(&mut self.found, Runs::in_memory()).sorted()? {
            tell(serde_json::from_slice(&entry?.1)?)?;
        }
        Ok(())
    }

    fn by_id(&mut self, mut lost: Sorted, mut new: Sorted) -> io::Result<()> {
        loop {
            let rank = match (lost.rank(), new.rank()) {
                (Some(one), Some(other)) => one.min(other),
                (Some(rank), None) | (None, Some(rank)) => rank,
                (None, None) => return Ok(()),
            };
            let rank = rank.to_vec();
            match (item(lost.next_of(&rank)?)?, item(new.next_of(&rank)?)?) {
                (Some(before), Some(after)) => self.pair(before, after)?,
                (before, after) => {
                    if let Some(item) = before {
                        self.nameless.lost.push(by_kin(self.family, &item), line::write(item)?)?;
                    }
                    if let Some(item) = after {
                        self.nameless.new.push(by_kin(self.family, &item), line::write(item)?)?;
                    }
                }
            }
        }
    }

    fn by_kin(&mut self, mut lost: Sorted, mut new: Sorted) -> io::Result<()> {
        loop {
            let rank = match (lost.rank(), new.rank()) {
                (Some(one), Some(other)) => one.min(other),
                (Some(rank), None) | (None, Some(rank)) => rank,
                (None, None) => return Ok(()),
            };
            let rank = rank.to_vec();
            let (before, after) = (item(lost.next_of(&rank)?)?, item(new.next_of(&rank)?)?);
            let is_alone = lost.rank() != Some(&rank) && new.rank() != Some(&rank);
            if let (Some(one), Some(other)) = (&before, &after)
                && is_alone
                && self.family.are_kin(one, other)
            {
                self.found(before, after)?;
                continue;
            }
            let mut next = (before, after);
            while next.0.is_some() || next.1.is_some() {
                if next.0.is_some() {
                    self.found(next.0, None)?;
                }
                if next.1.is_some() {
                    self.found(None, next.1)?;
                }
                next = (item(lost.next_of(&rank)?)?, item(new.next_of(&rank)?)?);
            }
        }
    }
}

/// Where an item stands in the third round.
fn by_kin(family: &Family, item: &Item) -> Vec<u8> {
    let kin = item.key.iter().take(family.kin).map(String::as_str);
    joined(&std::iter::once(item.seat.name.as_str()).chain(kin).collect::<Vec<_>>())
}

fn item(entry: Option<(Vec<u8>, Vec<u8>)>) -> io::Result<Option<Item>> {
    Ok(entry.map(|(_, bytes)| serde_json::from_slice(&bytes)).transpose()?)
}
