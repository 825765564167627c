//! `quell doctor`: what a credential can see.

use quell::cloudflare::families::families;
use quell::simulator::FaultKind;
use serde_json::Value;

use crate::nights::others::Other;
use crate::scene::Scene;

fn row<'d>(document: &'d Value, family: &str) -> &'d Value {
    document["families"].as_array().unwrap().iter().find(|row| row["family"] == family).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_family_is_tried_once_and_nothing_is_written_or_kept() {
    let scene = Scene::new().await;
    let document = scene.run(&["doctor", "--json"]).expect(0).json();
    let asked = families().filter(|family| family.retired.is_none()).count();
    let rows = document["families"].as_array().unwrap();
    assert_eq!(rows.len(), asked);
    assert!(rows.iter().all(|row| row["sight"] != "refused"), "{document:#}");
    assert_eq!(
        (&row(&document, "dns_records")["sight"], &document["zone"]),
        (&"readable".into(), &"harborlane-cdn.example".into())
    );
    assert_eq!(document["writes"], "unknown until tried");
    assert!(scene.writes().is_empty() && !scene.state_dir().exists());
    let requests = scene.simulator.requests();
    assert!(requests.len() < asked + 20, "{}", requests.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_named_and_what_hangs_on_it_is_not_tried() {
    let scene = Scene::new().await;
    let account = &scene.scenario.cast.account_id;
    scene.fault("GET", &format!("/accounts/{account}/workers/scripts"), 2, FaultKind::Forbidden);
    let ran = scene.run(&["doctor", "--zone", "harborlane-shop.example"]).expect(16);
    let told = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in [
        "REFUSED workers_scripts: needs `Workers Scripts Read`: the API refused to show it: HTTP 403",
        "not tried workers_versions: `workers_scripts` could not be read",
        "zone harborlane-shop.example",
        "Whether it can write is unknown until tried.",
    ] {
        assert!(told.contains(text), "{text}\n{}", ran.stdout);
    }
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    let wrong = scene.run(&["doctor", "--zone", "elsewhere.example"]).expect(2);
    assert!(wrong.stderr.contains("no zone `elsewhere.example` among the 4"), "{}", wrong.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_runbook_only_what_it_reads_is_tried_and_what_it_takes_to_act_stays_unknown() {
    let scene = Scene::new().await;
    scene.write(
        "small.toml",
        "schema = 1\nname = \"small\"\ntitle = \"Small\"\n\n[inputs.suspect]\ntype = \"cloudflare.token\"\n\
         required = true\n\n[[steps]]\nid = \"dns\"\nphase = \"identify\"\ntitle = \"DNS\"\naction = \"cloudflare.dns.diff\"\n\
         with = { since = \"2020-01-01T00:00:00Z\" }\n\n[[steps]]\nid = \"inventory\"\nphase = \"identify\"\ntitle = \"List\"\n\
         action = \"cloudflare.tokens.inventory\"\nwith = { suspect = { from = \"inputs.suspect\" } }\n\n[[steps]]\nid = \"cut\"\n\
         phase = \"contain\"\ntitle = \"Cut\"\naction = \"cloudflare.token.disable\"\n\
         with = { tokens = { from = \"steps.inventory.suspects\" } }\n",
    );
    let document = scene.run(&["doctor", "small.toml", "--json"]).expect(0).json();
    let tried: Vec<&str> =
        document["families"].as_array().unwrap().iter().map(|row| row["permission"].as_str().unwrap()).collect();
    assert!(tried.contains(&"DNS Read") && !tried.contains(&"Workers Scripts Read"), "{tried:?}");
    let needs = &document["needs"];
    let writes: Vec<&str> =
        needs["writes"].as_array().unwrap().iter().map(|write| write["group"].as_str().unwrap()).collect();
    assert_eq!(writes, ["API Tokens Write", "Account API Tokens Write"]);
    assert!(needs["writes"].as_array().unwrap().iter().all(|write| write["sight"] == "unknown until tried"));
    let groups = |command: &str| needs["token"][command]["permission_groups"].to_string();
    assert!(groups("run").contains("Account API Tokens Write") && !groups("plan").contains("Write"), "{needs:#}");
    assert_eq!(needs["token"]["run"]["of_users_only"], serde_json::json!(["API Tokens Read", "API Tokens Write"]));

    let told = scene.run(&["doctor", "small.toml"]).expect(0).stdout;
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in [
        "to act API Tokens Write, Account API Tokens Write: unknown until tried",
        "a token for `quell plan`",
        "a token for `quell run`",
        "expires within 24 hours",
    ] {
        assert!(told.contains(text), "{text}\n{told}");
    }
    assert!(scene.writes().is_empty() && !scene.state_dir().exists());
    assert!(scene.run(&["doctor", "nowhere.toml"]).code != 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_would_lock_themselves_out_is_told() {
    let scene = Scene::new().await;
    let cast = &scene.scenario.cast;
    let own = &cast.responder_token_id;
    let told = scene.run(&["doctor", "--suspect", own]).stdout;
    assert!(
        told.split_whitespace().collect::<Vec<_>>().join(" ").contains("LOCK-OUT: the suspect is the very token"),
        "{told}"
    );
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let other = scene.run(&["doctor", "--suspect", "ci-deploy"]).stdout;
    assert!(!flat(&other).contains("none of the tokens") && !other.contains("only Super Administrator"), "{other}");
    assert!(flat(&other).contains("requests in 5 min 00 s are left, and the dashboard"), "{other}");
    let slip = flat(&scene.run(&["doctor", "--suspect", "ci-deplay"]).stdout);
    assert!(slip.contains("the suspect `ci-deplay` is none of the tokens that can be seen"), "{slip}");
    assert!(!other.contains("the suspect is the very token"), "{other}");
    let value = scene.run(&["doctor", "--suspect", &cast.suspect_secret]).expect(2);
    assert!(!value.stderr.contains(&cast.suspect_secret), "{}", value.stderr);
    let mut command = scene.command(&["doctor"]);
    command.env_remove("CLOUDFLARE_API_TOKEN");
    command.env("CLOUDFLARE_API_KEY", &cast.global_key).env("CLOUDFLARE_EMAIL", &cast.email);
    let key = crate::scene::ran(&mut command).stdout;
    assert!(key.contains("LOCK-OUT: a global API key"), "{key}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_alone_administers_the_account_is_named() {
    let scene = Scene::new().await;
    let maya = &scene.scenario.cast.email;
    let session = Other::in_dashboard(maya, "203.0.113.50");
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let alone = format!("LOCK-OUT: {maya} is the only Super Administrator");
    assert!(!flat(&scene.run(&["doctor"]).stdout).contains("is the only"));
    let listed = session.does(&scene, "GET /accounts/{a}/members", Value::Null);
    let listed: Value = serde_json::from_slice(&listed.body).unwrap();
    let mut members = listed["result"].as_array().unwrap().iter();
    let tomas = members.find(|member| member["user"]["email"] == "tomas.herrera@harborlane.example").unwrap();
    let request = format!("DELETE /accounts/{{a}}/members/{}", tomas["id"].as_str().unwrap());
    assert_eq!(session.does(&scene, &request, Value::Null).status, 200);
    let told = flat(&scene.run(&["doctor"]).stdout);
    assert!(told.contains(&alone), "{told}");
}
