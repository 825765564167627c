use std::fs::File;
use std::path::Path;

use crate::model::Digest;

/// The file that an input names: its absolute path, and the digest of its bytes as they are now.
///
/// # Errors
/// Why it cannot be taken, in words for the person who named it.
pub fn named_file(path: &str) -> Result<(String, Digest), String> {
    let found = std::fs::metadata(path).map_err(|error| format!("it cannot be read: {error}"))?;
    // Not a device or a pipe: reading those may never end, and changes what is read.
    if !found.is_file() {
        return Err("it is not a file".to_owned());
    }
    let digest = File::open(path).and_then(Digest::of_all).map_err(|error| format!("it cannot be read: {error}"))?;
    full_path(path).map(|path| (path, digest))
}

/// Its absolute path, whether it is there or not.
pub(super) fn full_path(path: &str) -> Result<String, String> {
    let absolute = std::path::absolute(Path::new(path)).map_err(|error| format!("it has no full path: {error}"))?;
    absolute.into_os_string().into_string().map_err(|_| "its full path is not UTF-8".to_owned())
}
