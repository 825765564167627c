use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::hunt::snapshot::SnapshotError;

/// What the user is told of a baseline that cannot be read or written.
impl From<SnapshotError> for CliError {
    fn from(error: SnapshotError) -> Self {
        let (code, hint) = match &error {
            SnapshotError::Missing(_) => {
                ("no_baseline", "`quell baseline capture DIR` makes one; name the directory that holds `manifest.json`")
            }
            SnapshotError::Unfinished(_) => ("baseline_unfinished", "`quell baseline capture DIR` goes on with it"),
            SnapshotError::Io { .. } => ("baseline_io", "free space or mend the permissions; what was read is kept"),
            SnapshotError::NotManifest { .. } | SnapshotError::NotItem { .. } => {
                ("baseline_damaged", "take it from its history of versions, or capture it anew when all is well")
            }
            SnapshotError::Foreign { .. } => ("baseline_newer", "use the version of quell that wrote it"),
            SnapshotError::Altered(_) => (
                "baseline_altered",
                "take it from its history of versions; if a capture was cut off, `quell baseline capture DIR` ends it",
            ),
            SnapshotError::Captured(_) => ("baseline_captured", "name another directory for what comes from a file"),
            SnapshotError::Busy(_) => ("baseline_busy", "wait for it, or name another directory"),
        };
        let source = match &error {
            SnapshotError::Io { path, source } => {
                return Self::new(Exit::Usage, code, format!("cannot use {}", path.display()))
                    .because(source)
                    .hint(hint);
            }
            other => other.to_string(),
        };
        Self::new(Exit::Usage, code, source).hint(hint)
    }
}
