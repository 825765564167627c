use serde_json::Value;

use super::{BoxFuture, ReadError, Reading};

/// How a list is paged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// One answer holds all.
    Single,
    /// `page` and `per_page`; ends with a page that brings nothing new.
    Pages {
        /// Items asked for per page; the server may give fewer.
        per_page: u32,
    },
    /// A `cursor` that the answer names as `result_info.cursor`.
    Cursor {
        /// Name of the parameter that sets the page size, with the size.
        size: (&'static str, u32),
    },
    /// A `cursor` that the answer names as `result_info.cursors.after`.
    CursorAfter {
        /// Items asked for per page.
        per_page: u32,
    },
}

/// How a list is told in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// How it is paged.
    pub paging: Paging,
    /// Name of the list, where the answer is an object that holds it; empty where the answer is the list.
    pub inside: &'static str,
    /// JSON pointer to what tells its items apart; empty where nothing does.
    pub id: &'static str,
}

impl From<Paging> for Layout {
    /// The answer is the list, and its items have an `id`.
    fn from(paging: Paging) -> Self {
        Self { paging, inside: "", id: "/id" }
    }
}

/// A list that is read page by page, and never held as a whole.
pub trait Pages: Send {
    /// Reads on. An error means that not even the first page could be read; once there was one, whatever is missing
    /// is a [`Next::Short`]. After the end it is the end for ever.
    fn next(&mut self) -> BoxFuture<'_, Result<Next, ReadError>>;
}

/// What reading on brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// A page.
    Page(Page),
    /// The end: all was seen.
    End,
    /// The end, though there may be more, and why.
    Short(String),
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The items that no earlier page held.
    pub items: Vec<Value>,
    /// The answer that they came in; its `result` is left `Null`.
    pub reading: Reading,
}

/// All pages of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// Every item, once.
    pub items: Vec<Value>,
    /// The answers they came in; their `result` is left `Null`.
    pub pages: Vec<Reading>,
    /// Why there may be more than was seen: fewer items than a trustworthy count, a page that was lost, or an end that is
    /// not to be told from a cut.
    pub shortfall: Option<String>,
}

impl Listing {
    /// Reads a list to its end.
    ///
    /// # Errors
    /// Not even its first page could be read.
    pub async fn gather(pages: &mut dyn Pages) -> Result<Self, ReadError> {
        let mut listing = Self { items: Vec::new(), pages: Vec::new(), shortfall: None };
        loop {
            match pages.next().await? {
                Next::Page(page) => {
                    listing.items.extend(page.items);
                    listing.pages.push(page.reading);
                }
                Next::End => return Ok(listing),
                Next::Short(why) => {
                    listing.shortfall = Some(why);
                    return Ok(listing);
                }
            }
        }
    }
}
