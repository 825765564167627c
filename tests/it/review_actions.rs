//! The review actions through the real client: every planted artefact is found and put back, and nobody else is accused.

use std::io;
use std::sync::{Arc, Once};
use std::time::Duration;

use jiff::Timestamp;
use quell::action::{AnyAction, Look, Safeguards, StepError, StepPlan, Taken};
use quell::clock::SystemClock;
use quell::cloudflare::actions::ACTIONS;
use quell::cloudflare::api::{ApiBase, Connected, Connector, Credential};
use quell::cloudflare::simulator::{Scenario, WorldOptions, baseline, scenario, start};
use quell::evidence::EvidenceSink;
use quell::model::{Call, Digest, Effect, EvidenceRef, FindingStatus, Severity, StepPath, Verdict, World};
use quell::outside::Rehearsed;
use quell::provider::{Extent, Progress};
use quell::secret::Secret;
use quell::simulator::{Fault, FaultKind, Request, Simulator};
use serde_json::{Value, json};

struct Discarded;

impl EvidenceSink for Discarded {
    fn keep(&self, source: &str, bytes: &[u8], at: Timestamp) -> io::Result<EvidenceRef> {
        Ok(EvidenceRef { sha256: Digest::of(bytes), bytes: bytes.len() as u64, source: source.to_owned(), at })
    }
}

impl Progress for Discarded {
    fn show(&self, _: &Extent<'_>) {}

    fn left(&self, _what: &str, _left: Duration) {}
}

struct Stage {
    scenario: Scenario,
    simulator: Simulator,
    connected: Connected,
    now: Timestamp,
    path: StepPath,
    safeguards: Safeguards,
}

impl Stage {
    async fn new() -> Self {
        static TLS: Once = Once::new();
        TLS.call_once(|| _ = rustls::crypto::ring::default_provider().install_default());
        let scenario = scenario("leaked-token").unwrap();
        let now = Timestamp::now();
        let simulator = start(&scenario, WorldOptions::at(now)).await.unwrap();
        let base = ApiBase::parse(simulator.base_url()).unwrap();
        let credential = Credential::Token(Secret::new(scenario.cast.responder_token.clone()));
        let world = World::Rehearsal(scenario.name.to_owned());
        let connector = Connector::new(base, credential, world, Arc::new(SystemClock));
        let connected = connector.connect(Some(&scenario.cast.account_id)).await.unwrap();
        Self { scenario, simulator, connected, now, path: StepPath::step("review"), safeguards: Safeguards::default() }
    }

    fn look(&self) -> Look<'_> {
        Look::new(&*self.connected.read, &Rehearsed, &Discarded, &SystemClock, &Discarded, &self.safeguards, &self.path)
    }

    async fn plan(&self, id: &str, with: Value) -> Result<(StepPlan<Value>, Taken), StepError> {
        let look = self.look();
        let plan = action(id).plan(with, &look).await?;
        Ok((plan, look.finish()))
    }

    async fn verify(&self, effect: &Effect) -> Verdict {
        action("cloudflare.findings.settle").verify(effect, None, &self.look()).await
    }

