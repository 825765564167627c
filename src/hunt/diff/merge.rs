use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::matching::Matching;
use super::part::Comparable;
use crate::hunt::canonical::forget;
use crate::hunt::snapshot::line::Rank;
use crate::hunt::snapshot::manifest::zone_of;
use crate::hunt::snapshot::open::Lines;
use crate::hunt::snapshot::{Held, Snapshot, SnapshotError, Zones};
use crate::hunt::{Difference, Family, Item};
use crate::model::{Change, Gap};

/// Two snapshots that are compared.
#[derive(Debug, Clone, Copy)]
pub struct Comparison<'s> {
    /// As it was.
    pub before: &'s Snapshot,
    /// What that is called: `the baseline`.
    pub before_name: &'s str,
    /// As it is.
    pub after: &'s Snapshot,
    /// What that is called: `the account`.
    pub after_name: &'s str,
    /// The families, in the order in which differences are told.
    pub families: &'s [&'s Family],
    /// Where what does not fit into memory is sorted, in files without a name.
    pub scratch: &'s Path,
}

/// What was compared, and what was not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compared {
    /// What differs in each family that both hold, by its name.
    pub families: BTreeMap<String, Tally>,
    /// What could not be compared, since it could not be seen on one side.
    pub gaps: Vec<Gap>,
    /// What was not compared, since nobody asked for it.
    pub not_examined: Vec<String>,
    /// Fields that were not compared, since one side cannot say them, by family and seat.
    pub silent: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

/// What differs in a family.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Items that are new.
    pub added: u64,
    /// Items that are gone.
    pub removed: u64,
    /// Items that were changed.
    pub changed: u64,
}

impl Tally {
    /// All of them.
    pub const fn all(&self) -> u64 {
        self.added + self.removed + self.changed
    }

    fn count(&mut self, change: Change) {
        match change {
            Change::Added => self.added += 1,
            Change::Removed => self.removed += 1,
            Change::Changed => self.changed += 1,
        }
    }
}

impl Compared {
    /// What differs in all families.
    pub fn total(&self) -> Tally {
        self.families.values().fold(Tally::default(), |all, it| Tally {
            added: all.added + it.added,
            removed: all.removed + it.removed,
            changed: all.changed + it.changed,
        })
    }
}

impl Comparison<'_> {
    /// Tells every difference, family by family, in order of seat and key. What could not be seen on one side is no
    /// difference, and is told as a gap.
    ///
    /// # Errors
    /// A file cannot be read, or is not as its manifest says: what was told until then does not count. `tell` fails.
    pub fn run(&self, tell: &mut dyn FnMut(&Family, Difference) -> io::Result<()>) -> Result<Compared, SnapshotError> {
        let (before, after) = (self.before.manifest(), self.after.manifest());
        let mut compared = Compared::default();
        self.zones(&mut compared);
        for family in self.families {
            let (one, other) = match (before.families.get(family.name), after.families.get(family.name)) {
                (Some(one), Some(other)) => (one, other),
                (None, None) => continue,
                (one, _) => {
                    let lacks = if one.is_some() { self.after_name } else { self.before_name };
                    compared.not_examined.push(format!("{}: {lacks} does not hold them", family.name));
                    continue;
                }
            };
            for (name, held) in [(self.before_name, one), (self.after_name, other)] {
                compared.gaps.extend(self.gaps(family, name, held));
            }
            let silent = silent_fields([one, other]);
            if !silent.is_empty() {
                compared.silent.insert(family.name.to_owned(), silent);
            }
            let mut part = Comparable::new([(before, one), (after, other)]);
            let mut matching = Matching::new(family, Some(self.scratch));
            let mut lines = [self.before.lines(family.name)?, self.after.lines(family.name)?];
            merge_lines(&mut matching, &mut lines, &mut part, self.scratch)?;
            let mut tally = Tally::default();
            let finished = matching.finish(&mut |difference| {
                tally.count(difference.change());
                tell(family, difference)
            });
            finished.map_err(SnapshotError::at(self.scratch))?;
            compared.families.insert(family.name.to_owned(), tally);
        }
        let known: BTreeSet<&str> = self.families.iter().map(|family| family.name).collect();
        let unknown = before.families.keys().filter(|name| !known.contains(name.as_str()));
        compared.not_examined.extend(unknown.map(|name| format!("{name}: this version of quell does not know them")));
        Ok(compared)
    }

    /// What of the zones is not known on both sides.
    fn zones(&self, compared: &mut Compared) {
        let (one, other) = (&self.before.manifest().zones, &self.after.manifest().zones);
        for (name, zones) in [(self.before_name, one), (self.after_name, other)] {
            match zones {
                Zones::Short { gap, .. } => {
                    compared.gaps.push(Gap { reason: format!("in {name}: {}", gap.reason), ..gap.clone() });
                }
                Zones::Asked(names) if one != other => {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    compared
                        .not_examined
                        .push(format!("zones other than {}: {name} does not hold them", names.join(", ")));
                }
                Zones::Asked(_) | Zones::All => {}
            }
        }
    }

    fn gaps(&self, family: &Family, name: &str, held: &Held) -> Vec<Gap> {
        let is_blind = |seat: &str| {
            let sides = [self.before, self.after];
            zone_of(seat).is_some_and(|zone| sides.iter().any(|side| side.manifest().zones.blind_to(zone).is_some()))
        };
        let unread = held.unread.iter().map(|seat| Gap {
            family: family.name.to_owned(),
            scope: seat.clone(),
            reason: "it was not read yet".to_owned(),
            permission: None,
        });
        let all = held.gaps.iter().cloned().chain(unread).filter(|gap| !is_blind(&gap.scope));
        all.map(|gap| Gap { reason: format!("in {name}: {}", gap.reason), ..gap }).collect()
    }
}

