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

/// Takes `pages` of a list one after the other: what follows the last, the new items of each, and the pages asked for.
fn walk(request: &ReadRequest, pages: &[(Vec<Value>, Value)]) -> (After, Vec<usize>, Vec<u32>) {
    let mut pager = Pager::new(request, PAGES.into());
    let (mut after, mut new, mut asked) = (After::More, Vec::new(), Vec::new());
    for (page, info) in pages {
        assert_eq!(after, After::More, "{asked:?}");
        asked.push(pager.page());
        let taken = take(&mut pager, page.clone(), info);
        after = taken.0;
        new.push(taken.1);
    }
    (after, new, asked)
}

fn total(total: u32) -> Value {
    json!({"per_page": 3, "total_count": total, "total_pages": total.div_ceil(3)})
}

#[test]
fn a_list_that_changes_is_read_once_more_and_says_so_where_it_changes_again() {
    let request = ReadRequest::new("/x");
    // The fourth moved up past the edge of the first page, which had been read.
    let pass = [(items(0..3), total(6)), (items(4..6), total(5))];
    let still = [(items(1..4), total(5)), (items(4..6), total(5))];
    let (after, new, asked) = walk(&request, &[pass.clone(), still].concat());
    assert_eq!((after, new, asked), (After::End, vec![3, 2, 1, 0], vec![1, 2, 1, 2]));
    let (after, ..) = walk(&request, &[pass.clone(), pass.clone()].concat());
    assert!(short(&after, "shrank from 6 to 5 while it was read, so an item may have been skipped"), "{after:?}");
    let grows = [(items(0..3), total(5)), (items(3..6), total(6))];
    assert!(short(&walk(&request, &[grows.clone(), grows].concat()).0, "grew from 5 to 6"));
    // The total of all is no measure of those that were asked for; that it falls is told all the same.
    let filtered = ReadRequest::new("/x").with("account.id", "a");
    let of = |total: u32| json!({"per_page": 3, "total_count": total});
    let pass = [(items(0..3), of(60)), (items(4..6), of(59))];
    assert!(short(&walk(&filtered, &[pass.clone(), pass].concat()).0, "shrank from 60 to 59"));
    let (after, _, asked) = walk(&filtered, &[(items(0..3), of(59)), (items(3..5), of(60)), (items(0..3), of(60))]);
    assert_eq!((after, asked), (After::End, vec![1, 2, 1]));
}

#[test]
fn of_a_few_pages_all_but_the_last_are_looked_at_again() {
    let request = ReadRequest::new("/x");
    // One was removed from the first page and another added at the end: the count is as before, and the fourth was skipped.
    let pass = [(items(0..3), total(6)), (items(4..7), total(6))];
    let again = [(items(1..4), total(6)), (items(4..7), total(6))];
    let (after, new, asked) = walk(&request, &[pass.clone(), again].concat());
    assert_eq!((after, new, asked), (After::End, vec![3, 3, 1, 0], vec![1, 2, 1, 2]));
    // Nothing new: the last page need not be read again.
    let calm = [(items(0..3), total(6)), (items(3..6), total(6)), (items(0..3), total(6))];
    assert_eq!(walk(&request, &calm), (After::End, vec![3, 3, 0], vec![1, 2, 1]));
    let many: Vec<_> = (0..6).map(|page| (items(page * 3..page * 3 + 3), total(18))).collect();
    assert_eq!(walk(&request, &many).0, After::End);
    // An item on two pages beside a new one, and no count: it moves, and is read again however long it is.
    let mut moved: Vec<_> = many.iter().map(|(page, _)| (page.clone(), json!({"per_page": 3}))).collect();
    moved[5].0 = items(14..17);
    moved.push((items(0..0), json!({"per_page": 3})));
    let (after, ..) = walk(&request, &[moved.clone(), moved].concat());
    assert!(short(&after, "an item of the list came on two pages of it"), "{after:?}");
}

#[test]
fn what_cannot_be_read_again_says_so() {
    let request = ReadRequest::new("/x");
    let mut pager = Pager::new(&request, PAGES.into());
    take(&mut pager, items(0..3), &total(6));
    assert_eq!(pager.lost(&"gone"), "page 2 was lost, and all after it: gone");
    take(&mut pager, items(3..6), &total(6));
    assert!(!pager.is_first() && pager.lost(&"gone").starts_with("page 1 could not be read again, so an item"));
}

