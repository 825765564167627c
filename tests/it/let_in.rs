//! Whom the intruder let in, and tokens that only their owner sees: through the shipped runbook and the real binary.

use std::process::Command;

use quell::simulator::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::scene::{Scene, ran};

const BOOK: &str = "cloudflare-token-compromise";
const PRIYA: &str = "priya.nair@harborlane.example";

/// What comes before the cut, then `more`; what else is asked rests the run.
fn answers(scene: &Scene, more: &str) -> String {
    let text = format!(
        "[inputs]\ndetected_at = \"10m ago\"\nexposed_since = \"10h ago\"\n\
         [steps.own-sound]\nanswer = \"run\"\nfields = {{ choice = \"sound\", reason = \"made today\", agreed_by = \"\" }}\n\
         [steps.pace]\nanswer = \"run\"\nfields = {{ choice = \"evidence-first\", reason = \"no harm is seen\" }}\n{more}"
    );
    scene.write("answers.toml", &text).display().to_string()
}

fn command(scene: &Scene, args: &[&str], more: &str) -> Command {
    let mut command = scene.command(args);
    command.args(["--answers", &answers(scene, more), "--json"]);
    command
}

fn token(scene: &Scene, name: &str) -> (String, String) {
    let found = scene.scenario.cast.tokens.iter().find(|token| token.name == name).unwrap();
    (found.id.clone(), found.secret.clone())
}

fn step<'d>(document: &'d Value, path: &str) -> &'d Value {
    let steps = document["steps"].as_array().unwrap();
    steps.iter().find(|step| step["path"] == path).unwrap_or_else(|| panic!("no `{path}` in {document:#}"))
}

fn members(scene: &Scene) -> String {
    scene.account()["members"].to_string()
}

/// Nobody else is taken for the suspect.
const NO_OTHER: &str = "[steps.cut]\nanswer = \"run\"\nselect = \"none\"\nleft = \"keep:a colleague, as they say\"\n";

const CUT: &str = "[steps.cut]\nanswer = \"run\"\nphrase = \"disable 3\"\n[steps.cut-again]\nanswer = \"run\"\n\
                   phrase = \"cut-again\"\n[steps.cut-widened]\nanswer = \"run\"\nphrase = \"cut-widened\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_invitation_of_the_intruder_is_withdrawn_for_its_name_and_for_nothing_less() {
    let scene = Scene::new().await;
    let invited = "maya.lindqvist@harborlane-example.test";
    let run = |verb: &str, phrase: &str| {
        let more = format!("{CUT}[steps.members-out]\nanswer = \"run\"\nphrase = \"{phrase}\"\n");
        let args: &[&str] = if verb == "run" { &["run", BOOK, "--set", "suspect=ci-deploy"] } else { &["resume"] };
        ran(&mut command(&scene, args, &more)).expect(11)
    };
    // What cannot be put back is not done for the step's id.
    let rested = run("run", "members-out").json();
    assert!(rested["paused"].as_str().unwrap().contains("members-out"), "{}", rested["paused"]);
    assert!(members(&scene).contains(invited));
    let rested = run("resume", invited).json();
    let out = &step(&rested, "rounds/members-out#1")["effects"][0];
    assert_eq!(
        (&out["outcome"], &out["verdict"], &out["danger"]),
        (&json!("applied"), &json!("holds"), &json!("irreversible"))
    );
    assert!(!members(&scene).contains(invited) && members(&scene).contains("maya.lindqvist@harborlane.example"));
    let finding = rested["findings"].as_array().unwrap().iter().find(|it| it["technique"] == "CF-I07").unwrap();
    assert_eq!(finding["status"], "reverted");
    assert_eq!(scene.writes().iter().filter(|write| write.method == "DELETE").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_may_be_left_with_a_reason_and_the_finding_stays_open() {
    let scene = Scene::new().await;
    let more = format!("{CUT}[steps.members-out]\nanswer = \"skip\"\nreason = \"the law wants to see who comes\"\n");
    let rested = ran(&mut command(&scene, &["run", BOOK, "--set", "suspect=ci-deploy"], &more)).expect(11).json();
    assert_eq!(step(&rested, "rounds/members-out#1")["status"], "skipped");
    let finding = rested["findings"].as_array().unwrap().iter().find(|it| it["technique"] == "CF-I07").unwrap();
    assert_eq!(finding["status"], "open");
    assert!(scene.writes().iter().all(|write| write.method != "DELETE"));
}

/// Of a token that is another member's own the branch says what to click and offers the membership.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_only_its_owner_sees_is_a_branch_with_the_membership_as_the_last_way() {
    let scene = Scene::new().await;
    let (id, secret) = token(&scene, "priya dns scripts");
    // The log knows whose it is, since it was used in the window.
    used(&scene, &secret);
    let more = format!(
        "{NO_OTHER}[steps.unseen-way]\nanswer = \"run\"\nfields = {{ choice = \"remove\", reason = \"not to be reached\" }}\n\
         [steps.unseen-remove]\nanswer = \"run\"\nphrase = \"{PRIYA}\"\n"
    );
    let set = format!("suspect={id}");
    let ran = ran(&mut command(&scene, &["run", BOOK, "--set", &set], &more));
    let document = ran.json();
    assert!(matches!(ran.code, 11 | 16), "{ran:#?}");
    // Whoever loses the account has nothing more to click, and the log names them.
    assert_eq!(step(&document, "unseen/unseen-owner")["status"], "skipped");
    assert_eq!(step(&document, "unseen/unseen-cut/unseen-who#1")["status"], "skipped");
    let remove = &step(&document, "unseen/unseen-cut/unseen-remove#1")["effects"][0];
    assert_eq!((&remove["target"]["name"], &remove["verdict"]), (&json!(PRIYA), &json!("holds")));
    assert_eq!(step(&document, "unseen/unseen-cut/unseen-demote#1")["status"], "skipped");
    assert!(!members(&scene).contains(PRIYA));
    // It stays a gap: nothing that this credential reads shows the token.
    assert!(document["gaps"].to_string().contains(&id), "{}", document["gaps"]);
}

