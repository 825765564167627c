use quell::model::{Call, Danger, FindingStatus, Outcome, Verdict};
use serde_json::{Value, json};

use super::inventory::{group, ids, minting};
use crate::catalogue::incident::Incident;
use crate::stage::Stage;

const DISABLE: &str = "cloudflare.token.disable";
const REVOKE: &str = "cloudflare.token.revoke";

/// A token as the API shows it, without what every update changes.
async fn shown(stage: &Stage, path: &str) -> Value {
    let mut token = stage.send("GET", path, Value::Null).await;
    let fields = token.as_object_mut().unwrap();
    for field in ["status", "modified_on", "last_used_on"] {
        fields.remove(field);
    }
    for policy in fields["policies"].as_array_mut().unwrap() {
        // An update may give policies other ids: the API takes none.
        policy.as_object_mut().unwrap().remove("id");
    }
    token
}

#[tokio::test]
async fn a_disabled_token_keeps_policies_condition_and_expiry_exactly() {
    let stage = Stage::new().await;
    let mut body = minting(&stage, "narrow \u{202e} name", &group(&stage).await);
    body["not_before"] = json!("2020-01-01T00:00:00Z");
    body["expires_on"] = json!("2099-06-01T12:34:56Z");
    body["condition"] =
        json!({ "request_ip": { "in": ["203.0.113.0/24", "2001:db8::/32"], "not_in": ["203.0.113.7/32"] } });
    let made = stage.send("POST", "/accounts/{a}/tokens", body).await;
    let made = json!({ "id": made["id"], "name": made["name"], "owner": "account" });
    let named = ["dns-backup", "terraform plan", "pixelquay | staging <script>alert(1)</script>", "ci-deploy"];
    let mut tokens: Vec<Value> = named.iter().map(|name| stage.reference(name)).collect();
    tokens.push(made);
    let plan = stage.plan(DISABLE, json!({ "tokens": tokens })).await.unwrap().plan;
    assert_eq!(plan.effects.len(), tokens.len());
    let mut incident = Incident::of(&stage, DISABLE, &plan);
    for effect in &plan.effects {
        let Call::Http(call) = &effect.call else { panic!("{effect:#?}") };
        let before = shown(&stage, &call.path).await;
        assert_eq!(incident.send(&stage, effect).await.outcome, Outcome::Applied);
        assert_eq!(shown(&stage, &call.path).await, before, "{}", effect.target.name);
        assert_eq!(stage.send("GET", &call.path, Value::Null).await["status"], "disabled");
        assert!(matches!(stage.verify(effect, None).await, Verdict::Holds(_)));
        // Whoever changes more than the status is seen.
        let mut other = call.body.clone().unwrap();
        other["expires_on"] = json!("2100-01-01T00:00:00Z");
        assert_eq!(stage.act("PUT", &call.path, Some(other)), 200);
        let verdict = stage.verify(effect, None).await;
        assert!(matches!(&verdict, Verdict::DoesNotHold(why) if why.contains("expires_on")), "{verdict:?}");
    }
    let danger = |name: &str| plan.effects.iter().find(|effect| effect.target.name == name).unwrap().danger;
    assert_eq!(danger("ci-deploy"), Danger::Disruptive, "the deploy job uses it");
    assert_eq!(danger("pixelquay | staging <script>alert(1)</script>"), Danger::Reversible, "nobody does");
}

#[tokio::test]
async fn tokens_of_one_name_are_told_apart() {
    let stage = Stage::new().await;
    let of_name = stage.scenario.cast.tokens.iter().filter(|token| token.name == "analytics");
    let tokens: Vec<Value> = of_name.map(|token| json!({ "id": token.id, "owner": "account" })).collect();
    assert_eq!(tokens.len(), 2);
    for id in [DISABLE, REVOKE] {
        let plan = stage.plan(id, json!({ "tokens": [tokens[1], tokens[1]] })).await.unwrap().plan;
        assert_eq!(plan.effects.len(), 1, "named twice, cut once");
        let target = &plan.effects[0].target;
        assert!(target.ambiguous && tokens[1]["id"] == target.id.as_str(), "{target:?}");
        let plan = stage.plan(id, json!({ "tokens": [stage.reference("ci-deploy")] })).await.unwrap().plan;
        assert!(!plan.effects[0].target.ambiguous);
    }
}

