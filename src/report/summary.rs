//! The incident in sentences of facts, counted from the sections below them.

use std::collections::{BTreeMap, BTreeSet};

use super::book::Fate;
use super::model::ReportModel;
use super::words::count;

pub(super) fn summary(model: &ReportModel) -> Vec<String> {
    let mut sentences = vec![format!(
        "Incident {} was opened at {} by {}.",
        model.incident.id, model.incident.opened, model.incident.opened_by
    )];
    sentences.extend(model.runs.iter().map(|run| {
        format!(
            "Run {} of runbook {} acted on account {} at {}: {}.",
            run.run, run.runbook, run.account, run.api, run.outcome
        )
    }));
    sentences.push(steps(model));
    sentences.push(effects(model));
    sentences.push(credentials(model));
    sentences.push(findings(model));
    sentences.push(format!(
        "{} and {} not examined are listed below.",
        count(model.gaps.len(), "gap"),
        count(model.not_examined.len(), "matter")
    ));
    sentences
}

fn steps(model: &ReportModel) -> String {
    let of = |status: &str| model.steps.iter().filter(|row| row.status == status).count();
    format!(
        "Of {}, {} done, {} left in part, {} skipped, {} failed, {} not ended or not reached.",
        count(model.steps.len(), "step"),
        of("done"),
        of("left"),
        of("skipped"),
        of("failed"),
        of("not ended") + of("not reached")
    )
}

fn effects(model: &ReportModel) -> String {
    // What was proposed again is one change, and the last word on it counts; a proof is not undone by leaving it.
    let mut last: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for row in &model.effects {
        let fate = last.entry((&row.summary, &row.id)).or_insert(&row.fate);
        let stands = *fate == Fate::Proven.as_str();
        if !stands || ![Fate::Left, Fate::AlreadySo].iter().any(|fate| fate.as_str() == row.fate) {
            *fate = &row.fate;
        }
    }
    let of = |fate: Fate| last.values().filter(|last| **last == fate.as_str()).count();
    format!(
        "{} proposed, each counted once: {} done and proven, {} already so, {} in doubt, {} done on somebody's word and {} by the answer to it alone, not verified by a read, {} not carried through, {} left to somebody or kept.",
        count(last.len(), "change"),
        of(Fate::Proven),
        of(Fate::AlreadySo),
        of(Fate::InDoubt),
        of(Fate::OnWord),
        of(Fate::Unverified),
        of(Fate::NotCarriedThrough),
        of(Fate::Left)
    )
}

fn credentials(model: &ReportModel) -> String {
    let all = &model.credentials;
    // A token that was disabled first and deleted later is one credential.
    let ids = |rows: &[super::CredentialRow]| rows.iter().map(|row| row.id.clone()).collect::<BTreeSet<_>>();
    let proven = |rows: &[super::CredentialRow]| {
        let doubtful: BTreeSet<_> = rows.iter().filter(|row| !row.proven).map(|row| row.id.clone()).collect();
        ids(rows).difference(&doubtful).count()
    };
    format!(
        "Credentials: {} of {} cut and proven, {}{} of {} rotated and proven, {} left as they are, {} not known to be out of use without a disposition.",
        proven(&all.cut),
        ids(&all.cut).len(),
        if all.restored.is_empty() {
            String::new()
        } else {
            format!("{} of {} given back and proven, ", proven(&all.restored), ids(&all.restored).len())
        },
        proven(&all.rotated),
        ids(&all.rotated).len(),
        all.not_rotated.len(),
        all.undecided.len()
    )
}

fn findings(model: &ReportModel) -> String {
    let open = |rows: &[super::FindingRow]| rows.iter().filter(|row| row.status == "open").count();
    let (intruder, other) = (&model.findings.intruder, &model.findings.unattributed);
    format!(
        "{} attributed to the intruder or to a shared credential ({} open); {} changed in the window without such an attribution ({} open).",
        count(intruder.len(), "finding"),
        open(intruder),
        count(other.len(), "finding"),
        open(other)
    )
}
