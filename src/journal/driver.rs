use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::file::{JournalError, io_error};

/// Who drives a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Driver {
    /// Host name of the machine.
    pub machine: String,
    /// Process id.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
}

/// The right to drive an incident's runs, or to deliver its secrets; one process at a time has either.
///
/// The lock is the kernel's, so a killed process does not keep it. On network file systems it may not hold.
#[derive(Debug)]
pub struct DriverLock {
    _file: File,
}

/// The outcome of asking for the right to drive.
#[derive(Debug)]
pub enum Lease {
    /// Granted.
    Granted(DriverLock),
    /// Another process has it; the driver where it could be read.
    Held(Option<Driver>),
}

impl DriverLock {
    /// Asks for the right to drive the incident in `dir`.
    pub fn acquire(dir: &Path, me: &Driver) -> Result<Lease, JournalError> {
        Self::take(&dir.join("driver.lock"), me)
    }

    /// Takes the right to drive from whoever has it: a process that hangs, or one on another machine that is gone and whose
    /// lock a network file system still holds. What the other one writes later is refused by [`super::Journal::drive`].
    pub fn take_over(dir: &Path, me: &Driver) -> Result<Lease, JournalError> {
        let path = dir.join("driver.lock");
        let fresh = dir.join(format!("driver.lock.{}", me.pid));
        let lease = Self::take(&fresh, me)?;
        fs::rename(&fresh, &path).map_err(io_error("take the lock of", &path))?;
        Ok(lease)
    }

    /// Asks for the right to deliver secrets of the incident in `dir`. A run may go on meanwhile.
    pub fn of_deliveries(dir: &Path, me: &Driver) -> Result<Lease, JournalError> {
        Self::take(&dir.join("delivery.lock"), me)
    }

    fn take(path: &Path, me: &Driver) -> Result<Lease, JournalError> {
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let mut file = open.map_err(io_error("lock", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                return Ok(Lease::Held(serde_json::from_str(&text).ok()));
            }
            Err(TryLockError::Error(source)) => return Err(io_error("lock", path)(source)),
        }
        let text = serde_json::to_string(me).unwrap_or_default();
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
        written.map_err(io_error("lock", path))?;
        Ok(Lease::Granted(Self { _file: file }))
    }
}
