//! Lines, and how each names the one before.

use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::event::Entry;
use super::file::{FORMAT, JournalError};
use crate::model::Digest;

/// The `prev` of the first line: the digest of nothing.
pub(super) fn origin() -> Digest {
    Digest::of(b"")
}

/// Digest of a line that still has its line end.
pub(super) fn digest_of_line(line: &[u8]) -> Digest {
    Digest::of(line.strip_suffix(b"\n").unwrap_or(line))
}

/// A piece of the file.
pub(super) enum Line<'a> {
    /// A line, without its line end.
    Whole(&'a [u8]),
    /// What follows the last line end: a write that was cut short.
    Torn(&'a [u8]),
    /// What follows the last line end and is no beginning of a line: no crash leaves that behind.
    Foreign(&'a [u8]),
}

pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(|piece| match piece.strip_suffix(b"\n") {
        Some(line) => Line::Whole(line),
        None if is_beginning(piece) => Line::Torn(piece),
        None => Line::Foreign(piece),
    })
}

/// Whether more bytes and a line end could make a line of it: it is a JSON object that ends in the middle, or that is
/// whole with nothing behind it.
fn is_beginning(piece: &[u8]) -> bool {
    piece.starts_with(b"{")
        && match serde_json::from_slice::<IgnoredAny>(piece) {
            Ok(_) => piece.ends_with(b"}"),
            Err(error) => error.is_eof(),
        }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LineFault {
    /// It is not an entry.
    Unreadable(String),
    /// It does not follow the line before.
    BrokenChain,
    /// It is of a newer format.
    Newer(u32),
}

impl LineFault {
    pub(super) fn into_error(self, path: &Path, seq: u64) -> JournalError {
        let path = path.to_owned();
        match self {
            Self::Newer(found) => JournalError::Newer { path, found },
            Self::Unreadable(why) => JournalError::Damaged { path, what: format!("line {seq} is not an entry: {why}") },
            Self::BrokenChain => {
                JournalError::Damaged { path, what: format!("line {seq} does not follow the line before it") }
            }
        }
    }
}

/// Reads one line and checks that it follows the line whose digest is `head`.
pub(super) fn read(line: &[u8], head: &Digest) -> Result<Entry, LineFault> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    let entry: Entry = serde_json::from_slice(line).map_err(|error| match serde_json::from_slice(line) {
        Ok(Version { v }) if v > FORMAT => LineFault::Newer(v),
        _ => LineFault::Unreadable(error.to_string()),
    })?;
    match entry {
        Entry { v, .. } if v > FORMAT => Err(LineFault::Newer(v)),
        Entry { ref prev, .. } if prev != head => Err(LineFault::BrokenChain),
        entry => Ok(entry),
    }
}
