//! What a capture has read so far, kept so that the next one goes on from it.
//!
//! Each process that works on a capture is a session and writes files of its own, so that nothing is ever added to a
//! file whose end was lost. Items count only where their list was read to its end in the same session, and where all
//! that it held is there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::from_slice;

use super::capture::Subject;
use super::draft::make_file;
use super::error::SnapshotError;
use crate::hunt::sweep::Place;
use crate::hunt::{Family, Item, Reach, Seat};

/// A capture that was begun longer ago is begun anew: what was read then would stand beside what is read now as if both
/// had been there at one time.
const FRESH_FOR: SignedDuration = SignedDuration::from_hours(12);

/// Says what is captured, and since when.
const HEADER: &str = "capture.json";

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    began_at: Timestamp,
    sessions: u32,
    subject: Subject,
}

/// One list that was read to its end.
#[derive(Debug, Serialize, Deserialize)]
struct Ended {
    place: Place,
    items: u64,
}

/// What was read of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    /// In which session.
    pub(super) session: u32,
    /// How many items.
    pub(super) items: u64,
}

/// What a capture has read so far.
#[derive(Debug)]
pub(super) struct Ledger {
    stage: PathBuf,
    pub(super) began_at: Timestamp,
    pub(super) session: u32,
    /// Lists that were read to their end.
    pub(super) done: BTreeSet<Place>,
    /// Lists of which something was read that counts.
    pub(super) taken: BTreeMap<Place, Taken>,
    /// Seats of what belongs to items that were seen.
    pub(super) seats: HashSet<Seat>,
    file: File,
}

impl Ledger {
    /// Goes on from what lies in `stage`, where that is about the same and not too old; begins anew otherwise.
    pub(super) fn open(
        stage: &Path,
        subject: &Subject,
        families: &[&Family],
        now: Timestamp,
    ) -> Result<Self, SnapshotError> {
        let at = |error| SnapshotError::at(stage)(error);
        let header = fs::read(stage.join(HEADER)).ok().and_then(|bytes| from_slice::<Header>(&bytes).ok());
        let header = header.filter(|it| it.subject == *subject && now.duration_since(it.began_at) < FRESH_FOR);
        if header.is_none() {
            for entry in fs::read_dir(stage).map_err(at)? {
                let path = entry.map_err(at)?.path();
                if path.extension().is_some_and(|extension| extension == "jsonl" || extension == "json") {
                    fs::remove_file(&path).map_err(SnapshotError::at(&path))?;
                }
            }
        }
        let (began_at, former) = header.map_or((now, 0), |header| (header.began_at, header.sessions));
        let session = former + 1;
        let header = Header { began_at, sessions: session, subject: subject.clone() };
        let text = serde_json::to_vec(&header).map_err(io::Error::from).map_err(at)?;
        crate::durable::replace(&stage.join(HEADER), &text, 0o600).map_err(at)?;
        let file =
            make_file(&ended_file(stage, session)).and_then(|it| it.into_inner().map_err(Into::into)).map_err(at)?;
        let mut ledger = Self {
            stage: stage.to_owned(),
            began_at,
            session,
            done: BTreeSet::new(),
            taken: BTreeMap::new(),
            seats: HashSet::new(),
            file,
        };
        for former in 1..session {
            ledger.recall(former, families).map_err(at)?;
        }
        Ok(ledger)
    }

    /// Takes up what a former session has read.
    fn recall(&mut self, session: u32, families: &[&Family]) -> io::Result<()> {
        let mut ended: HashMap<String, HashMap<Seat, u64>> = HashMap::new();
        let Ok(file) = File::open(ended_file(&self.stage, session)) else { return Ok(()) };
        for line in BufReader::new(file).split(b'\n') {
            // A line that was cut off says nothing: its list is read again.
            let Ok(Ended { place, items }) = from_slice(&line?) else { continue };
            ended.entry(place.family).or_default().insert(place.seat, items);
        }
        for family in families {
            let Some(mut expected) = ended.remove(family.name) else { continue };
            let has_parts = families.iter().any(|part| part.reach == Reach::Of(family.name));
            let (mut seen, mut seats): (HashMap<Seat, u64>, Vec<(Seat, Seat)>) = Default::default();
            if let Ok(file) = File::open(items_file(&self.stage, family.name, session)) {
                for line in BufReader::new(file).split(b'\n') {
                    let Ok(item) = from_slice::<Item>(&line?) else { continue };
                    if has_parts {
                        seats.push((item.seat.clone(), item.seat.of(&item.id)));
                    }
                    *seen.entry(item.seat).or_default() += 1;
                }
            }
            // A power cut may have lost what was read before the note that it was read.
            expected.retain(|seat, items| seen.get(seat).copied().unwrap_or_default() == *items);
            self.seats.extend(seats.into_iter().filter(|(of, _)| expected.contains_key(of)).map(|(_, seat)| seat));
            for (seat, items) in expected {
                let place = Place { family: family.name.to_owned(), seat };
                self.taken.insert(place.clone(), Taken { session, items });
                self.done.insert(place);
            }
        }
        Ok(())
    }

    /// So many more items of a list were read.
    pub(super) fn count(&mut self, place: &Place, items: u64) {
        let taken = self.taken.entry(place.clone()).or_insert(Taken { session: self.session, items: 0 });
        taken.items += items;
    }

    /// A list was read to its end, and its items are written.
    pub(super) fn end(&mut self, place: &Place) -> io::Result<()> {
        let items = self.taken.get(place).map_or(0, |taken| taken.items);
        let mut line = serde_json::to_vec(&Ended { place: place.clone(), items })?;
        line.push(b'\n');
        self.file.write_all(&line)
    }

    /// Nobody goes on from here.
    pub(super) fn forget(&self) -> io::Result<()> {
        fs::remove_file(self.stage.join(HEADER))
    }

    /// Whether an item that a session has read counts.
    pub(super) fn counts(&self, family: &str, seat: &Seat, session: u32) -> bool {
        let place = Place { family: family.to_owned(), seat: seat.clone() };
        let is_there = seat.parent.is_none() || self.seats.contains(seat);
        is_there && self.taken.get(&place).is_some_and(|taken| taken.session == session)
    }
}

fn ended_file(stage: &Path, session: u32) -> PathBuf {
    stage.join(format!("ended.{session}.jsonl"))
}

/// Name of the file of what a session has read of a family.
pub(super) fn items_file(stage: &Path, family: &str, session: u32) -> PathBuf {
    stage.join(format!("{family}.{session}.items.jsonl"))
}
