//! `wait`: the clock runs from the journal, conditions are looked at, people may go on.

use serde_json::json;

use super::{Host, Outing};

/// Says yes to nothing in particular, so that a wait really waits.
const NOBODY: &str = "";

fn until(host: &str, more: &str) -> String {
    format!("until = {{ url = \"{host}/state\", pointer = \"/state\", equals = \"on\" }}\n{more}\n")
}

/// A host that is on from the `nth` look on.
async fn on_from(nth: usize) -> Host {
    Host::start(move |_, seen| {
        let state = if seen < nth { "off" } else { "on" };
        (200, Vec::new(), json!({ "state": state }).to_string())
    })
    .await
}

async fn waiting(with: &str, more: &str) -> Outing {
    let outing = Outing::new("wait", with, more).await;
    outing.scene.write("answers.toml", NOBODY);
    outing
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_passes_and_its_clock_is_told_once_a_minute() {
    let outing = waiting("for = \"2m 5s\"\nmessage = \"The cache to forget.\"", "").await;
    let ran = outing.run().expect(0);
    assert_eq!(outing.events("waited"), [json!({ "type": "waited", "end": "elapsed" })]);
    assert_eq!(outing.output("act-now"), json!({ "ended": "elapsed", "reason": null }));
    let told: Vec<&str> = ran.stderr.lines().map(str::trim).filter(|line| line.starts_with("waiting:")).collect();
    let clock = ["2 min 05 s", "1 min 05 s", "5 s"].map(|left| format!("waiting: The cache to forget.  {left} left"));
    assert_eq!(told, clock);
    assert!(ran.stderr.contains("the time to wait is over"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_is_looked_at_until_it_holds() {
    let host = on_from(3).await;
    let outing = waiting(&until(&host.url, "every = \"1m\"\nat_most = \"10m\""), "").await;
    outing.run().expect(0);
    assert_eq!(host.lines(), ["GET /state"; 4]);
    assert_eq!(outing.events("waited"), [json!({ "type": "waited", "end": "held" })]);
    assert_eq!(outing.output("act-now")["ended"], "held");
    // The first look, and the one that showed it.
    assert_eq!(outing.evidence("GET http://127.0.0.1"), [r#"{"state":"off"}"#, r#"{"state":"on"}"#]);

    let host = on_from(0).await;
    let outing = waiting(&until(&host.url, ""), "").await;
    outing.run().expect(0);
    assert!(outing.events("waited").is_empty() && outing.events("proposed").is_empty());
    assert_eq!(outing.output("act-now")["ended"], "held");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_about_in_time_fails_the_step() {
    let host = on_from(usize::MAX).await;
    let with = until(&host.url, "every = \"40s\"\nat_most = \"1m\"");
    let outing = waiting(&with, "").await;
    outing.run().expect(12);
    // Before, after 40 seconds, and when the time is over.
    assert_eq!(host.lines(), ["GET /state"; 3]);
    let failed = outing.events("step_failed").remove(0);
    let error = format!("waited 1m in vain; not yet: `/state` of {}/state is not \"on\"", host.url);
    assert_eq!(failed["error"], error);
    assert!(failed["hint"].as_str().unwrap().contains("retry"), "{failed}");
    // Begun again, the time runs anew.
    outing.answers("[steps.act-now]\non_failure = \"retry\"\n");
    outing.resume().expect(12);
    assert_eq!(host.lines(), ["GET /state"; 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_there_is_waited_for_and_one_that_is_not_allowed_is_not() {
    // Bound and closed again: nobody listens there.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outing = waiting(&until(&format!("http://{gone}"), "every = \"5s\"\nat_most = \"10s\""), "").await;
    outing.run().expect(12);
    let error = outing.events("step_failed").remove(0)["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("waited 10s in vain; not yet: no connection"), "{error}");

    let host = on_from(0).await;
    let outing = waiting(&until(&host.url, ""), "").await.env("QUELL_HTTP_HOSTS", "other.example");
    outing.run().expect(12);
    let error = outing.events("step_failed").remove(0)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("is not one that this machine's operator allows"), "{error}");
    assert!(host.lines().is_empty() && outing.events("proposed").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answers_file_may_go_on_and_end_the_run() {
    for (answer, end, status) in [("skip", Some("cut_short"), 0), ("abort", None, 11)] {
        let outing = waiting("for = \"700h\"", "").await;
        outing.scene.write("answers.toml", &format!("[steps.act-now]\nanswer = \"{answer}\"\nreason = \"a drill\"\n"));
        let ran = outing.run().expect(status);
        let ends: Vec<_> = outing.events("waited").iter().map(|event| event["end"].clone()).collect();
        assert_eq!(ends, end.map(|end| json!(end)).into_iter().collect::<Vec<_>>());
        if end.is_some() {
            assert_eq!(outing.output("act-now"), json!({ "ended": "cut_short", "reason": "a drill" }));
            assert!(ran.stderr.contains("the wait was cut short: a drill"), "{}", ran.stderr);
        }
    }
    // Where it may not be skipped, it may not be cut short either.
    let outing = waiting("for = \"700h\"", "").await;
    let runbook = outing.scene.path("outing.toml");
    let text = std::fs::read_to_string(&runbook).unwrap();
    std::fs::write(&runbook, text.replace("[steps.with]", "skippable = false\n[steps.with]")).unwrap();
    outing.scene.write("answers.toml", "[steps.act-now]\nanswer = \"skip\"\n");
    let ran = outing.run().expect(11);
    let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("which may not be cut short"), "{said}");
    assert!(outing.events("waited").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_and_a_rehearsal_wait_for_nothing() {
    let host = on_from(usize::MAX).await;
    let conditional = waiting(&until(&host.url, "at_most = \"99h\""), "").await;
    let timed = waiting("for = \"99h\"", "").await;
    for (outing, prediction, summary) in
        [(&conditional, "cannot_know", "not yet: `/state` of"), (&timed, "already_so", "would wait for 99h")]
    {
        let step = outing.quell(&["plan", "outing.toml"], &[]).expect(0).json()["steps"][0].clone();
        assert_eq!(step["prediction"], prediction);
        assert!(step["summary"].as_str().unwrap().starts_with(summary), "{step}");
    }
    assert_eq!(host.lines(), ["GET /state"]);
    for outing in [conditional, timed] {
        let ran = outing.quell(&["rehearse", "outing.toml"], &[]).expect(0);
        assert_eq!(outing.output("act-now")["ended"], "simulated");
        assert!(ran.stderr.contains("simulated: would have waited"), "{}", ran.stderr);
        assert!(outing.events("waited").is_empty());
    }
    assert_eq!(host.lines(), ["GET /state"], "the rehearsal looked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_waits_only_for_what_is_left() {
    // The entry before it is waited for is the seventh; four come before the plan is fixed.
    let timed = || waiting("for = \"3s\"", "");
    let whole = timed().await;
    whole.run().expect(0);
    let proposed = whole.scene.journal().iter().position(|entry| entry["event"]["type"] == "proposed").unwrap();

    let outing = timed().await;
    outing.die(&format!("after-append:{proposed}"));
    let at: jiff::Timestamp = outing.scene.journal()[proposed]["at"].as_str().unwrap().parse().unwrap();
    while jiff::Timestamp::now().duration_since(at) < jiff::SignedDuration::from_secs(3) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let ran = outing.resume().expect(0);
    assert_eq!(outing.events("waited"), [json!({ "type": "waited", "end": "elapsed" })]);
    assert!(!ran.stderr.contains("waiting:"), "nothing was left to wait for: {}", ran.stderr);

    // A condition is looked at once more, however late it is.
    let host = on_from(1).await;
    let outing = waiting(&until(&host.url, "at_most = \"1s\""), "").await;
    outing.die(&format!("after-append:{}", proposed + 1));
    assert_eq!(host.lines().len(), 1);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    outing.resume().expect(0);
    assert_eq!(host.lines().len(), 2);
    assert_eq!(outing.events("waited"), [json!({ "type": "waited", "end": "held" })]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_together_is_told() {
    for (with, error) in [
        ("message = \"x\"", "needs either `for` or `until`"),
        ("for = \"1m\"\nuntil = { url = \"https://x.example/\" }", "needs either `for` or `until`"),
        ("for = \"1m\"\nevery = \"1s\"", "go with `until`"),
        ("for = \"10ms\"", "`for` is shorter than a second"),
        ("until = { url = \"https://x.example/\", equals = 1 }", "`equals` needs a `pointer`"),
        ("until = { url = \"https://x.example/\", pointer = \"state\" }", "is no JSON pointer"),
    ] {
        let outing = waiting(with, "").await;
        outing.run().expect(12);
        let failed = outing.events("step_failed").remove(0);
        assert!(failed["error"].as_str().unwrap().contains(error), "{with}: {failed}");
        assert!(failed["hint"].is_string(), "{with}: {failed}");
    }
}
