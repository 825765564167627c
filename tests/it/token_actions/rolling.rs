use quell::model::{Outcome, Verdict};
use serde_json::{Value, json};

use super::inventory::{ids, inventory};
use crate::catalogue::incident::Incident;
use crate::stage::Stage;

const ROTATE: &str = "cloudflare.tokens.rotate";

/// What a runbook would hand on: every token there is, and those to leave out.
async fn params(stage: &Stage) -> (Vec<Value>, Vec<Value>) {
    let output = inventory(stage, "ci-deploy", json!([])).await.unwrap().plan.output;
    let list = |name: &str| output[name].as_array().unwrap().clone();
    let hands = [list("suspects"), list("widened")].concat();
    ([hands.clone(), list("rotatable")].concat(), hands)
}

#[tokio::test]
async fn what_the_intruder_made_or_widened_is_left_out_and_said() {
    let stage = Stage::new().await;
    let (tokens, hands) = params(&stage).await;
    let plan = stage.plan(ROTATE, json!({ "tokens": tokens, "exclude": hands })).await.unwrap().plan;
    let offered: Vec<&str> = plan.effects.iter().map(|effect| effect.target.id.as_str()).collect();
    let left = ids(&plan.output["left"]);
    for token in &hands {
        let id = token["id"].as_str().unwrap();
        assert!(!offered.contains(&id) && left.contains(&id), "{token}");
    }
    assert!(plan.account_for_rest && plan.effects.iter().all(|effect| !effect.preselected));
    // The token that quell is acting with is neither offered nor forgotten.
    let own = stage.scenario.cast.responder_token_id.as_str();
    assert!(!offered.contains(&own) && left.contains(&own));
    assert_eq!(offered.len() + left.len(), tokens.len(), "every token has its place");
}

#[tokio::test]
async fn its_own_token_comes_last_and_only_when_asked_for() {
    let stage = Stage::new().await;
    let (mut tokens, hands) = params(&stage).await;
    let own = stage.scenario.cast.responder_token_id.clone();
    // However early it is named.
    tokens.sort_by_key(|token| token["id"] != own.as_str());
    let with = json!({ "tokens": tokens, "exclude": hands, "include_own": true });
    let plan = stage.plan(ROTATE, with).await.unwrap().plan;
    let last = plan.effects.last().unwrap();
    assert_eq!(last.target.id, own);
    assert_eq!(plan.effects.iter().filter(|effect| effect.target.id == own).count(), 1);
    assert!(last.consequences.iter().any(|text| text.contains("acting with")), "{:?}", last.consequences);
    // Excluded is excluded, also for the own one.
    let with = json!({ "tokens": tokens, "exclude": [{ "id": own }], "include_own": true });
    let plan = stage.plan(ROTATE, with).await.unwrap().plan;
    assert!(plan.effects.iter().all(|effect| effect.target.id != own));
}

#[tokio::test]
async fn after_the_roll_of_its_own_token_nothing_is_claimed_that_cannot_be_read() {
    let stage = Stage::new().await;
    let with = json!({ "tokens": [stage.reference("incident-response")], "include_own": true });
    let plan = stage.plan(ROTATE, with.clone()).await.unwrap().plan;
    let mut incident = Incident::of(&stage, ROTATE, &plan);
    let sent = incident.send(&stage, &plan.effects[0]).await;
    assert_eq!(sent.outcome, Outcome::Applied);
    assert!(sent.receipt["characters"].as_u64().unwrap() > 30, "{}", sent.receipt);
    let verdict = stage.verify(&plan.effects[0], Some(&sent.receipt)).await;
    assert!(matches!(verdict, Verdict::CannotTell(_)), "{verdict:?}");
    let again = stage.plan(ROTATE, with).await.map(|_| ()).unwrap_err();
    assert!(again.message.contains("the API refused the credential: HTTP 401 1000: Invalid API Token"), "{again}");
    assert!(again.hint.unwrap().contains("resume with another one"));
}

#[tokio::test]
async fn tokens_that_are_dead_are_not_rolled() {
    let stage = Stage::new().await;
    let plan = stage.plan(ROTATE, json!({ "tokens": [stage.reference("laptop 2023")] })).await.unwrap().plan;
    assert!(plan.effects.is_empty());
    assert_eq!(plan.already, [("laptop 2023".to_owned(), "its status is disabled".to_owned())]);
}
