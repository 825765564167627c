//! The audit trail: what was new of each credential, and which acts are quell's own.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::hunt::send;
use crate::scene::Scene;
use crate::stage::{Stage, action};

const COLLECT: &str = "cloudflare.audit.collect";
const ANALYSE: &str = "cloudflare.audit.analyse";

fn usage<'o>(output: &'o Value, name: &str) -> &'o Value {
    let usages = output["usages"].as_array().unwrap();
    usages.iter().find(|it| it["name"] == name || it["id"] == name).unwrap_or_else(|| panic!("{name}: {output:#}"))
}

/// Address, what is new about it, and whose it is, for each place of a use.
fn places(usage: &Value) -> Vec<(&str, &str, &str)> {
    let places = usage["places"].as_array().unwrap().iter();
    places
        .map(|it| {
            let of = |field: &str| it[field].as_str().unwrap_or_default();
            (of("ip"), of("standing"), of("whose"))
        })
        .collect()
}

fn has(list: &Value, part: &str) -> bool {
    list.as_array().unwrap().iter().any(|text| text.as_str().unwrap().contains(part))
}

#[tokio::test]
async fn what_was_new_of_each_credential_is_said_and_a_shared_one_is_called_so() {
    let stage = Stage::new().await;
    let since = stage.now - SignedDuration::from_hours(10);
    let window = json!({ "since": since, "before": stage.now });
    let audit = stage.plan(COLLECT, window).await.unwrap().plan.output;
    let with = json!({
        "suspect": "ci-deploy", "since": since, "events": audit["events"], "seen_before": audit["seen_before"],
    });
    let held = stage.plan("cloudflare.tokens.inventory", with).await.unwrap().plan.output["principals"].clone();
    let mut with = json!({
        "events": audit["events"], "seen_before": audit["seen_before"], "reach": audit["reach"], "since": since,
        "before": audit["before"], "log_complete": audit["complete"], "principals": held,
    });
    let seen = stage.plan(ANALYSE, with.clone()).await.unwrap();
    let output = &seen.plan.output;

    let suspect = usage(output, "ci-deploy");
    assert_eq!(
        places(suspect),
        [("203.0.113.199", "new_address", "intruder"), ("198.51.100.90", "usual", "shared")],
        "{suspect:#}"
    );
    assert_eq!((&suspect["shared"], &suspect["held"], &suspect["known"]), (&json!(true), &json!(true), &json!(true)));
    let usual = suspect["usual"].as_array().unwrap();
    assert!(usual.iter().all(|it| it["ip"] == "198.51.100.90"), "{usual:#?}");
    assert!(usual.iter().any(|it| it["user_agent"] == "harborlane-deploy/2.14 (ci)"), "{usual:#?}");
    let acts = suspect["credential_acts"].as_array().unwrap();
    assert!(acts.iter().any(|act| act["does"] == "makes a token" && act["success"] == true), "{acts:#?}");
    assert_eq!(suspect["off_hours"], Value::Null, "hours that nobody gave are not guessed");

    // Its name only looks as if it were written in one alphabet.
    let grandchild = output["usages"].as_array().unwrap().iter().find(|it| it["places"][0]["ip"] == "203.0.113.204");
    let grandchild = grandchild.unwrap();
    assert_eq!(places(grandchild), [("203.0.113.204", "new_principal", "intruder")]);
    assert_eq!((&grandchild["shared"], &grandchild["unexplained"]), (&json!(false), &json!(true)));
    let terraform = usage(output, "terraform plan");
    assert_eq!(places(terraform), [("198.51.100.12", "usual", "other")]);
    assert_eq!(terraform["unexplained"], false);
    assert_eq!((&output["comparable"], &output["hours_judged"]), (&json!(true), &json!(false)));
    assert!(has(&output["limits"], "What was usual is told from") && has(&output["limits"], "Never logged"));
    assert!(seen.plan.summary.contains("1 shared principal"), "{}", seen.plan.summary);

    with["hours"] = json!({ "days": [], "begin": "09:00", "end": "17:00", "zone": "UTC" });
    let output = stage.plan(ANALYSE, with.clone()).await.unwrap().plan.output;
    let suspect = usage(&output, "ci-deploy");
    let acts: u64 = suspect["places"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|it| [&it["writes"], &it["reads"], &it["failed"]])
        .map(|it| it.as_u64().unwrap())
        .sum();
    assert_eq!(suspect["off_hours"], acts, "a team that never works");
    with["hours"]["zone"] = json!("Mars/Olympus");
    let error = stage.plan(ANALYSE, with.clone()).await.map(|_| ()).unwrap_err();
    assert!(error.message.contains("no time zone `Mars/Olympus`") && error.hint.is_some(), "{error}");

    // Without what was before, nothing is called new.
    with["seen_before"] = json!([]);
    with["hours"] = Value::Null;
    let seen = stage.plan(ANALYSE, with).await.unwrap();
    assert_eq!((&seen.plan.output["comparable"], &seen.plan.output["any_unexplained"]), (&json!(false), &json!(false)));
    assert!(seen.plan.summary.contains("nothing from before the window"), "{}", seen.plan.summary);
}

