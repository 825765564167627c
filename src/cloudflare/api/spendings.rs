use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::model::{CredentialFacts, Digest};

/// The file is another one after so many seconds: the window of the documented limit, so that two files hold it.
const SPAN: i64 = 300;

/// A request reaches the server a little later than it is sent.
const ON_THE_WAY: SignedDuration = SignedDuration::from_secs(1);

/// When requests of one credential went, on disk, so that the next process, and one beside this one, knows what this one
/// has spent of the rate limit, however it ends.
///
/// Kept only where the API does not tell what is left: where it does, the first answer tells the next process more, namely
/// also what others have spent. The files hold times and nothing else, a line each; their names are a digest of the host
/// and of what the credential is called there, and a number that goes up every five minutes. What is older than the window
/// is deleted by the next process. A disk that takes nothing costs the memory, and not the request.
#[derive(Debug)]
pub(super) struct Spendings {
    dir: PathBuf,
    name: String,
    telling: Telling,
    file: Option<(i64, File)>,
    /// The files as far as they are read, by their numbers.
    tails: BTreeMap<i64, Tail>,
    /// What this process wrote and has not read again: it is no request of another.
    own: Vec<i64>,
}

/// A file to which every process of the credential adds lines.
#[derive(Debug)]
struct Tail {
    file: File,
    /// A line of which the end was not there yet.
    torn: String,
}

/// Whether the API tells what is left.
#[derive(Debug)]
enum Telling {
    /// Nobody has answered yet; what went until then.
    Unknown(Vec<Timestamp>),
    It,
    Nothing,
}

impl Spendings {
    /// Those of this credential at this host, in `dir`. Nothing is read or made yet.
    pub(super) fn of(dir: &Path, host: &str, credential: &CredentialFacts) -> Self {
        let who = credential.id.as_deref().or(credential.owner.as_deref()).unwrap_or_default();
        let name = Digest::of(format!("{host}\n{:?}\n{who}", credential.kind).as_bytes());
        let name = name.as_str().chars().filter(char::is_ascii_hexdigit).take(32).collect();
        Self {
            dir: dir.to_owned(),
            name,
            telling: Telling::Unknown(Vec::new()),
            file: None,
            tails: BTreeMap::new(),
            own: Vec::new(),
        }
    }

    /// When requests went that may count against the present window, of all processes before.
    ///
    /// What a clock that was set back makes come from the future is taken to be of now: it is counted, and not for ever.
    pub(super) fn recall(&mut self, now: Timestamp) -> Vec<Timestamp> {
        let (mut recalled, mut moved) = (Vec::new(), 0);
        for (span, path) in self.files() {
            let is_old = span < span_of(now) - 1;
            let is_ahead = span > span_of(now);
            let before = recalled.len();
            if !is_old {
                recalled.extend(self.added(span, now));
            }
            moved += if is_ahead { recalled.len() - before } else { 0 };
            if is_old || is_ahead {
                self.tails.remove(&span);
                // Another process may have been faster.
                let _ = fs::remove_file(&path);
            }
        }
        for _ in 0..moved {
            self.write(now);
        }
        recalled
    }

    /// When requests of other processes went since this was asked last. It is cheap: whatever they add is read once.
    pub(super) fn of_others(&mut self, now: Timestamp) -> Vec<Timestamp> {
        if matches!(self.telling, Telling::It) {
            return Vec::new();
        }
        let span = span_of(now);
        self.tails.retain(|of, _| *of >= span - 1);
        [span - 1, span].into_iter().flat_map(|span| self.added(span, now)).collect()
    }

    /// What others have added to a file since it was read last, as it counts now.
    fn added(&mut self, span: i64, now: Timestamp) -> Vec<Timestamp> {
        if !self.tails.contains_key(&span)
            && let Ok(file) = File::open(self.path(span))
        {
            self.tails.insert(span, Tail { file, torn: String::new() });
        }
        let Some(tail) = self.tails.get_mut(&span) else { return Vec::new() };
        let mut added = Vec::new();
        // What cannot be read is as if it were not there.
        let _ = tail.file.read_to_end(&mut added);
        tail.torn.push_str(&String::from_utf8_lossy(&added));
        let whole = tail.torn.rfind('\n').map_or(0, |end| end + 1);
        let lines: String = tail.torn.drain(..whole).collect();
        let mut times: Vec<i64> = lines.lines().filter_map(|line| line.parse().ok()).collect();
        times.retain(|time| match self.own.iter().position(|own| own == time) {
            Some(place) => {
                self.own.swap_remove(place);
                false
            }
            None => true,
        });
        let times = times.into_iter().filter_map(|time| Timestamp::from_millisecond(time).ok());
        let times = times.map(|at| now.min(at.checked_add(ON_THE_WAY).unwrap_or(at)));
        times.filter(|at| now.duration_since(*at).as_secs() < SPAN).collect()
    }

    /// A request goes.
    pub(super) fn went(&mut self, at: Timestamp) {
        match &mut self.telling {
            Telling::Unknown(times) => times.push(at),
            Telling::It => {}
            Telling::Nothing => self.write(at),
        }
    }

    /// An answer came that tells what is left, or does not.
    pub(super) fn heard(&mut self, tells: bool) {
        match (&mut self.telling, tells) {
            (_, true) => self.telling = Telling::It,
            (Telling::Unknown(times), false) => {
                let times = std::mem::take(times);
                self.telling = Telling::Nothing;
                times.into_iter().for_each(|at| self.write(at));
            }
            (Telling::It | Telling::Nothing, false) => {}
        }
    }

