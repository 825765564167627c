//! The simulated account serves every family as the official schema describes it, and hides what the API hides.

use std::collections::{BTreeMap, BTreeSet};

use quell::cloudflare::families::{families, family};
use quell::cloudflare::simulator::{CANARY, Scenario, WorldOptions, scenario, start};
use quell::hunt::{Family, Item, Reach, Seat, Shape, Variant};
use quell::provider::{Paging, ReadRequest};
use quell::simulator::Simulator;
use reqwest::Method;
use serde_json::{Value, json};

use super::requests::{NOT_IN_THE_SCHEMA, emptied};
use crate::openapi::{OpenApi, faults};

const NOW: &str = "2026-11-20T12:00:00Z";

/// The simulated account, and a client that sees the answers as they come.
pub(super) struct Served {
    pub(super) scenario: Scenario,
    pub(super) simulator: Simulator,
    client: reqwest::Client,
}

impl Served {
    pub(super) async fn new() -> Self {
        Self::of(scenario("leaked-token").unwrap()).await
    }

    pub(super) async fn of(scenario: Scenario) -> Self {
        // A second test of the same process finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = WorldOptions { rate_limit: false, ..WorldOptions::at(NOW.parse().unwrap()) };
        let simulator = start(&scenario, options).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { scenario, simulator, client }
    }

    /// Status and body, as the responder gets them.
    pub(super) async fn send(&self, method: Method, request: &ReadRequest, body: Value) -> (u16, Value) {
        let path = request.path.replace("{a}", &self.scenario.cast.account_id);
        let mut asked = self.client.request(method, format!("{}{path}", self.simulator.base_url()));
        asked = asked.query(&request.query).bearer_auth(&self.scenario.cast.responder_token);
        for (name, value) in &request.headers {
            asked = asked.header(name, value);
        }
        let answer = if body.is_null() { asked.send().await } else { asked.json(&body).send().await }.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub(super) async fn get(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, &ReadRequest::new(path), Value::Null).await
    }

    /// Every page of a variant.
    async fn pages(&self, family: &Family, variant: &Variant, seat: &Seat) -> Vec<(u16, Value)> {
        let request = family.request(variant, seat, &self.scenario.cast.account_id, str::to_owned);
        let mut pages = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut asked = match family.shape {
                Shape::List(Paging::Pages { per_page }) => {
                    request.clone().with("page", (pages.len() + 1).to_string()).with("per_page", per_page.to_string())
                }
                Shape::List(Paging::Cursor { size: (name, size) }) => request.clone().with(name, size.to_string()),
                Shape::List(Paging::CursorAfter { per_page }) => request.clone().with("per_page", per_page.to_string()),
                _ => request.clone(),
            };
            if let Some(cursor) = &cursor {
                asked = asked.with("cursor", cursor.clone());
            }
            let (status, body) = self.send(Method::GET, &asked, Value::Null).await;
            let info = &body["result_info"];
            let next = info["cursor"].as_str().or(info["cursors"]["after"].as_str()).filter(|next| !next.is_empty());
            cursor = next.map(str::to_owned);
            let is_full = info["total_pages"].as_u64().is_some_and(|last| last > pages.len() as u64 + 1);
            pages.push((status, body));
            if cursor.is_none() && !is_full {
                return pages;
            }
        }
    }

    async fn zones(&self) -> Vec<Seat> {
        let (_, zones) = self.get("/zones?per_page=50").await;
        let zones = zones["result"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        zones.iter().map(|zone| Seat::zone(&text(&zone["id"]), &text(&zone["name"]))).collect()
    }

    /// Every answer of every family at every seat.
    pub(super) async fn everything(&self) -> Vec<Answered> {
        let zones = self.zones().await;
        let mut seats_of: BTreeMap<&str, Vec<Seat>> = BTreeMap::new();
        let mut answers = Vec::new();
        for family in families() {
            let seats = match family.reach {
                Reach::User => vec![Seat::user()],
                Reach::Account => vec![Seat::account()],
                Reach::Zone => zones.clone(),
                Reach::Of(parent) => seats_of.get(parent).cloned().unwrap_or_default(),
            };
            for seat in seats {
                for variant in family.variants {
                    for (status, body) in self.pages(family, variant, &seat).await {
                        let items = family.items(body["result"].clone()).unwrap_or_default();
                        let own = items.iter().filter(|item| (family.is_own)(item));
                        let below = own.map(|item| seat.of(&family.id_of(item)));
                        seats_of.entry(family.name).or_default().extend(below);
                        answers.push(Answered { family, seat: seat.clone(), variant, status, body });
                    }
                }
            }
        }
        answers
    }
}

