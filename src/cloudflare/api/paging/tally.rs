//! What the answers of a list count, held against what was seen of it.

use std::cmp::Ordering;

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
    /// The total changed while the list was read, from the first number to the second.
    changed: Option<(u64, u64)>,
    /// A page held something that had come before beside something new.
    is_mixed: bool,
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
            changed: None,
            is_mixed: false,
            is_full: false,
            is_repeated: false,
        }
    }

    /// Items, each once.
    pub(super) const fn seen(&self) -> u64 {
        self.seen
    }

    /// Pages that brought something.
    pub(super) const fn filled(&self) -> u64 {
        self.filled
    }

    /// A page of so many items came, so many of them new; `asked` were asked for at most, or it was not asked (0).
    pub(super) fn note(&mut self, length: u64, new: u64, asked: u32, info: &Value) {
        let told = |name: &str| info.get(name).and_then(Value::as_u64);
        self.seen += new;
        self.is_repeated = length > 0 && new == 0;
        self.is_mixed |= new > 0 && new < length;
        if new > 0 {
            self.filled += 1;
            let size = told("per_page").filter(|size| *size > 0).unwrap_or_else(|| asked.into());
            self.is_full = length == size;
        }
        self.count = self.count.max(told("count").filter(|count| *count > length).unwrap_or(0));
        if let Some(total) = told("total_count") {
            // Whatever it counts, something is gone where it falls. Where it rises, that may be of what was not asked for.
            if let Some(was) = self.total.filter(|was| *was > total || (*was < total && !self.is_narrowed)) {
                self.changed.get_or_insert((was, total)).1 = total;
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

    /// Whether anything tells that the list may have moved while it was read.
    pub(super) fn seems_to_move(&self) -> bool {
        let counts_more = !self.is_narrowed && self.total.is_some_and(|total| total > self.seen);
        self.changed.is_some() || self.is_mixed || counts_more
    }

    /// How the list moved while it was read, where the counts do not say that all was seen nonetheless.
    pub(super) fn moved(&self) -> Option<String> {
        let mixed = || "an item of the list came on two pages of it".to_owned();
        self.changed().or_else(|| (self.is_mixed && !self.is_counted()).then(mixed))
    }

    /// How the total changed, if it did.
    pub(super) fn changed(&self) -> Option<String> {
        self.changed.map(|(was, is)| match is.cmp(&was) {
            Ordering::Less => format!("the list shrank from {was} to {is}"),
            Ordering::Equal => format!("the list of {was} changed and changed back"),
            Ordering::Greater => format!("the list grew from {was} to {is}"),
        })
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
        self.missing().map_or(After::End, After::Short)
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
