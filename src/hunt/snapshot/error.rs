use std::io;
use std::path::PathBuf;

/// Why a baseline cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is none.
    #[error("there is no baseline in {}", .0.display())]
    Missing(PathBuf),
    /// A capture was interrupted, and there is none from before.
    #[error("the capture into {} was interrupted, and there is no baseline from before it", .0.display())]
    Unfinished(PathBuf),
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no manifest.
    #[error("{} is no manifest of a baseline: {why}", .path.display())]
    NotManifest {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It was written in a form that this version does not know.
    #[error("{} was written in the form `{schema}`, which this version of quell does not know", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The form that it names.
        schema: String,
    },
    /// A file is not the one that the manifest names.
    #[error("{} is not as its manifest says: it was edited, or cut off while it was put in place", .0.display())]
    Altered(PathBuf),
    /// A line is no item.
    #[error("line {line} of {} is no item: {why}", .path.display())]
    NotItem {
        /// The file.
        path: PathBuf,
        /// Its number, from 1.
        line: u64,
        /// Why.
        why: String,
    },
    /// It was captured: what comes from elsewhere says less, and would take its place.
    #[error("{} holds a baseline that was captured", .0.display())]
    Captured(PathBuf),
    /// Another process captures into the same directory.
    #[error("another capture is at work in {}", .0.display())]
    Busy(PathBuf),
}

impl SnapshotError {
    /// Adds the file to an error of reading or writing it.
    pub(in crate::hunt) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