    /// The files of this credential, with their numbers.
    fn files(&self) -> Vec<(i64, PathBuf)> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let number = |name: &str| name.strip_prefix(&self.name)?.strip_prefix('-')?.parse().ok();
        entries.filter_map(|entry| Some((number(entry.file_name().to_str()?)?, entry.path()))).collect()
    }

    fn write(&mut self, at: Timestamp) {
        let span = span_of(at);
        let file = match self.file.take().filter(|(of, _)| *of == span) {
            Some((_, file)) => Ok(file),
            None => self.open(span),
        };
        // One short write each, so that what was spent is known also after a kill.
        let written = file.and_then(|mut file| {
            file.write_all(format!("{}\n", at.as_millisecond()).as_bytes())?;
            Ok(file)
        });
        match written {
            Ok(file) => {
                self.file = Some((span, file));
                self.own.push(at.as_millisecond());
            }
            Err(error) => {
                tracing::warn!(%error, "what is spent of the rate limit cannot be written down");
                // It would say so with every request.
                self.telling = Telling::It;
            }
        }
    }

    fn open(&self, span: i64) -> io::Result<File> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        OpenOptions::new().create(true).append(true).mode(0o600).open(self.path(span))
    }

    fn path(&self, span: i64) -> PathBuf {
        self.dir.join(format!("{}-{span}", self.name))
    }
}

fn span_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(SPAN)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::Spendings;
    use crate::model::{CredentialFacts, CredentialKind};

    const NOON: i64 = 1_795_694_400;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(NOON + second).unwrap()
    }

    fn of(dir: &std::path::Path, id: &str) -> Spendings {
        let id = Some(id.to_owned());
        let facts = CredentialFacts { kind: CredentialKind::UserToken, id, owner: None, expires: None };
        Spendings::of(dir, "api.example", &facts)
    }

    fn names(dir: &std::path::Path) -> usize {
        std::fs::read_dir(dir).unwrap().count()
    }

    #[test]
    fn what_one_process_spent_the_next_recalls_until_the_window_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let mut one = of(dir.path(), "a");
        one.went(at(0));
        assert_eq!(names(dir.path()), 0, "nobody has said yet that nothing is told");
        one.heard(false);
        one.went(at(290));
        one.went(at(310));
        let recalled = |id, now| {
            let mut times = of(dir.path(), id).recall(at(now));
            times.sort_unstable();
            times
        };
        let later = |second| at(second) + SignedDuration::from_secs(1);
        assert_eq!(recalled("a", 310), [later(290), at(310)]);
        assert_eq!(recalled("a", 299), [later(0), later(290), at(299)]);
        assert_eq!(recalled("b", 310), []);
        assert_eq!(recalled("a", 1300), []);
        assert_eq!(names(dir.path()), 0, "what is over is deleted");
    }

    #[test]
    fn what_another_process_spends_meanwhile_is_seen_once_and_ones_own_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (mut one, mut two) = (of(dir.path(), "a"), of(dir.path(), "a"));
        one.heard(false);
        two.heard(false);
        one.went(at(0));
        // In the same moment, and the one as often as the other.
        two.went(at(0));
        assert_eq!((one.of_others(at(0)), two.of_others(at(0))), (vec![at(0)], vec![at(0)]));
        assert_eq!((one.of_others(at(0)), two.of_others(at(0))), (vec![], vec![]));
        two.went(at(298));
        two.went(at(301));
        let later = |second| at(second) + SignedDuration::from_secs(1);
        assert_eq!((one.of_others(at(302)), two.of_others(at(302))), (vec![later(298), later(301)], vec![]));
        // A third one has the rest from the beginning, and only that once.
        let mut three = of(dir.path(), "a");
        assert_eq!(three.recall(at(302)).len(), 2);
        one.went(at(303));
        assert_eq!(three.of_others(at(303)), [at(303)]);
        one.heard(true);
        two.went(at(304));
        assert_eq!(one.of_others(at(305)), [], "the API tells");
    }

    #[test]
    fn nothing_is_kept_where_the_api_tells() {
        let dir = tempfile::tempdir().unwrap();
        let mut one = of(dir.path(), "a");
        one.went(at(0));
        one.heard(true);
        one.went(at(1));
        one.heard(false);
        one.went(at(2));
        assert_eq!(names(dir.path()), 0);
    }

    #[test]
    fn a_clock_that_was_set_back_costs_one_window_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let mut one = of(dir.path(), "a");
        one.heard(false);
        one.went(at(86_400));
        one.went(at(86_401));
        assert_eq!(of(dir.path(), "a").recall(at(0)), [at(0), at(0)]);
        assert_eq!(of(dir.path(), "a").recall(at(10)).len(), 2);
        assert_eq!(of(dir.path(), "a").recall(at(302)), []);
    }

    #[test]
    fn what_cannot_be_written_or_read_stops_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "x").unwrap();
        let mut one = of(&file, "a");
        one.heard(false);
        one.went(at(0));
        assert_eq!(one.recall(at(0)), []);
        let mut one = of(dir.path(), "a");
        one.heard(false);
        one.went(at(0));
        let kept = std::fs::read_dir(dir.path()).unwrap().flatten().find(|entry| entry.path() != file).unwrap();
        std::fs::write(kept.path(), "torn\n17956944\n\n").unwrap();
        assert_eq!(of(dir.path(), "a").recall(at(0)), []);
    }
}
