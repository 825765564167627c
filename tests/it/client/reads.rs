use std::sync::Arc;
use std::time::Duration;

use quell::cloudflare::api::Connected;
use quell::provider::{Layout, Listing, Paging, ReadError, ReadRequest, Reading};
use serde_json::{Value, json};

use super::scripted::{Reply, Server, Stepped, TOKEN, answer, items, no, ok};

const PAGES: Paging = Paging::Pages { per_page: 3 };

async fn get(server: &Server) -> Result<Reading, ReadError> {
    server.connect(&Stepped::new()).await.read.get(&ReadRequest::new("/x")).await
}

async fn list(server: &Server, request: &ReadRequest, paging: Paging) -> Result<Listing, ReadError> {
    server.connect(&Stepped::new()).await.read.list(request, paging).await
}

fn ids(listing: &Listing) -> Vec<&str> {
    listing.items.iter().filter_map(|item| item["id"].as_str()).collect()
}

/// A reply, how often it is asked for, and a part of the error.
type Case = (fn() -> Reply, usize, &'static str);

/// The page that a request line asks for.
fn page(line: &str) -> u32 {
    line.split_once("page=").and_then(|(_, rest)| rest.split('&').next()?.parse().ok()).unwrap_or(1)
}

#[tokio::test]
async fn an_answer_comes_whole_with_its_source_and_time() {
    let body = r#"{"success":true,"result":{"id":"1"}}"#;
    let server = Server::start(move |_, _| answer(200, "date: Mon, 23 Nov 2026 12:00:07 GMT\r\n", body)).await;
    let connected = server.connect(&Stepped::new()).await;
    let request = ReadRequest::new("/x").with("name", "a b&c");
    let reading = connected.read.get(&request).await.unwrap();
    assert_eq!(reading.result, json!({"id": "1"}));
    assert_eq!(reading.body.expose(), body.as_bytes());
    assert_eq!(reading.source, "GET /x?name=a+b%26c");
    assert_eq!(reading.server_time, Some("2026-11-23T12:00:07Z".parse().unwrap()));
    let log = server.log.lock().unwrap();
    let head = log.last().unwrap();
    assert!(head.contains(&format!("authorization: Bearer {TOKEN}")) && head.contains("user-agent: quell/"), "{head}");
}

#[tokio::test]
async fn pages_are_joined_and_items_that_moved_are_taken_once() {
    let server = Server::start(|line, _| {
        let ids = if page(line) == 1 { 0..3 } else { 2..4 };
        ok(items(ids), json!({"page": page(line), "per_page": 3, "count": 3, "total_count": 4}))
    })
    .await;
    let listing = list(&server, &ReadRequest::new("/x"), PAGES).await.unwrap();
    assert_eq!((ids(&listing), listing.shortfall.as_deref()), (vec!["0", "1", "2", "3"], None));
    assert!(listing.pages.len() == 4 && listing.pages.iter().all(|page| page.result.is_null()));
    // That one came twice says that the list may have moved, so it is read once more.
    let pass = ["GET /x?page=1&per_page=3", "GET /x?page=2&per_page=3"];
    assert_eq!(server.arrived(), [pass, pass].concat());
}

#[tokio::test]
async fn what_moves_up_past_an_edge_is_not_skipped() {
    // After the first request the first of six is removed, and another is added at the end.
    let server = Server::start(|line, n| {
        let start = (page(line) - 1) * 3 + u32::from(n > 0);
        ok(items(start..start + 3), json!({"page": page(line), "per_page": 3, "total_count": 6, "total_pages": 2}))
    })
    .await;
    let listing = list(&server, &ReadRequest::new("/x"), PAGES).await.unwrap();
    assert_eq!((ids(&listing), listing.shortfall.as_deref()), (vec!["0", "1", "2", "4", "5", "6", "3"], None));
    // One page costs no more than one request, and two that stand still one more.
    let single =
        Server::start(|_, _| ok(items(0..3), json!({"per_page": 3, "total_count": 3, "total_pages": 1}))).await;
    list(&single, &ReadRequest::new("/x"), PAGES).await.unwrap();
    assert_eq!(single.arrived().len(), 1);
    let lost = Server::start(|line, n| match n {
        0 | 1 => {
            let start = (page(line) - 1) * 3;
            ok(items(start..start + 3), json!({"per_page": 3, "total_count": 6, "total_pages": 2}))
        }
        _ => no(403, 9109, "Unauthorized to access requested resource"),
    })
    .await;
    let listing = list(&lost, &ReadRequest::new("/x"), PAGES).await.unwrap();
    let why = listing.shortfall.unwrap();
    assert!(listing.items.len() == 6 && why.contains("page 1 could not be read again"), "{why}");
}

#[tokio::test]
async fn an_answer_that_is_a_part_by_its_own_word_is_not_the_whole() {
    let part = "the API says that its answer was cut short, so there may be more";
    for body in [
        r#"{"success":true,"result":[{"id":"1"}],"result_info":{"is_truncated":true}}"#,
        r#"{"success":true,"result":[{"id":"1"}],"truncated":true}"#,
        r#"{"success":true,"result":{"buckets":[{"id":"1"}],"truncated":true}}"#,
    ] {
        let server = Server::start(move |_, _| answer(200, "", body)).await;
        let read = server.connect(&Stepped::new()).await.read;
        let request = ReadRequest::new("/x");
        let layout = Layout { inside: "buckets", ..Paging::Single.into() };
        let listing = Listing::gather(&mut *read.pages(&request, layout)).await.unwrap();
        assert_eq!((listing.items.len(), listing.shortfall.as_deref()), (1, Some(part)), "{body}");
    }
    let server = Server::start(|_, _| answer(200, "", r#"{"success":true,"result":{},"truncated":true}"#)).await;
    assert_eq!(get(&server).await, Err(ReadError::Unreadable(part.into())));
    let server = Server::start(|_, _| answer(206, "", r#"{"success":true,"result":[{"id":"1"}]}"#)).await;
    let error = list(&server, &ReadRequest::new("/x"), PAGES).await.unwrap_err();
    assert!(matches!(&error, ReadError::Unreadable(why) if why.contains("HTTP 206")), "{error}");
}

#[tokio::test]
async fn one_answer_as_long_as_a_page_is_asked_for_what_comes_after_it() {
    let paged = Server::start(|line, _| ok(items(if page(line) == 1 { 0..50 } else { 50..57 }), Value::Null)).await;
    let listing = list(&paged, &ReadRequest::new("/x"), Paging::Single).await.unwrap();
    assert_eq!((listing.items.len(), listing.shortfall), (57, None));
    assert_eq!(paged.arrived(), ["GET /x", "GET /x?page=2"]);
    let cut = Server::start(|_, _| ok(items(0..100), Value::Null)).await;
    let why = list(&cut, &ReadRequest::new("/x"), Paging::Single).await.unwrap().shortfall.unwrap();
    assert!(why.contains("100 came, as many as a page may hold"), "{why}");
}

#[tokio::test]
async fn a_list_that_repeats_its_page_ends_and_says_what_is_missing() {
    let forever = Server::start(|_, _| ok(items(0..3), json!({"per_page": 3}))).await;
    let listing = list(&forever, &ReadRequest::new("/x"), PAGES).await.unwrap();
    let why = listing.shortfall.unwrap();
    assert!(listing.items.len() == 3 && why.contains("a full page was given again"), "{why}");
    assert_eq!(forever.arrived().len(), 2);
    let whole = Server::start(|_, _| ok(items(0..2), Value::Null)).await;
    let listing = list(&whole, &ReadRequest::new("/x"), PAGES).await.unwrap();
    assert_eq!((listing.items.len(), listing.shortfall), (2, None));
    let counted = Server::start(|_, _| ok(items(0..3), json!({"per_page": 3, "total_count": 7}))).await;
    let listing = list(&counted, &ReadRequest::new("/x"), PAGES).await.unwrap();
    assert_eq!(listing.shortfall.as_deref(), Some("the API counts 7 in all, and gave 3"));
}

#[tokio::test]
async fn a_clamped_page_is_not_taken_for_the_last() {
    let server = Server::start(|line, _| {
        let start = (page(line) - 1) * 2;
        ok(items(start..(start + 2).min(5)), json!({"page": page(line), "per_page": 2}))
    })
    .await;
    let listing = list(&server, &ReadRequest::new("/x"), Paging::Pages { per_page: 50 }).await.unwrap();
    assert_eq!((listing.items.len(), listing.shortfall), (5, None));
}

#[tokio::test]
async fn without_any_info_a_list_is_read_to_an_empty_page() {
    let server = Server::start(|line, _| match page(line) {
        1 => ok(items(0..3), Value::Null),
        2 => ok(items(3..4), Value::Null),
        _ => ok(Value::Null, Value::Null),
    })
    .await;
    let listing = list(&server, &ReadRequest::new("/x"), PAGES).await.unwrap();
    // The first page is looked at again.
    assert_eq!((listing.items.len(), server.arrived().len()), (4, 4));
}

#[tokio::test]
async fn cursors_are_followed_to_the_end_and_not_round_in_circles() {
    let plain = Server::start(|line, n| {
        assert_eq!(line.contains("cursor=c0"), n == 1, "{line}");
        let next = if n == 0 { "c0" } else { "" };
        ok(json!([{"name": n}]), json!({"cursor": next}))
    })
    .await;
    let listing = list(&plain, &ReadRequest::new("/x"), Paging::Cursor { size: ("limit", 7) }).await.unwrap();
    assert_eq!((listing.items.len(), listing.shortfall), (2, None));
    assert_eq!(plain.arrived()[0], "GET /x?limit=7");
    let after = Server::start(|_, n| {
        let info = if n == 0 { json!({"cursors": {"after": "c0"}}) } else { json!({}) };
        ok(items(n as u32..n as u32 + 1), info)
    })
    .await;
    let listing = list(&after, &ReadRequest::new("/x"), Paging::CursorAfter { per_page: 7 }).await.unwrap();
    assert_eq!((listing.items.len(), listing.shortfall), (2, None));
    let circle = Server::start(|_, n| ok(items(n as u32..n as u32 + 1), json!({"cursor": "c0"}))).await;
    let listing = list(&circle, &ReadRequest::new("/x"), Paging::Cursor { size: ("limit", 7) }).await.unwrap();
    assert!(listing.shortfall.unwrap().contains("given before"));
}

#[tokio::test]
async fn a_list_of_cursors_that_is_cut_off_without_one_says_so() {
    let cursors = Paging::Cursor { size: ("limit", 3) };
    let cut = Server::start(|line, _| ok(items(0..if line.contains("limit=3") { 3 } else { 2 }), Value::Null)).await;
    let listing = list(&cut, &ReadRequest::new("/x"), cursors).await.unwrap();
    let why = listing.shortfall.unwrap();
    assert!(listing.items.len() == 3 && why.contains("came without a cursor"), "{why}");
    assert_eq!(cut.arrived(), ["GET /x?limit=3", "GET /x?limit=2"]);
    let whole = Server::start(|line, _| match line {
        _ if line.contains("limit=3") => ok(items(0..3), Value::Null),
        _ if line.contains("cursor=c") => ok(items(2..3), Value::Null),
        _ => ok(items(0..2), json!({"cursor": "c"})),
    })
    .await;
    let listing = list(&whole, &ReadRequest::new("/x"), cursors).await.unwrap();
    assert_eq!((ids(&listing), listing.shortfall.as_deref()), (vec!["0", "1", "2"], None));
}

#[tokio::test]
async fn an_answer_that_names_errors_is_no_empty_list() {
    let shows = |body: &'static str| async move {
        let server = Server::start(move |_, _| answer(200, "", body)).await;
        list(&server, &ReadRequest::new("/x"), PAGES).await
    };
    let error = shows(r#"{"errors":[{"code":1234,"message":"internal"}],"result":[]}"#).await.unwrap_err();
    assert_eq!(error, ReadError::Rejected("1234: internal".into()));
    let error = shows(r#"{"success":true,"result":{"foo":[],"bar":1}}"#).await.unwrap_err();
    assert!(matches!(&error, ReadError::Unreadable(why) if why.contains("an object with foo, bar")), "{error}");
    let listing = shows(r#"{"success":true,"errors":[{"code":1234,"message":"x"}],"result":[]}"#).await.unwrap();
    let why = listing.shortfall.unwrap();
    assert!(why.contains("says yes to page 1, and names errors all the same: 1234: x"), "{why}");
    let listing = shows(r#"{"success":true,"result":null,"result_info":{"total_pages":4}}"#).await.unwrap();
    assert_eq!(listing.shortfall.as_deref(), Some("the API counts 4 pages, and gave 0"));
}

#[tokio::test]
async fn a_page_lost_in_the_middle_is_named_and_a_lost_first_one_is_an_error() {
    let middle = Server::start(|line, _| match page(line) {
        1 => ok(items(0..3), json!({"per_page": 3})),
        _ => no(500, 10001, "internal"),
    })
    .await;
    let listing = list(&middle, &ReadRequest::new("/x"), PAGES).await.unwrap();
    let why = listing.shortfall.unwrap();
    assert!(listing.items.len() == 3 && why.contains("page 2 was lost") && why.contains("10001"), "{why}");
    assert_eq!(middle.arrived().len(), 5);
    let first = Server::start(|_, _| no(403, 9109, "Unauthorized to access requested resource")).await;
    assert!(matches!(list(&first, &ReadRequest::new("/x"), PAGES).await, Err(ReadError::Forbidden(_))));
    let shape = Server::start(|_, _| ok(json!({"id": "1"}), Value::Null)).await;
    assert!(matches!(list(&shape, &ReadRequest::new("/x"), PAGES).await, Err(ReadError::Unreadable(_))));
}

#[tokio::test]
async fn a_429_is_waited_out_for_as_long_as_it_says() {
    let server = Server::start(|_, n| match n {
        0 => answer(429, "retry-after: 17\r\n", "{}"),
        _ => answer(200, "ratelimit: \"default\";r=41;t=200\r\n", r#"{"success":true,"result":1}"#),
    })
    .await;
    let clock = Stepped::new();
    let connected: Connected = server.connect(&clock).await;
    let waiting = connected.meter.waiting();
    assert!(connected.read.get(&ReadRequest::new("/x")).await.is_ok());
    // The short wait before the second try is taken off the long one.
    let slept: Duration = clock.slept.lock().unwrap().iter().sum();
    assert_eq!(slept.as_secs_f32().round(), 17.0);
    assert!(waiting.has_changed().unwrap() && waiting.borrow().is_none());
    let counts = connected.meter.snapshot();
    assert_eq!((counts.throttled, counts.remaining), (1, Some(41)));
}

#[tokio::test]
async fn a_spent_budget_is_obeyed_before_it_refuses() {
    let server =
        Server::start(|_, _| answer(200, "ratelimit: \"default\";r=0;t=25\r\n", r#"{"success":true,"result":1}"#))
            .await;
    let clock = Stepped::new();
    let connected = server.connect(&clock).await;
    for _ in 0..2 {
        connected.read.get(&ReadRequest::new("/x")).await.unwrap();
    }
    // Whole seconds may have been rounded down.
    assert_eq!(clock.longest(), 26);
}

#[tokio::test]
async fn nobody_waits_for_an_hour_and_nothing_is_asked_meanwhile() {
    let server = Server::start(|_, _| answer(429, "retry-after: 3600\r\n", "{}")).await;
    let clock = Stepped::new();
    let connected = server.connect(&clock).await;
    for _ in 0..2 {
        let error = connected.read.get(&ReadRequest::new("/x")).await.unwrap_err();
        assert!(matches!(&error, ReadError::Throttled(why) if why.contains("wait for 3")), "{error}");
    }
    assert_eq!((server.arrived().len(), clock.longest() < 10), (1, true));
}

#[tokio::test]
async fn a_passing_failure_is_tried_four_times_a_doubtful_one_twice_and_others_once() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"success\":true";
    let cases: [Case; 11] = [
        (|| Reply::Cut, 4, "no answer"),
        (|| no(503, 15000, "internal"), 4, "15000"),
        (|| answer(200, "", "<!doctype html><title>sign in</title>"), 4, "HTML"),
        (|| answer(200, "", "{\"success\":true,\"result\":["), 4, "cut off after 26 bytes"),
        (|| answer(302, "location: https://evil.example/\r\n", ""), 1, "redirect"),
        (|| no(200, 1001, "no\u{1b}[2J"), 1, "1001: no\\u{1b}[2J"),
        (|| no(404, 7003, "Could not route"), 1, "retired"),
        (|| answer(403, "", "<html>blocked</html>"), 2, "HTML"),
        (|| no(403, 10000, "Authentication error"), 2, "10000"),
        (|| no(403, 9109, "Unauthorized to access requested resource"), 1, "9109"),
        (|| answer(200, "", "{\"status\":\"ok\"}"), 1, "not the documented answer"),
    ];
    for (reply, tries, part) in cases {
        let server = Server::start(move |_, _| reply()).await;
        let error = get(&server).await.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!(server.arrived().len(), tries, "{error}");
    }
    let truncated = Server::start(move |_, _| Reply::Say(half.into())).await;
    let error = get(&truncated).await.unwrap_err().to_string();
    assert!(error.contains("the body was cut off after 15 bytes"), "{error}");
}

#[tokio::test]
async fn one_refusal_by_chance_is_not_seen() {
    let server = Server::start(|_, n| match n {
        0 => no(403, 10000, "Authentication error"),
        _ => ok(json!(1), Value::Null),
    })
    .await;
    assert_eq!((get(&server).await.unwrap().result, server.arrived().len()), (json!(1), 2));
}

#[tokio::test]
async fn a_failure_that_passes_is_not_seen() {
    let server = Server::start(|_, n| if n < 3 { Reply::Cut } else { ok(json!(1), Value::Null) }).await;
    assert_eq!(get(&server).await.unwrap().result, json!(1));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let mut server = Server::start(|_, _| Reply::Hang).await;
    server.patience = Duration::from_millis(300);
    let error = get(&server).await.unwrap_err();
    assert!(matches!(&error, ReadError::Unreachable(why) if why.contains("timed out")), "{error}");
}

#[tokio::test]
async fn a_secret_that_the_server_sends_back_is_not_repeated() {
    let server = Server::start(|_, _| no(400, 6003, &format!("Invalid format for {TOKEN}"))).await;
    let error = get(&server).await.unwrap_err();
    assert!(error.to_string().contains("Invalid format for «secret»") && !format!("{error:?}").contains(TOKEN));
}

#[tokio::test]
async fn text_is_taken_where_it_is_documented_and_nowhere_else() {
    let server = Server::start(|_, _| answer(200, "", "a.example. 300 IN A 192.0.2.1\n")).await;
    let read = Arc::clone(&server.connect(&Stepped::new()).await.read);
    let export = read.get(&ReadRequest::new("/zones/z/dns_records/export")).await.unwrap();
    assert_eq!(export.result, json!("a.example. 300 IN A 192.0.2.1\n"));
    let error = read.get(&ReadRequest::new("/zones/z/dns_records")).await.unwrap_err();
    assert!(matches!(&error, ReadError::Unreadable(why) if why.contains("no JSON")), "{error}");
}

#[tokio::test]
async fn a_path_that_means_something_else_is_not_asked() {
    let server = Server::start(|_, _| ok(Value::Null, Value::Null)).await;
    let read = Arc::clone(&server.connect(&Stepped::new()).await.read);
    let error = read.get(&ReadRequest::new("/zones/../user/tokens")).await.unwrap_err();
    assert!(matches!(error, ReadError::Rejected(_)));
    assert_eq!(server.arrived(), Vec::<String>::new());
}