#[test]
fn one_answer_as_long_as_a_page_that_counts_nothing_is_asked_for_more() {
    let request = ReadRequest::new("/x");
    let begin = |length: u32| {
        let mut pager = Pager::new(&request, Paging::Single.into());
        let (after, _) = take(&mut pager, items(0..length), &Value::Null);
        (pager, after)
    };
    let (mut pager, after) = begin(50);
    assert_eq!((after, pager.ask().query), (After::More, vec![("page".to_owned(), "2".to_owned())]));
    assert_eq!(take(&mut pager, items(50..60), &Value::Null), (After::End, 10));
    let (mut pager, _) = begin(50);
    assert_eq!(take(&mut pager, items(0..0), &Value::Null).0, After::End);
    let (mut pager, _) = begin(50);
    assert!(short(&take(&mut pager, items(0..50), &Value::Null).0, "50 came, as many as a page may hold"));
    assert_eq!(begin(51).1, After::End);
    for (info, after) in [
        (json!({"total_count": 50}), After::End),
        (json!({"total_pages": 1}), After::End),
        (json!({"count": 50, "page": 1, "per_page": 50}), After::More),
    ] {
        assert_eq!(first(&request, Paging::Single, items(0..50), &info), after, "{info}");
    }
    assert_eq!(first(&request, Paging::Single, items(0..30), &json!({"per_page": 30})), After::More);
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
    assert!(short(&first(&request, Paging::Single, items(0..1), &json!({"total_pages": 2})), "2 pages, and gave 1"));
    assert_eq!(first(&request, Paging::Single, items(0..1), &Value::Null), After::End);
}

#[test]
fn a_full_page_that_is_given_again_is_no_end_unless_the_count_says_so() {
    let again = |info: Value| {
        let request = ReadRequest::new("/x").with("since", "2026-01-01");
        let mut pager = Pager::new(&request, PAGES.into());
        assert_eq!(take(&mut pager, items(0..3), &info), (After::More, 3), "{info}");
        take(&mut pager, items(0..3), &info).0
    };
    for info in [Value::Null, json!({"per_page": 3}), json!({"per_page": 3, "total_count": 60})] {
        assert!(matches!(again(info.clone()), After::Short(_)), "{info}");
    }
    assert!(short(&again(json!({"per_page": 3, "total_pages": 20})), "20 pages, and gave 1"));
    assert_eq!(again(json!({"per_page": 3, "total_count": 3})), After::End);
    // It was longer than a page may be: it is no page, but the whole.
    assert_eq!(again(json!({"per_page": 2})), After::End);
}

#[test]
fn pages_are_counted_with_any_parameter_and_totals_with_those_that_leave_nothing_out() {
    let after_empty = |request: ReadRequest, length: u32, info: Value| {
        let mut pager = Pager::new(&request, PAGES.into());
        match take(&mut pager, items(0..length), &info).0 {
            After::More => take(&mut pager, vec![], &info).0,
            ended => ended,
        }
    };
    let narrowed = || ReadRequest::new("/x").with("is_deleted", "false");
    let all = || ReadRequest::new("/x").with("status", "all").with("perPage", "3");
    let counted = json!({"per_page": 3, "total_count": 120});
    assert_eq!(after_empty(narrowed(), 2, counted.clone()), After::End);
    assert!(short(&after_empty(all(), 2, counted.clone()), "120 in all, and gave 2"));
    // That the one page of what is left should be full to the last place is less likely than that the next was lost.
    assert!(short(&after_empty(narrowed(), 3, counted), "120 in all, and gave 3"));
    let paged = json!({"per_page": 3, "total_count": 0, "total_pages": 5});
    assert!(short(&after_empty(narrowed(), 1, paged.clone()), "5 pages, and gave 1"));
    assert!(short(&after_empty(all(), 0, paged), "5 pages, and gave 0"));
    assert_eq!(after_empty(all(), 0, json!({"per_page": 3, "total_count": 0, "total_pages": 1})), After::End);
    assert!(short(&after_empty(all(), 1, json!({"per_page": 3, "count": 700})), "700 in all, and gave 1"));
}

#[test]
fn a_full_page_without_any_cursor_is_read_again_with_shorter_pages() {
    let request = ReadRequest::new("/x");
    let cursors = Paging::Cursor { size: ("limit", 3) };
    let begin = || {
        let mut pager = Pager::new(&request, cursors.into());
        assert_eq!(take(&mut pager, items(0..3), &Value::Null), (After::More, 3));
        assert_eq!(pager.ask().query, [("limit".to_owned(), "2".to_owned())]);
        pager
    };
    // Whoever gives cursors gives one now, and the list was whole.
    let mut pager = begin();
    assert_eq!(take(&mut pager, items(0..2), &json!({"cursor": "c"})), (After::More, 0));
    assert_eq!(pager.ask().query[1], ("cursor".to_owned(), "c".to_owned()));
    assert_eq!(take(&mut pager, items(2..3), &Value::Null), (After::End, 0));
    // Whoever does not has cut it off, or may have.
    for length in [2, 3] {
        assert!(short(&take(&mut begin(), items(0..length), &Value::Null).0, "came without a cursor"), "{length}");
    }
    for end in [json!({"cursor": ""}), json!({"cursor": null}), json!({"total_count": 3})] {
        assert_eq!(first(&request, cursors, items(0..3), &end), After::End, "{end}");
    }
    assert_eq!(first(&request, cursors, items(0..2), &Value::Null), After::End);
    let mut pager = Pager::new(&request, cursors.into());
    assert_eq!(take(&mut pager, items(0..3), &json!({"cursor": "c"})).0, After::More);
    assert_eq!(take(&mut pager, items(3..6), &json!({})).0, After::End);
    // What has no id cannot be read twice.
    let nameless = vec![json!({"a": 1}), json!({"a": 2}), json!({"a": 3})];
    assert!(short(&first(&request, cursors, nameless, &Value::Null), "came without a cursor"));
}
