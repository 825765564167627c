//! The files of a baseline: what there was in an account, in a form that can be kept, read and compared.
//!
//! | file | what it is |
//! |---|---|
//! | `FAMILY.jsonl` | one for each family: one item a line, in its canonical form, sorted by seat and key; also where there is none |
//! | `manifest.json` | [`Manifest`]: how many items, what could not be seen, digests of the files, which account, when |
//! | `.partial/` | only while a capture goes, or after it was interrupted: what it has read so far, in the same form |
//!
//! What an unchanged account gives is the same to the byte, except for the times in the manifest. No file holds a secret.
//! Files are written aside and put in place when everything is read, the manifest last: until then the former baseline
//! stands. Nothing here holds more items in memory than it is told to sort at a time.

mod capture;
mod draft;
mod error;
mod import;
mod ledger;
pub(in crate::hunt) mod line;
pub(in crate::hunt) mod manifest;
pub(in crate::hunt) mod open;
mod stretch;

pub use capture::{Capture, Subject};
pub use error::SnapshotError;
pub use import::Import;
pub use manifest::{Held, Manifest, SCHEMA, Source, Zones};
pub use open::{Items, Snapshot};

/// Name of the file that says what the others hold.
pub const MANIFEST: &str = "manifest.json";

/// Name of the directory of a capture that is not at its end.
pub const PARTIAL: &str = ".partial";

/// Name of the file of a family.
pub fn file_name(family: &str) -> String {
    format!("{family}.jsonl")
}
