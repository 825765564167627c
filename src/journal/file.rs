use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::chain::{self, Line};
use super::event::{Entry, Event};
use super::state::{IllegalEvent, IncidentState};
use super::warrant::Warrant;
use crate::crash::crash_point;
use crate::model::{Delivery, Digest, Effect, EffectKey, Role, RunId, SealedId, StepPath, World};

/// The format that this version writes.
///
/// It is frozen: whatever would make quell write another line for the same event, be it a new event, a field or a word of an
/// enum, gets a number of its own, so that an older quell knows that it cannot read all of it. Older ones stay readable.
pub const FORMAT: u32 = 3;

/// The journal's file name in the incident's directory.
pub const FILE_NAME: &str = "journal.jsonl";

/// What every entry carries besides its event.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// This machine's clock.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What they do in the incident, where that was said.
    pub role: Option<Role>,
    /// The run.
    pub run: Option<RunId>,
    /// The step.
    pub path: Option<StepPath>,
}

/// Why the journal could not be read or written. After any of these nothing is sent.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system failed.
    #[error("cannot {doing} the journal {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The failure.
        #[source]
        source: io::Error,
    },
    /// Lines were changed, removed, swapped or added.
    #[error("the journal {} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        what: String,
    },
    /// The file is of a newer format.
    #[error("the journal {} has format {found}; this version of quell writes {FORMAT} and only reads newer ones", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// An entry cannot follow what came before: a bug, or a journal that was edited.
    #[error("the journal does not allow this: {0}")]
    Illegal(#[from] IllegalEvent),
    /// Another process drives the incident now.
    #[error("process {pid} on {machine} has taken over: nothing more is written or sent from here")]
    TakenOver {
        /// Its machine.
        machine: String,
        /// Its number there.
        pid: u32,
    },
    /// An earlier write failed; whether it is on disk is not known.
    #[error("an earlier write to the journal failed, so nothing more is written by this process")]
    Poisoned,
}

/// An open journal: the file, and what it says.
///
/// Appending takes a short lock on the file, so that notes can be written from other terminals while a run goes.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    state: IncidentState,
    head: Digest,
    end: u64,
    poisoned: bool,
    /// Number of the entry by which this process took the incident up, where it drives.
    driving: Option<u64>,
}

impl Journal {
    /// Begins a journal in `dir` with its first entry. Fails where there is one.
    pub fn create(dir: &Path, stamp: &Stamp, opened: Event) -> Result<(Self, Entry), JournalError> {
        let path = dir.join(FILE_NAME);
        let mut state = IncidentState::default();
        let entry = compose(&state, stamp, opened, &chain::origin());
        state.apply(&entry)?;
        let line = line_of(&entry, &path)?;
        crate::durable::write_new(&path, &line, 0o600).map_err(io_error("create", &path))?;
        let file = open_file(&path)?;
        let head = chain::digest_of_line(&line);
        Ok((Self { file, path, state, head, end: line.len() as u64, poisoned: false, driving: None }, entry))
    }

    /// Opens the journal in `dir`, checks its whole chain and folds it. A torn last line is left for the next append.
    pub fn open(dir: &Path) -> Result<(Self, Vec<Entry>), JournalError> {
        let path = dir.join(FILE_NAME);
        let mut journal = Self {
            file: open_file(&path)?,
            path,
            state: IncidentState::default(),
            head: chain::origin(),
            end: 0,
            poisoned: false,
            driving: None,
        };
        let (entries, _torn) = journal.catch_up()?;
        Ok((journal, entries))
    }

    /// Reads what has been appended since, by whomever. Returns the new entries.
    pub fn refresh(&mut self) -> Result<Vec<Entry>, JournalError> {
        Ok(self.catch_up()?.0)
    }

    /// What the entries say, as far as they have been read.
    pub const fn state(&self) -> &IncidentState {
        &self.state
    }

    /// Digest of the last line: publish it, and nobody can shorten the journal unseen.
    pub const fn head(&self) -> &Digest {
        &self.head
    }

