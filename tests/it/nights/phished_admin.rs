//! A Super Administrator was phished. The intruder acts while the responders do, colleagues deploy, and half-way another
//! responder takes over on another machine.

use std::fs;
use std::path::Path;

use quell::cloudflare::simulator::{Innocent, Planted};
use serde_json::{Value, json};

use super::at_night;
use super::morning::{
    Morning, are_dead, no_secret_lies_about, nobody_is_locked_out, nothing_was_sent_twice_and_the_budget_held,
};
use super::others::{Other, put_back, zone_of};
use super::responder::{Asked, Mind, Responder, runs};
use crate::scene::{Ran, Scene, ran};
use crate::terminal::typist::Typist;

const TOMAS: &str = "tomas.herrera@harborlane.example";

/// Who responds; each in turn knows the same.
struct Crew<'s>(&'s Scene);

impl Mind for Crew<'_> {
    fn input(&self, name: &str) -> Option<&str> {
        Some(match name {
            "suspect" => "unknown",
            "detected_at" => "10m ago",
            "exposed_since" => "7h ago",
            "reported_by" => "Tomás Herrera",
            "commander" => "Maya Lindqvist",
            "baseline" | "zones" => "",
            _ => return None,
        })
    }

    fn option(&self, step: &str) -> Option<&str> {
        Some(match step {
            "own-sound" => "sound",
            "pace" => "evidence-first",
            // No lever of the API ends a session or a key: its user loses the account until both are new.
            "key-now-way" | "key-soon-way" | "key-later-way" => "remove",
            _ => return None,
        })
    }

    fn wants(&self, step: &str, row: &str) -> bool {
        match step {
            "key-now-remove" | "key-soon-remove" | "key-later-remove" => row.starts_with(TOMAS),
            "cut" | "cut-again" | "revoke" => row.starts_with("edge-sync"),
            _ => false,
        }
    }

    fn left(&self, _step: &str) -> &str {
        "later Jonas Weber"
    }

    fn works(&mut self, asked: &Asked, shown: Option<&str>) -> String {
        if let Some(shown) = shown {
            runs(self.0, shown);
            return "done Priya Nair".to_owned();
        }
        put_back(self.0, &self.0.scenario.truth, asked);
        "done Priya Nair".to_owned()
    }

    fn answers(&mut self, asked: &Asked) -> Option<String> {
        match asked.step() {
            "watch" if asked.says("Who reads the audit log") => Some("Jonas Weber".to_owned()),
            "watch" => Some(String::new()),
            _ => None,
        }
    }
}

