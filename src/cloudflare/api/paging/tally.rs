//! What the answers of a list count, held against what was seen of it.

use serde_json::Value;

use super::After;
use crate::provider::ReadRequest;

/// Query parameters that order or cut a list, but leave nothing out of it.
const WHOLE: [&str; 7] = ["order", "direction", "page", "per_page", "perPage", "limit", "cursor"];

/// What was seen of a list, and what its answers count.
///
/// The counts of the API are not equal in worth (documented):
///
/// * `total_count` is the total *without any search parameters*, and `count` the number for the whole service (in truth
///   mostly that of the page). With a parameter that may leave something out, a larger one proves nothing by itself: such
///   are `account.id` (a user may see other accounts), the bounds of a log, `is_deleted`. `status=all`, the order and the
///   size of a page leave nothing out.
/// * `total_pages` is the number of pages *in the entire result set*: of what was asked for. It is believed with any
///   parameter. Should an endpoint count in it what a filter leaves out, the price is a gap that is none; the other way
///   round it would be a list that is short and says nothing.
/// * That all was seen is believed where `total_count` is the number that was seen: less than all cannot be as many.
pub(super) struct Tally {
    /// Whether a parameter may leave something out.
    is_narrowed: bool,
    /// Items, each once.
    seen: u64,
    /// Pages that brought something.
    filled: u64,
    total: Option<u64>,
    /// The largest `count`, where it is more than its page held.
    count: u64,
    /// The most pages that were told.
    pages: u64,
    /// The list shrank while it was read, from the first number to the second.
    shrank: Option<(u64, u64)>,
    /// The last page that brought something was as long as a page may be.
    is_full: bool,
    /// The last page held only what had come before.
    is_repeated: bool,
}

impl Tally {
    pub(super) fn of(request: &ReadRequest) -> Self {
        let narrows = |(name, value): &(String, String)| {
            !WHOLE.contains(&name.as_str()) && (name.as_str(), value.as_str()) != ("status", "all")
        };
        Self {
            is_narrowed: request.query.iter().any(narrows),
            seen: 0,
            filled: 0,
            total: None,
            count: 0,
            pages: 0,
            shrank: None,
            is_full: false,
            is_repeated: false,
        }
    }

    /// Items, each once.
    pub(super) const fn seen(&self) -> u64 {
        self.seen
    }

    /// A page of so many items came, so many of them new; `asked` were asked for at most, or it was not asked (0).
    pub(super) fn note(&mut self, length: u64, new: u64, asked: u32, info: &Value) {
        let told = |name: &str| info.get(name).and_then(Value::as_u64);
        self.seen += new;
        self.is_repeated = length > 0 && new == 0;
        if new > 0 {
            self.filled += 1;
            let size = told("per_page").filter(|size| *size > 0).unwrap_or_else(|| asked.into());
            self.is_full = length == size;
        }
        self.count = self.count.max(told("count").filter(|count| *count > length).unwrap_or(0));
        if let Some(total) = told("total_count") {
            // Whatever it counts, something is gone where it falls.
            if let Some(was) = self.total.filter(|was| *was > total) {
                self.shrank.get_or_insert((was, total)).1 = total;
            }
            self.total = Some(total);
        }
    }

    /// Takes note of how many pages the answer tells; pages of another size are counted otherwise.
    pub(super) fn note_pages(&mut self, info: &Value) {
        self.pages = self.pages.max(info.get("total_pages").and_then(Value::as_u64).unwrap_or(0));
    }

    /// Whether the API counts as many as were seen, if any.
    pub(super) fn is_counted(&self) -> bool {
        self.seen > 0 && self.total == Some(self.seen)
    }

    /// Whether the API counts no more than were seen.
    pub(super) fn counts_no_more(&self) -> bool {
        self.total.is_some_and(|total| total <= self.seen)
    }

    /// What the counts say that was not seen, if they do.
    pub(super) fn missing(&self) -> Option<String> {
        if self.is_counted() {
            return None;
        }
        let total = self.total.unwrap_or(0);
        let counted = if self.is_narrowed { 0 } else { total.max(self.count) };
        // A last page that was full is no end to be seen: where the total is larger besides, it is taken at its word.
        let counted = if self.is_full { counted.max(total) } else { counted };
        if counted > self.seen {
            return Some(format!("the API counts {counted} in all, and gave {}", self.seen));
        }
        // Nothing at all may be told as one page of nothing.
        (self.pages > self.filled.max(1))
            .then(|| format!("the API counts {} pages, and gave {}", self.pages, self.filled))
    }

    /// What it means that the list ends here.
    pub(super) fn end(&self) -> After {
        if let Some(missing) = self.missing() {
            return After::Short(missing);
        }
        match self.shrank {
            // What was removed let the rest move up, past the edge of a page that had been read.
            Some((was, is)) => After::Short(format!(
                "the list shrank from {was} to {is} while it was read, so an item may have been skipped"
            )),
            None => After::End,
        }
    }

    /// What it means that the pages end here, where nothing says which is the last.
    pub(super) fn end_of_pages(&self) -> After {
        match self.end() {
            After::End if self.is_repeated && self.is_full && !self.is_counted() => After::Short(format!(
                "a full page was given again in place of the one after it, so there may be more than {}",
                self.seen
            )),
            end => end,
        }
    }
}
