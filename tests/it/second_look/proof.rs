//! The second look: gone, accepted, still there, new, or impossible to know.

use quell::model::{Attribution, Change, Effect, FindingStatus, Verdict};
use quell::simulator::{Fault, FaultKind};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Account, looking_again, send};
use crate::scene::Scene;
use crate::stage::Seen;

/// What the intruder does to DNS records: one is made, one changed, one deleted.
struct Intrusion {
    made: Value,
    changed: Value,
    deleted: Value,
}

async fn intruded(account: &Account) -> Intrusion {
    let records = format!("/zones/{}/dns_records", account.zone);
    let all = send(&account.stage, &Method::GET, &records, Value::Null).await;
    let of = |kind: &str| all.as_array().unwrap().iter().find(|record| record["type"] == kind).unwrap().clone();
    let (changed, deleted) = (of("A"), of("MX"));
    let made = json!({ "type": "A", "name": "vpn", "content": "203.0.113.66", "ttl": 60 });
    let made = account.intrude(Method::POST, "/zones/{z}/dns_records", made).await;
    let one = |record: &Value| format!("{records}/{}", record["id"].as_str().unwrap());
    account.intrude(Method::PATCH, &one(&changed), json!({ "content": "203.0.113.67" })).await;
    account.intrude(Method::DELETE, &one(&deleted), Value::Null).await;
    Intrusion { made, changed, deleted }
}

fn path(record: &Value) -> String {
    format!("/zones/{{z}}/dns_records/{}", record["id"].as_str().unwrap())
}

/// How the findings of these records stand.
fn stands(seen: &Seen, intrusion: &Intrusion) -> [String; 3] {
    let rows = seen.plan.output["rechecked"].as_array().unwrap();
    [&intrusion.made, &intrusion.changed, &intrusion.deleted].map(|record| {
        let id = record["id"].as_str().unwrap();
        let row = rows.iter().find(|row| row["finding"].as_str().unwrap().ends_with(id));
        row.unwrap_or_else(|| panic!("nothing of {record} in {rows:#?}"))["stands"].as_str().unwrap().to_owned()
    })
}

#[tokio::test]
async fn what_was_taken_back_is_gone_and_the_rest_is_put_before_a_person() {
    let account = Account::new().await;
    let intrusion = intruded(&account).await;
    let hunt = account.hunt().await;
    let untouched = account.recheck(&hunt).await;
    assert_eq!(stands(&untouched, &intrusion), ["still_there"; 3]);
    assert_eq!(untouched.plan.output["proof"], "does_not_hold");

    account.mend("DELETE", &path(&intrusion.made), Value::Null).await;
    let content = json!({ "content": intrusion.changed["content"] });
    account.mend("PATCH", &path(&intrusion.changed), content).await;
    let seen = account.recheck(&hunt).await;
    assert_eq!(stands(&seen, &intrusion), ["gone", "gone", "still_there"]);
    assert_eq!((&seen.plan.output["proof"], &seen.plan.output["new"]), (&"does_not_hold".into(), &json!([])));
    let made = intrusion.made["id"].as_str().unwrap();
    let settled = &seen.plan.settled_findings;
    assert!(settled.iter().any(|(id, status, _)| id.ends_with(made) && *status == FindingStatus::Reverted));
    // That the key is used no more is the word of a log that does not show all of it: somebody must accept it.
    let (keys, effects): (Vec<_>, Vec<_>) = seen.plan.effects.iter().partition(|effect| is_of_a_key(effect));
    assert_eq!((keys.len(), effects.len()), (1, 1), "{:#?}", seen.plan.effects);
    assert_eq!((effects[0].target.kind.as_str(), effects[0].action.as_str()), ("dns_records", "cloudflare.recheck"));
    let verdict = account.stage.verify(effects[0], None).await;
    assert!(matches!(verdict, Verdict::DoesNotHold(_)), "{verdict:?}");

    let mut body = json!({});
    for field in ["type", "name", "content", "priority", "ttl"] {
        body[field] = intrusion.deleted[field].clone();
    }
    account.mend("POST", "/zones/{z}/dns_records", body).await;
    let verdict = account.stage.verify(effects[0], None).await;
    assert!(matches!(verdict, Verdict::Holds(_)), "{verdict:?}");
    let over = account.recheck(&hunt).await;
    assert_eq!(stands(&over, &intrusion), ["gone"; 3]);
    assert_eq!(over.plan.output["proof"], "cannot_be_known", "{}", over.plan.summary);
    assert_eq!(over.plan.effects.iter().map(is_of_a_key).collect::<Vec<_>>(), [true]);
}

