//! The requests that changed the world, kept in a folder so that a restart finds the same world.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const APPLIED: &str = "applied.jsonl";
const ORIGIN: &str = "world.json";

/// One applied request: all that is needed to apply it again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Applied {
    /// When it was applied, in the time of the world.
    pub at: Timestamp,
    /// Identifier of the credential that asked; never the secret.
    pub credential: String,
    /// The address that it came from, where it did not come over the wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The `User-Agent` it came with.
    pub agent: String,
    /// In capitals.
    pub method: String,
    /// Without the base prefix and the query.
    pub path: String,
    /// Still encoded.
    pub query: String,
    /// The body if it was JSON.
    pub body: Option<serde_json::Value>,
}

/// Where a world began.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Origin {
    scenario: String,
    anchor: Timestamp,
}

/// The open folder, or nothing for a world that lives in memory only.
#[derive(Debug)]
pub(crate) struct Store(Option<File>);

/// What a folder held.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Takes what is applied from now on.
    pub(crate) store: Store,
    /// The time that the scenario's relative times count from.
    pub(crate) anchor: Timestamp,
    /// To be replayed, in order.
    pub(crate) applied: Vec<Applied>,
}

impl Store {
    /// Opens the folder of a world of `scenario`, making it with the anchor `now` if it is new.
    pub(crate) fn open(dir: Option<&Path>, scenario: &str, now: Timestamp) -> io::Result<Stored> {
        let Some(dir) = dir else { return Ok(Stored { store: Self(None), anchor: now, applied: Vec::new() }) };
        crate::durable::create_dir(dir).or_else(|error| if dir.is_dir() { Ok(()) } else { Err(error) })?;
        let origin = origin(dir, scenario, now)?;
        let path = dir.join(APPLIED);
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let text = std::fs::read(&path)?;
        // A last line without its end was never answered, so it was never applied.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64)?;
        }
        let applied = text[..whole]
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).map_err(io::Error::from))
            .collect::<io::Result<_>>()?;
        File::open(dir)?.sync_all()?;
        Ok(Stored { store: Self(Some(file)), anchor: origin.anchor, applied })
    }

    /// Keeps one request; on return it is on disk.
    pub(super) fn append(&mut self, applied: &Applied) -> io::Result<()> {
        let Some(file) = &mut self.0 else { return Ok(()) };
        let mut line = serde_json::to_vec(applied)?;
        line.push(b'\n');
        file.write_all(&line)?;
        file.sync_data()
    }
}

fn origin(dir: &Path, scenario: &str, now: Timestamp) -> io::Result<Origin> {
    let path = dir.join(ORIGIN);
    match std::fs::read(&path) {
        Ok(text) => {
            let origin: Origin = serde_json::from_slice(&text)?;
            if origin.scenario == scenario {
                return Ok(origin);
            }
            let held = origin.scenario;
            Err(io::Error::new(io::ErrorKind::InvalidInput, format!("the folder holds a world of scenario `{held}`")))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let origin = Origin { scenario: scenario.to_owned(), anchor: now };
            let mut file = tempfile::NamedTempFile::new_in(dir)?;
            serde_json::to_writer(&mut file, &origin)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(origin)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_cut_and_the_anchor_stays() {
        let dir = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let applied = Applied {
            at: now,
            credential: "somebody".to_owned(),
            ip: None,
            agent: String::new(),
            method: "POST".to_owned(),
            path: "/things".to_owned(),
            query: String::new(),
            body: None,
        };
        let mut stored = Store::open(Some(dir.path()), "one", now).unwrap();
        stored.store.append(&applied).unwrap();
        let mut file = OpenOptions::new().append(true).open(dir.path().join(APPLIED)).unwrap();
        file.write_all(b"{\"at\":\"2026").unwrap();

        let mut stored = Store::open(Some(dir.path()), "one", Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((stored.anchor, stored.applied.len()), (now, 1));
        stored.store.append(&applied).unwrap();
        assert_eq!(Store::open(Some(dir.path()), "one", now).unwrap().applied.len(), 2);
        assert!(Store::open(Some(dir.path()), "other", now).is_err());
    }
}
