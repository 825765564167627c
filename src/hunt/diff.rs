//! What differs between two states of an account, by meaning: what was made again under another id is the same, and what
//! says nothing of what an item does is not compared.
//!
//! Items of one seat are paired in three rounds, and what a round pairs is not looked at by the next:
//!
//! 1. by their key, those with the same id first: compared by their other fields,
//! 2. by their id: one whose key was changed,
//! 3. where one alone was lost and one alone is new among those that are kin ([`Family::are_kin`]): one that was changed.
//!
//! What is left was removed or added. Two snapshots are merged line by line; only what is not the same in both is read,
//! sorted on disk and paired, so that memory does not grow with what they hold.

mod fields;
mod matching;
mod merge;
mod part;

use std::io;

use super::family::Family;
use super::item::{Difference, Item};
use matching::Matching;

pub use fields::{FieldChange, fields};
pub use merge::{Compared, Comparison, Tally};

/// What differs between two lists of items of one family, in order of seat and key. Everything is held in memory; two
/// snapshots are compared by [`Comparison`].
///
/// # Errors
/// Never, as far as is known: an item cannot be written as JSON.
pub fn items(family: &Family, before: Vec<Item>, after: Vec<Item>) -> io::Result<Vec<Difference>> {
    let mut matching = Matching::in_memory(family);
    merge::merge_items(&mut matching, before, after)?;
    let mut found = Vec::new();
    matching.finish(&mut |difference| {
        found.push(difference);
        Ok(())
    })?;
    Ok(found)
}
