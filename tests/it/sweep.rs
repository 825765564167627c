//! Sweeps of the simulated account, with everything that can go wrong on the way.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use quell::clock::{Clock, SystemClock};
use quell::cloudflare::api::{ApiBase, Connector, Credential, segment};
use quell::cloudflare::families::family;
use quell::cloudflare::simulator::{Quota, Scenario, WorldOptions, start};
use quell::hunt::sweep::{Ending, IN_FLIGHT, Place, Sink, Sweep, Swept, SweptPage};
use quell::hunt::{Family, Seat, Shape};
use quell::model::World;
use quell::provider::{Extent, Paging, Progress, ReadRequest};
use quell::secret::Secret;
use quell::simulator::{Fault, FaultKind, Request};

use crate::stage::Stage;

struct Silent;

impl Progress for Silent {
    fn show(&self, _: &Extent<'_>) {}

    fn left(&self, _what: &str, _left: std::time::Duration) {}
}

/// Counts the items of each list.
#[derive(Default)]
struct Counts {
    items: Vec<(String, usize)>,
    ends: Vec<(Place, Ending)>,
}

impl Counts {
    fn of(&self, seat: &str) -> usize {
        self.items.iter().filter(|(at, _)| at == seat).map(|(_, count)| count).sum()
    }

    fn ending(&self, seat: &str) -> &Ending {
        &self.ends.iter().find(|(place, _)| place.seat.name == seat).unwrap().1
    }
}

impl Sink for Counts {
    fn page(&mut self, page: SweptPage<'_>) -> io::Result<()> {
        self.items.push((page.place.seat.name.clone(), page.items.len()));
        Ok(())
    }

