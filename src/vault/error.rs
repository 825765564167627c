use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::lock::KeyKind;
use crate::model::SealedId;

/// Why a vault did not do as asked. Never says anything of a secret.
#[derive(Debug, Error)]
pub enum VaultError {
    /// The vault could not be written or read: disk full, no permission.
    #[error("failed to {doing} `{}`", path.display())]
    Io {
        /// What was being done, in the infinitive.
        doing: &'static str,
        /// To which file or directory.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The incident has a vault already.
    #[error("there is a vault already at `{}`", .0.display())]
    Exists(PathBuf),
    /// A lock without a passphrase.
    #[error("an empty passphrase locks nothing")]
    EmptyPassphrase,
    /// A lock without recipients.
    #[error("no recipient was named")]
    NoRecipients,
    /// A recipient that is none.
    #[error("recipient {position} is not an age public key (`age1…`)")]
    Recipient {
        /// Which of those given, from 1.
        position: usize,
    },
    /// The vault takes another kind of key.
    #[error("this vault is opened with {0}")]
    OtherKey(KeyKind),
    /// A wrong passphrase.
    #[error("the passphrase does not open this vault")]
    WrongPassphrase,
    /// An identity file of somebody else.
    #[error("no identity in the file opens this vault")]
    WrongIdentity,
    /// An identity file that is none; the source names the line and does not quote it.
    #[error("the identity file cannot be read")]
    IdentityFile(#[source] io::Error),
    /// The private half opens, but does not belong to the public one: one of the two was replaced.
    #[error("the two halves of the key in `{}` do not belong together", .0.display())]
    Halves(PathBuf),
    /// Damaged, altered, or sealed to another vault.
    #[error("`{}` is damaged or was altered", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: age::DecryptError,
    },
    /// It can be opened, but is not what it should be.
    #[error("`{}` {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What it is, as a predicate.
        why: &'static str,
    },
    /// Sealing itself failed.
    #[error("failed to seal")]
    Seal(#[from] age::EncryptError),
    /// A sealed answer is never overwritten.
    #[error("the answer to {0} is sealed already")]
    AlreadySealed(SealedId),
    /// There is no answer to open.
    #[error("no answer to {0} is sealed")]
    NotSealed(SealedId),
    /// A run or a key that cannot be part of a file name; quell makes none such.
    #[error("run {:?} with effect key {:?} cannot name a file", .0.run.as_str(), .0.effect.as_str())]
    Name(SealedId),
}

impl VaultError {
    /// For `map_err`: says what was being done to which path.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}
