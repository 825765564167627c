//! A run that makes a credential of its own, goes on with it, and keeps to it; and what another credential means on resume.

use std::process::Command;

use jiff::Timestamp;
use quell::cloudflare::simulator::{CANARY, Quota, WorldOptions, scenario};
use quell::simulator::FaultKind;
use serde_json::{Value, json};

use crate::person::run;
use crate::scene::{Ran, Scene, files, ran};

const RUNBOOK: &str = r#"
schema = 1
name   = "own"
title  = "A credential of its own"

[[steps]]
id         = "fresh"
phase      = "prepare"
title      = "Make one"
why        = "The other may be in foreign hands."
action     = "cloudflare.token.create_incident"
on_failure = "continue"

[steps.with]
addresses = "203.0.113.50"
actions   = ["cloudflare.tokens.inventory", "cloudflare.token.disable", "cloudflare.whoami"]

[[steps]]
id         = "switch"
phase      = "prepare"
title      = "Go on with it"
action     = "cloudflare.credential.switch"
with       = { created = { from = "steps.fresh.created", default = [] } }
on_failure = "continue"

[[steps]]
id     = "by-hand"
phase  = "prepare"
title  = "Or have one made"
action = "manual"
with   = { items = { from = "steps.switch.by_hand", default = [{ title = "make one", instruction = "make one" }] } }

[[steps]]
id     = "who"
phase  = "prepare"
title  = "Who acts?"
action = "cloudflare.whoami"

[[steps]]
id     = "inventory"
phase  = "identify"
title  = "List tokens"
action = "cloudflare.tokens.inventory"
with   = { suspect = "ci-deploy" }

[[steps]]
id     = "cut"
phase  = "contain"
title  = "Disable the suspect"
why    = "It leaked."
action = "cloudflare.token.disable"
with   = { tokens = { from = "steps.inventory.suspects" } }
"#;

struct Own {
    scene: Scene,
    answers: String,
}

impl Own {
    async fn new() -> Self {
        let scene = Scene::new().await;
        scene.write("own.toml", RUNBOOK);
        let text = "[steps.fresh]\nanswer = \"run\"\n[steps.cut]\nanswer = \"run\"\nin_doubt = \"retry\"\n\
                    [steps.by-hand]\nanswer = \"run\"\nfields = { attested_by = \"Priya Nair\" }\n";
        let answers = scene.write("answers.toml", text).display().to_string();
        Self { scene, answers }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.scene.command(args);
        command.args(["--answers", &self.answers, "--json"]);
        command
    }

    fn run(&self) -> Ran {
        ran(&mut self.command(&["run", "own.toml"]))
    }

    /// Killed before the cut is sent; the run acts with its own token by then.
    fn killed(&self) {
        let ran = ran(self.command(&["run", "own.toml"]).env("QUELL_CRASH_AT", "before-send:2"));
        assert_eq!(ran.code, -1, "{ran:#?}");
        assert!(self.switched().is_some());
    }

    fn events(&self, ty: &str) -> Vec<Value> {
        let journal = self.scene.journal().into_iter();
        journal.map(|entry| entry["event"].clone()).filter(|event| event["type"] == ty).collect()
    }

    /// Id of the token that the run went on with.
    fn switched(&self) -> Option<String> {
        let switched = self.events("credential_switched");
        switched.first().map(|event| event["credential"]["id"].as_str().unwrap().to_owned())
    }

    /// Who sent what, of all that was no read.
    fn senders(&self) -> Vec<(String, String)> {
        self.scene.writes().into_iter().map(|write| (write.method, write.credential)).collect()
    }

    fn decisions(&self) -> Vec<String> {
        let noted = self.events("noted").into_iter().filter(|event| event["kind"] == "decision");
        noted.map(|event| event["text"].as_str().unwrap().to_owned()).collect()
    }

    fn old(&self) -> &str {
        &self.scene.scenario.cast.responder_token_id
    }