#[tokio::test]
async fn an_address_that_came_up_shortly_before_the_window_is_known_for_nothing() {
    let stage = Stage::new().await;
    let collect = async |hours: i64| {
        let since = stage.now - SignedDuration::from_hours(hours);
        stage.plan(COLLECT, json!({ "since": since, "before": stage.now })).await.unwrap().plan.output
    };
    let acts = |events: &Value, ip: &str| events.as_array().unwrap().iter().filter(|it| it["ip"] == ip).count();
    let (hostile, runner) = ("203.0.113.199", "198.51.100.90");
    let (whole, late) = (collect(10).await, collect(5).await);
    // The window was thought to begin when the intruder had been there for some time.
    assert!(acts(&late["events"], hostile) < acts(&whole["events"], hostile), "{}", acts(&late["events"], hostile));
    for audit in [&whole, &late] {
        assert_eq!(acts(&audit["seen_before"], hostile), 0, "{audit:#}");
        assert!(acts(&audit["seen_before"], runner) > 0);
    }
    // That the window may begin too late is said, of whoever works on in it.
    let came_up = late["reach"]["came_up"].as_object().unwrap();
    assert!(came_up.contains_key(hostile) && !came_up.contains_key(runner), "{came_up:?}");
}

#[tokio::test]
async fn somebody_else_with_quells_own_token_is_seen_and_its_own_reads_are_not() {
    let stage = Stage::new().await;
    let members = "/accounts/{a}/members";
    stage.send("GET", members, Value::Null).await;
    let (name, zone) = ("intruder", stage.zones().await.remove(0).0);
    let body = json!({ "type": "A", "name": name, "content": "203.0.113.66", "ttl": 60 });
    stage.send("POST", &format!("/zones/{zone}/dns_records"), body).await;
    send(&stage, &reqwest::Method::GET, members, Value::Null).await;
    let window = json!({
        "since": stage.now - SignedDuration::from_mins(1), "before": stage.now + SignedDuration::from_hours(1),
    });
    let audit = stage.plan(COLLECT, window).await.unwrap().plan.output;
    let own = stage.scenario.cast.responder_token_id.as_str();
    let by_own: Vec<_> = audit["events"].as_array().unwrap().iter().filter(|event| event["token_id"] == own).collect();
    // Within a second the log has no order.
    let mut told: Vec<_> = by_own.iter().map(|event| (event["action"].as_str().unwrap(), &event["own"])).collect();
    told.sort_by_key(|(action, _)| *action);
    assert_eq!(told, [("create", &Value::Null), ("view", &Value::Null)], "{by_own:#?}");
    assert!(audit["reach"]["own_reads"].as_u64().unwrap() >= 2, "{}", audit["reach"]);

    let with = json!({ "events": audit["events"], "seen_before": audit["seen_before"] });
    let seen = stage.plan(ANALYSE, with).await.unwrap();
    assert_eq!(seen.plan.output["own_elsewhere"], true);
    assert!(seen.plan.summary.contains("quell's OWN CREDENTIAL"), "{}", seen.plan.summary);
    // The global key is called out, whatever it did.
    let keys = seen.plan.output["global_keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1, "{keys:#?}");
    assert_eq!(
        (&keys[0]["email"], &keys[0]["place"]["context"], &keys[0]["place"]["reads"]),
        (&json!(stage.scenario.cast.email), &json!("api_key"), &json!(1))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_did_is_its_own_by_its_journal() {
    let scene = Scene::new().await;
    let answers = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/cloudflare-token-compromise.answers.toml");
    let ran = crate::scene::ran(&mut scene.bare(&["rehearse", "--answers", answers]));
    assert!(matches!(ran.code, 0 | 16), "{ran:#?}");
    let done = |id: &str| {
        let journal = scene.journal();
        let entry = journal.into_iter().find(|it| it["path"] == id && it["event"]["type"] == "step_done").unwrap();
        let output = &entry["event"]["output"];
        if let Some(kept) = output["kept"]["sha256"].as_str() {
            let bytes = std::fs::read(scene.incident().join("evidence").join(kept)).unwrap();
            return serde_json::from_slice(&bytes).unwrap();
        }
        output["inline"].clone()
    };
    let last: Value = done("audit-last");
    let events = last["events"].as_array().unwrap();
    let own = scene.scenario.cast.responder_token_id.as_str();
    let by_own: Vec<_> = events.iter().filter(|event| event["token_id"] == own).collect();
    assert!(by_own.len() > 5, "{by_own:#?}");
    let others: Vec<_> = by_own.iter().filter(|event| event["own"] != true).collect();
    assert!(others.is_empty(), "acts of this run that are not told as its own: {others:#?}");
    assert!(last["reach"]["own_reads"].as_u64().unwrap() > 50, "{}", last["reach"]);
    let analysis: Value = done("audit-analysis");
    assert_eq!(analysis["own_elsewhere"], false, "{:#}", usage(&analysis, own));
    assert_eq!(usage(&analysis, "ci-deploy")["shared"], true);

    let report = std::fs::read_to_string(scene.incident().join("report.md")).unwrap();
    let section = report.split("### How credentials were used").nth(1).unwrap().split("\n### ").next().unwrap();
    let row = |part: &str| section.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{section}"));
    let hostile = row("python-requests/2.32.3");
    for part in ["ci-deploy (shared principal)", "python-requests/2.32.3", "new address", "the intruder's"] {
        assert!(hostile.contains(part), "{part}: {hostile}");
    }
    assert!(row("harborlane-deploy").contains("shared: nobody can say"), "{section}");
    assert!(section.contains("Never logged: objects of R2"), "{section}");
}

/// What the four lists are reckoned at, which may be long.
const LISTS: u32 = 13;

#[tokio::test]
async fn what_a_plan_estimates_holds_the_looks_at_how_far_the_logs_reach() {
    let stage = Stage::new().await;
    let before = stage.arrived(0).len();
    let older = stage.now - SignedDuration::from_hours(400 * 24);
    stage.plan(COLLECT, json!({ "since": older, "lookback": "0s" })).await.unwrap();
    let arrived = stage.arrived(before);
    let looks = arrived.iter().filter(|it| it.query.contains("limit=1&") || it.query.contains("per_page=1&")).count();
    assert_eq!(looks, 2, "{arrived:#?}");
    assert_eq!(action(COLLECT).spec().estimate.fixed, LISTS + 2);
}
