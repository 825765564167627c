use serde_json::json;

use super::{Host, Outing, end, ends};

/// A hook whose path is the secret.
fn hook(host: &Host) -> String {
    format!("{}/services/T00/zq7x-hush", host.url)
}

async fn outing(service: &str, hook: &str) -> Outing {
    let with = format!(
        "service = \"{service}\"\ntarget = {{ secret_env = \"OUTING_HOOK\" }}\nmessage = \"cut <!channel> at {{{{incident.id}}}}\""
    );
    let later = "[[steps]]\nid = \"next-one\"\nphase = \"contain\"\ntitle = \"Later\"\nwhy = \"A test.\"\naction = \"command\"\n\
                 with = { argv = [\"true\"] }";
    Outing::new("notify", &with, later).await.env("OUTING_HOOK", hook)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_shown_consented_to_and_sent_once() {
    for service in ["slack", "json"] {
        let host = Host::always(200, "ok").await;
        // The operator's own environment names the host: it needs no further permission.
        let outing = outing(service, &hook(&host)).await.env("QUELL_HTTP_HOSTS", "");
        let plan = outing.quell(&["plan", "outing.toml"], &[]).expect(0);
        assert!(host.lines().is_empty(), "the dry run sent it");
        outing.assert_no_canary_in(&plan);
        let ran = outing.run().expect(0);
        assert_eq!(end(&ran.json()), ends("applied", Some("cannot_tell")));
        assert_eq!(outing.output("act-now"), json!({ "delivered": "yes" }));
        assert_eq!(host.lines(), ["POST /services/T00/zq7x-hush"]);
        let incident = ran.json()["incident"].as_str().unwrap().to_owned();
        let wanted = if service == "slack" {
            json!({ "text": format!("cut &lt;!channel&gt; at {incident}") })
        } else {
            json!({ "source": "quell", "step": "act-now", "message": format!("cut <!channel> at {incident}") })
        };
        assert_eq!(host.arrived()[0].body, wanted.to_string());
        outing.assert_no_canary(&ran);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pagerduty_gets_its_event_and_its_host_must_be_allowed() {
    let host = Host::always(202, "{}").await;
    let with = format!(
        "service = \"pagerduty\"\ntarget = {{ secret_env = \"OUTING_SECRET\" }}\nmessage = \"cut\"\nseverity = \"warning\"\n\
         url = \"{}/v2/enqueue\"",
        host.url
    );
    let outing = Outing::new("notify", &with, "").await;
    let ran = outing.run().expect(0);
    let wanted = json!({
        "routing_key": super::CANARY, "event_action": "trigger",
        "payload": { "summary": "cut", "source": "quell", "severity": "warning" },
    });
    assert_eq!(host.arrived()[0].body, wanted.to_string());
    outing.assert_no_canary(&ran);

    let outing = Outing::new("notify", &with, "").await.env("QUELL_HTTP_HOSTS", "events.pagerduty.com");
    let ran = outing.run().expect(16);
    assert_eq!(host.lines().len(), 1);
    assert!(ran.json()["gaps"][0]["reason"].as_str().unwrap().starts_with("not delivered: the host `127.0.0.1`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fails_stops_nothing_and_is_not_sent_again() {
    for (status, delivered, reason) in [
        (404, "no", "not delivered: HTTP 404"),
        (429, "no", "not delivered: HTTP 429"),
        (500, "unknown", "whether it was delivered is not known: HTTP 500"),
    ] {
        let host = Host::always(status, "no").await;
        let outing = outing("slack", &hook(&host)).await;
        let ran = outing.run().expect(16);
        let document = ran.json();
        assert_eq!(document["outcome"], "done", "HTTP {status}");
        assert_eq!(document["steps"][1]["status"], "done", "HTTP {status}");
        let gap = document["gaps"][0]["reason"].as_str().unwrap();
        assert!(gap.starts_with(reason), "{gap}");
        assert_eq!(outing.output("act-now"), json!({ "delivered": delivered }));
        assert_eq!(host.lines().len(), 1, "HTTP {status}: it was sent again");
        let report = std::fs::read_to_string(outing.scene.incident().join("report.md")).unwrap();
        assert!(report.contains(&reason.replace('_', "\\_")), "{report}");
        outing.assert_no_canary(&ran);
    }
    // Nobody listens; no hook is set: neither stops the run, and the second asks nobody.
    let gone = "http://127.0.0.1:1/services/zq7x-hush";
    let ran = outing("slack", gone).await.run().expect(16);
    assert!(ran.json()["gaps"][0]["reason"].as_str().unwrap().starts_with("not delivered: no connection"));
    let outing = outing("slack", "").await;
    let document = outing.run().expect(16).json();
    assert!(document["gaps"][0]["reason"].as_str().unwrap().contains("`OUTING_HOOK` is not set"), "{document:#}");
    assert_eq!(outing.output("act-now"), json!({ "delivered": "no" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_flight_when_quell_died_is_not_sent_again() {
    let host = Host::always(200, "ok").await;
    let outing = outing("slack", &hook(&host)).await;
    outing.die("after-send:1");
    let document = outing.resume().expect(16).json();
    assert_eq!(host.lines().len(), 1, "it was sent again");
    assert_eq!(document["outcome"], "done");
    let gap = document["gaps"][0]["reason"].as_str().unwrap();
    assert_eq!(gap, "whether it was delivered is not known: no answer was recorded");
    assert_eq!(outing.output("act-now"), json!({ "delivered": "unknown" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_tells_nobody() {
    let host = Host::always(200, "ok").await;
    let outing = outing("slack", &hook(&host)).await;
    outing.quell(&["rehearse", "outing.toml"], &[]).expect(0);
    assert!(host.lines().is_empty());
    assert_eq!(outing.output("act-now"), json!({ "delivered": "simulated" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_of_the_teams_own_is_told_by_name() {
    let host = Host::always(200, "ok").await;
    let outing = Outing::new("notify", "to = \"team\"\nmessage = \"cut\"", "").await;
    let outing = outing.env("OUTING_HOOK", &hook(&host)).env("QUELL_HTTP_HOSTS", "");
    // Nobody is known by that name: a gap in the plan and in the run, and it stops nothing.
    for args in [&["plan", "outing.toml"][..], &["run", "outing.toml"]] {
        let document = outing.quell(args, &[]).expect(16).json();
        let gap = document["gaps"][0]["reason"].as_str().unwrap();
        assert_eq!(gap, "not delivered: quell.toml has no `[notify.team]`; it has none");
    }
    let config = "[notify.team]\nkind = \"slack\"\nsecret_env = \"OUTING_HOOK\"\n";
    let config = outing.scene.write("own.toml", config).display().to_string();
    let quell = |args: &[&str]| outing.quell(&[args, &["--config", &config]].concat(), &[]);
    let plan = quell(&["plan", "outing.toml"]).expect(0);
    assert_eq!(plan.json()["steps"][0]["effects"][0]["summary"], "tell team: slack («env OUTING_HOOK»): cut");
    outing.assert_no_canary_in(&plan);
    assert!(host.lines().is_empty(), "the dry run sent it");
    std::fs::remove_dir_all(outing.scene.state_dir()).unwrap();
    let ran = quell(&["run", "outing.toml"]).expect(0);
    assert_eq!(host.arrived()[0].body, json!({ "text": "cut" }).to_string());
    assert_eq!(outing.output("act-now"), json!({ "delivered": "yes" }));
    outing.assert_no_canary(&ran);
    // The report does not call it somebody's word: the host's answer is all that says so.
    let report = std::fs::read_to_string(outing.scene.incident().join("report.md")).unwrap();
    assert!(report.contains("done, not verified") && !report.contains("| on somebody's word |"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_to_tell_is_said_once() {
    for with in [
        "message = \"cut\"",
        "to = \"team\"\nservice = \"slack\"\nmessage = \"cut\"",
        "service = \"slack\"\nmessage = \"cut\"",
    ] {
        let ran = Outing::new("notify", with, "").await.run().expect(12);
        assert!(ran.stderr.contains("`notify` needs either `to`, or `service` and `target`"), "{}", ran.stderr);
    }
}
