//! What steps' outputs say, read by shape: see "Output fields that the report understands" in [`super`].

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Source;
use super::words::count;
use crate::hunt::Judged;
use crate::hunt::graph::Graph;
use crate::hunt::usage::Usage;
use crate::journal::{PlannedStep, StepState, StepStatus};
use crate::model::{Attribution, StepPath};

/// What all outputs say together, in the order of the plans.
#[derive(Debug, Default)]
pub(super) struct OutputFacts {
    pub(super) events: Vec<(Act, StepPath)>,
    pub(super) principals: Vec<Principal>,
    pub(super) tokens: Vec<TokenRow>,
    pub(super) rotated: Vec<TokenRow>,
    pub(super) left: Vec<LeftRow>,
    /// By action and item: of several looks at the same, the last counts.
    pub(super) controls: Vec<(Looked, StepPath, Vec<String>)>,
    pub(super) not_examined: Vec<(String, StepPath)>,
    /// By technique; of several hunts the last counts.
    pub(super) verdicts: Vec<Judged>,
    /// Of several hunts the last counts.
    pub(super) graph: Option<Graph>,
    /// Of several looks at the logs the last counts.
    pub(super) usages: Vec<Usage>,
    /// What the logs cannot say, by the same look.
    pub(super) limits: Vec<String>,
    /// What could not be read here, in words.
    pub(super) unread: Vec<(String, StepPath)>,
}

/// The action, and the item of its list where there is one.
type Looked = (String, Option<String>);

/// One act that a provider's log recorded.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Act {
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) action: String,
    #[serde(default = "yes")]
    pub(super) success: bool,
    #[serde(default)]
    pub(super) resource_type: String,
    pub(super) resource_id: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) email: Option<String>,
    pub(super) token_id: Option<String>,
    pub(super) token_name: Option<String>,
    pub(super) ip: Option<String>,
    pub(super) method: Option<String>,
    pub(super) uri: Option<String>,
    pub(super) log: Option<String>,
    #[serde(default)]
    pub(super) own: bool,
}

const fn yes() -> bool {
    true
}

/// A credential that is taken to be in the intruder's hands.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Principal {
    pub(super) token_id: String,
    #[serde(default)]
    pub(super) token_name: String,
    #[serde(default)]
    pub(super) intruder_made: bool,
    #[serde(default)]
    pub(super) honest_ips: Vec<String>,
    #[serde(default)]
    pub(super) hostile_ips: Vec<String>,
    #[serde(default)]
    pub(super) mixed_ips: Vec<String>,
    #[serde(default)]
    pub(super) open_ips: Vec<String>,
}

/// A credential that was seen.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TokenRow {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) role: Option<String>,
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) marks: Vec<String>,
}

/// Something that stays as it is, by an output's word.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct LeftRow {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) owner: Option<String>,
    pub(super) reason: Option<String>,
}

impl OutputFacts {
    /// Reads the outputs of all steps of all runs.
    pub(super) fn read(source: &Source<'_>) -> Self {
        let mut facts = Self::default();
        let mut events = BTreeSet::new();
        for run in &source.state.runs {
            for planned in run.plan.iter().flat_map(|plan| &plan.steps) {
                let Some(output) = run.step(&planned.path).and_then(output_of) else { continue };
                match (source.payload)(output) {
                    Some(value) => facts.take(&value, planned, &mut events),
                    None => facts.unread.push(("its output could not be opened".to_owned(), planned.path.clone())),
                }
            }
        }
        facts
    }

