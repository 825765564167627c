use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::model::{CredentialFacts, Digest};

/// The file is another one after so many seconds: the window of the documented limit, so that two files hold it.
const SPAN: i64 = 300;

/// A request reaches the server a little later than it is sent.
const ON_THE_WAY: SignedDuration = SignedDuration::from_secs(1);

/// When requests of one credential went, on disk, so that the next process knows what this one has spent of the rate
/// limit, however it ends.
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
        Self { dir: dir.to_owned(), name, telling: Telling::Unknown(Vec::new()), file: None }
    }

    /// When requests went that may count against the present window, of all processes before.
    ///
    /// What a clock that was set back makes come from the future is taken to be of now: it is counted, and not for ever.
    pub(super) fn recall(&mut self, now: Timestamp) -> Vec<Timestamp> {
        let (mut recalled, mut moved) = (Vec::new(), 0);
        for (span, path) in self.files() {
            let is_old = span < span_of(now) - 1;
            let text = if is_old { String::new() } else { fs::read_to_string(&path).unwrap_or_default() };
            let times = text.lines().filter_map(|line| Timestamp::from_millisecond(line.parse().ok()?).ok());
            let times = times
                .map(|at| now.min(at.checked_add(ON_THE_WAY).unwrap_or(at)))
                .filter(|at| now.duration_since(*at).as_secs() < SPAN);
            let before = recalled.len();
            recalled.extend(times);
            let is_ahead = span > span_of(now);
            moved += if is_ahead { recalled.len() - before } else { 0 };
            if is_old || is_ahead {
                // Another process may have been faster.
                let _ = fs::remove_file(&path);
            }
        }
        for _ in 0..moved {
            self.write(now);
        }
        recalled
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
            Ok(file) => self.file = Some((span, file)),
            Err(error) => {
                tracing::warn!(%error, "what is spent of the rate limit cannot be written down");
                // It would say so with every request.
                self.telling = Telling::It;
            }
        }
    }

    fn open(&self, span: i64) -> io::Result<File> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        let path = self.dir.join(format!("{}-{span}", self.name));
        OpenOptions::new().create(true).append(true).mode(0o600).open(path)
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
