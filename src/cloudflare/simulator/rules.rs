//! Rulesets of zones and of the account.

use serde_json::{Value, json};

use super::call::{Call, Refusal, Reply, id_of};
use super::paging::after_cursor;
use super::permissions::Scope;
use super::secret;
use super::world::{Account, Ruleset};

/// The routes below `/zones/{z}/rulesets` and `/accounts/{a}/rulesets`.
pub(super) fn route(account: &mut Account, call: &Call, scope: Scope<'_>, rest: &[&str]) -> Result<Reply, Refusal> {
    let (write, read) = match scope {
        Scope::Zone(_) => (&["Zone WAF Write"], &["Zone WAF Write", "Zone WAF Read"]),
        _ => (&["Account WAF Write"], &["Account WAF Write", "Account WAF Read"]),
    };
    account.require(call, if call.method == "GET" { read } else { write }, scope)?;
    // Reads must not move the counter: they are not replayed.
    let made = if call.method == "GET" { String::new() } else { account.new_id() };
    let rulesets = match scope {
        Scope::Zone(zone) => &mut account.zone_mut(call, zone)?.rulesets,
        _ => &mut account.rulesets,
    };
    match (call.method.as_str(), rest) {
        ("GET", []) => list(rulesets, call),
        ("GET", [id]) => Ok(Reply::result(find(rulesets, id)?.current().clone())),
        ("GET", ["phases", phase, "entrypoint"]) => Ok(Reply::result(entrypoint(rulesets, phase)?.current().clone())),
        ("PUT", ["phases", phase, "entrypoint"]) => replace(rulesets, call, phase, scope, &made),
        ("GET", [id, "versions"]) => {
            let versions = find(rulesets, id)?.versions.iter().rev().map(without_rules).collect();
            Ok(Reply::page(versions, None))
        }
        ("GET", [id, "versions", version]) => {
            let found = find(rulesets, id)?.versions.iter().find(|it| it["version"] == *version);
            found.cloned().map(Reply::result).ok_or_else(|| not_found("ruleset version"))
        }
        ("POST", []) => {
            let given = |field: &str| call.text(field).map(str::to_owned);
            let (phase, name, kind) = (given("phase")?, given("name")?, given("kind")?);
            let rules = call.body["rules"].as_array().map(Vec::as_slice).unwrap_or_default();
            let rules: Vec<Value> = numbered(rules, &made, call);
            let ruleset = new_ruleset(&made, &phase, &name, &kind, &rules, &call.stamp());
            rulesets.push(ruleset.clone());
            Ok(Reply::created(ruleset.current().clone()))
        }
        ("DELETE", [id]) => {
            let gone = find(rulesets, id)?.current().clone();
            rulesets.retain(|ruleset| ruleset.id != *id);
            Ok(Reply::deleted(gone))
        }
        ("DELETE", [id, "versions", version]) => {
            let versions = &mut find(rulesets, id)?.versions;
            let at = versions.iter().position(|it| it["version"] == *version);
            // The version in force cannot be deleted.
            let at = at.filter(|at| at + 1 < versions.len()).ok_or_else(|| not_found("ruleset version"))?;
            Ok(Reply::deleted(versions.remove(at)))
        }
        ("POST", [id, "rules"]) => change(find(rulesets, id)?, call, |rules| {
            rules.push(new_rule(&made, &call.body, &call.stamp()));
            Ok(())
        }),
        ("PATCH", [id, "rules", rule]) => change(find(rulesets, id)?, call, |rules| {
            let position = position(rules, rule)?;
            edit(&mut rules[position], call)
        }),
        ("DELETE", [id, "rules", rule]) => change(find(rulesets, id)?, call, |rules| {
            let position = position(rules, rule)?;
            rules.remove(position);
            Ok(())
        }),
        _ => Err(Refusal::no_route(&call.path)),
    }
}

fn list(rulesets: &[Ruleset], call: &Call) -> Result<Reply, Refusal> {
    let limit = call.query.number("per_page").unwrap_or(50).clamp(1, 50);
    let listed: Vec<Value> = rulesets.iter().map(|ruleset| without_rules(ruleset.current())).collect();
    let (page, next) = after_cursor(&listed, call.query.get("cursor"), limit)?;
    Ok(Reply::page(page, next.map(|after| json!({ "cursors": { "after": after } }))))
}

fn without_rules(version: &Value) -> Value {
    let mut version = version.clone();
    if let Some(fields) = version.as_object_mut() {
        fields.shift_remove("rules");
    }
    version
}

