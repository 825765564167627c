//! The main job, through the real binary: the shipped runbook with the shipped answers, rehearsed and against an API at
//! `CLOUDFLARE_BASE_URL`; every request held against the official schema.

use std::fs;

use quell::model::Digest;
use quell::simulator::LoggedRequest;
use serde_json::Value;

use crate::families::requests::NOT_IN_THE_SCHEMA;
use crate::openapi::OpenApi;
use crate::scene::{Scene, files};

/// The answers that ship beside the runbook.
fn shipped_answers() -> String {
    format!("{}/runbooks/cloudflare-token-compromise.answers.toml", env!("CARGO_MANIFEST_DIR"))
}

fn findings<'d>(document: &'d Value, attribution: &str) -> Vec<&'d Value> {
    document["findings"].as_array().unwrap().iter().filter(|finding| finding["attribution"] == attribution).collect()
}

/// Every planted artefact is found and blamed, and nothing else is.
fn assert_truth(scene: &Scene, document: &Value, report: &str) {
    let blamed = findings(document, "intruder");
    let names = |id: &str, part: &Option<String>| {
        let wanted = part.as_deref().unwrap_or(id);
        blamed.iter().any(|finding| finding["resource"]["id"] == wanted)
    };
    for planted in &scene.scenario.truth {
        assert!(names(&planted.id, &planted.part), "missed: {} {}", planted.technique, planted.what);
        let shown = planted.part.as_deref().unwrap_or(&planted.id);
        assert!(report.contains(shown), "the report does not name {}: {shown}", planted.what);
    }
    for innocent in &scene.scenario.innocents {
        assert!(!names(&innocent.id, &innocent.part), "accused: {} {}", innocent.name, innocent.why);
    }
    // Besides what was planted there is the stolen token itself, and nothing else.
    let suspect = &scene.scenario.cast.suspect_token_id;
    let others = blamed.iter().filter(|finding| finding["resource"]["id"] != suspect.as_str()).count();
    assert_eq!((others, blamed.len()), (scene.scenario.truth.len(), scene.scenario.truth.len() + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_runs_unattended_with_the_shipped_answers() {
    let scene = Scene::new().await;
    let ran = crate::scene::ran(&mut scene.bare(&["rehearse", "--answers", &shipped_answers(), "--json"])).expect(0);
    let document = ran.json();
    assert_eq!(document["outcome"], "done");
    assert_eq!(document["world"]["world"], "rehearsal");
    assert!(ran.stderr.contains("17 of 17 planted artefacts found"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("innocent, and blamed"), "{}", ran.stderr);
    let dir = scene.incident();
    let report = fs::read_to_string(dir.join("report.md")).unwrap();
    assert!(report.starts_with("> ") || report.contains("REHEARSAL"), "a rehearsal's report is marked");
    // The rehearsal left the test's own simulated account alone: it brought its own.
    assert!(scene.simulator.requests().is_empty());
    scene
        .run(&["verify", document["incident"].as_str().unwrap(), "--head", document["head"].as_str().unwrap()])
        .expect(0);
}

/// The one line of `text` that holds both `begin` and `part`.
fn line<'t>(text: &'t str, begin: &str, part: &str) -> &'t str {
    let found: Vec<&str> = text.lines().filter(|line| line.starts_with(begin) && line.contains(part)).collect();
    assert_eq!(found.len(), 1, "`{begin}` with `{part}`: {found:#?}");
    found[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_claims_nothing_that_was_not_seen_and_credits_whom_the_journal_names() {
    let scene = Scene::new().await;
    let mut command = scene.bare(&["rehearse", "--answers", &shipped_answers()]);
    crate::scene::ran(command.env_remove("QUELL_OPERATOR")).expect(0);
    // As a reader sees it: without the escapes.
    let report = fs::read_to_string(scene.incident().join("report.md")).unwrap().replace('\\', "");
    let has = |text: &str| assert!(report.contains(text), "`{text}` is missing in\n{report}");
    let lacks = |text: &str| assert!(!report.contains(text), "`{text}` stands in\n{report}");

    // As it is now, by the same fields as before and as found.
    let record = line(&report, "| F", "`A checkout.harborlane-shop.example` changed");
    assert!(record.contains("| `content: \"192.0.2.31\"` | `content: \"203.0.113.66\"` |"), "{record}");
    assert!(record.contains("| `content: \"192.0.2.31\" (E13)` |"), "{record}");
    assert!(line(&report, "| F", "`MX hl-books.example` added").contains("| `absent (E12)` |"));
    lacks("\"kind\":");
    let invited = line(&report, "| F", "CF-I07 (");
    assert!(invited.contains("| `absent (E") && invited.contains("| reverted: the whole list"), "{invited}");
    lacks("`as found");

    // Who attests, and who typed: nobody.
    has("| Attested work by hand | Maya Lindqvist, Priya Nair |");
    assert!(line(&report, "| E12 ", "by hand").contains("| Priya Nair attests it; entered by "));
    assert!(
        line(&report, "| E25 ", "(by hand)").contains("Maya Lindqvist attests it: done with the owner on the phone;")
    );
    assert!(line(&report, "| 2", "(E12): done by hand").contains("| Priya Nair, entered by "));
    has("by answers file `cloudflare-token-compromise.answers.toml` with `disable 3`");
    has(Digest::of(&fs::read(shipped_answers()).unwrap()).as_str());
    lacks("typed");
    let me = String::from_utf8(std::process::Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    has(&format!("| People | Maya Lindqvist (commander, wrote nothing), {} |", me.trim()));

    // What was done by hand is as dangerous as it is.
    for (change, danger) in [
        ("delete DNS record MX", "disruptive"),
        ("put back DNS record A checkout", "reversible"),
        ("delete custom certificate", "irreversible"),
        ("delete certificate pack", "irreversible"),
        ("delete Origin CA certificate", "irreversible"),
        ("put back rule admin", "reversible"),
        ("delete IP access rule 203.0.113.199", "disruptive"),
        ("Global API key of whoever the suspect belonged to (by hand)", "not rated"),
    ] {
        assert!(line(&report, "| E", change).contains(&format!(" | {danger} | ")), "{change}");
    }

    // Each number once, and each kind of not knowing by itself.
    has(
        "34 changes proposed, each counted once: 23 done and proven, 0 already so, 0 in doubt, 5 done on somebody's word \
         and 0 by the answer to it alone, not verified by a read, 0 not carried through, 6 left to somebody or kept.",
    );
    has("5 left as they are, 0 not known to be out of use without a disposition.");
    has("3 of 7 active tokens without an expiry (output of step inventory-last)");
    assert_eq!(report.matches("active tokens without an expiry").count(), 1, "only the last look counts");
    let members = line(&report, "* ", "without a second factor");
    assert!(members.starts_with("* 1 of 5 members without a second factor: jonas.weber"), "{members}");
    has("5 members, 2 Super Administrators, 1 open invitation, 1 change by the intruder");
    has("used token ci-deploy: The token was used 27 times");
    lacks("(step ");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_runbook_runs_against_an_api_and_every_request_fits_the_schema() {
    let scene = Scene::new().await;
    let baseline = scene.path("baseline");
    fs::create_dir(&baseline).unwrap();
    for (name, records) in quell::cloudflare::simulator::baseline(&scene.scenario, jiff::Timestamp::now()) {
        fs::write(baseline.join(name), records.to_string()).unwrap();
    }
    // Nobody plays the colleague here: what is to be done by hand is left to somebody.
    let shipped = fs::read_to_string(shipped_answers()).unwrap();
    let answers =
        shipped.replace("answer = \"run\"\nfields = { attested_by = \"Priya Nair\" }", "left = \"later:Priya Nair\"");
    let answers = scene.write("answers.toml", &answers).display().to_string();
    let set = format!("baseline={}", baseline.display());
    let ran =
        scene.run(&["run", "cloudflare-token-compromise", "--answers", &answers, "--set", &set, "--json"]).expect(0);
    let document = ran.json();
    let report = fs::read_to_string(scene.incident().join("report.md")).unwrap();
    assert_truth(&scene, &document, &report);

    let requests = scene.simulator.requests();
    assert_eq!(document["requests"]["writes"], requests.iter().filter(|request| request.method != "GET").count());
    if let Some(schema) = OpenApi::load() {
        let known = |request: &&LoggedRequest| {
            NOT_IN_THE_SCHEMA.iter().any(|(path, _)| request.method == "GET" && is_of(path, &request.path))
        };
        let asked = requests.iter().filter(|request| !known(request));
        let mut wrong: Vec<String> = asked.flat_map(|request| schema.violations(request)).collect();
        wrong.sort();
        wrong.dedup();
        assert!(wrong.is_empty(), "{} requests, refused by the schema:\n{}", requests.len(), wrong.join("\n"));
    }

    // No secret of the scenario in any file, nor on any output.
    let canaries = quell::cloudflare::simulator::canaries(&scene.scenario);
    for (path, bytes) in files(&scene.state_dir()) {
        let text = String::from_utf8_lossy(&bytes);
        let leaked =
            canaries.iter().any(|canary| text.contains(canary)) || text.contains(quell::cloudflare::simulator::CANARY);
        assert!(!leaked, "a secret stands in {}", path.display());
    }
    for output in [&ran.stdout, &ran.stderr] {
        assert!(!output.contains(quell::cloudflare::simulator::CANARY), "a secret was printed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_every_runbook_writes_nothing() {
    let scene = Scene::new().await;
    for (name, _) in quell::runbook::embedded() {
        let document = scene.run(&["plan", name, "--set", "suspect=ci-deploy", "--json"]).expect(0).json();
        let step =
            |id: &str| document["steps"].as_array().unwrap().iter().find(|step| step["id"] == id).unwrap().clone();
        assert_eq!(step("cut")["prediction"], "will_change");
        let effect = &step("cut")["effects"][0];
        assert_eq!(
            (effect["request"]["method"].as_str(), effect["target"]["name"].as_str()),
            (Some("PUT"), Some("ci-deploy"))
        );
        assert_eq!(step("rotate-later")["prediction"], "cannot_know");
        assert!(document["requests_estimated"].as_u64().unwrap() > 20);
        scene.run(&["run", name, "--dry-run", "--set", "suspect=ci-deploy"]).expect(0);
    }
    assert!(scene.writes().is_empty(), "{:?}", scene.writes());
    assert!(!scene.state_dir().exists(), "a dry run keeps nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_what_would_change_and_fits_the_terminal() {
    let scene = Scene::new().await;
    let name = "cloudflare-token-compromise";
    let shown =
        scene.run(&["plan", name, "--set", "suspect=ci-deploy", "--set", "exposed_since=10h ago"]).expect(0).stdout;
    for line in [
        "cut (cloudflare.token.disable): will change; disruptive",
        "  - disable token ci-deploy: disruptive",
        "      status: \"active\" -> \"disabled\"",
        "      reaches: all zones; the account",
        "      cut off: whatever uses it, at once",
        "      undo: `quell undo` can put it back, with `cloudflare.token.restore`; or",
        "rotate-later (cloudflare.tokens.rotate): cannot be known yet; disruptive",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
    let wide: Vec<&str> = shown.lines().filter(|line| line.chars().count() > 80).collect();
    assert_eq!(wide, Vec::<&str>::new());
}

/// Whether a path is of a pattern, in which `{}` stands for a segment.
fn is_of(pattern: &str, path: &str) -> bool {
    let (wanted, path): (Vec<&str>, Vec<&str>) =
        (pattern.split('/').collect(), path.split('?').next().unwrap_or_default().split('/').collect());
    wanted.len() == path.len() && wanted.iter().zip(path).all(|(wanted, segment)| *wanted == "{}" || *wanted == segment)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scenario_that_is_named_as_a_runbook_is_led_to_its_option() {
    let scene = Scene::new().await;
    for (name, hint) in [
        ("phished-admin", "it is a scenario: `quell rehearse --scenario phished-admin`"),
        ("nowhere", "`quell runbooks list`"),
    ] {
        let refused = crate::scene::ran(&mut scene.bare(&["rehearse", name])).expect(2);
        assert!(refused.stderr.contains(hint), "{}", refused.stderr);
    }
}