    #[track_caller]
    fn keeps_no_secret(&self, ran: &Ran) {
        assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY), "{ran:#?}");
        for (path, bytes) in files(&self.scene.state_dir()) {
            assert!(!String::from_utf8_lossy(&bytes).contains(CANARY), "{}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_with_the_token_that_it_made_and_says_so() {
    let own = Own::new().await;
    let ran = own.run();
    assert!(matches!(ran.code, 0 | 16), "{ran:#?}");
    let new = own.switched().expect("it has switched");
    assert_ne!(new, own.old());
    let put = ("PUT".to_owned(), new.clone());
    assert_eq!(own.senders()[0], ("POST".to_owned(), own.old().to_owned()));
    assert!(own.senders()[1..].iter().all(|sent| *sent == put) && own.senders().len() > 1, "{:?}", own.senders());
    let [switched] = own.events("credential_switched").try_into().unwrap();
    let proof = switched["proof"].as_str().unwrap();
    assert!(proof.starts_with("verified as account-owned token") && proof.contains("kinds of resource"), "{proof}");
    assert!(proof.contains(&own.scene.scenario.cast.account_id), "{proof}");
    // The next look at the credential is at the new one, and nothing is left to do by hand.
    let who =
        own.scene.journal().into_iter().find(|it| it["path"] == "who" && it["event"]["type"] == "step_done").unwrap();
    assert_eq!(who["event"]["output"]["inline"]["token_id"], json!(new));
    assert!(own.scene.journal().iter().any(|it| it["event"]["summary"] == "nothing is left to do by hand"));
    own.keeps_no_secret(&ran);
    assert!(ran.stderr.contains("the run acts as account-owned token"), "{}", ran.stderr);
    let report = std::fs::read_to_string(own.scene.incident().join("report.md")).unwrap();
    assert!(report.contains(&format!("go on with account-owned token {new}, which the run made itself")), "{report}");
    own.scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_it_goes_on_with_that_of_the_vault_though_the_old_one_is_at_hand() {
    let own = Own::new().await;
    own.killed();
    let new = own.switched().unwrap();
    let resumed = ran(&mut own.command(&["resume"]));
    assert!(matches!(resumed.code, 0 | 16), "{resumed:#?}");
    assert!(resumed.stderr.contains("the environment has the credential that this run has left"), "{}", resumed.stderr);
    assert!(own.senders()[1..].iter().all(|(_, by)| *by == new), "{:?}", own.senders());
    assert_eq!(own.events("run_resumed")[0]["credential"]["id"], json!(new));
    assert_eq!(own.decisions(), Vec::<String>::new(), "it is the one that the run had");
    own.keeps_no_secret(&resumed);

    // Without any credential at hand the vault does.
    let own = Own::new().await;
    own.killed();
    let resumed = ran(own.command(&["resume"]).env_remove("CLOUDFLARE_API_TOKEN"));
    assert!(matches!(resumed.code, 0 | 16), "{resumed:#?}");
    assert_eq!(own.events("run_resumed")[0]["credential"]["id"], json!(own.switched().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_vault_stays_closed_it_is_refused_with_what_to_set() {
    let own = Own::new().await;
    own.killed();
    let mut command = own.scene.bare(&["resume", "--answers", &own.answers, "--json"]);
    command
        .env("CLOUDFLARE_BASE_URL", own.scene.simulator.base_url())
        .env("CLOUDFLARE_API_TOKEN", &own.scene.scenario.cast.responder_token);
    let refused = ran(&mut command).expect(11);
    let error = refused.json()["error"].clone();
    assert_eq!(error["code"], "own_credential");
    let hint = error["hint"].as_str().unwrap();
    for named in ["QUELL_VAULT_PASSPHRASE", "--vault-identity", "CLOUDFLARE_API_TOKEN"] {
        assert!(hint.contains(named), "{hint}");
    }
    assert_eq!(own.senders().len(), 1, "nothing was sent");
    // Another credential of the same account will do, and is a decision on record.
    let cast = &own.scene.scenario.cast;
    let mut command = own.scene.bare(&["resume", "--answers", &own.answers, "--json"]);
    command
        .env("CLOUDFLARE_BASE_URL", own.scene.simulator.base_url())
        .env("CLOUDFLARE_API_KEY", &cast.global_key)
        .env("CLOUDFLARE_EMAIL", &cast.email);
    let resumed = ran(&mut command);
    assert!(matches!(resumed.code, 0 | 16), "{resumed:#?}");
    let [decision] = own.decisions().try_into().unwrap();
    assert!(decision.starts_with("went on with another credential of the same account: global API key"), "{decision}");
    assert!(decision.contains(&own.switched().unwrap()), "{decision}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_run_never_cuts_the_token_that_it_acts_with() {
    let own = Own::new().await;
    own.killed();
    let new = own.switched().unwrap();
    let with = format!("tokens=[{{\"id\":\"{new}\"}}]");
    let mut command = own.scene.command(&["do", "cloudflare.token.disable", "--with", &with, "--json"]);
    let answers = own.scene.write("do.toml", "[steps.do]\nanswer = \"run\"\n").display().to_string();
    let refused = ran(command.args(["--answers", &answers]));
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("would disable the token that quell is acting with"), "{}", refused.stderr);
    assert_eq!(own.senders().len(), 1, "{:?}", own.senders());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_may_make_none_leaves_it_to_a_person() {
    let own = Own::new().await;
    own.scene.fault("GET", "/tokens/permission_groups", 9, FaultKind::Forbidden);
    let ran = own.run();
    assert!(matches!(ran.code, 0 | 12 | 16), "{ran:#?}");
    assert_eq!(own.switched(), None);
    assert!(ran.stderr.contains("no fresh credential was made"), "{}", ran.stderr);
    let by_hand =
        own.scene.journal().into_iter().find(|it| it["path"] == "by-hand" && it["event"]["type"] == "step_done");
    assert_eq!(by_hand.unwrap()["event"]["output"]["inline"]["done"][0]["attested_by"], "Priya Nair");
    assert!(own.senders().iter().all(|(_, by)| by == own.old()), "{:?}", own.senders());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_used_leaves_the_run_with_what_it_has() {
    let own = Own::new().await;
    let path = format!("/accounts/{}/tokens/verify", own.scene.scenario.cast.account_id);
    own.scene.fault("GET", &path, 99, FaultKind::Forbidden);
    let ran = own.run();
    assert_eq!(own.switched(), None);
    assert!(ran.stderr.contains("the new credential cannot act on the account"), "{}", ran.stderr);
    assert!(own.senders().iter().all(|(_, by)| by == own.old()) && own.senders().len() > 1, "{:?}", own.senders());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_credential_is_a_decision_and_another_account_is_refused() {
    let own = Own::new().await;
    let paused = own.scene.write("paused.toml", "[steps.fresh]\nanswer = \"run\"\n").display().to_string();
    // It rests where nobody answers for the cut.
    let rested = ran(own.scene.command(&["run", "own.toml"]).args(["--answers", &paused])).expect(11);
    assert!(rested.stderr.contains("cut"), "{}", rested.stderr);
    let cast = &own.scene.scenario.cast;
    let other = "0123456789abcdef0123456789abcdef";
    own.scene.fault("GET", &format!("/accounts/{other}"), 9, FaultKind::Forbidden);
    let key = |account: &str| {
        let mut command = own.command(&["resume"]);
        command
            .env_remove("CLOUDFLARE_API_TOKEN")
            .env("CLOUDFLARE_API_KEY", &cast.global_key)
            .env("CLOUDFLARE_EMAIL", &cast.email)
            .env("CLOUDFLARE_ACCOUNT_ID", account);
        ran(&mut command)
    };
    let refused = key(other).expect(2);
    assert_eq!(refused.json()["error"]["code"], "another_place", "{refused:#?}");
    assert!(own.decisions().is_empty() && own.events("run_resumed").is_empty());
    let resumed = key(&cast.account_id);
    assert!(matches!(resumed.code, 0 | 16), "{resumed:#?}");
    assert_eq!(own.decisions().len(), 1, "{:?}", own.decisions());
    assert_eq!(own.senders().last().unwrap().1, format!("global-key:{}", cast.email));
}

const MAIN: &str = "cloudflare-token-compromise";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_the_suspect_itself_makes_a_fresh_credential_before_anything_is_cut() {
    let scene = Scene::new().await;
    let suspect = format!("suspect={}", scene.scenario.cast.responder_token_id);
    let text = "[inputs]\ndetected_at = \"10m ago\"\n[steps.own-sound]\nanswer = \"run\"\n\
                fields = { choice = \"sound\", reason = \"it is mine\", agreed_by = \"Priya Nair\" }\n";
    let answers = scene.write("answers.toml", text).display().to_string();
    let ran = scene.run(&["run", MAIN, "--set", &suspect, "--answers", &answers]);
    assert!(ran.stderr.contains("THE SUSPECT IS THIS VERY"), "{}", ran.stderr);
    let of = |path: &str| -> Vec<Value> {
        let journal = scene.journal().into_iter().filter(|entry| entry["path"] == path);
        journal.map(|entry| entry["event"]["type"].clone()).collect()
    };
    // Whatever is said of it, what is known counts.
    assert!(of("fresh-credential/fresh-from").contains(&json!("step_began")), "{}", ran.stderr);
    assert_eq!(scene.writes().len(), 0);
    // A slip in the addresses is told where it is made, and does not fail the making of the token.
    let slip = text.to_owned() + "[steps.fresh-from]\nfields = { addresses = \"203.0.113.50, 999.1\" }\n";
    let slip = scene.write("slip.toml", &slip).display().to_string();
    let told = scene.run(&["resume", "--answers", &slip]).expect(11).stderr;
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("another value for `addresses`: `999.1` is no range of addresses; write it as"), "{told}");
    assert!(of("fresh-credential/fresh-token").is_empty() && scene.writes().is_empty(), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credential_that_a_run_began_with_is_an_open_matter_until_it_is_cut() {
    // The run and the token that it made share what the API allows; here it is whole again soon.
    let quota = Quota { requests: 1200, seconds: 5 };
    let options = WorldOptions { quota, ..WorldOptions::at(Timestamp::now()) };
    let scene = Scene::with(scenario("leaked-token").unwrap(), options).await;
    let more = "[steps.own-sound]\nfields = { choice = \"shared\", reason = \"it lay there too\", agreed_by = \"\" }\n\
                [steps.fresh-from]\nfields = { addresses = \"203.0.113.50\" }\n[steps.fresh-token]\nanswer = \"run\"\n\
                [steps.old-credential]\nleft = \"later:Jonas Weber\"\n";
    run(&scene, &["run", MAIN, "--set", "suspect=ci-deploy"], more).expect(16);
    // What is shown to be typed goes by the token that the run acts with, and not by the one that may be cut.
    let shown = serde_json::to_string(&scene.journal()).unwrap();
    assert!(shown.contains("Bearer ${QUELL_RUN_TOKEN:?") && !shown.contains("Bearer $CLOUDFLARE_API_TOKEN"));
    let open = scene.run(&["close", "--json"]).expect(11);
    let open: Value = serde_json::Deserializer::from_str(&open.stdout).into_iter().next().unwrap().unwrap();
    let mut matters = open["open"].as_array().unwrap().iter();
    let old = matters.find(|matter| matter["kind"] == "not contained").unwrap_or_else(|| panic!("{open:#}"));
    let what = old["what"].as_str().unwrap();
    assert!(what.contains(&scene.scenario.cast.responder_token_id) && what.contains("Jonas Weber"), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_a_run_began_with_is_not_taken_for_the_intruder_without_a_plain_word() {
    let scene = Scene::new().await;
    let maya = &scene.scenario.cast.email;
    let more = format!(
        "[steps.own-sound]\nfields = {{ choice = \"shared\", reason = \"it lay there too\", agreed_by = \"\" }}\n\
         [steps.fresh-from]\nfields = {{ addresses = \"203.0.113.50\" }}\n[steps.fresh-token]\nanswer = \"run\"\n\
         [steps.unseen-way]\nfields = {{ choice = \"remove\", reason = \"not to be reached\", agreed_by = \"\" }}\n\
         [steps.unseen-who]\nfields = {{ member = \"{maya}\" }}\n"
    );
    let set = "suspect=0123456789abcdef0123456789abcdef";
    // The token of the run belongs to no user, so that nobody is left alone by itself.
    let rested = run(&scene, &["run", MAIN, "--set", set], &more).expect(11).json();
    assert!(rested["paused"].as_str().unwrap().contains("unseen-remove"), "{}", rested["paused"]);
    let shown = serde_json::to_string(&scene.journal()).unwrap();
    assert!(shown.contains(&format!("THE RUN BEGAN WITH A CREDENTIAL OF {maya}")), "{shown}");
}

const GROUP: &str = r#"
schema = 1
name   = "group"
title  = "A group"

[[steps]]
id    = "making"
phase = "prepare"
title = "Make a credential"
why   = "The other may be in foreign hands."

[[steps.steps]]
id         = "fresh"
phase      = "prepare"
title      = "Make one"
why        = "The other may be in foreign hands."
action     = "cloudflare.token.create_incident"
on_failure = "continue"
with       = { addresses = "203.0.113.50", actions = ["cloudflare.whoami"] }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_not_done_where_what_it_holds_has_failed() {
    let scene = Scene::new().await;
    scene.write("group.toml", GROUP);
    let answers = scene.write("none.toml", "").display().to_string();
    scene.fault("GET", "/tokens/permission_groups", 9, FaultKind::Forbidden);
    scene.fault("GET", &format!("/accounts/{}/tokens*", scene.scenario.cast.account_id), 9, FaultKind::Forbidden);
    let ran = scene.run(&["run", "group.toml", "--answers", &answers]).expect(12);
    let ended = ran.stderr.lines().find(|line| line.contains("0 of 1 done, 1 failed"));
    let ended = ended.unwrap_or_else(|| panic!("{}", ran.stderr));
    assert!(ended.contains("making") && !ended.contains('\u{2713}') && !ended.contains("ok"), "{ended}");
    let status = scene.run(&["status"]).expect(0).stdout;
    assert!(status.lines().any(|line| line.starts_with("left ") && line.contains(" making ")), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_acts_with_a_global_key_changes_it_last() {
    let scene = Scene::new().await;
    let cast = &scene.scenario.cast;
    let told = |command: &mut Command| -> String {
        let ran = ran(command.args(["plan", MAIN, "--set", "suspect=ci-deploy", "--set", "exposed_since=10h ago"]));
        ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let mut key = scene.bare(&[]);
    key.env("CLOUDFLARE_BASE_URL", scene.simulator.base_url()).env("CLOUDFLARE_ACCOUNT_ID", &cast.account_id);
    key.env("CLOUDFLARE_API_KEY", &cast.global_key).env("CLOUDFLARE_EMAIL", &cast.email);
    let (key, token) = (told(&mut key), told(&mut scene.command(&[])));
    let (now, skipped) = (" (manual): will change", " (manual): changes nothing; observe would be skipped");
    let whose = " (manual): cannot be known yet; observe hangs on the result of `people-whose`";
    for (step, by_key, by_token) in
        [("key", whose, whose), ("key-last", now, skipped), ("key-handover", skipped, skipped)]
    {
        assert!(key.contains(&format!(" {step}{by_key}")), "{step}: {key}");
        assert!(token.contains(&format!(" {step}{by_token}")), "{step}: {token}");
    }
}
