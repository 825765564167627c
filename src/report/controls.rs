//! What to improve, each derived from a fact that it names.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::book::{Book, Fate};
use super::credentials::Credentials;
use super::marks::Instants;
use super::unsettled::UnsettledRow;
use super::words::{between, count, duration};
use crate::journal::{SkipCause, StepStatus};

/// Something to improve.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// What the fact is.
    pub text: String,
    /// Where it comes from: a step, or `journal`.
    pub basis: String,
}

pub(super) fn controls(
    book: &Book<'_>,
    instants: &Instants,
    credentials: &Credentials,
    unsettled: &[UnsettledRow],
) -> Vec<Control> {
    let mut told = BTreeSet::new();
    let looks = book.facts.controls.iter();
    let texts = looks.flat_map(|(_, path, texts)| texts.iter().map(move |text| (text, path)));
    let from_outputs = texts.filter(|(text, _)| told.insert((*text).clone()));
    let mut all: Vec<Control> = from_outputs
        .map(|(text, path)| Control { text: (*text).clone(), basis: format!("output of step {path}") })
        .collect();
    let texts = slow(book, instants)
        .into_iter()
        .chain(skipped(book))
        .chain(open_ends(credentials, unsettled))
        .chain(permissions(book));
    all.extend(texts.map(|text| Control { text, basis: "journal".to_owned() }));
    all
}

fn slow(book: &Book<'_>, instants: &Instants) -> Option<String> {
    let target = book.source.state.runs.iter().rev().find_map(|run| run.opened.target_seconds)?;
    let (opened, contained) = (instants.opened?, *instants.contained.as_ref().ok()?);
    let took = between(opened, contained)?;
    (contained.as_second() - opened.as_second() > target)
        .then(|| format!("Containment took {took}; the runbook aims for {}.", duration(target)))
}

fn skipped<'b>(book: &'b Book<'_>) -> impl Iterator<Item = String> + 'b {
    book.steps().filter_map(|(run, planned, step)| {
        let name = book.step_name(run, &planned.path);
        match &step?.status {
            StepStatus::Skipped { reason, cause: SkipCause::Person, .. } => {
                Some(format!("Step {name} ({}) was skipped: {reason}", planned.title))
            }
            StepStatus::Failed { error, .. } => Some(format!("Step {name} ({}) failed: {error}", planned.title)),
            _ => None,
        }
    })
}

fn open_ends(credentials: &Credentials, unsettled: &[UnsettledRow]) -> Vec<String> {
    let mut texts = Vec::new();
    for (fate, words) in [
        (Fate::InDoubt, "in doubt."),
        (Fate::OnWord, "done on somebody's word, not verified by a read."),
        (Fate::Unverified, "done by the answer to it, not verified by a read."),
        (Fate::NotCarriedThrough, "not carried through."),
    ] {
        let effects = unsettled.iter().filter(|row| row.effect.is_some() && row.kind == fate.as_str()).count();
        if effects > 0 {
            texts.push(format!("{} {words}", count(effects, "change")));
        }
    }
    for row in credentials.not_rotated.iter().filter(|row| row.owner.is_some()) {
        let owner = row.owner.as_deref().unwrap_or_default();
        let effect = row.effect.as_ref().map(|label| format!(" ({label})")).unwrap_or_default();
        texts.push(format!("Left to {owner}: {} {}{effect}.", row.verb, row.name));
    }
    if !credentials.undecided.is_empty() {
        texts.push(format!(
            "{} not known to be out of use, without a recorded disposition.",
            count(credentials.undecided.len(), "credential")
        ));
    }
    texts
}

/// A permission that was missing made the responders blind; grant it before the next time.
fn permissions(book: &Book<'_>) -> Vec<String> {
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for gap in &book.source.state.gaps {
        if let Some(permission) = &gap.permission {
            missing.entry(permission).or_default().insert(&gap.family);
        }
    }
    let text = |(permission, families): (&str, BTreeSet<&str>)| {
        let families = families.into_iter().collect::<Vec<_>>().join(", ");
        format!("The responders' credential lacked the permission {permission}: {families} could not be read.")
    };
    missing.into_iter().map(text).collect()
}
