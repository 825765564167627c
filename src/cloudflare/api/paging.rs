mod tally;

use std::collections::HashSet;
use std::fmt::Display;
use std::hash::{BuildHasher, RandomState};

use serde_json::Value;

use crate::provider::{Layout, Paging, ReadRequest};

use tally::Tally;

/// A list that is longer than this is not read to its end, and says so.
const MOST_PAGES: u32 = 2000;

/// A list of no more pages is looked at once more though it seemed to stand still; see [`Pager::after_pass`].
const FEW_PAGES: u64 = 5;

/// As many as this are what a server cuts a list at that was asked for all of it.
const ROUND: [u64; 8] = [20, 25, 50, 100, 200, 250, 500, 1000];

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
    /// Pages of this pass.
    pages: u32,
    /// What this pass brought.
    tally: Tally,
    /// Set from when the list is read a second time.
    second: Option<Second>,
}

/// A second pass through a list of numbered pages.
struct Second {
    /// Hashes of the ids that it brought.
    ids: HashSet<u64>,
    /// So many pages of it are enough where they bring nothing new: the first pass seemed to stand still.
    enough: Option<u32>,
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
            second: None,
        }
    }

    /// The page to ask for, from 1.
    pub(super) const fn page(&self) -> u32 {
        self.pages + 1
    }

    /// Whether nothing was read yet.
    pub(super) const fn is_first(&self) -> bool {
        self.pages == 0 && self.second.is_none()
    }

    /// What it means that the page to ask for is lost.
    pub(super) fn lost(&self, why: &dyn Display) -> String {
        let page = self.page();
        if self.second.is_some() {
            format!("page {page} could not be read again, so an item that moved meanwhile may have been skipped: {why}")
        } else {
            format!("page {page} was lost, and all after it: {why}")
        }
    }

    /// The request for that page.
    pub(super) fn ask(&self) -> ReadRequest {
        let asked = self.request.clone();
        let size = self.size().to_string();
        let asked = match self.layout.paging {
            Paging::Single if self.pages == 0 => return asked,
            Paging::Single => return asked.with("page", self.page().to_string()),
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
        let mut again = 0;
        page.retain(|item| match id(item, at) {
            Some(id) => {
                let hash = self.hasher.hash_one(id);
                let is_new = self.ids.insert(hash);
                let is_new_here = self.second.as_mut().is_some_and(|second| second.ids.insert(hash));
                again += u64::from(is_new_here && !is_new);
                is_new
            }
            None => !is_repeated,
        });
        self.pages += 1;
        let brought = page.len() as u64 + again;
        self.tally.note(length, brought, self.size(), info);
        if !self.is_recheck {
            self.tally.note_pages(info);
        }
        match self.layout.paging {
            Paging::Single => self.after_all(length, brought, info),
            Paging::Pages { .. } => match self.after_page(length, brought > 0, info) {
                After::More => self.unless_enough(!page.is_empty()),
                ended => self.after_pass(ended),
            },
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

    /// One answer holds all, unless it is as long as a page may be and counts nothing: what comes after it is asked for then,
    /// since there may be pages that nobody documented.
    fn after_all(&self, length: u64, brought: u64, info: &Value) -> After {
        let told = |name: &str| info.get(name).and_then(Value::as_u64);
        let is_counted = told("total_count").or_else(|| told("total_pages")).is_some();
        let is_full = ROUND.contains(&length) || told("per_page") == Some(length);
        match brought {
            0 if self.pages > 1 && length > 0 => After::Short(format!(
                "{} came, as many as a page may hold, uncounted, and came again for the page after it, so there may be more",
                self.tally.seen()
            )),
            0 => self.tally.end(),
            _ if is_full && !is_counted => self.more(),
            _ => self.tally.end(),
        }
    }

    /// What follows a page that is not the last: the end, where a second pass has shown enough.
    fn unless_enough(&mut self, brought_new: bool) -> After {
        let has_moved = self.tally.moved().is_some();
        let Some(second) = &mut self.second else { return After::More };
        if brought_new || has_moved {
            second.enough = None;
        }
        if second.enough.is_some_and(|enough| self.pages >= enough) { After::End } else { After::More }
    }

    /// What follows the last page of a pass. Pages have numbers, and what is removed from one that was read lets the rest
    /// move up, past the edge of it: an item is skipped. Where counts or ids tell that the list moved, it is read once more.
    /// Where they do not, something else may have been added at the same time: of a list of few pages all but the last are
    /// read again, since what moved up past an edge is now before it.
    fn after_pass(&mut self, ended: After) -> After {
        let moved = self.tally.moved();
        let filled = self.tally.filled();
        // Without ids, what comes again could not be told from what is new.
        let is_named = self.contents.is_empty();
        if self.second.is_none() && is_named && filled > 1 && self.pages < MOST_PAGES {
            let enough = if self.tally.seems_to_move() {
                Some(None)
            } else {
                let is_short = ended != After::End;
                u32::try_from(filled - 1).ok().filter(|_| filled <= FEW_PAGES && !is_short).map(Some)
            };
            if let Some(enough) = enough {
                self.second = Some(Second { ids: HashSet::new(), enough });
                self.tally = Tally::of(self.request);
                self.pages = 0;
                return After::More;
            }
        }
        unless_moved(ended, moved)
    }

    /// Documented: a cursor that is absent or empty ends a list. That one is absent is also what a server says that gives
    /// no cursors at all, and then a page as long as it was asked to be may be cut off there. Such a list is read once
    /// more, with pages that are shorter by one: whoever gives cursors must give one now.
    fn after_cursor(&mut self, cursor: Option<&Value>, length: u64, is_nameless: bool) -> After {
        let is_full = length >= self.size().into();
        match cursor.and_then(Value::as_str).filter(|cursor| !cursor.is_empty()) {
            None if !is_full || cursor.is_some() || !self.cursors.is_empty() || self.tally.is_counted() => {
                unless_moved(self.tally.end(), self.tally.changed())
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

/// A list that moved while it was read may not be whole, though it seems so.
fn unless_moved(ended: After, how: Option<String>) -> After {
    match how {
        Some(how) if ended == After::End => {
            After::Short(format!("{how} while it was read, so an item may have been skipped"))
        }
        _ => ended,
    }
}

/// What tells an item apart, where something does.
fn id<'v>(item: &'v Value, at: &str) -> Option<&'v Value> {
    item.pointer(at).filter(|id| id.is_string() || id.is_number())
}

#[cfg(test)]
mod tests;
