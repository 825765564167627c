//! `quell.toml`: every problem at once, and what it says holds.

use std::fs;

use serde_json::{Value, json};

use crate::scene::{Scene, ran};
use crate::spine::Spine;

/// Writes the user's own `quell.toml`.
fn configure(scene: &Scene, text: &str) {
    fs::create_dir_all(scene.path(".config/quell")).unwrap();
    scene.write(".config/quell/quell.toml", text);
}

fn value(document: &Value, key: &str) -> (Value, String) {
    let row = document["settings"].as_array().unwrap().iter().find(|row| row["key"] == key).unwrap();
    (row["value"].clone(), row["from"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_is_told_at_once_with_its_place() {
    let scene = Scene::new().await;
    let private = fs::read_to_string(scene.path("identity.txt")).unwrap();
    let text = format!(
        "[vault]\nrecipient = []\nrecipients = [\"{}\"]\n[runbooks]\naccept_only = [\"abc\"]\ndirs = \"here\"\n\
         [account]\nown_ip_ranges = [\"192.0.2.0/33\", \"0.0.0.0/0\", \"192.0.2.7\"]\n\
         crown_jewels = [\"example.com\", \"https://example.com\"]\n[http]\nallow_hosts = [\"https://x.example/y\"]\n\
         [notify.team]\nkind = \"slak\"\nsecret_env = \"https://hooks.example/T0/B0\"\n[notify.other]\nkind = \"json\"\n[acount]\n",
        private.trim()
    );
    let file = scene.write("own.toml", &text).display().to_string();
    let checked = ran(&mut scene.bare(&["config", "check", "--json", "--config", &file])).expect(2);
    let document = checked.json();
    let problems = document["problems"].as_array().unwrap().iter();
    let told: Vec<_> = problems
        .map(|problem| {
            (problem["code"].as_str().unwrap(), problem["line"].as_u64().unwrap(), problem["column"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("R002", 2, 1),
            ("R004", 3, 15),
            ("R023", 3, 16),
            ("R004", 5, 16),
            ("R004", 6, 8),
            ("R004", 8, 18),
            ("R004", 8, 34),
            ("R004", 9, 32),
            ("R004", 11, 16),
            ("R004", 13, 8),
            ("R004", 14, 14),
            ("R003", 15, 1),
            ("R002", 17, 2),
        ],
        "{document:#}"
    );
    let helps: Vec<_> =
        document["problems"].as_array().unwrap().iter().map(|it| it["help"].as_str().unwrap_or_default()).collect();
    for (at, help) in [(0, "did you mean `recipients`?"), (9, "did you mean `slack`?"), (12, "did you mean `account`?")]
    {
        assert_eq!(helps[at], help);
    }
    let shown = ran(&mut scene.bare(&["config", "check", "--config", &file])).expect(2);
    for said in [&shown.stderr, &shown.stdout, &checked.stdout, &checked.stderr] {
        assert!(!said.contains("AGE-SECRET-KEY-1"), "a private key is printed:\n{said}");
    }
    assert!(shown.stderr.contains("12 errors, 1 warnings"), "{}", shown.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_is_shown_with_where_it_comes_from() {
    let scene = Scene::new().await;
    let document = ran(&mut scene.bare(&["config", "show", "--json"])).expect(0).json();
    assert_eq!(document["file"], Value::Null);
    assert!(
        document["settings"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["key"] == "search path" || row["from"] == "default")
    );
    configure(
        &scene,
        "[account]\nown_ip_ranges = [\"192.0.2.9/24\"]\nbreak_glass = [\"lifeline\"]\n\
         crown_jewels = [\"Example.com.\"]\n[http]\nallow_hosts = [\"Hooks.Example.com:8443\"]\n[notify.team]\nkind = \"slack\"\nsecret_env = \"SLACK_URL\"\n",
    );
    let mut command = scene.bare(&["config", "show", "--json", "--vault-recipient", "age1x"]);
    let document = ran(command.env("SLACK_URL", "https://hooks.example/T0/B0")).expect(0);
    assert!(!document.stdout.contains("T0/B0"));
    let document = document.json();
    let file = scene.path(".config/quell/quell.toml").display().to_string();
    assert_eq!(value(&document, "account.own_ip_ranges"), (json!(["192.0.2.0/24"]), file.clone()));
    assert_eq!(value(&document, "account.break_glass"), (json!(["lifeline"]), file.clone()));
    assert_eq!(value(&document, "account.crown_jewels"), (json!(["example.com"]), file.clone()));
    assert_eq!(value(&document, "http.allow_hosts"), (json!(["hooks.example.com:8443"]), file.clone()));
    assert_eq!(
        value(&document, "notify"),
        (json!([{ "name": "team", "kind": "slack", "secret_env": "SLACK_URL" }]), file)
    );
    assert_eq!(value(&document, "vault.recipients"), (json!(["age1x"]), "--vault-recipient".to_owned()));
    assert_eq!(value(&document, "runbooks.accept_only"), (json!("any"), "default".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_cannot_work_is_told_with_its_place() {
    let scene = Scene::new().await;
    let whole = "[sinks.vault]\ncommand = [\"vault\", \"kv\", \"put\", \"secret/{name}\", \"-\"]\npass_env = [\"VAULT_ADDR\"]\n\
                 env = { VAULT_TOKEN = { secret_env = \"VAULT_TOKEN\" }, MODE = \"x\" }\ntimeout = \"2m\"\n\
                 [sinks.disk]\nfile = \"new/{incident}-{id}\"\n";
    let file = scene.write("own.toml", whole).display().to_string();
    let shown = ran(&mut scene.bare(&["config", "show", "--json", "--config", &file])).expect(0).json();
    let sinks = json!([
        { "name": "vault", "command": {
            "argv": ["vault", "kv", "put", "secret/{name}", "-"],
            "env": { "MODE": "x", "VAULT_TOKEN": { "secret_env": "VAULT_TOKEN" } },
            "pass_env": ["VAULT_ADDR"], "timeout": 120,
        } },
        { "name": "disk", "file": "new/{incident}-{id}" },
    ]);
    assert_eq!(value(&shown, "sinks"), (sinks, file));
    for (text, code, place, help) in [
        ("[sinks.a]\n", "R003", (1, 1), "`command = ["),
        ("[sinks.a]\ncommand = [\"x\"]\nfile = \"y\"\n", "R004", (3, 8), "a section of its own"),
        ("[sinks.a]\ncommand = []\n", "R004", (2, 11), "the program comes first"),
        ("[sinks.a]\ncommand = \"x -\"\n", "R004", (2, 11), "between `[` and `]`"),
        ("[sinks.a]\ncommand = [\"./x\"]\n", "R004", (2, 12), "where quell was started"),
        ("[sinks.a]\ncommand = [\"{name}\"]\n", "R004", (2, 12), "never by the name of a token"),
        ("[sinks.a]\ncommand = [\"x\", \"{nmae}\"]\n", "R004", (2, 17), "`{name}`, `{id}`, `{incident}`"),
        ("[sinks.a]\ncommand = [\"x\"]\ntimeout = \"100ms\"\n", "R004", (3, 11), "`30s`"),
        ("[sinks.a]\ncommand = [\"x\"]\npass_env = [\"A B\"]\n", "R004", (3, 13), "the name of a variable"),
        ("[sinks.a]\ncommand = [\"x\"]\nenv = { A = 1 }\n", "R004", (3, 13), "secret_env"),
        ("[sinks.a]\ncommand = [\"x\"]\nenv = { A = { secret_env = \"a b\" } }\n", "R004", (3, 28), "`VAULT_TOKEN`"),
        ("[sinks.a]\nfile = \"~/x\"\n", "R004", (2, 8), "is not expanded"),
        ("[sinks.a]\nfile = \"x/\"\n", "R004", (2, 8), "add a file name"),
        ("[sinks.a]\nfile = \"x\"\npass_env = []\n", "R004", (3, 12), "a file needs none of it"),
        ("[sinks.a]\nfile = \"x\"\nmode = 1\n", "R002", (3, 1), "its keys are"),
        ("sinks = 1\n", "R004", (1, 9), ""),
    ] {
        let file = scene.write("own.toml", text).display().to_string();
        let checked = ran(&mut scene.bare(&["config", "check", "--json", "--config", &file])).expect(2).json();
        let problems = checked["problems"].as_array().unwrap();
        assert_eq!(problems.len(), 1, "{text}: {problems:#?}");
        let at = (problems[0]["line"].as_u64().unwrap(), problems[0]["column"].as_u64().unwrap());
        assert_eq!((problems[0]["code"].as_str().unwrap(), at), (code, place), "{text}: {problems:#?}");
        assert!(problems[0]["help"].as_str().unwrap_or_default().contains(help), "{text}: {problems:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_run_under_a_broken_configuration_and_looking_stays_possible() {
    let spine = Spine::new().await;
    let answers = spine.answers("");
    configure(&spine.scene, "[account]\nbreak_glas = [\"lifeline\"]\n");
    let refused = spine.run(&answers).expect(2);
    assert!(refused.stderr.contains("did you mean `break_glass`?"), "{}", refused.stderr);
    assert!(refused.stderr.contains("error: ") && refused.stderr.contains("hint: "), "{}", refused.stderr);
    assert!(spine.scene.simulator.requests().is_empty());
    spine.scene.run(&["incidents"]).expect(0);
    spine.scene.run(&["incidents", "--config", "nowhere.toml"]).expect(2);
    let none = spine.scene.write("none.toml", "").display().to_string();
    spine.scene.run(&["run", "spine.toml", "--answers", &answers, "--config", &none]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_accepted_runbook_runs() {
    let spine = Spine::new().await;
    let answers = spine.answers("");
    let stop = spine.scene.write("stop.toml", "[inputs]\nsuspect = \"ci-deploy\"\n").display().to_string();
    configure(&spine.scene, "[runbooks]\naccept_only = []\n");
    let refused = spine.run(&answers).expect(10);
    let digest = refused.json()["error"]["hint"].as_str().unwrap().split('"').nth(1).unwrap().to_owned();
    spine.scene.run(&["plan", "spine.toml", "--answers", &answers]).expect(10);
    spine.scene.run(&["run", "spine.toml", "--answers", &answers, "--dry-run"]).expect(10);
    assert!(spine.scene.simulator.requests().is_empty());
    configure(&spine.scene, &format!("[runbooks]\naccept_only = [\"{}\"]\n", digest.to_uppercase()));
    spine.run(&stop).expect(11);
    // What was accepted when the run began may have been withdrawn since.
    configure(&spine.scene, "[runbooks]\naccept_only = []\n");
    spine.resume(&answers).expect(10);
    assert!(spine.scene.writes().is_empty());
    configure(&spine.scene, &format!("[runbooks]\naccept_only = [\"{digest}\"]\n"));
    spine.resume(&answers).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vault_is_for_the_recipients_of_the_file() {
    let spine = Spine::new().await;
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    configure(&spine.scene, &format!("[vault]\nrecipients = [\"{recipient}\"]\n"));
    let cast = &spine.scene.scenario.cast;
    let answers = spine.answers("");
    let mut command =
        spine.scene.bare(&["run", "spine.toml", "--answers", &answers, "--vault-identity", "identity.txt"]);
    command
        .env("CLOUDFLARE_BASE_URL", spine.scene.simulator.base_url())
        .env("CLOUDFLARE_API_TOKEN", &cast.responder_token)
        .env("CLOUDFLARE_ACCOUNT_ID", &cast.account_id);
    // The identity is not that of the recipient: the vault does not open, and nothing is rolled.
    let ran = ran(&mut command).expect(11);
    assert!(ran.stderr.contains("a vault for the new secrets"), "{}", ran.stderr);
    assert!(!spine.scene.writes().iter().any(|write| write.path.ends_with("/value")));
}

#[tokio::test(flavor = "multi_thread")]
async fn break_glass_credentials_are_never_touched() {
    for by_name in [false, true] {
        let spine = Spine::new().await;
        let [kept, _] = spine.rolled.clone();
        let cast = &spine.scene.scenario.cast;
        let kept_name = cast.tokens.iter().find(|token| token.id == kept).unwrap().name.clone();
        let entry = if by_name { &kept_name } else { &kept };
        configure(&spine.scene, &format!("[account]\nbreak_glass = [\"{entry}\"]\n"));
        let suspect = cast.suspect_token_id.clone();
        // A runbook that would cut, roll and delete it beside the suspect.
        let both = format!("[{{ id = \"{suspect}\" }}, {{ id = \"{kept}\" }}]");
        let step = |id: &str, action: &str| {
            format!(
                "[[steps]]\nid = \"{id}\"\nphase = \"contain\"\ntitle = \"x\"\nwhy = \"x\"\naction = \"{action}\"\nwith = {{ tokens = {both} }}\n"
            )
        };
        let steps = step("roll", "cloudflare.tokens.rotate")
            + &step("cut", "cloudflare.token.disable")
            + &step("revoke", "cloudflare.token.revoke");
        spine.scene.write("glass.toml", &format!("schema = 1\nname = \"glass\"\ntitle = \"Glass\"\n{steps}"));
        let answers = spine.scene.write(
            "glass.answers.toml",
            &format!("[defaults]\nanswer = \"run\"\n[steps.roll]\nselect = \"all\"\nphrase = \"roll\"\n[steps.revoke]\nphrase = \"{suspect}\"\n"),
        );
        let answers = answers.display().to_string();
        let document = spine.scene.run(&["run", "glass.toml", "--answers", &answers, "--json"]).expect(16).json();
        let writes = spine.scene.writes();
        assert_eq!(writes.len(), 3, "the suspect is rolled, cut and deleted");
        assert!(writes.iter().all(|write| write.path.contains(&suspect)), "{writes:?}");
        let gaps = document["gaps"].as_array().unwrap();
        assert_eq!(gaps.len(), 2, "{gaps:?}");
        for (gap, doing) in gaps.iter().zip(["delete", "disable"]) {
            assert_eq!(gap["scope"], format!("{kept_name} ({kept})"));
            assert!(gap["reason"].as_str().unwrap().starts_with(&format!("quell did not {doing} the token")), "{gap}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_would_only_touch_break_glass_credentials_fails() {
    let spine = Spine::new().await;
    configure(
        &spine.scene,
        &format!("[account]\nbreak_glass = [\"{}\"]\n", spine.scene.scenario.cast.suspect_token_id),
    );
    let ran = spine.run(&spine.answers("")).expect(12);
    assert!(ran.stderr.contains("quell.toml names under `break_glass`"), "{}", ran.stderr);
    assert!(spine.scene.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn own_addresses_are_never_hostile() {
    let principals = |scene: &Scene| {
        let answers = scene
            .write("look.answers.toml", &format!("[inputs]\nsuspect = \"{}\"\n", scene.scenario.cast.suspect_token_id));
        scene.write(
            "look.toml",
            "schema = 1\nname = \"look\"\ntitle = \"Look\"\n[inputs.suspect]\ntype = \"cloudflare.token\"\nrequired = true\n\
             [[steps]]\nid = \"audit\"\nphase = \"identify\"\ntitle = \"x\"\naction = \"cloudflare.audit.collect\"\n\
             [[steps]]\nid = \"inventory\"\nphase = \"identify\"\ntitle = \"x\"\naction = \"cloudflare.tokens.inventory\"\n\
             with = { suspect = { from = \"inputs.suspect\" }, events = { from = \"steps.audit.events\" }, seen_before = { from = \"steps.audit.seen_before\" } }\n",
        );
        let path = answers.display().to_string();
        let forecast = scene.run(&["plan", "look.toml", "--answers", &path, "--json"]).expect(0).json();
        let findings = forecast["findings"].to_string();
        let summary = forecast["steps"][1]["summary"].as_str().unwrap().to_owned();
        (findings, summary)
    };
    let scene = Scene::new().await;
    let (findings, summary) = principals(&scene);
    let hostile = hostile_address(&findings);
    assert!(summary.contains("made by the intruder"), "{summary}");
    configure(&scene, &format!("[account]\nown_ip_ranges = [\"{hostile}\"]\n"));
    let (findings, summary) = principals(&scene);
    assert!(!summary.contains("made by the intruder"), "{summary}");
    assert!(!findings.contains(&format!("times from {hostile}")), "{findings}");
}

const LOOK_AT_ZONES: &str = "schema = 1\nname = \"zones\"\ntitle = \"Zones\"\n[[steps]]\nid = \"dns\"\nphase = \"identify\"\n\
     title = \"x\"\naction = \"cloudflare.dns.diff\"\nwith = { since = \"2020-01-01T00:00:00Z\", zones = [] }\n";

#[tokio::test(flavor = "multi_thread")]
async fn crown_jewels_come_first_and_one_that_is_not_there_is_said() {
    let scene = Scene::new().await;
    scene.write("zones.toml", LOOK_AT_ZONES);
    scene.write("zones.answers.toml", "");
    configure(&scene, "[account]\ncrown_jewels = [\"misspelt.example\", \"HL-Books.example\"]\n");
    let args = ["run", "zones.toml", "--answers", "zones.answers.toml", "--json"];
    let ran = scene.run(&args).expect(16);
    let gaps = ran.json()["gaps"].clone();
    let missing: Vec<_> = gaps.as_array().unwrap().iter().filter(|gap| gap["family"] == "zones").collect();
    assert_eq!(missing.len(), 1, "{gaps:#}");
    assert_eq!(missing[0]["scope"], "misspelt.example");
    assert!(missing[0]["reason"].as_str().unwrap().contains("`crown_jewels`"), "{gaps:#}");
    assert!(ran.stderr.contains("misspelt.example"), "{}", ran.stderr);
    let zones =
        scene.journal().iter().find_map(|entry| entry["event"]["output"]["inline"]["zones"].as_array().cloned());
    assert_eq!(zones.unwrap()[0], "hl-books.example");
    let report = fs::read_to_string(scene.incident().join("report.md")).unwrap().replace('\\', "");
    assert!(report.contains("| zones | misspelt.example (crown jewel) |"), "{report}");
    assert!(report.contains("| dns_records | hl-books.example (crown jewel) | no baseline"), "{report}");
    assert!(!report.contains("harborlane.example (crown jewel)"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_is_of_another_account_and_misses_no_crown_jewel() {
    let scene = Scene::new().await;
    scene.write("zones.toml", LOOK_AT_ZONES);
    scene.write("zones.answers.toml", "");
    configure(&scene, "[account]\ncrown_jewels = [\"example.com\"]\n");
    let args = ["rehearse", "zones.toml", "--answers", "zones.answers.toml", "--json"];
    let document = ran(&mut scene.bare(&args)).json();
    assert!(!document["gaps"].to_string().contains("crown_jewels"), "{document:#}");
}

/// The address in `The token was used N times from ADDRESS.`
fn hostile_address(findings: &str) -> String {
    let after = findings.split(" times from ").nth(1).unwrap();
    after.split([',', ' ']).next().unwrap().trim_end_matches('.').to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_team_of_one_every_role_but_the_approver_is_the_operators() {
    let spine = Spine::new().await;
    configure(&spine.scene, "[team]\nof_one = true\n");
    let answers = spine.answers("");
    let args = ["run", "spine.toml", "--answers", &answers, "--roles", "scribe=Sam", "--json"];
    let mut command = spine.scene.command(&args);
    let roles = ran(command.env("QUELL_OPERATOR", "Maya")).expect(0).json()["roles"].clone();
    assert_eq!(roles, json!({ "commander": "Maya", "operator": "Maya", "scribe": "Sam" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_report_holds_nobodys_name_and_no_id() {
    let spine = Spine::new().await;
    let mut command = spine.scene.command(&["run", "spine.toml", "--answers", &spine.answers("")]);
    ran(command.env("QUELL_OPERATOR", "Maya Lindqvist")).expect(0);
    let cast = &spine.scene.scenario.cast;
    let team = fs::read_to_string(spine.scene.incident().join("report.md")).unwrap();
    let told = [cast.suspect_token_id.as_str(), cast.account_id.as_str(), "Maya Lindqvist"];
    assert!(told.iter().all(|text| team.contains(text)), "{team}");

    configure(&spine.scene, "[report]\nprofile = \"public\"\n");
    spine.scene.run(&["report"]).expect(0);
    let path = spine.scene.incident().join("report-public.md");
    let public = fs::read_to_string(&path).unwrap();
    assert!(told.iter().all(|text| !public.contains(text)), "{public}");
    assert!(!public.contains("@harborlane") && !public.contains(r"\@harborlane"), "{public}");
    assert!(public.contains("responder 1") && public.contains("id-1"), "{public}");
    // What people write into it is kept there, and the team's own is as it was.
    fs::write(&path, public.replace("TODO: what happened and what it meant, in one paragraph.", "It was short."))
        .unwrap();
    spine.scene.run(&["report"]).expect(0);
    assert!(fs::read_to_string(&path).unwrap().contains("It was short."));
    assert_eq!(fs::read_to_string(spine.scene.incident().join("report.md")).unwrap(), team);
    let printed = spine.scene.run(&["report", "--profile", "internal", "-o", "-"]).expect(0).stdout;
    assert!(printed.contains("Maya Lindqvist"), "{printed}");
    let wrong = spine.scene.run(&["report", "--profile", "press"]).expect(2);
    assert!(wrong.stderr.contains("`internal` or `public`"), "{}", wrong.stderr);
}
