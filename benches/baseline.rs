//! How long it takes to write a baseline and to compare two, and how much memory: `cargo bench --bench baseline -- 1000000`.
//!
//! The records come from nowhere: what is measured is what quell does with them. Memory is the most that the process has
//! had, as the kernel tells it, after each part.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench fails by panicking, and tells what it measured")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use quell::cloudflare::families::family;
use quell::hunt::diff::Comparison;
use quell::hunt::snapshot::{Capture, Snapshot, Subject, Zones};
use quell::hunt::sweep::{Ending, Place, Sink, Swept, SweptPage};
use quell::hunt::{Family, Seat};
use quell::model::Account;
use serde_json::json;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Records in a page of the API.
const PAGE: usize = 5000;

fn capture(dir: &Path, records: &Family, count: usize, ids: &str, change: impl Fn(usize) -> bool) {
    let subject = Subject {
        tool: "bench".to_owned(),
        account: Account { id: "a".to_owned(), name: "A".to_owned() },
        api: "bench".to_owned(),
        families: vec![records.name.to_owned()],
        zones: None,
    };
    let mut capture = Capture::open(dir, subject, &[records], Timestamp::UNIX_EPOCH).unwrap();
    let seat = Seat::zone("z", "big.example");
    let place = Place { family: records.name.to_owned(), seat: seat.clone() };
    for first in (0..count).step_by(PAGE) {
        let item = |at: usize| {
            // The API does not give them in our order.
            let n = at * 7919 % count;
            let raw = json!({
                "id": format!("{ids}{n:030}"), "type": "A", "name": format!("host-{n}.big.example"),
                "content": format!("192.0.{}.{}", n / 256 % 256, n % 256), "proxied": !change(n), "ttl": 1,
                "settings": {}, "comment": null, "tags": [], "created_on": "2026-01-01T00:00:00Z",
                "modified_on": "2026-01-01T00:00:00Z",
            });
            records.item(&seat, raw)
        };
        let items = (first..count.min(first + PAGE)).map(item).collect();
        capture.page(SweptPage { family: records, place: &place, items, answers: vec![], evidence: vec![] }).unwrap();
    }
    capture.end(&place, &Ending::Complete).unwrap();
    let swept = Swept { complete: 1, gaps: vec![], unread: vec![], stopped: None };
    let manifest = capture.finish(&swept, Zones::All, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(manifest.items(), count as u64);
}

fn compare(before: &Path, after: &Path, records: &Family, scratch: &Path) -> u64 {
    let (before, after) = (Snapshot::open(before).unwrap(), Snapshot::open(after).unwrap());
    let comparison = Comparison {
        before: &before,
        before_name: "before",
        after: &after,
        after_name: "after",
        families: &[records],
        scratch,
    };
    let mut seen = BTreeSet::new();
    let compared = comparison.run(&mut |_, difference| {
        seen.insert(difference.change() as u8);
        Ok(())
    });
    compared.unwrap().total().all()
}

/// The most memory that the process has had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn timed<T>(what: &str, part: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = part();
    println!("{what:<44} {:>8.2} s   peak {:>4} MiB", begun.elapsed().as_secs_f64(), peak());
    result
}

fn main() {
    let count = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(100_000);
    let records = family("dns_records").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    println!("{count} DNS records");
    timed("write a baseline", || capture(&at("good"), records, count, "aa", |_| false));
    capture(&at("same"), records, count, "aa", |_| false);
    capture(&at("some"), records, count, "aa", |n| n % 1000 == 0);
    capture(&at("again"), records, count, "bb", |n| n % 1000 == 0);
    let scratch = at("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let some = count.div_ceil(1000) as u64;
    let told = timed("compare, nothing differs", || compare(&at("good"), &at("same"), records, &scratch));
    assert_eq!(told, 0);
    let told = timed("compare, one in a thousand differs", || compare(&at("good"), &at("some"), records, &scratch));
    assert_eq!(told, some);
    let told =
        timed("compare, all made again under other ids", || compare(&at("good"), &at("again"), records, &scratch));
    assert_eq!(told, some);
}
