//! A person was phished: the intruder has a session and a key, and no token need be the suspect. Through the shipped runbook
//! and the real binary.

use serde_json::{Value, json};

use crate::nights::morning::asks;
use crate::scene::{Ran, Scene, ran};

const PRIYA: &str = "priya.nair@harborlane.example";
const TOMAS: &str = "tomas.herrera@harborlane.example";

/// Steps with rows to choose, and with work for people.
const ROWS: [&str; 7] = ["cut", "cut-again", "cut-widened", "members-out", "rotate", "rotate-later", "revoke"];
const WORK: [&str; 6] = ["dns-settle", "certificates-settle", "firewall-settle", "people", "key", "recheck"];

/// What is said to everything that `more` does not speak of: nothing is chosen, and somebody sees to it later.
pub(crate) fn run(scene: &Scene, args: &[&str], more: &str) -> Ran {
    let left = |select: &'static str| move |id: &str| format!("[steps.{id}]\n{select}left = \"later:Jonas Weber\"\n");
    let rows = ROWS.map(left("answer = \"run\"\nselect = \"none\"\n"));
    let rest = rows.into_iter().chain(WORK.map(left(""))).filter(|it| !more.contains(it.lines().next().unwrap()));
    let rest: String = rest.collect();
    let own = "[steps.own-sound]\nfields = { choice = \"sound\", reason = \"made today\", agreed_by = \"\" }\n";
    let own = if more.contains("[steps.own-sound]") { "" } else { own };
    let text = format!(
        "[inputs]\ndetected_at = \"10m ago\"\nexposed_since = \"7h ago\"\n\
         {own}\
         [steps.pace]\nanswer = \"run\"\nfields = {{ choice = \"evidence-first\", reason = \"no harm\" }}\n\
         [steps.watch]\nanswer = \"run\"\nfields = {{ owner = \"Jonas Weber\", next_update = \"\" }}\n{rest}{more}"
    );
    let answers = scene.write("answers.toml", &text).display().to_string();
    ran(scene.command(args).args(["--answers", &answers, "--json"]))
}

fn step<'d>(document: &'d Value, path: &str) -> &'d Value {
    let steps = document["steps"].as_array().unwrap();
    steps.iter().find(|step| step["path"] == path).unwrap_or_else(|| panic!("no `{path}` in {document:#}"))
}

/// What a step asks a person for, by its title.
fn asked(step: &Value) -> Vec<&str> {
    step["effects"].as_array().unwrap().iter().map(|effect| effect["target"]["name"].as_str().unwrap()).collect()
}