#[tokio::test]
async fn a_token_that_is_disabled_already_is_done_with_proof() {
    let stage = Stage::new().await;
    let mut token = stage.reference("laptop 2023");
    token["finding"] = json!("CF-I01:tokens:x");
    let plan = stage.plan(DISABLE, json!({ "tokens": [token] })).await.unwrap().plan;
    assert!(plan.effects.is_empty());
    assert_eq!(plan.already, [("laptop 2023".to_owned(), "its status is disabled".to_owned())]);
    assert_eq!(ids(&plan.output["disabled"]), [stage.token("laptop 2023").id]);
    let (finding, status, proof) = &plan.settled_findings[0];
    assert_eq!((finding.as_str(), *status), ("CF-I01:tokens:x", FindingStatus::Contained));
    assert_eq!(proof, "its status is disabled");
}

#[tokio::test]
async fn a_deletion_that_finds_nothing_is_proven_by_the_list_alone() {
    let stage = Stage::new().await;
    let account = stage.scenario.cast.account_id.clone();
    let plan = stage.plan(REVOKE, json!({ "tokens": [stage.reference("ci-deploy")] })).await.unwrap().plan;
    let effect = &plan.effects[0];
    let Call::Http(call) = &effect.call else { panic!("{effect:#?}") };
    // Somebody was faster.
    assert_eq!(stage.act("DELETE", &call.path, None), 200);
    let asked = stage.simulator().requests().len();
    let sent = Incident::of(&stage, REVOKE, &plan).send(&stage, effect).await;
    assert_eq!(stage.arrived(asked)[0].status, 404);
    // Neither done nor refused: it is looked for, as everything in doubt is.
    assert!(matches!(&sent.outcome, Outcome::Unknown(why) if why.contains("nothing to delete")), "{sent:?}");
    // Without the list, the 404 proves nothing.
    stage.fault("GET", &format!("/accounts/{account}/tokens"), 0, quell::simulator::FaultKind::Forbidden);
    let verdict = stage.verify(effect, None).await;
    assert!(matches!(verdict, Verdict::CannotTell(_)), "{verdict:?}");
    let verdict = stage.verify(effect, None).await;
    assert!(matches!(&verdict, Verdict::Holds(proof) if proof.contains("whole list")), "{verdict:?}");
    // And the next look counts it as done.
    for (id, output) in [(REVOKE, "revoked"), (DISABLE, "disabled")] {
        let seen = stage.plan(id, json!({ "tokens": [stage.reference("ci-deploy")] })).await.unwrap();
        assert_eq!((seen.plan.effects.len(), seen.plan.already.len(), seen.gaps.len()), (0, 1, 0), "{id}");
        assert_eq!(ids(&seen.plan.output[output]), [effect.target.id.as_str()]);
    }
}

#[tokio::test]
async fn what_no_list_shows_may_be_another_users_and_is_not_gone() {
    let stage = Stage::new().await;
    let of_priya = stage.token("priya dns scripts");
    let unknown_owner = json!({ "id": of_priya.id, "name": of_priya.name });
    for id in [DISABLE, REVOKE, "cloudflare.tokens.rotate"] {
        for token in [unknown_owner.clone(), stage.reference("priya dns scripts")] {
            let seen = stage.plan(id, json!({ "tokens": [token] })).await.unwrap();
            assert!(seen.plan.effects.is_empty() && seen.plan.already.is_empty(), "{id}: {:?}", seen.plan.already);
            assert!(seen.plan.settled_findings.is_empty(), "{id}");
            assert_eq!(seen.gaps.len(), 1, "{id}");
            assert!(
                seen.gaps[0].scope.contains(&of_priya.id) && seen.gaps[0].reason.contains("another user's"),
                "{id}"
            );
            let told = seen.plan.summary.to_lowercase().contains("not seen");
            assert!(told, "{id} does not tell that something was not seen: {}", seen.plan.summary);
        }
    }
}

