use jiff::SignedDuration;
use quell::clock::Clock;
use quell::cloudflare::api::{ApiBase, ConnectError, Connected, Connector, Credential};
use quell::cloudflare::simulator::{WorldOptions, scenario, start};
use quell::model::{CredentialKind, World};
use quell::provider::{Paging, ReadRequest};
use quell::secret::Secret;
use serde_json::{Value, json};

use super::scripted::{ACCOUNT, Reply, Server, Stepped, TOKEN, answer, items, no, ok, token};

async fn connect(server: &Server, credential: Credential, account: Option<&str>) -> Result<Connected, ConnectError> {
    server.try_connect(&Stepped::new(), credential, account).await
}

fn lines(server: &Server) -> Vec<String> {
    let log = server.log.lock().unwrap();
    log.iter().map(|request| request.split(" HTTP/").next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_user_token_is_settled_with_its_owner_expiry_and_account() {
    let server = Server::start_raw(|line, _| match line {
        "GET /user/tokens/verify" => answer(
            200,
            "date: Mon, 23 Nov 2026 11:59:30 GMT\r\n",
            r#"{"success":true,"messages":[{"code":10000,"message":"valid"}],
                "result":{"id":"t1","status":"active","expires_on":"2027-01-01T00:00:00Z"}}"#,
        ),
        "GET /user" => ok(json!({"id": "u1", "email": "me@b.example"}), Value::Null),
        _ => ok(json!({"id": ACCOUNT, "name": "Example"}), Value::Null),
    })
    .await;
    let connected = connect(&server, token(), Some(ACCOUNT)).await.unwrap();
    assert_eq!((connected.account.id.as_str(), connected.account.name.as_str()), (ACCOUNT, "Example"));
    let facts = &connected.credential;
    assert_eq!((facts.kind, facts.id.as_deref()), (CredentialKind::UserToken, Some("t1")));
    assert_eq!(facts.owner.as_deref(), Some("me@b.example"));
    assert_eq!(facts.expires, Some("2027-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(connected.skew, Some(SignedDuration::from_secs(30)));
    assert_eq!(connected.read.account(), &connected.account);
    assert_eq!(connected.read.world(), &server.world());
    assert!(!format!("{connected:?}").contains(TOKEN));
}

#[tokio::test]
async fn a_token_of_the_account_is_verified_at_the_account() {
    let server = Server::start_raw(|line, _| match line {
        "GET /user/tokens/verify" => no(401, 1000, "Invalid API Token"),
        line if line.ends_with("/tokens/verify") => ok(json!({"id": "t2", "status": "active"}), Value::Null),
        _ => no(403, 10000, "Authentication error"),
    })
    .await;
    let connected = connect(&server, token(), Some(ACCOUNT)).await.unwrap();
    assert_eq!(connected.credential.kind, CredentialKind::AccountToken);
    // The account itself may not be read: its id stands in for the name.
    assert_eq!(connected.account.name, ACCOUNT);
    let marked = Credential::Token(Secret::new("cfat_0123456789012345678901234567890123456789"));
    assert!(matches!(connect(&server, marked.clone(), None).await, Err(ConnectError::AccountUnnamed)));
    let before = lines(&server).len();
    connect(&server, marked, Some(ACCOUNT)).await.unwrap();
    let mut asked = lines(&server)[before..].to_vec();
    asked.sort();
    // What is refused is read once more.
    asked.dedup();
    assert_eq!(asked, [format!("GET /accounts/{ACCOUNT}"), format!("GET /accounts/{ACCOUNT}/tokens/verify")]);
}

#[tokio::test]
async fn a_global_key_is_sent_as_such_and_named_as_such() {
    let server = Server::start(|_, _| Reply::Cut).await;
    let key = Credential::GlobalKey { email: "me@b.example".into(), key: Secret::new(TOKEN) };
    let connected = connect(&server, key, Some(ACCOUNT)).await.unwrap();
    assert_eq!(connected.credential.kind, CredentialKind::GlobalKey);
    let log = server.log.lock().unwrap();
    assert!(log.iter().all(|head| head.contains("x-auth-email: me@b.example") && !head.contains("authorization")));
    assert!(log[0].contains(&format!("x-auth-key: {TOKEN}")));
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_named() {
    let status = |body: Value| Server::start_raw(move |_, _| ok(body.clone(), Value::Null));
    let disabled = status(json!({"id": "t1", "status": "disabled"})).await;
    let error = connect(&disabled, token(), Some(ACCOUNT)).await.unwrap_err().to_string();
    assert_eq!(error, "the token `t1` is disabled");
    let expired = status(json!({"id": "t1", "status": "expired", "expires_on": "2026-01-01T00:00:00Z"})).await;
    let error = connect(&expired, token(), Some(ACCOUNT)).await.unwrap_err().to_string();
    assert_eq!(error, "the token `t1` is expired (since 2026-01-01T00:00:00Z)");
    let invalid = Server::start_raw(|_, _| no(401, 1000, "Invalid API Token")).await;
    let error = connect(&invalid, token(), None).await.unwrap_err();
    assert!(matches!(error, ConnectError::NotVerified { account_missing: true, .. }), "{error}");
    let elsewhere = Server::start_raw(|line, _| match line {
        "GET /user/tokens/verify" => no(401, 1000, "Invalid API Token"),
        _ => no(403, 9109, "Cannot use the access token from location: 192.0.2.1"),
    })
    .await;
    let error = connect(&elsewhere, token(), Some(ACCOUNT)).await.unwrap_err().to_string();
    assert!(error.contains("1000") && error.contains("IP condition"), "{error}");
    let other = Server::start_raw(|_, _| no(400, 6003, "Invalid request headers")).await;
    let error = connect(&other, token(), Some(ACCOUNT)).await.unwrap_err().to_string();
    assert!(error.contains("a global API key sent as a token"), "{error}");
    let down = Server::start_raw(|_, _| Reply::Cut).await;
    assert!(matches!(connect(&down, token(), Some(ACCOUNT)).await, Err(ConnectError::Api { .. })));
    // Each of the three is tried four times.
    assert_eq!(lines(&down).len(), 12);
}

#[tokio::test]
async fn what_cannot_be_sent_is_not() {
    let server = Server::start(|_, _| Reply::Cut).await;
    let of = |text: &str| connect(&server, Credential::Token(Secret::new(text)), Some(ACCOUNT));
    assert!(matches!(of("cfk_0123456789").await, Err(ConnectError::WrongKind(_))));
    assert!(matches!(of("two\nlines").await, Err(ConnectError::Malformed)));
    let rehearsal = World::Rehearsal("leaked-token".into());
    let real = ApiBase::parse("https://api.cloudflare.com/client/v4").unwrap();
    let refused = Connector::new(real, token(), rehearsal, Stepped::new()).connect(None).await;
    assert!(matches!(refused, Err(ConnectError::WrongWorld { .. })));
    let elsewhere = World::Live("api.cloudflare.com".into());
    let refused = Connector::new(server.base.clone(), token(), elsewhere, Stepped::new()).connect(None).await;
    assert!(matches!(refused, Err(ConnectError::WrongWorld { .. })));
    assert_eq!(lines(&server), Vec::<String>::new());
}

#[tokio::test]
async fn without_an_account_named_the_only_one_is_taken() {
    let info = |total: u32| json!({"page": 1, "per_page": 50, "total_count": total});
    // It repeats its page, whatever page is asked for.
    let listing = |reply: fn() -> Reply| {
        Server::start(move |line, _| {
            assert!(line.starts_with("GET /accounts?page="), "{line}");
            reply()
        })
    };
    let one = Server::start(move |_, _| ok(json!([{"id": "a", "name": "A"}]), info(1))).await;
    assert_eq!(connect(&one, token(), None).await.unwrap().account.name, "A");
    let two = Server::start(move |_, _| ok(items(0..2), info(2))).await;
    let error = connect(&two, token(), None).await.unwrap_err();
    assert!(matches!(&error, ConnectError::SeveralAccounts(accounts) if accounts.len() == 2), "{error}");
    let unsure = Server::start(move |_, _| ok(items(0..1), info(2))).await;
    assert!(matches!(connect(&unsure, token(), None).await, Err(ConnectError::AccountsShort(_))));
    let none = listing(|| ok(json!([]), Value::Null)).await;
    assert!(matches!(connect(&none, token(), None).await, Err(ConnectError::NoAccount)));
    let owned = listing(|| no(400, 1001, "List accounts endpoint does not support account owned tokens")).await;
    assert!(matches!(connect(&owned, token(), None).await, Err(ConnectError::AccountUnnamed)));
}

#[tokio::test]
async fn another_account_than_the_one_named_is_not_taken() {
    let server = Server::start_raw(|line, _| match line {
        "GET /user/tokens/verify" => ok(json!({"id": "t1", "status": "active"}), Value::Null),
        _ => ok(json!({"id": "another", "name": "Another"}), Value::Null),
    })
    .await;
    assert!(matches!(connect(&server, token(), Some(ACCOUNT)).await, Err(ConnectError::Api { .. })));
    let unknown = Server::start_raw(|line, _| match line {
        "GET /user/tokens/verify" => ok(json!({"id": "t1", "status": "active"}), Value::Null),
        _ => no(404, 7003, "Could not route to /accounts/x"),
    })
    .await;
    let error = connect(&unknown, token(), Some("x")).await.unwrap_err().to_string();
    assert!(error.contains("settle the account") && error.contains("7003"), "{error}");
}

#[tokio::test]
async fn the_simulated_account_is_connected_to_like_any_other() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = Stepped::new();
    let scenario = scenario("leaked-token").unwrap();
    let simulator = start(&scenario, WorldOptions::at(clock.now())).await.unwrap();
    let base = ApiBase::parse(simulator.base_url()).unwrap();
    let credential = Credential::Token(Secret::new(scenario.cast.responder_token.clone()));
    let account = scenario.cast.account_id.clone();
    let connector = Connector::new(base, credential, World::Rehearsal("leaked-token".into()), clock);
    let connected = connector.connect(Some(&account)).await.unwrap();
    assert_eq!(connected.account.id, account);
    let zones = connected.read.list(&ReadRequest::new("/zones"), Paging::Pages { per_page: 5 }).await.unwrap();
    assert!(!zones.items.is_empty() && zones.shortfall.is_none(), "{zones:?}");
}
