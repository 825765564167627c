use serde_json::Value;

use super::Rule;
use crate::model::Severity;

/// What a change of a rule may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Row of the technique catalogue.
    pub technique: &'static str,
    /// How bad it is if the intruder did it.
    pub severity: Severity,
    /// What is wrong. Holds names and expressions as they are: escape before showing.
    pub detail: String,
}

/// Actions that keep requests away.
const PROTECTIVE: [&str; 8] = [
    "block",
    "challenge",
    "js_challenge",
    "managed_challenge",
    "execute",
    "score",
    "ddos_dynamic",
    "force_connection_close",
];

/// Actions that send or show visitors something else.
const STEERING: [&str; 6] = ["redirect", "route", "rewrite", "serve_error", "set_config", "transform_response_html"];

/// Says what a change of a rule may mean; `None` for one that weakens nothing.
pub fn judge(phase: &str, before: Option<&Rule>, after: Option<&Rule>) -> Option<Judgement> {
    let technique = technique(phase);
    let found = |severity, detail| Some(Judgement { technique, severity, detail });
    match (before, after) {
        (Some(old), None) if protects(old) => {
            found(Severity::High, format!("a rule is gone that did `{}` where `{}`", action(old), expression(old)))
        }
        (_, None) => None,
        (old, Some(now)) => {
            let new_weakness = weakness(now).filter(|found| old.and_then(weakness).as_ref() != Some(found));
            if let Some(weakness) = new_weakness {
                return found(Severity::High, weakness);
            }
            let was_protecting = old.filter(|old| protects(old));
            match was_protecting {
                Some(old) if !protects(now) => found(
                    Severity::High,
                    format!("no longer protects: action from `{}` to `{}`", action(old), action(now)),
                ),
                Some(old) if expression(old) != expression(now) => found(
                    Severity::Medium,
                    format!("applies elsewhere: from `{}` to `{}`", expression(old), expression(now)),
                ),
                // Overrides that are taken back strengthen it.
                Some(old)
                    if weakness(old).is_none()
                        && field(old, "action_parameters") != field(now, "action_parameters") =>
                {
                    found(Severity::Medium, String::from("its parameters were changed"))
                }
                _ if STEERING.contains(&action(now)) && old.is_none_or(|old| old.image != now.image) => {
                    found(Severity::High, format!("does `{}` where `{}`", action(now), expression(now)))
                }
                _ => None,
            }
        }
    }
}

/// What a rule that the intruder wrote is taken for where it weakens nothing by itself.
pub fn written(phase: &str) -> Judgement {
    let detail = String::from("written by the intruder");
    Judgement { technique: technique(phase), severity: Severity::Medium, detail }
}

fn technique(phase: &str) -> &'static str {
    if is_firewall(phase) { "CF-T12" } else { "CF-T05" }
}

/// Whether the rules of a phase keep requests away.
pub fn is_firewall(phase: &str) -> bool {
    ["firewall", "ratelimit", "ddos", "sbfm"].iter().any(|part| phase.contains(part))
}

/// Why a rule as it stands lets requests through that others would stop; `None` where it does not.
pub fn weakness(rule: &Rule) -> Option<String> {
    let action = action(rule);
    if !is_enabled(rule) {
        return PROTECTIVE.contains(&action).then(|| format!("switched off; it would do `{action}`"));
    }
    match action {
        "skip" => Some(format!("skips {} where `{}`", skipped(rule), expression(rule))),
        "execute" => overridden(rule),
        _ => None,
    }
}

/// What a skip rule skips, for people.
fn skipped(rule: &Rule) -> String {
    let parameters = field(rule, "action_parameters");
    let listed = |name: &str| {
        let items: Vec<&str> = parameters?.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect();
        (!items.is_empty()).then(|| format!("{name} {}", items.join(", ")))
    };
    let rest = parameters.and_then(|it| it.get("ruleset")).map(|_| String::from("the rest of its ruleset"));
    let rules = parameters.and_then(|it| it.get("rules")).map(|_| String::from("single managed rules"));
    let parts: Vec<String> = [rest, listed("phases"), listed("products"), rules].into_iter().flatten().collect();
    if parts.is_empty() { String::from("other rules") } else { parts.join(", ") }
}