    fn take(&mut self, output: &Value, planned: &PlannedStep, seen: &mut BTreeSet<String>) {
        let path = &planned.path;
        let unread = &mut self.unread;
        let acts = rows::<Act>(output, "events", path, unread);
        self.events.extend(acts.into_iter().filter(|act| seen.insert(act.id.clone())).map(|act| (act, path.clone())));
        for held in rows::<Principal>(output, "principals", path, unread) {
            match self.principals.iter_mut().find(|known| known.token_id == held.token_id) {
                Some(known) => *known = held, // A later step knows better.
                None => self.principals.push(held),
            }
        }
        extend(&mut self.tokens, rows(output, "tokens", path, unread), |row| &row.id);
        extend(&mut self.rotated, rows(output, "rotated", path, unread), |row| &row.id);
        extend(&mut self.left, rows(output, "left", path, unread), |row| &row.id);
        let texts = |field, unread: &mut _| rows::<String>(output, field, path, unread);
        if output.get("controls").is_some() {
            let looked = (planned.action.clone(), planned.key.clone());
            self.controls.retain(|(earlier, ..)| *earlier != looked);
            self.controls.push((looked, path.clone(), texts("controls", unread)));
        }
        extend(&mut self.verdicts, rows(output, "verdicts", path, unread), |row| &row.technique);
        if output.get("usages").is_some() {
            self.usages = rows(output, "usages", path, unread);
            self.limits = rows(output, "limits", path, unread);
        }
        if let Some(graph) = output.get("graph") {
            match Graph::deserialize(graph) {
                Ok(graph) => self.graph = Some(graph),
                Err(_) => unread.push(("`graph` in its output: no known shape".to_owned(), path.clone())),
            }
        }
        let texts = |field, unread: &mut _| rows::<String>(output, field, path, unread);
        self.not_examined.extend(texts("not_examined", unread).into_iter().map(|text| (text, path.clone())));
    }

    /// Whose doing an act is, given what the intruder holds.
    pub(super) fn attribute(&self, act: &Act) -> Attribution {
        if act.own {
            return Attribution::Other;
        }
        let held = act.token_id.as_ref().and_then(|id| self.principals.iter().find(|held| held.token_id == *id));
        let has = |ips: fn(&Principal) -> &[String], ip| self.principals.iter().any(|held| ips(held).contains(ip));
        match (held, &act.ip) {
            // One that nobody else ever had is the intruder's wherever it acts; of any other an address must tell.
            (Some(held), _) if held.intruder_made => Attribution::Intruder,
            (Some(held), Some(ip)) if held.hostile_ips.contains(ip) => Attribution::Intruder,
            (Some(_), _) => Attribution::Shared,
            // An act that names no token is told by its address alone; an e-mail does not tell.
            (None, Some(ip)) if act.token_id.is_none() && has(|held| &held.hostile_ips, ip) => Attribution::Intruder,
            (None, Some(ip)) if act.token_id.is_none() && has(|held| &held.mixed_ips, ip) => Attribution::Shared,
            _ => Attribution::Other,
        }
    }
}

/// A step's output: the final one, or of a step that did not end what it saw.
fn output_of(step: &StepState) -> Option<&crate::journal::Payload> {
    match &step.status {
        StepStatus::Done { output, .. } => Some(output),
        _ => step.proposed.as_ref().map(|proposed| &proposed.output),
    }
}

/// The items of an array that have the known shape. Others are counted, never guessed at.
fn rows<T: DeserializeOwned>(
    output: &Value,
    field: &str,
    path: &StepPath,
    unread: &mut Vec<(String, StepPath)>,
) -> Vec<T> {
    let items = output.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let read: Vec<T> = items.iter().filter_map(|item| T::deserialize(item).ok()).collect();
    if read.len() < items.len() {
        let what = format!("{} of `{field}` in its output: no known shape", count(items.len() - read.len(), "row"));
        unread.push((what, path.clone()));
    }
    read
}

/// Adds rows; of two with the same id the later one counts.
fn extend<T>(known: &mut Vec<T>, rows: Vec<T>, id: impl Fn(&T) -> &String) {
    for row in rows {
        match known.iter_mut().find(|other| id(other) == id(&row)) {
            Some(other) => *other = row,
            None => known.push(row),
        }
    }
}
