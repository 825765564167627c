//! Every read of every action refused, one at a time: what was not seen is told, and never taken for absent.

use std::collections::BTreeMap;

use quell::action::AnyAction;
use quell::cli::catalogue::CATALOGUE;
use quell::model::{Call, Verdict};
use quell::simulator::FaultKind;
use serde_json::Value;
use tokio::task::JoinSet;

use super::incident::Incident;
use super::params::filled;
use crate::stage::Stage;

/// Every window of the rate limit holds 1200 requests; a new account has a new one.
const ENOUGH: usize = 1000;

/// The reads of a clean plan: each path, with the number of those to the same path before it.
async fn reads(stage: &Stage, id: &str, params: &Value) -> Vec<(String, u32)> {
    let asked = stage.simulator().requests().len();
    stage.plan(id, params.clone()).await.unwrap();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let path = |target: String| target.split('?').next().unwrap_or_default().to_owned();
    let paths = stage.arrived(asked).into_iter().map(|request| path(request.path));
    let count = |path: String| {
        let count = counts.entry(path.clone()).or_default();
        *count += 1;
        (path, *count - 1)
    };
    paths.map(count).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_read_that_is_refused_is_a_gap_or_an_error() {
    let mut cases = JoinSet::new();
    for action in CATALOGUE.iter() {
        cases.spawn(refuse_each(action));
    }
    let mut total = 0;
    while let Some(case) = cases.join_next().await {
        total += case.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    }
    assert!(total > 60, "only {total} reads");
}

async fn refuse_each(action: &'static dyn AnyAction) -> usize {
    let id = action.spec().id;
    let mut stage = Stage::new().await;
    let params = filled(action, &stage).await;
    let clean = stage.plan(id, params.clone()).await.unwrap();
    let zones = stage.zones().await;
    let reads = reads(&stage, id, &params).await;
    for (path, nth) in &reads {
        if stage.simulator().requests().len() > ENOUGH {
            stage = Stage::new().await;
        }
        let asked = stage.simulator().requests().len();
        stage.fault("GET", path, *nth, FaultKind::Forbidden);
        let looked = stage.plan(id, params.clone()).await;
        let struck = stage.arrived(asked).iter().filter(|request| request.status == 403).count();
        assert_eq!(struck, 2, "{id}: {path} ({nth}) was not refused and read once more, or was asked again");
        let case = format!("{id} without {path} ({nth})");
        match looked {
            Err(error) => {
                assert!(error.message.contains("403"), "{case}: {error}");
                assert!(error.hint.is_some(), "{case}: {error}");
            }
            Ok(seen) => {
                let fresh: Vec<_> = seen.gaps.iter().filter(|gap| !clean.gaps.contains(gap)).collect();
                assert!(!fresh.is_empty(), "{case}: no gap; {}", seen.plan.summary);
                let told = fresh.iter().any(|gap| gap.permission.is_some() || gap.reason.contains("403"));
                assert!(told, "{case}: {fresh:#?}");
                if let Some((_, zone)) = zones.iter().find(|(id, _)| path.contains(id)) {
                    assert!(fresh.iter().any(|gap| gap.scope == *zone), "{case}: it does not name {zone}: {fresh:#?}");
                }
            }
        }
    }
    reads.len()
}

#[tokio::test]
async fn a_proof_that_cannot_be_read_is_neither_a_yes_nor_a_no() {
    for action in CATALOGUE.iter() {
        let (id, stage) = (action.spec().id, Stage::new().await);
        let plan = stage.plan(id, filled(action, &stage).await).await.unwrap().plan;
        let mut incident = Incident::of(&stage, id, &plan);
        let refuse_all = quell::simulator::Fault {
            method: Some("GET".into()),
            path: "/".into(),
            skip: 0,
            times: u32::MAX,
            kind: FaultKind::Forbidden,
        };
        let mut receipts = Vec::new();
        for effect in &plan.effects {
            let is_http = matches!(effect.call, Call::Http(_));
            receipts.push(if is_http { Some(incident.send(&stage, effect).await.receipt) } else { None });
        }
        stage.simulator().script(refuse_all);
        for (effect, receipt) in plan.effects.iter().zip(receipts) {
            let verdict = stage.verify(effect, receipt.as_ref()).await;
            assert!(matches!(verdict, Verdict::CannotTell(_)), "{id}: {verdict:?}");
        }
    }
}