/// One answer.
pub(super) struct Answered {
    pub(super) family: &'static Family,
    seat: Seat,
    variant: &'static Variant,
    status: u16,
    body: Value,
}

impl Answered {
    fn path(&self) -> String {
        self.family.request(self.variant, &self.seat, "a", str::to_owned).path
    }

    fn items(&self) -> Vec<Item> {
        let items = self.family.items(self.body["result"].clone()).unwrap_or_default();
        items
            .iter()
            .filter(|item| (self.family.is_own)(item))
            .map(|item| self.family.item(&self.seat, item.clone()))
            .collect()
    }
}

#[tokio::test]
async fn every_family_is_served_and_read() {
    let answers = Served::new().await.everything().await;
    let mut counts: BTreeMap<&str, usize> = families().map(|family| (family.name, 0)).collect();
    for answer in &answers {
        let (family, name) = (answer.family, answer.family.name);
        let code = answer.body["errors"][0]["code"].as_u64();
        let is_none = answer.status == 404
            && (family.missing_is_none
                || code.is_some_and(|code| family.none_codes.iter().any(|it| u64::from(*it) == code)));
        assert!(answer.status == 200 || is_none, "{name} at {}: {} {}", answer.seat.name, answer.status, answer.body);
        assert!(code != Some(7003) && code != Some(7000), "{name}: the path is wrong");
        if answer.status == 200 {
            family.items(answer.body["result"].clone()).unwrap_or_else(|why| panic!("{name}: {why}"));
        }
        for item in answer.items() {
            *counts.get_mut(name).unwrap() += 1;
            let is_told = !item.id.is_empty() || item.key.iter().any(|part| !part.is_empty());
            assert!(is_told || !matches!(family.shape, Shape::List(_)), "{name}: {item:?}");
            assert!(is_told || family.id.is_empty() || family.shape != Shape::One, "{name}: {item:?}");
            let written = serde_json::to_string(&item).unwrap();
            assert!(!written.contains(CANARY), "{name} gives a secret away: {written}");
            assert!(
                matches!(family.shape, Shape::One | Shape::Text) || !family.label(&item).is_empty(),
                "{name}: {item:?}"
            );
        }
    }
    let bare: Vec<&&str> = counts.iter().filter(|(_, count)| **count == 0).map(|(name, _)| name).collect();
    assert!(bare.is_empty(), "the built-in account has none of {bare:?}");
}

/// Where the schema at hand knows less than the API: it was cut to the first of many kinds, or the API was seen to give
/// more. By family and place.
const KNOWS_LESS: &[(&str, &str)] = &[
    ("dns_records", "/type"),
    ("dns_records", "/content"),
    ("workers_settings", "/type"),
    ("page_rules", "/actions/"),
    ("list_items", "/result/"),
    // The list of a zone shows rules of three levels.
    ("zone_access_rules", "/scope/type"),
];

