use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::durable;
use crate::model::{EffectKey, RunId, SealedId};

/// The public half.
pub(super) const RECIPIENT: &str = "recipient";
/// The private half, wrapped.
pub(super) const IDENTITY: &str = "identity.age";
/// The private half in the clear, named so that nobody takes it for a real one.
pub(super) const REHEARSAL: &str = "identity.rehearsal";

/// Where a sealed answer lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealedName {
    /// Which answer it is.
    pub id: SealedId,
    /// The sealed file.
    pub path: PathBuf,
}

/// The name of a sealed answer; `None` for a run or a key that would lead elsewhere, as one in a tampered journal may.
pub(super) fn name(id: &SealedId) -> Option<String> {
    let (run, key) = (id.run.as_str(), id.effect.as_str());
    let is_plain = |text: &str, others: &[u8]| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || others.contains(&b))
    };
    (is_plain(run, b"") && is_plain(key, b"-_")).then(|| format!("{run}-{key}-{}.age", id.attempt))
}

/// The sealed answers in `dir`.
pub(super) fn sealed(dir: &Path) -> io::Result<Vec<SealedName>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        // The wrapped private half has neither run nor attempt.
        let parts = path.file_name().and_then(|name| {
            let (run, rest) = name.to_str()?.strip_suffix(".age")?.split_once('-')?;
            let (key, attempt) = rest.rsplit_once('-')?;
            Some(SealedId { run: RunId::new(run), effect: EffectKey::new(key), attempt: attempt.parse().ok()? })
        });
        found.extend(parts.map(|id| SealedName { id, path }));
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
    use super::{EffectKey, RunId, SealedId, name, sealed};

    fn id(run: &str, key: &str) -> SealedId {
        SealedId { run: RunId::new(run), effect: EffectKey::new(key), attempt: 1 }
    }

    #[test]
    fn a_name_stays_in_the_vault() {
        for key in ["", "..", "../x", "/etc/x", "a/b", "a\0b", "é"] {
            assert_eq!(name(&id("r1", key)), None, "{key:?}");
            assert_eq!(name(&id(key, "k")), None, "{key:?}");
        }
        assert_eq!(name(&id("r1", "k")).as_deref(), Some("r1-k-1.age"));
    }

    #[test]
    fn only_sealed_answers_are_listed_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["identity.age", "recipient", "r1-b-2-10.age", "r1-b-2-9.age", "r2-a-1.age", ".tmpX", "r1-a-x.age"]
        {
            std::fs::write(dir.path().join(file), "").unwrap();
        }
        let names: Vec<_> = sealed(dir.path()).unwrap().into_iter().map(|name| name.id.to_string()).collect();
        assert_eq!(
            names,
            [
                "attempt 9 at effect b-2 of run r1",
                "attempt 10 at effect b-2 of run r1",
                "attempt 1 at effect a of run r2"
            ]
        );
    }
}
