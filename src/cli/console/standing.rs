use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Style, Timers, left_text};
use crate::journal::{IncidentState, Journal, RunState};

/// What is left of a run and in which state, and its clocks, for prompts to show. It is read from the journal when it is
/// asked for, so that what others write down meanwhile counts as well.
#[derive(Debug, Clone, Default)]
pub struct Standing(Arc<Mutex<Option<Reader>>>);

/// The journal of an incident, read as far as it has been needed.
#[derive(Debug)]
struct Reader {
    dir: PathBuf,
    journal: Option<Journal>,
}

impl Standing {
    /// Reads the journal in `dir` from now on.
    pub(super) fn follow(&self, dir: &Path) {
        let reader = Reader { dir: dir.to_owned(), journal: None };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reader);
    }

    /// The clocks of the run, where there are any.
    pub fn timers(&self) -> Option<Timers> {
        self.read(|run, state| Timers::of(run, &state.notes))
    }

    /// What the run did, what is in doubt, and what it did not do, as it would be left now.
    pub fn text(&self, style: &Style) -> String {
        self.read(|run, _| left_text(run, style)).unwrap_or_default()
    }

    /// What the journal says now; `None` where it cannot be read: the run itself ends for that at its next entry.
    fn read<T>(&self, look: impl FnOnce(&RunState, &IncidentState) -> T) -> Option<T> {
        let mut reader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Reader { dir, journal } = reader.as_mut()?;
        let journal = match journal {
            Some(journal) => {
                journal.refresh().ok()?;
                journal
            }
            None => journal.insert(Journal::open(dir).ok()?.0),
        };
        let state = journal.state();
        Some(look(state.latest_run()?, state))
    }
}
