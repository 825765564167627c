use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use age::secrecy::{ExposeSecret, SecretString};
use age::{DecryptError, IdentityFile, scrypt, x25519};
use zeroize::Zeroizing;

use super::cipher::{self, Format};
use super::error::VaultError;
use super::files;
use crate::secret::Secret;

/// The most work, as a power of two, that is done to try a passphrase.
///
/// Wrapping takes what is about a second of work for the machine that wraps: 2^18 to 2^20 and as many KiB of memory.
/// Left alone, unwrapping would refuse more than 16 seconds of work by the measure of the machine that unwraps, so a
/// slow or busy one could not open what a fast one had locked. 22 is what the stock `age` accepts too; beyond it a
/// damaged or planted file could ask for tens of GiB of memory.
const MAX_WORK_FACTOR: u8 = 22;

/// How the private half of a vault is locked when it is made.
#[derive(Debug, Clone)]
pub enum Lock {
    /// Whoever knows the passphrase opens it.
    Passphrase(Secret),
    /// Whoever has the identity of any of these opens it: age public keys, `age1…`.
    Recipients(Vec<String>),
    /// Not locked: the private half lies beside in the clear. For rehearsals only, whose secrets are invented.
    Open,
}

/// What opens a vault.
#[derive(Debug, Clone)]
pub enum Key {
    /// The passphrase that it was locked with.
    Passphrase(Secret),
    /// The text of an age identity file (`AGE-SECRET-KEY-…` lines); one of them must be that of a recipient.
    IdentityFile(Secret),
    /// Nothing: for the vault of a rehearsal.
    Rehearsal,
}

/// Which [`Key`] a vault takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// [`Key::Passphrase`]
    Passphrase,
    /// [`Key::IdentityFile`]
    IdentityFile,
    /// [`Key::Rehearsal`]
    Rehearsal,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase => "a passphrase",
            Self::IdentityFile => "the identity file of a recipient",
            Self::Rehearsal => "nothing, since it is that of a rehearsal",
        })
    }
}

impl Lock {
    /// The file that holds the private half, and what is in it.
    pub(super) fn wrap(self, identity: &x25519::Identity) -> Result<(&'static str, Vec<u8>), VaultError> {
        let secret = identity.to_string();
        let lines: [&[u8]; 2] = [secret.expose_secret().as_bytes(), b"\n"];
        match self {
            Self::Passphrase(passphrase) if passphrase.expose().is_empty() => Err(VaultError::EmptyPassphrase),
            Self::Passphrase(passphrase) => {
                let recipient = scrypt::Recipient::new(SecretString::from(passphrase.expose()));
                Ok((files::IDENTITY, cipher::encrypt(&[&recipient], Format::AsciiArmor, &lines)?))
            }
            Self::Recipients(texts) => {
                let recipients = parse(&texts)?;
                let recipients: Vec<_> = recipients.iter().collect();
                Ok((files::IDENTITY, cipher::encrypt(&recipients, Format::AsciiArmor, &lines)?))
            }
            Self::Open => Ok((files::REHEARSAL, [b"# rehearsal only: not locked\n", lines[0], lines[1]].concat())),
        }
    }
}

/// Whether `text` can be one of [`Lock::Recipients`].
pub fn is_recipient(text: &str) -> bool {
    text.trim().parse::<x25519::Recipient>().is_ok()
}

fn parse(texts: &[String]) -> Result<Vec<x25519::Recipient>, VaultError> {
    if texts.is_empty() {
        return Err(VaultError::NoRecipients);
    }
    // Named by position, never quoted: what was given instead of a public key may be a private one.
    let numbered = texts.iter().zip(1..);
    numbered.map(|(text, position)| text.trim().parse().map_err(|_| VaultError::Recipient { position })).collect()
}

/// The private half as it lies in the vault.
struct Locked {
    kind: KeyKind,
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

/// What opens the vault in `dir`.
pub(super) fn kind(dir: &Path) -> Result<KeyKind, VaultError> {
    Ok(locked(dir)?.kind)
}

fn locked(dir: &Path) -> Result<Locked, VaultError> {
    let path = dir.join(files::IDENTITY);
    let rehearsal = dir.join(files::REHEARSAL);
    if !path.exists() && rehearsal.exists() {
        let bytes = fs::read(&rehearsal).map_err(VaultError::io("read", &rehearsal))?.into();
        return Ok(Locked { kind: KeyKind::Rehearsal, path: rehearsal, bytes });
    }
    let bytes = Zeroizing::new(fs::read(&path).map_err(VaultError::io("read", &path))?);
    let kind = match cipher::takes_passphrase(&bytes) {
        Ok(true) => KeyKind::Passphrase,
        Ok(false) => KeyKind::IdentityFile,
        Err(source) => return Err(VaultError::Damaged { path, source }),
    };
    Ok(Locked { kind, path, bytes })
}

/// The private half of the vault in `dir`.
pub(super) fn unwrap(dir: &Path, key: Key) -> Result<x25519::Identity, VaultError> {
    let Locked { kind, path, bytes } = locked(dir)?;
    let opened = match (key, kind) {
        (Key::Rehearsal, KeyKind::Rehearsal) => Ok(bytes),
        (Key::Passphrase(passphrase), KeyKind::Passphrase) => {
            let mut identity = scrypt::Identity::new(SecretString::from(passphrase.expose()));
            identity.set_max_work_factor(MAX_WORK_FACTOR);
            cipher::decrypt(&[&identity], &bytes)
        }
        (Key::IdentityFile(text), KeyKind::IdentityFile) => {
            let identities = IdentityFile::from_buffer(text.expose().as_bytes())
                .and_then(|file| file.into_identities().map_err(io::Error::other))
                .map_err(VaultError::IdentityFile)?;
            let identities: Vec<_> = identities.iter().map(|identity| &**identity as &dyn age::Identity).collect();
            cipher::decrypt(&identities, &bytes)
        }
        _ => return Err(VaultError::OtherKey(kind)),
    };
    match opened {
        Ok(plain) => private_half(&plain, path),
        Err(DecryptError::DecryptionFailed) => Err(VaultError::WrongPassphrase),
        Err(DecryptError::NoMatchingKeys) => Err(VaultError::WrongIdentity),
        // Not shown as a source: its text is computed from the factor in the file and overflows on absurd ones.
        Err(DecryptError::ExcessiveWork { .. }) => Err(VaultError::Unreadable { path, why: "asks for absurd work" }),
        Err(source) => Err(VaultError::Damaged { path, source }),
    }
}

/// Reads the one key in `plain`, past comments.
fn private_half(plain: &[u8], path: PathBuf) -> Result<x25519::Identity, VaultError> {
    let text = std::str::from_utf8(plain).unwrap_or_default();
    let line = text.lines().find(|line| !line.is_empty() && !line.starts_with('#'));
    line.and_then(|line| line.parse().ok()).ok_or(VaultError::Unreadable { path, why: "holds no age private key" })
}
