use serde_json::json;

use super::{Host, Outing, effect, end, ends};

const SECRET: &str = "{ secret_env = \"OUTING_SECRET\" }";

#[tokio::test(flavor = "multi_thread")]
async fn a_get_is_a_read_in_a_dry_run_too() {
    let host = Host::always(200, r#"{"a": [{"id": 7}]}"#).await;
    let with = format!(
        "url = \"{}/x?y=1\"\nheaders = {{ x-key = {SECRET} }}\noutputs = {{ id = \"/a/0/id\", no = \"/b\" }}",
        host.url
    );
    let outing = Outing::new("http", &with, "").await;
    let plan = outing.quell(&["plan", "outing.toml"], &[]).expect(0).json();
    assert_eq!(plan["steps"][0]["prediction"], "already_so");
    assert_eq!(host.lines(), ["GET /x?y=1"]);

    let ran = outing.run().expect(0);
    assert_eq!(host.lines(), ["GET /x?y=1"; 2]);
    assert!(host.arrived()[0].headers.contains(&("x-key".to_owned(), super::CANARY.to_owned())));
    let expected = json!({ "done": true, "status": 200, "values": { "id": 7 }, "missing": ["no"], "simulated": false });
    assert_eq!(outing.output("act-now"), expected);
    assert_eq!(outing.evidence("GET http://127.0.0.1").len(), 1);
    outing.assert_no_canary(&ran);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_sent_once_with_its_secrets_and_read_back() {
    // The host echoes the secret, as hosts do in errors.
    let host = Host::start(|line, _| match line {
        "POST /block" => (201, Vec::new(), json!({ "id": "r-1", "echo": super::CANARY }).to_string()),
        _ => (200, Vec::new(), json!({ "state": "on" }).to_string()),
    });
    let host = host.await;
    let with = format!(
        "method = \"POST\"\nurl = \"{0}/block\"\nheaders = {{ authorization = {SECRET}, x-plain = \"p\" }}\n\
         body = {{ ip = \"192.0.2.7\", key = {SECRET} }}\nexpect = [201]\noutputs = {{ id = \"/id\", echo = \"/echo\" }}\n\
         verify = {{ url = \"{0}/state\", pointer = \"/state\", equals = \"on\" }}",
        host.url
    );
    let outing = Outing::new("http", &with, "").await;
    let plan = outing.quell(&["plan", "outing.toml"], &[]).expect(0);
    assert!(host.lines().is_empty(), "the dry run sent it");
    outing.assert_no_canary_in(&plan);

    let ran = outing.run().expect(0);
    assert_eq!(end(&ran.json()), ends("applied", Some("holds")));
    assert_eq!(host.lines(), ["POST /block", "GET /state"]);
    let sent = host.arrived().remove(0);
    assert_eq!(sent.body, json!({ "ip": "192.0.2.7", "key": super::CANARY }).to_string());
    assert!(sent.headers.contains(&("authorization".to_owned(), super::CANARY.to_owned())));
    assert_eq!(outing.output("act-now")["values"]["id"], "r-1");
    assert_eq!(
        outing.events("proposed")[0]["effects"][0]["call"]["headers"]["authorization"]["secret_env"],
        "OUTING_SECRET"
    );
    outing.assert_no_canary(&ran);
    outing.scene.run(&["verify", ran.json()["incident"].as_str().unwrap()]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_its_outcome() {
    for (status, outcome, code, sent) in [
        (200, "applied", 0, 1),
        (302, "refused", 12, 1),
        (403, "refused", 12, 1),
        (429, "not_sent", 12, 3),
        (500, "unknown", 13, 1),
    ] {
        let host = Host::start(move |line, _| match line {
            "POST /go" => (status, vec![("location", "/elsewhere".to_owned())], String::new()),
            _ => (200, Vec::new(), String::new()),
        });
        let host = host.await;
        let with = format!("method = \"POST\"\nurl = \"{}/go\"\nbody = \"text\"", host.url);
        let outing = Outing::new("http", &with, "").await;
        let ran = outing.run().expect(code);
        assert_eq!(effect(&ran.json())["outcome"], outcome, "HTTP {status}");
        // A redirect is never followed, and nothing but 429 is sent again.
        assert_eq!(host.lines(), vec!["POST /go"; sent], "HTTP {status}");
    }
    // A yes that is not the yes that was expected.
    let host = Host::always(200, "{}").await;
    let with = format!("method = \"DELETE\"\nurl = \"{}/go\"\nexpect = [202]", host.url);
    let ran = Outing::new("http", &with, "").await.run().expect(13);
    assert_eq!(effect(&ran.json())["outcome"], "unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_read_does_not_bear_out_is_not_called_done() {
    let host = Host::always(200, r#"{"state": "off"}"#).await;
    let with = format!(
        "method = \"PUT\"\nurl = \"{0}/go\"\nverify = {{ url = \"{0}/state\", pointer = \"/state\", equals = \"on\" }}",
        host.url
    );
    let ran = Outing::new("http", &with, "").await.run().expect(12);
    assert_eq!(end(&ran.json()), ends("applied", Some("does_not_hold")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_allowed_is_not_spoken_to() {
    let host = Host::always(200, "{}").await;
    let with = format!("method = \"POST\"\nurl = \"{}/go\"", host.url);
    let outing = Outing::new("http", &with, "").await.env("QUELL_HTTP_HOSTS", "other.example");
    let ran = outing.run().expect(12);
    let failed = outing.events("step_failed").remove(0);
    assert_eq!(failed["error"], "the host `127.0.0.1` is not one that this machine's operator allows");
    assert!(failed["hint"].as_str().unwrap().contains("QUELL_HTTP_HOSTS=127.0.0.1"), "{failed}");
    assert!(host.lines().is_empty() && outing.events("proposed").is_empty(), "{}", ran.stderr);
    // Neither by way of the look that would follow.
    let with = format!("method = \"POST\"\nurl = \"{}/go\"\nverify = {{ url = \"https://x.example/\" }}", host.url);
    Outing::new("http", &with, "").await.run().expect(12);
    assert!(host.lines().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_must_be_safe_to_write_down_and_to_send_to() {
    for (url, why) in [
        ("http://192.0.2.1/x", "is not encrypted"),
        ("https://user:password-1@192.0.2.1/x", "user name or a password"),
        ("nonsense", "is no address"),
    ] {
        let outing = Outing::new("http", &format!("url = \"{url}\""), "").await.env("QUELL_HTTP_HOSTS", "192.0.2.1");
        outing.run().expect(12);
        let error = outing.events("step_failed").remove(0)["error"].as_str().unwrap().to_owned();
        assert!(error.contains(why) && !error.contains("password-1"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_a_look_settles_it_or_a_person_does() {
    for (verified, code) in [(true, 0), (false, 13)] {
        let host = Host::always(200, r#"{"state": "on"}"#).await;
        let verify = format!("verify = {{ url = \"{}/state\", pointer = \"/state\" }}", host.url);
        let verify = if verified { verify } else { String::new() };
        let with = format!("method = \"POST\"\nurl = \"{}/go\"\n{verify}", host.url);
        let outing = Outing::new("http", &with, "").await;
        outing.die("after-send:1");
        let ran = outing.resume().expect(code);
        assert_eq!(effect(&ran.json())["in_doubt"], !verified);
        let posts = host.lines().into_iter().filter(|line| line.starts_with("POST")).count();
        assert_eq!(posts, 1, "it was sent again");
        assert_eq!(host.lines().contains(&"GET /state".to_owned()), verified);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_opens_no_connection() {
    let host = Host::always(200, "{}").await;
    let with = format!("method = \"POST\"\nurl = \"{0}/go\"\nverify = {{ url = \"{0}/state\" }}", host.url);
    let read = format!(
        "[[steps]]\nid = \"read\"\nphase = \"contain\"\ntitle = \"Read\"\naction = \"http\"\n\
         with = {{ url = \"{}/read\", headers = {{ x = {{ secret_env = \"OUTING_UNSET\" }} }}, outputs = {{ id = \"/id\" }} }}",
        host.url
    );
    let outing = Outing::new("http", &with, &read).await;
    let ran = outing.quell(&["rehearse", "outing.toml"], &[]).expect(0);
    assert!(host.lines().is_empty());
    assert_eq!(end(&ran.json()), ends("applied", Some("cannot_tell")));
    assert_eq!(outing.output("read")["values"], json!({ "id": "simulated" }));
    assert!(outing.output("act-now")["simulated"] == true && outing.output("read")["simulated"] == true);
}