#[tokio::test]
async fn a_token_is_shown_as_it_was_and_is_but_not_whether_it_is_active() {
    let account = Account::new().await;
    let id = account.stage.token("acme-dns01").id;
    let path = format!("/accounts/{{a}}/tokens/{id}");
    let token = send(&account.stage, &Method::GET, &path, Value::Null).await;
    let renamed = json!({ "name": "acme", "policies": token["policies"], "status": "active" });
    account.intrude(Method::PUT, &path, renamed).await;
    let mut with = account.known(account.since()).await;
    with["families"] = json!(["account_tokens"]);
    let hunt = account.plan("cloudflare.hunt", with.clone()).await.unwrap();
    with["hunted"] = hunt.plan.output["found"].clone();
    with["acts_until"] = hunt.plan.output["acts_until"].clone();
    let again = account.plan("cloudflare.recheck", with).await.unwrap();
    let row = again.plan.effects.iter().find(|effect| effect.target.id == id).unwrap();
    assert_eq!((&row.before["name"], &row.after["name"]), (&json!("acme"), &json!("acme-dns01")));
    assert_eq!((row.before.get("status"), row.after.get("status")), (None, None), "{row:#?}");
}

#[tokio::test]
async fn what_was_made_and_deleted_again_is_found_and_never_to_be_made_again() {
    let account = Account::new().await;
    let since = json!({ "type": "A", "name": "login", "content": "203.0.113.66", "ttl": 60 });
    let made = account.intrude(Method::POST, "/zones/{z}/dns_records", since).await;
    account.intrude(Method::PATCH, &path(&made), json!({ "content": "203.0.113.67" })).await;
    account.intrude(Method::DELETE, &path(&made), Value::Null).await;
    let route = json!({ "pattern": format!("{}/login*", super::ZONE), "script": null });
    let route = account.intrude(Method::POST, "/zones/{z}/workers/routes", route).await;
    let route_path = format!("/zones/{{z}}/workers/routes/{}", route["id"].as_str().unwrap());
    account.intrude(Method::DELETE, &route_path, Value::Null).await;
    // What was there is changed, and deleted then.
    let records = format!("/zones/{}/dns_records", account.zone);
    let all = send(&account.stage, &Method::GET, &records, Value::Null).await;
    let old = all.as_array().unwrap().iter().find(|record| record["type"] == "A").unwrap().clone();
    account.intrude(Method::PATCH, &path(&old), json!({ "content": "203.0.113.68" })).await;
    account.intrude(Method::DELETE, &path(&old), Value::Null).await;

    let hunt = account.hunt().await;
    let of = |id: &Value| {
        let found: Vec<_> = hunt.plan.findings.iter().filter(|it| it.resource.id == *id.as_str().unwrap()).collect();
        assert_eq!(found.len(), 1, "{found:#?}");
        found[0]
    };
    for (id, technique) in [(&made["id"], "CF-T07"), (&route["id"], "CF-T02")] {
        let finding = of(id);
        assert_eq!((finding.technique.as_str(), finding.change), (technique, Change::Added), "{finding:#?}");
        assert_eq!((finding.attribution, &finding.before), (Attribution::Intruder, &None));
        assert!(finding.detail.contains("was made and deleted again in the window"), "{}", finding.detail);
    }
    assert_eq!(of(&made["id"]).after.as_ref().unwrap()["content"], "203.0.113.67", "its last form");
    let missing = of(&old["id"]);
    assert_eq!(missing.change, Change::Removed);
    assert_eq!(
        missing.before.as_ref().unwrap()["image"]["content"],
        old["content"],
        "not what the intruder made of it"
    );

    let again = account.recheck(&hunt).await;
    let rows = again.plan.output["rechecked"].as_array().unwrap();
    for id in [&made["id"], &route["id"]] {
        let row = rows.iter().find(|row| row["finding"].as_str().unwrap().ends_with(id.as_str().unwrap())).unwrap();
        assert_eq!(row["stands"], "gone", "{row:#?}");
        assert!(row["because"].as_str().unwrap().ends_with("was read, and it is not there"), "{row:#?}");
    }
    let (_, effects): (Vec<_>, Vec<_>) = again.plan.effects.iter().partition(|effect| is_of_a_key(effect));
    let targets: Vec<_> = effects.iter().map(|effect| effect.target.id.as_str()).collect();
    assert_eq!(targets, [old["id"].as_str().unwrap()], "only what was there before the window is to be made again");
}

