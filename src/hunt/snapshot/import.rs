//! A baseline from files of other tools.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use super::manifest::{Manifest, SCHEMA, Source, Zones};
use super::{Snapshot, SnapshotError, draft, line};
use crate::hunt::runs::Runs;
use crate::hunt::{Family, Item};

/// What is known of one family in one zone, from elsewhere.
#[derive(Debug)]
pub struct Import<'i> {
    /// Name and version of the program.
    pub tool: &'i str,
    /// The family.
    pub family: &'i Family,
    /// Name of the zone, which is the name of the seat as well.
    pub zone: &'i str,
    /// The items.
    pub items: Vec<Item>,
    /// Fields that are not known of any of them, as JSON pointers.
    pub silent: BTreeSet<String>,
}

impl Import<'_> {
    /// Puts it into the baseline in `dir`, beside the other zones that were imported there, and in the place of what was
    /// there of the same zone.
    ///
    /// # Errors
    /// There is a baseline of another kind, or the files cannot be written; what was there stays.
    pub fn put(self, dir: &Path, now: Timestamp) -> Result<Manifest, SnapshotError> {
        let former = match Snapshot::open(dir) {
            Ok(former) if former.manifest().source == Source::Import => Some(former),
            Ok(_) => return Err(SnapshotError::Captured(dir.to_owned())),
            Err(SnapshotError::Missing(_)) => None,
            Err(error) => return Err(error),
        };
        draft::make_dir(dir)?;
        // It goes with the process, unless that is killed.
        let aside = tempfile::Builder::new().prefix(".import-").tempdir_in(dir).map_err(SnapshotError::at(dir))?;
        let failed = |error| SnapshotError::at(aside.path())(error);
        let mut runs = Runs::new(aside.path());
        let mut take = |item: Item| {
            let rank = line::Rank::of(&item).into_bytes();
            runs.push(rank, line::write(item)?)
        };
        for item in former
            .iter()
            .map(|former| former.items(self.family.name))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
        {
            let item = item?;
            if item.seat.name != self.zone {
                take(item).map_err(failed)?;
            }
        }
        self.items.into_iter().try_for_each(take).map_err(failed)?;
        let lines = runs.sorted().map_err(failed)?.map(|entry| entry.map(|(_, line)| line));
        let mut held = draft::family(aside.path(), self.family.name, lines)?;
        let mut names = BTreeSet::from([self.zone.to_owned()]);
        if let Some(former) = &former {
            if let Some(before) = former.manifest().families.get(self.family.name) {
                held.silent.clone_from(&before.silent);
            }
            if let Zones::Asked(before) = &former.manifest().zones {
                names.extend(before.iter().cloned());
            }
        }
        held.silent.insert(self.zone.to_owned(), self.silent);
        let manifest = Manifest {
            schema: SCHEMA.to_owned(),
            tool: self.tool.to_owned(),
            source: Source::Import,
            account: None,
            api: None,
            began_at: former.map_or(now, |former| former.manifest().began_at),
            ended_at: now,
            partial: None,
            zones: Zones::Asked(names),
            families: [(self.family.name.to_owned(), held)].into(),
        };
        draft::manifest(aside.path(), &manifest)?;
        draft::put_in_place(aside.path(), dir, &manifest)?;
        Ok(manifest)
    }
}
