//! A sweep through the real client, against answers that are written out.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use quell::clock::Clock;
use quell::cloudflare::api::segment;
use quell::hunt::sweep::{Ending, Place, Sink, Stopped, Sweep, SweptPage};
use quell::hunt::{Family, Reach, Seat, Shape, Variant, blank};
use quell::provider::{Extent, Paging, Progress};
use serde_json::{Value, json};

use super::scripted::{Reply, Server, Stepped, items, no, ok};

const RECORDS: Family = Family {
    name: "records",
    title: "records",
    reach: Reach::Zone,
    path: "/zones/{zone}/records",
    permission: "Read",
    ..blank()
};
const RULES: Family =
    Family { name: "rules", path: "/zones/{zone}/rules", detail: Some("/zones/{zone}/rules/{id}"), ..RECORDS };
const APPS: Family = Family { name: "apps", title: "apps", path: "/apps", permission: "Read", ..blank() };
const POLICIES: Family =
    Family { name: "policies", title: "policies", reach: Reach::Of("apps"), path: "/apps/{parent}/policies", ..APPS };
const PARTS: Family =
    Family { name: "parts", title: "parts", reach: Reach::Of("policies"), path: "/policies/{parent}/parts", ..APPS };

/// Counts what it is given, and keeps the ids.
#[derive(Default)]
struct Book {
    /// Family, seat, and the ids of each page.
    pages: Vec<(String, String, Vec<String>)>,
    ends: Vec<(Place, Ending)>,
    /// Told after so many ends.
    enough: Option<(usize, tokio::sync::oneshot::Sender<()>)>,
}

impl Book {
    fn done(&self) -> BTreeSet<Place> {
        let complete = self.ends.iter().filter(|(_, ending)| *ending == Ending::Complete);
        complete.map(|(place, _)| place.clone()).collect()
    }

    fn ids(&self, family: &str) -> Vec<&str> {
        let pages = self.pages.iter().filter(|(of, ..)| of == family);
        pages.flat_map(|(.., ids)| ids.iter().map(String::as_str)).collect()
    }

    fn ending(&self, family: &str, seat: &str) -> &Ending {
        let mut ends = self.ends.iter().filter(|(place, _)| place.family == family && place.seat.name == seat);
        let (_, ending) = ends.next().unwrap_or_else(|| panic!("{family} at {seat} has not ended: {:?}", self.ends));
        assert_eq!(ends.next(), None, "{family} at {seat} ended twice");
        ending
    }
}

impl Sink for Book {
    fn page(&mut self, page: SweptPage<'_>) -> io::Result<()> {
        assert!(!self.ends.iter().any(|(place, _)| place == page.place), "a page after the end of {:?}", page.place);
        assert!(!page.answers.is_empty());
        let ids = page.items.into_iter().map(|item| item.id).collect();
        self.pages.push((page.family.name.to_owned(), page.place.seat.name.clone(), ids));
        Ok(())
    }

    fn end(&mut self, place: &Place, ending: &Ending) -> io::Result<()> {
        self.ends.push((place.clone(), ending.clone()));
        if self.enough.as_ref().is_some_and(|(ends, _)| self.ends.len() >= *ends) {
            self.enough.take().unwrap().1.send(()).unwrap();
        }
        Ok(())
    }
}

/// Remembers the last extent.
#[derive(Default)]
struct Shown(Mutex<(u64, u64, Option<u64>, Option<u32>)>);

impl Progress for Shown {
    fn show(&self, extent: &Extent<'_>) {
        assert!(extent.done <= extent.total, "{extent:?}");
        *self.0.lock().unwrap() = (extent.done, extent.total, extent.requests_left, extent.budget_left);
    }

    fn left(&self, _what: &str, _left: std::time::Duration) {}
}

fn zones(count: usize) -> Vec<Seat> {
    (0..count).map(|n| Seat::zone(&format!("z{n}"), &format!("{n}.example"))).collect()
}

