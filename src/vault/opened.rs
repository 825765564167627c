use std::fmt;
use std::fs;
use std::io;

use age::x25519;

use super::Vault;
use super::answer::{self, SealedAnswer};
use super::cipher;
use super::error::VaultError;
use super::files::SealedName;
use crate::model::SealedId;

/// A vault that was proven to open. Holds the private half, which is wiped from memory when this is dropped.
pub struct Opened {
    vault: Vault,
    identity: x25519::Identity,
}

impl Opened {
    pub(super) fn new(vault: Vault, identity: x25519::Identity) -> Self {
        Self { vault, identity }
    }

    /// The answer called `id`; [`VaultError::NotSealed`] where none was sealed.
    pub fn answer(&self, id: &SealedId) -> Result<SealedAnswer, VaultError> {
        self.open(&SealedName { id: id.clone(), path: self.vault.path(id)? })
    }

    /// The answer in the file that [`Vault::sealed`] found.
    pub fn open(&self, name: &SealedName) -> Result<SealedAnswer, VaultError> {
        let SealedName { id, path } = name;
        let sealed = fs::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => VaultError::NotSealed(id.clone()),
            _ => VaultError::io("read", path)(error),
        })?;
        let plain = cipher::decrypt(&[&self.identity], &sealed)
            .map_err(|source| VaultError::Damaged { path: path.clone(), source })?;
        answer::read(&plain, id).map_err(|why| VaultError::Unreadable { path: path.clone(), why })
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("vault", &self.vault).finish_non_exhaustive()
    }
}