#[tokio::test]
async fn what_another_step_deals_with_is_not_asked_for_again() {
    let stage = Stage::new().await;
    let (unseen, seen_by_all) = (stage.reference("priya dns scripts"), stage.reference("dns-backup"));
    let tokens = json!([unseen, seen_by_all]);
    let first = stage.plan(DISABLE, json!({ "tokens": tokens })).await.unwrap();
    let invisible = first.plan.output["invisible"].clone();
    assert_eq!((invisible.as_array().unwrap().len(), first.gaps.len()), (1, 1));
    assert_eq!(first.plan.output["by_hand"].as_array().unwrap().len(), 1);
    let again = stage.plan(DISABLE, json!({ "tokens": tokens, "elsewhere": invisible })).await.unwrap();
    assert_eq!((&again.plan.output["invisible"], &again.plan.output["by_hand"]), (&json!([]), &json!([])));
    assert_eq!((again.gaps.len(), again.plan.effects.len()), (0, 1));
}

#[tokio::test]
async fn a_list_that_was_not_read_to_its_end_proves_nothing() {
    let stage = Stage::new().await;
    let account = stage.scenario.cast.account_id.clone();
    let suspect = stage.token("ci-deploy");
    assert_eq!(stage.act("DELETE", &format!("/accounts/{account}/tokens/{}", suspect.id), None), 200);
    stage.fault("GET", &format!("/accounts/{account}/tokens"), 0, quell::simulator::FaultKind::Forbidden);
    let seen = stage.plan(DISABLE, json!({ "tokens": [stage.reference("ci-deploy")] })).await.unwrap();
    assert!(seen.plan.already.is_empty());
    let reasons: Vec<_> = seen.gaps.iter().map(|gap| gap.permission.as_deref()).collect();
    assert_eq!(reasons, [Some("Account API Tokens Read"), None]);
}

#[tokio::test]
async fn the_token_that_quell_acts_with_is_left_out_and_the_others_are_acted_on() {
    let stage = Stage::new().await;
    let own = json!({ "id": stage.connected.read.credential().id });
    for id in [DISABLE, REVOKE] {
        let seen = stage.plan(id, json!({ "tokens": [own, stage.reference("ci-deploy")] })).await.unwrap();
        let targets: Vec<&str> = seen.plan.effects.iter().map(|effect| effect.target.name.as_str()).collect();
        assert_eq!(targets, ["ci-deploy"], "{id}");
        let [gap] = seen.gaps.as_slice() else { panic!("{id}: {:?}", seen.gaps) };
        assert!(gap.scope.contains(own["id"].as_str().unwrap()) && gap.reason.contains("acting with it"), "{gap:?}");
        let summary = &seen.plan.summary;
        assert!(summary.contains("1 LEFT ALONE") && !summary.contains("NOT SEEN"), "{id}: {summary}");
        let refused = stage.plan(id, json!({ "tokens": [own] })).await.map(|seen| seen.plan.summary).unwrap_err();
        assert!(refused.message.contains("the token that quell is acting with"), "{id}: {refused:?}");
    }
}

#[tokio::test]
async fn the_name_of_another_token_proves_nothing_of_this_one() {
    let stage = Stage::new().await;
    let account = stage.scenario.cast.account_id.clone();
    let of_name = stage.scenario.cast.tokens.iter().filter(|token| token.name == "analytics");
    let tokens: Vec<Value> =
        of_name.map(|token| json!({ "id": token.id, "name": "analytics", "owner": "account" })).collect();
    let shown = stage.plan(DISABLE, json!({ "tokens": tokens })).await.unwrap().plan;
    let target = &shown.effects[1].target;
    assert_eq!(stage.act("DELETE", &format!("/accounts/{account}/tokens/{}", target.id), None), 200);
    let plan = stage.plan(DISABLE, json!({ "tokens": tokens })).await.unwrap().plan;
    let [(name, _)] = plan.already.as_slice() else { panic!("{:?}", plan.already) };
    assert_eq!(name, &target.id, "its name is that of the other one too");
    assert!(target.is_called(name) && !target.is_called("analytics") && !shown.effects[0].target.is_called(name));
}
