mod tally;

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use serde_json::Value;

use crate::provider::{Layout, Paging, ReadRequest};

use tally::Tally;

/// A list that is longer than this is not read to its end, and says so.
const MOST_PAGES: u32 = 2000;

/// Follows a list from page to page. Holds no connection and no item: it says what to ask, and judges what came.
///
/// What it holds grows with the list all the same: a hash for each item that has an id, 10 to 21 bytes of a table that is
/// between seven sixteenths and seven eighths full, and half as much again while that makes room.
pub(super) struct Pager<'r> {
    request: &'r ReadRequest,
    layout: Layout,
    cursor: Option<String>,
    /// Cursors followed so far: a server that repeats one would be asked for ever.
    cursors: HashSet<u64>,
    /// True from when the list is read anew with pages that are shorter by one; see [`Self::after_cursor`].
    is_recheck: bool,
    /// Hashes of the ids seen so far. Their key is drawn anew for each list, so that nobody can choose a name that hides
    /// another; and the API's own count would tell of two that met by chance.
    ids: HashSet<u64>,
    /// Hashes of the pages seen so far, for lists whose items have no id.
    contents: HashSet<u64>,
    hasher: RandomState,
    pages: u32,
    tally: Tally,
}

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum After {
    /// Another page.
    More,
    /// Nothing: all was seen.
    End,
    /// Nothing, though there may be more, and why.
    Short(String),
}

impl<'r> Pager<'r> {
    pub(super) fn new(request: &'r ReadRequest, layout: Layout) -> Self {
        Self {
            request,
            layout,
            cursor: None,
            cursors: HashSet::new(),
            is_recheck: false,
            ids: HashSet::new(),
            contents: HashSet::new(),
            hasher: RandomState::new(),
            pages: 0,
            tally: Tally::of(request),
        }
    }

    /// The page to ask for, from 1.
    pub(super) const fn page(&self) -> u32 {
        self.pages + 1
    }

    /// The request for that page.
    pub(super) fn ask(&self) -> ReadRequest {
        let asked = self.request.clone();
        let size = self.size().to_string();
        let asked = match self.layout.paging {
            Paging::Single => return asked,
            Paging::Pages { .. } => return asked.with("page", self.page().to_string()).with("per_page", size),
            Paging::Cursor { size: (name, _) } => asked.with(name, size),
            Paging::CursorAfter { .. } => asked.with("per_page", size),
        };
        match &self.cursor {
            Some(cursor) => asked.with("cursor", cursor.clone()),
            None => asked,
        }
    }

    /// How many items a page is asked to hold at most; 0 where that is not asked.
    const fn size(&self) -> u32 {
        let (Paging::Pages { per_page: size }
        | Paging::CursorAfter { per_page: size }
        | Paging::Cursor { size: (_, size) }) = self.layout.paging
        else {
            return 0;
        };
        if self.is_recheck { size - 1 } else { size }
    }

    /// Takes a page in, with its `result_info`: leaves the items in it that no earlier page held, and judges what follows.
    pub(super) fn take(&mut self, page: &mut Vec<Value>, info: &Value) -> After {
        let length = page.len() as u64;
        // Two items without an id may well be equal; a whole page that came before is a repetition.
        let at = self.layout.id;
        let is_nameless = page.iter().any(|item| id(item, at).is_none());
        let is_repeated = is_nameless && !self.is_new_content(page);
        page.retain(|item| match id(item, at) {
            Some(id) => self.ids.insert(self.hasher.hash_one(id)),
            None => !is_repeated,
        });
        self.pages += 1;
        self.tally.note(length, page.len() as u64, self.size(), info);
        if !self.is_recheck {
            self.tally.note_pages(info);
        }
        match self.layout.paging {
            Paging::Single => self.tally.end(),
            Paging::Pages { .. } => self.after_page(length, !page.is_empty(), info),
            Paging::Cursor { .. } => self.after_cursor(info.get("cursor"), length, is_nameless),
            Paging::CursorAfter { .. } => self.after_cursor(info.pointer("/cursors/after"), length, is_nameless),
        }
    }

    fn is_new_content(&mut self, page: &[Value]) -> bool {
        self.contents.insert(self.hasher.hash_one(page))
    }

    fn more(&self) -> After {
        if self.pages < MOST_PAGES {
            return After::More;
        }
        After::Short(format!("reading was stopped after {MOST_PAGES} pages with {} items", self.tally.seen()))
    }

    /// An empty page, or one that brings nothing new, is the end: some endpoints ignore `page` and answer the same for
    /// ever. A short page is the end only where the server itself says how long its pages are, since it may have
    /// clamped what was asked for; and not while the counts say that there is more. A full page is the end where the server
    /// counts no more pages, and no more items, than were seen.
    fn after_page(&self, length: u64, brought_new: bool, info: &Value) -> After {
        let told = info.get("per_page").and_then(Value::as_u64).filter(|size| *size > 0);
        let is_short = told.is_some_and(|size| length < size);
        let pages = info.get("total_pages").and_then(Value::as_u64);
        let is_last = self.tally.counts_no_more() && pages == Some(self.pages.into());
        if length == 0 || !brought_new || is_last || (is_short && self.tally.missing().is_none()) {
            return self.tally.end_of_pages();
        }
        self.more()
    }

    /// Documented: a cursor that is absent or empty ends a list. That one is absent is also what a server says that gives
    /// no cursors at all, and then a page as long as it was asked to be may be cut off there. Such a list is read once
    /// more, with pages that are shorter by one: whoever gives cursors must give one now.
    fn after_cursor(&mut self, cursor: Option<&Value>, length: u64, is_nameless: bool) -> After {
        let is_full = length >= self.size().into();
        match cursor.and_then(Value::as_str).filter(|cursor| !cursor.is_empty()) {
            None if !is_full || cursor.is_some() || !self.cursors.is_empty() || self.tally.is_counted() => {
                self.tally.end()
            }
            // Without ids, what comes again could not be told from what is new.
            None if !self.is_recheck && !is_nameless && self.size() > 1 => {
                self.is_recheck = true;
                self.more()
            }
            None => After::Short(format!(
                "a page of {length}, as many as were asked for, came without a cursor, so there may be more"
            )),
            Some(cursor) if !self.cursors.insert(self.hasher.hash_one(cursor)) => After::Short(String::from(
                "the API gave a cursor that it had given before, so the rest cannot be reached",
            )),
            Some(cursor) => {
                self.cursor = Some(cursor.to_owned());
                self.more()
            }
        }
    }
}

/// What tells an item apart, where something does.
fn id<'v>(item: &'v Value, at: &str) -> Option<&'v Value> {
    item.pointer(at).filter(|id| id.is_string() || id.is_number())
}

#[cfg(test)]
mod tests;
