//! Sweeps of the simulated account, with everything that can go wrong on the way.

use std::collections::BTreeSet;
use std::io;

use quell::cloudflare::api::segment;
use quell::cloudflare::families::family;
use quell::hunt::sweep::{Ending, IN_FLIGHT, Place, Sink, Sweep, Swept, SweptPage};
use quell::hunt::{Family, Seat, Shape};
use quell::provider::{Extent, Paging, Progress};
use quell::simulator::{Fault, FaultKind};

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
