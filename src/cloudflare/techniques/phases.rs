//! The phase of a ruleset, which says of two techniques which one a change of it is. A log says it in the path, in what was
//! asked for, or not at all; then whatever else tells of the ruleset may.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::hunt::{AuditEvent, Difference, Item};

/// Families of rulesets.
const FAMILIES: [&str; 2] = ["zone_rulesets", "account_rulesets"];

/// Whether a family is one of rulesets.
pub fn has_phase(family: &str) -> bool {
    FAMILIES.contains(&family)
}

/// Phases of rulesets, by their ids.
#[derive(Debug, Default)]
pub struct Phases(BTreeMap<String, String>);

impl Phases {
    /// Those that a log tells.
    pub fn of(events: &[AuditEvent]) -> Self {
        let told = |event: &AuditEvent| Some((ruleset(event)?.to_owned(), of_event(event)?.to_owned()));
        Self(events.iter().filter_map(told).collect())
    }

    /// Takes in what a ruleset says of itself.
    pub fn learn(&mut self, family: &str, item: &Item) {
        if let Some(phase) = item.value["phase"].as_str().filter(|_| has_phase(family)) {
            self.0.insert(item.id.clone(), phase.to_owned());
        }
    }

    /// The event, with the phase of its ruleset where it does not say it and that is known.
    pub fn told<'e>(&self, event: &'e AuditEvent) -> Cow<'e, AuditEvent> {
        let phase = ruleset(event).and_then(|id| self.0.get(id)).filter(|_| of_event(event).is_none());
        let Some(phase) = phase else { return Cow::Borrowed(event) };
        let mut told = event.clone();
        match &mut told.after {
            Some(Value::Object(after)) => drop(after.insert("phase".to_owned(), json!(phase))),
            after => *after = Some(json!({ "phase": phase })),
        }
        Cow::Owned(told)
    }
}

/// The phase that an event says itself.
pub(super) fn of_event(event: &AuditEvent) -> Option<&str> {
    let in_path = event.path().and_then(|path| path.split_once("/phases/")?.1.split('/').next());
    in_path
        .or_else(|| [&event.after, &event.before].into_iter().flatten().find_map(|value| value.get("phase")?.as_str()))
}

/// The phase of a ruleset that differs, where it is known.
pub(super) fn of_difference(difference: &Difference) -> Option<&str> {
    [&difference.after, &difference.before].into_iter().flatten().find_map(|item| item.value["phase"].as_str())
}

/// Id of the ruleset that an event is about: in its path, or as the resource that it made.
fn ruleset(event: &AuditEvent) -> Option<&str> {
    let below = event.path()?.split_once("/rulesets")?.1;
    let id = below.split('/').find(|segment| !segment.is_empty()).filter(|id| *id != "phases");
    id.or(event.resource_id.as_deref())
}