fn is_of_a_key(effect: &Effect) -> bool {
    effect.facts.contains(&("technique".to_owned(), "CF-I06".to_owned()))
}

#[tokio::test]
async fn a_gap_leaves_it_unknown_and_never_clean() {
    let account = Account::new().await;
    let intrusion = intruded(&account).await;
    let hunt = account.hunt().await;
    account.mend("DELETE", &path(&intrusion.made), Value::Null).await;
    let path = format!("/zones/{}/dns_records", account.zone);
    let fault = Fault { method: Some("GET".into()), path, skip: 0, times: 10, kind: FaultKind::Forbidden };
    account.stage.simulator().script(fault);
    let seen = account.recheck(&hunt).await;
    assert_eq!(stands(&seen, &intrusion), ["unknown"; 3]);
    assert_eq!(seen.plan.output["proof"], "cannot_be_known");
    let rows = seen.plan.output["rechecked"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["because"].as_str().unwrap().contains("(needs DNS Read)")), "{rows:#?}");
    let made = intrusion.made["id"].as_str().unwrap();
    assert!(seen.plan.settled_findings.iter().all(|(id, ..)| !id.ends_with(made)));
    assert!(seen.gaps.iter().any(|gap| gap.family == "dns_records"), "{:?}", seen.gaps);
    // Also where nothing was found before, and where only the log is not whole.
    let quiet = Account::new().await;
    let mut with = quiet.known(quiet.since()).await;
    with["hunted"] = json!([]);
    with["log_complete"] = false.into();
    let seen = quiet.plan("cloudflare.recheck", with).await.unwrap();
    assert_eq!(seen.plan.output["proof"], "cannot_be_known");
    assert!(seen.plan.summary.starts_with("CANNOT BE KNOWN"), "{}", seen.plan.summary);
}

#[tokio::test]
async fn what_came_since_is_new_and_a_finding() {
    let account = Account::new().await;
    intruded(&account).await;
    let hunt = account.hunt().await;
    let route = json!({ "pattern": "harborlane-shop.example/pay*", "script": "checkout" });
    let route = account.intrude(Method::POST, "/zones/{z}/workers/routes", route).await;
    let seen = account.recheck(&hunt).await;
    let id = format!("CF-T02:workers_routes:{}", route["id"].as_str().unwrap());
    assert_eq!(seen.plan.output["new"], json!([id]), "{}", seen.plan.summary);
    assert_eq!(seen.plan.findings.len(), 1);
    assert_eq!(seen.plan.output["proof"], "does_not_hold");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_keeps_with_a_reason_is_accepted_by_name() {
    let scene = Scene::new().await;
    let families = r#"["dns_records", "user_tokens", "account_tokens"]"#;
    let runbook = looking_again(&[("first", families), ("second", families)]);
    let runbook = scene.write("again.toml", &runbook).display().to_string();
    let answers = "[steps.first]\nleft = \"keep:the shop moves on Monday\"\n";
    let answers = scene.write("answers.toml", answers).display().to_string();
    let document =
        scene.run(&["run", &runbook, "--set", "since=24h ago", "--answers", &answers, "--json"]).expect(0).json();
    let journal = scene.journal();
    let output = |path: &str| {
        let done = journal.iter().rfind(|entry| entry["path"] == path && entry["event"]["type"] == "step_done");
        done.unwrap()["event"]["output"]["inline"].clone()
    };
    let rows = output("second")["rechecked"].as_array().unwrap().clone();
    let accepted: Vec<_> = rows.iter().filter(|row| row["stands"] == "accepted").collect();
    assert!(accepted.len() >= 3, "{rows:#?}");
    for row in &accepted {
        assert_eq!((&row["by"], &row["because"]), (&"tester".into(), &"the shop moves on Monday".into()), "{row}");
    }
    assert!(rows.iter().all(|row| row["stands"] == "accepted" || row["stands"] == "gone"), "{rows:#?}");
    let findings = document["findings"].as_array().unwrap();
    // Each row, and what another look has found of the same technique on the same thing.
    let of_row = |finding: &&Value| accepted.iter().any(|row| row["finding"] == finding["id"]);
    let (rows, like): (Vec<&Value>, Vec<&Value>) =
        findings.iter().filter(|finding| finding["status"] == "accepted").partition(of_row);
    for finding in &like {
        let is_like = |row: &&&Value| {
            row["technique"] == finding["technique"] && row["resource"]["id"] == finding["resource"]["id"]
        };
        assert!(rows.iter().any(|row| is_like(&row)), "{finding:#}");
    }
    assert_eq!((rows.len() + like.len(), like.len()), (24, 3));
}