    fn act(&self, method: &str, path: &str, body: Option<Value>) -> u16 {
        self.simulator.act(&Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: String::new(),
            headers: vec![("authorization".into(), format!("Bearer {}", self.scenario.cast.responder_token))],
            body,
        })
    }

    /// The writes of audit log v2, as the audit action hands them on.
    async fn events(&self) -> Vec<Value> {
        let base = self.simulator.base_url();
        let account = &self.scenario.cast.account_id;
        let request =
            reqwest::Client::builder().no_proxy().build().unwrap().get(format!("{base}/accounts/{account}/logs/audit"));
        let before = self.now.to_string();
        let query = [("since", "2000-01-01"), ("before", &before), ("limit", "1000"), ("action_type.not", "view")];
        let answer = request.query(&query).bearer_auth(&self.scenario.cast.responder_token).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let event = |entry: &Value| {
            json!({
                "id": entry["id"], "at": entry["action"]["time"], "action": entry["action"]["type"],
                "success": entry["action"]["result"] == "success", "resource_type": entry["resource"]["type"],
                "resource_id": entry["resource"]["id"], "zone": entry["zone"]["name"],
                "token_id": entry["actor"]["token_id"], "token_name": entry["actor"]["token_name"],
                "email": entry["actor"]["email"], "ip": entry["actor"]["ip_address"],
                "method": entry["raw"]["method"], "uri": entry["raw"]["uri"], "log": "v2",
            })
        };
        answer["result"].as_array().unwrap().iter().map(event).collect()
    }

    /// What the inventory makes of the tokens.
    fn principals(&self) -> Value {
        let held = |name: &str, honest: &[&str], hostile: &str| {
            let token = self.scenario.cast.tokens.iter().find(|token| token.name.contains(name)).unwrap();
            json!({ "token_id": token.id, "token_name": token.name, "honest_ips": honest, "hostile_ips": [hostile] })
        };
        json!([
            held("ci-deploy", &["198.51.100.90"], "203.0.113.199"),
            held("metrics-exporter", &[], "203.0.113.199"),
            held("rwarder", &[], "203.0.113.204"),
        ])
    }

    async fn params(&self, with: Value) -> Value {
        let since = self.now - jiff::SignedDuration::from_hours(24);
        let mut params = json!({ "since": since, "events": self.events().await, "principals": self.principals() });
        for (name, value) in with.as_object().unwrap() {
            params[name] = value.clone();
        }
        params
    }

    fn baseline(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, records) in baseline(&self.scenario, self.now) {
            std::fs::write(folder.path().join(name), records.to_string()).unwrap();
        }
        folder
    }

    /// Everything that the three reviews hand on.
    async fn items(&self) -> Vec<Value> {
        let folder = self.baseline();
        let dns = self.params(json!({ "baseline": folder.path() })).await;
        let other = self.params(json!({})).await;
        let mut items = Vec::new();
        for (id, with) in [
            ("cloudflare.dns.diff", dns),
            ("cloudflare.certificates.list", other.clone()),
            ("cloudflare.waf.review", other),
        ] {
            let (plan, _) = self.plan(id, with).await.unwrap();
            assert!(plan.effects.is_empty());
            items.extend(plan.output["items"].as_array().unwrap().clone());
        }
        items
    }
}

fn action(id: &str) -> &'static dyn AnyAction {
    *ACTIONS.iter().find(|action| action.spec().id == id).unwrap()
}

fn is_of(item: &Value, family: &str, id: &str, part: Option<&str>) -> bool {
    item["family"] == family && item["place"]["id"] == part.unwrap_or(id)
}

#[tokio::test]
async fn every_planted_artefact_is_found_and_nobody_else_is_accused() {
    let stage = Stage::new().await;
    let items = stage.items().await;
    let families = ["dns_records", "certificates", "rulesets", "access_rules"];
    let planted: Vec<_> = stage.scenario.truth.iter().filter(|it| families.contains(&it.family.as_str())).collect();
    for planted in &planted {
        let found = items.iter().find(|item| is_of(item, &planted.family, &planted.id, planted.part.as_deref()));
        let found = found.unwrap_or_else(|| panic!("not found: {planted:?}"));
        assert_eq!(found["attribution"], "intruder", "{planted:?} {found}");
        assert_eq!(found["technique"], planted.technique.as_str(), "{planted:?} {found}");
    }
    let accused: Vec<&Value> = items.iter().filter(|item| item["attribution"] == "intruder").collect();
    assert_eq!(accused.len(), planted.len(), "{accused:#?}");
    for innocent in &stage.scenario.innocents {
        let of_them = |item: &&Value| is_of(item, &innocent.family, &innocent.id, innocent.part.as_deref());
        for item in items.iter().filter(of_them) {
            assert!(item["attribution"] == "other" || item["attribution"] == "shared", "{innocent:?} {item}");
            assert!(item["severity"] == "info" || item["severity"] == "low", "{item}");
        }
    }
}

