//! Every effect of every action, with everything that can go wrong on the way: one arrival, the right outcome, and a
//! look that tells what happened.

use std::time::Duration;

use quell::cli::catalogue::CATALOGUE;
use quell::cloudflare::simulator::CANARY;
use quell::model::{Call, Effect, Verdict};
use quell::simulator::{FaultKind, Request};
use tokio::task::JoinSet;

use super::incident::Incident;
use super::params::filled;
use crate::stage::{Stage, action};

/// What must come of a call that a fault strikes: the outcome, whether the world changes, and a part of the reason.
struct Expected {
    outcome: &'static str,
    changes: bool,
    why: &'static str,
}

/// A fault and the one after it. A new kind of fault does not compile until it has its place here.
fn after(kind: &FaultKind) -> Option<FaultKind> {
    Some(match kind {
        FaultKind::Refuse => FaultKind::Forbidden,
        FaultKind::Forbidden => FaultKind::Throttle { retry_after: 7 },
        FaultKind::Throttle { .. } => FaultKind::ServerError,
        FaultKind::ServerError => FaultKind::BadGatewayHtml,
        FaultKind::BadGatewayHtml => FaultKind::Slow(Duration::from_millis(50)),
        FaultKind::Slow(_) => FaultKind::Html,
        FaultKind::Html => FaultKind::Truncated,
        FaultKind::Truncated => FaultKind::SuccessFalse,
        FaultKind::SuccessFalse => FaultKind::DropBefore,
        FaultKind::DropBefore => FaultKind::DropAfter,
        FaultKind::DropAfter => FaultKind::DropAfterPartial,
        FaultKind::DropAfterPartial => FaultKind::Hang,
        FaultKind::Hang => return None,
    })
}

