//! A CI token has leaked, and nobody can say which one it was. The network goes twice, once while the logs are read and once
//! while the cut is on its way; that time the terminal goes with it.

use std::time::{Duration, Instant};

use quell::simulator::FaultKind;
use rustix::process::{Pid, Signal, kill_process};

use super::at_night;
use super::morning::{
    Morning, are_dead, no_secret_lies_about, nobody_is_locked_out, nothing_was_sent_twice_and_the_budget_held,
};
use super::others::put_back;
use super::responder::{Asked, Mind, Responder, runs};
use crate::network::Network;
use crate::scene::Scene;
use crate::terminal::typist::Typist;

/// Who knows the team's tokens by name, and none of those that the intruder made.
struct Maya<'s>(&'s Scene);

impl Mind for Maya<'_> {
    fn input(&self, name: &str) -> Option<&str> {
        Some(match name {
            "suspect" => "unknown",
            "detected_at" => "10m ago",
            "exposed_since" => "10h ago",
            "reported_by" => "secret scanner",
            "commander" => "Maya Lindqvist",
            "baseline" | "zones" => "",
            _ => return None,
        })
    }

    fn wants(&self, step: &str, row: &str) -> bool {
        let is = |names: &[&str]| names.iter().any(|name| row.starts_with(name));
        match step {
            "cut" => is(&["ci-deploy"]),
            "cut-again" | "revoke" => is(&["ci-deploy", "metrics-exporter", "log-f"]),
            "members-out" => is(&["maya.lindqvist@harborlane-example"]),
            "rotate" => is(&["terraform plan", "acme-dns01"]),
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
        if asked.says("TXT _release") {
            return "keep the deploy job wrote it, from its own address".to_owned();
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

/// How many requests of this shape have arrived.
fn sent(scene: &Scene, method: &str, path: &str) -> usize {
    let requests = scene.simulator.requests();
    requests.iter().filter(|request| request.method == method && request.path.ends_with(path)).count()
}

/// Waits until a request of this shape has arrived.
fn arrives(scene: &Scene, method: &str, path: &str) {
    let waits = Instant::now();
    let is_there = || {
        let requests = scene.simulator.requests();
        requests.iter().any(|request| request.method == method && request.path.contains(path))
    };
    while !is_there() {
        assert!(waits.elapsed() < Duration::from_secs(30), "no {method} {path}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_token_that_nobody_can_name() {
    let scene = at_night("leaked-token").await;
    let cast = &scene.scenario.cast;
    let suspect = format!("/tokens/{}", cast.suspect_token_id);
    let mut network = Network::to(scene.simulator.base_url()).await;
    let base = network.base_url();
    let at = |args: &[&str]| {
        let mut command = scene.command(args);
        command.env("CLOUDFLARE_BASE_URL", &base);
        Typist::at(command)
    };
    let run = at(&["run", "cloudflare-token-compromise"]);
    let mut night = Responder { typist: run, mind: Maya(&scene) };

    // The network goes while the logs are read.
    scene.fault("GET", "/logs/audit", 1, FaultKind::Hang);
    let pace = night.until(|asked| asked.step() == "pace" && asked.says("Who agreed?"));
    night.answer(&pace);
    arrives(&scene, "GET", "/logs/audit");
    network.goes_down().await;
    let failed = night.until(|asked| asked.step() == "audit");
    assert!(failed.says("cannot read either audit log") && failed.says("retry REASON"), "{}", failed.above);
    network.comes_back().await;
    night.typist.types("retry the line is back");

    // What speaks against each token is told, the worst first; none is chosen beforehand.
    let cut = night.until(|asked| asked.step() == "cut");
    assert!(cut.says("27 acts from new addresses, 1 credential made or changed with it"), "{}", cut.above);
    assert!(cut.says("0 of 10 rows chosen"), "{}", cut.above);
    night.answer(&cut);
    let consent = night.until(|asked| asked.step() == "cut");
    // The cut arrives, and its answer does not: the network goes again, and the terminal with it.
    scene.fault("PUT", &suspect, 1, FaultKind::Slow(Duration::from_secs(60)));
    night.answer(&consent);
    arrives(&scene, "PUT", &suspect);
    network.goes_down().await;
    let doubt = night.until(|asked| asked.step() == "cut");
    assert!(
        doubt.says("whether it took place is not known") && doubt.says("cannot tell: no answer"),
        "{}",
        doubt.above
    );
    kill_process(Pid::from_raw(night.typist.pid()).unwrap(), Signal::HUP).unwrap();
    assert_eq!(night.typist.leaves(), 13, "{}", night.typist.screen);

    // Without the network there is nothing to go on with, and nothing is lost.
    let journal = scene.journal();
    let brief = scene.run(&["status", "--brief"]).expect(0).stdout;
    assert!(brief.contains("1 change IN DOUBT; next: look what became of the effect in doubt"), "{brief}");
    let mut offline = at(&["resume"]);
    assert_eq!(offline.leaves(), 2, "{}", offline.screen);
    assert!(offline.screen.contains("check the network") && offline.screen.contains("nothing was sent"));
    assert_eq!(scene.journal(), journal);

    // With it, quell looks before it asks: what had arrived is done and proven, and not sent once more.
    network.comes_back().await;
    let first = std::mem::replace(&mut night.typist, at(&["resume"]));
    let child = night.until(|asked| asked.step() == "cut-again");
    assert!(child.says("next look what became of the effect in doubt at `cut`"), "{}", child.above);
    assert!(child.says("proven disable token ci-deploy: read back: the token is disabled"), "{}", child.above);
    assert_eq!(sent(&scene, "PUT", &suspect), 1);
    night.answer(&child);
    // Deleted records and earlier values cannot be seen without a baseline, which is a gap and not a failure.
    assert_eq!(night.ends(), 16, "{}", night.typist.screen);
    night.typist.has_no_wide_line(80);

    let open = scene.run(&["close"]).expect(11);
    let accept = "all=Maya Lindqvist: looked at with Jonas, taken up tomorrow";
    let closed = scene.run(&["close", "--accept", accept]).expect(0);
    let head = closed.stderr.split("journal head: ").nth(1).unwrap().trim();
    scene.run(&["verify", "--head", head]).expect(0);

    let secret = |name: &str| cast.tokens.iter().find(|token| token.name.starts_with(name)).unwrap().secret.as_str();
    are_dead(
        &scene,
        &[
            ("ci-deploy", &cast.suspect_secret),
            ("its child", secret("metrics-exporter")),
            ("its grandchild", secret("log-f")),
        ],
    );
    nobody_is_locked_out(&scene);
    nothing_was_sent_twice_and_the_budget_held(&scene);
    let printed = [&first.screen, &offline.screen, &night.typist.screen, &open.stdout, &closed.stderr];
    no_secret_lies_about(&scene, &[&scene.state_dir()], &printed.map(String::as_str));

    let morning = Morning::of(&scene, &scene.incident());
    morning.tells_all_of(&scene.scenario.truth);
    morning.blames_nobody_else(&scene.scenario.truth, &scene.scenario.innocents, &[&cast.suspect_token_id]);
    // What could not be seen in the end, and nothing that was only late.
    let zones = ["harborlane-cdn", "harborlane-shop", "harborlane", "hl-books"];
    assert_eq!(morning.gaps(), zones.map(|zone| format!("dns_records of {zone}.example")));
    for told in [
        "Connection refused",
        "begin the step again: the line is back",
        "attempt 1 in doubt: the connection broke before an answer",
        "attempt 1 was applied, as a read shows",
        "paused: its terminal is gone",
        "4 of 4 cut and proven, 2 of 2 rotated and proven",
        "no baseline: deleted records cannot be seen",
        "OAuth consents, dashboard sessions, Global API and Origin CA keys",
        "| rotate token dns-backup (E39) | Jonas Weber |",
    ] {
        morning.says(told);
    }
    for wrong in
        ["| `contained` | unknown", "another principal (token metrics-exporter", "| rotate token dns-backup (E16) |"]
    {
        morning.lacks(wrong);
    }
    assert!(!open.stdout.contains("kept: not chosen"), "who was named for it is not told: {}", open.stdout);
}