#[tokio::test]
async fn the_summary_says_whose_and_what_is_not_seen() {
    let stage = Stage::new().await;
    let folder = stage.baseline();
    std::fs::remove_file(folder.path().join("harborlane-cdn.example.json")).unwrap();
    std::fs::write(folder.path().join("gone.example.json"), "[]").unwrap();
    let with = stage.params(json!({ "baseline": folder.path() })).await;
    let hl = zone_id(&stage, "hl-books.example").await;
    stage.simulator.script(Fault {
        method: None,
        path: format!("/zones/{hl}/dns_records"),
        skip: 0,
        times: 100,
        kind: FaultKind::Forbidden,
    });
    let (plan, taken) = stage.plan("cloudflare.dns.diff", with).await.unwrap();
    let expected = "52 records in 3 zones: 6 differ (4 by the intruder, 1 with a stolen token from its own address, 1 by \
                    others), 1 zone not seen";
    assert_eq!(plan.summary, expected);
    assert_eq!(plan.output["zones_not_seen"], json!(["hl-books.example"]));
    assert_eq!(plan.findings.len(), 6);
    assert!(plan.findings.iter().all(|finding| finding.evidence.len() == 1));
    let other = plan.findings.iter().find(|it| it.resource.name == "CNAME careers.harborlane.example").unwrap();
    assert_eq!((other.severity, other.status), (Severity::Info, FindingStatus::Open));
    let gaps: Vec<_> = taken.gaps.iter().map(|gap| (gap.family.as_str(), gap.scope.as_str())).collect();
    let dns = "dns_records";
    let wanted = [(dns, "harborlane-cdn.example"), (dns, "hl-books.example"), ("zones", "gone.example")];
    assert_eq!(gaps, wanted);
    assert_eq!(taken.gaps[1].permission.as_deref(), Some("DNS Read"));
}

#[tokio::test]
async fn without_a_baseline_the_window_alone_is_seen_and_that_is_said() {
    let stage = Stage::new().await;
    let with = stage.params(json!({ "zones": ["harborlane-shop.example"] })).await;
    let (plan, taken) = stage.plan("cloudflare.dns.diff", with).await.unwrap();
    assert!(plan.summary.ends_with("no baseline, so deleted records are not seen"), "{}", plan.summary);
    assert!(taken.gaps[0].reason.starts_with("no baseline: deleted records cannot be seen"));
    let changes: Vec<_> = plan.output["items"].as_array().unwrap().iter().map(|it| it["change"].clone()).collect();
    assert_eq!(changes, ["changed", "added"]);
    // Of what was changed nobody knows what it was: that is for a person to find out, not to be left out.
    let items = plan.output["items"].clone();
    let with = json!({ "findings": items, "include_unattributed": true });
    let (settle, _) = stage.plan("cloudflare.findings.settle", with).await.unwrap();
    let unknown: Vec<_> = settle.effects.iter().filter(|effect| effect.summary.starts_with("decide about ")).collect();
    assert_eq!((unknown.len(), settle.effects.len()), (1, 2), "{:#?}", settle.effects);
    let Call::Hand(work) = &unknown[0].call else { panic!("{unknown:#?}") };
    assert!(work.instruction.contains("what it was before is not known"), "{}", work.instruction);
    assert_eq!((&work.request, &work.curl), (&None, &None));
    assert!(matches!(stage.verify(unknown[0]).await, Verdict::CannotTell(_)));
    let missing = stage.plan("cloudflare.dns.diff", json!({})).await.map(|_| ());
    assert!(missing.is_err_and(|error| error.hint.is_some()));
    let typo = json!({ "since": "2020-01-01T00:00:00Z", "zones": ["harborlane-shp.example"] });
    let typo = stage.plan("cloudflare.dns.diff", typo).await.map(|_| ()).unwrap_err();
    assert_eq!(typo.hint.as_deref(), Some("did you mean `harborlane-shop.example`?"));
}

#[tokio::test]
async fn certificates_say_what_they_do_not_show() {
    let stage = Stage::new().await;
    let with = stage.params(json!({})).await;
    let (plan, _) = stage.plan("cloudflare.certificates.list", with).await.unwrap();
    assert_eq!(plan.output["by_cloudflare"], 1);
    assert!(plan.gaps.is_empty(), "{:?}", plan.gaps);
}

