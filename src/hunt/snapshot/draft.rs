//! A baseline being written, and put in the place of a former one.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::SnapshotError;
use super::manifest::{Held, Manifest};
use super::{MANIFEST, Snapshot, file_name};
use crate::crash::crash_point;
use crate::durable;
use crate::model::Digest;

/// Makes a directory, and those above it, that only its owner can enter.
pub(super) fn make_dir(dir: &Path) -> Result<(), SnapshotError> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(SnapshotError::at(dir))
}

/// Makes or empties a file that only its owner can read.
pub(super) fn make_file(path: &Path) -> io::Result<BufWriter<File>> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    Ok(BufWriter::with_capacity(256 << 10, file))
}

/// Writes a family's file into `dir`, of lines without their ends. What is held of it has no gaps yet.
pub(super) fn family(
    dir: &Path,
    name: &str,
    lines: impl Iterator<Item = io::Result<Vec<u8>>>,
) -> Result<Held, SnapshotError> {
    let path = dir.join(file_name(name));
    let write = || {
        let (mut file, mut hasher, mut items) = (make_file(&path)?, Sha256::new(), 0);
        for line in lines {
            let mut line = line?;
            line.push(b'\n');
            hasher.update(&line);
            file.write_all(&line)?;
            items += 1;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok((items, hex::encode(hasher.finalize())))
    };
    let (items, sha256): (u64, String) = write().map_err(SnapshotError::at(&path))?;
    let sha256 = Digest::parse(&sha256).unwrap_or_else(|| Digest::of(&[]));
    Ok(Held { items, sha256, gaps: Vec::new(), unread: [].into(), silent: BTreeMap::new() })
}

/// Writes the manifest into `dir`: what lies there is a baseline from then on.
pub(super) fn manifest(dir: &Path, manifest: &Manifest) -> Result<(), SnapshotError> {
    let path = dir.join(MANIFEST);
    let mut text = serde_json::to_vec_pretty(manifest).map_err(io::Error::from).map_err(SnapshotError::at(&path))?;
    text.push(b'\n');
    durable::replace(&path, &text, 0o600).map_err(SnapshotError::at(&path))
}

/// Moves the baseline in `from` into `into`, in the place of a former one there; what else lies there stays. Until the
/// manifest, which comes last, the digests tell that it is neither the one nor the other.
pub(super) fn put_in_place(from: &Path, into: &Path, manifest: &Manifest) -> Result<(), SnapshotError> {
    let former = Snapshot::open(into).ok();
    let put = |name: &str| {
        let path = into.join(name);
        fs::rename(from.join(name), &path).map_err(SnapshotError::at(path))
    };
    for family in manifest.families.keys() {
        put(&file_name(family))?;
        crash_point("baseline_put");
    }
    put(MANIFEST)?;
    let stale = |former: &Snapshot| -> Vec<PathBuf> {
        let names = former.manifest().families.keys().filter(|name| !manifest.families.contains_key(*name));
        names.map(|name| into.join(file_name(name))).collect()
    };
    for path in former.iter().flat_map(stale) {
        // A file that no manifest names is no part of a baseline; left behind it does no harm.
        let _ = fs::remove_file(path);
    }
    durable::sync_dir(into).map_err(SnapshotError::at(into))
}
