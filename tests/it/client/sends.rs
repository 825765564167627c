use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use quell::cloudflare::api::classify;
use quell::model::{HttpCall, Outcome, World};
use quell::provider::Answer;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::scripted::{Reply, Server, Stepped, answer, no, ok, warrant};

fn call() -> HttpCall {
    HttpCall {
        method: "PUT".into(),
        path: "/user/tokens/1".into(),
        body: Some(json!({"status": "disabled"})),
        secret_answer: false,
    }
}

async fn send_to(server: &Server, call: HttpCall) -> Answer {
    let connected = server.connect(&Stepped::new()).await;
    connected.send.send(warrant(&call, &server.world()), call).await
}

fn lost(answer: &Answer, part: &str) -> bool {
    matches!(answer, Answer::Lost(why) if why.contains(part)) && matches!(classify(answer), Outcome::Unknown(_))
}

#[tokio::test]
async fn a_call_is_sent_as_it_was_shown_and_answered_whole() {
    let server =
        Server::start(|_, _| answer(200, "cf-ray: abc-FRA\r\n", r#"{"success":true,"result":{"id":"1"}}"#)).await;
    let answer = send_to(&server, call()).await;
    assert!(
        matches!(&answer, Answer::Received { status: 200, request_id: Some(ray), .. } if ray == "abc-FRA"),
        "{answer:?}"
    );
    assert_eq!(classify(&answer), Outcome::Applied);
    assert_eq!(server.arrived(), ["PUT /user/tokens/1"]);
    assert!(server.log.lock().unwrap().last().unwrap().ends_with(r#"{"status":"disabled"}"#));
}

#[tokio::test]
async fn a_warrant_for_another_call_or_world_sends_nothing() {
    let server = Server::start(|_, _| ok(Value::Null, Value::Null)).await;
    let connected = server.connect(&Stepped::new()).await;
    let other = HttpCall { path: "/user/tokens/2".into(), ..call() };
    let not_sent = |answer: &Answer| matches!(answer, Answer::NotSent(why) if why.contains("another call"));
    assert!(not_sent(&connected.send.send(warrant(&call(), &server.world()), other).await));
    let elsewhere = World::Rehearsal("leaked-token".into());
    assert!(not_sent(&connected.send.send(warrant(&call(), &elsewhere), call()).await));
    assert_eq!(server.arrived(), Vec::<String>::new());
}

#[tokio::test]
async fn a_call_that_would_not_be_sent_as_shown_is_not_sent() {
    let server = Server::start(|_, _| ok(Value::Null, Value::Null)).await;
    for odd in [
        HttpCall { path: "/user/tokens/../../zones/1".into(), ..call() },
        HttpCall { path: "/user tokens".into(), ..call() },
        HttpCall { method: "GET".into(), ..call() },
    ] {
        assert!(matches!(send_to(&server, odd).await, Answer::NotSent(_)));
    }
    assert_eq!(server.arrived(), Vec::<String>::new());
}

#[tokio::test]
async fn a_refused_connection_proves_that_nothing_was_sent() {
    let server = Server::start(|_, _| Reply::Cut).await;
    let connected = server.connect(&Stepped::new()).await;
    server.close().await;
    let answer = connected.send.send(warrant(&call(), &server.world()), call()).await;
    assert!(matches!(&answer, Answer::NotSent(why) if why.contains("no connection")), "{answer:?}");
}

#[tokio::test]
async fn what_is_lost_after_sending_is_unknown_and_never_sent_again() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"success\":true";
    let cut = Server::start(|_, _| Reply::Cut).await;
    assert!(lost(&send_to(&cut, call()).await, "broke before an answer"));
    let mut hanging = Server::start(|_, _| Reply::Hang).await;
    hanging.patience = Duration::from_millis(300);
    assert!(lost(&send_to(&hanging, call()).await, "no answer in time"));
    let truncated = Server::start(move |_, _| Reply::Say(half.into())).await;
    let answer = send_to(&truncated, call()).await;
    let Answer::CutOff { status: 200, part, why, .. } = &answer else { panic!("{answer:?}") };
    assert_eq!(part.expose(), b"{\"success\":true", "what came may hold the secret");
    assert!(why.contains("HTTP 200, but the body was cut off after 15 bytes"), "{why}");
    assert!(matches!(classify(&answer), Outcome::Unknown(_)));
    for server in [cut, hanging, truncated] {
        assert_eq!(server.arrived().len(), 1);
    }
}

#[tokio::test]
async fn no_answer_makes_it_send_again() {
    for status in [301, 408, 429, 500, 503] {
        let server = Server::start(move |_, _| answer(status, "location: /user\r\nretry-after: 1\r\n", "{}")).await;
        let answer = send_to(&server, call()).await;
        assert!(matches!(answer, Answer::Received { status: is, .. } if is == status), "{answer:?}");
        assert_eq!(server.arrived().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_write_waits_for_the_rate_limit_that_another_request_ran_into() {
    let server = Server::start(|_, n| match n {
        0 => answer(429, "retry-after: 40\r\n", "{}"),
        _ => ok(json!({"id": "1"}), Value::Null),
    })
    .await;
    let clock = Stepped::new();
    let connected = server.connect(&clock).await;
    let first = connected.send.send(warrant(&call(), &server.world()), call()).await;
    assert!(matches!(classify(&first), Outcome::NotSent(_)));
    let second = connected.send.send(warrant(&call(), &server.world()), call()).await;
    assert_eq!((classify(&second), clock.longest()), (Outcome::Applied, 40));
    let counts = connected.meter.snapshot();
    assert_eq!((counts.reads, counts.writes, counts.throttled), (3, 2, 1));
}

#[tokio::test]
async fn dropping_the_future_does_not_take_a_request_back() {
    let arrived = Arc::new(Notify::new());
    let saw = Arc::clone(&arrived);
    let server = Server::start(move |_, _| {
        saw.notify_one();
        no(400, 1001, "no")
    })
    .await;
    let connected = server.connect(&Stepped::new()).await;
    let mut sending = connected.send.send(warrant(&call(), &server.world()), call());
    // One poll starts the task; then nobody waits for it any more.
    let polled = poll_fn(|context| Poll::Ready(sending.as_mut().poll(context).is_pending())).await;
    assert!(polled);
    drop(sending);
    timeout(Duration::from_secs(20), arrived.notified()).await.unwrap();
    assert_eq!(server.arrived().len(), 1);
}
