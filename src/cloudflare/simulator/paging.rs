//! Page by page, and cursor by cursor.

use std::ops::Range;

use serde_json::{Value, json};

use super::call::{Query, Refusal, Reply, id_of};

/// How a list is cut into pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paging {
    pub(super) default: usize,
    pub(super) min: usize,
    pub(super) max: usize,
    /// The endpoint gives its last page again and again to whoever asks beyond it.
    pub(super) repeats_last: bool,
}

impl Paging {
    /// What most lists do.
    pub(super) const USUAL: Self = Self { default: 20, min: 5, max: 50, repeats_last: false };
    /// DNS records; in reality the maximum is 5,000,000.
    pub(super) const DNS: Self = Self { default: 100, min: 1, max: 5_000_000, repeats_last: false };
    /// Audit logs, version 1.
    pub(super) const AUDIT: Self = Self { default: 100, min: 1, max: 1000, repeats_last: false };

    /// The page that the query asks for. `total` is the number without any filter, as the API documents its total; the
    /// number of pages is that of what was asked for.
    pub(super) fn page(self, query: &Query, items: &[Value], total: usize) -> Reply {
        let (range, info) = self.window(query, items.len(), total);
        Reply::page(items[range].to_vec(), Some(info))
    }

    /// Which of `length` items that page has, and what the answer says of it.
    pub(super) fn window(self, query: &Query, length: usize, total: usize) -> (Range<usize>, Value) {
        let per_page = query.number("per_page").unwrap_or(self.default).clamp(self.min, self.max);
        let pages = length.div_ceil(per_page);
        let page = query.number("page").unwrap_or(1).max(1);
        let served = if self.repeats_last { page.min(pages.max(1)) } else { page };
        let start = (served - 1).saturating_mul(per_page).min(length);
        let end = start.saturating_add(per_page).min(length);
        let info = json!({
            "page": page,
            "per_page": per_page,
            "count": end - start,
            "total_count": total,
            "total_pages": pages,
        });
        (start..end, info)
    }
}

/// Up to `limit` items after the one that the cursor names, and the cursor of the rest.
///
/// The cursor names the last item given, so that new items at the head shift nothing.
pub(super) fn after_cursor(
    items: &[Value],
    cursor: Option<&str>,
    limit: usize,
) -> Result<(Vec<Value>, Option<String>), Refusal> {
    let start = match cursor.filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => {
            let last = items.iter().position(|item| id_of(item) == cursor);
            last.ok_or_else(|| Refusal::invalid("Invalid cursor"))? + 1
        }
    };
    let page: Vec<Value> = items[start..].iter().take(limit).cloned().collect();
    let more = items.len() > start + page.len();
    let next = page.last().filter(|_| more).map(|last| id_of(last).to_owned());
    Ok((page, next))
}