fn find<'a>(rulesets: &'a mut [Ruleset], id: &str) -> Result<&'a mut Ruleset, Refusal> {
    rulesets.iter_mut().find(|ruleset| ruleset.id == id).ok_or_else(|| not_found("ruleset"))
}

fn entrypoint<'a>(rulesets: &'a mut [Ruleset], phase: &str) -> Result<&'a mut Ruleset, Refusal> {
    rulesets
        .iter_mut()
        .find(|ruleset| ruleset.current()["phase"] == phase)
        .ok_or_else(|| Refusal::new(404, 10003, &format!("could not find entrypoint ruleset in the {phase} phase")))
}

fn not_found(what: &str) -> Refusal {
    Refusal::new(404, 10003, &format!("could not find {what}"))
}

fn position(rules: &[Value], id: &str) -> Result<usize, Refusal> {
    rules.iter().position(|rule| id_of(rule) == id).ok_or_else(|| not_found("rule"))
}

/// The first version of a ruleset.
pub(super) fn new_ruleset(id: &str, phase: &str, name: &str, kind: &str, rules: &[Value], stamp: &str) -> Ruleset {
    let first = json!({
        "id": id,
        "name": name,
        "description": "",
        "kind": kind,
        "version": "1",
        "phase": phase,
        "last_updated": stamp,
        "rules": rules,
    });
    Ruleset { id: id.to_owned(), versions: vec![first] }
}

/// A rule out of the fields that a client gives.
pub(super) fn new_rule(id: &str, given: &Value, stamp: &str) -> Value {
    let mut rule = json!({ "id": id, "version": "1" });
    for field in EDITABLE {
        if let Some(value) = given.get(*field) {
            rule[*field] = value.clone();
        }
    }
    if rule.get("enabled").is_none() {
        rule["enabled"] = true.into();
    }
    rule["ref"] = given.get("ref").cloned().unwrap_or_else(|| id.into());
    rule["last_updated"] = stamp.into();
    rule
}

const EDITABLE: &[&str] = &["action", "action_parameters", "expression", "description", "enabled", "logging"];

fn edit(rule: &mut Value, call: &Call) -> Result<(), Refusal> {
    let given = call.object()?;
    for field in EDITABLE {
        if let Some(value) = given.get(*field) {
            rule[*field] = value.clone();
        }
    }
    // Parameters belong to the action that they were written for.
    if given.contains_key("action")
        && !given.contains_key("action_parameters")
        && let Some(fields) = rule.as_object_mut()
    {
        fields.shift_remove("action_parameters");
    }
    rule["version"] = next(&rule["version"]);
    rule["last_updated"] = call.stamp().into();
    Ok(())
}

/// Every change of a rule is a new version of its ruleset.
fn change(
    ruleset: &mut Ruleset,
    call: &Call,
    edit: impl FnOnce(&mut Vec<Value>) -> Result<(), Refusal>,
) -> Result<Reply, Refusal> {
    let before = ruleset.current().clone();
    let mut rules = before["rules"].as_array().cloned().unwrap_or_default();
    edit(&mut rules)?;
    let mut after = without_rules(&before);
    after["version"] = next(&before["version"]);
    after["last_updated"] = call.stamp().into();
    if !rules.is_empty() {
        after["rules"] = rules.into();
    }
    ruleset.versions.push(after.clone());
    Ok(Reply::updated(before, after))
}

/// PUT of an entry point replaces all its rules, and makes it if there was none.
fn replace(
    rulesets: &mut Vec<Ruleset>,
    call: &Call,
    phase: &str,
    scope: Scope<'_>,
    made: &str,
) -> Result<Reply, Refusal> {
    let given = call.body["rules"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rules = numbered(given, made, call);
    if let Ok(ruleset) = entrypoint(rulesets, phase) {
        return change(ruleset, call, |current| {
            *current = rules;
            Ok(())
        });
    }
    let kind = if matches!(scope, Scope::Zone(_)) { "zone" } else { "root" };
    let ruleset = new_ruleset(made, phase, "default", kind, &rules, &call.stamp());
    let object = ruleset.current().clone();
    rulesets.push(ruleset);
    Ok(Reply::created(object))
}

/// Rules as they are stored: those that bear no id get one.
fn numbered(given: &[Value], made: &str, call: &Call) -> Vec<Value> {
    let id = |index: usize, rule: &Value| match id_of(rule) {
        "" => secret::id(&format!("{made}/{index}")),
        id => id.to_owned(),
    };
    given.iter().enumerate().map(|(index, rule)| new_rule(&id(index, rule), rule, &call.stamp())).collect()
}

fn next(version: &Value) -> Value {
    let number: u64 = version.as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
    (number + 1).to_string().into()
}