    fn end(&mut self, place: &Place, ending: &Ending) -> io::Result<()> {
        self.ends.push((place.clone(), ending.clone()));
        Ok(())
    }
}

async fn sweep(stage: &Stage, families: &[&Family], zones: &[Seat]) -> (Swept, Counts) {
    let mut counts = Counts::default();
    let done = BTreeSet::new();
    let sweep = Sweep {
        read: &*stage.connected.read,
        encode: segment,
        families,
        zones,
        done: &done,
        in_flight: IN_FLIGHT,
        clock: &*stage.clock,
        progress: &Silent,
    };
    let swept = sweep.run(&mut counts, std::future::pending()).await.unwrap();
    (swept, counts)
}

/// DNS records, five to a page, so that every zone has several.
fn records() -> Family {
    Family { shape: Shape::List(Paging::Pages { per_page: 5 }), ..*family("dns_records").unwrap() }
}

#[tokio::test]
async fn every_fault_is_a_gap_of_its_list_and_of_no_other() {
    let stage = Stage::new().await;
    let zones: Vec<Seat> = stage.zones().await.iter().map(|(id, name)| Seat::zone(id, name)).collect();
    let records = records();
    let (swept, clean) = sweep(&stage, &[&records], &zones).await;
    assert_eq!((swept.complete, swept.gaps.len()), (zones.len(), 0));
    let zone = zones.iter().find(|zone| clean.of(&zone.name) > 5).unwrap();
    let id = zone.zone_id.as_deref().unwrap();
    for kind in [
        FaultKind::Refuse,
        FaultKind::Forbidden,
        FaultKind::ServerError,
        FaultKind::BadGatewayHtml,
        FaultKind::Html,
        FaultKind::Truncated,
        FaultKind::SuccessFalse,
        FaultKind::DropBefore,
        FaultKind::DropAfterPartial,
    ] {
        for page in [1, 2] {
            let stage = Stage::new().await;
            stage.simulator().script(Fault {
                method: Some("GET".into()),
                path: format!("*/zones/{id}/dns_records?page={page}&*"),
                skip: 0,
                times: u32::MAX,
                kind: kind.clone(),
            });
            let (swept, counts) = sweep(&stage, &[&records], &zones).await;
            let case = format!("{kind:?} on page {page}: {swept:?}");
            assert_eq!((swept.complete, swept.gaps.len()), (zones.len() - 1, 1), "{case}");
            assert_eq!((&swept.gaps[0].family[..], &swept.gaps[0].scope), ("dns_records", &zone.name), "{case}");
            match counts.ending(&zone.name) {
                Ending::Refused(_) => assert_eq!((page, counts.of(&zone.name)), (1, 0), "{case}"),
                Ending::Short(gap) => {
                    assert_eq!((page, counts.of(&zone.name)), (2, 5), "{case}");
                    assert!(gap.reason.contains("page 2 was lost"), "{case}");
                }
                Ending::Complete => panic!("{case}"),
            }
            let others = zones.iter().filter(|other| other.name != zone.name);
            for other in others {
                assert_eq!(counts.of(&other.name), clean.of(&other.name), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn what_passes_leaves_no_gap() {
    let stage = Stage::new().await;
    let zones: Vec<Seat> = stage.zones().await.iter().map(|(id, name)| Seat::zone(id, name)).collect();
    let records = records();
    let (_, clean) = sweep(&stage, &[&records], &zones).await;
    let once = [
        FaultKind::Forbidden,
        FaultKind::ServerError,
        FaultKind::BadGatewayHtml,
        FaultKind::Truncated,
        FaultKind::DropBefore,
        FaultKind::DropAfterPartial,
        FaultKind::Throttle { retry_after: 7 },
    ];
    for kind in once {
        let stage = Stage::new().await;
        let fault = Fault { method: None, path: "/dns_records".into(), skip: 3, times: 1, kind: kind.clone() };
        stage.simulator().script(fault);
        let (swept, counts) = sweep(&stage, &[&records], &zones).await;
        assert_eq!((swept.complete, swept.gaps.len()), (zones.len(), 0), "{kind:?}: {swept:?}");
        for zone in &zones {
            assert_eq!(counts.of(&zone.name), clean.of(&zone.name), "{kind:?}");
        }
    }
}

/// Somebody writes to the account between the first page of a list and the second.
struct Meddled<'m> {
    counts: Counts,
    meddle: Option<Box<dyn FnOnce() + Send + 'm>>,
}

impl Sink for Meddled<'_> {
    fn page(&mut self, page: SweptPage<'_>) -> io::Result<()> {
        if let Some(meddle) = self.meddle.take() {
            meddle();
        }
        self.counts.page(page)
    }

    fn end(&mut self, place: &Place, ending: &Ending) -> io::Result<()> {
        self.counts.end(place, ending)
    }
}

async fn meddled(stage: &Stage, family: &Family, zones: &[Seat], meddle: impl FnOnce() + Send) -> Counts {
    let mut sink = Meddled { counts: Counts::default(), meddle: Some(Box::new(meddle)) };
    let done = BTreeSet::new();
    let sweep = Sweep {
        read: &*stage.connected.read,
        encode: segment,
        families: &[family],
        zones,
        done: &done,
        in_flight: IN_FLIGHT,
        clock: &*stage.clock,
        progress: &Silent,
    };
    sweep.run(&mut sink, std::future::pending()).await.unwrap();
    sink.counts
}

#[tokio::test]
async fn items_that_move_while_a_list_is_read_are_read_once() {
    let stage = Stage::new().await;
    let zones: Vec<Seat> = stage.zones().await.iter().map(|(id, name)| Seat::zone(id, name)).collect();
    let zone: Vec<Seat> = zones.into_iter().filter(|zone| zone.name == "harborlane.example").collect();
    let path = format!("/zones/{}/dns_records", zone[0].zone_id.as_deref().unwrap());
    let records = records();
    let (_, clean) = sweep(&stage, &[&records], &zone).await;
    let before = clean.of("harborlane.example");
    // One more at the end is read with the rest.
    let body = serde_json::json!({ "type": "A", "name": "new", "content": "192.0.2.99", "ttl": 300 });
    let grown = meddled(&stage, &records, &zone, || assert_eq!(stage.act("POST", &path, Some(body)), 200)).await;
    assert_eq!((grown.of("harborlane.example"), grown.ending("harborlane.example")), (before + 1, &Ending::Complete));
    // One less at the head lets another slip past the edge of a page: the list is read once more.
    let first = stage.send("GET", &format!("{path}?per_page=5"), serde_json::Value::Null).await;
    let one = format!("{path}/{}", first[0]["id"].as_str().unwrap());
    let shrunk = meddled(&stage, &records, &zone, || assert_eq!(stage.act("DELETE", &one, None), 200)).await;
    assert_eq!((shrunk.of("harborlane.example"), shrunk.ending("harborlane.example")), (before + 1, &Ending::Complete));
}

#[tokio::test]
async fn a_filtered_list_that_shrinks_while_it_is_read_is_read_once_more_too() {
    let stage = Stage::of(Scenario::big(60, 0).unwrap()).await;
    let zones = family("zones").unwrap();
    let gone = stage.send("GET", "/zones", serde_json::Value::Null).await[0]["id"].as_str().unwrap().to_owned();
    let account = &stage.scenario.cast;
    let delete = || {
        let request = Request {
            method: "DELETE".to_owned(),
            path: format!("/zones/{gone}"),
            query: String::new(),
            headers: vec![
                ("x-auth-email".into(), account.email.clone()),
                ("x-auth-key".into(), account.global_key.clone()),
            ],
            body: None,
        };
        assert_eq!(stage.simulator().act(&request), 200);
    };
    let shrunk = meddled(&stage, zones, &[], delete).await;
    assert_eq!((shrunk.of("account"), shrunk.ending("account")), (60, &Ending::Complete));
}

/// The simulator's own clock goes by real time here, and so does the client's.
#[tokio::test]
async fn a_sweep_earns_no_429_from_a_small_budget() {
    let quota = Quota { requests: 60, seconds: 1 };
    let scenario = Scenario::big(100, 0).unwrap();
    let options = WorldOptions { quota, ..WorldOptions::at(jiff::Timestamp::now()) };
    let simulator = start(&scenario, options).await.unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let credential = Credential::Token(Secret::new(scenario.cast.responder_token.clone()));
    let world = World::Rehearsal("big".to_owned());
    let base = ApiBase::parse(simulator.base_url()).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let connected = Connector::new(base, credential, world, Arc::clone(&clock))
        .connect(Some(&scenario.cast.account_id))
        .await
        .unwrap();
    let zones: Vec<Seat> = {
        let listing = ReadRequest::new("/zones");
        let listing = connected.read.list(&listing, Paging::Pages { per_page: 50 }).await.unwrap();
        let text = |zone: &serde_json::Value, field: &str| zone[field].as_str().unwrap().to_owned();
        listing.items.iter().map(|zone| Seat::zone(&text(zone, "id"), &text(zone, "name"))).collect()
    };
    let (mut counts, done) = (Counts::default(), BTreeSet::new());
    let families = [family("dns_records").unwrap()];
    let sweep = Sweep {
        read: &*connected.read,
        encode: segment,
        families: &families,
        zones: &zones,
        done: &done,
        in_flight: IN_FLIGHT,
        clock: &*clock,
        progress: &Silent,
    };
    let swept = sweep.run(&mut counts, std::future::pending()).await.unwrap();
    assert_eq!((swept.complete, swept.gaps.len()), (100, 0), "{swept:?}");
    let requests = simulator.requests();
    assert!(requests.len() > 100 && requests.iter().all(|request| request.status == 200), "{requests:#?}");
}

#[tokio::test]
async fn rulesets_are_read_with_their_rules_and_tokens_of_both_kinds() {
    let stage = Stage::new().await;
    let zones: Vec<Seat> = stage.zones().await.iter().map(|(id, name)| Seat::zone(id, name)).collect();
    let families = ["user_tokens", "account_tokens", "members", "zone_rulesets", "account_rulesets", "dns_records"];
    let families: Vec<&Family> = families.iter().filter_map(|name| family(name)).collect();
    assert_eq!(families.len(), 6);
    let before = stage.simulator().requests().len();
    let (swept, counts) = sweep(&stage, &families, &zones).await;
    assert_eq!((swept.gaps, counts.ends.len()), (vec![], 4 + 2 * zones.len()));
    let arrived = stage.arrived(before);
    assert!(arrived.iter().any(|request| request.path.contains("/rulesets/")));
    let mut paths: Vec<_> = arrived.iter().map(|request| &request.path).collect();
    let count = paths.len();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), count, "something was read twice");
}
