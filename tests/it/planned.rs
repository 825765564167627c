//! A plan that binds its run, through the real binary: what was approved goes without asking, what differs is named and
//! asked for, and another runbook, input, place or file is refused.

mod crash;
mod refused;
mod terminal;

use std::fs;

use quell::journal::Basis;
use quell::model::canonical_digest;
use quell::simulator::Request;
use serde_json::{Value, json};

use crate::scene::{Ran, Scene};

const RUNBOOK: &str = r#"
schema = 1
name   = "bound"
title  = "Bound by a plan"

[inputs.why]
type    = "string"
default = "a drill"

[[steps]]
id     = "cut"
phase  = "contain"
title  = "Disable three tokens"
why    = "They leaked."
action = "cloudflare.token.disable"
with   = { tokens = [{ id = "ONE" }, { id = "TWO" }, { id = "THREE" }] }

[[steps]]
id     = "roll"
phase  = "eradicate"
title  = "Rotate one"
why    = "It lay beside them."
action = "cloudflare.tokens.rotate"
with   = { tokens = [{ id = "FOUR" }] }

[[steps]]
id     = "revoke"
phase  = "eradicate"
title  = "Delete one"
why    = "For good."
action = "cloudflare.token.revoke"
with   = { tokens = [{ id = "ONE" }] }

[[steps]]
id     = "tell"
phase  = "recover"
title  = "Tell the others"
action = "manual"
with   = { instruction = "Say in the channel how things stand." }
"#;

/// Answers for what no plan covers: row, target, work by hand.
const LIVE: &str = "[steps.roll]\nanswer = \"run\"\nphrase = \"roll\"\n[steps.revoke]\nanswer = \"run\"\nphrase = \"ONE\"\n\
                    [steps.tell]\nfields = { attested_by = \"Priya Nair\" }\n";

/// A runbook that cuts three tokens, in the simulated account.
pub(crate) struct Bound {
    pub(crate) scene: Scene,
    /// Tokens of the account: three to cut, one to roll.
    pub(crate) ids: Vec<String>,
}

impl Bound {
    pub(crate) async fn new() -> Self {
        let scene = Scene::new().await;
        let wanted = ["dns-backup", "acme-dns01", "ci-deploy", "analytics"];
        let id = |name: &&str| scene.scenario.cast.tokens.iter().find(|token| token.name == **name).unwrap().id.clone();
        let this = Self { ids: wanted.iter().map(id).collect(), scene };
        this.scene.write("bound.toml", &this.filled(RUNBOOK));
        this
    }

    /// `text` with the ids of the tokens in it.
    pub(crate) fn filled(&self, text: &str) -> String {
        let names = ["ONE", "TWO", "THREE", "FOUR"];
        names.iter().zip(&self.ids).fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }

    /// Makes the plan, and returns its document.
    pub(crate) fn plan(&self) -> Value {
        self.scene.run(&["plan", "bound.toml", "-o", "plan.json"]).expect(0);
        self.document()
    }

    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.scene.path("plan.json")).unwrap()).unwrap()
    }

    /// What approves the plan that lies there.
    pub(crate) fn code(&self) -> String {
        self.document()["forecast"].as_str().unwrap()[..8].to_owned()
    }

    /// Writes answers that approve the plan, with `more` behind them.
    pub(crate) fn answers(&self, more: &str) -> String {
        let text = format!("[plan]\napprove = \"{}\"\n{}", self.code(), self.filled(more));
        self.scene.write("answers.toml", &text).display().to_string()
    }

    pub(crate) fn run(&self, answers: &str) -> Ran {
        self.scene.run(&["run", "--plan", "plan.json", "--answers", answers, "--json"])
    }

    fn path(&self, token: usize) -> String {
        format!("/accounts/{}/tokens/{}", self.scene.scenario.cast.account_id, self.ids[token])
    }

    /// Somebody else does something to a token, in the dashboard. `{}` in `body` is filled with what is there.
    pub(crate) fn act(&self, token: usize, method: &str, body: Option<Value>) {
        let secret = &self.scene.scenario.cast.responder_token;
        let status = self.scene.simulator.act(&Request {
            method: method.into(),
            path: self.path(token),
            query: String::new(),
            headers: vec![("authorization".into(), format!("Bearer {secret}"))],
            body,
        });
        assert_eq!(status, 200);
    }

    /// Somebody gives a token another end.
    pub(crate) fn change(&self, token: usize) {
        let before = self.effect("cut", token)["before"].clone();
        let mut body = json!({ "name": before["name"], "policies": before["policies"], "status": "active" });
        body["expires_on"] = "2099-03-01T00:00:00Z".into();
        self.act(token, "PUT", Some(body));
    }

    /// The effect on a token at a step, as the plan has it.
    pub(crate) fn effect(&self, step: &str, token: usize) -> Value {
        let document = self.document();
        let steps = document["steps"].as_array().unwrap();
        let effects = steps.iter().find(|found| found["id"] == step).unwrap()["effects"].as_array().unwrap();
        effects.iter().find(|effect| effect["target"]["id"] == self.ids[token].as_str()).unwrap().clone()
    }

    /// What was sent, as method and token.
    pub(crate) fn sent(&self) -> Vec<(String, usize)> {
        let number = |path: &str| self.ids.iter().position(|id| path.contains(id.as_str())).unwrap();
        self.scene.writes().iter().map(|write| (write.method.clone(), number(&write.path))).collect()
    }

    /// The consents of the journal: step, what they rest on, tokens.
    pub(crate) fn consents(&self) -> Vec<(String, Basis, Vec<usize>)> {
        let mut keys: Vec<(String, usize)> = Vec::new();
        let mut found = Vec::new();
        for entry in self.scene.journal() {
            let event = &entry["event"];
            let effects = event["effects"].as_array().cloned().unwrap_or_default();
            if event["type"] == "proposed" {
                for effect in &effects {
                    let token = self.ids.iter().position(|id| effect["target"]["id"] == id.as_str());
                    keys.extend(token.map(|token| (effect["key"].as_str().unwrap().to_owned(), token)));
                }
            }
            if event["type"] == "consented" {
                let basis =
                    event.get("basis").cloned().map_or(Basis::Typed, |basis| serde_json::from_value(basis).unwrap());
                let of = |consent: &Value| keys.iter().find(|(key, _)| consent["effect"] == key.as_str()).unwrap().1;
                found.push((entry["path"].as_str().unwrap().to_owned(), basis, effects.iter().map(of).collect()));
            }
        }
        found
    }

    /// What a command said on the screen, without line ends.
    pub(crate) fn said(ran: &Ran) -> String {
        ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn report(&self) -> String {
        fs::read_to_string(self.scene.incident().join("report.md")).unwrap().replace('\\', "")
    }
}

fn consent(step: &str, basis: Basis, tokens: &[usize]) -> (String, Basis, Vec<usize>) {
    (step.to_owned(), basis, tokens.to_vec())
}