#[tokio::test]
async fn what_was_weak_before_the_window_is_listed_and_accuses_nobody() {
    let stage = Stage::new().await;
    let with = stage.params(json!({})).await;
    let (plan, _) = stage.plan("cloudflare.waf.review", with).await.unwrap();
    let weak = plan.output["weaknesses"].as_array().unwrap();
    assert_eq!(weak.len(), 1, "{weak:#?}");
    assert_eq!((&weak[0]["name"], &weak[0]["place"]["level"]), (&json!("198.51.100.7"), &json!("user")));
    let hidden = plan.findings.iter().find(|it| it.detail.contains("zones do not show it")).unwrap();
    assert!(hidden.detail.contains("overrides switch all"), "{}", hidden.detail);
}

#[tokio::test]
async fn every_finding_is_put_back_by_the_request_that_is_shown() {
    let stage = Stage::new().await;
    let items = stage.items().await;
    let with = json!({ "findings": items });
    let (plan, _) = stage.plan("cloudflare.findings.settle", with.clone()).await.unwrap();
    let intruders = items.iter().filter(|item| item["attribution"] == "intruder").count();
    assert_eq!(plan.effects.len(), intruders);
    assert!(plan.account_for_rest);
    assert_eq!(plan.output["not_proposed"].as_array().unwrap().len(), items.len() - intruders);
    for effect in &plan.effects {
        assert!(matches!(stage.verify(effect).await, Verdict::DoesNotHold(_)), "{effect:#?}");
        let Call::Hand(work) = &effect.call else { panic!("{effect:#?}") };
        let request = work.request.as_ref().unwrap();
        assert!(work.curl.as_deref().is_some_and(|curl| curl.contains(&request.path)));
        let status = stage.act(&request.method, &request.path, request.body.clone());
        assert_eq!(status, 200, "{effect:#?}");
        let verdict = stage.verify(effect).await;
        assert!(matches!(verdict, Verdict::Holds(_)), "{verdict:?} {effect:#?}");
    }
    let (again, _) = stage.plan("cloudflare.findings.settle", with).await.unwrap();
    assert!(again.effects.is_empty(), "{:#?}", again.effects);
    assert_eq!(again.settled_findings.len(), intruders);
    assert!(again.settled_findings.iter().all(|(_, status, _)| *status == FindingStatus::Reverted));
    // What the intruder left is gone from the reviews, and what others did is not.
    let left = stage.items().await;
    assert_eq!(left.len(), items.len() - intruders, "{left:#?}");
}

#[tokio::test]
async fn another_change_than_the_wanted_one_is_not_taken_for_it() {
    let stage = Stage::new().await;
    let items = stage.items().await;
    let (plan, _) = stage.plan("cloudflare.findings.settle", json!({ "findings": items })).await.unwrap();
    let checkout = |effect: &&Effect| effect.target.name == "A checkout.harborlane-shop.example";
    let effect = plan.effects.iter().find(checkout).unwrap();
    let Call::Hand(work) = &effect.call else { panic!("{effect:#?}") };
    assert!(work.instruction.contains("content from `203.0.113.66` to `192.0.2.31`"), "{}", work.instruction);
    let request = work.request.as_ref().unwrap();
    let body = json!({ "name": "checkout.harborlane-shop.example", "type": "A", "ttl": 1, "content": "192.0.2.31" });
    assert_eq!((request.method.as_str(), &request.body), ("PATCH", &Some(body)));
    stage.act("PATCH", &request.path, Some(json!({ "content": "203.0.113.77" })));
    let verdict = stage.verify(effect).await;
    assert!(matches!(&verdict, Verdict::CannotTell(why) if why.contains("differs")), "{verdict:?}");
    stage.act("DELETE", &request.path, None);
    assert!(matches!(stage.verify(effect).await, Verdict::CannotTell(_)));
    let (plan, _) = stage.plan("cloudflare.findings.settle", json!({ "findings": items })).await.unwrap();
    let effect = plan.effects.iter().find(checkout).unwrap();
    let Call::Hand(work) = &effect.call else { panic!("{effect:#?}") };
    assert_eq!(work.request.as_ref().map(|request| request.method.as_str()), Some("POST"));
}

