//! Parameters with which every action has something to do in the simulated account.

use quell::action::{ActionSpec, AnyAction};
use quell::model::Danger;
use serde_json::{Map, Value, json};

use crate::stage::Stage;

/// Actions that send nothing and yet must propose work.
const BY_HAND: [&str; 2] = ["cloudflare.findings.settle", "manual"];

/// Actions that act outside the account: `outside` drives them.
const ELSEWHERE: [&str; 3] = ["command", "http", "notify"];

/// What an action's example says, as JSON.
pub(super) fn example(spec: &ActionSpec) -> Value {
    let table: toml::Table = toml::from_str(spec.example).unwrap_or_else(|error| panic!("{}: {error}", spec.id));
    let mut example = serde_json::to_value(table).unwrap();
    // As a runbook's loader does: a literal stands for itself.
    for value in example.as_object_mut().unwrap().values_mut() {
        if let Some(literal) = value.get("literal").cloned() {
            *value = literal;
        }
    }
    example
}

/// The example, with what the scenario alone can tell in place of what is made up or empty: the table is keyed by
/// the name of the parameter.
pub(super) async fn filled(action: &dyn AnyAction, stage: &Stage) -> Value {
    let mut with = example(action.spec());
    for (name, value) in with.as_object_mut().unwrap() {
        match name.as_str() {
            // One that the account owns, and one of the responder's own user.
            "tokens" => *value = json!([stage.reference("ci-deploy"), stage.reference("terraform plan")]),
            "findings" => *value = findings(stage).await,
            "token" => *value = stage.reference("ci-deploy"),
            "before" => *value = images(stage).await.1,
            "after" => *value = images(stage).await.0,
            _ => {}
        }
    }
    with
}

/// A token as it is, and as it would be if it were disabled.
async fn images(stage: &Stage) -> (Value, Value) {
    let with = json!({ "tokens": [stage.reference("ci-deploy")] });
    let effect = stage.plan("cloudflare.token.disable", with).await.unwrap().plan.effects.remove(0);
    (effect.before, effect.after)
}

/// Whether an action must propose something in the compromised account.
pub(super) fn must_act(spec: &ActionSpec) -> bool {
    if ELSEWHERE.contains(&spec.id) {
        return false;
    }
    spec.max_danger > Danger::Observe || spec.permissions.iter().any(|it| it.write) || BY_HAND.contains(&spec.id)
}

/// What the reviews find, as they hand it on: fed by the log and the inventory, as a runbook feeds them.
async fn findings(stage: &Stage) -> Value {
    let since = stage.now - jiff::SignedDuration::from_hours(24);
    let audit = stage.plan("cloudflare.audit.collect", json!({ "since": since })).await.unwrap().plan.output;
    let events = audit["events"].clone();
    let with = json!({
        "suspect": "ci-deploy", "since": since, "events": events, "seen_before": audit["seen_before"],
    });
    let inventory = stage.plan("cloudflare.tokens.inventory", with).await.unwrap().plan.output;
    let with = json!({ "since": since, "events": events, "principals": inventory["principals"] });
    let mut items = Vec::new();
    for review in ["cloudflare.dns.diff", "cloudflare.certificates.list", "cloudflare.waf.review"] {
        let output = stage.plan(review, with.clone()).await.unwrap().plan.output;
        items.extend(output["items"].as_array().unwrap().clone());
    }
    items.into()
}

/// The parameters as an object, to change one of them.
pub(super) fn with(params: &Value, name: &str, value: Value) -> Value {
    let mut map: Map<String, Value> = params.as_object().unwrap().clone();
    map.insert(name.to_owned(), value);
    map.into()
}