/// How the overrides of an `execute` rule weaken the managed rules that it runs.
fn overridden(rule: &Rule) -> Option<String> {
    let overrides = field(rule, "action_parameters")?.get("overrides")?;
    let is_off = |part: &Value| part.get("enabled") == Some(&Value::Bool(false));
    let logs = |part: &Value| part.get("action").and_then(Value::as_str) == Some("log");
    if is_off(overrides) {
        return Some(String::from("overrides switch all of its managed rules off"));
    }
    if logs(overrides) {
        return Some(String::from("overrides make all of its managed rules log only"));
    }
    let parts = ["rules", "categories"].iter().filter_map(|name| overrides.get(*name)?.as_array()).flatten();
    let weakened = parts.filter(|part| is_off(part) || logs(part)).count();
    (weakened > 0).then(|| format!("overrides switch off, or make log only, {weakened} managed rules or categories"))
}

fn protects(rule: &Rule) -> bool {
    is_enabled(rule) && PROTECTIVE.contains(&action(rule))
}

fn is_enabled(rule: &Rule) -> bool {
    field(rule, "enabled") != Some(&Value::Bool(false))
}

fn action(rule: &Rule) -> &str {
    field(rule, "action").and_then(Value::as_str).unwrap_or("nothing")
}

fn expression(rule: &Rule) -> &str {
    field(rule, "expression").and_then(Value::as_str).unwrap_or_default()
}

fn field<'a>(rule: &'a Rule, name: &str) -> Option<&'a Value> {
    rule.image.get(name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Rule, judge, weakness};
    use crate::model::Severity;

    fn rule(mut fields: Value) -> Option<Rule> {
        fields["id"] = "1".into();
        Rule::read(&fields)
    }

    fn verdict(before: Value, after: Value) -> Option<(&'static str, Severity)> {
        let read = |fields: Value| if fields.is_null() { None } else { rule(fields) };
        let judged = judge("http_request_firewall_custom", read(before).as_ref(), read(after).as_ref());
        judged.map(|judged| (judged.technique, judged.severity))
    }

    #[test]
    fn what_weakens_is_told_and_what_does_not_is_not() {
        let block = json!({ "action": "block", "expression": "a" });
        let high = Some(("CF-T12", Severity::High));
        let medium = Some(("CF-T12", Severity::Medium));
        assert_eq!(verdict(block.clone(), json!({ "action": "log", "expression": "a" })), high);
        assert_eq!(verdict(block.clone(), json!({ "action": "block", "expression": "a", "enabled": false })), high);
        assert_eq!(verdict(block.clone(), Value::Null), high);
        assert_eq!(verdict(Value::Null, json!({ "action": "skip", "expression": "true" })), high);
        assert_eq!(verdict(block.clone(), json!({ "action": "block", "expression": "b" })), medium);
        assert_eq!(verdict(Value::Null, block.clone()), None);
        assert_eq!(verdict(block.clone(), json!({ "action": "block", "expression": "a", "description": "x" })), None);
        assert_eq!(verdict(json!({ "action": "skip", "expression": "true" }), Value::Null), None);
        let overrides =
            json!({ "action": "execute", "action_parameters": { "id": "m", "overrides": { "enabled": false } } });
        let managed = json!({ "action": "execute", "action_parameters": { "id": "m" } });
        assert_eq!(verdict(managed.clone(), overrides.clone()), high);
        assert_eq!(verdict(overrides, managed), None);
    }

    #[test]
    fn redirects_belong_to_another_technique() {
        let redirect = rule(json!({ "action": "redirect", "expression": "true" }));
        let judged = judge("http_request_dynamic_redirect", None, redirect.as_ref());
        assert_eq!(judged.map(|judged| judged.technique), Some("CF-T05"));
    }

    #[test]
    fn single_managed_rules_switched_off_are_counted() {
        let parameters = json!({ "overrides": { "rules": [{ "id": "a", "enabled": false }, { "id": "b" }], "categories": [{ "action": "log" }] } });
        let found =
            rule(json!({ "action": "execute", "action_parameters": parameters })).and_then(|rule| weakness(&rule));
        assert!(found.is_some_and(|found| found.contains("2 managed rules")));
    }
}
