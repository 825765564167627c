//! Hunts with a baseline: what it knows tells what differs; what was changed before the window is nobody's; a baseline of
//! another account or from inside the window is not believed.

use std::path::{Path, PathBuf};

use quell::model::{Attribution, Source};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Account, FAMILIES, ZONE};

/// A baseline of the families that are looked at, in a directory of its own.
async fn baseline(account: &Account) -> PathBuf {
    let with = json!({ "zones": [ZONE], "families": FAMILIES });
    let seen = account.plan("cloudflare.snapshot", with).await.unwrap();
    let from = Path::new(seen.plan.output["dir"].as_str().unwrap());
    let to = account.shelves.path().join("good");
    std::fs::rename(from, &to).unwrap();
    to
}

#[tokio::test]
async fn the_baseline_tells_what_differs_and_the_log_who_did_it() {
    let account = Account::new().await;
    let good = baseline(&account).await;
    // Changed before the window by somebody: no finding.
    account.intrude(Method::PATCH, "/zones/{z}/settings/min_tls_version", json!({ "value": "1.0" })).await;
    let log = account.known(account.since()).await;
    let last = log["events"].as_array().unwrap().iter().map(|event| event["at"].as_str().unwrap()).max().unwrap();
    // By the clock of the account, which has whole seconds in its log.
    let since = last.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_secs(1);
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    account.intrude(Method::PATCH, "/zones/{z}/settings/ssl", json!({ "value": "flexible" })).await;
    let route = json!({ "pattern": "harborlane-shop.example/login*", "script": "checkout" });
    account.intrude(Method::POST, "/zones/{z}/workers/routes", route).await;
    let mut with = account.known(since).await;
    with["baseline"] = good.display().to_string().into();
    let seen = account.plan("cloudflare.hunt", with).await.unwrap();
    let mut found: Vec<(&str, Attribution, bool)> = seen
        .plan
        .findings
        .iter()
        .filter(|it| it.technique != "CF-I06")
        .map(|it| (it.family.as_str(), it.attribution, it.sources.contains(&Source::Diff)))
        .collect();
    found.sort_by_key(|(family, ..)| *family);
    assert_eq!(
        found,
        [("workers_routes", Attribution::Intruder, true), ("zone_settings", Attribution::Intruder, true)],
        "{:#?}",
        seen.plan.findings
    );
    assert_eq!(seen.plan.output["drifted"], 1, "{}", seen.plan.summary);
    assert!(seen.gaps.is_empty(), "{:?}", seen.gaps);
}

#[tokio::test]
async fn a_baseline_from_inside_the_window_hides_nothing() {
    let account = Account::new().await;
    account.intrude(Method::PATCH, "/zones/{z}/settings/ssl", json!({ "value": "flexible" })).await;
    let tainted = baseline(&account).await;
    let mut with = account.known(account.since()).await;
    with["baseline"] = tainted.display().to_string().into();
    let seen = account.plan("cloudflare.hunt", with).await.unwrap();
    assert!(seen.plan.findings.iter().any(|it| it.technique == "CF-T14"), "{:#?}", seen.plan.findings);
    assert!(seen.gaps.iter().any(|gap| gap.family == "baseline"), "{:?}", seen.gaps);
}

#[tokio::test]
async fn a_baseline_that_is_none_is_an_error_and_a_folder_of_zones_is_for_another_step() {
    let account = Account::new().await;
    let hunt = async |dir: &Path| {
        let mut with = account.known(account.since()).await;
        with["baseline"] = dir.display().to_string().into();
        account.plan("cloudflare.hunt", with).await
    };
    let error = hunt(&account.shelves.path().join("nothing")).await.map(|_| ()).unwrap_err();
    assert!(error.message.contains("cannot open the baseline") && error.hint.is_some(), "{error}");
    let zones = account.shelves.path().join("zones");
    std::fs::create_dir(&zones).unwrap();
    std::fs::write(zones.join("a.example.json"), "[]").unwrap();
    assert!(hunt(&zones).await.is_ok());
    let good = baseline(&account).await;
    let manifest = good.join("manifest.json");
    let mut text: Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    text["account"]["id"] = "another".into();
    std::fs::write(&manifest, text.to_string()).unwrap();
    let error = hunt(&good).await.map(|_| ()).unwrap_err();
    assert!(error.message.contains("is of account another"), "{error}");
}
