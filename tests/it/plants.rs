//! Every technique of the catalogue is planted: alone, and all together, each beside an honest thing of the same kind. It
//! is found by its right name, with whoever did it and what was there before; nobody else is ever blamed; and whatever
//! could not be seen is never ruled out.

mod blind;
mod found;

use jiff::{SignedDuration, Timestamp};
use quell::cloudflare::families::family;
use quell::cloudflare::simulator::{Planted, Scenario, plants};
use quell::hunt::Seat;
use quell::model::Finding;
use serde_json::{Value, json};

use crate::stage::{Seen, Stage};

/// From where the intruder acts.
const HOSTILE: &str = "203.0.113.199";

/// What nobody can see: no log and no list tells of it.
const UNSEEABLE: &str = "CF-E06";

/// An account in which techniques were planted, and what its logs tell.
struct Field {
    stage: Stage,
    events: Value,
    log_complete: Value,
    /// What the intruder holds, as the inventory of the tokens tells it.
    principals: Value,
}

impl Field {
    /// With these techniques, each beside an honest thing of the same kind; the honest things alone where none is named.
    async fn sown(techniques: &[&str]) -> Self {
        let stage = Stage::of(Scenario::planted(techniques, true).unwrap()).await;
        let log = Self::logs(&stage).await;
        let with = json!({
            "suspect": "ci-deploy", "cut": [stage.reference("jonas laptop")], "since": Self::since(&stage),
            "events": log["events"], "seen_before": log["seen_before"],
        });
        let mut tokens = stage.plan("cloudflare.tokens.inventory", with).await.unwrap().plan.output;
        let (events, log_complete) = (log["events"].clone(), log["complete"].clone());
        Self { stage, events, log_complete, principals: tokens["principals"].take() }
    }

    fn since(stage: &Stage) -> Timestamp {
        stage.now - SignedDuration::from_hours(9)
    }

    async fn logs(stage: &Stage) -> Value {
        stage.plan("cloudflare.audit.collect", json!({ "since": Self::since(stage) })).await.unwrap().plan.output
    }

    /// What the hunt sees in these families; in all where none is named.
    async fn hunt(&self, families: &[&str]) -> Seen {
        let with = json!({
            "since": Self::since(&self.stage),
            "events": self.events, "log_complete": self.log_complete, "families": families,
            "principals": self.principals,
        });
        self.stage.plan("cloudflare.hunt", with).await.unwrap()
    }

    /// What was planted of a technique.
    fn truth(&self, technique: &str) -> impl Iterator<Item = &Planted> {
        self.stage.scenario.truth.iter().filter(move |planted| planted.technique == technique)
    }
}

/// Every technique that has a plant, once, in the order of the tables.
fn techniques() -> Vec<&'static str> {
    let mut all: Vec<&str> = plants().map(|(technique, _)| technique).collect();
    all.dedup();
    all
}

fn verdict<'o>(seen: &'o Seen, technique: &str) -> &'o Value {
    let verdicts = seen.plan.output["verdicts"].as_array().unwrap();
    verdicts.iter().find(|judged| judged["technique"] == technique).unwrap()
}

fn of<'f>(seen: &'f Seen, technique: &str) -> Vec<&'f Finding> {
    seen.plan.findings.iter().filter(|finding| finding.technique == technique).collect()
}

/// Whether a finding is about what was planted.
fn is_about(finding: &Finding, planted: &Planted) -> bool {
    let Some(family) = family(&planted.family) else { return finding.resource.id == planted.id };
    let listed = planted.after.as_array().or(planted.before.as_array());
    let ids: Vec<String> = match listed {
        Some(items) => items.iter().map(|item| family.id_of(item)).collect(),
        None => vec![planted.id.clone()],
    };
    let is_same =
        if family.id.is_empty() { finding.resource.zone == planted.zone } else { ids.contains(&finding.resource.id) };
    finding.family == planted.family && is_same
}

/// A state as a finding tells it, in the form in which the family is compared.
fn told(planted: &Planted, state: &Value) -> Option<Value> {
    let state = match state {
        // A list that was written whole: the first of what it came to hold.
        Value::Array(items) => items.first().cloned().unwrap_or_default(),
        state => state.clone(),
    };
    let form = |family: &quell::hunt::Family| family.item(&Seat::account(), state.clone()).value;
    (!state.is_null()).then(|| timeless(&family(&planted.family).map_or_else(|| state.clone(), form)))
}

/// The times of an account depend on when it is started.
fn timeless(state: &Value) -> Value {
    match state {
        Value::Object(fields) => {
            let is_time = |name: &str| name.ends_with("_on") || name.ends_with("_at") || name.contains("modified");
            let kept = fields.iter().filter(|(name, _)| !is_time(name) && *name != "last_updated");
            kept.map(|(name, value)| (name.clone(), timeless(value))).collect()
        }
        Value::Array(items) => items.iter().map(timeless).collect(),
        other => other.clone(),
    }
}
