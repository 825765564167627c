//! `quell undo` through the real binary: what was captured is put back, what somebody changed since is left alone, and
//! what cannot be undone is said before anything is asked.

use std::fs;

use quell::simulator::{FaultKind, Request};
use serde_json::{Value, json};

use crate::scene::{Ran, Scene, ran};

const RUNBOOK: &str = r#"
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

const REVOKE: &str = r#"
[[steps]]
id     = "revoke"
phase  = "eradicate"
title  = "Delete a token"
why    = "For good."
action = "cloudflare.token.revoke"
with   = { tokens = [{ id = "TOKEN" }] }
"#;

/// A name that would be a template if it were read as one.
const NAME: &str = "ci {{inputs.nope}} {{#if";

/// Says yes to the only undo.
const YES: &str = "[steps.undo-cut-1]\nanswer = \"run\"\n";

/// An incident in which the suspect token was disabled.
struct Cut {
    scene: Scene,
    id: String,
    /// The token before the incident's run.
    before: Value,
}

impl Cut {
    async fn new() -> Self {
        Self::and_revoke(None).await
    }

    /// Another step deletes the token `revoked`.
    async fn and_revoke(revoked: Option<&str>) -> Self {
        let scene = Scene::new().await;
        let id = scene.scenario.cast.suspect_token_id.clone();
        let mut this = Self { scene, id, before: Value::Null };
        this.change(|token| {
            token["name"] = NAME.into();
            token["expires_on"] = "2099-03-01T00:00:00Z".into();
            token["condition"] = json!({ "request_ip": { "in": ["192.0.2.0/24"], "not_in": ["192.0.2.7/32"] } });
        });
        this.before = this.token();
        let step = revoked.map(|id| REVOKE.replace("TOKEN", id)).unwrap_or_default();
        this.scene.write("cutting.toml", &format!("{RUNBOOK}{step}"));
        let mut answers = format!("[inputs]\nsuspect = \"{}\"\n[steps.cut]\nanswer = \"run\"\n", this.id);
        if let Some(id) = revoked {
            answers.push_str(&format!("[steps.revoke]\nanswer = \"run\"\nphrase = \"{id}\"\n"));
        }
        let answers = this.scene.write("answers.toml", &answers).display().to_string();
        this.scene.run(&["run", "cutting.toml", "--answers", &answers]).expect(0);
        this
    }

    fn path(&self) -> String {
        format!("/accounts/{}/tokens/{}", self.scene.scenario.cast.account_id, self.id)
    }

