//! `quell hunt` through the real binary: the page, the document, and the watch.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Stdio};

use jiff::Timestamp;
use quell::simulator::{Fault, FaultKind, Request};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::scene::{Scene, files};

/// Narrow enough to be quick, wide enough to show something.
const NARROW: &[&str] = &["--zones", "harborlane-shop.example", "--only", "dns_records,account_tokens,workers_routes"];

fn hunt<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["hunt", "--since", "10h ago"][..], NARROW, more].concat()
}

fn of<'d>(list: &'d Value, field: &str, value: &str) -> Vec<&'d Value> {
    list.as_array().unwrap().iter().filter(|it| it[field] == value).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_what_was_done_by_whom_and_what_nobody_can_know() {
    let scene = Scene::new().await;
    let told = scene.run(&hunt(&["--suspect", "ci-deploy", "--json"])).expect(0).json();
    assert_eq!(
        (&told["schema"], &told["suspect"], &told["gaps"]),
        (&json!("quell.hunt/1"), &json!("ci-deploy"), &json!([]))
    );
    let suspect = of(&told["credentials"], "name", "ci-deploy")[0];
    assert_eq!((&suspect["shared"], &suspect["held"]), (&json!(true), &json!(true)));
    let records = of(&told["findings"], "family", "dns_records");
    assert!(records.iter().any(|it| it["attribution"] == "intruder"), "{records:#?}");
    let made = of(&told["graph"]["nodes"], "tie", "created");
    assert!(made.iter().any(|node| node["name"] == "metrics-exporter"), "{made:#?}");
    let routes = of(&told["verdicts"], "technique", "CF-T02")[0];
    assert_eq!(routes["verdict"], "unknown", "what was not read is not ruled out: {routes:#}");
    assert!(told["limits"].as_array().unwrap().iter().any(|limit| limit.as_str().unwrap().contains("Never logged")));

    let page = scene.run(&hunt(&["--suspect", "ci-deploy"])).expect(0).stdout;
    for part in [
        "token ci-deploy (",
        "shared principal, in the intruder's hands",
        "203.0.113.199 python-requests/2.32.3",
        "new address",
        "makes a token",
        "What cannot be known",
        "Who made what",
        "token metrics-exporter, created",
        "`metrics-exporter` was made in the window. [intruder] by: token ci-deploy, from 203.0.113.199; 20",
        "shown by what is there and the audit log",
        "content: \"",
    ] {
        let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(part), "{part}:\n{page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    // It reads only, and keeps nothing.
    assert_eq!(scene.writes().len(), 0);
    assert!(files(&scene.state_dir()).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_suspect_nobody_is_blamed() {
    let scene = Scene::new().await;
    let told = scene.run(&hunt(&["--json"])).expect(0).json();
    let findings = told["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    assert!(findings.iter().all(|finding| finding["attribution"] != "intruder"), "{findings:#?}");
    assert!(of(&told["verdicts"], "verdict", "confirmed").is_empty());
    let suspect = of(&told["credentials"], "name", "ci-deploy")[0];
    assert_eq!((&suspect["held"], &suspect["unexplained"]), (&json!(false), &json!(true)));
    let page = scene.run(&hunt(&[])).expect(0).stdout;
    assert!(page.contains("Nobody is named as the intruder"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_refused_is_a_gap_and_rules_nothing_out() {
    let scene = Scene::new().await;
    scene.fault("GET", "/logs/audit?", u32::MAX, FaultKind::Forbidden);
    let told = scene.run(&hunt(&["--json"])).expect(16).json();
    assert!(!of(&told["gaps"], "family", "audit_v2").is_empty(), "{}", told["gaps"]);
    assert_eq!(told["log"]["complete"], false);
    assert!(of(&told["verdicts"], "verdict", "ruled_out").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baseline_shows_what_was_changed_before_the_window() {
    let scene = Scene::new().await;
    let narrow = ["--zones", "harborlane-shop.example", "--only", "dns_records"];
    scene.run(&[&["baseline", "capture", "good"][..], &narrow].concat()).expect(0);
    let known = std::fs::read_to_string(scene.path("good/dns_records.jsonl")).unwrap();
    let known: Value = serde_json::from_str(known.lines().next().unwrap()).unwrap();
    let path = format!("/zones/{}/dns_records", known["seat"]["zone_id"].as_str().unwrap());
    scene.act("POST", &path, Some(json!({ "type": "A", "name": "vpn", "content": "203.0.113.77", "ttl": 300 })));
    // The log has whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let since = Timestamp::now().to_string();
    let hunt = |more: &[&str]| {
        let ran = scene.run(&[&["hunt", "--since", &since][..], &narrow, more].concat()).expect(0);
        ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let drifted = "1 differs from the baseline since before the window";
    let page = hunt(&["--baseline", "good"]);
    assert!(page.contains(drifted), "{page}");
    let page = hunt(&[]);
    assert!(!page.contains(drifted), "{page}");
    assert_eq!(files(&scene.state_dir()).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_from_a_baseline_and_says_no_time_is_found_and_rules_nothing_out() {
    let scene = Scene::new().await;
    let narrow = ["--zones", "harborlane-shop.example", "--only", "workers_routes"];
    scene.run(&[&["baseline", "capture", "good"][..], &narrow].concat()).expect(0);
    let zones = scene.run(&["baseline", "capture", "zones", "--only", "zones"]).expect(0);
    assert!(!zones.stdout.is_empty());
    let zones = std::fs::read_to_string(scene.path("zones/zones.jsonl")).unwrap();
    let zone = zones.lines().find(|line| line.contains("harborlane-shop.example")).unwrap();
    let zone: Value = serde_json::from_str(zone).unwrap();
    let path = format!("/zones/{}/workers/routes", zone["id"].as_str().unwrap());
    scene.act("POST", &path, Some(json!({ "pattern": "harborlane-shop.example/pay*", "script": "edge-headers" })));
    std::thread::sleep(std::time::Duration::from_millis(2100));
    // No log of this window has it.
    let since = Timestamp::now().to_string();
    let hunt = |more: &[&str]| {
        scene.run(&[&["hunt", "--since", &since, "--baseline", "good", "--json"][..], &narrow, more].concat()).expect(0)
    };
    let told = hunt(&["--suspect", "ci-deploy"]).json();
    let found = told["findings"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((&found[0]["technique"], &found[0]["attribution"]), (&json!("CF-T02"), &json!("unattributed")));
    assert!(found[0]["detail"].as_str().unwrap().contains("differs from the baseline; nothing says since when"));
    assert_eq!(told["drifted"], 0);
    let verdict = told["verdicts"].as_array().unwrap().iter().find(|it| it["technique"] == "CF-T02").unwrap();
    assert_eq!(verdict["verdict"], "unknown", "{verdict}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    let scene = Scene::new().await;
    for (args, part) in [
        (&["hunt", "--since", "1h ago", "--until", "2h ago"][..], "ends before it begins"),
        (&["hunt", "--since", "soon"], "`--since` cannot be `soon`"),
        (&["hunt", "--cut", "ci-deploy"], "--watch"),
        (&["hunt", "--watch", "--every", "often"], "no length of time"),
        (&["hunt", "--watch", "--suspect", "ci-deploy"], "cannot be used with"),
        (&["hunt", "--incident", "2020"], "2020"),
        (&["hunt", "--baseline", "nowhere"], "nowhere"),
        (&["hunt", "--watch", "--baseline", "nowhere"], "cannot be used with"),
    ] {
        let ran = scene.run(args).expect(2);
        assert!(ran.stderr.contains(part), "{args:?}: {}", ran.stderr);
    }
    assert_eq!(scene.simulator.requests().len(), 0);
    let ran = scene.run(&hunt(&["--suspect", "ci-deplo"])).expect(2);
    assert!(ran.stderr.contains("did you mean `ci-deploy`"), "{}", ran.stderr);
}

/// A watch that is under way.
struct Watching {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    told: String,
}

impl Watching {
    /// Begins to watch, and returns once the log was read for the first time.
    fn begin(scene: &Scene, more: &[&str]) -> Self {
        let args = [&["hunt", "--watch", "--every", "20s"][..], more].concat();
        let mut child = scene.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut this = Self { child, stdout, stderr, told: String::new() };
        this.hear("the log reaches to");
        this
    }

    /// Reads on until this was said on stderr.
    #[track_caller]
    fn hear(&mut self, part: &str) {
        loop {
            let mut line = String::new();
            let read = self.stderr.read_line(&mut line).unwrap();
            self.told.push_str(&line);
            assert!(read > 0, "it ended without {part}: {}", self.told);
            if line.contains(part) {
                return;
            }
        }
    }

    /// The next line on stdout.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// Ends it as Ctrl-C does. Returns the exit code, the rest of stdout, and all of stderr.
    fn end(mut self) -> (Option<i32>, String, String) {
        kill_process(Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        self.stderr.read_to_string(&mut self.told).unwrap();
        (self.child.wait().unwrap().code(), rest, self.told)
    }
}

/// Somebody does something with a token of the scene.
fn act_as(scene: &Scene, token: &str, method: &str, path: &str, agent: &str) {
    let token = scene.scenario.cast.tokens.iter().find(|it| it.name == token).unwrap();
    let request = Request {
        method: method.to_owned(),
        path: path.replace("{a}", &scene.scenario.cast.account_id),
        query: String::new(),
        headers: vec![
            ("authorization".into(), format!("Bearer {}", token.secret)),
            ("user-agent".into(), agent.to_owned()),
        ],
        body: None,
    };
    scene.simulator.act(&request);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_and_what_nothing_explains_wakes_and_its_own_looks_do_not() {
    let scene = Scene::new().await;
    let mut watching = Watching::begin(&scene, &["--cut", "ci-deploy", "--jsonl"]);
    act_as(&scene, "ci-deploy", "GET", "/accounts/{a}/tokens", "curl/8");
    let alert: Value = serde_json::from_str(&watching.line()).unwrap();
    assert_eq!((&alert["why"], &alert["event"]["user_agent"]), (&json!("cut"), &json!("curl/8")), "{alert:#}");
    assert_eq!(alert["schema"], "quell.hunt.alert/1");
    act_as(&scene, "terraform plan", "GET", "/zones", "terraform");
    let alert: Value = serde_json::from_str(&watching.line()).unwrap();
    assert_eq!((&alert["why"], &alert["new"]), (&json!("unexplained"), &json!("new_address")), "{alert:#}");
    assert_eq!(alert["event"]["token_name"], "terraform plan");
    let (code, rest, told) = watching.end();
    // Ctrl-C does not hide that somebody was to be woken.
    assert_eq!((code, rest.as_str()), (Some(12), ""), "{told}");
    assert!(told.contains("1 act by what was cut or made by it, 1 that nothing explains"), "{told}");
    assert_eq!(scene.writes().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_said_and_gone_through() {
    let scene = Scene::new().await;
    let mut watching = Watching::begin(&scene, &["--cut", "ci-deploy"]);
    let dark =
        Fault { method: Some("GET".into()), path: "audit".into(), skip: 0, times: 40, kind: FaultKind::DropBefore };
    scene.simulator.script(dark);
    watching.hear("BLIND: the audit logs cannot be read");
    act_as(&scene, "ci-deploy", "GET", "/accounts/{a}/members", "curl/8");
    watching.hear("the audit logs can be read again");
    // What was done meanwhile is not lost.
    let alert = watching.line();
    assert!(alert.starts_with("ALERT ") && alert.contains("token ci-deploy"), "{alert}");
    let (code, _, told) = watching.end();
    assert_eq!(code, Some(12), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_watch_ends_when_its_time_is_over() {
    let scene = Scene::new().await;
    let ran = scene.run(&["hunt", "--watch", "--every", "10s", "--for", "1s", "--json"]).expect(0);
    let told = ran.json();
    assert_eq!((&told["schema"], &told["alerts"]), (&json!("quell.hunt.watch/1"), &json!([])));
    assert!(told["looks"].as_u64().unwrap() >= 1, "{told:#}");
    assert!(ran.stderr.contains("the log reaches to"), "{}", ran.stderr);
    let (code, rest, told) = Watching::begin(&scene, &[]).end();
    assert_eq!((code, rest.as_str()), (Some(130), ""), "{told}");
    assert!(told.contains("0 acts by what was cut or made by it, 0 that nothing explains"), "{told}");
}

const CUTTING: &str = r#"
schema = 1
name   = "cutting"
title  = "Cut the suspect"

[inputs.suspect]
type     = "cloudflare.token"
required = true

[[steps]]
id     = "inventory"
phase  = "identify"
title  = "List tokens"
action = "cloudflare.tokens.inventory"
with   = { suspect = { from = "inputs.suspect" } }

[[steps]]
id     = "cut"
phase  = "contain"
title  = "Disable the suspect"
why    = "It leaked."
action = "cloudflare.token.disable"
with   = { tokens = { from = "steps.inventory.suspects" } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_says_what_was_cut_and_what_quell_did() {
    let scene = Scene::new().await;
    let id = scene.scenario.cast.suspect_token_id.clone();
    scene.write("cutting.toml", CUTTING);
    scene.run(&["run", "./cutting.toml", "--set", &format!("suspect={id}"), "--yes-up-to", "disruptive"]).expect(0);
    let incident = scene.incident().file_name().unwrap().to_string_lossy().into_owned();
    // It looks back to before the cut: what the run itself did wakes nobody.
    let mut watching = Watching::begin(&scene, &["--incident", &incident, "--since", "1m ago", "--jsonl"]);
    // Somebody brings the token back.
    let path = format!("/accounts/{{a}}/tokens/{id}");
    let token = scene.account()["tokens"].clone();
    let of = |it: &&Value| it["id"] == id.as_str();
    let mut body = token.as_array().and_then(|all| all.iter().find(of).cloned()).unwrap_or_else(|| panic!("{token:#}"));
    body["status"] = json!("active");
    scene.act("PUT", &path, Some(json!({ "name": body["name"], "policies": body["policies"], "status": "active" })));
    let revival: Value = serde_json::from_str(&watching.line()).unwrap();
    // The older log, which may tell of it first, does not say by what.
    let event = &revival["event"];
    assert!(event["context"] == "api_key" || event["log"] == "v1", "{revival:#}");
    assert_eq!(
        (&revival["why"], &event["email"]),
        (&json!("unexplained"), &json!(scene.scenario.cast.email)),
        "{revival:#}"
    );
    act_as(&scene, "ci-deploy", "GET", "/accounts/{a}/tokens", "curl/8");
    let alert: Value = serde_json::from_str(&watching.line()).unwrap();
    assert_eq!((&alert["why"], &alert["event"]["token_id"]), (&json!("cut"), &json!(id)), "{alert:#}");
    let (code, rest, told) = watching.end();
    assert_eq!((code, rest.as_str()), (Some(12), ""), "{told}");
}
