//! The main runbook on other ways than the straight one: a step is skipped, nobody can name the suspect.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::scene::{Ran, Scene, ran};

/// The shipped answers with `changes` made: each text must be there.
fn rehearsed(scene: &Scene, changes: &[(&str, &str)]) -> Ran {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/cloudflare-token-compromise.answers.toml");
    let mut text = fs::read_to_string(shipped).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let answers = scene.write("answers.toml", &text).display().to_string();
    ran(&mut scene.bare(&["rehearse", "--answers", &answers, "--json"]))
}

fn step<'d>(document: &'d Value, id: &str) -> &'d Value {
    document["steps"].as_array().unwrap().iter().find(|step| step["id"] == id).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_skipped_breaks_no_other() {
    let scene = Scene::new().await;
    let skipped = "[steps.cut]\nanswer = \"skip\"\nreason = \"the deploy runs\"\n";
    let changes = [
        ("[steps.cut]\nanswer = \"run\"\nphrase = \"disable 3\"\n", skipped),
        (
            "[steps.cut-again]\nanswer = \"run\"\nphrase = \"cut-again\"\n",
            "[steps.cut-again]\nanswer = \"run\"\nphrase = \"disable 3\"\n",
        ),
    ];
    let ran = rehearsed(&scene, &changes).expect(0);
    let document = ran.json();
    let failed: Vec<&Value> =
        document["steps"].as_array().unwrap().iter().filter(|step| step["status"] == "failed").collect();
    assert_eq!(failed, Vec::<&Value>::new());
    assert_eq!(step(&document, "cut")["status"], "skipped");
    assert_eq!(step(&document, "cut-again")["effects"].as_array().unwrap().len(), 3);
    assert!(ran.stderr.contains("17 of 17 planted artefacts found"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_is_followed_where_nobody_could_name_the_suspect() {
    let scene = Scene::new().await;
    let chosen = |token: &str, phrase: &str| {
        format!("answer = \"run\"\nselect = [\"{token}\"]\nphrase = \"{phrase}\"\nleft = \"keep:not known\"\n")
    };
    let changes = [
        ("suspect       = \"ci-deploy\"", "suspect       = \"unknown\""),
        (
            "[steps.cut]\nanswer = \"run\"\nphrase = \"disable 3\"\n",
            &format!("[steps.cut]\n{}", chosen("ci-deploy", "cut")),
        ),
        (
            "[steps.cut-again]\nanswer = \"run\"\nphrase = \"cut-again\"\n",
            // What one round left, the next one asks about again.
            &format!(
                "[steps.cut-again]\n{}\n[steps.\"rounds/cut-again#2\"]\nanswer = \"run\"\nselect = \"none\"\nleft = \"keep:not known\"\n",
                chosen("metrics-exporter", "cut-again")
            ),
        ),
        (
            "[steps.revoke]\nanswer = \"run\"\nphrase = \"revoke 3\"\n",
            &format!("[steps.revoke]\n{}", chosen("ci-deploy", "ci-deploy")),
        ),
    ];
    let document = rehearsed(&scene, &changes).expect(0).json();
    // The one that leaked is the first of the candidates, and why stands beside it.
    let journal = scene.journal();
    let looked = journal.iter().find_map(|entry| {
        let summary = entry["event"]["summary"].as_str().filter(|summary| summary.contains("for the suspect"))?;
        Some(summary.to_owned())
    });
    let looked = looked.unwrap();
    assert!(looked.contains("for the suspect, first metrics-exporter: "), "{looked}");
    for why in ["from new addresses", "made or changed with it"] {
        assert!(looked.contains(why), "{why}: {looked}");
    }
    // Nobody has reported what was chosen from the candidates.
    let told = serde_json::to_string(&journal).unwrap();
    assert!(!told.contains("[\"why\",\"reported\"]") && told.contains("chosen in this incident as the intruder's"));
    for (review, number) in [("dns-settle", 5), ("certificates-settle", 3), ("firewall-settle", 5)] {
        let effects = step(&document, review)["effects"].as_array().unwrap();
        assert_eq!(effects.len(), number, "{review}");
        assert!(effects.iter().all(|effect| effect["verdict"] == "holds"), "{review}: {effects:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_in_the_second_look_is_accepted_whichever_look_found_it() {
    let scene = Scene::new().await;
    let changes = [
        (
            "[steps.firewall-settle]\nanswer = \"run\"\nfields = { attested_by = \"Priya Nair\" }\n",
            "[steps.firewall-settle]\nleft = \"later:Priya Nair\"\n",
        ),
        (
            "left = \"later:Maya Lindqvist, before this is closed\"",
            "answer = \"skip\"\nreason = \"a partner of ours, says Priya\"",
        ),
    ];
    let ran = rehearsed(&scene, &changes);
    let document = ran.json();
    let findings = document["findings"].as_array().unwrap();
    let allowed: Vec<&Value> = findings.iter().filter(|it| it["technique"] == "CF-T13").collect();
    let told: Vec<&str> = allowed.iter().map(|it| it["family"].as_str().unwrap()).collect();
    assert!(told.contains(&"access_rules") && allowed.iter().all(|it| it["status"] == "accepted"), "{allowed:#?}");
    // What is said in a file is no silent keep either.
    let told = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("kept: a partner of ours, says Priya") && !told.contains("skip: a partner"),
        "{}",
        ran.stderr
    );
}
