//! What the report is about, and what it rests on.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Source;
use super::book::Book;
use super::words::{UNKNOWN, time};
use crate::journal::{Event, NestedRunbook, PreparedAnswers, RunOutcome, RunState};
use crate::model::Role;

/// The incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentFacts {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// When it was opened.
    pub opened: String,
    /// By whom.
    pub opened_by: String,
    /// Where it takes place: `live api.example.com`, `REHEARSAL token-leak`.
    pub world: String,
    /// Host name of the machine that opened it.
    pub machine: String,
    /// Version of quell that opened it.
    pub tool: String,
    /// Everybody who wrote an entry or was given a role, with their roles: `ann (commander)`.
    pub people: Vec<String>,
    /// Everybody on whose word work by hand counts as done.
    pub attested_by: Vec<String>,
    /// The files that answered prompts in place of people.
    pub answers: Vec<AnswersRow>,
    /// When it was closed, where it was.
    pub closed: Option<String>,
    /// Everybody who accepted something that is left.
    pub accepted_by: Vec<String>,
    /// Who accepted it when the incident was closed before; it was opened again since.
    pub accepted_before: Vec<String>,
}

/// A file with prepared answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswersRow {
    /// Its name.
    pub name: String,
    /// Digest of its bytes.
    pub sha256: String,
    /// The entries in which it answered: `#2 to #80`.
    pub entries: String,
}

/// One run of a runbook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFacts {
    /// Its id.
    pub run: String,
    /// The runbook's name.
    pub runbook: String,
    /// The runbook's title.
    pub title: String,
    /// Digest of the runbook's bytes.
    pub runbook_sha256: String,
    /// Where the runbook was found.
    pub origin: String,
    /// The runbooks that it calls.
    pub calls: Vec<CalledRunbook>,
    /// Digest of the plan.
    pub plan: String,
    /// The API's host.
    pub api: String,
    /// Name of the account.
    pub account: String,
    /// The provider's id of the account.
    pub account_id: String,
    /// Kind of the credential that made the calls, and its id where it has one.
    pub credential: String,
    /// When it was opened.
    pub opened: String,
    /// `done`, `aborted`, `paused: …` or `not closed`.
    pub outcome: String,
    /// This machine's clock against the server's, in words.
    pub skew: String,
}

/// A runbook that another one calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalledRunbook {
    /// The name that it is called by.
    pub name: String,
    /// Digest of its bytes.
    pub sha256: String,
    /// Where it was found.
    pub origin: String,
}

/// Something that is wrong with the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// The entry, where it is about one.
    pub entry: Option<u64>,
    /// What kind.
    pub kind: String,
    /// In words.
    pub detail: String,
}

/// One piece of evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRow {
    /// Digest of the stored bytes, in full.
    pub sha256: String,
    /// Their number.
    pub bytes: u64,
    /// The request that it answers.
    pub source: String,
    /// When it was taken.
    pub at: String,
}

pub(super) fn incident(book: &Book<'_>) -> IncidentFacts {
    let state = book.source.state;
    let opened = book.first(|event| matches!(event, Event::IncidentOpened { .. }));
    let (tool, machine) = match opened.map(|entry| &entry.event) {
        Some(Event::IncidentOpened { tool, machine, .. }) => (tool.clone(), machine.clone()),
        _ => (UNKNOWN.to_owned(), UNKNOWN.to_owned()),
    };
    let trails = book.effects().filter_map(|effect| book.trail(&effect)?.attested.as_ref());
    let attested_by: BTreeSet<String> = trails.map(|(attested, _)| attested.by.clone()).collect();
    let closing = state.closing.as_ref();
    let accepted_by: BTreeSet<String> =
        closing.iter().flat_map(|closing| &closing.accepted).map(|accepted| accepted.by.clone()).collect();
    let closings = book.source.entries.iter().filter_map(|entry| match &entry.event {
        Event::IncidentClosed { accepted } => Some(accepted),
        _ => None,
    });
    let before: BTreeSet<String> = closings.flatten().map(|accepted| accepted.by.clone()).collect();
    IncidentFacts {
        id: state.id.as_ref().map_or_else(|| UNKNOWN.to_owned(), ToString::to_string),
        title: state.title.clone(),
        opened: state.opened.map_or_else(|| UNKNOWN.to_owned(), time),
        opened_by: opened.map_or_else(|| UNKNOWN.to_owned(), |entry| entry.by.clone()),
        world: state.world.as_ref().map_or_else(|| UNKNOWN.to_owned(), ToString::to_string),
        machine,
        tool,
        people: people(book),
        attested_by: attested_by.into_iter().collect(),
        answers: book.trails.answers.iter().map(answers).collect(),
        closed: closing.map(|closing| time(closing.at)),
        accepted_before: before.difference(&accepted_by).cloned().collect(),
        accepted_by: accepted_by.into_iter().collect(),
    }
}

