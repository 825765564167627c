//! The hunt: what there is in an account, how it differs from what was good, who did it, and what cannot be known.
//!
//! Machinery over neutral types and data tables; a wing brings the tables. Nothing here knows a provider.
//!
//! | file | what it holds |
//! |---|---|
//! | `audit` | acts as a log recorded them, and whose doing an act is |
//! | `canonical` | from an answer to an item in its canonical form |
//! | `diff` | what differs between two states of an account, by meaning |
//! | `family` | a kind of resource that can be listed, as data: where, how paged, what makes two of them the same |
//! | `graph` | who made which principal, from the suspects on, and what each did |
//! | `item` | one resource in its canonical form, and what differs between two |
//! | `own` | which acts in a log are quell's own, by the requests that it sent |
//! | `probe` | which families can be read at all |
//! | `rewind` | what a resource was before a window, by the audit log applied backwards |
//! | `runs` | sorts more than fits into memory |
//! | `secret_names` | which fields bear the name of something secret |
//! | `snapshot` | the files of a baseline: captured, opened, read item by item |
//! | `sweep` | reads families at all their seats, many at a time, page by page |
//! | `technique` | a way in which an intruder uses or keeps an account, as data: which acts and differences show it |
//! | `usage` | how each credential was used in a window, held against what was usual before it |
//! | `verdict` | whether a technique is confirmed, ruled out, or cannot be known, and why |
//! | `watch` | what is new in a log that is read again and again, and what of that must wake somebody |

mod audit;
mod canonical;
pub mod diff;
mod family;
pub mod graph;
mod item;
mod own;
pub mod probe;
pub mod rewind;
mod runs;
mod secret_names;
pub mod snapshot;
pub mod sweep;
pub mod technique;
pub mod usage;
mod verdict;
pub mod watch;

pub use audit::{AuditEvent, LogReach, Principal, SeenBefore, attribute};
pub use canonical::MASK;
pub use family::{Family, Part, Reach, Shape, Variant, blank, none_of};
pub use item::{Difference, Item, Seat};
pub use own::OwnActs;
pub use secret_names::{is_secret_name, mask_named};
pub use verdict::{Judged, Sight, Verdict, judge};