#[tokio::test]
async fn every_answer_is_as_the_schema_describes_it() {
    let Some(schema) = OpenApi::load() else { return };
    let mut validators = BTreeMap::new();
    let mut wrong = BTreeSet::new();
    for answer in Served::new().await.everything().await.iter().filter(|answer| answer.status == 200) {
        let name = answer.family.name;
        if NOT_IN_THE_SCHEMA.iter().any(|(path, _)| *path == emptied(answer.family.path)) {
            continue;
        }
        let validator = validators.entry(name).or_insert_with(|| schema.answers(&answer.path()));
        for (at, error) in validator.iter_errors(&answer.body).flat_map(|error| faults(&error)) {
            if !KNOWS_LESS.iter().any(|(family, place)| *family == name && at.contains(place)) {
                wrong.insert(format!("{name} at {at}: {error}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} violations: {wrong:#?}", wrong.len());
}

#[tokio::test]
async fn an_unchanged_account_reads_the_same_twice() {
    let served = Served::new().await;
    let canonical = async || {
        let answers = served.everything().await;
        answers.iter().flat_map(Answered::items).map(|item| json!(item)).collect::<Vec<_>>()
    };
    let (once, twice) = (canonical().await, canonical().await);
    assert!(once.len() > 300, "{}", once.len());
    assert_eq!(once, twice);
}

#[tokio::test]
async fn what_the_api_hides_is_hidden_unless_asked_for() {
    let served = Served::new().await;
    let count = async |path: &str| served.get(path).await.1["result"].as_array().unwrap().len();
    let zones = served.zones().await;
    let zone = |name: &str| zones.iter().find(|zone| zone.name == name).and_then(|zone| zone.zone_id.clone()).unwrap();
    let (main, shop) = (zone("harborlane.example"), zone("harborlane-shop.example"));
    let addresses = "/accounts/{a}/email/routing/addresses";
    assert_eq!((count(addresses).await, count(&format!("{addresses}?verified=false")).await), (1, 1));
    let tunnels = "/accounts/{a}/cfd_tunnel";
    assert_eq!(count(tunnels).await, 2, "deleted tunnels are in the list unless it is asked to leave them out");
    assert_eq!(count(&format!("{tunnels}?is_deleted=false")).await, 1);
    let rules = format!("/zones/{shop}/pagerules");
    assert_eq!(served.get(&rules).await.1["result"][0]["status"], "disabled");
    assert_eq!(served.get(&format!("{rules}?status=active")).await.1["result"][0]["status"], "active");
    let clients = format!("/zones/{main}/client_certificates");
    assert_eq!((count(&clients).await, count(&format!("{clients}?status=all")).await), (1, 2));
    let scripts = format!("/zones/{shop}/page_shield/scripts");
    let lifted = "status=active,infrequent,inactive&exclude_cdn_cgi=false&exclude_duplicates=false";
    assert_eq!((count(&scripts).await, count(&format!("{scripts}?{lifted}")).await), (1, 3));
    let buckets = async |request: ReadRequest| {
        let (_, body) = served.send(Method::GET, &request, Value::Null).await;
        body["result"]["buckets"][0]["name"].as_str().map(str::to_owned)
    };
    let plain = ReadRequest::new("/accounts/{a}/r2/buckets");
    assert_eq!(buckets(plain.clone()).await.as_deref(), Some("covers"));
    assert_eq!(buckets(plain.header("cf-r2-jurisdiction", "eu")).await.as_deref(), Some("orders-export"));
    let elsewhere = served.get("/accounts/{a}/r2/buckets/orders-export/domains/custom").await;
    assert_eq!((elsewhere.0, &elsewhere.1["errors"][0]["code"]), (404, &json!(10006)));
}

#[tokio::test]
async fn a_token_without_the_permission_is_turned_away() {
    let served = Served::new().await;
    let zones = served.zones().await;
    let backup = served.scenario.cast.tokens.iter().find(|token| token.name == "acme-dns01").unwrap();
    for family in families().filter(|family| !matches!(family.reach, Reach::Of(_))) {
        // It may read one zone and its records; a list of zones is as long as what the caller may see.
        let may = matches!(family.permission, "DNS Read" | "Zone Read") || family.name == "account";
        let seat = if family.reach == Reach::Zone { zones[0].clone() } else { Seat::account() };
        let request = family.request(&family.variants[0], &seat, &served.scenario.cast.account_id, str::to_owned);
        let url = format!("{}{}", served.simulator.base_url(), request.path);
        let answer = served.client.get(url).query(&request.query).bearer_auth(&backup.secret).send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        if !may {
            let code = body["errors"][0]["code"].as_u64();
            assert!(status == 403 && matches!(code, Some(10000 | 9109)), "{}: {status} {body}", family.name);
        }
    }
    assert!(family("dns_records").is_some());
}

#[tokio::test]
async fn a_large_account_is_served_page_by_page() {
    let served = Served::of(Scenario::big(60, 12_000).unwrap()).await;
    let (_, zones) = served.get("/zones?per_page=50&page=2").await;
    assert_eq!(zones["result"].as_array().unwrap().len(), 10);
    let zone = zones["result"][9]["id"].as_str().unwrap();
    let mut seen = BTreeSet::new();
    for page in 1..=3 {
        let (_, records) = served.get(&format!("/zones/{zone}/dns_records?per_page=5000&page={page}")).await;
        assert_eq!(records["result_info"]["total_count"], 12_000);
        seen.extend(
            records["result"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(seen.len(), 12_000);
}
