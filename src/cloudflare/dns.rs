//! DNS records: what makes two of them the same, what differs between two lists, and what a difference may mean.
//!
//! Everything here is pure. Ids change when a record is deleted and made again, so records are compared by type, name,
//! content and priority, each in one canonical form, and then by their attributes.

mod baseline;
mod content;
mod diff;
mod import;
mod judgement;
mod record;
mod txt;

pub use baseline::{Baseline, BaselineError};
pub use diff::{Difference, diff};
pub use import::{ImportError, Imported, bind, octodns, record_family};
pub use judgement::{Judgement, judge};
pub use record::{Key, Record};
