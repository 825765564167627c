//! STUB
#![expect(missing_docs, unused, clippy::all, reason = "stub")]
use crate::model::*;
use serde_json::{Map, Value};
pub struct Runbook {
    pub name: String,
    pub title: String,
    pub target: Option<jiff::SignedDuration>,
    pub source: Source,
    pub steps: Vec<StepSpec>,
}
pub struct Source {
    pub digest: Digest,
    pub name: String,
}
pub struct StepSpec {
    pub id: String,
    pub phase: Phase,
    pub title: String,
    pub why: Option<String>,
    pub action: String,
    pub with: Map<String, Value>,
    pub when: Option<String>,
    pub confirm: Option<Confirm>,
    pub on_failure: OnFailure,
    pub requires: Vec<String>,
}
pub enum Confirm {
    Ask,
    Step,
    Target,
}
pub enum OnFailure {
    Ask,
    Stop,
    Continue,
    Goto(String),
}
pub struct Scope {
    pub inputs: Map<String, Value>,
    pub steps: Map<String, Value>,
    pub incident: Map<String, Value>,
}
pub struct Templates;
impl Templates {
    pub fn truthy(&self, when: &str, scope: &Scope) -> Result<bool, ResolveError> {
        todo!()
    }
}
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ResolveError(String);
pub fn resolve(with: &Map<String, Value>, scope: &Scope, t: &Templates) -> Result<Value, ResolveError> {
    todo!()
}
