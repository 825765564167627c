//! Where an incident's files lie.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use uuid::Uuid;

use super::errors::CliError;
use super::exit::Exit;
use crate::journal::{self, Inspection};
use crate::model::{IncidentId, Profile, RunId};

/// The directory under which all incidents lie; rehearsals lie apart, in `rehearsals/`.
#[derive(Debug, Clone)]
pub(crate) struct StateDir(PathBuf);

/// One incident's directory.
#[derive(Debug, Clone)]
pub(crate) struct IncidentDir {
    /// The incident.
    pub(crate) id: IncidentId,
    /// Its directory.
    pub(crate) path: PathBuf,
}

impl StateDir {
    /// Takes this directory; it is made when something is written.
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Makes a directory for a new incident.
    pub(crate) fn begin(&self, now: Timestamp, rehearsal: bool) -> Result<IncidentDir, CliError> {
        let parent = if rehearsal { self.0.join("rehearsals") } else { self.0.clone() };
        let id = new_id(now);
        let path = parent.join(id.as_str());
        let made = make_private(&parent)
            .and_then(|()| make_private(&path))
            .and_then(|()| make_private(&path.join("evidence")));
        made.map_err(|error| {
            CliError::new(Exit::Usage, "state_dir", format!("cannot make the incident's directory {}", path.display()))
                .because(&error)
                .hint("name a writable directory with `--state-dir` or `QUELL_STATE_DIR`")
        })?;
        Ok(IncidentDir { id, path })
    }

    /// Where what is spent of a rate limit is kept that nobody tells.
    pub(crate) fn spendings(&self) -> PathBuf {
        self.0.join("spent")
    }

    /// Every incident, oldest first.
    pub(crate) fn incidents(&self) -> Vec<IncidentDir> {
        let mut found: Vec<IncidentDir> = [self.0.clone(), self.0.join("rehearsals")]
            .iter()
            .filter_map(|parent| fs::read_dir(parent).ok())
            .flatten()
            .filter_map(Result::ok)
            .filter(|entry| entry.path().join(journal::FILE_NAME).is_file())
            .map(|entry| IncidentDir { id: IncidentId::new(entry.file_name().to_string_lossy()), path: entry.path() })
            .collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        found
    }

    /// The incident whose id begins with `wanted`, or that lies at the path `wanted`; without one the newest that is open.
    pub(crate) fn find(&self, wanted: Option<&str>) -> Result<IncidentDir, CliError> {
        let Some(wanted) = wanted else { return self.newest_open() };
        let as_path = Path::new(wanted);
        if as_path.join(journal::FILE_NAME).is_file() {
            let name = as_path
                .canonicalize()
                .ok()
                .and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
            return Ok(IncidentDir { id: IncidentId::new(name.unwrap_or_default()), path: as_path.to_owned() });
        }
        let all = self.incidents();
        let mut matching: Vec<_> =
            all.into_iter().filter(|incident| incident.id.as_str().starts_with(wanted)).collect();
        match (matching.pop(), matching.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(last), false) => {
                let ids: Vec<_> = matching.iter().chain([&last]).map(|incident| incident.id.as_str()).collect();
                Err(CliError::new(
                    Exit::Usage,
                    "ambiguous_incident",
                    format!("`{wanted}` is the beginning of several incidents: {}", ids.join(", ")),
                ))
            }
            (None, _) => Err(CliError::new(
                Exit::Usage,
                "no_such_incident",
                format!("there is no incident `{wanted}` in {}", self.0.display()),
            )
            .hint("`quell incidents` lists them")),
        }
    }

    /// As [`StateDir::find`], for what only looks: with nothing open, the newest incident will do. Beside it a word
    /// about which was taken, where that does not go without saying.
    pub(crate) fn find_to_read(&self, wanted: Option<&str>) -> Result<(IncidentDir, Option<String>), CliError> {
        if wanted.is_some() {
            return Ok((self.find(wanted)?, None));
        }
        let all = self.incidents();
        let Some(newest) = all.last() else { return Err(self.nothing_open(None)) };
        match all.iter().rev().find(|incident| incident.is_open()) {
            Some(open) if open.id == newest.id => Ok((open.clone(), None)),
            Some(open) => {
                let told =
                    format!("incident {}, the newest that is open; the newest is {}", open.told(), newest.told());
                Ok((open.clone(), Some(told)))
            }
            None => Ok((newest.clone(), Some(format!("none is open, so this is the newest: {}", newest.told())))),
        }
    }

    fn newest_open(&self) -> Result<IncidentDir, CliError> {
        let all = self.incidents();
        let open = all.iter().rev().find(|incident| incident.is_open());
        open.cloned().ok_or_else(|| self.nothing_open(all.last()))
    }

    fn nothing_open(&self, newest: Option<&IncidentDir>) -> CliError {
        let newest = newest.map(|newest| format!("the newest is {}; ", newest.told())).unwrap_or_default();
        CliError::new(Exit::Usage, "no_open_incident", format!("there is no open incident in {}", self.0.display()))
            .hint(format!(
                "{newest}name one (`quell incidents` lists them), or begin with `quell rehearse` or `quell run RUNBOOK`"
            ))
    }
}

