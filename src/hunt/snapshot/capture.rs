//! A capture: takes what a sweep reads, and makes a baseline of it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ledger::{Ledger, items_file};
use super::manifest::{Manifest, SCHEMA, Source, Zones};
use super::stretch::Stretch;
use super::{PARTIAL, SnapshotError, draft, line};
use crate::hunt::sweep::{Ending, Place, Sink, Stopped, Swept, SweptPage};
use crate::hunt::{Family, Item, Reach, Seat};
use crate::model::Account;

/// What is captured: a capture that was interrupted goes on only where this is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Name and version of the program.
    pub tool: String,
    /// The account.
    pub account: Account,
    /// Host of the API.
    pub api: String,
    /// Names of the families, in order.
    pub families: Vec<String>,
    /// Names of the zones, where some were asked for.
    pub zones: Option<BTreeSet<String>>,
}

/// A capture under way: takes what a sweep reads. What it has taken is on disk, in a directory of its own, and is found there by the next
/// capture of the same subject into the same place.
#[derive(Debug)]
pub struct Capture<'f> {
    dir: PathBuf,
    stage: PathBuf,
    subject: Subject,
    families: Vec<&'f Family>,
    ledger: Ledger,
    files: BTreeMap<&'static str, Staged>,
    /// Held until the end: nobody else captures into the same place.
    _lock: File,
}

/// What this session has written of a family.
#[derive(Debug)]
struct Staged {
    file: BufWriter<File>,
    /// Bytes so far.
    length: u64,
}

impl<'f> Capture<'f> {
    /// Begins a capture into `dir`, or goes on with one that was interrupted.
    ///
    /// # Errors
    /// The directory cannot be made or written, or another capture is at work there.
    pub fn open(dir: &Path, subject: Subject, families: &[&'f Family], now: Timestamp) -> Result<Self, SnapshotError> {
        let partial = dir.join(PARTIAL);
        let stage = partial.join("stage");
        draft::make_dir(&stage)?;
        let path = partial.join("lock");
        let lock = draft::make_file(&path).and_then(|file| file.into_inner().map_err(Into::into));
        let lock = lock.map_err(SnapshotError::at(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SnapshotError::Busy(dir.to_owned())),
            Err(TryLockError::Error(error)) => return Err(SnapshotError::at(path)(error)),
        }
        // What is not whole belongs into no history of versions.
        let ignore = partial.join(".gitignore");
        fs::write(&ignore, "*\n").map_err(SnapshotError::at(ignore))?;
        let ledger = Ledger::open(&stage, &subject, families, now)?;
        let (dir, families) = (dir.to_owned(), families.to_vec());
        Ok(Self { dir, stage, subject, families, ledger, files: BTreeMap::new(), _lock: lock })
    }

    /// Lists that an earlier session has read to their end: not to be read again.
    pub const fn done(&self) -> &BTreeSet<Place> {
        &self.ledger.done
    }

    /// When the first of it was read.
    pub const fn began_at(&self) -> Timestamp {
        self.ledger.began_at
    }

    /// Makes a baseline of what was read. Where everything was asked that there is to ask, it takes the place of a former
    /// one; where reading was stopped before, it is kept aside for the next capture to go on from, and says so.
    ///
    /// # Errors
    /// It cannot be written. What was read stays.
    pub fn finish(mut self, swept: &Swept, zones: Zones, now: Timestamp) -> Result<Manifest, SnapshotError> {
        let partial = self.dir.join(PARTIAL);
        for (name, staged) in std::mem::take(&mut self.files) {
            let path = items_file(&self.stage, name, self.ledger.session);
            staged.file.into_inner().map_err(io::IntoInnerError::into_error).map_err(SnapshotError::at(path))?;
        }
        let mut families = BTreeMap::new();
        for family in &self.families {
            let lines = self.ledger.stretches(family.name)?.into_lines();
            families.insert(family.name.to_owned(), draft::family(&partial, family.name, lines)?);
        }
        for gap in &swept.gaps {
            if let Some(held) = families.get_mut(&gap.family) {
                held.gaps.push(gap.clone());
            }
        }
        families.values_mut().for_each(|held| held.gaps.sort());
        for (family, seat) in self.unread(&swept.unread) {
            if let Some(held) = families.get_mut(family) {
                held.unread.insert(seat);
            }
        }
        let manifest = Manifest {
            schema: SCHEMA.to_owned(),
            tool: self.subject.tool.clone(),
            source: Source::Capture,
            account: Some(self.subject.account.clone()),
            api: Some(self.subject.api.clone()),
            began_at: self.ledger.began_at,
            ended_at: now,
            partial: swept.stopped.as_ref().map(|stopped| match stopped {
                Stopped::Interrupted => "it was interrupted".to_owned(),
                Stopped::Outage(why) => why.clone(),
            }),
            zones,
            families,
        };
        draft::manifest(&partial, &manifest)?;
        if manifest.partial.is_none() {
            draft::put_in_place(&partial, &self.dir, &manifest)?;
            // First of all: what is in place is not gone on with.
            self.ledger.forget().map_err(SnapshotError::at(&self.stage))?;
            fs::remove_dir_all(&partial).map_err(SnapshotError::at(partial))?;
        }
        Ok(manifest)
    }

    /// What was not read, with what belongs to it, which was not even found.
    fn unread(&self, places: &[Place]) -> BTreeSet<(&'f str, String)> {
        let mut all = BTreeSet::new();
        let mut next: Vec<(&str, &Seat)> = places.iter().map(|place| (place.family.as_str(), &place.seat)).collect();
        while let Some((name, seat)) = next.pop() {
            for family in &self.families {
                if family.name == name {
                    all.insert((family.name, seat.name.clone()));
                } else if matches!(family.reach, Reach::Of(of) if of == name) {
                    next.push((family.name, seat));
                }
            }
        }
        all
    }

    /// Writes the items of a page in the order of their ranks, and says where.
    fn write(&mut self, family: &'static str, items: Vec<Item>) -> io::Result<Stretch> {
        let staged = match self.files.entry(family) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let file = draft::make_file(&items_file(&self.stage, family, self.ledger.session))?;
                entry.insert(Staged { file, length: 0 })
            }
        };
        let entry = |item| io::Result::Ok((line::Rank::of(&item).into_bytes(), line::write(item)?));
        let mut entries = items.into_iter().map(entry).collect::<io::Result<Vec<_>>>()?;
        entries.sort_unstable();
        let from = staged.length;
        for (_, mut line) in entries {
            line.push(b'\n');
            staged.file.write_all(&line)?;
            staged.length += line.len() as u64;
        }
        Ok(Stretch { from, to: staged.length })
    }
}

impl Sink for Capture<'_> {
    fn page(&mut self, page: SweptPage<'_>) -> io::Result<()> {
        let (family, count) = (page.family, page.items.len() as u64);
        if self.families.iter().any(|part| part.reach == Reach::Of(family.name)) {
            self.ledger.seats.extend(page.items.iter().map(|item| item.seat.of(&item.id)));
        }
        let stretch = self.write(family.name, page.items)?;
        self.ledger.count(page.place, count, stretch);
        Ok(())
    }

    fn end(&mut self, place: &Place, ending: &Ending) -> io::Result<()> {
        if *ending != Ending::Complete {
            return Ok(());
        }
        // The note that a list is read must not be there before what it held.
        if let Some(staged) = self.files.get_mut(place.family.as_str()) {
            staged.file.flush()?;
        }
        self.ledger.end(place)
    }
}
