//! What was seen, kept so that it can be shown to be what was seen.
//!
//! Each piece lies as `evidence/<sha256>` in the incident's directory, read-only, named by the digest of the bytes in
//! it: `cd evidence && sha256sum *` prints each name beside itself. Answers are masked before they are digested, so
//! the digest is that of what can be shown to others.

mod archive;
mod masking;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::durable;
use crate::model::{Digest, EvidenceRef};
use crate::secret::Redactor;

pub use archive::{Archive, Audit};

/// The largest proof file that is taken: 64 MiB.
pub const MAX_PROOF_FILE: u64 = 64 << 20;

/// Where answers are kept.
pub trait EvidenceSink: Send + Sync {
    /// Keeps `bytes`, masked, and names them. `source` (masked too) is the request that they answer, `at` the time of
    /// the answer. JSON stays JSON.
    fn keep(&self, source: &str, bytes: &[u8], at: Timestamp) -> io::Result<EvidenceRef>;

    /// Where files that belong together lie, such as a snapshot: the same directory whenever it is asked for by this
    /// name, which may not be there yet. `None` where nothing is kept.
    fn shelf(&self, _name: &str) -> Option<PathBuf> {
        None
    }
}

/// The evidence of one incident. What it returns a reference to outlasts a power cut.
#[derive(Debug, Clone)]
pub struct EvidenceStore {
    archive: Archive,
    redactor: Arc<Redactor>,
    shelves: Option<PathBuf>,
}

impl EvidenceStore {
    /// The store at `dir`, which is made when something is kept for the first time.
    pub fn new(dir: impl Into<PathBuf>, redactor: Arc<Redactor>) -> Self {
        Self { archive: Archive::new(dir), redactor, shelves: None }
    }

    /// The same, with a place for files that belong together: each shelf is a directory in `dir`.
    #[must_use]
    pub fn with_shelves(self, dir: impl Into<PathBuf>) -> Self {
        Self { shelves: Some(dir.into()), ..self }
    }

    /// [`Archive::read`].
    pub fn read(&self, sha256: &Digest) -> io::Result<Vec<u8>> {
        self.archive.read(sha256)
    }

    /// Keeps a file that a person hands in as proof, such as a screenshot, of at most [`MAX_PROOF_FILE`] bytes.
    ///
    /// It is kept byte for byte, NOT masked: it is the person's own choice, and a masked image or export would prove
    /// nothing. Only the path, which becomes the source, is masked.
    pub fn keep_file(&self, path: &Path, at: Timestamp) -> io::Result<EvidenceRef> {
        // Asked before opening: opening a named pipe would wait for somebody to write into it.
        if !fs::metadata(path).map_err(|error| naming(path, &error))?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` is not a file", path.display())));
        }
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MAX_PROOF_FILE + 1).read_to_end(&mut bytes))
            .map_err(|error| naming(path, &error))?;
        if bytes.len() as u64 > MAX_PROOF_FILE {
            let what = format!("`{}` is larger than {} MiB", path.display(), MAX_PROOF_FILE >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        self.store(reference(&self.redactor, &path.display().to_string(), &bytes, at), &bytes)
    }

    fn store(&self, kept: EvidenceRef, bytes: &[u8]) -> io::Result<EvidenceRef> {
        let dir = self.archive.dir();
        match durable::create_dir(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(naming(dir, &error)),
            _ => {}
        }
        let path = self.archive.path(&kept.sha256)?;
        match durable::write_new(&path, bytes, 0o400) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.read(&kept.sha256)?;
                // Whoever wrote it may not have got as far as making its name durable.
                durable::sync_dir(dir)
            }
            written => written,
        }
        .map_err(|error| naming(&path, &error))?;
        Ok(kept)
    }
}

impl EvidenceSink for EvidenceStore {
    fn keep(&self, source: &str, bytes: &[u8], at: Timestamp) -> io::Result<EvidenceRef> {
        let masked = masking::masked(&self.redactor, bytes);
        self.store(reference(&self.redactor, source, &masked, at), &masked)
    }

    fn shelf(&self, name: &str) -> Option<PathBuf> {
        self.shelves.as_ref().map(|shelves| shelves.join(name))
    }
}

/// For a dry run: names what would be kept, and writes nothing.
#[derive(Debug, Clone)]
pub struct Unkept {
    redactor: Arc<Redactor>,
}

impl Unkept {
    /// A sink that masks like a store with this redactor, so that the references are the same.
    pub fn new(redactor: Arc<Redactor>) -> Self {
        Self { redactor }
    }
}

impl EvidenceSink for Unkept {
    fn keep(&self, source: &str, bytes: &[u8], at: Timestamp) -> io::Result<EvidenceRef> {
        Ok(reference(&self.redactor, source, &masking::masked(&self.redactor, bytes), at))
    }
}

fn reference(redactor: &Redactor, source: &str, stored: &[u8], at: Timestamp) -> EvidenceRef {
    let source = redactor.redact(source).into_owned();
    EvidenceRef { sha256: Digest::of(stored), bytes: stored.len() as u64, source, at }
}

/// The operating system's errors do not say which file.
fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests;
