//! Secret inputs: from the environment or the prompt, to the step that needs them, and nowhere else.

use serde_json::json;

use super::{CANARY, Host, MIDDLE, Outing, end, ends};
use crate::scene::{files, ran};
use crate::terminal::typist::Typist;

const INPUT: &str = "[inputs.key]\ntype = \"secret\"\nprompt = \"The firewall's key\"\nrequired = true\n";
const VARIABLE: &str = "QUELL_INPUT_KEY";

/// One POST with the secret in a header and in its body.
async fn posting(host: &Host) -> Outing {
    let from = "{ from = \"inputs.key\" }";
    let with = format!(
        "method = \"POST\"\nurl = \"{}/blocks\"\nheaders = {{ x-key = {from} }}\nbody = {{ key = {from} }}\ndanger = \"reversible\"",
        host.url
    );
    Outing::new("http", &with, INPUT).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_input_reaches_the_host_and_nothing_that_is_kept() {
    let host = Host::always(200, &json!({ "you_sent": CANARY }).to_string()).await;
    let outing = posting(&host).await.env(VARIABLE, CANARY);
    let ran = outing.run().expect(0);
    assert_eq!(end(&ran.json()).0, json!("applied"));
    let arrived = host.arrived();
    assert_eq!(arrived.len(), 1);
    assert!(arrived[0].headers.contains(&("x-key".to_owned(), CANARY.to_owned())), "{arrived:?}");
    assert_eq!(arrived[0].body, json!({ "key": CANARY }).to_string());
    assert_eq!(outing.events("plan_sealed")[0]["inputs"], json!({ "key": { "secret_env": VARIABLE } }));
    outing.assert_no_canary(&ran);
    outing.scene.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_given_it_and_its_words_are_masked() {
    let with = "argv = [\"sh\", \"-c\", 'read -r got; [ \"$got\" = \"$KEY\" ] && echo \"it is $KEY\"']\n\
                env = { KEY = { from = \"inputs.key\" } }\nstdin = { from = \"inputs.key\" }\ndanger = \"reversible\"";
    let outing = Outing::new("command", with, INPUT).await.env(VARIABLE, "plain-zq7x-value");
    let ran = outing.run().expect(0);
    assert_eq!(end(&ran.json()), ends("applied", Some("cannot_tell")));
    assert!(outing.evidence("standard output")[0].starts_with("it is «secret:"));
    outing.assert_no_canary(&ran);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_asked_for_again_by_a_run_that_goes_on() {
    let host = Host::always(200, "{}").await;
    let outing = posting(&host).await;
    assert_eq!(
        outing.quell(&["run", "outing.toml"], &[(VARIABLE, CANARY), ("QUELL_CRASH_AT", "before-intent:1")]).code,
        -1
    );
    let refused = outing.resume().expect(11);
    assert!(refused.stderr.contains("the run needs the secret input `key`"), "{}", refused.stderr);
    assert!(refused.stderr.contains(VARIABLE) && host.lines().is_empty(), "{}", refused.stderr);
    let ran = outing.quell(&["resume"], &[(VARIABLE, CANARY)]).expect(0);
    assert_eq!(host.lines(), ["POST /blocks"]);
    outing.assert_no_canary(&ran);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_taken_from_nowhere_that_others_can_read() {
    let host = Host::always(200, "{}").await;
    let outing = posting(&host).await;
    let set = format!("key={CANARY}");
    let refused = outing.quell(&["run", "outing.toml", "--set", &set], &[(VARIABLE, CANARY)]).expect(2);
    assert!(refused.stderr.contains("`--set` is no place for one"), "{}", refused.stderr);
    outing.assert_no_canary_in(&refused);
    outing.answers(&format!("[inputs]\nkey = '{CANARY}'\n"));
    let refused = outing.run().expect(2);
    assert!(refused.stderr.contains("an answers file is no place for one"), "{}", refused.stderr);
    outing.assert_no_canary_in(&refused);
    outing.answers("");
    let missing = outing.run().expect(11);
    assert!(missing.stderr.contains("set `QUELL_INPUT_KEY` in the environment"), "{}", missing.stderr);
    let short = outing.quell(&["run", "outing.toml"], &[(VARIABLE, "zq7x123")]).expect(2);
    assert!(short.stderr.contains("fewer than 8 characters"), "{}", short.stderr);
    outing.assert_no_canary_in(&short);
    assert!(host.lines().is_empty() && files(&outing.scene.state_dir()).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_binds_that_there_is_one_and_not_which() {
    let host = Host::always(200, "{}").await;
    let outing = posting(&host).await;
    let without = outing.quell(&["plan", "outing.toml"], &[]).expect(0).json();
    assert_eq!(without["steps"][0]["prediction"], "cannot_know");
    let summary = without["steps"][0]["summary"].as_str().unwrap();
    assert!(summary.contains("the secret input behind `QUELL_INPUT_KEY` has no value here"), "{summary}");
    let with = outing.quell(&["plan", "outing.toml"], &[(VARIABLE, CANARY)]).expect(0);
    assert_eq!(with.json()["steps"][0]["prediction"], "will_change");
    assert_eq!(with.json()["digest"], without["digest"]);
    outing.assert_no_canary_in(&with);
    assert!(host.lines().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_does_not_ask_for_it() {
    let host = Host::always(200, "{}").await;
    let outing = posting(&host).await;
    let document = outing.quell(&["rehearse", "outing.toml"], &[]).expect(0).json();
    assert_eq!(end(&document).0, json!("applied"));
    assert!(host.lines().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_passed_on_to_a_runbook_that_is_called() {
    let host = Host::always(200, "{}").await;
    let with = "name = \"inner\"\ninputs = { secret = { from = \"inputs.key\" } }";
    let outing = Outing::new("runbook", with, INPUT).await.env(VARIABLE, CANARY);
    std::fs::create_dir(outing.scene.path("runbooks")).unwrap();
    let inner = format!(
        "schema = 1\nname = \"inner\"\ntitle = \"Inner\"\n[inputs.secret]\ntype = \"secret\"\nrequired = true\n\n\
         [[steps]]\nid = \"send\"\nphase = \"contain\"\ntitle = \"Send\"\nwhy = \"A test.\"\naction = \"http\"\n\
         with = {{ method = \"PUT\", url = \"{}/inner\", headers = {{ x-key = {{ from = \"inputs.secret\" }} }} }}\n",
        host.url
    );
    outing.scene.write("runbooks/inner.toml", &inner);
    let ran = outing.run().expect(0);
    assert_eq!(host.lines(), ["PUT /inner"]);
    assert!(host.arrived()[0].headers.contains(&("x-key".to_owned(), CANARY.to_owned())));
    outing.assert_no_canary(&ran);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_gets_the_variable_itself() {
    let with = "argv = [\"env\"]\npass_env = [\"QUELL_INPUT_KEY\"]";
    let outing = Outing::new("command", with, INPUT).await.env(VARIABLE, CANARY);
    let ran = outing.run().expect(12);
    let paused = ran.json()["paused"].to_string();
    assert!(paused.contains("`QUELL_INPUT_KEY` is quell's own, and is never handed on"), "{paused}");
    // And one that the runbook does not declare is nobody's.
    let with = "argv = [\"env\"]\nenv = { A = { secret_env = \"QUELL_INPUT_OTHER\" } }";
    let outing = Outing::new("command", with, INPUT).await.env(VARIABLE, CANARY).env("QUELL_INPUT_OTHER", CANARY);
    let ran = outing.run().expect(12);
    let paused = ran.json()["paused"].to_string();
    assert!(paused.contains("the secret input behind `QUELL_INPUT_OTHER` has no value here"), "{paused}");
    outing.assert_no_canary(&ran);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_may_be_left_out_is_replaced_by_a_default() {
    let host = Host::always(200, "{}").await;
    let with = format!(
        "url = \"{}/x\"\nheaders = {{ x-key = {{ from = \"inputs.key\", default = {{ secret_env = \"OUTING_SECRET\" }} }} }}",
        host.url
    );
    let outing = Outing::new("http", &with, &INPUT.replace("required = true\n", "")).await;
    outing.run().expect(0);
    assert!(host.arrived()[0].headers.contains(&("x-key".to_owned(), CANARY.to_owned())));
    assert_eq!(outing.events("plan_sealed")[0]["inputs"], json!({ "key": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_typed_without_echo() {
    let host = Host::always(200, "{}").await;
    let outing = posting(&host).await;
    let mut command = outing.scene.command(&["run", "outing.toml"]);
    command.env("QUELL_HTTP_HOSTS", "127.0.0.1");
    let mut typist = Typist::at(command);
    typist.types_secret("The firewall's key (not echoed, not stored)", "zq7x");
    typist.sees("fewer than 8 characters");
    typist.types_secret("The firewall's key (not echoed, not stored)", "typed-zq7x-value");
    typist.answers("act-now", "y");
    assert_eq!(typist.leaves(), 0, "{}", typist.screen);
    assert!(!typist.screen.contains(MIDDLE), "{}", typist.screen);
    assert_eq!(host.arrived()[0].body, json!({ "key": "typed-zq7x-value" }).to_string());
    let resumed = ran(&mut outing.scene.command(&["status"])).expect(0);
    outing.assert_no_canary(&resumed);
}