impl IncidentDir {
    /// Reads the journal without changing anything.
    pub(crate) fn inspect(&self) -> Result<Inspection, CliError> {
        Ok(journal::inspect(&self.path)?)
    }

    fn is_open(&self) -> bool {
        journal::inspect(&self.path).is_ok_and(|found| found.state.is_open())
    }

    /// Its id with its world and where it stands, e.g. `20261123-141200-k7qd (rehearsal of leaked-token, ended)`.
    fn told(&self) -> String {
        let Ok(found) = journal::inspect(&self.path) else { return format!("{} (unreadable)", self.id) };
        let standing = found.state.standing();
        let world = found.state.world.as_ref().map(|world| format!("{world}, ")).unwrap_or_default();
        format!("{} ({world}{standing})", self.id)
    }

    /// Where evidence lies.
    pub(crate) fn evidence(&self) -> PathBuf {
        self.path.join("evidence")
    }

    /// Where a run's snapshots lie: those of another run are evidence of another time.
    pub(crate) fn snapshots(&self, run: &RunId) -> PathBuf {
        self.path.join("snapshots").join(run.to_string())
    }

    /// Where sealed answers lie.
    pub(crate) fn vault(&self) -> PathBuf {
        self.path.join("vault")
    }

    /// The fixed plan of a run after so many amendments, with the runbook's text. Each has a file of its own: the one
    /// before is still what the earlier entries are held against.
    pub(crate) fn plan(&self, run: &RunId, amendments: usize) -> PathBuf {
        self.path.join(match amendments {
            0 => format!("plan-{run}.json"),
            more => format!("plan-{run}-{}.json", more + 1),
        })
    }

    /// The plan by which a run was consented to, as `quell plan` wrote it.
    pub(crate) fn approved(&self, run: &RunId) -> PathBuf {
        self.path.join(format!("approved-{run}.json"))
    }

    /// The post-mortem draft, by whom it is for: what people write into one is not in the other.
    pub(crate) fn report(&self, profile: Profile) -> PathBuf {
        self.path.join(match profile {
            Profile::Internal => "report.md",
            Profile::Public => "report-public.md",
        })
    }

    /// The simulated world of a rehearsal.
    pub(crate) fn world(&self) -> PathBuf {
        self.path.join("world")
    }

    /// The key of the fingerprints in masks; made at the first use.
    pub(crate) fn redaction_key(&self) -> Result<[u8; 32], CliError> {
        let path = self.path.join("redaction.key");
        let failed = |error: io::Error| {
            CliError::new(Exit::Journal, "redaction_key", format!("cannot use the redaction key {}", path.display()))
                .because(&error)
        };
        if let Ok(bytes) = fs::read(&path) {
            return bytes.try_into().map_err(|_| failed(io::ErrorKind::InvalidData.into()));
        }
        let mut key = [0; 32];
        key[..16].copy_from_slice(Uuid::new_v4().as_bytes());
        key[16..].copy_from_slice(Uuid::new_v4().as_bytes());
        crate::durable::write_new(&path, &key, 0o600).map_err(failed)?;
        Ok(key)
    }
}

/// `20261123-1412-k7qd`: sorts by time, and its end is random.
fn new_id(now: Timestamp) -> IncidentId {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
    let random = Uuid::new_v4();
    let tail: String = random.as_bytes()[..4].iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    IncidentId::new(format!("{}-{tail}", now.strftime("%Y%m%d-%H%M%S")))
}

fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}
