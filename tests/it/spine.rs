//! The spine of the engine through the real binary: look, consent, send once, prove; and every way to be torn from it.

use std::fs;

use quell::simulator::FaultKind;
use serde_json::{Value, json};

use crate::scene::{Ran, Scene, ran};

const RUNBOOK: &str = r#"
schema = 1
name   = "spine"
title  = "The spine"

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

[[steps]]
id     = "roll"
phase  = "eradicate"
title  = "Rotate what remains"
why    = "It lay beside it."
action = "cloudflare.tokens.rotate"
with   = { tokens = { from = "steps.inventory.rotatable" } }

[[steps]]
id     = "revoke"
phase  = "eradicate"
title  = "Delete the suspect"
why    = "For good."
action = "cloudflare.token.revoke"
with   = { tokens = { from = "steps.inventory.suspects" } }
"#;

/// Two tokens to rotate, by id.
pub(crate) struct Spine {
    pub(crate) scene: Scene,
    pub(crate) rolled: [String; 2],
}

impl Spine {
    pub(crate) async fn new() -> Self {
        Self::at(Scene::new().await)
    }

    pub(crate) fn at(scene: Scene) -> Self {
        scene.write("spine.toml", RUNBOOK);
        let others = scene.scenario.cast.tokens.iter().filter(|token| {
            token.owner.is_none()
                && token.id != scene.scenario.cast.suspect_token_id
                && token.name != "metrics-exporter"
        });
        let ids: Vec<String> = others.map(|token| token.id.clone()).take(2).collect();
        Self { scene, rolled: [ids[0].clone(), ids[1].clone()] }
    }

    /// Answers that do everything; `more` stands at the end.
    pub(crate) fn answers(&self, more: &str) -> String {
        let [one, two] = &self.rolled;
        let suspect = &self.scene.scenario.cast.suspect_token_id;
        let text = format!(
            "[inputs]\nsuspect = \"{suspect}\"\n[steps.cut]\nanswer = \"run\"\n\
             [steps.roll]\nanswer = \"run\"\nselect = [\"{one}\", \"{two}\"]\nphrase = \"roll\"\nleft = \"later:platform team\"\n\
             [steps.revoke]\nanswer = \"run\"\nphrase = \"{suspect}\"\n{more}"
        );
        self.scene.write("answers.toml", &text).display().to_string()
    }

    pub(crate) fn run(&self, answers: &str) -> Ran {
        self.scene.run(&["run", "spine.toml", "--answers", answers, "--json"])
    }

    pub(crate) fn resume(&self, answers: &str) -> Ran {
        self.scene.run(&["resume", "--answers", answers, "--json"])
    }
}

