//! Every example works; planning changes nothing; what is proposed can be done, and is then seen to be done.

use std::collections::BTreeSet;

use quell::cli::catalogue::CATALOGUE;
use quell::cloudflare::simulator::CANARY;
use quell::model::{Call, Effect, Gap, Outcome, Verdict};
use serde_json::json;

use super::incident::Incident;
use super::params::{example, filled, must_act, with};
use crate::stage::Stage;

#[tokio::test]
async fn every_example_plans_as_it_stands_and_a_slip_of_the_pen_is_told() {
    let stage = Stage::new().await;
    for action in CATALOGUE.iter() {
        let (id, params) = (action.spec().id, example(action.spec()));
        let schema = action.params_schema();
        for name in params.as_object().unwrap().keys() {
            assert!(schema["properties"][name].is_object(), "{id}: its schema does not know `{name}`");
        }
        let seen = match stage.plan(id, params.clone()).await {
            Ok(seen) => seen,
            // What it would put back is made up, so it must see that the token is another.
            Err(error) if id == "cloudflare.token.restore" && error.message.contains("so nothing is sent") => continue,
            Err(error) => panic!("{id}: {error} {:?}", error.hint),
        };
        let named = |gap: &&Gap| gap.family == "tokens";
        assert_eq!(seen.gaps.iter().find(named), None, "{id}: the example names a token that is not in the scenario");
        let slip = stage.plan(id, with(&params, "no_such_parameter", json!(1))).await.map(|_| ());
        let told = slip.is_err_and(|error| error.message.contains("no_such_parameter"));
        assert!(told, "{id} takes a parameter that it does not know");
    }
}

#[tokio::test]
async fn planning_writes_nothing_and_proposes_the_same_again() {
    for action in CATALOGUE.iter() {
        let (id, stage) = (action.spec().id, Stage::new().await);
        let params = filled(action, &stage).await;
        let (before, asked) = (stage.account(), stage.simulator().requests().len());
        let seen = stage.plan(id, params.clone()).await.unwrap_or_else(|error| panic!("{id}: {error}"));
        let arrived = stage.arrived(asked);
        assert!(arrived.iter().all(|request| request.method == "GET" && !request.applied), "{id}: {arrived:#?}");
        assert_eq!(stage.account(), before, "{id}");
        let effects = &seen.plan.effects;
        assert!(!must_act(action.spec()) || !effects.is_empty(), "{id} proposes nothing: the battery cannot drive it");
        let keys: BTreeSet<_> = effects.iter().map(|effect| &effect.key).collect();
        assert_eq!(keys.len(), effects.len(), "{id}: two effects under one key");
        for effect in effects {
            assert_eq!(effect.action, id);
            assert!(effect.danger <= action.spec().max_danger, "{id}: {effect:#?}");
            assert!(!effect.summary.is_empty() && !effect.target.id.is_empty(), "{id}: {effect:#?}");
        }
        let again = stage.plan(id, params).await.unwrap_or_else(|error| panic!("{id}: {error}")).plan;
        let digests = |effects: &[Effect]| effects.iter().map(Effect::digest).collect::<Vec<_>>();
        assert_eq!(digests(effects), digests(&again.effects), "{id}: the same world, another proposal");
    }
}

#[tokio::test]
async fn every_effect_is_applied_once_and_then_seen() {
    let mut driven = Vec::new();
    for action in CATALOGUE.iter() {
        let (id, stage) = (action.spec().id, Stage::new().await);
        let params = filled(action, &stage).await;
        let plan = stage.plan(id, params.clone()).await.unwrap().plan;
        let mut incident = Incident::of(&stage, id, &plan);
        for effect in &plan.effects {
            let before = stage.verify(effect, None).await;
            assert!(!matches!(before, Verdict::Holds(_)), "{id}: it holds before it is done: {before:?}");
            let arrived = stage.simulator().requests().len();
            let receipt = match &effect.call {
                Call::Http(_) => {
                    let sent = incident.send(&stage, effect).await;
                    assert_eq!(sent.outcome, Outcome::Applied, "{id}: {effect:#?}");
                    let writes = stage.arrived(arrived);
                    assert_eq!((writes.len(), writes[0].applied), (1, true), "{id}: {writes:#?}");
                    Some(sent.receipt)
                }
                // Its worlds are other than the account: `outside` drives them.
                Call::Outside(_) => continue,
                Call::Hand(work) => {
                    let Some(request) = &work.request else { continue };
                    let status = stage.act(&request.method, &request.path, request.body.clone());
                    assert_eq!(status, 200, "{id}: {effect:#?}");
                    None
                }
            };
            // What the disk holds is enough to look, also for a process that knows nothing else.
            let reread = incident.reread(&effect.key);
            assert_eq!(reread, *effect, "{id}");
            let verdict = stage.verify(&reread, receipt.as_ref()).await;
            assert!(matches!(verdict, Verdict::Holds(_)), "{id}: {verdict:?} {effect:#?}");
            driven.push(id);
        }
        assert!(!incident.text().contains(CANARY), "{id}: a secret stands in the journal");
    }
    let driven: BTreeSet<_> = driven.into_iter().collect();
    let wanted =
        ["findings.settle", "token.disable", "token.revoke", "tokens.rotate"].map(|id| format!("cloudflare.{id}"));
    assert!(wanted.iter().all(|id| driven.contains(id.as_str())), "{driven:?}");
}
