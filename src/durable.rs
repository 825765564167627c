//! Files that are wholly there or not at all, also after a power cut.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes a new file with the permission bits `mode`. When it returns, a power cut no longer loses the file.
///
/// Never overwrites: where `path` exists the error is [`io::ErrorKind::AlreadyExists`] and what is there stays as it
/// was. On every other error nothing stands at `path`, so that the caller may try again.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let dir = parent(path)?;
    // Created readable by its owner only; opened up to `mode` when it is complete.
    let mut file = NamedTempFile::new_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    if let Err(error) = sync_dir(dir) {
        // The name may not outlast a power cut. Left behind, it would also make the next try fail.
        let _ = fs::remove_file(path);
        return Err(error);
    }
    Ok(())
}

/// Puts a file in the place of what may be at `path`. A crash leaves the old or the new one, never a mixture.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let dir = parent(path)?;
    let mut file = NamedTempFile::new_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_dir(dir)
}

/// Makes a new directory that only its owner can enter. When it returns, a power cut no longer loses it.
pub fn create_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    sync_dir(parent(path)?)
}

/// Makes the names in `dir` outlast a power cut.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// The directory that holds the name; `.` for a bare name.
pub(crate) fn parent(path: &Path) -> io::Result<&Path> {
    match path.parent() {
        Some(dir) if dir.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(dir) => Ok(dir),
        None => Err(io::ErrorKind::InvalidInput.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::{create_dir, parent, write_new};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn everything_is_private() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("dir");
        create_dir(&dir).unwrap();
        write_new(&dir.join("own"), b"x", 0o600).unwrap();
        write_new(&dir.join("kept"), b"x", 0o400).unwrap();
        assert_eq!([mode(&dir), mode(&dir.join("own")), mode(&dir.join("kept"))], [0o700, 0o600, 0o400]);
    }

    #[test]
    fn what_is_there_is_never_overwritten() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("file");
        write_new(&path, b"first", 0o600).unwrap();
        assert_eq!(write_new(&path, b"second", 0o600).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(create_dir(temp.path()).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1, "a temporary file was left behind");
    }

    #[test]
    fn a_parent_that_is_no_directory_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("file");
        write_new(&file, b"x", 0o600).unwrap();
        assert!(write_new(&file.join("below"), b"x", 0o600).is_err());
        assert!(create_dir(&file.join("below")).is_err());
    }

    #[test]
    fn a_bare_name_lies_in_the_current_directory() {
        assert_eq!(parent(Path::new("name")).unwrap(), Path::new("."));
        assert!(parent(Path::new("/")).is_err());
    }
}
