use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::durable;
use crate::model::EffectKey;

/// The public half.
pub(super) const RECIPIENT: &str = "recipient";
/// The private half, wrapped.
pub(super) const IDENTITY: &str = "identity.age";
/// The private half in the clear, named so that nobody takes it for a real one.
pub(super) const REHEARSAL: &str = "identity.rehearsal";

/// Where a sealed answer lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealedName {
    /// The effect that it answers.
    pub effect: EffectKey,
    /// Which attempt at it, from 1.
    pub attempt: u32,
    /// The sealed file.
    pub path: PathBuf,
}

/// The name of a sealed answer; `None` for a key that would lead elsewhere, as one in a tampered journal may.
pub(super) fn name(effect: &EffectKey, attempt: u32) -> Option<String> {
    let key = effect.as_str();
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    plain.then(|| format!("{key}-{attempt}.age"))
}

/// The sealed answers in `dir`.
pub(super) fn sealed(dir: &Path) -> io::Result<Vec<SealedName>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let Some((key, attempt)) =
            path.file_name().and_then(|name| name.to_str()?.strip_suffix(".age")?.rsplit_once('-'))
        else {
            continue; // The wrapped private half has no attempt.
        };
        if let Ok(attempt) = attempt.parse() {
            found.push(SealedName { effect: EffectKey::new(key), attempt, path });
        }
    }
    found.sort();
    Ok(found)
}

/// Makes the vault at `dir` with these files in it. It appears whole, since it gets its name last, or not at all.
pub(super) fn make(dir: &Path, contents: &[(&str, &[u8])]) -> io::Result<()> {
    let incident = durable::parent(dir)?;
    let private = Permissions::from_mode(0o700);
    let unfinished = tempfile::Builder::new().prefix(".vault-").permissions(private).tempdir_in(incident)?;
    for (name, bytes) in contents {
        durable::write_new(&unfinished.path().join(name), bytes, 0o600)?;
    }
    // Fails where a vault was made meanwhile: a directory replaces only an empty one.
    fs::rename(unfinished.path(), dir)?;
    durable::sync_dir(incident)
}

#[cfg(test)]
mod tests {
    use super::{EffectKey, name, sealed};

    #[test]
    fn a_name_stays_in_the_vault() {
        for key in ["", "..", "../x", "/etc/x", "a/b", "a\0b", "é"] {
            assert_eq!(name(&EffectKey::new(key), 1), None, "{key:?}");
        }
    }

    #[test]
    fn only_sealed_answers_are_listed_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["identity.age", "recipient", "b-2-10.age", "b-2-9.age", "a-1.age", ".tmpX", "a-x.age"] {
            std::fs::write(dir.path().join(file), "").unwrap();
        }
        let names: Vec<_> =
            sealed(dir.path()).unwrap().into_iter().map(|name| (name.effect.to_string(), name.attempt)).collect();
        assert_eq!(names, [("a".into(), 1), ("b-2".into(), 9), ("b-2".into(), 10)]);
    }
}
