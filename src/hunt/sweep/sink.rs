use std::io;

use super::place::{Ending, Place};
use crate::hunt::{Family, Item};
use crate::model::Digest;
use crate::provider::Reading;

/// Takes what a sweep reads. Pages of many lists come in turn; those of one list come in order, and after its end none.
pub trait Sink: Send {
    /// Some items of one list.
    ///
    /// # Errors
    /// They cannot be taken; the sweep ends.
    fn page(&mut self, page: SweptPage<'_>) -> io::Result<()>;

    /// The list at `place` has ended, and so has what belongs to its items. What is not ended when a sweep is stopped
    /// is read from its beginning when the sweep is resumed.
    ///
    /// # Errors
    /// It cannot be noted; the sweep ends.
    fn end(&mut self, place: &Place, ending: &Ending) -> io::Result<()>;
}

/// Some items of one list.
#[derive(Debug)]
pub struct SweptPage<'p> {
    /// The family.
    pub family: &'p Family,
    /// The list.
    pub place: &'p Place,
    /// The items that no earlier page held, in their canonical form.
    pub items: Vec<Item>,
    /// The answers that they came in: the page, and what says more of its items.
    pub answers: Vec<Reading>,
    /// What of these answers is kept as evidence, once it is.
    pub evidence: Vec<Digest>,
}
