//! Known-good records from files of other tools, in the form in which the API lists records.
//!
//! Records are taken as they are written: what a type means to a name server is not looked into, so that a type that this
//! version knows nothing of is compared all the same.

mod bind;
mod octodns;

use std::collections::BTreeSet;

use serde_json::Value;

pub use bind::bind;
pub use octodns::octodns;

use crate::cloudflare::families::family;
use crate::hunt::Family;

/// Records of one zone from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The records.
    pub records: Vec<Value>,
    /// What stands in the file and was not taken, and why.
    pub left_out: Vec<String>,
    /// What the file cannot say, in words.
    pub cannot_say: Vec<&'static str>,
    /// The fields of the canonical form among these, as JSON pointers: they cannot be compared.
    pub silent: BTreeSet<String>,
}

/// The family that the records belong to.
pub fn record_family() -> Option<&'static Family> {
    family("dns_records")
}

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// A line is not as the format has it.
    #[error("line {line}: {why}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// The file as a whole is not as the format has it.
    #[error("{0}")]
    File(String),
}

/// Why a record of this type and name is none of the customer's: what the API does not list.
fn is_cloudflares(kind: &str, name: &str, zone: &str) -> bool {
    kind == "SOA" || (kind == "NS" && name == zone)
}

/// Whether a name lies in the zone.
fn is_within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn silent(fields: &[&str]) -> BTreeSet<String> {
    fields.iter().map(|field| (*field).to_owned()).collect()
}