/// The effects of a step in the JSON document.
fn effects(document: &Value, step: &str) -> Vec<Value> {
    let steps = document["steps"].as_array().unwrap();
    steps.iter().find(|found| found["id"] == step).unwrap()["effects"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_sent_once_and_proven() {
    let spine = Spine::new().await;
    let answers = spine.answers("");
    let document = spine.run(&answers).expect(0).json();
    assert_eq!(document["outcome"], "done");
    let suspect = &spine.scene.scenario.cast.suspect_token_id;
    let account = &spine.scene.scenario.cast.account_id;
    let [one, two] = &spine.rolled;
    let sent: Vec<String> =
        spine.scene.writes().iter().map(|write| format!("{} {}", write.method, write.path)).collect();
    assert_eq!(
        sent,
        [
            format!("PUT /accounts/{account}/tokens/{suspect}"),
            format!("PUT /accounts/{account}/tokens/{one}/value"),
            format!("PUT /accounts/{account}/tokens/{two}/value"),
            format!("DELETE /accounts/{account}/tokens/{suspect}"),
        ]
    );
    for step in ["cut", "roll", "revoke"] {
        for effect in effects(&document, step).iter().filter(|effect| effect["left"].is_null()) {
            assert_eq!(
                (&effect["outcome"], &effect["verdict"]),
                (&json!("applied"), &json!("holds")),
                "{step}: {effect}"
            );
        }
    }
    let left =
        effects(&document, "roll").into_iter().filter(|effect| effect["left"]["owner"] == "platform team").count();
    assert!(left > 3, "every row that was not chosen has an owner");
    spine.scene.run(&["verify", document["incident"].as_str().unwrap()]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disabled_token_keeps_everything_else() {
    let spine = Spine::new().await;
    let answers = spine.answers("");
    let shipped = fs::read_to_string(&answers).unwrap();
    fs::write(
        &answers,
        shipped.replace("[steps.revoke]\nanswer = \"run\"", "[steps.revoke]\nanswer = \"skip\"\nreason = \"kept\""),
    )
    .unwrap();
    spine.run(&answers).expect(0);
    let body = spine.scene.writes().remove(0).body.unwrap();
    assert_eq!(body["status"], "disabled");
    assert!(body["policies"].as_array().is_some_and(|policies| !policies.is_empty()));
    assert!(body.get("id").is_none() && body.get("last_used_on").is_none(), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_never_sent_again_by_itself() {
    for kind in [FaultKind::DropAfter, FaultKind::DropAfterPartial, FaultKind::Truncated, FaultKind::Html] {
        let applied = !matches!(kind, FaultKind::Html);
        let spine = Spine::new().await;
        let suspect = spine.scene.scenario.cast.suspect_token_id.clone();
        spine.scene.fault("PUT", &format!("/tokens/{suspect}"), 1, kind.clone());
        let answers = spine.answers("");
        let ran = spine.run(&answers);
        let sent =
            spine.scene.writes().iter().filter(|write| write.method == "PUT" && write.path.ends_with(&suspect)).count();
        assert_eq!(sent, 1, "{kind:?}");
        if applied {
            // A read settles it: the token is disabled.
            ran.expect(0);
        } else {
            // A read shows that it did not happen; a person must say that it is to be sent again.
            let document = ran.expect(13).json();
            assert_eq!(effects(&document, "cut")[0]["in_doubt"], true);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roll_in_doubt_waits_for_a_person() {
    let spine = Spine::new().await;
    spine.scene.fault("PUT", "/value", 1, FaultKind::DropAfter);
    let answers = spine.answers("");
    spine.run(&answers).expect(13);
    let rolls = || spine.scene.writes().iter().filter(|write| write.path.ends_with("/value")).count();
    assert_eq!(rolls(), 1);
    // Asked again without an answer, it still waits.
    spine.resume(&answers).expect(13);
    assert_eq!(rolls(), 1);
    // The person says: once more.
    spine.resume(&spine.answers("[defaults]\nin_doubt = \"retry\"\n")).expect(0);
    assert_eq!(rolls(), 3, "the one in doubt once more, and the second row");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_of_a_roll_that_was_cut_off_is_sealed() {
    let spine = Spine::new().await;
    spine.scene.fault("PUT", "/value", 1, FaultKind::DropAfterPartial);
    let ran = spine.run(&spine.answers("")).expect(13);
    let row = effects(&ran.json(), "roll").into_iter().find(|row| row["in_doubt"] == true).unwrap();
    assert_eq!(row["outcome"], "unknown");
    let journal = spine.scene.journal();
    let of = |wanted: &str| journal.iter().map(|entry| &entry["event"]).find(move |event| event["type"] == wanted);
    assert_eq!(of("answer_sealed").unwrap()["effect"], row["key"]);
    let settled = journal
        .iter()
        .map(|entry| &entry["event"])
        .find(|event| event["effect"] == row["key"] && event["type"] == "settled");
    assert!(settled.unwrap().to_string().contains("lies sealed in the vault"), "{settled:?}");

    let dir = spine.scene.incident();
    let vault = quell::vault::Vault::load(&dir.join("vault")).unwrap().unwrap();
    let identity = fs::read_to_string(spine.scene.path("identity.txt")).unwrap();
    let opened = vault.prove(quell::vault::Key::IdentityFile(quell::secret::Secret::new(identity))).unwrap();
    let effect = quell::model::EffectKey::new(row["key"].as_str().unwrap());
    let id = quell::model::SealedId { run: quell::model::RunId::new("r1"), effect, attempt: 1 };
    let kept = opened.answer(&id).unwrap();
    assert_eq!((kept.status, kept.body.expose().first()), (200, Some(&b'{')), "the part that came");
    assert!(serde_json::from_slice::<Value>(kept.body.expose()).is_err(), "and no more");

    let revealed = spine.scene.run(&["secrets", "reveal", row["key"].as_str().unwrap()]).expect(12);
    assert!(revealed.stderr.contains("not whole") && revealed.stderr.contains("age -d"), "{revealed:?}");
    spine.scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_each_run_of_an_incident_sealed_is_kept_apart() {
    let spine = Spine::new().await;
    let answers = spine.answers("").replace("answers.toml", "kept.toml");
    let text = fs::read_to_string(spine.answers("")).unwrap();
    fs::write(&answers, text.replace("[steps.revoke]\nanswer = \"run\"", "[steps.revoke]\nanswer = \"skip\"")).unwrap();
    let incident = spine.run(&answers).expect(0).json()["incident"].as_str().unwrap().to_owned();
    let again = ["run", "spine.toml", "--incident", &incident, "--answers", &answers, "--json"];
    // A crash between intent and call: what the first run sealed must not be taken for the second one's answer.
    let mut command = spine.scene.command(&again);
    assert_eq!(ran(command.env("QUELL_CRASH_AT", "before-send:1")).code, -1);
    let rolls = || spine.scene.writes().iter().filter(|write| write.path.ends_with("/value")).count();
    assert_eq!(rolls(), 2);
    let document = spine.resume(&answers).expect(13).json();
    assert_eq!(rolls(), 2);
    assert!(effects(&document, "roll").iter().any(|effect| effect["in_doubt"] == true), "{document:#}");
    let retry = format!("{}[defaults]\nin_doubt = \"retry\"\n", fs::read_to_string(&answers).unwrap());
    fs::write(&answers, retry).unwrap();
    spine.resume(&answers).expect(0);
    assert_eq!(rolls(), 4, "the second run rolls both again");
    let list = spine.scene.run(&["secrets", "list", "--json"]).expect(0).json();
    let runs: Vec<_> = list["secrets"].as_array().unwrap().iter().map(|it| it["run"].as_str().unwrap()).collect();
    assert_eq!(runs, ["r1", "r1", "r2", "r2"]);
    // The newest value is the one that counts.
    let revealed = spine.scene.run(&["secrets", "reveal", &spine.rolled[0]]).expect(0).stdout;
    let verify =
        format!("{}/accounts/{}/tokens/verify", spine.scene.simulator.base_url(), spine.scene.scenario.cast.account_id);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let status = client.get(verify).bearer_auth(revealed.trim()).send().await.unwrap().status();
    assert_eq!(status, 200);
    spine.scene.run(&["verify", &incident]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_of_requests_and_of_no_secret() {
    for (args, filter) in
        [(&["-vv"][..], None), (&[], Some("trace")), (&["-vv"], Some("trace")), (&["-vv"], Some("off"))]
    {
        let spine = Spine::new().await;
        let suspect = spine.scene.scenario.cast.suspect_token_id.clone();
        spine.scene.fault("GET", &format!("*/tokens/{suspect}"), 1, FaultKind::ServerError);
        let answers = spine.answers("");
        let all = [args, &["run", "spine.toml", "--answers", &answers]].concat();
        let mut command = spine.scene.command(&all);
        if let Some(filter) = filter {
            command.env("RUST_LOG", filter);
        }
        let ran = crate::scene::ran(&mut command).expect(0);
        let requests: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("cloudflare::api")).collect();
        if filter == Some("off") {
            assert_eq!(requests, Vec::<&str>::new());
            continue;
        }
        let told = |parts: &[&str]| requests.iter().any(|line| parts.iter().all(|part| line.contains(part)));
        let value = format!("/tokens/{}/value", spine.rolled[0]);
        assert!(told(&["DEBUG", "method=PUT", &value, "status=200", "ms=", "attempt=1"]), "{}", ran.stderr);
        assert!(told(&["method=GET", &suspect, "status=500", "attempt=1"]), "{}", ran.stderr);
        assert!(told(&["method=GET", &suspect, "status=200", "attempt=2"]), "{}", ran.stderr);
        let cast = &spine.scene.scenario.cast;
        let mut secrets = vec![cast.responder_token.clone(), cast.global_key.clone()];
        for rolled in &spine.rolled {
            secrets.push(spine.scene.run(&["secrets", "reveal", rolled]).expect(0).stdout.trim().to_owned());
        }
        for secret in secrets {
            assert!(
                secret.len() > 20 && !ran.stderr.contains(&secret) && !ran.stdout.contains(&secret),
                "{args:?} {filter:?}"
            );
        }
        assert!(!ran.stderr.to_lowercase().contains("authorization"), "{args:?} {filter:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_leave_is_tried_three_times_under_one_consent() {
    let spine = Spine::new().await;
    spine.scene.fault("PUT", "/tokens/", 9, FaultKind::Throttle { retry_after: 1 });
    let document = spine.run(&spine.answers("")).json();
    let effect = &effects(&document, "cut")[0];
    assert_eq!((&effect["attempts"], &effect["outcome"]), (&json!(3), &json!("not_sent")), "{effect}");
    assert_eq!(spine.scene.writes().iter().filter(|write| write.applied).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_stops_the_list() {
    let spine = Spine::new().await;
    spine.scene.fault("PUT", &format!("/tokens/{}/value", spine.rolled[0]), 1, FaultKind::Forbidden);
    let document = spine.run(&spine.answers("")).json();
    let rows = effects(&document, "roll");
    assert_eq!(rows.iter().filter(|row| row["outcome"] == "refused").count(), 1);
    assert_eq!(
        spine.scene.writes().iter().filter(|write| write.path.ends_with("/value")).count(),
        1,
        "the second row waits"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_seen_any_more_is_not_taken_for_done() {
    let spine = Spine::new().await;
    let [one, two] = spine.rolled.clone();
    spine.scene.fault("PUT", &format!("/tokens/{one}/value"), 1, FaultKind::DropBefore);
    spine.run(&spine.answers("")).expect(13);
    // Whoever resumes may not list the account's tokens any more.
    let account = spine.scene.scenario.cast.account_id.clone();
    spine.scene.fault("GET", &format!("*/accounts/{account}/tokens"), 99, FaultKind::Forbidden);
    let ran = spine.resume(&spine.answers("[defaults]\nin_doubt = \"applied\"\n")).expect(16);
    let rows = effects(&ran.json(), "roll");
    let row = rows.iter().find(|row| row["target"]["id"] == two.as_str()).unwrap();
    assert_eq!((&row["outcome"], &row["left"]["disposition"]), (&Value::Null, &json!("unseen")), "{row}");
    let sent = spine.scene.writes().iter().filter(|write| write.path.contains(&two)).count();
    assert_eq!(sent, 0);
    let gaps = ran.json()["gaps"].to_string();
    assert!(gaps.contains(&two), "the gap is named: {gaps}");
    let report = fs::read_to_string(spine.scene.incident().join("report.md")).unwrap();
    let told = report.matches("could not be seen any more").count();
    assert!(told >= 2, "among what is unsettled, and among the tokens: {report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspect_whose_step_was_skipped_is_not_cut_and_the_report_says_why() {
    let spine = Spine::new().await;
    let suspect = spine.scene.scenario.cast.suspect_token_id.clone();
    let text =
        format!("[inputs]\nsuspect = \"{suspect}\"\n[defaults]\nanswer = \"skip\"\nreason = \"the shop would stop\"\n");
    let answers = spine.scene.write("answers.toml", &text).display().to_string();
    spine.run(&answers).expect(0);
    let report = fs::read_to_string(spine.scene.incident().join("report.md")).unwrap();
    let section = |title: &str| {
        let after = report.split(&format!("\n### {title}\n")).nth(1).unwrap_or_else(|| panic!("{title}: {report}"));
        after.split("\n#").next().unwrap().trim().to_owned()
    };
    assert_eq!(section("Cut"), "None.");
    let left = section("Proposed to be cut or rotated, and *not* done");
    let row = left.lines().find(|line| line.contains(&suspect)).unwrap_or_else(|| panic!("{left}"));
    assert!(row.contains("the step was skipped: the shop would stop") && row.contains("| tester |"), "{row}");
    assert!(!report.contains("not decided"), "it was decided:\n{report}");
    assert!(report.contains("not done, its step was skipped: the shop would stop"), "{report}");
}
