//! Findings: as it was, as the intruder left it, as it is now.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::book::Book;
use super::compact::{changed_fields, whole};
use super::words::time;
use crate::model::{Attribution, Change, Finding, FindingStatus, Severity};

/// The findings in their two tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Attributed to the intruder, or to a credential that intruder and honest use share.
    pub intruder: Vec<FindingRow>,
    /// Changed in the window, and no record attributes it to the intruder.
    pub unattributed: Vec<FindingRow>,
}

/// One finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRow {
    /// What the report calls it: `F3`.
    pub label: String,
    /// Its id in the journal.
    pub finding: String,
    /// Row of the technique catalogue.
    pub technique: String,
    /// How bad.
    pub severity: String,
    /// What became of it.
    pub status: String,
    /// Why it has that status, where somebody or something said so.
    pub because: Option<String>,
    /// Whose doing it is taken to be.
    pub attribution: String,
    /// Who did it, as far as a log says.
    pub actor: String,
    /// When it happened, where a log says so.
    pub at: Option<String>,
    /// Kind of resource.
    pub family: String,
    /// The resource's name.
    pub name: String,
    /// Its zone.
    pub zone: Option<String>,
    /// True where the zone is one of those that matter most.
    pub crown_jewel: bool,
    /// The provider's id of it.
    pub id: String,
    /// One sentence: what is wrong.
    pub detail: String,
    /// The changed fields as they were before.
    pub before: String,
    /// The changed fields as they were found.
    pub intruder: String,
    /// As they are now, as far as it was seen.
    pub now: String,
    /// Digests of the evidence that it rests on, and of the reads that checked what was done about it.
    pub evidence: Vec<String>,
}

pub(super) fn findings(book: &Book<'_>) -> Findings {
    let mut all: Vec<&Finding> = book.source.state.findings.values().collect();
    // As the tables stand; the worst first; of equals what matters most, then the earliest, undated ones last; the id
    // makes the order total.
    all.sort_by_key(|finding| {
        let undated = (finding.at.is_none(), finding.at);
        let jewel = is_crown_jewel(book, finding);
        (!is_of_the_intruder(finding), std::cmp::Reverse(finding.severity), !jewel, undated, &finding.id)
    });
    let mut tables = Findings::default();
    for (number, finding) in (1..).zip(all) {
        let row = row(book, number, finding);
        if is_of_the_intruder(finding) { tables.intruder.push(row) } else { tables.unattributed.push(row) }
    }
    tables
}

/// Which table it belongs to. A shared credential is in the intruder's hands too.
const fn is_of_the_intruder(finding: &Finding) -> bool {
    matches!(finding.attribution, Attribution::Intruder | Attribution::Shared)
}

fn is_crown_jewel(book: &Book<'_>, finding: &Finding) -> bool {
    finding.resource.zone.as_ref().is_some_and(|zone| book.is_crown_jewel(zone))
}

fn row(book: &Book<'_>, number: usize, finding: &Finding) -> FindingRow {
    let (before, after) = (finding.before.as_ref(), finding.after.as_ref());
    let absent = || "absent".to_owned();
    let (mut was, mut found) = changed_fields(before, after);
    match finding.change {
        Change::Added if before.is_none() => was = absent(),
        Change::Removed if after.is_none() => found = absent(),
        _ => {}
    }
    let (now, read) = now(book, finding);
    let digests = finding.evidence.iter().map(ToString::to_string);
    FindingRow {
        label: format!("F{number}"),
        finding: finding.id.clone(),
        technique: finding.technique.clone(),
        severity: severity_in_words(finding.severity).to_owned(),
        status: status_in_words(finding.status).to_owned(),
        because: book.trails.findings.get(&finding.id).and_then(|(_, act)| act.words.clone()),
        attribution: attribution_in_words(finding.attribution).to_owned(),
        actor: finding.actor.words(),
        at: finding.at.map(time),
        family: finding.family.clone(),
        name: finding.resource.name.clone(),
        zone: finding.resource.zone.clone(),
        crown_jewel: is_crown_jewel(book, finding),
        id: finding.resource.id.clone(),
        detail: finding.detail.clone(),
        before: was,
        intruder: found,
        now,
        evidence: digests.chain(read).collect(),
    }
}

/// As the latest look showed it, and how old that look is: what nobody looked at since is not known to stand.
fn now(book: &Book<'_>, finding: &Finding) -> (String, Vec<String>) {
    // An undo that never left changes nothing about what was done before it.
    let deals = |effect: &super::book::Numbered<'_>| {
        (!effect.restores() || effect.state.was_sent())
            && effect.state.effect.resolves.as_ref().is_some_and(|resolves| resolves.finding == finding.id)
    };
    let Some(effect) = book.effects().filter(deals).last() else {
        let now = match book.trails.findings.get(&finding.id) {
            Some((FindingStatus::Contained | FindingStatus::Reverted, act)) => {
                format!("{} ({})", act.words.as_deref().unwrap_or("settled"), time(act.at))
            }
            _ => since(book.trails.found.get(&finding.id).copied()),
        };
        return (now, Vec::new());
    };
    let read = book.trail(&effect).map(|trail| trail.evidence.iter().map(ToString::to_string).collect());
    let read = read.unwrap_or_default();
    if !effect.is_proven() {
        let seen = match &effect.state.verdict {
            Some(verdict) => verdict.detail().to_owned(),
            None => since(effect.step.proposed_at.map(|(at, _)| at)),
        };
        return (format!("{seen}; {} ({})", effect.standing(), effect.label()), read);
    }
    let after = match &effect.state.effect.after {
        Value::Null => "absent".to_owned(),
        after => match finding.after.as_ref().or(finding.before.as_ref()) {
            Some(found) => changed_fields(Some(found), Some(after)).1,
            None => whole(after),
        },
    };
    (format!("{after} ({})", effect.label()), read)
}

fn since(looked: Option<Timestamp>) -> String {
    looked.map_or_else(|| "not looked at again".to_owned(), |at| format!("not looked at again since {}", time(at)))
}

const fn severity_in_words(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

pub(super) const fn status_in_words(status: FindingStatus) -> &'static str {
    match status {
        FindingStatus::Open => "open",
        FindingStatus::Contained => "contained",
        FindingStatus::Reverted => "reverted",
        FindingStatus::RuledOut => "ruled out",
        FindingStatus::Accepted => "accepted",
    }
}

const fn attribution_in_words(attribution: Attribution) -> &'static str {
    match attribution {
        Attribution::Intruder => "intruder",
        Attribution::Shared => "shared credential: intruder or honest use",
        Attribution::Other => "another principal",
        Attribution::Unattributed => "unattributed",
    }
}