fn told(ran: &Ran) -> String {
    ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_token_is_chosen_the_hunt_names_whose_session_and_key_it_was() {
    let scene = Scene::of("phished-admin").await;
    let args = ["run", "cloudflare-token-compromise", "--set", "suspect=unknown"];
    let rested = run(&scene, &args, "").expect(11);
    let document = rested.json();
    assert!(document["paused"].as_str().unwrap().contains("key-later/key-later-way"), "{}", document["paused"]);
    assert_eq!(step(&document, "key-now")["status"], "skipped");
    let named = format!("1 user whose session or key the intruder may have ({TOMAS}), 1 not asked yet");
    assert!(told(&rested).contains(&named), "{}", rested.stderr);

    let more = format!(
        "[steps.key-later-way]\nanswer = \"run\"\nfields = {{ choice = \"remove\", reason = \"cannot be reached\", agreed_by = \"\" }}\n\
         [steps.key-later-remove]\nanswer = \"run\"\nselect = [\"{TOMAS}\"]\nphrase = \"{TOMAS}\"\n"
    );
    let document = run(&scene, &["resume"], &more).expect(16).json();
    let removed = &step(&document, "key-later/key-later-remove")["effects"][0];
    assert_eq!((&removed["target"]["name"], &removed["verdict"]), (&json!(TOMAS), &json!("holds")));
    assert!(!scene.account()["members"].to_string().contains(&format!("\"{TOMAS}\"")));
    // Whoever is no member any more has nothing left to take back here, and that is a proof.
    assert_eq!(asked(step(&document, "people")), Vec::<&str>::new());
    for technique in ["CF-I06", "CF-I12"] {
        let mut findings = document["findings"].as_array().unwrap().iter();
        let of_him = findings.find(|it| it["technique"] == technique && it["resource"]["id"] == TOMAS).unwrap();
        assert_eq!(of_him["status"], "reverted", "{of_him:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_named_is_the_suspect_and_is_asked_at_once() {
    let scene = Scene::of("phished-admin").await;
    let set = format!("suspect={TOMAS}");
    let more = "[steps.key-now-way]\nanswer = \"run\"\nfields = { choice = \"owner\", reason = \"on the phone\", agreed_by = \"\" }\n\
             [steps.key-now-owner]\nanswer = \"run\"\nfields = { attested_by = \"Tomás Herrera\" }\n\
             [steps.cut]\nanswer = \"run\"\nselect = [\"edge-sync\"]\nphrase = \"cut\"\nleft = \"later:Jonas Weber\"\n";
    let args = ["run", "cloudflare-token-compromise", "--set", &set];
    let done = run(&scene, &args, more).expect(16);
    let (document, told) = (done.json(), told(&done));
    assert!(!told.contains("NOT SEEN by any list"), "{}", done.stderr);
    let said = format!(
        "the suspect is {TOMAS}: 5 acts of theirs without a token, 3 from 203.0.113.77, where they never were before"
    );
    assert!(told.contains(&said), "{}", done.stderr);
    // What the session made is the intruder's, for whoever says that it was not its user.
    assert_eq!(step(&document, "cut")["effects"][0]["target"]["name"], "edge-sync");
    let works = asked(step(&document, "key-now/key-now-owner"));
    assert_eq!(works.len(), 4, "{works:?}");
    assert!(works.iter().all(|work| work.ends_with(TOMAS)), "{works:?}");
    // Nobody is asked twice for what was attested.
    assert_eq!(step(&document, "key-later")["status"], "skipped");
    assert_eq!(asked(step(&document, "people")), [format!("Consents to OAuth applications of {TOMAS}")]);
    assert_eq!(asked(step(&document, "key")), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_nobody_is_a_slip_of_the_pen() {
    let scene = Scene::of("phished-admin").await;
    let args = ["run", "cloudflare-token-compromise", "--set", "suspect=tomas.herera@harborlane.example"];
    let rested = run(&scene, &args, "").expect(11);
    assert!(told(&rested).contains("NOT SEEN by any list nor by the log"), "{}", rested.stderr);
    assert!(scene.writes().is_empty());
}

/// Nothing is known of the suspect but what it is called: neither a list nor the log has it.
#[tokio::test(flavor = "multi_thread")]
async fn a_suspect_known_by_name_alone_is_played_to_the_end() {
    let scene = Scene::new().await;
    let token = scene.scenario.cast.tokens.iter().find(|token| token.name == "priya dns scripts").unwrap();
    let records = format!("/zones/{}/dns_records", scene.account()["zones"][0]["zone"]["id"].as_str().unwrap());
    let reads = || asks(&scene, &token.secret, "GET", &records, None);
    assert_eq!(reads(), 200);
    let more = format!(
        "[steps.unseen-way]\nanswer = \"run\"\nfields = {{ choice = \"remove\", reason = \"not to be reached\" }}\n\
         [steps.unseen-who]\nanswer = \"run\"\nfields = {{ member = \"{PRIYA}\" }}\n\
         [steps.unseen-remove]\nanswer = \"run\"\nphrase = \"{PRIYA}\"\n\
         [steps.unseen-later-way]\nanswer = \"run\"\nfields = {{ choice = \"owner\", reason = \"she is out already\" }}\n\
         [steps.unseen-later-owner]\nleft = \"keep:its owner is no member any more\"\n"
    );
    let args = ["run", "cloudflare-token-compromise", "--set", "suspect=priya dns script"];
    let done = run(&scene, &args, &more).expect(16);
    let (document, told) = (done.json(), told(&done));
    assert!(told.contains("the suspect `priya dns script` NOT SEEN by any list"), "{}", done.stderr);
    let remove = &step(&document, "unseen/unseen-cut/unseen-remove#1")["effects"][0];
    assert_eq!((&remove["target"]["name"], &remove["verdict"]), (&json!(PRIYA), &json!("holds")));
    assert_eq!(reads(), 403);
    // What no read showed dead stays a gap, and the incident is not closed over it.
    assert!(document["gaps"].to_string().contains("priya dns script"), "{}", document["gaps"]);
    let open = scene.run(&["close"]).expect(11);
    assert!(open.stdout.contains("priya dns script"), "{}", open.stdout);
    let accept = "all=Maya Lindqvist: its owner is out";
    scene.run(&["close", "--accept", accept]).expect(0);
}