const fn expected(kind: &FaultKind) -> Expected {
    let (outcome, changes, why) = match kind {
        FaultKind::Refuse => ("refused", false, "HTTP 400"),
        FaultKind::Forbidden => ("refused", false, "HTTP 403"),
        FaultKind::Throttle { .. } => ("not_sent", false, "rate limit"),
        FaultKind::ServerError => ("unknown", false, "HTTP 500"),
        FaultKind::BadGatewayHtml => ("unknown", false, "HTTP 502"),
        FaultKind::Slow(_) => ("applied", true, ""),
        FaultKind::Html => ("unknown", false, "HTML"),
        FaultKind::Truncated => ("unknown", true, "cut off"),
        FaultKind::SuccessFalse => ("refused", false, "1000"),
        FaultKind::DropBefore => ("unknown", false, "broke before an answer"),
        FaultKind::DropAfter => ("unknown", true, "broke before an answer"),
        FaultKind::DropAfterPartial => ("unknown", true, "cut off"),
        FaultKind::Hang => ("unknown", false, "no answer in time"),
    };
    Expected { outcome, changes, why }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_fault_has_its_outcome_and_none_makes_it_send_again() {
    let mut cases = JoinSet::new();
    let mut driven = 0;
    for action in CATALOGUE.iter() {
        let id = action.spec().id;
        let stage = Stage::new().await;
        let params = filled(action, &stage).await;
        let plan = stage.plan(id, params.clone()).await.unwrap().plan;
        if !plan.effects.iter().any(|effect| matches!(effect.call, Call::Http(_))) {
            continue;
        }
        driven += 1;
        let mut next = Some(FaultKind::Refuse);
        while let Some(kind) = next {
            next = after(&kind);
            cases.spawn(strike(id, params.clone(), kind));
        }
    }
    assert!(driven >= 3, "only {driven} actions send anything");
    while let Some(case) = cases.join_next().await {
        case.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    }
}

/// Strikes every call of the action with `kind`, in an account of its own.
async fn strike(id: &'static str, params: serde_json::Value, kind: FaultKind) {
    let stage = match kind {
        FaultKind::Hang => Stage::with_patience(Duration::from_millis(1500)).await,
        _ => Stage::new().await,
    };
    let plan = stage.plan(id, params).await.unwrap().plan;
    let expected = expected(&kind);
    for effect in &plan.effects {
        let Call::Http(call) = &effect.call else { continue };
        let case = format!("{id} on {}: {kind:?}", effect.target.name);
        let (before, arrived) = (stage.account(), stage.simulator().requests().len());
        stage.fault(&call.method, &call.path, 0, kind.clone());
        // Each in an incident of its own: beside one that is in doubt the journal allows nothing.
        let mut incident = Incident::of(&stage, id, &plan);
        let sent = incident.send(&stage, effect).await;
        let why = sent.outcome.why().unwrap_or_default();
        assert_eq!(sent.outcome.as_str(), expected.outcome, "{case}: {sent:?}");
        assert!(why.contains(expected.why), "{case}: {why}");
        let arrived = stage.arrived(arrived);
        assert_eq!(arrived.len(), 1, "{case}: {arrived:#?}");
        assert_eq!(arrived[0].applied, expected.changes, "{case}: {arrived:#?}");
        // A value that is shown once is lost with the answer: no look brings it back.
        let is_visible = !call.secret_answer;
        let is_roll = call.secret_answer && call.method == "PUT";
        let changed = if is_roll { !still_works(&stage, effect) } else { stage.account() != before };
        assert_eq!(changed, expected.changes, "{case}");
        for text in [why, &sent.receipt.to_string(), &incident.text()] {
            assert!(!text.contains(CANARY), "{case}: a secret in {text}");
        }
        // What a look says must be so, and it must say something unless nothing can show it.
        let verdict = stage.verify(&incident.reread(&effect.key), None).await;
        match (&verdict, is_visible) {
            (Verdict::Holds(_), _) => assert!(changed, "{case}: {verdict:?}"),
            (Verdict::DoesNotHold(_), _) => assert!(!changed, "{case}: {verdict:?}"),
            (Verdict::CannotTell(_), is_visible) => assert!(!is_visible, "{case}: {verdict:?}"),
        }
    }
}

/// Whether the secret that the token had at first still opens the API.
fn still_works(stage: &Stage, effect: &Effect) -> bool {
    let token = stage.scenario.cast.tokens.iter().find(|token| token.id == effect.target.id).unwrap();
    let path = match token.owner {
        Some(_) => "/user/tokens/verify".to_owned(),
        None => format!("/accounts/{}/tokens/verify", stage.scenario.cast.account_id),
    };
    let verify = Request {
        method: "GET".into(),
        path,
        query: String::new(),
        headers: vec![("authorization".into(), format!("Bearer {}", token.secret))],
        body: None,
    };
    stage.simulator().act(&verify) == 200
}

#[tokio::test]
async fn nobody_at_the_other_end_proves_that_nothing_was_sent() {
    for spec in CATALOGUE.iter().map(quell::action::AnyAction::spec) {
        let mut stage = Stage::new().await;
        let params = filled(action(spec.id), &stage).await;
        let asked = stage.simulator().requests().len();
        let plan = stage.plan(spec.id, params.clone()).await.unwrap().plan;
        let reads = stage.arrived(asked).len();
        let mut incident = Incident::of(&stage, spec.id, &plan);
        stage.stop().await;
        for effect in &plan.effects {
            if matches!(effect.call, Call::Http(_)) {
                let sent = incident.send(&stage, effect).await;
                assert_eq!(sent.outcome.as_str(), "not_sent", "{}: {sent:?}", spec.id);
                assert!(sent.outcome.why().unwrap_or_default().contains("no connection"), "{}: {sent:?}", spec.id);
            }
            let verdict = stage.verify(effect, None).await;
            assert!(matches!(verdict, Verdict::CannotTell(_)), "{}: {verdict:?}", spec.id);
        }
        match stage.plan(spec.id, params).await {
            Ok(_) => assert_eq!(reads, 0, "{} saw nothing at all, and says that it did its look", spec.id),
            Err(error) => {
                assert!(error.message.contains("no answer"), "{}: {error}", spec.id);
                assert!(error.hint.is_some(), "{}: {error}", spec.id);
            }
        }
    }
}