/// Fields that one of the sides cannot say, by seat.
fn silent_fields(held: [&Held; 2]) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (seat, fields) in held.iter().flat_map(|held| &held.silent) {
        all.entry(seat.clone()).or_default().extend(fields.iter().cloned());
    }
    all
}

fn merge_lines(
    matching: &mut Matching<'_>,
    [one, other]: &mut [Lines; 2],
    part: &mut Comparable<'_>,
    scratch: &Path,
) -> Result<(), SnapshotError> {
    let failed = |error| SnapshotError::at(scratch)(error);
    let (mut has_one, mut has_other) = (one.advance()?, other.advance()?);
    loop {
        if has_one && has_other && one.line() == other.line() {
            (has_one, has_other) = (one.advance()?, other.advance()?);
            continue;
        }
        let order = match (has_one, has_other) {
            (false, false) => return Ok(()),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (true, true) => one.rank()?.key().cmp(other.rank()?.key()),
        };
        match order {
            Ordering::Less => {
                if let Some(item) = taken(one, part)? {
                    matching.lost(&item).map_err(failed)?;
                }
                has_one = one.advance()?;
            }
            Ordering::Greater => {
                if let Some(item) = taken(other, part)? {
                    matching.new_one(&item).map_err(failed)?;
                }
                has_other = other.advance()?;
            }
            Ordering::Equal => {
                let key = one.rank()?.key().to_vec();
                let before = group(one, &mut has_one, &key, part)?;
                let after = group(other, &mut has_other, &key, part)?;
                matching.same_key(before, after).map_err(failed)?;
            }
        }
    }
}

/// The item of the line, without what one side cannot say; `None` where its seat is not known on both sides.
fn taken(lines: &Lines, part: &mut Comparable<'_>) -> Result<Option<Item>, SnapshotError> {
    let mut item = lines.item()?;
    if !part.seat(&item.seat.name) {
        return Ok(None);
    }
    part.silent(&item.seat.name).for_each(|field| forget(&mut item.value, field));
    Ok(Some(item))
}

/// All that have one key.
fn group(
    lines: &mut Lines,
    has_line: &mut bool,
    key: &[u8],
    part: &mut Comparable<'_>,
) -> Result<Vec<Item>, SnapshotError> {
    let mut items = Vec::new();
    while *has_line && lines.rank()?.key() == key {
        items.extend(taken(lines, part)?);
        *has_line = lines.advance()?;
    }
    Ok(items)
}

/// The first round over items in memory.
pub(super) fn merge_items(matching: &mut Matching<'_>, before: Vec<Item>, after: Vec<Item>) -> io::Result<()> {
    let mut keys: BTreeMap<Vec<u8>, [Vec<Item>; 2]> = BTreeMap::new();
    for (side, items) in [before, after].into_iter().enumerate() {
        for item in items {
            keys.entry(Rank::of(&item).key().to_vec()).or_default()[side].push(item);
        }
    }
    keys.into_values().try_for_each(|[before, after]| matching.same_key(before, after))
}
