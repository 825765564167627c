//! What was planted is found, and nothing else.

use quell::cloudflare::techniques;
use quell::model::{Attribution, Finding};

use super::{Field, HOSTILE, UNSEEABLE, is_about, of, plants, techniques as planted, timeless, told, verdict};
use crate::stage::Seen;

/// Told by whoever acts and not by what is done, so the stolen tokens of every account show it.
const BY_TOKEN: &str = "CF-I01";

/// Whatever no other names.
const REST: &str = "CF-X01";

#[test]
fn every_technique_has_a_plant_that_shows_where_its_entry_says() {
    let all: Vec<&str> = techniques::techniques().map(|technique| technique.id).collect();
    assert_eq!(planted(), all);
    for (id, family) in plants().filter(|(_, family)| !family.is_empty()) {
        let technique = techniques::technique(id).unwrap();
        assert!(technique.shows.iter().any(|show| show.family == family), "{id} is planted in {family}");
    }
}

/// What is told by whoever acts, whatever is done.
const BY_ACTOR: [&str; 4] = [BY_TOKEN, "CF-I06", "CF-I09", "CF-I12"];

/// What is not as it should be of what was planted of a technique: that it is found, as what it is, and done by whoever
/// did it.
fn missed(field: &Field, seen: &Seen, id: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let found = of(seen, id);
    if verdict(seen, id)["verdict"] != "confirmed" {
        wrong.push(format!("{id}: {}", verdict(seen, id)));
    }
    let is_intruders =
        |it: &&&Finding| it.attribution == Attribution::Intruder && it.actor.ip.as_deref() == Some(HOSTILE);
    wrong.extend(
        found.iter().filter(|it| !is_intruders(it)).map(|finding| format!("{id}: not the intruder's: {finding:#?}")),
    );
    for planted in field.truth(id).filter(|_| !BY_ACTOR.contains(&id)) {
        let about: Vec<&&Finding> = found.iter().filter(|finding| is_about(finding, planted)).collect();
        let [finding] = about.as_slice() else {
            wrong.push(format!("{id}: {} findings of {planted:#?}: {found:#?}", about.len()));
            continue;
        };
        let states = (finding.before.as_ref().map(timeless), finding.after.as_ref().map(timeless));
        let expected = (told(planted, &planted.before), told(planted, &planted.after));
        if states != expected {
            wrong.push(format!("{id}: {states:#?}, not {expected:#?}"));
        }
    }
    wrong
}

/// Findings that are an honest thing's, or have another name than they should.
fn blamed(field: &Field, seen: &Seen, ids: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    // What is told by whoever acts does something besides, which has no name.
    let is_beside = |finding: &Finding| finding.technique == REST && ids.iter().any(|id| BY_ACTOR.contains(id));
    for finding in &seen.plan.findings {
        if !ids.contains(&finding.technique.as_str()) && finding.technique != BY_TOKEN && !is_beside(finding) {
            wrong.push(format!("{ids:?}: also {finding:#?}"));
        }
        for honest in field.stage.scenario.innocents.iter().filter(|honest| !honest.id.is_empty()) {
            if finding.resource.id == honest.id && finding.resource.zone == honest.zone {
                wrong.push(format!("{ids:?}: {honest:?} is blamed: {finding:#?}"));
            }
        }
    }
    wrong
}

#[tokio::test]
async fn each_technique_alone_is_found_and_named() {
    let mut wrong = Vec::new();
    for id in planted() {
        let field = Field::sown(&[id]).await;
        let mut families: Vec<&str> = field.truth(id).map(|planted| planted.family.as_str()).collect();
        // One that no family shows is found whatever is read.
        families.retain(|family| !family.is_empty());
        let seen = field.hunt(if families.is_empty() { &["sso_connectors"] } else { &families }).await;
        if id == UNSEEABLE {
            let judged = verdict(&seen, id);
            assert_eq!((&judged["verdict"], &judged["permanent"]), (&"unknown".into(), &true.into()), "{judged}");
        } else {
            wrong.extend(missed(&field, &seen, id));
        }
        wrong.extend(blamed(&field, &seen, &[id]));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn all_together_with_honest_noise_each_has_its_own_and_colleagues_none() {
    let all = planted();
    let field = Field::sown(&all).await;
    let seen = field.hunt(&[]).await;
    assert!(seen.gaps.is_empty(), "{:#?}", seen.gaps);
    let mut wrong = blamed(&field, &seen, &all);
    for id in all.iter().filter(|id| **id != UNSEEABLE) {
        wrong.extend(missed(&field, &seen, id));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let judged = verdict(&seen, UNSEEABLE);
    assert_eq!((&judged["verdict"], &judged["permanent"]), (&"unknown".into(), &true.into()), "{judged}");
}

#[tokio::test]
async fn colleagues_alone_are_blamed_for_nothing_and_what_is_hidden_is_said() {
    let field = Field::sown(&[]).await;
    assert!(field.stage.scenario.truth.is_empty() && field.stage.scenario.innocents.len() > 40);
    let seen = field.hunt(&[]).await;
    assert!(seen.plan.findings.is_empty() && seen.gaps.is_empty(), "{:#?} {:#?}", seen.plan.findings, seen.gaps);
    let mut asked = Vec::new();
    for technique in techniques::techniques() {
        let judged = verdict(&seen, technique.id);
        // Who had never given anybody a credential, and did so from where they always are, is asked, and not blamed.
        if judged["because"][0].as_str().is_some_and(|why| why.ends_with("ask them")) {
            assert_eq!((&judged["verdict"], &judged["findings"]), (&"unknown".into(), &serde_json::json!([])));
            asked.push(technique.id);
            continue;
        }
        let is_hidden = !technique.hidden.is_empty();
        let expected = if is_hidden { "unknown" } else { "ruled_out" };
        assert_eq!((&judged["verdict"], &judged["permanent"]), (&expected.into(), &is_hidden.into()), "{judged}");
        if is_hidden {
            assert_eq!(judged["because"], serde_json::json!([technique.hidden]), "{judged}");
        }
    }
    let firsts = ["CF-I02", "CF-I04", "CF-I05", "CF-I07", "CF-I10", "CF-T15", "CF-Z02", "CF-Z03", "CF-Z04"];
    assert_eq!(asked, firsts);
    // Each is counted once, where a family shows it.
    assert!(seen.plan.output["by_others"].as_u64().unwrap() >= 30, "{}", seen.plan.output["by_others"]);
}
