//! What a capture has read so far, kept so that the next one goes on from it.
//!
//! Each process that works on a capture is a session and writes files of its own, so that nothing is ever added to a
//! file whose end was lost. Items count only where their list was read to its end in the same session, and where all
//! that it held is there.

use std::collections::hash_map;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::from_slice;
use tempfile::NamedTempFile;

use super::capture::Subject;
use super::draft::make_file;
use super::error::SnapshotError;
use super::line::Rank;
use super::stretch::{Stretch, Stretches};
use crate::hunt::runs::Entry;
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
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// In which session.
    session: u32,
    /// How many items.
    items: u64,
    /// Where they lie in what that session has written of the family.
    stretches: Vec<Stretch>,
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
    taken: BTreeMap<Place, Taken>,
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
        // Whole, but not synced, which costs as much as a request: where a power cut leaves the former one, or none, what
        // was read counts as far as it is there.
        let mut whole = NamedTempFile::new_in(stage).map_err(at)?;
        whole.write_all(&text).map_err(at)?;
        whole.persist(stage.join(HEADER)).map_err(|error| at(error.error))?;
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
            let mut seen = match File::open(items_file(&self.stage, family.name, session)) {
                Ok(file) => Seen::read(file, has_parts)?,
                Err(_) => Seen::default(),
            };
            // A power cut may have lost what was read before the note that it was read.
            expected.retain(|seat, items| seen.items.get(seat).map_or(0, |(seen, _)| *seen) == *items);
            let seats = seen.parts.into_iter().filter(|(of, _)| expected.contains_key(of));
            self.seats.extend(seats.map(|(_, seat)| seat));
            for (seat, items) in expected {
                let stretches = seen.items.remove(&seat).unwrap_or_default().1;
                let place = Place { family: family.name.to_owned(), seat };
                self.taken.insert(place.clone(), Taken { session, items, stretches });
                self.done.insert(place);
            }
        }
        Ok(())
    }

    /// So many more items of a list were read, and lie in a stretch of this session's file.
    pub(super) fn count(&mut self, place: &Place, items: u64, stretch: Stretch) {
        let session = self.session;
        let taken = self.taken.entry(place.clone()).or_insert_with(|| Taken { session, ..Taken::default() });
        taken.items += items;
        taken.stretches.push(stretch);
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

    /// Where the items of a family that count lie, of all sessions.
    pub(super) fn stretches(&self, family: &str) -> Result<Stretches, SnapshotError> {
        let mut files: HashMap<u32, Arc<File>> = HashMap::new();
        let mut all = Stretches::default();
        for (Place { seat, .. }, taken) in self.taken.iter().filter(|(place, _)| place.family == family) {
            // What belonged to an item that is gone is no more.
            if (seat.parent.is_some() && !self.seats.contains(seat)) || taken.stretches.is_empty() {
                continue;
            }
            let file = match files.entry(taken.session) {
                hash_map::Entry::Occupied(open) => open.into_mut(),
                hash_map::Entry::Vacant(place) => {
                    let path = items_file(&self.stage, family, taken.session);
                    place.insert(Arc::new(File::open(&path).map_err(SnapshotError::at(path))?))
                }
            };
            all.add(seat, file, &taken.stretches);
        }
        Ok(all)
    }
}

/// What lies in the file that a former session has written of a family.
#[derive(Default)]
struct Seen {
    /// How many items of each seat, and where.
    items: HashMap<Seat, (u64, Vec<Stretch>)>,
    /// The seats of what belongs to its items, behind those of these.
    parts: Vec<(Seat, Seat)>,
}

impl Seen {
    /// Reads it, with the seats of parts where it has any.
    fn read(file: File, has_parts: bool) -> io::Result<Self> {
        let (mut seen, mut from) = (Self::default(), 0);
        // The line before, and its seat: as long as they are in order, one stretch goes on.
        let mut last: Option<(Seat, Entry)> = None;
        for line in BufReader::new(file).split(b'\n') {
            let line = line?;
            let to = from + line.len() as u64 + 1;
            // A line that was cut off is none.
            let Ok(item) = from_slice::<Item>(&line) else {
                (from, last) = (to, None);
                continue;
            };
            if has_parts {
                seen.parts.push((item.seat.clone(), item.seat.of(&item.id)));
            }
            let entry = (Rank::of(&item).into_bytes(), line);
            let (items, stretches) = seen.items.entry(item.seat.clone()).or_default();
            *items += 1;
            match stretches.last_mut() {
                Some(stretch) if last.as_ref().is_some_and(|(seat, before)| *seat == item.seat && *before <= entry) => {
                    stretch.to = to;
                }
                _ => stretches.push(Stretch { from, to }),
            }
            (from, last) = (to, Some((item.seat, entry)));
        }
        Ok(seen)
    }
}

fn ended_file(stage: &Path, session: u32) -> PathBuf {
    stage.join(format!("ended.{session}.jsonl"))
}

/// Name of the file of what a session has read of a family.
pub(super) fn items_file(stage: &Path, family: &str, session: u32) -> PathBuf {
    stage.join(format!("{family}.{session}.items.jsonl"))
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use serde_json::json;

    use super::{Seen, Stretch};
    use crate::hunt::snapshot::line;
    use crate::hunt::{Item, Seat};

    #[test]
    fn what_a_former_session_wrote_is_in_order_page_by_page() {
        let (one, other) = (Seat::zone("1", "one"), Seat::zone("2", "other"));
        let line = |seat: &Seat, key: &str| {
            let key = vec![key.to_owned()];
            let item =
                Item { seat: seat.clone(), key, id: String::new(), created: None, modified: None, value: json!(0) };
            line::write(item).unwrap()
        };
        let mut file = tempfile::tempfile().unwrap();
        // Two pages of one list, one of another in between, and a line that was cut off when the power went.
        let lines = [
            line(&one, "b"),
            line(&one, "c"),
            line(&other, "a"),
            line(&one, "d"),
            line(&one, "a"),
            b"{\"seat\":".into(),
        ];
        let mut ends = vec![0];
        for line in lines {
            file.write_all(&line).unwrap();
            file.write_all(b"\n").unwrap();
            ends.push(ends[ends.len() - 1] + line.len() as u64 + 1);
        }
        file.rewind().unwrap();
        let seen = Seen::read(file, true).unwrap();
        let at = |from: usize, to: usize| Stretch { from: ends[from], to: ends[to] };
        assert_eq!(seen.items[&one], (4, vec![at(0, 2), at(3, 4), at(4, 5)]));
        assert_eq!(seen.items[&other], (1, vec![at(2, 3)]));
        assert_eq!(seen.parts.len(), 5);
    }
}
