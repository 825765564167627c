//! A baseline on disk, read item by item.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::SnapshotError;
use super::line::{Head, Rank};
use super::manifest::{Manifest, SCHEMA};
use super::{MANIFEST, PARTIAL, file_name};
use crate::escape;
use crate::hunt::Item;
use crate::model::Digest;

/// A baseline on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    dir: PathBuf,
    manifest: Manifest,
}

impl Snapshot {
    /// Opens the baseline in `dir`. What lies there of a capture that was interrupted is another one, which is opened
    /// by [`Snapshot::unfinished`].
    ///
    /// # Errors
    /// There is none, or its manifest cannot be read.
    pub fn open(dir: &Path) -> Result<Self, SnapshotError> {
        let path = dir.join(MANIFEST);
        let bytes = match fs::read(&path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                let is_unfinished = dir.join(PARTIAL).is_dir();
                return Err(if is_unfinished {
                    SnapshotError::Unfinished(dir.to_owned())
                } else {
                    SnapshotError::Missing(dir.to_owned())
                });
            }
            read => read.map_err(SnapshotError::at(&path))?,
        };
        let not = |why: &dyn std::fmt::Display| SnapshotError::NotManifest { path: path.clone(), why: why.to_string() };
        let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| not(&error))?;
        match value["schema"].as_str() {
            Some(SCHEMA) => {}
            Some(other) => return Err(SnapshotError::Foreign { path, schema: other.to_owned() }),
            None => return Err(not(&"it names no `schema`")),
        }
        let manifest: Manifest = serde_json::from_value(value).map_err(|error| not(&error))?;
        // Names become names of files; one that leads elsewhere is nothing that quell wrote.
        let is_name =
            |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if let Some(name) = manifest.families.keys().find(|name| !is_name(name)) {
            return Err(not(&format_args!("`{}` is no name of a family", escape::terminal(name))));
        }
        Ok(Self { dir: dir.to_owned(), manifest })
    }

    /// Opens what a capture into `dir` that was interrupted has read so far. `None` where there is none, or where it was
    /// killed before it could write it down.
    pub fn unfinished(dir: &Path) -> Option<Self> {
        Self::open(&dir.join(PARTIAL)).ok()
    }

    /// Where it lies.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What it holds, and what it does not.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The items of a family, in order of their seats and keys. A family that is not held has none.
    ///
    /// # Errors
    /// Its file cannot be opened.
    pub fn items(&self, family: &str) -> Result<Items, SnapshotError> {
        self.lines(family).map(Items)
    }

    /// Holds every file against the manifest.
    ///
    /// # Errors
    /// The first that is not as the manifest says.
    pub fn verify(&self) -> Result<(), SnapshotError> {
        for (family, held) in &self.manifest.families {
            let path = self.dir.join(file_name(family));
            let altered = |error: io::Error| match error.kind() {
                ErrorKind::NotFound => SnapshotError::Altered(path.clone()),
                _ => SnapshotError::at(&path)(error),
            };
            let file = File::open(&path).map_err(altered)?;
            if Digest::of_all(file).map_err(altered)? != held.sha256 {
                return Err(SnapshotError::Altered(path));
            }
        }
        Ok(())
    }

    pub(in crate::hunt) fn lines(&self, family: &str) -> Result<Lines, SnapshotError> {
        let path = self.dir.join(file_name(family));
        let Some(held) = self.manifest.families.get(family) else { return Ok(Lines::none(path)) };
        let file = File::open(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => SnapshotError::Altered(path.clone()),
            _ => SnapshotError::at(&path)(error),
        })?;
        let source = Checked { file, hasher: Sha256::new() };
        let expected = Some(held.sha256.clone());
        Ok(Lines { source: Some(BufReader::with_capacity(256 << 10, source)), expected, ..Lines::none(path) })
    }
}

/// The items of a family.
#[derive(Debug)]
pub struct Items(Lines);

impl Iterator for Items {
    type Item = Result<Item, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0.advance() {
            Ok(true) => Some(self.0.item()),
            Ok(false) => None,
            Err(error) => {
                self.0.source = None;
                Some(Err(error))
            }
        }
    }
}

/// Lines of a file, one at a time; at the end the file is held against its digest.
#[derive(Debug)]
pub(in crate::hunt) struct Lines {
    path: PathBuf,
    source: Option<BufReader<Checked>>,
    expected: Option<Digest>,
    line: Vec<u8>,
    number: u64,
    rank: Option<Rank>,
}

#[derive(Debug)]
struct Checked {
    file: File,
    hasher: Sha256,
}

impl Read for Checked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.hasher.update(&into[..read]);
        Ok(read)
    }
}

impl Lines {
    const fn none(path: PathBuf) -> Self {
        Self { path, source: None, expected: None, line: Vec::new(), number: 0, rank: None }
    }

    /// Goes on to the next line; false at the end.
    pub(in crate::hunt) fn advance(&mut self) -> Result<bool, SnapshotError> {
        self.line.clear();
        self.rank = None;
        let Some(source) = &mut self.source else { return Ok(false) };
        let read = source.read_until(b'\n', &mut self.line).map_err(SnapshotError::at(&self.path))?;
        if read == 0 {
            let digest = self.source.take().map(|source| source.into_inner().hasher.finalize());
            let is_whole = digest.map(hex::encode).as_deref() == self.expected.as_ref().map(Digest::as_str);
            return if is_whole { Ok(false) } else { Err(SnapshotError::Altered(self.path.clone())) };
        }
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        }
        self.number += 1;
        Ok(true)
    }

    /// The line, empty where there is none.
    pub(in crate::hunt) fn line(&self) -> &[u8] {
        &self.line
    }

    /// Where the line stands.
    pub(in crate::hunt) fn rank(&mut self) -> Result<&Rank, SnapshotError> {
        let rank = match self.rank.take() {
            Some(rank) => rank,
            None => Head::read(&self.line).map_err(|error| self.wrong(&error))?.rank(),
        };
        Ok(self.rank.insert(rank))
    }

    /// The item that the line is.
    pub(in crate::hunt) fn item(&self) -> Result<Item, SnapshotError> {
        serde_json::from_slice(&self.line).map_err(|error| self.wrong(&error))
    }

    fn wrong(&self, why: &serde_json::Error) -> SnapshotError {
        SnapshotError::NotItem { path: self.path.clone(), line: self.number, why: why.to_string() }
    }
}
