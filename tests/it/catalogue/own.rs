//! The credential that makes the calls: nothing that would saw off this branch is proposed.

use quell::cli::catalogue::CATALOGUE;
use serde_json::json;

use super::params::{filled, with};
use crate::stage::Stage;

/// It makes a token, and is told of none that there is.
const MAKES: &str = "cloudflare.token.create_incident";

#[tokio::test]
async fn no_action_cuts_the_token_that_it_is_acting_with() {
    let stage = Stage::new().await;
    let own = stage.scenario.cast.responder_token_id.clone();
    let mut driven = 0;
    for action in CATALOGUE.iter() {
        let spec = action.spec();
        if !spec.permissions.iter().any(|it| it.write && it.group.ends_with("API Tokens Write")) || spec.id == MAKES {
            continue;
        }
        driven += 1;
        let params = filled(action, &stage).await;
        let takes_one = params["token"].is_object();
        assert!(
            takes_one || params["tokens"].is_array(),
            "{}: how its tokens are named, this test does not know",
            spec.id
        );
        let named = [
            json!([stage.reference("incident-response")]),
            json!([stage.reference("ci-deploy"), { "id": own }]),
            json!([{ "id": own, "name": "another name", "owner": "account" }]),
        ];
        for tokens in named {
            let given = if takes_one {
                with(&params, "token", tokens.as_array().unwrap().last().unwrap().clone())
            } else {
                with(&params, "tokens", tokens)
            };
            match stage.plan(spec.id, given).await {
                Err(error) => assert!(error.hint.is_some() && error.message.contains("acting with"), "{error}"),
                Ok(seen) => {
                    let cut = seen.plan.effects.iter().any(|effect| effect.target.id == own);
                    assert!(!cut, "{} would cut its own token", spec.id);
                    let is_said =
                        seen.gaps.iter().any(|gap| gap.scope.contains(&own) && gap.reason.contains("acting with"));
                    let is_told = seen.plan.output.to_string().contains(&own);
                    assert!(is_said || is_told, "{} does not say so", spec.id);
                }
            }
        }
    }
    assert!(driven >= 3, "only {driven} actions may write tokens");
}