fn put(token: usize) -> (String, usize) {
    ("PUT".to_owned(), token)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_approves_a_plan_is_called_one_thing_everywhere() {
    let bound = Bound::new().await;
    let planned = bound.scene.run(&["plan", "bound.toml", "-o", "named.json"]).expect(0);
    let document: Value = serde_json::from_str(&fs::read_to_string(bound.scene.path("named.json")).unwrap()).unwrap();
    let (digest, forecast) = (document["digest"].as_str().unwrap(), document["forecast"].as_str().unwrap());
    for (name, wanted) in [("plan digest ", digest), ("forecast ", forecast)] {
        let line = planned.stdout.lines().find(|line| line.starts_with(name)).unwrap();
        assert_eq!(line.strip_prefix(name), Some(wanted), "{}", planned.stdout);
    }
    let told = planned.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains(&format!("is approved with {}, the beginning of its forecast", &forecast[..8])), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_up_as_forecast_goes_without_asking() {
    let bound = Bound::new().await;
    let plan = bound.plan();
    assert_eq!(plan["schema"], "quell.plan/1");
    let ran = bound.run(&bound.answers(LIVE)).expect(0);
    // The list, the row that a person chose, what cannot be put back.
    let delete = ("DELETE".to_owned(), 0);
    assert_eq!(bound.sent(), [put(0), put(1), put(2), put(3), delete]);
    let typed = |step: &str, token| consent(step, Basis::Typed, &[token]);
    let wanted = [consent("cut", Basis::Plan, &[0, 1, 2]), typed("roll", 3), typed("revoke", 0)];
    assert_eq!(bound.consents(), wanted);

    // Plan and run agree on the keys.
    let document = ran.json();
    for (step, token) in [("cut", 0), ("cut", 1), ("cut", 2), ("roll", 3), ("revoke", 0)] {
        let steps = document["steps"].as_array().unwrap();
        let effects = steps.iter().find(|found| found["id"] == step).unwrap()["effects"].as_array().unwrap();
        let planned = bound.effect(step, token);
        assert!(effects.iter().any(|effect| effect["key"] == planned["key"]), "{step} {token}");
    }

    // The screen says what was approved, and that nobody was asked.
    let screen = Bound::said(&ran);
    for told in [
        "a plan to approve",
        "to 3 changes, without asking again: ",
        "1 change when the turn comes: what cannot be put back is never consented to beforehand",
        "1 change when the turn comes: rows that start unselected are a person's choice",
        "1 change when the turn comes: a person does it",
        "consented by the approved plan, which forecast the very same",
        "goes on with the rest of the list: the first row is proven",
    ] {
        assert!(screen.contains(told), "{told}\n{}", ran.stderr);
    }
    assert_eq!(bound.scene.journal().iter().filter(|entry| entry["event"]["type"] == "went_on").count(), 1);

    // Who approved it is in journal and report, and the plan is kept and held against the journal.
    let journal = bound.scene.journal();
    let approved = journal.iter().find(|entry| entry["event"]["type"] == "plan_approved").unwrap();
    assert_eq!((&approved["by"], &approved["event"]["phrase"]), (&json!("tester"), &json!(bound.code())));
    assert_eq!(approved["event"]["file"], plan["forecast"]);
    let report = bound.report();
    for told in [
        "as the approved plan forecast",
        "by tester with `",
        "3 of its changes consented to beforehand, 3 asked for all the same.",
        "All that came up was as it forecast.",
        ", by answers file `answers.toml`",
    ] {
        assert!(report.contains(told), "{told}\n{report}");
    }
    bound.scene.run(&["verify"]).expect(0);
    fs::write(bound.scene.incident().join("approved-r1.json"), "{}").unwrap();
    let verified = bound.scene.run(&["verify"]).expect(14);
    assert!(verified.stdout.contains("approved plan of run r1 was altered"), "{}", verified.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_is_named_and_asked_for_and_the_rest_goes_on() {
    let bound = Bound::new().await;
    bound.plan();
    bound.change(1);
    // Nobody has an answer for it: the other rows go, then the run rests.
    let ran = bound.run(&bound.answers(LIVE)).expect(11);
    assert_eq!(bound.sent(), [put(0), put(2)]);
    assert!(Bound::said(&ran).contains("it is not what the approved plan forecast"), "{}", ran.stderr);
    let answers = bound.answers(&format!("{LIVE}[steps.cut]\nanswer = \"run\"\n"));
    let ran = bound.scene.run(&["resume", "--answers", &answers, "--json"]).expect(0);
    assert_eq!(ran.json()["outcome"], "done");
    assert_eq!(bound.sent()[..3], [put(0), put(2), put(1)]);
    assert_eq!(bound.consents()[..2], [consent("cut", Basis::Plan, &[0, 2]), consent("cut", Basis::Typed, &[1])]);
    let report = bound.report();
    let row = report.lines().find(|line| line.starts_with("| `cut` | disable token acme-dns01 | changed |"));
    assert!(row.is_some_and(|row| row.contains("expires_on: \"2099-03-01T00:00:00Z\"")), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_is_named_and_asked_for() {
    let bound = Bound::new().await;
    // Disabled already when the plan is made, and brought back before the run.
    bound.plan();
    let before = bound.effect("cut", 1)["before"].clone();
    let body = |status: &str| json!({ "name": before["name"], "policies": before["policies"], "status": status });
    bound.act(1, "PUT", Some(body("disabled")));
    bound.plan();
    bound.act(1, "PUT", Some(body("active")));
    let ran = bound.run(&bound.answers(LIVE)).expect(11);
    assert_eq!(bound.sent(), [put(0), put(2)]);
    assert!(Bound::said(&ran).contains("the approved plan does not have it"), "{}", ran.stderr);
    let report = bound.report();
    assert!(report.contains("| `cut` | disable token acme-dns01 | new | not there |"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_so_already_goes_on_as_usual() {
    let bound = Bound::new().await;
    bound.plan();
    let before = bound.effect("cut", 1)["before"].clone();
    let body = json!({ "name": before["name"], "policies": before["policies"], "status": "disabled" });
    bound.act(1, "PUT", Some(body));
    let ran = bound.run(&bound.answers(LIVE)).expect(0);
    assert_eq!(bound.sent()[..2], [put(0), put(2)]);
    assert!(Bound::said(&ran).contains("the plan forecast it, and it did not come up"), "{}", ran.stderr);
    assert!(bound.report().contains("| `cut` | disable token acme-dns01 | not proposed |"), "{}", bound.report());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stricter_confirm_is_asked_for_all_the_same() {
    let bound = Bound::new().await;
    let strict = "why    = \"They leaked.\"\nconfirm = \"target\"";
    bound.scene.write("bound.toml", &bound.filled(&RUNBOOK.replace("why    = \"They leaked.\"", strict)));
    bound.plan();
    let ran = bound.run(&bound.answers(LIVE)).expect(11);
    assert!(Bound::said(&ran).contains("`confirm` asks for more than the danger does"), "{}", ran.stderr);
    assert_eq!(bound.sent(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_says_how_far_it_goes_as_far_as_that_was_read() {
    let bound = Bound::new().await;
    bound.plan();
    let far = |step: &str, token: usize| {
        let effect = bound.effect(step, token);
        (effect["reach"].clone(), effect["cut_off"].clone(), effect["reversal"].clone())
    };
    let put_back = "`quell undo` can put it back, with `cloudflare.token.restore`; or enable it in the dashboard: its \
                    policies are kept";
    let at_once = "whatever uses it, at once";
    for (token, reach) in [(0, "all zones"), (1, "zone harborlane.example"), (2, "all zones; the account")] {
        assert_eq!(far("cut", token), (json!(reach), json!(at_once), json!(put_back)));
    }
    let rolled =
        "not by `quell undo`: the old secret cannot be brought back; the new one is in the vault, for its consumers";
    let stops = "its consumers, until they have the new secret";
    assert_eq!(far("roll", 3), (json!("all zones; the account"), json!(stops), json!(rolled)));
    let gone = "not by `quell undo`: a deleted token cannot be brought back, and its policies can no longer be read";
    assert_eq!(
        far("revoke", 0),
        (json!("all zones"), json!("whatever uses it, at once: it is still active"), json!(gone))
    );

    // What nobody can read is said to be not seen, and never to be nothing.
    let text = bound.scene.run(&["plan", "bound.toml"]).expect(0).stdout;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("how many: 3 tokens"), "{text}");
    let unseen = "reaches: not seen cut off: not seen undo: not by `quell undo`; another way is not seen";
    assert_eq!(text.matches(unseen).count(), 1, "{text}");

    let answers = bound.answers(LIVE);
    bound.run(&answers);
    let report = bound.report().replace('\\', "");
    let row = format!("| token analytics | E4 | all zones; the account | {stops} | {rolled} |");
    assert!(report.contains(&row), "`{row}` is missing in\n{report}");
    assert!(report.contains("| work tell | E6 | not seen | not seen | "), "{report}");
}

const COMMANDS: &str = r#"
schema = 1
name   = "bound"
title  = "Two commands"

[[steps]]
id     = "plain"
phase  = "contain"
title  = "The same each time"
why    = "x"
action = "command"
with   = { argv = ["true"], danger = "reversible" }

[[steps]]
id     = "named"
phase  = "contain"
title  = "Another each time"
why    = "x"
action = "command"
with   = { argv = ["true", "{{incident.id}}"], danger = "reversible" }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_names_the_incident_is_asked_for_and_is_no_drift() {
    let bound = Bound::new().await;
    bound.scene.write("bound.toml", COMMANDS);
    let plan = bound.plan();
    let step = |id: &str| plan["steps"].as_array().unwrap().iter().find(|step| step["id"] == id).unwrap().clone();
    assert_eq!((&step("plain")["names_incident"], &step("named")["names_incident"]), (&json!(false), &json!(true)));
    let ran = bound.run(&bound.answers("[steps.named]\non_failure = \"stop\"\n")).expect(11);
    assert!(Bound::said(&ran).contains("could not know what this step would bring"), "{}", ran.stderr);
    assert!(Bound::said(&ran).contains("plain 0 of 1 done and proven, 1 done, not verified"), "{}", ran.stderr);
    assert!(bound.report().contains("All that came up was as it forecast."), "{}", bound.report());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skip_in_the_answers_file_goes_before_the_plan() {
    let bound = Bound::new().await;
    bound.plan();
    let skip = format!("{LIVE}[steps.cut]\nanswer = \"skip\"\nreason = \"a false alarm\"\n");
    bound.run(&bound.answers(&skip)).expect(0);
    assert_eq!(bound.sent(), [put(3), ("DELETE".to_owned(), 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_row_that_is_not_proven_stops_the_list() {
    let bound = Bound::new().await;
    bound.plan();
    bound.scene.fault("GET", &format!("*{}", bound.path(0)), 99, quell::simulator::FaultKind::Forbidden);
    let ran = bound.run(&bound.answers(LIVE)).expect(11);
    assert_eq!(bound.sent(), [put(0)]);
    assert!(Bound::said(&ran).contains("the first row went and is not proven"), "{}", ran.stderr);
    let go = bound.answers(&format!("{LIVE}[steps.cut]\ncanary = \"go\"\n"));
    bound.scene.run(&["resume", "--answers", &go]);
    assert_eq!(bound.sent()[..3], [put(0), put(1), put(2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_not_sent_again_on_the_plans_word() {
    let bound = Bound::new().await;
    bound.plan();
    bound.scene.fault("PUT", &format!("*{}", bound.path(0)), 1, quell::simulator::FaultKind::Forbidden);
    let retry = format!("{LIVE}[steps.cut]\non_failure = \"retry\"\n");
    let ran = bound.run(&bound.answers(&retry));
    assert_eq!(ran.code, 11, "{ran:#?}");
    assert_eq!(bound.sent(), [put(0)], "the second try needs a consent of its own, which nobody gave");
    assert!(Bound::said(&ran).contains("it was tried before"), "{}", ran.stderr);
}

/// Digest of a document, as `quell plan` makes it.
fn sealed(document: &Value) -> String {
    let mut rest = document.clone();
    rest.as_object_mut().unwrap().shift_remove("forecast");
    canonical_digest(&rest).to_string()
}