/// The answer to somebody's act, which must be a success.
#[track_caller]
fn done(body: &[u8]) -> Value {
    let answer: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(answer["success"], true, "{answer}");
    answer["result"].clone()
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let there = to.join(entry.file_name());
        if entry.path().is_dir() { copied(&entry.path(), &there) } else { _ = fs::copy(entry.path(), there).unwrap() }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phished_administrator_and_an_intruder_who_is_awake() {
    let scene = at_night("phished-admin").await;
    let cast = &scene.scenario.cast;
    let secret = |name: &str| cast.tokens.iter().find(|token| token.name == name).unwrap().secret.as_str();
    let session = Other::in_dashboard(TOMAS, "203.0.113.77");
    let run = Typist::at(scene.command(&["run", "cloudflare-token-compromise"]));
    let mut night = Responder { typist: run, mind: Crew(&scene) };
    let cut = night.until(|asked| asked.step() == "cut");
    assert!(cut.says("1 edge-sync") && cut.says("0 of 9 rows chosen"), "{}", cut.above);
    night.answer(&cut);
    let consent = night.until(|asked| asked.step() == "cut");

    // Just as the cut arrives, the intruder makes another token in the stolen session; colleagues work on.
    let policies = json!([{
        "effect": "allow",
        "permission_groups": [{ "id": group(&scene, "Account API Tokens Write") }],
        "resources": { format!("com.cloudflare.api.account.{}", cast.account_id): "*" },
    }]);
    let body = json!({ "name": "edge-sync-2", "policies": policies });
    session.will(&scene, ("PUT", "/tokens/"), "POST /accounts/{a}/tokens", body);
    let release = scene.scenario.innocents.iter().find(|it| it.why == "the deploy job").unwrap().id.clone();
    let zone = zone_of(&scene, &release);
    let ci = Other::with_token(secret("ci-deploy"), "198.51.100.90").using("harborlane-deploy/2.15 (ci)");
    let path = format!("PATCH /zones/{zone}/dns_records/{release}");
    ci.will(&scene, ("GET", "/logs/audit"), &path, json!({ "content": "\"build=4413\"" }));
    let priya = Other::with_token(secret("priya dns scripts"), "198.51.100.15").using("python-httpx/0.27.2");
    let press = json!({ "type": "CNAME", "name": "press-kit", "content": "harborlane.example", "ttl": 300 });
    priya.will(&scene, ("GET", "/dns_records"), &format!("POST /zones/{zone}/dns_records"), press);
    night.answer(&consent);

    // A live session of a Super Administrator does not wait for a hunt through the whole account.
    let taken = night.until(|asked| asked.step() == "key-soon-remove");
    let begun = |entry: &Value| entry["path"].as_str().is_some_and(|path| path.contains("/hunt"));
    assert!(!scene.journal().iter().any(begun), "{}", taken.above);
    night.answer(&taken);
    night.until(|asked| asked.step() == "rotate");
    assert!(scene.journal().iter().any(begun));
    night.typist.types("pause");
    assert_eq!(night.typist.leaves(), 11, "{}", night.typist.screen);
    let deeds: Vec<Value> = scene.simulator.deeds().iter().map(|deed| done(&deed.body)).collect();
    assert_eq!(deeds.len(), 3);

    // Another responder takes over: the directory is all that is needed.
    let handed =
        scene.run(&["handoff", "Jonas takes over at rotate; Tomás is not to be called on his phone"]).expect(0);
    let head = handed.stdout.split("journal head: ").nth(1).unwrap().trim().to_owned();
    let (here, there) = (scene.incident(), scene.path("jonas"));
    copied(&here, &there.join(here.file_name().unwrap()));
    let elsewhere = |args: &[&str]| {
        let mut command = scene.command(args);
        command.env("QUELL_STATE_DIR", &there).env("QUELL_OPERATOR", "Jonas Weber");
        command
    };
    let over = |args: &[&str]| -> Ran { ran(&mut elsewhere(args)) };
    let dir = there.join(here.file_name().unwrap());
    over(&["verify", "--head", &head]).expect(0);
    let maya = std::mem::replace(&mut night.typist, Typist::at(elsewhere(&["resume"])));
    // Without a baseline, deleted records and earlier values cannot be seen.
    assert_eq!(night.ends(), 16, "{}", night.typist.screen);
    night.typist.has_no_wide_line(80);
    let open = over(&["close"]).expect(11);
    let closed = over(&["close", "--accept", "all=Maya Lindqvist: looked at, taken up tomorrow"]).expect(0);
    let morning = Morning::of(&scene, &dir);

    let second = deeds[0]["value"].as_str().unwrap();
    are_dead(&scene, &[("edge-sync", &cast.suspect_secret), ("edge-sync-2", second)]);
    for (what, hand) in [("session", &session), ("key", &Other::with_key_of(TOMAS, "203.0.113.77"))] {
        assert_eq!(hand.does(&scene, "GET /accounts/{a}/members", Value::Null).status, 403, "the {what} is alive");
    }
    nobody_is_locked_out(&scene);
    nothing_was_sent_twice_and_the_budget_held(&scene);
    let printed = [&maya.screen, &handed.stdout, &night.typist.screen, &open.stdout, &closed.stderr];
    no_secret_lies_about(&scene, &[&scene.state_dir(), &there], &printed.map(String::as_str));

    let mut truth = scene.scenario.truth.clone();
    truth.push(Planted {
        family: "tokens".into(),
        id: deeds[0]["id"].as_str().unwrap().into(),
        part: None,
        name: "edge-sync-2".into(),
        zone: None,
        technique: "CF-I03".into(),
        what: "token made in the stolen session while the first was cut".into(),
        before: Value::Null,
        after: deeds[0].clone(),
    });
    let mut innocents = scene.scenario.innocents.clone();
    innocents.push(Innocent {
        family: "dns_records".into(),
        id: deeds[2]["id"].as_str().unwrap().into(),
        part: None,
        name: "press-kit".into(),
        zone: None,
        why: "Priya, meanwhile".into(),
    });
    morning.tells_all_of(&truth);
    morning.blames_nobody_else(&truth, &innocents, &[&cast.suspect_token_id, TOMAS]);
    let zones = ["harborlane-cdn", "harborlane-shop", "harborlane", "hl-books"];
    assert_eq!(morning.gaps(), zones.map(|zone| format!("dns_records of {zone}.example")));
    for told in [
        "Jonas takes over at rotate; Tomás is not to be called on his phone",
        "| People | Jonas Weber, Maya Lindqvist (commander, wrote nothing), tester |",
        "| edge-sync `",
        "2 of 2 cut and proven",
        "dashboard sessions, Global API and Origin CA keys",
    ] {
        morning.says(told);
    }
    // Whoever is no member any more has neither key nor session for the account: a read proves it.
    morning.says("| `contained` | 20");
    morning.says(&format!("| {TOMAS} | `CF-I06, CF-I12` | — | `203.0.113.77` | — |"));
}

/// Id of a permission group, as the API lists them.
fn group(scene: &Scene, name: &str) -> String {
    // Not with the token of the run: that it is used by somebody else is a matter of its own.
    let session = Other::in_dashboard(TOMAS, "203.0.113.77");
    let listed = session.does(scene, "GET /accounts/{a}/tokens/permission_groups", Value::Null);
    let listed: Value = serde_json::from_slice(&listed.body).unwrap();
    let mut groups = listed["result"].as_array().unwrap().iter();
    groups.find(|group| group["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
}
