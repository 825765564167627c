use std::collections::BTreeSet;

use jiff::SignedDuration;
use quell::action::{StepError, StepPlan};
use quell::cloudflare::simulator::Scenario;
use quell::model::{Attribution, Call, Severity, Verdict};
use serde_json::{Value, json};

use crate::stage::{Seen, Stage};

/// The inventory, fed by the audit log as a runbook feeds it.
pub(super) async fn inventory(stage: &Stage, suspect: &str, cut: Value) -> Result<Seen, StepError> {
    let since = stage.now - SignedDuration::from_hours(24);
    // What has just happened must be within the window.
    let before = stage.now + SignedDuration::from_hours(1);
    let with = json!({ "since": since, "before": before });
    let audit = stage.plan("cloudflare.audit.collect", with).await.unwrap().plan.output;
    let with = json!({
        "suspect": suspect, "since": since, "events": audit["events"], "seen_before": audit["seen_before"], "cut": cut,
    });
    stage.plan("cloudflare.tokens.inventory", with).await
}

pub(super) fn names(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

pub(super) fn ids(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

/// A token that may make tokens.
pub(super) fn minting(stage: &Stage, name: &str, group: &str) -> Value {
    let account = &stage.scenario.cast.account_id;
    let resources = json!({ format!("com.cloudflare.api.account.{account}"): "*" });
    json!({ "name": name, "policies": [{
        "effect": "allow", "permission_groups": [{ "id": group }], "resources": resources,
    }] })
}

/// Id of the permission group that lets a token make tokens, as the suspect has it.
pub(super) async fn group(stage: &Stage) -> String {
    let path = format!("/accounts/{{a}}/tokens/{}", stage.token("ci-deploy").id);
    let suspect = stage.send("GET", &path, Value::Null).await;
    let groups = suspect["policies"][0]["permission_groups"].as_array().unwrap();
    let group = groups.iter().find(|group| group["name"] == "Account API Tokens Write").unwrap();
    group["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_suspect_is_followed_to_its_grandchild_and_nobody_else_is_named() {
    let stage = Stage::new().await;
    let seen = inventory(&stage, "ci-deploy", json!([])).await.unwrap();
    let output = &seen.plan.output;
    assert_eq!(names(&output["suspects"]), ["ci-deploy", "metrics-exporter", "log-f\u{43e}rwarder"]);
    assert!(output["suspects"].as_array().unwrap().iter().all(|token| token["sure"] == true));
    assert_eq!(names(&output["widened"]), ["analytics"]);
    assert_eq!(ids(&output["widened"]), [stage.token("analytics").id]);
    let rotatable = names(&output["rotatable"]);
    assert!(rotatable.contains(&"uptime checks") && rotatable.contains(&"incident-response"), "{rotatable:?}");
    let hands: Vec<&str> = [ids(&output["suspects"]), ids(&output["widened"])].concat();
    assert!(ids(&output["rotatable"]).iter().all(|id| !hands.contains(id)), "{rotatable:?}");
    assert!(!rotatable.contains(&"laptop 2023"), "it is disabled");
    // The other one of the same name was not touched.
    assert_eq!(rotatable.iter().filter(|name| **name == "analytics").count(), 1);
    assert_eq!((&output["already_dead"], &output["beyond_tokens"]), (&json!(false), &json!(false)));
    assert_eq!(seen.gaps, []);
}

#[tokio::test]
async fn what_is_made_with_a_rolled_token_is_the_intruders_too() {
    let stage = Stage::new().await;
    let group = group(&stage).await;
    let (child, victim) = (stage.token("metrics-exporter"), stage.token("analytics"));
    let path = format!("/accounts/{{a}}/tokens/{}/value", victim.id);
    let rolled = stage.send_as(&child.secret, "PUT", &path, json!({})).await;
    let body = minting(&stage, "backup 2", &group);
    let made = stage.send_as(rolled.as_str().unwrap(), "POST", "/accounts/{a}/tokens", body).await;
    // And one more, made by what was made.
    let body = minting(&stage, "backup 3", &group);
    let last = stage.send_as(made["value"].as_str().unwrap(), "POST", "/accounts/{a}/tokens", body).await;
    let seen = inventory(&stage, "ci-deploy", json!([])).await.unwrap();
    let output = &seen.plan.output;
    let suspects = ids(&output["suspects"]);
    for made in [&made, &last] {
        assert!(suspects.contains(&made["id"].as_str().unwrap()), "{} is missed: {:?}", made["name"], suspects);
    }
    assert_eq!(ids(&output["widened"]), [victim.id.as_str()]);
    let finding = seen.plan.findings.iter().find(|finding| finding.resource.id == victim.id).unwrap();
    assert_eq!((finding.technique.as_str(), finding.severity), ("CF-I05", Severity::Critical));
    assert_eq!(finding.attribution, Attribution::Intruder);
    assert!(!ids(&output["rotatable"]).contains(&victim.id.as_str()));
    // The responder works from the same address in this account, and is accused of nothing.
    let own = stage.scenario.cast.responder_token_id.as_str();
    assert!(!suspects.contains(&own) && ids(&output["rotatable"]).contains(&own));
}

#[tokio::test]
async fn a_name_that_nothing_bears_is_a_branch_and_what_is_called_nearly_so_is_offered_beside_it() {
    let stage = Stage::new().await;
    let seen = inventory(&stage, "log-forwarder", json!([])).await.unwrap();
    let output = &seen.plan.output;
    let near = stage.token("log-f\u{43e}rwarder").id;
    assert_eq!((&output["unheard"]["name"], &output["unheard"]["near"]["id"]), (&json!("log-forwarder"), &json!(near)));
    let [first, second] = &output["suspects"].as_array().unwrap()[..2] else { panic!("{output:#}") };
    assert_eq!(
        (&first["id"], &first["sure"], &first["finding"]),
        (&json!("log-forwarder"), &json!(true), &Value::Null)
    );
    assert_eq!((&second["id"], &second["sure"]), (&json!(near), &json!(false)));
    assert!(second["why"].as_str().unwrap().starts_with("its name is nearly the suspect's, "), "{second}");
    let [gap] = seen.gaps.as_slice() else { panic!("{:?}", seen.gaps) };
    assert!(gap.scope == "log-forwarder" && gap.reason.contains("another user's own token"), "{gap:?}");
    assert!(gap.reason.contains(&format!("did you mean `log-f\u{43e}rwarder` ({near})?")), "{gap:?}");
    let summary = &seen.plan.summary;
    assert!(summary.contains("the suspect `log-forwarder` NOT SEEN by any list nor by the log"), "{summary}");
    assert!(seen.plan.findings.iter().all(|finding| finding.resource.id != "log-forwarder"));
    // The cut leaves it to its owner, and cuts nobody else unasked.
    let cut = stage.plan("cloudflare.token.disable", json!({ "tokens": output["suspects"] })).await.unwrap();
    assert!(cut.plan.effects.iter().all(|effect| !effect.preselected));
    assert_eq!(cut.plan.output["by_hand"][0]["title"], "Token log-forwarder");
    assert_eq!(cut.plan.output["invisible"][0]["id"], "log-forwarder");
    // What it looks like is not what it is.
    let seen = inventory(&stage, "log-f\u{43e}rwarder", json!([])).await.unwrap();
    assert_eq!((ids(&seen.plan.output["suspects"])[0], &seen.plan.output["unheard"]), (near.as_str(), &Value::Null));
}

#[tokio::test]
async fn the_log_tells_the_id_of_a_name_that_no_list_shows() {
    let stage = Stage::new().await;
    let theirs = stage.token("priya dns scripts");
    stage.send_as(&theirs.secret, "GET", "/zones", Value::Null).await;
    let seen = inventory(&stage, &theirs.name, json!([])).await.unwrap();
    let first = &seen.plan.output["suspects"][0];
    assert_eq!((&first["id"], &first["owner"]), (&json!(theirs.id), &json!("priya.nair@harborlane.example")));
    assert_eq!(seen.plan.output["unheard"], Value::Null);
    assert!(seen.gaps[0].reason.contains("another user's own token"), "{:?}", seen.gaps);
}

#[tokio::test]
async fn what_was_ranked_without_the_log_says_so() {
    let stage = Stage::new().await;
    let seen = stage.plan("cloudflare.tokens.inventory", json!({ "suspect": "unknown", "events": [] })).await.unwrap();
    let summary = &seen.plan.summary;
    assert!(summary.contains("ranked WITHOUT the audit log"), "{summary}");
    let suspects = seen.plan.output["suspects"].as_array().unwrap().clone();
    let told = |token: &Value| token["why"].as_str().unwrap().ends_with(" (the audit log was not read)");
    assert!(!suspects.is_empty() && suspects.iter().all(told), "{suspects:#?}");
    let known = stage.plan("cloudflare.tokens.inventory", json!({ "suspect": "ci-deploy" })).await.unwrap();
    let detail = &known.plan.findings[0].detail;
    assert!(detail.contains("the audit log was not read") && !detail.contains("the log shows"), "{detail}");
    let seen = inventory(&stage, "unknown", json!([])).await.unwrap();
    assert!(!seen.plan.summary.contains("WITHOUT"), "{}", seen.plan.summary);
    // Of members the same: what nobody looked for is not said to be none.
    for (events, told) in [
        (json!([]), "changes NOT LOOKED FOR: the audit log was not read"),
        (
            stage.plan("cloudflare.audit.collect", json!({})).await.unwrap().plan.output["events"].clone(),
            "not known whose",
        ),
    ] {
        let seen = stage.plan("cloudflare.members.list", json!({ "events": events })).await.unwrap();
        assert!(seen.plan.summary.contains(told), "{}", seen.plan.summary);
        assert!(!seen.plan.summary.contains("by the intruder"), "{}", seen.plan.summary);
    }
}

#[tokio::test]
async fn of_a_name_that_several_bear_all_are_candidates_and_an_intruder_cannot_stop_a_second_look() {
    let stage = Stage::new().await;
    let named = |name: &str| -> BTreeSet<String> {
        let all = stage.scenario.cast.tokens.iter().filter(|token| token.name == name);
        all.map(|token| token.id.clone()).collect()
    };
    let several = inventory(&stage, "analytics", json!([])).await.unwrap();
    let suspects = several.plan.output["suspects"].as_array().unwrap();
    let first: BTreeSet<String> = suspects[..2].iter().map(|token| token["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(first, named("analytics"));
    for token in &suspects[..2] {
        let why = token["why"].as_str().unwrap();
        assert!(token["sure"] == false && why.starts_with("it is called as the suspect is"), "{token}");
    }
    let summary = &several.plan.summary;
    assert!(summary.contains("2 tokens are called as the suspect is: CHOOSE which is meant"), "{summary}");
    assert_eq!((&several.plan.output["held"], several.gaps.len()), (&json!([]), 0));
    // Nothing is cut unasked.
    let cut = stage.plan("cloudflare.token.disable", json!({ "tokens": suspects })).await.unwrap();
    assert!(cut.plan.effects.iter().all(|effect| !effect.preselected));

    // The intruder gives a new token the suspect's name.
    let suspect = stage.token("ci-deploy");
    let body = minting(&stage, "ci-deploy", &group(&stage).await);
    let twin = stage.send_as(&suspect.secret, "POST", "/accounts/{a}/tokens", body).await;
    let first = inventory(&stage, "ci-deploy", json!([])).await.unwrap();
    let first = ids(&first.plan.output["suspects"])[..2].iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(first, BTreeSet::from([suspect.id.clone(), twin["id"].as_str().unwrap().to_owned()]));
    let again = inventory(&stage, "ci-deploy", json!([stage.reference("ci-deploy")])).await.unwrap();
    let suspects = ids(&again.plan.output["suspects"]);
    assert_eq!(suspects[0], suspect.id);
    assert!(suspects.contains(&twin["id"].as_str().unwrap()));
    // It was said to be cut, and is active: that is a finding of its own.
    assert_eq!(ids(&again.plan.output["revived"]), [suspect.id]);
}

#[tokio::test]
async fn another_users_token_is_a_gap_and_never_dead() {
    let stage = Stage::new().await;
    let of_priya = stage.token("priya dns scripts").id;
    let seen = inventory(&stage, &of_priya, json!([])).await.unwrap();
    assert_eq!(seen.plan.output["already_dead"], false);
    assert_eq!(seen.gaps.len(), 1, "{:?}", seen.gaps);
    assert!(seen.gaps[0].reason.contains("another user's own token"));
    // One that stood in the account's list, and does no more, is dead.
    let suspect = stage.token("ci-deploy");
    stage.act("DELETE", &format!("/accounts/{}/tokens/{}", stage.scenario.cast.account_id, suspect.id), None);
    let seen = inventory(&stage, &suspect.id, json!([])).await.unwrap();
    assert_eq!((&seen.plan.output["already_dead"], seen.gaps.len()), (&json!(true), 0), "{:?}", seen.gaps);
}

#[tokio::test]
async fn a_suspect_that_somebody_cut_before_the_look_is_a_candidate_for_what_it_did() {
    for (deleted, how) in [(false, "disabled already"), (true, "deleted already")] {
        let stage = Stage::new().await;
        let suspect = stage.token("ci-deploy");
        let path = format!("/accounts/{}/tokens/{}", stage.scenario.cast.account_id, suspect.id);
        if deleted {
            assert_eq!(stage.act("DELETE", &path, None), 200);
        } else {
            let plan =
                stage.plan("cloudflare.token.disable", json!({ "tokens": [stage.reference("ci-deploy")] })).await;
            let Call::Http(call) = plan.unwrap().plan.effects.remove(0).call else { panic!() };
            assert_eq!(stage.act("PUT", &path, call.body), 200);
        }
        let seen = inventory(&stage, "unknown", json!([])).await.unwrap();
        let suspects = seen.plan.output["suspects"].as_array().unwrap().clone();
        let found = suspects.iter().find(|token| token["id"] == suspect.id.as_str()).unwrap_or_else(|| panic!("{how}"));
        let why = found["why"].as_str().unwrap();
        assert!(why.starts_with(how) && why.contains("from new addresses"), "{why}");
        assert_eq!((&found["sure"], &found["owner"]), (&json!(false), &json!("account")));
        assert!(!names(&json!(suspects)).contains(&"laptop 2023"), "it did nothing");
        assert_eq!(seen.plan.output["held"], json!([]), "nobody has chosen any");

        // Nobody is taken for the intruder without a word; that word is all that is asked for, and nothing would be sent.
        let plan = stage.plan("cloudflare.token.disable", json!({ "tokens": [found] })).await.unwrap().plan;
        let [effect] = plan.effects.as_slice() else { panic!("{:?}", plan.effects) };
        assert!(effect.changes_nothing() && !effect.preselected && plan.already.is_empty(), "{effect:#?}");
        assert_eq!(plan.output["disabled"], json!([]));
        assert!(plan.summary.starts_with("0 to disable, 1 dead already"), "{}", plan.summary);
        let verdict = stage.verify(effect, None).await;
        assert!(matches!(verdict, Verdict::Holds(_)), "{verdict:?}");
    }
}

#[tokio::test]
async fn the_application_that_minted_a_token_is_named_wherever_the_token_is() {
    let stage = Stage::of(Scenario::planted(&[], true).unwrap()).await;
    let look = async |since: SignedDuration| {
        let with = json!({ "suspect": "unknown", "since": stage.now - since });
        stage.plan("cloudflare.tokens.inventory", with).await.unwrap().plan
    };
    let plan = look(SignedDuration::from_hours(40 * 24)).await;
    let minted: Vec<&Value> =
        plan.output["tokens"].as_array().unwrap().iter().filter(|row| !row["minted_by"].is_null()).collect();
    assert_eq!(minted.len(), 1, "{minted:?}");
    let (id, client) = (&minted[0]["id"], minted[0]["minted_by"]["id"].as_str().unwrap());
    assert_eq!(minted[0]["name"], "stock sync");
    assert_eq!(minted[0]["minted_by"]["kind"], "com.cloudflare.api.oauthtoken");
    assert!(plan.summary.contains(", 1 minted by an application, "), "{}", plan.summary);
    let why = |plan: &StepPlan<Value>| {
        let suspects = plan.output["suspects"].as_array().unwrap().clone();
        suspects.into_iter().find(|token| token["id"] == *id).unwrap()["why"].as_str().unwrap().to_owned()
    };
    let blind = " (the audit log was not read)";
    let by = format!("minted by the application `{client}`");
    assert_eq!(why(&plan), format!("made in the window, never expires, works from anywhere, {by}{blind}"));
    // What came before the window is not told as something that came in it.
    assert_eq!(why(&look(SignedDuration::from_hours(9)).await), format!("never expires, works from anywhere{blind}"));
    // The table from which one is chosen has it in a column.
    let with = json!({ "tokens": [{ "id": id }] });
    for action in ["cloudflare.token.disable", "cloudflare.token.revoke", "cloudflare.tokens.rotate"] {
        let effects = stage.plan(action, with.clone()).await.unwrap().plan.effects;
        let fact = effects[0].facts.iter().find(|(name, _)| name == "minted by");
        assert_eq!(fact.map(|(_, value)| format!("minted by {value}")), Some(by.clone()), "{action}");
    }
}

/// Whoever registers the application chooses what it is called; an id may be anything that the API gives.
#[tokio::test]
async fn a_token_that_the_intruder_had_minted_is_told_with_the_application() {
    let stage = Stage::of(Scenario::planted(&[], true).unwrap()).await;
    let log =
        stage.plan("cloudflare.audit.collect", json!({ "since": stage.now - SignedDuration::from_hours(41 * 24) }));
    let log = log.await.unwrap().plan.output;
    let with = json!({
        "suspect": stage.token("tomas laptop").id, "since": stage.now - SignedDuration::from_hours(40 * 24),
        "events": log["events"],
    });
    let plan = stage.plan("cloudflare.tokens.inventory", with).await.unwrap().plan;
    let minted =
        plan.output["suspects"].as_array().unwrap().iter().find(|token| token["name"] == "stock sync").unwrap();
    assert!(minted["why"].as_str().unwrap().contains(", minted by the application `"), "{minted}");
    let finding = plan.findings.iter().find(|finding| finding.resource.id == minted["id"]).unwrap();
    assert!(finding.detail.ends_with("no list shows who consented to that."), "{}", finding.detail);
    let suspect = plan.findings.iter().find(|finding| finding.technique == "CF-I01").unwrap();
    assert!(suspect.detail.contains("(`seen_before` tells it)"), "{}", suspect.detail);
    // Nothing is known of how the suspect was used before: what was made where it was used is offered, and nobody's yet.
    assert!(minted["why"].as_str().unwrap().contains("nobody can say by whom"), "{minted}");
    assert_eq!((&minted["sure"], finding.attribution), (&json!(false), Attribution::Shared));
}
