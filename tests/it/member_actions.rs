//! Members are removed and demoted, never so that nobody is left who can administer the account.

use quell::action::{Safeguards, StepPlan};
use quell::model::{Call, Danger, Effect, FindingStatus, Outcome, Verdict};
use quell::simulator::FaultKind;
use serde_json::{Value, json};

use crate::catalogue::incident::Incident;
use crate::openapi::OpenApi;
use crate::stage::{Stage, action};

const REMOVE: &str = "cloudflare.member.remove";
const SET_ROLES: &str = "cloudflare.member.set_roles";
const TOMAS: &str = "tomas.herrera@harborlane.example";
const PRIYA: &str = "priya.nair@harborlane.example";
const JONAS: &str = "jonas.weber@harborlane.example";

fn named(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "member": name })).collect()
}

async fn plan(stage: &Stage, id: &str, with: Value) -> StepPlan<Value> {
    stage.plan(id, with).await.unwrap_or_else(|error| panic!("{id}: {error} {:?}", error.hint)).plan
}

fn http(effect: &Effect) -> &quell::model::HttpCall {
    let Call::Http(call) = &effect.call else { panic!("{effect:#?}") };
    call
}

async fn member(stage: &Stage, email: &str) -> Value {
    let members = stage.send("GET", "/accounts/{a}/members?per_page=50", Value::Null).await;
    members.as_array().unwrap().iter().find(|it| it["user"]["email"] == email).cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_removed_member_is_gone_by_the_whole_list_and_their_tokens_lose_the_account() {
    let stage = Stage::new().await;
    let with =
        json!({ "members": [{ "member": PRIYA.to_uppercase(), "finding": "CF-I07:members:x" }, { "member": PRIYA }] });
    let seen = plan(&stage, REMOVE, with.clone()).await;
    let [effect] = seen.effects.as_slice() else { panic!("named twice, removed once: {:#?}", seen.effects) };
    assert_eq!((effect.danger, effect.undo.is_none()), (Danger::Irreversible, true));
    assert!(effect.consequences[0].contains("not seen"), "{:?}", effect.consequences);
    let secret = stage.token("priya dns scripts").secret;
    stage.send_as(&secret, "GET", "/zones", Value::Null).await;
    let asked = stage.simulator().requests().len();
    let sent = Incident::of(&stage, REMOVE, &seen).send(&stage, effect).await;
    assert_eq!(sent.outcome, Outcome::Applied);
    if let Some(schema) = OpenApi::load() {
        assert_eq!(schema.violations(&stage.arrived(asked)[0]), Vec::<String>::new());
    }
    // A list that is refused proves nothing.
    let list = format!("/accounts/{}/members", stage.scenario.cast.account_id);
    stage.fault("GET", &list, 0, FaultKind::Forbidden);
    assert!(matches!(stage.verify(effect, None).await, Verdict::CannotTell(_)));
    let verdict = stage.verify(effect, None).await;
    assert!(matches!(&verdict, Verdict::Holds(proof) if proof.contains("whole list")), "{verdict:?}");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/accounts/{}/members", stage.simulator().base_url(), stage.scenario.cast.account_id);
    assert!(!client.get(url).bearer_auth(secret).send().await.unwrap().status().is_success());
    // And the next look counts it as done.
    let again = plan(&stage, REMOVE, with).await;
    assert_eq!((again.effects.len(), again.already.len(), again.gaps.len()), (0, 1, 0));
    assert_eq!(again.settled_findings[0].1, FindingStatus::Reverted);
}

#[tokio::test]
async fn the_log_tells_which_tokens_of_theirs_acted() {
    let stage = Stage::new().await;
    let event = json!({
        "id": "1", "at": stage.now, "action": "update", "success": true, "resource_type": "dns_record",
        "email": PRIYA, "token_id": "t1", "token_name": "deploy", "log": "v2",
    });
    let seen = plan(&stage, REMOVE, json!({ "members": named(&[PRIYA]), "events": [event] })).await;
    assert!(seen.effects[0].consequences[0].contains("deploy (last in the log"), "{:?}", seen.effects[0].consequences);
}

#[tokio::test]
async fn nobody_is_locked_out() {
    let stage = Stage::new().await;
    let own = stage.scenario.cast.email.clone();
    let roles = json!(["Administrator Read Only"]);
    for (id, extra) in [(REMOVE, json!({})), (SET_ROLES, json!({ "roles": roles }))] {
        let with = |members: Value, suspects: Value| {
            let mut with = extra.clone();
            with["members"] = members;
            with["suspects"] = suspects;
            with
        };
        // The own user: refused alone, left out beside others.
        let error = stage.plan(id, with(named(&[&own]), json!([]))).await.map(|_| ()).unwrap_err();
        assert!(error.message.contains("acts for this user") && error.hint.is_some(), "{error}");
        let seen = plan(&stage, id, with(named(&[&own, JONAS]), json!([]))).await;
        assert_eq!((seen.effects.len(), seen.gaps.len()), (1, 1), "{id}");
        assert!(seen.summary.contains("1 LEFT ALONE"), "{}", seen.summary);
        // The other Super Administrator may go as long as one remains who is no suspect.
        let seen = plan(&stage, id, with(named(&[TOMAS]), json!([]))).await;
        assert_eq!(seen.effects.len(), 1, "{id}");
        let error = stage.plan(id, with(named(&[TOMAS]), named(&[&own]))).await.map(|_| ()).unwrap_err();
        assert!(error.message.contains("no Super Administrator would be left"), "{error}");
        // An open invitation is nobody to rely upon.
        let role = member(&stage, TOMAS).await["roles"][0]["id"].clone();
        let body = json!({ "email": format!("eve-{}@evil.example", &id[18..]), "roles": [role] });
        stage.send("POST", "/accounts/{a}/members", body).await;
        let seen = plan(&stage, id, with(named(&[TOMAS, JONAS]), named(&[&own]))).await;
        let targets: Vec<&str> = seen.effects.iter().map(|effect| effect.target.name.as_str()).collect();
        assert_eq!((targets, seen.gaps.len()), (vec![JONAS], 1), "{id}");
    }
    // Who stays Super Administrator is not lost.
    let with = json!({ "members": named(&[TOMAS]), "suspects": named(&[&own]),
        "roles": ["Super Administrator - All Privileges", "DNS"] });
    assert_eq!(plan(&stage, SET_ROLES, with).await.effects.len(), 1);
}

#[tokio::test]
async fn a_break_glass_user_is_left_alone() {
    let stage = Stage::new().await;
    let safeguards = Safeguards { break_glass: vec![JONAS.to_owned()], ..Safeguards::default() };
    let error =
        stage.plan_with(&safeguards, REMOVE, json!({ "members": named(&[JONAS]) })).await.map(|_| ()).unwrap_err();
    assert!(error.message.contains("break_glass"), "{error}");
}

#[tokio::test]
async fn roles_change_nothing_else_changes_and_the_undo_puts_them_back_unless_somebody_was_there() {
    let stage = Stage::new().await;
    let before = member(&stage, PRIYA).await;
    let path = format!("/accounts/{{a}}/members/{}", before["id"].as_str().unwrap());
    let policy =
        json!({ "access": "allow", "permission_groups": [{ "id": "p1" }], "resource_groups": [{ "id": "r1" }] });
    stage.send("PUT", &path, json!({ "roles": before["roles"], "policies": [policy] })).await;
    let before = member(&stage, PRIYA).await;
    let finding = json!({ "member": PRIYA, "finding": "CF-I07:members:x" });
    let with = json!({ "members": [finding], "roles": ["administrator read only"] });
    let error = stage.plan(SET_ROLES, with).await.map(|_| ()).unwrap_err();
    assert!(error.hint.unwrap().contains("Administrator Read Only"), "the roles that there are");
    let with = json!({ "members": [finding], "roles": ["Administrator Read Only"] });
    let seen = plan(&stage, SET_ROLES, with.clone()).await;
    let effect = &seen.effects[0];
    assert!(effect.consequences.iter().any(|it| it.contains("policies of their own")), "{:?}", effect.consequences);
    let asked = stage.simulator().requests().len();
    assert_eq!(Incident::of(&stage, SET_ROLES, &seen).send(&stage, effect).await.outcome, Outcome::Applied);
    if let Some(schema) = OpenApi::load() {
        assert_eq!(schema.violations(&stage.arrived(asked)[0]), Vec::<String>::new());
    }
    assert!(matches!(stage.verify(effect, None).await, Verdict::Holds(_)));
    let mut now = member(&stage, PRIYA).await;
    assert_eq!(now["roles"][0]["name"], "Administrator Read Only");
    now["roles"] = before["roles"].clone();
    assert_eq!(now, before, "nothing but the roles");
    let again = plan(&stage, SET_ROLES, with).await;
    assert_eq!((again.effects.len(), again.settled_findings[0].1), (0, FindingStatus::Contained));
    // Back again, and the finding is open.
    let undo = effect.undo.as_ref().unwrap();
    let back = plan(&stage, &undo.action, undo.with.clone()).await;
    assert_eq!(back.effects[0].resolves.as_ref().unwrap().status, FindingStatus::Open);
    assert_eq!(Incident::of(&stage, SET_ROLES, &back).send(&stage, &back.effects[0]).await.outcome, Outcome::Applied);
    assert_eq!(member(&stage, PRIYA).await, before);
    assert!(matches!(stage.verify(effect, None).await, Verdict::DoesNotHold(_)));
    // Somebody was there in between: nothing is sent.
    let role = member(&stage, JONAS).await["roles"].clone();
    stage.send("PUT", &path, json!({ "roles": role, "policies": [policy] })).await;
    let error = stage.plan(&undo.action, undo.with.clone()).await.map(|_| ()).unwrap_err();
    assert!(error.message.contains("so nothing is sent") && error.message.contains("DNS"), "{error}");
}

#[tokio::test]
async fn whoever_was_invited_in_the_window_can_be_handed_on_and_an_invitation_withdrawn() {
    let stage = Stage::new().await;
    let since = stage.now - jiff::SignedDuration::from_hours(24);
    let audit = plan(&stage, "cloudflare.audit.collect", json!({ "since": since })).await.output;
    let with = json!({ "since": since, "events": audit["events"] });
    let listed = plan(&stage, "cloudflare.members.list", with).await.output;
    assert_eq!(listed["suspicious"].as_array().unwrap().len(), 1, "{listed}");
    let seen = plan(&stage, REMOVE, json!({ "members": listed["suspicious"] })).await;
    let effect = &seen.effects[0];
    assert!(
        effect.summary.starts_with("withdraw the invitation of maya.lindqvist@harborlane-example"),
        "{}",
        effect.summary
    );
    assert!(effect.resolves.is_some());
    assert_eq!(Incident::of(&stage, REMOVE, &seen).send(&stage, effect).await.outcome, Outcome::Applied);
    assert!(matches!(stage.verify(effect, None).await, Verdict::Holds(_)));
}

#[tokio::test]
async fn a_token_for_the_response_holds_what_its_actions_need_and_no_more() {
    const CREATE: &str = "cloudflare.token.create_incident";
    let stage = Stage::new().await;
    let with = json!({
        "actions": ["cloudflare.audit.collect", "cloudflare.dns.diff", "cloudflare.token.disable"],
        "addresses": ["127.0.0.0/8"], "hours": 2,
    });
    let seen = plan(&stage, CREATE, with.clone()).await;
    let held: Vec<&str> =
        seen.output["permissions"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert_eq!(held, ["Account API Tokens Write", "Account Settings Read", "DNS Read", "Zone Read"]);
    assert_eq!(seen.output["of_users"], json!(["API Tokens Write"]));
    let effect = &seen.effects[0];
    assert!(http(effect).secret_answer);
    let asked = stage.simulator().requests().len();
    let mut incident = Incident::of(&stage, CREATE, &seen);
    let sent = incident.send(&stage, effect).await;
    assert_eq!(sent.outcome, Outcome::Applied);
    if let Some(schema) = OpenApi::load() {
        assert_eq!(schema.violations(&stage.arrived(asked)[0]), Vec::<String>::new());
    }
    // The schema has it for reading only, and creation takes it for the reuse of an existing policy.
    let policies = http(effect).body.as_ref().unwrap()["policies"].as_array().unwrap();
    assert!(policies.iter().all(|policy| policy.get("id").is_none()) && policies.len() == 2, "{policies:?}");
    let verdict = stage.verify(effect, Some(&sent.receipt)).await;
    assert!(matches!(&verdict, Verdict::Holds(_)), "{verdict:?}");
    let path = format!("/accounts/{{a}}/tokens/{}", sent.receipt["id"].as_str().unwrap());
    let made = stage.send("GET", &path, Value::Null).await;
    assert_eq!(made["condition"]["request_ip"]["in"], json!(["127.0.0.0/8"]));
    let ends: jiff::Timestamp = made["expires_on"].as_str().unwrap().parse().unwrap();
    let lives = ends.duration_since(stage.now);
    assert!(lives > jiff::SignedDuration::from_hours(2) && lives <= jiff::SignedDuration::from_hours(3), "{lives}");
    // Without its answer nobody has the value: that is no success.
    assert!(matches!(stage.verify(effect, None).await, Verdict::CannotTell(_)));
    // Somebody widens it: that is seen.
    let mut wider = json!({ "name": made["name"], "policies": made["policies"], "condition": made["condition"] });
    stage.send("PUT", &path, wider.take()).await;
    let verdict = stage.verify(effect, Some(&sent.receipt)).await;
    assert!(matches!(&verdict, Verdict::DoesNotHold(why) if why.contains("expires_on")), "{verdict:?}");
    // The next one has another name.
    let again = plan(&stage, CREATE, with).await;
    assert_eq!(again.effects[0].target.name, "quell incident 2");
}

#[tokio::test]
async fn a_token_for_everywhere_for_nothing_or_for_ever_is_refused() {
    let stage = Stage::new().await;
    let id = "cloudflare.token.create_incident";
    let whole = json!({ "actions": ["cloudflare.dns.diff"], "addresses": ["192.0.2.0/24"] });
    for (field, value, told) in [
        ("actions", json!([]), "what the token is for"),
        ("actions", json!(["note"]), "no action `note`"),
        ("addresses", json!([]), "which addresses"),
        ("addresses", Value::Null, "which addresses"),
        ("addresses", json!(["0.0.0.0/0"]), "every address"),
        ("addresses", json!(["::/0"]), "every address"),
        ("addresses", json!(["office"]), "no range"),
        ("addresses", json!("office, 192.0.2.1"), "no range"),
        ("addresses", json!(" "), "which addresses"),
        ("hours", json!(0), "1 to 24"),
        ("hours", json!(25), "1 to 24"),
        ("name", json!(" "), "name of the token"),
        ("name", json!("x".repeat(117)), "name of the token"),
    ] {
        let mut with = whole.clone();
        with[field] = value;
        let error = stage.plan(id, with).await.map(|_| ()).unwrap_err();
        assert!(error.message.contains(told) && error.hint.is_some(), "{field}: {error}");
    }
    // As a person writes them.
    let with = json!({ "actions": ["cloudflare.dns.diff"], "addresses": "203.0.113.50, 2001:db8::/48" });
    let seen = plan(&stage, id, with).await;
    let condition = &http(&seen.effects[0]).body.as_ref().unwrap()["condition"];
    assert_eq!(condition["request_ip"]["in"], json!(["203.0.113.50/32", "2001:db8::/48"]));
    let seen =
        plan(&stage, id, json!({ "permissions": ["DNS Read", "No Such Right"], "addresses": ["192.0.2.0/24"] })).await;
    assert_eq!((seen.gaps.len(), action(id).spec().max_danger), (1, Danger::Reversible));
}