#[tokio::test]
async fn crown_jewels_are_looked_at_and_put_back_first() {
    let mut stage = Stage::new().await;
    let jewels = ["hl-books.example", "harborlane-shop.example"];
    stage.safeguards.crown_jewels = jewels.map(str::to_owned).into();
    let rest = ["harborlane-cdn.example", "harborlane.example"];
    let with = stage.params(json!({})).await;
    for id in ["cloudflare.dns.diff", "cloudflare.certificates.list", "cloudflare.waf.review"] {
        let (plan, taken) = stage.plan(id, with.clone()).await.unwrap();
        assert_eq!(plan.output["zones"], json!([jewels, rest].concat()), "{id}");
        assert!(taken.gaps.iter().all(|gap| gap.family != "zones"), "{:?}", taken.gaps);
    }
    let items = stage.items().await;
    let (plan, _) = stage.plan("cloudflare.findings.settle", json!({ "findings": items })).await.unwrap();
    let where_ = |effect: &Effect| effect.facts.iter().find(|(title, _)| title == "where").unwrap().1.clone();
    let is_jewel = |effect: &Effect| where_(effect).ends_with(" (crown jewel)");
    let first = plan.effects.iter().take_while(|effect| is_jewel(effect)).count();
    assert!(first > 1 && first < plan.effects.len(), "{first}");
    assert!(!plan.effects[first..].iter().any(is_jewel), "a crown jewel comes after another zone");
    for effect in &plan.effects {
        let told = effect.consequences.iter().filter(|known| known.contains("is a crown jewel")).count();
        assert_eq!(told, usize::from(is_jewel(effect)), "{effect:#?}");
    }
}

/// Keeps the bytes of all evidence.
#[derive(Default)]
struct Shelf(std::sync::Mutex<Vec<u8>>);

impl EvidenceSink for Shelf {
    fn keep(&self, source: &str, bytes: &[u8], at: Timestamp) -> io::Result<EvidenceRef> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Discarded.keep(source, bytes, at)
    }
}

#[tokio::test]
async fn what_a_rule_sets_as_a_header_is_seen_to_change_and_nowhere_kept() {
    let stage = Stage::new().await;
    let zone = zone_id(&stage, "harborlane.example").await;
    let list = quell::provider::ReadRequest::new(format!("/zones/{zone}/rulesets"));
    let listed = stage.connected.read.get(&list).await.unwrap().result;
    let is_custom = |it: &&Value| it["phase"] == "http_request_firewall_custom";
    let ruleset = listed.as_array().unwrap().iter().find(is_custom).unwrap()["id"].as_str().unwrap().to_owned();
    let rule = json!({
        "action": "skip", "expression": "true", "description": "pass",
        "action_parameters": { "ruleset": "current", "headers": { "X-Origin": { "operation": "set", "value": "hunter2" } } },
    });
    assert_eq!(stage.act("POST", &format!("/zones/{zone}/rulesets/{ruleset}/rules"), Some(rule)), 200);
    let shelf = Shelf::default();
    let look =
        Look::new(&*stage.connected.read, &Rehearsed, &shelf, &SystemClock, &Discarded, &stage.safeguards, &stage.path);
    let plan = action("cloudflare.waf.review").plan(stage.params(json!({})).await, &look).await.unwrap();
    let settled = action("cloudflare.findings.settle").plan(json!({ "findings": plan.output["items"] }), &look).await;
    let settled = settled.unwrap();
    let told = format!("{:?}{:?}{:?}{:?}", plan.output, plan.findings, settled.output, settled.effects);
    assert!(told.contains("X-Origin") && told.contains("«secret "), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
    let kept = String::from_utf8(shelf.0.into_inner().unwrap()).unwrap();
    assert!(kept.contains("X-Origin") && kept.contains("«secret ") && !kept.contains("hunter2"));
}

async fn zone_id(stage: &Stage, name: &str) -> String {
    let zones =
        stage.connected.read.get(&quell::provider::ReadRequest::new("/zones").with("name", name)).await.unwrap();
    zones.result[0]["id"].as_str().unwrap().to_owned()
}