/// Where the log does not know whose it is, the responder may: to remove somebody is no empty step.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_owns_what_nobody_sees_can_be_named_by_the_responder() {
    let scene = Scene::new().await;
    let way =
        "[steps.unseen-way]\nanswer = \"run\"\nfields = { choice = \"remove\", reason = \"not to be reached\" }\n";
    let whose = |member: &str| {
        format!("{NO_OTHER}{way}[steps.unseen-who]\nanswer = \"run\"\nfields = {{ member = \"{member}\" }}\n")
    };
    let set = "suspect=0123456789abcdef0123456789abcdef";
    let more = whose("priya.nairr@harborlane.example");
    let rested = ran(&mut command(&scene, &["run", BOOK, "--set", set], &more)).expect(11).json();
    let paused = rested["paused"].as_str().unwrap();
    assert!(
        paused.contains("needs another value for `member`: `priya.nairr@harborlane.example` is none of"),
        "{paused}"
    );
    assert!(paused.contains(PRIYA), "{paused}");

    let scene = Scene::new().await;
    let more = format!("{}[steps.unseen-remove]\nanswer = \"run\"\nphrase = \"{PRIYA}\"\n", whose(PRIYA));
    let document = ran(&mut command(&scene, &["run", BOOK, "--set", set], &more)).json();
    let remove = &step(&document, "unseen/unseen-cut/unseen-remove#1")["effects"][0];
    assert_eq!((&remove["target"]["name"], &remove["verdict"]), (&json!(PRIYA), &json!("holds")));
    assert!(!members(&scene).contains(PRIYA));
}

