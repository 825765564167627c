//! PLACEHOLDER loader until the language lands: parses, without diagnostics.
#![expect(missing_docs, reason = "placeholder")]
use crate::model::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
#[derive(Clone, Debug, Serialize)]
pub struct Runbook {
    pub name: String,
    pub title: String,
    pub summary: String,
    pub target: Option<jiff::SignedDuration>,
    pub inputs: Vec<InputSpec>,
    pub source: Source,
    pub steps: Vec<StepSpec>,
}
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    pub digest: Digest,
    pub name: String,
}
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InputSpec {
    #[serde(default)]
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    pub prompt: Option<String>,
    #[serde(default)]
    pub required: bool,
    #[serde(default)]
    pub unknown_ok: bool,
    pub default: Option<Value>,
}
impl InputSpec {
    pub fn parse(&self, text: &str, now: jiff::Timestamp) -> Result<Value, String> {
        if self.unknown_ok && text == "not known" {
            return Ok(Value::Null);
        }
        match self.ty.as_str() {
            "timestamp" => {
                if let Ok(t) = text.parse::<jiff::Timestamp>() {
                    return Ok(Value::String(t.to_string()));
                }
                let span: jiff::SignedDuration = text.trim_end_matches(" ago").parse().map_err(|e| format!("{e}"))?;
                Ok(Value::String((now - span).to_string()))
            }
            "list" => Ok(Value::Array(
                text.split(',').filter(|s| !s.is_empty()).map(|s| Value::String(s.trim().into())).collect(),
            )),
            _ => Ok(Value::String(text.into())),
        }
    }
}
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepSpec {
    pub id: String,
    pub phase: Phase,
    pub title: String,
    pub why: Option<String>,
    pub action: String,
    #[serde(default)]
    pub with: Map<String, Value>,
    pub when: Option<String>,
    pub confirm: Option<Confirm>,
    #[serde(default)]
    pub on_failure: OnFailure,
    #[serde(default)]
    pub requires: Vec<String>,
}
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    Ask,
    Step,
    Target,
}
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    #[default]
    Ask,
    Stop,
    Continue,
    Goto(String),
}
#[derive(Clone, Debug, Default, Serialize)]
pub struct Scope {
    pub inputs: Map<String, Value>,
    pub steps: Map<String, Value>,
    pub incident: Map<String, Value>,
}
pub struct Templates(handlebars::Handlebars<'static>);
impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}
impl Templates {
    pub fn new() -> Self {
        let mut h = handlebars::Handlebars::new();
        h.set_strict_mode(true);
        h.register_escape_fn(handlebars::no_escape);
        Self(h)
    }
    pub fn truthy(&self, when: &str, scope: &Scope) -> Result<bool, ResolveError> {
        let root = when
            .trim_matches(['(', ')'])
            .split(' ')
            .find(|w| w.starts_with("steps."))
            .and_then(|w| w.split('.').nth(1));
        if let Some(step) = root
            && !scope.steps.contains_key(step)
        {
            return Err(ResolveError(format!("step `{step}` has no output")));
        }
        self.0
            .render_template(&format!("{{{{#if {when}}}}}y{{{{/if}}}}"), scope)
            .map(|t| t == "y")
            .map_err(|e| ResolveError(e.to_string()))
    }
}
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ResolveError(String);
pub fn resolve(with: &Map<String, Value>, scope: &Scope, t: &Templates) -> Result<Value, ResolveError> {
    let root = serde_json::to_value(scope).unwrap_or_default();
    fn go(v: &Value, root: &Value, t: &Templates, scope: &Scope) -> Result<Option<Value>, ResolveError> {
        Ok(Some(match v {
            Value::Object(m) if m.contains_key("from") => {
                let path = format!("/{}", m["from"].as_str().unwrap_or_default().replace('.', "/"));
                match root.pointer(&path).filter(|v| !v.is_null()).or(m.get("default")) {
                    Some(v) => v.clone(),
                    None if path.starts_with("/inputs") => return Ok(None),
                    None => return Err(ResolveError(format!("`{path}` has no value"))),
                }
            }
            Value::Object(m) => {
                let mut out = Map::new();
                for (k, v) in m {
                    if let Some(v) = go(v, root, t, scope)? {
                        out.insert(k.clone(), v);
                    }
                }
                Value::Object(out)
            }
            Value::Array(a) => Value::Array(
                a.iter().map(|v| go(v, root, t, scope)).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect(),
            ),
            Value::String(s) if s.contains("{{") => {
                Value::String(t.0.render_template(s, scope).map_err(|e| ResolveError(e.to_string()))?)
            }
            v => v.clone(),
        }))
    }
    Ok(go(&Value::Object(with.clone()), &root, t, scope)?.unwrap_or_default())
}
pub struct Vocabulary {
    pub actions: BTreeMap<String, ActionWords>,
}
pub struct ActionWords {
    pub params: Value,
    pub output: Value,
    pub max_danger: Danger,
    pub summary: String,
}
pub struct Checked {
    pub runbook: Option<Runbook>,
    pub problems: Vec<Diagnostic>,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}
pub struct Diagnostic {
    pub severity: Severity,
    pub message: String,
}
pub fn load(name: &str, text: &str, _v: &Vocabulary) -> Checked {
    #[derive(Deserialize)]
    struct Raw {
        name: String,
        title: String,
        #[serde(default)]
        summary: String,
        target: Option<String>,
        #[serde(default)]
        inputs: toml::Table,
        steps: Vec<StepSpec>,
    }
    match toml::from_str::<Raw>(text) {
        Ok(raw) => Checked {
            problems: vec![],
            runbook: Some(Runbook {
                name: raw.name,
                title: raw.title,
                summary: raw.summary,
                target: raw.target.and_then(|t| t.parse().ok()),
                inputs: raw
                    .inputs
                    .into_iter()
                    .filter_map(|(name, v)| Some(InputSpec { name, ..v.try_into().ok()? }))
                    .collect(),
                source: Source { digest: Digest::of(text.as_bytes()), name: name.into() },
                steps: raw.steps,
            }),
        },
        Err(e) => {
            Checked { runbook: None, problems: vec![Diagnostic { severity: Severity::Error, message: e.to_string() }] }
        }
    }
}
pub fn render_text(p: &[Diagnostic], _n: &str, _t: &str, _c: bool, _w: usize) -> String {
    p.iter().map(|d| format!("{}\n", d.message)).collect()
}
pub fn render_json(p: &[Diagnostic], _n: &str, _t: &str) -> Value {
    p.iter().map(|d| Value::String(d.message.clone())).collect()
}
pub fn embedded() -> &'static [(&'static str, &'static str)] {
    &[("cloudflare-token-compromise", include_str!("../runbooks/cloudflare-token-compromise.toml"))]
}
#[derive(Serialize)]
pub struct Outline {
    pub steps: Vec<OutlineStep>,
}
#[derive(Serialize)]
pub struct OutlineStep {
    pub id: String,
    pub phase: Phase,
    pub title: String,
    pub why: Option<String>,
    pub max_danger: Danger,
}
pub fn outline(r: &Runbook, v: &Vocabulary) -> Outline {
    Outline {
        steps: r
            .steps
            .iter()
            .map(|s| OutlineStep {
                id: s.id.clone(),
                phase: s.phase,
                title: s.title.clone(),
                why: s.why.clone(),
                max_danger: v.actions.get(&s.action).map_or(Danger::Observe, |a| a.max_danger),
            })
            .collect(),
    }
}