async fn sweep(
    server: &Server,
    families: &[&Family],
    zones: &[Seat],
    done: &BTreeSet<Place>,
    book: &mut Book,
) -> quell::hunt::sweep::Swept {
    let (clock, shown) = (Stepped::new(), Shown::default());
    let connected = server.connect(&clock).await;
    let clock: Arc<dyn Clock> = clock;
    let (sender, stop) = tokio::sync::oneshot::channel();
    let enough = book.enough.take();
    let is_stopped = enough.is_some();
    book.enough = enough.map(|(ends, _)| (ends, sender));
    let sweep = Sweep {
        read: &*connected.read,
        encode: segment,
        families,
        zones,
        done,
        in_flight: 4,
        clock: &*clock,
        progress: &shown,
    };
    let stop = async move {
        if stop.await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let swept = sweep.run(book, stop).await.unwrap();
    if !is_stopped && swept.stopped.is_none() {
        let (done, total, requests_left, budget_left) = *shown.0.lock().unwrap();
        // Of a sweep that has nothing to ask, nothing is shown.
        if total > 0 {
            assert_eq!((done, requests_left), (total, Some(0)));
            assert!(budget_left.is_some());
        }
    }
    swept
}

fn stop_after(ends: usize) -> Book {
    Book { enough: Some((ends, tokio::sync::oneshot::channel().0)), ..Book::default() }
}

/// Apps with policies with parts, and records and rules in zones.
async fn account() -> Server {
    Server::start(|line, _| match line.split('?').next().unwrap() {
        "GET /apps" => ok(items(1..3), Value::Null),
        "GET /apps/1/policies" => ok(items(10..12), Value::Null),
        "GET /apps/2/policies" => ok(json!([]), Value::Null),
        "GET /policies/10/parts" => ok(items(100..101), Value::Null),
        "GET /policies/11/parts" => no(404, 1000, "there is none"),
        line if line.ends_with("/records") => ok(items(0..2), Value::Null),
        line if line.ends_with("/rules") => ok(items(0..2), Value::Null),
        line => ok(json!({"id": line.rsplit('/').next(), "full": true}), Value::Null),
    })
    .await
}

#[tokio::test]
async fn everything_is_read_once_the_urgent_first_and_what_belongs_to_an_item_with_it() {
    let server = account().await;
    let mut book = Book::default();
    let families = [&POLICIES, &APPS, &PARTS, &RECORDS, &RULES];
    let swept = sweep(&server, &families, &zones(2), &BTreeSet::new(), &mut book).await;
    assert_eq!(
        (book.ids("apps"), book.ids("policies"), book.ids("parts")),
        (vec!["1", "2"], vec!["10", "11"], vec!["100"])
    );
    assert_eq!((book.ids("records").len(), book.ids("rules").len()), (4, 4));
    let mut arrived = server.arrived();
    assert_eq!(arrived[0], "GET /apps");
    let count = arrived.len();
    arrived.sort();
    arrived.dedup();
    assert_eq!((arrived.len(), count), (1 + 2 + 2 + 2 + 2 + 4, 13));
    // The list of what they belong to ends when all of it has.
    assert!(
        matches!(book.ending("parts", "account/1/11"), Ending::Refused(gap) if gap.reason.contains("1000")),
        "{:?}",
        book.ends
    );
    let at = |family: &str, seat: &str| {
        book.ends.iter().position(|(place, _)| place.family == family && place.seat.name == seat)
    };
    assert!(
        at("apps", "account") > at("policies", "account/1")
            && at("policies", "account/1") > at("parts", "account/1/10")
    );
    assert_eq!(
        (book.ending("apps", "account"), book.ending("policies", "account")),
        (&Ending::Complete, &Ending::Complete)
    );
    assert_eq!((swept.gaps.len(), swept.unread, swept.stopped), (1, vec![], None));
}

#[tokio::test]
async fn what_belongs_to_a_list_that_is_refused_or_not_read_is_a_gap_too() {
    let server = Server::start(|_, _| no(403, 9109, "Unauthorized to access requested resource")).await;
    let mut book = Book::default();
    let swept = sweep(&server, &[&APPS, &POLICIES, &PARTS], &[], &BTreeSet::new(), &mut book).await;
    assert!(
        matches!(book.ending("apps", "account"), Ending::Refused(gap) if gap.permission.as_deref() == Some("Read"))
    );
    for (family, above) in [("policies", "apps"), ("parts", "policies")] {
        assert!(
            matches!(book.ending(family, "account"), Ending::Refused(gap) if gap.reason.contains(above)),
            "{family}"
        );
    }
    assert_eq!((swept.gaps.len(), server.arrived().len()), (3, 1));
    let mut book = Book::default();
    let swept = sweep(&server, &[&POLICIES], &[], &BTreeSet::new(), &mut book).await;
    assert_eq!((swept.gaps.len(), server.arrived().len()), (1, 1), "{swept:?}");
}

#[tokio::test]
async fn an_item_that_cannot_be_read_in_full_is_left_out_and_told() {
    let server = Server::start(|line, _| match line {
        line if line.ends_with("/rules") => ok(items(0..3), Value::Null),
        line if line.ends_with("/1") => no(403, 9109, "Unauthorized to access requested resource"),
        line => ok(json!({"id": line.rsplit('/').next(), "full": true}), Value::Null),
    })
    .await;
    let mut book = Book::default();
    sweep(&server, &[&RULES], &zones(1), &BTreeSet::new(), &mut book).await;
    assert_eq!(book.ids("rules"), ["0", "2"]);
    let ending = book.ending("rules", "0.example");
    assert!(
        matches!(ending, Ending::Short(gap) if gap.reason.contains("1 of 3") && gap.permission.is_some()),
        "{ending:?}"
    );
}

#[tokio::test]
async fn what_belongs_to_an_item_is_as_much_as_that_counts() {
    let server = Server::start(|line, _| match line {
        "GET /apps" => ok(json!([{"id": "1", "size": 3}, {"id": "2", "size": 2}, {"id": "3"}]), Value::Null),
        _ => ok(items(0..2), Value::Null),
    })
    .await;
    let policies = Family { counted: "/size", ..POLICIES };
    let mut book = Book::default();
    let swept = sweep(&server, &[&APPS, &policies], &[], &BTreeSet::new(), &mut book).await;
    let ending = book.ending("policies", "account/1");
    assert!(matches!(ending, Ending::Short(gap) if gap.reason.ends_with("counts 3, and 2 came")), "{ending:?}");
    assert_eq!(book.ending("policies", "account/2"), &Ending::Complete);
    assert_eq!((book.ending("policies", "account/3"), swept.gaps.len()), (&Ending::Complete, 1));
}

const BOTH: &[Variant] = &[Variant::query(&[("status", "active")]), Variant::query(&[("status", "all")])];

#[tokio::test]
async fn several_requests_that_show_one_item_show_it_once_and_a_refused_one_makes_the_list_short() {
    let family = Family { variants: BOTH, ..RECORDS };
    let server = Server::start(|line, _| match line.contains("active") {
        true => ok(items(0..2), Value::Null),
        false => ok(items(1..4), Value::Null),
    })
    .await;
    let mut book = Book::default();
    sweep(&server, &[&family], &zones(1), &BTreeSet::new(), &mut book).await;
    assert_eq!(book.ids("records"), ["0", "1", "2", "3"]);
    let server = Server::start(|line, _| match line.contains("active") {
        true => ok(items(0..2), Value::Null),
        false => no(400, 1234, "no such filter"),
    })
    .await;
    let mut book = Book::default();
    sweep(&server, &[&family], &zones(1), &BTreeSet::new(), &mut book).await;
    let ending = book.ending("records", "0.example");
    assert!(matches!(ending, Ending::Short(gap) if gap.reason.contains("1234")), "{ending:?}");
}

#[tokio::test]
async fn a_refusal_that_means_none_is_none_and_one_of_a_retired_path_says_so() {
    let none = Family { none_codes: &[10003], ..RECORDS };
    let missing = Family { name: "missing", missing_is_none: true, shape: Shape::One, ..RECORDS };
    let retired = Family { name: "retired", retired: Some("since 2025-06-15; rulesets"), ..RECORDS };
    let server = Server::start(|_, _| no(404, 10003, "there is none")).await;
    let mut book = Book::default();
    sweep(&server, &[&none, &missing, &retired], &zones(1), &BTreeSet::new(), &mut book).await;
    assert_eq!(
        (book.ending("records", "0.example"), book.ending("missing", "0.example")),
        (&Ending::Complete, &Ending::Complete)
    );
    assert!(book.pages.iter().all(|(.., ids)| ids.is_empty()));
    let ending = book.ending("retired", "0.example");
    assert!(
        matches!(ending, Ending::Refused(gap) if gap.reason.contains("retired (since 2025-06-15; rulesets)")),
        "{ending:?}"
    );
}

#[tokio::test]
async fn a_sweep_that_is_stopped_and_resumed_reads_each_list_once() {
    let server = account().await;
    let families = [&APPS, &POLICIES, &PARTS, &RECORDS, &RULES];
    let zones = zones(12);
    let mut book = stop_after(9);
    let stopped = sweep(&server, &families, &zones, &BTreeSet::new(), &mut book).await;
    assert_eq!(stopped.stopped, Some(Stopped::Interrupted));
    let done = book.done();
    assert!(done.len() >= 8 && stopped.unread.iter().all(|place| !done.contains(place)), "{stopped:?}");
    let gaps = stopped.unread_gaps();
    assert!(
        gaps.iter().any(|gap| gap.family == "records" && gap.reason == "not read yet" && gap.scope.contains(" more")),
        "{gaps:?}"
    );
    let before = server.arrived();
    let mut second = Book::default();
    let swept = sweep(&server, &families, &zones, &done, &mut second).await;
    assert_eq!((swept.stopped, swept.unread), (None, vec![]));
    let again = &server.arrived()[before.len()..];
    for place in done.iter().filter(|place| place.seat.zone_id.is_some()) {
        let path = format!("GET /zones/{}/{}", place.seat.zone_id.as_deref().unwrap(), place.family);
        assert!(!again.iter().any(|line| line.starts_with(&path)), "{path} was read again");
    }
    for family in ["records", "rules"] {
        let read = |book: &Book| book.done().into_iter().filter(|place| place.family == family).count();
        assert_eq!(read(&book) + read(&second), 12, "{family}");
    }
}

#[tokio::test]
async fn when_the_way_is_cut_the_sweep_ends_soon_and_says_what_it_did_not_read() {
    let server = Server::start(|line, _| match line.contains("/z0/") {
        true => ok(items(0..1), Value::Null),
        false => no(401, 1000, "Invalid API Token"),
    })
    .await;
    let mut book = Book::default();
    let swept = sweep(&server, &[&RECORDS], &zones(100), &BTreeSet::new(), &mut book).await;
    assert!(matches!(&swept.stopped, Some(Stopped::Outage(why)) if why.contains("1000")), "{swept:?}");
    assert!(server.arrived().len() < 20);
    assert_eq!(swept.complete + swept.gaps.len() + swept.unread.len(), 100);
    assert!(swept.unread_gaps()[0].reason.contains("not read yet: the API refused the credential"));
}

#[tokio::test]
async fn a_list_of_many_pages_is_handed_on_page_by_page() {
    let family = Family { shape: Shape::List(Paging::Cursor { size: ("limit", 2) }), ..RECORDS };
    let server = Server::start(|_, n| {
        let cursor = if n < 39 { format!("c{n}") } else { String::new() };
        ok(items(n as u32 * 2..n as u32 * 2 + 2), json!({ "cursor": cursor }))
    })
    .await;
    let mut book = Book::default();
    sweep(&server, &[&family], &zones(1), &BTreeSet::new(), &mut book).await;
    assert_eq!(book.pages.len(), 40);
    assert!(book.pages.iter().all(|(.., ids)| ids.len() == 2));
}

#[tokio::test]
async fn a_sink_that_is_full_ends_the_sweep() {
    struct Full;
    impl Sink for Full {
        fn page(&mut self, _: SweptPage<'_>) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn end(&mut self, _: &Place, _: &Ending) -> io::Result<()> {
            Ok(())
        }
    }
    let server = Server::start(|_, _| ok(items(0..1), Value::Null)).await;
    let clock = Stepped::new();
    let connected = server.connect(&clock).await;
    let (zones, done) = (zones(50), BTreeSet::new());
    let sweep = Sweep {
        read: &*connected.read,
        encode: segment,
        families: &[&RECORDS],
        zones: &zones,
        done: &done,
        in_flight: 4,
        clock: &*clock,
        progress: &Shown::default(),
    };
    let error = sweep.run(&mut Full, std::future::pending()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(server.arrived().len() <= 8, "{:?}", server.arrived().len());
}

#[tokio::test]
async fn so_many_at_a_time_and_no_more() {
    let most = Arc::new(Mutex::new((0_u32, 0_u32)));
    let seen = Arc::clone(&most);
    let server = Server::start(move |_, _| {
        let mut counts = seen.lock().unwrap();
        counts.0 += 1;
        // It never answers: what arrives is what is in flight.
        Reply::Hang
    })
    .await;
    let clock = Stepped::new();
    let connected = server.connect(&clock).await;
    let (zones, done) = (zones(50), BTreeSet::new());
    let sweep = Sweep {
        read: &*connected.read,
        encode: segment,
        families: &[&RECORDS],
        zones: &zones,
        done: &done,
        in_flight: 16,
        clock: &*clock,
        progress: &Shown::default(),
    };
    let arrived = async {
        while most.lock().unwrap().0 < 16 {
            tokio::task::yield_now().await;
        }
    };
    let swept = sweep.run(&mut Book::default(), arrived).await.unwrap();
    assert_eq!((most.lock().unwrap().0, swept.unread.len(), swept.stopped), (16, 50, Some(Stopped::Interrupted)));
}