    /// The token as the API shows it, without what changes by use.
    fn token(&self) -> Value {
        let url = format!("{}{}", self.scene.simulator.base_url(), self.path());
        let secret = self.scene.scenario.cast.responder_token.clone();
        let answer = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = reqwest::Client::builder().no_proxy().build().unwrap();
                client.get(url).bearer_auth(secret).send().await.unwrap().json::<Value>().await.unwrap()
            })
        });
        let mut token = answer.join().unwrap()["result"].clone();
        for volatile in ["modified_on", "last_used_on"] {
            token.as_object_mut().unwrap().remove(volatile);
        }
        token
    }

    /// Somebody changes the token by hand.
    fn change(&self, change: impl FnOnce(&mut Value)) {
        let mut body = self.token();
        change(&mut body);
        self.act("PUT", Some(body));
    }

    fn act(&self, method: &str, body: Option<Value>) {
        let secret = &self.scene.scenario.cast.responder_token;
        let status = self.scene.simulator.act(&Request {
            method: method.into(),
            path: self.path(),
            query: String::new(),
            headers: vec![("authorization".into(), format!("Bearer {secret}"))],
            body,
        });
        assert_eq!(status, 200);
    }

    fn undo(&self, answers: &str) -> Ran {
        let file = self.scene.write("undo.toml", answers).display().to_string();
        self.scene.run(&["undo", "--answers", &file, "--json"])
    }

    /// Requests of quell that were to change something.
    fn writes(&self) -> usize {
        self.scene.writes().len()
    }

    fn finding(&self, document: &Value) -> Value {
        let findings = document["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["resource"]["id"] == *self.id).unwrap()["status"].clone()
    }

    fn report(&self) -> String {
        fs::read_to_string(self.scene.incident().join("report.md")).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_token_is_put_back_as_it_was() {
    let cut = Cut::new().await;
    assert_eq!(cut.token()["status"], "disabled");
    assert!(cut.report().contains("| disable token"), "{}", cut.report());
    let undone = cut.undo(YES).expect(0);
    assert_eq!(cut.token(), cut.before);
    assert_eq!(cut.writes(), 2, "the disabling, and its undo");
    let document = undone.json();
    assert_eq!((&document["run"], &document["outcome"]), (&json!("r2"), &json!("done")));
    assert_eq!(document["runbook"]["source"], "generated");
    let effect = &document["steps"][0]["effects"][0];
    assert_eq!(document["steps"][0]["id"], "undo-cut-1");
    assert_eq!((&effect["danger"], &effect["verdict"]), (&json!("disruptive"), &json!("holds")));
    assert_eq!(cut.finding(&document), "open");
    // The first screen comes before the consent; the consent says what it means.
    assert!(undone.stderr.contains("can be undone, newest first"), "{}", undone.stderr);
    let journal = cut.scene.journal();
    let proposed = journal.iter().rfind(|entry| entry["event"]["type"] == "proposed").unwrap();
    let consequences = proposed["event"]["effects"][0]["consequences"].to_string();
    assert!(
        consequences.contains("THIS GIVES ACCESS BACK") && consequences.contains("is open again"),
        "{consequences}"
    );
    let report = cut.report();
    for part in
        ["done and proven, then undone by E2", "### Cut, and given back by an undo", "1 of 1 given back and proven"]
    {
        assert!(report.contains(part), "{part}:\n{report}");
    }
    assert!(report.contains("### Cut\n\nNone."), "it is not cut any more:\n{report}");
    let cast = &cut.scene.scenario.cast;
    assert!(!fs::read_to_string(cut.scene.incident().join("plan-r2.json")).unwrap().contains(&cast.responder_token));
    cut.scene.run(&["verify", document["incident"].as_str().unwrap()]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn undone_twice_is_already_so() {
    let cut = Cut::new().await;
    cut.undo(YES).expect(0);
    let again = cut.undo(YES).expect(0);
    assert!(again.stderr.contains("everything is undone already"), "{}", again.stderr);
    assert!(again.json()["undone"][0].as_str().unwrap().contains("undone already by r2:undo-cut-1: undone; read back"));
    assert_eq!(cut.writes(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_put_back_by_hand_is_already_so_with_proof() {
    let cut = Cut::new().await;
    cut.change(|token| token["status"] = "active".into());
    let document = cut.undo(YES).expect(0).json();
    assert_eq!(cut.writes(), 1);
    let summary = document["steps"][0]["summary"].as_str().unwrap();
    assert!(summary.contains("needs nothing: read: it is as it was before"), "{summary}");
    assert_eq!(cut.finding(&document), "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_since_is_shown_and_left_alone() {
    let cut = Cut::new().await;
    cut.change(|token| token["condition"] = json!({ "request_ip": { "in": ["203.0.113.9/32"] } }));
    let changed = cut.token();
    let ran = cut.undo(YES).expect(12);
    assert_eq!((cut.token(), cut.writes()), (changed, 1));
    let document = ran.json();
    let error = document["steps"][0]["summary"].as_str().unwrap();
    for part in ["somebody changed token", "`condition` was", "192.0.2.0/24", "and is", "203.0.113.9/32"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains("`status`") && !error.contains("`policies`"), "only what differs: {error}");
    assert_eq!(cut.finding(&document), "contained");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_undone_is_said_before() {
    let (suspect, other) = {
        let cast = Scene::new().await.scenario.cast;
        let other = cast.tokens.iter().find(|token| token.owner.is_none() && token.id != cast.suspect_token_id);
        (cast.suspect_token_id.clone(), other.unwrap().id.clone())
    };
    // Of two tokens one can be put back: what becomes of the other is said before that.
    let cut = Cut::and_revoke(Some(&other)).await;
    let undone = cut.undo(YES).expect(0);
    let screen = undone.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let (said, began) =
        (screen.find("no action puts it back: a deleted token cannot be brought back"), screen.find("-- recover"));
    assert!(said.is_some() && said < began, "{}", undone.stderr);
    assert_eq!(cut.token(), cut.before);
    // Where nothing can be, that is all that happens.
    let cut = Cut::and_revoke(Some(&suspect)).await;
    let entries = cut.scene.journal().len();
    let refused = cut.undo(YES).expect(12).json();
    let causes = refused["error"]["cause"].to_string();
    for cause in
        ["no action puts it back: a deleted token cannot be brought back", "the token was deleted at r1:revoke"]
    {
        assert!(causes.contains(cause), "{cause}: {causes}");
    }
    assert_eq!((cut.writes(), cut.scene.journal().len()), (2, entries));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_somebody_deleted_since_is_not_made_anew() {
    let cut = Cut::new().await;
    cut.act("DELETE", None);
    let document = cut.undo(YES).expect(12).json();
    let error = document["steps"][0]["summary"].as_str().unwrap();
    assert!(error.contains("the token is gone, and a deleted token cannot be brought back"), "{error}");
    assert_eq!(cut.writes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_in_which_nothing_was_changed_has_nothing_to_undo() {
    let scene = Scene::new().await;
    scene.write("cutting.toml", RUNBOOK);
    let answers = format!(
        "[inputs]\nsuspect = \"{}\"\n[steps.cut]\nanswer = \"skip\"\nreason = \"not now\"\n",
        scene.scenario.cast.suspect_token_id
    );
    let answers = scene.write("answers.toml", &answers).display().to_string();
    scene.run(&["run", "cutting.toml", "--answers", &answers]).expect(0);
    let ran = scene.run(&["undo"]).expect(0);
    assert!(ran.stderr.contains("nothing was changed"), "{}", ran.stderr);
    let incident = scene.incident().display().to_string();
    let ran = scene.run(&["undo", &incident, "cut"]).expect(12);
    assert!(ran.stderr.contains("it never took place"), "{}", ran.stderr);
    let ran = scene.run(&["undo", &incident, "nope"]).expect(2);
    assert!(ran.stderr.contains("no step and no effect of the incident is called `nope`"), "{}", ran.stderr);
    assert!(scene.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_writes_nothing_and_journals_nothing() {
    let cut = Cut::new().await;
    let entries = cut.scene.journal().len();
    let document = cut.scene.run(&["undo", "--dry-run", "--json"]).expect(0).json();
    assert_eq!(document["schema"], "quell.plan/1");
    let effect = &document["steps"][0]["effects"][0];
    assert_eq!((&effect["request"]["method"], &effect["after"]["status"]), (&json!("PUT"), &json!("active")));
    assert_eq!((cut.writes(), cut.scene.journal().len()), (1, entries));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_or_host_is_refused() {
    let cut = Cut::new().await;
    let entries = cut.scene.journal().len();
    let answers = cut.scene.write("undo.toml", YES).display().to_string();
    let other = Scene::new().await;
    for dry in [None, Some("--dry-run")] {
        let mut command = cut.scene.command(&["undo", "--answers", &answers]);
        command.args(dry).env("CLOUDFLARE_BASE_URL", other.simulator.base_url());
        let refused = ran(&mut command).expect(2);
        assert!(refused.stderr.contains("belongs to another API host"), "{}", refused.stderr);
    }
    let mut command = cut.scene.command(&["undo", "--answers", &answers]);
    let refused = ran(command.env("CLOUDFLARE_ACCOUNT_ID", "0".repeat(32))).expect(2);
    assert!(refused.stderr.contains("nothing was sent"), "{}", refused.stderr);
    assert_eq!((cut.writes(), cut.scene.journal().len()), (1, entries));
    assert_eq!(cut.token()["status"], "disabled");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_credential_is_never_put_back() {
    let cut = Cut::new().await;
    let own = cut.scene.scenario.cast.responder_token_id.clone();
    let runbook = format!(
        "schema = 1\nname = \"own\"\ntitle = \"Own\"\n[[steps]]\nid = \"own\"\nphase = \"recover\"\ntitle = \"Own\"\n\
         why = \"Test.\"\naction = \"cloudflare.token.restore\"\nwith = {{ token = {{ id = \"{own}\" }}, before = {{ status = \
         \"disabled\" }}, after = {{ status = \"active\" }} }}\n"
    );
    cut.scene.write("own.toml", &runbook);
    let planned = cut.scene.run(&["plan", "own.toml", "--json"]).expect(0).json();
    let summary = planned["steps"][0]["summary"].as_str().unwrap();
    assert!(summary.contains("would change the token that quell is acting with"), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_run_comes_first() {
    let scene = Scene::new().await;
    let suspect = &scene.scenario.cast.suspect_token_id;
    scene.write("cutting.toml", &format!("{RUNBOOK}{}", REVOKE.replace("TOKEN", suspect)));
    let answers = format!("[inputs]\nsuspect = \"{suspect}\"\n[steps.cut]\nanswer = \"run\"\n");
    let answers = scene.write("answers.toml", &answers).display().to_string();
    scene.run(&["run", "cutting.toml", "--answers", &answers]).expect(11);
    let answers = scene.write("undo.toml", YES).display().to_string();
    let refused = scene.run(&["undo", "--answers", &answers]).expect(2);
    assert!(refused.stderr.contains("has a run that is not closed"), "{}", refused.stderr);
    assert_eq!(scene.writes().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_settled_by_a_read_and_never_sent_again() {
    for kind in [FaultKind::DropAfter, FaultKind::Truncated, FaultKind::Html] {
        let cut = Cut::new().await;
        cut.scene.fault("PUT", &format!("/tokens/{}", cut.id), 1, kind.clone());
        let ran = cut.undo(YES);
        assert_eq!(cut.writes(), 2, "{kind:?}");
        if kind == FaultKind::Html {
            // A read shows that it did not happen; a person must say that it is to be sent again.
            let document = ran.expect(13).json();
            assert_eq!(document["steps"][0]["effects"][0]["in_doubt"], true);
            let answers = cut.scene.write("undo.toml", &format!("{YES}in_doubt = \"retry\"\n")).display().to_string();
            cut.scene.run(&["resume", "--answers", &answers]).expect(0);
        } else {
            ran.expect(0);
        }
        assert_eq!(cut.token(), cut.before, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_cannot_be_seen_is_no_containment_any_more() {
    let cut = Cut::new().await;
    cut.scene.fault("GET", &format!("/tokens/{}", cut.id), 99, FaultKind::Forbidden);
    let document = cut.undo(YES).json();
    let effect = &document["steps"][0]["effects"][0];
    assert_eq!((&effect["outcome"], &effect["verdict"]), (&json!("applied"), &json!("cannot_tell")));
    assert_eq!(cut.finding(&document), "open");
    // What was refused leaves it contained.
    let cut = Cut::new().await;
    cut.scene.fault("PUT", &format!("/tokens/{}", cut.id), 1, FaultKind::Forbidden);
    let document = cut.undo(&format!("{YES}on_failure = \"continue\"\n")).json();
    assert_eq!(
        (&document["steps"][0]["effects"][0]["outcome"], cut.finding(&document)),
        (&json!("refused"), json!("contained"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_an_undo_goes_on_where_it_was() {
    let entries = |cut: &Cut| cut.scene.journal().len();
    let (first, last) = {
        let cut = Cut::new().await;
        let first = entries(&cut);
        cut.undo(YES).expect(0);
        (first, entries(&cut))
    };
    // In this process: the driver, the run and its plan are the first three entries; after the last nothing is left.
    let points = (3..last - first).map(|nth| format!("after-append:{nth}"));
    let sends = ["before-intent:1", "after-intent:1", "before-send:1", "after-send:1"].map(str::to_owned);
    for point in points.chain(sends) {
        let cut = Cut::new().await;
        let answers = cut.scene.write("undo.toml", &format!("{YES}in_doubt = \"retry\"\n")).display().to_string();
        let mut command = cut.scene.command(&["undo", "--answers", &answers]);
        assert_eq!(ran(command.env("QUELL_CRASH_AT", &point)).code, -1, "{point} was never reached");
        let resumed = cut.scene.run(&["resume", "--answers", &answers, "--json"]).expect(0).json();
        assert_eq!((&resumed["run"], &resumed["outcome"]), (&json!("r2"), &json!("done")), "{point}");
        assert_eq!(cut.token(), cut.before, "{point}");
        assert_eq!(cut.writes(), 2, "{point}");
        assert_eq!(cut.finding(&resumed), "open", "{point}");
        cut.scene.run(&["verify", resumed["incident"].as_str().unwrap()]).expect(0);
    }
}
