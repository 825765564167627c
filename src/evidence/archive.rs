use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::naming;
use crate::model::Digest;

/// The evidence of one incident, to read and to check. Never writes, and needs no key.
#[derive(Debug, Clone)]
pub struct Archive {
    dir: PathBuf,
}

impl Archive {
    /// The evidence at `dir`, which need not exist.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The stored bytes; an error of kind [`io::ErrorKind::InvalidData`] where they are no longer those of the digest.
    pub fn read(&self, sha256: &Digest) -> io::Result<Vec<u8>> {
        let path = self.path(sha256)?;
        let bytes = fs::read(&path).map_err(|error| naming(&path, &error))?;
        if Digest::of(&bytes) != *sha256 {
            let what = format!("`{}` was altered: its bytes are not those it is named after", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(bytes)
    }

    /// Checks that every piece that is named is there and is what it was.
    pub fn check(&self, named: &[Digest]) -> Audit {
        let distinct: BTreeSet<_> = named.iter().collect();
        let mut audit = Audit { checked: distinct.len(), ..Audit::default() };
        for sha256 in distinct {
            match self.read(sha256) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidData => audit.altered.push(sha256.clone()),
                Err(_) => audit.missing.push(sha256.clone()),
            }
        }
        audit
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A digest may come from a journal that was tampered with, so it is not trusted to be a file name.
    pub(super) fn path(&self, sha256: &Digest) -> io::Result<PathBuf> {
        match Digest::parse(sha256.as_str()) {
            Some(well_formed) => Ok(self.dir.join(well_formed.as_str())),
            None => Err(io::Error::new(io::ErrorKind::InvalidInput, "evidence is named by what is not a SHA-256")),
        }
    }
}

/// What [`Archive::check`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// How many distinct pieces were looked for.
    pub checked: usize,
    /// Those that are not there, or cannot be read.
    pub missing: Vec<Digest>,
    /// Those whose bytes are no longer those of the digest.
    pub altered: Vec<Digest>,
}
