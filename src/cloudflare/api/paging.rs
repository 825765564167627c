use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use serde_json::Value;

use crate::provider::{Layout, Paging, ReadRequest};

/// A list that is longer than this is not read to its end, and says so.
const MOST_PAGES: u32 = 2000;

/// Query parameters that order or cut a list, but leave nothing out of it.
const NO_FILTERS: [&str; 6] = ["order", "direction", "page", "per_page", "limit", "cursor"];

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
    /// Hashes of the ids seen so far. Their key is drawn anew for each list, so that nobody can choose a name that hides
    /// another; and the API's own count would tell of two that met by chance.
    ids: HashSet<u64>,
    /// Hashes of the pages seen so far, for lists whose items have no id.
    contents: HashSet<u64>,
    hasher: RandomState,
    pages: u32,
    seen: u64,
    total: Option<u64>,
    /// The list shrank while it was read, from the first number to the second.
    shrank: Option<(u64, u64)>,
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
            ids: HashSet::new(),
            contents: HashSet::new(),
            hasher: RandomState::new(),
            pages: 0,
            seen: 0,
            total: None,
            shrank: None,
        }
    }

    /// The page to ask for, from 1.
    pub(super) const fn page(&self) -> u32 {
        self.pages + 1
    }

    /// The request for that page.
    pub(super) fn ask(&self) -> ReadRequest {
        let asked = self.request.clone();
        let asked = match self.layout.paging {
            Paging::Single => return asked,
            Paging::Pages { per_page } => {
                return asked.with("page", self.page().to_string()).with("per_page", per_page.to_string());
            }
            Paging::Cursor { size: (name, size) } => asked.with(name, size.to_string()),
            Paging::CursorAfter { per_page } => asked.with("per_page", per_page.to_string()),
        };
        match &self.cursor {
            Some(cursor) => asked.with("cursor", cursor.clone()),
            None => asked,
        }
    }

    /// Takes a page in, with its `result_info`: leaves the items in it that no earlier page held, and judges what follows.
    pub(super) fn take(&mut self, page: &mut Vec<Value>, info: &Value) -> After {
        let length = page.len();
        // Two items without an id may well be equal; a whole page that came before is a repetition.
        let at = self.layout.id;
        let is_repeated = page.iter().any(|item| id(item, at).is_none()) && !self.is_new_content(page);
        page.retain(|item| match id(item, at) {
            Some(id) => self.ids.insert(self.hasher.hash_one(id)),
            None => !is_repeated,
        });
        self.pages += 1;
        self.seen += page.len() as u64;
        self.note_total(info);
        match self.layout.paging {
            Paging::Single => self.after_only_page(info),
            Paging::Pages { .. } => self.after_page(length, !page.is_empty(), info),
            Paging::Cursor { .. } => self.after_cursor(info.get("cursor")),
            Paging::CursorAfter { .. } => self.after_cursor(info.pointer("/cursors/after")),
        }
    }

    fn is_new_content(&mut self, page: &[Value]) -> bool {
        self.contents.insert(self.hasher.hash_one(page))
    }

    /// Whatever the total counts, something is gone where it falls.
    fn note_total(&mut self, info: &Value) {
        if let Some(total) = info.get("total_count").and_then(Value::as_u64) {
            if let Some(was) = self.total.filter(|was| *was > total) {
                self.shrank.get_or_insert((was, total)).1 = total;
            }
            self.total = Some(total);
        }
    }

    /// Items that the total says were not seen. Documented: `total_count` is the total *without any search parameters*, so
    /// it is compared with what was seen only where there are none.
    fn missing(&self) -> Option<u64> {
        let is_filtered = self.request.query.iter().any(|(name, _)| !NO_FILTERS.contains(&name.as_str()));
        let total = self.total.filter(|_| !is_filtered)?;
        total.checked_sub(self.seen).filter(|missing| *missing > 0)
    }

    fn end(&self) -> After {
        match (self.missing(), self.total, self.shrank) {
            (Some(_), Some(total), _) => After::Short(format!("the API counts {total} in all, and gave {}", self.seen)),
            // What was removed let the rest move up, past the edge of a page that had been read.
            (_, _, Some((was, is))) => After::Short(format!(
                "the list shrank from {was} to {is} while it was read, so an item may have been skipped"
            )),
            _ => After::End,
        }
    }

    fn more(&self) -> After {
        if self.pages < MOST_PAGES {
            return After::More;
        }
        After::Short(format!("reading was stopped after {MOST_PAGES} pages with {} items", self.seen))
    }

    fn after_only_page(&self, info: &Value) -> After {
        let pages = info.get("total_pages").and_then(Value::as_u64).unwrap_or(1);
        match self.end() {
            After::End if pages > 1 => After::Short(format!("the API has {pages} pages where one is documented")),
            end => end,
        }
    }

    /// An empty page, or one that brings nothing new, is the end: some endpoints ignore `page` and answer the same for
    /// ever. A short page is the end only where the server itself says how long its pages are, since it may have
    /// clamped what was asked for; and not while the total says that there is more. A full page is the end where the server
    /// counts no more pages, and no more items, than were seen.
    fn after_page(&self, length: usize, brought_new: bool, info: &Value) -> After {
        let told = info.get("per_page").and_then(Value::as_u64).filter(|size| *size > 0);
        let is_short = told.is_some_and(|size| (length as u64) < size);
        let pages = info.get("total_pages").and_then(Value::as_u64);
        let is_last = self.total.is_some_and(|total| total <= self.seen) && pages == Some(self.pages.into());
        if length == 0 || !brought_new || is_last || (is_short && self.missing().is_none()) {
            return self.end();
        }
        self.more()
    }

    fn after_cursor(&mut self, cursor: Option<&Value>) -> After {
        match cursor.and_then(Value::as_str).filter(|cursor| !cursor.is_empty()) {
            None => self.end(),
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
mod tests {
    use serde_json::{Value, json};

    use super::{After, MOST_PAGES, Pager};
    use crate::provider::{Paging, ReadRequest};

    const PAGES: Paging = Paging::Pages { per_page: 3 };

    fn items(ids: std::ops::Range<u32>) -> Vec<Value> {
        ids.map(|id| json!({"id": id.to_string()})).collect()
    }

    /// What follows `page`, and how many of its items are new.
    fn take(pager: &mut Pager<'_>, mut page: Vec<Value>, info: &Value) -> (After, usize) {
        let after = pager.take(&mut page, info);
        (after, page.len())
    }

    /// What follows a first page.
    fn first(request: &ReadRequest, paging: Paging, page: Vec<Value>, info: &Value) -> After {
        take(&mut Pager::new(request, paging.into()), page, info).0
    }

    fn short(next: &After, part: &str) -> bool {
        matches!(next, After::Short(why) if why.contains(part))
    }

    #[test]
    fn a_short_page_ends_a_list_only_where_the_server_tells_its_size() {
        let request = ReadRequest::new("/x");
        let told = json!({"per_page": 3});
        assert_eq!(first(&request, PAGES, items(0..2), &told), After::End);
        assert_eq!(first(&request, PAGES, items(0..2), &Value::Null), After::More);
        assert_eq!(first(&request, PAGES, items(0..2), &json!({"per_page": 2})), After::More);
        assert_eq!(first(&request, PAGES, items(0..2), &json!({"per_page": 3, "total_count": 5})), After::More);
        assert_eq!(first(&request, PAGES, items(0..0), &Value::Null), After::End);
    }

    #[test]
    fn a_full_page_ends_a_list_only_where_the_server_counts_no_more() {
        let request = ReadRequest::new("/x").with("account.id", "a");
        let counted = |total, pages| json!({"per_page": 3, "total_count": total, "total_pages": pages});
        assert_eq!(first(&request, PAGES, items(0..3), &counted(3, 1)), After::End);
        assert_eq!(first(&request, PAGES, items(0..3), &counted(4, 2)), After::More);
        assert_eq!(first(&request, PAGES, items(0..3), &counted(4, 1)), After::More);
        assert_eq!(first(&request, PAGES, items(0..3), &counted(3, 2)), After::More);
        assert_eq!(first(&request, PAGES, items(0..3), &json!({"per_page": 3, "total_count": 3})), After::More);
        // One that another page held already is not counted twice.
        let mut pager = Pager::new(&request, PAGES.into());
        assert_eq!(take(&mut pager, items(0..3), &counted(5, 2)).0, After::More);
        assert_eq!(take(&mut pager, items(2..5), &counted(6, 2)), (After::More, 2));
    }

    #[test]
    fn a_total_is_trusted_only_without_a_filter() {
        let filtered = ReadRequest::new("/x").with("name", "a");
        let ordered = ReadRequest::new("/x").with("order", "name");
        let info = json!({"per_page": 3, "total_count": 50});
        assert_eq!(first(&filtered, PAGES, items(0..1), &info), After::End);
        let mut pager = Pager::new(&ordered, PAGES.into());
        assert_eq!(take(&mut pager, items(0..1), &info).0, After::More);
        assert!(short(&take(&mut pager, vec![], &info).0, "50 in all, and gave 1"));
    }

    #[test]
    fn a_list_that_shrinks_says_so() {
        let request = ReadRequest::new("/x");
        let mut pager = Pager::new(&request, PAGES.into());
        assert_eq!(take(&mut pager, items(0..3), &json!({"per_page": 3, "total_count": 6})).0, After::More);
        let (after, _) = take(&mut pager, items(4..6), &json!({"per_page": 3, "total_count": 5}));
        assert!(short(&after, "shrank from 6 to 5"));
        // The total of all is no measure of those that were asked for; that it falls is told all the same.
        let filtered = ReadRequest::new("/x").with("account.id", "a");
        let mut pager = Pager::new(&filtered, PAGES.into());
        assert_eq!(take(&mut pager, items(0..3), &json!({"per_page": 3, "total_count": 60})).0, After::More);
        let (after, _) = take(&mut pager, items(4..6), &json!({"per_page": 3, "total_count": 59}));
        assert!(short(&after, "shrank from 60 to 59"));
    }

    #[test]
    fn items_without_id_are_kept_though_equal_but_a_repeated_page_is_not() {
        let request = ReadRequest::new("/x");
        let mut pager = Pager::new(&request, PAGES.into());
        let twins = vec![json!({"name": "a"}), json!({"name": "a"})];
        assert_eq!(take(&mut pager, twins.clone(), &Value::Null), (After::More, 2));
        assert_eq!(take(&mut pager, twins, &Value::Null), (After::End, 0));
    }

    #[test]
    fn a_list_without_end_is_stopped_and_says_so() {
        let request = ReadRequest::new("/x");
        let mut pager = Pager::new(&request, Paging::Cursor { size: ("limit", 1) }.into());
        let stopped = (0..).map(|page| take(&mut pager, items(page..page + 1), &json!({"cursor": page.to_string()})).0);
        let last = stopped.take(MOST_PAGES as usize).last().unwrap();
        assert!(short(&last, "stopped after"), "{last:?}");
    }

    #[test]
    fn one_page_that_is_not_all_says_so() {
        let request = ReadRequest::new("/x");
        assert!(short(&first(&request, Paging::Single, items(0..1), &json!({"total_count": 2})), "2 in all"));
        assert!(short(&first(&request, Paging::Single, items(0..1), &json!({"total_pages": 2})), "2 pages"));
        assert_eq!(first(&request, Paging::Single, items(0..1), &Value::Null), After::End);
    }
}