/// Whoever was named wrongly is named again; the user that quell acts for is left alone, and it is said why.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_named_wrongly_can_be_named_again() {
    let scene = Scene::new().await;
    let maya = &scene.scenario.cast.email;
    let more = format!(
        "{NO_OTHER}[steps.unseen-way]\nanswer = \"run\"\nfields = {{ choice = \"remove\", reason = \"not to be reached\" }}\n\
         [steps.\"unseen/unseen-cut/unseen-who#1\"]\nanswer = \"run\"\nfields = {{ member = \"{maya}\" }}\n\
         [steps.unseen-again]\nanswer = \"run\"\nfields = {{ again = \"again\" }}\n\
         [steps.unseen-who]\nanswer = \"run\"\nfields = {{ member = \"{PRIYA}\" }}\n\
         [steps.unseen-remove]\nanswer = \"run\"\nphrase = \"{PRIYA}\"\n"
    );
    let set = "suspect=0123456789abcdef0123456789abcdef";
    let ran = ran(&mut command(&scene, &["run", BOOK, "--set", set], &more));
    let document = ran.json();
    assert_eq!(step(&document, "unseen/unseen-cut/unseen-remove#1")["status"], "failed");
    let told = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains(&format!("quell does not remove {maya}")) && told.contains("quell acts for this user"),
        "{told}"
    );
    let remove = &step(&document, "unseen/unseen-cut/unseen-remove#2")["effects"][0];
    assert_eq!((&remove["target"]["name"], &remove["verdict"]), (&json!(PRIYA), &json!("holds")));
    assert!(!members(&scene).contains(PRIYA) && members(&scene).contains(maya.as_str()));
}

/// The same where the responder has nothing but a name, which neither a list nor the log knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nothing_shows_is_a_branch_too_and_no_failed_step() {
    let scene = Scene::new().await;
    let more = "[steps.cut]\nanswer = \"run\"\nselect = \"none\"\nleft = \"keep:not known\"\n";
    let ran = ran(&mut command(&scene, &["run", BOOK, "--set", "suspect=tomas laptop"], more)).expect(11);
    let document = ran.json();
    assert!(document["paused"].as_str().unwrap().contains("unseen-way"), "{}", document["paused"]);
    assert_eq!(step(&document, "inventory")["status"], "done");
    let told = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("the suspect `tomas laptop` NOT SEEN by any list nor by the log"), "{}", ran.stderr);
    assert!(told.contains("if the name is wrong, choose what is meant among the candidates"), "{}", ran.stderr);
    assert!(document["gaps"].to_string().contains("tomas laptop"), "{}", document["gaps"]);
    assert!(scene.writes().is_empty());
}

fn used(scene: &Scene, secret: &str) {
    let request = quell::simulator::Request {
        method: "GET".into(),
        path: "/zones".into(),
        query: String::new(),
        headers: vec![("authorization".into(), format!("Bearer {secret}"))],
        body: None,
    };
    scene.simulator.act(&request);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_list_shows_is_proven_dead_by_its_leaked_value() {
    let scene = Scene::new().await;
    let (id, secret) = token(&scene, "terraform plan");
    // No list of users' tokens: this one is the responder's own user's, and stays unseen.
    scene.simulator.script(Fault {
        method: Some("GET".into()),
        path: "/user/tokens?*".into(),
        skip: 0,
        times: 999,
        kind: FaultKind::Forbidden,
    });
    let more = "[steps.unseen-owner]\nanswer = \"run\"\nfields = { attested_by = \"Maya Lindqvist\" }\n";
    let rested = ran(command(&scene, &["run", BOOK], more).env("QUELL_SUSPECT_VALUE", &secret)).expect(11).json();
    assert!(rested["paused"].as_str().unwrap().contains("unseen-way"), "{}", rested["paused"]);
    assert!(rested["gaps"].to_string().contains("STILL ACCEPTED"), "{}", rested["gaps"]);
    scene.act("DELETE", &format!("/user/tokens/{id}"), None);
    let more = format!(
        "{more}[steps.unseen-way]\nanswer = \"run\"\nfields = {{ choice = \"owner\", reason = \"she deleted it\" }}\n"
    );
    let rested = ran(command(&scene, &["resume"], &more).env("QUELL_SUSPECT_VALUE", &secret)).json();
    let hand = &step(&rested, "unseen/unseen-owner")["effects"][0];
    assert!(hand["target"]["name"].as_str().unwrap().contains(&id), "{hand}");
    let proof = step(&rested, "unseen/unseen-proof")["already"].to_string();
    assert!(proof.contains("its leaked value is refused"), "{proof}");
}
