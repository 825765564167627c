use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::evidence::EvidenceSink;
use crate::model::{Digest, StepPath};

/// A directory for files that belong together, such as a snapshot.
#[derive(Debug)]
pub enum Shelf {
    /// Kept beside the evidence: the same one whenever the step is looked at, so that a look which was cut off goes on.
    Kept(PathBuf),
    /// Gone with this value: a dry run keeps nothing.
    Scratch(TempDir),
}

impl Shelf {
    /// The shelf of a step.
    ///
    /// # Errors
    /// Nothing is kept, and there is no room for temporary files either.
    pub(super) fn of(path: &StepPath, evidence: &dyn EvidenceSink) -> io::Result<Self> {
        match evidence.shelf(&name(path)) {
            Some(dir) => Ok(Self::Kept(dir)),
            None => tempfile::tempdir().map(Self::Scratch),
        }
    }

    /// Where it lies.
    pub fn dir(&self) -> &Path {
        match self {
            Self::Kept(dir) => dir,
            Self::Scratch(dir) => dir.path(),
        }
    }

    /// Where it lies, if that is still there after the step.
    pub fn kept(&self) -> Option<&Path> {
        match self {
            Self::Kept(dir) => Some(dir),
            Self::Scratch(_) => None,
        }
    }
}

/// The step's path as the name of a file. Keys of items may hold anything, so that a digest tells two of them apart.
fn name(path: &StepPath) -> String {
    let path = path.as_str();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if path.chars().all(is_plain) {
        return path.to_owned();
    }
    let readable: String = path.chars().map(|c| if is_plain(c) { c } else { '.' }).take(60).collect();
    format!("{readable}-{}", Digest::of(path.as_bytes()).short())
}

#[cfg(test)]
mod tests {
    use super::name;
    use crate::model::StepPath;

    #[test]
    fn two_steps_never_share_a_shelf_and_none_leads_elsewhere() {
        let names: Vec<String> = ["look", "a/look", "a-look", "look[../../x]", "look[..-..-x]"]
            .into_iter()
            .map(|path| name(&StepPath::step(path)))
            .collect();
        assert_eq!((names[0].as_str(), names[2].as_str()), ("look", "a-look"));
        assert!(names[1].starts_with("a.look-"), "{names:?}");
        assert!(names.iter().all(|name| !name.contains('/') && !name.starts_with('.')), "{names:?}");
        let mut unique = names.clone();
        unique.dedup();
        assert_eq!(unique.len(), names.len());
        assert_ne!(names[3], names[4]);
    }
}
