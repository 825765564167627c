//! Answers that hold a new secret, sealed before anybody reads them.
//!
//! Each incident has a vault with a key pair of its own:
//!
//! | file in `vault/` | holds |
//! |---|---|
//! | `recipient` | the public half: whoever runs the incident can seal |
//! | `identity.age` | the private half, wrapped to a passphrase or to each of several recipients, armored |
//! | `identity.rehearsal` | instead of it in a rehearsal: the private half in the clear |
//! | `<run>-<effect>-<attempt>.age` | one sealed answer |
//!
//! So sealing asks nobody for anything, and a run that was killed between the answer and its reading finds the answer
//! here. Everything is an ordinary age file: `age -d -i vault/identity.age vault/<run>-<effect>-<attempt>.age`
//! reads it without quell. The plain text is one line of JSON that says which answer it is, then the body, byte for byte.

mod answer;
mod cipher;
mod error;
mod files;
mod lock;
mod opened;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use age::x25519;

use crate::durable;
use crate::model::{Digest, SealedId};
use crate::secret::SecretBytes;

pub use answer::SealedAnswer;
pub use error::VaultError;
pub use files::SealedName;
pub use lock::{Key, KeyKind, Lock, is_recipient};
pub use opened::Opened;

use answer::Head;
use cipher::Format;

/// The side of a vault that needs no secret: it seals, and says what is sealed.
#[derive(Debug, Clone)]
pub struct Vault {
    dir: PathBuf,
    recipient: x25519::Recipient,
}

impl Vault {
    /// Makes a vault at `dir`, in the directory of the incident, with a fresh key pair, and locks it.
    ///
    /// It appears whole or not at all. An incident has one vault for good: [`VaultError::Exists`] where it has one.
    /// Follow with [`Vault::prove`] before anything is sealed into it.
    pub fn create(dir: &Path, lock: Lock) -> Result<Self, VaultError> {
        if dir.exists() {
            return Err(VaultError::Exists(dir.to_owned()));
        }
        let identity = x25519::Identity::generate();
        let recipient = identity.to_public();
        let (name, private_half) = lock.wrap(&identity)?;

        let public_half = format!("{recipient}\n");
        files::make(dir, &[(name, &private_half), (files::RECIPIENT, public_half.as_bytes())])
            .map_err(VaultError::io("make", dir))?;
        Ok(Self { dir: dir.to_owned(), recipient })
    }

    /// The vault at `dir`; `None` where none was made. Needs nothing to seal; opening is [`Vault::prove`].
    pub fn load(dir: &Path) -> Result<Option<Self>, VaultError> {
        let path = dir.join(files::RECIPIENT);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            // A vault that lost its public half is no absent one: answers may be sealed in it.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !dir.exists() => return Ok(None),
            Err(error) => return Err(VaultError::io("read", &path)(error)),
        };
        match text.trim_end().parse() {
            Ok(recipient) => Ok(Some(Self { dir: dir.to_owned(), recipient })),
            Err(_) => Err(VaultError::Unreadable { path, why: "is not an age public key" }),
        }
    }

    /// Seals one answer. When it returns, neither a crash nor a power cut loses the answer. Returns the digest of the
    /// sealed file.
    ///
    /// Never overwrites: [`VaultError::AlreadySealed`] where this attempt has an answer. After any other error nothing
    /// was sealed, and the caller may try again with the answer that it still holds.
    pub fn seal(
        &self,
        id: &SealedId,
        status: u16,
        request_id: Option<&str>,
        body: &SecretBytes,
    ) -> Result<Digest, VaultError> {
        let path = self.path(id)?;
        let head = Head::new(id, status, request_id).line();
        let sealed = cipher::encrypt(&[&self.recipient], Format::Binary, &[&head, body.expose()])?;
        durable::write_new(&path, &sealed, 0o600).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => VaultError::AlreadySealed(id.clone()),
            _ => VaultError::io("write", &path)(error),
        })?;
        Ok(Digest::of(&sealed))
    }

    /// Whether the answer called `id` was sealed: if so, it did arrive.
    ///
    /// False only where that is certain. Where it cannot be told, [`Opened::answer`] says why; taken for "no answer", it
    /// could lead to the call being made twice.
    pub fn holds(&self, id: &SealedId) -> bool {
        self.path(id).is_ok_and(|path| path.try_exists().unwrap_or(true))
    }

    /// What is sealed, ordered by run, effect and attempt.
    pub fn sealed(&self) -> Result<Vec<SealedName>, VaultError> {
        files::sealed(&self.dir).map_err(VaultError::io("list", &self.dir))
    }

    /// What opens this vault, so that the caller knows what to ask for.
    pub fn opened_by(&self) -> Result<KeyKind, VaultError> {
        lock::kind(&self.dir)
    }

    /// Opens the vault, and proves it: what is sealed to the public half comes back through the private one.
    ///
    /// A passphrase takes about a second of work by design.
    pub fn prove(&self, key: Key) -> Result<Opened, VaultError> {
        let identity = lock::unwrap(&self.dir, key)?;
        let probe: [u8; 32] = std::array::from_fn(|_| fastrand::u8(..));
        let sealed = cipher::encrypt(&[&self.recipient], Format::Binary, &[&probe])?;
        match cipher::decrypt(&[&identity], &sealed) {
            Ok(opened) if *opened == probe => Ok(Opened::new(self.clone(), identity)),
            _ => Err(VaultError::Halves(self.dir.clone())),
        }
    }

    /// What became of the sealed answer to an attempt in the vault at `dir`: its file is held against the digest that
    /// [`Vault::seal`] gave. Needs neither the public nor the private half.
    pub fn check(dir: &Path, id: &SealedId, sha256: &Digest) -> Kept {
        let read = files::name(id).map(|name| fs::read(dir.join(name)));
        match read {
            Some(Ok(bytes)) if Digest::of(&bytes) == *sha256 => Kept::Whole,
            Some(Ok(_)) => Kept::Altered,
            Some(Err(_)) | None => Kept::Missing,
        }
    }

    fn path(&self, id: &SealedId) -> Result<PathBuf, VaultError> {
        files::name(id).map(|name| self.dir.join(name)).ok_or_else(|| VaultError::Name(id.clone()))
    }
}

/// What became of a file since it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Its bytes are those of the digest.
    Whole,
    /// It is not there, or cannot be read.
    Missing,
    /// Its bytes are others.
    Altered,
}

#[cfg(test)]
mod tests;