fn people(book: &Book<'_>) -> Vec<String> {
    let mut roles: BTreeMap<&str, BTreeSet<Role>> = BTreeMap::new();
    for entry in book.source.entries {
        roles.entry(&entry.by).or_default().extend(entry.role);
    }
    let wrote: BTreeSet<&str> = roles.keys().copied().collect();
    for run in &book.source.state.runs {
        for (role, name) in &run.opened.roles {
            // A name is taken as it was typed, unless somebody who wrote is meant.
            let name = wrote.iter().find(|by| by.eq_ignore_ascii_case(name)).copied().unwrap_or(name);
            roles.entry(name).or_default().insert(*role);
        }
    }
    let told = |(name, roles): (&str, BTreeSet<Role>)| {
        let mut said: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        said.extend((!wrote.contains(name)).then_some("wrote nothing"));
        if said.is_empty() { name.to_owned() } else { format!("{name} ({})", said.join(", ")) }
    };
    roles.into_iter().map(told).collect()
}

fn answers((file, from, until): &(PreparedAnswers, u64, Option<u64>)) -> AnswersRow {
    AnswersRow {
        name: file.name.clone(),
        sha256: file.sha256.to_string(),
        entries: until.map_or_else(|| format!("#{from} to the end"), |until| format!("#{from} to #{until}")),
    }
}

pub(super) fn runs(book: &Book<'_>) -> Vec<RunFacts> {
    book.source.state.runs.iter().map(run).collect()
}

fn run(run: &RunState) -> RunFacts {
    let opened = &run.opened;
    let id = run.credential.id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
    RunFacts {
        run: opened.run.to_string(),
        runbook: opened.runbook.clone(),
        title: opened.title.clone(),
        runbook_sha256: opened.runbook_sha256.to_string(),
        origin: opened.source.clone(),
        calls: run.plan.iter().flat_map(|plan| &plan.nested).map(called).collect(),
        plan: run.plan.as_ref().map_or_else(|| UNKNOWN.to_owned(), |plan| plan.digest.to_string()),
        api: opened.api.clone(),
        account: opened.account.name.clone(),
        account_id: opened.account.id.clone(),
        credential: format!("{}{id}", run.credential.kind.as_str()),
        opened: time(run.opened_at),
        outcome: match (&run.closed, &run.paused) {
            (Some(RunOutcome::Done), _) => "done".to_owned(),
            (Some(RunOutcome::Aborted), _) => "aborted".to_owned(),
            (None, Some(reason)) => format!("paused: {reason}"),
            (None, None) => "not closed".to_owned(),
        },
        skew: opened.skew_ms.map_or_else(|| "not measured".to_owned(), skew_in_words),
    }
}

fn called(nested: &NestedRunbook) -> CalledRunbook {
    CalledRunbook { name: nested.name.clone(), sha256: nested.sha256.to_string(), origin: nested.source.clone() }
}

fn skew_in_words(skew: i64) -> String {
    format!("{} ms {}", skew.unsigned_abs(), if skew < 0 { "behind" } else { "ahead" })
}

/// A torn last line is what a crash leaves and says nothing about what stands before it; all else is damage.
pub(super) fn damage(source: &Source<'_>) -> Vec<Damage> {
    let real = source.problems.iter().filter(|problem| problem.kind != "torn_tail");
    real.map(|problem| Damage { entry: problem.seq, kind: problem.kind.to_owned(), detail: problem.detail.clone() })
        .collect()
}

/// Each piece once, in the order in which it was taken first.
pub(super) fn evidence(book: &Book<'_>) -> Vec<EvidenceRow> {
    let mut seen = BTreeSet::new();
    let once = book.source.state.evidence.iter().filter(|kept| seen.insert((&kept.sha256, &kept.source)));
    once.map(|kept| EvidenceRow {
        sha256: kept.sha256.to_string(),
        bytes: kept.bytes,
        source: kept.source.clone(),
        at: time(kept.at),
    })
    .collect()
}