    /// Makes one event durable. Returns every entry that is new to this process, the last being the one asked for.
    pub fn append(&mut self, stamp: &Stamp, event: Event) -> Result<Vec<Entry>, JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        self.file.lock().map_err(io_error("lock", &self.path))?;
        let appended = self.append_locked(stamp, event);
        let unlocked = self.file.unlock().map_err(io_error("unlock", &self.path));
        let appended = appended?;
        unlocked?;
        Ok(appended)
    }

    /// Takes the incident up by `taken`. From then on this journal writes nothing any more once another process has done the
    /// same: two that drive at once would send twice.
    pub fn drive(&mut self, stamp: &Stamp, taken: Event) -> Result<Vec<Entry>, JournalError> {
        let entries = self.append(stamp, taken)?;
        self.driving = Some(self.state.driver);
        Ok(entries)
    }

    /// Records the intent to send, and only then hands out the warrant for exactly that call.
    ///
    /// The fold refuses an intent without consent to what was shown, or beside an open one.
    pub fn intend(
        &mut self,
        stamp: &Stamp,
        effect: &Effect,
        attempt: u32,
        world: &World,
    ) -> Result<(Vec<Entry>, Warrant), JournalError> {
        let call = effect.call.digest();
        crash_point("before-intent");
        let entries =
            self.append(stamp, Event::Intended { effect: effect.key.clone(), attempt, call: call.clone() })?;
        crash_point("after-intent");
        Ok((entries, Warrant::new(EffectKey::clone(&effect.key), attempt, call, world.clone())))
    }

    /// Records the intent to hand a sealed secret to a sink, and only then hands out the warrant for exactly that delivery.
    /// `to` says where it goes, masked.
    ///
    /// The fold refuses an intent for what is not sealed, or beside an open one.
    pub fn intend_delivery(
        &mut self,
        stamp: &Stamp,
        delivery: &Delivery,
        to: String,
        world: &World,
    ) -> Result<(Vec<Entry>, Warrant), JournalError> {
        let (call, sink) = (delivery.digest(), delivery.sink.clone());
        let SealedId { run, effect, attempt } = delivery.secret.clone();
        let stamp = Stamp { run: Some(run), ..stamp.clone() };
        crash_point("before-intent");
        let intended = Event::DeliveryIntended { effect: effect.clone(), attempt, sink, to, call: call.clone() };
        let entries = self.append(&stamp, intended)?;
        crash_point("after-intent");
        Ok((entries, Warrant::new(effect, attempt, call, world.clone())))
    }

    fn append_locked(&mut self, stamp: &Stamp, event: Event) -> Result<Vec<Entry>, JournalError> {
        let (mut entries, torn) = self.catch_up()?;
        if self.driving.is_some_and(|mine| mine != self.state.driver) {
            return Err(taken_over(&entries));
        }
        if let Some(torn) = torn {
            self.file.set_len(self.end).map_err(io_error("cut the torn line off", &self.path))?;
            let stamp = Stamp { run: None, path: None, ..stamp.clone() };
            let note = Event::TornTail { bytes: torn.len() as u64, sha256: Digest::of(&torn) };
            entries.push(self.write(&stamp, note)?);
        }
        entries.push(self.write(stamp, event)?);
        Ok(entries)
    }

    /// Reads what other processes have appended. Returns the entries, and a torn last line if there is one.
    fn catch_up(&mut self) -> Result<(Vec<Entry>, Option<Vec<u8>>), JournalError> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(self.end)).map_err(io_error("read", &self.path))?;
        self.file.read_to_end(&mut bytes).map_err(io_error("read", &self.path))?;
        let mut entries = Vec::new();
        let mut torn = None;
        for line in chain::lines(&bytes) {
            match line {
                Line::Whole(line) => {
                    let entry = chain::read(line, &self.head)
                        .map_err(|fault| fault.into_error(&self.path, self.state.seq + 1))?;
                    self.state.apply(&entry).map_err(|illegal| JournalError::Damaged {
                        path: self.path.clone(),
                        what: illegal.to_string(),
                    })?;
                    self.head = Digest::of(line);
                    self.end += line.len() as u64 + 1;
                    entries.push(entry);
                }
                Line::Torn(rest) => torn = Some(rest.to_vec()),
                Line::Foreign(rest) => {
                    let what = format!("{} bytes after the last line end are no beginning of an entry", rest.len());
                    return Err(JournalError::Damaged { path: self.path.clone(), what });
                }
            }
        }
        Ok((entries, torn))
    }

    fn write(&mut self, stamp: &Stamp, event: Event) -> Result<Entry, JournalError> {
        let entry = compose(&self.state, stamp, event, &self.head);
        let line = line_of(&entry, &self.path)?;
        self.state.apply(&entry)?;
        // From here a failure leaves it open whether the line is on disk.
        self.poisoned = true;
        self.file.seek(SeekFrom::Start(self.end)).map_err(io_error("write", &self.path))?;
        if let Err(source) = self.file.write_all(&line).and_then(|()| self.file.sync_data()) {
            // Best effort: take a partial line back, so that a full disk leaves a whole journal behind.
            let _ = self.file.set_len(self.end);
            return Err(JournalError::Io { doing: "write", path: self.path.clone(), source });
        }
        self.poisoned = false;
        self.head = chain::digest_of_line(&line);
        self.end += line.len() as u64;
        crash_point("after-append");
        Ok(entry)
    }
}

/// Who has taken over, by the entries that came meanwhile.
fn taken_over(entries: &[Entry]) -> JournalError {
    let by = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::DriverTaken { machine, pid, .. } => Some((machine.clone(), *pid)),
        _ => None,
    });
    let (machine, pid) = by.unwrap_or_else(|| ("another machine".to_owned(), 0));
    JournalError::TakenOver { machine, pid }
}

fn compose(state: &IncidentState, stamp: &Stamp, event: Event, prev: &Digest) -> Entry {
    Entry {
        v: FORMAT,
        seq: state.seq + 1,
        at: to_millisecond(stamp.at),
        by: stamp.by.clone(),
        role: stamp.role,
        run: stamp.run.clone(),
        path: stamp.path.clone(),
        prev: prev.clone(),
        event,
    }
}

/// Finer digits would not survive every store that the journal may be copied to.
fn to_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

fn line_of(entry: &Entry, path: &Path) -> Result<Vec<u8>, JournalError> {
    let mut line = serde_json::to_vec(entry).map_err(|source| io_error("write", path)(source.into()))?;
    line.push(b'\n');
    Ok(line)
}

fn open_file(path: &Path) -> Result<File, JournalError> {
    let open = OpenOptions::new().read(true).write(true).open(path);
    open.or_else(|denied| match denied.kind() {
        // A copied, read-only incident can still be looked at; the first append then fails.
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => fs::File::open(path),
        _ => Err(denied),
    })
    .map_err(io_error("open", path))
}

pub(super) fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { doing, path, source }
}
