use std::fs;
use std::path::Path;

use serde::Serialize;

use super::chain::{self, Line, LineFault};
use super::event::{Entry, Event, Payload, PlanSealed, RunOpened};
use super::file::{FILE_NAME, JournalError, io_error};
use super::state::{IllegalEvent, IncidentState};
use crate::model::{Digest, EvidenceRef, RunId, SealedId};

/// Everything that a journal file holds, and everything that is wrong with it.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The entries that could be read, in order.
    pub entries: Vec<Entry>,
    /// What they say, as far as they fold.
    pub state: IncidentState,
    /// Digest of the last whole line.
    pub head: Digest,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Digest of every line, in order.
    pub entry_heads: Vec<Digest>,
}

/// One thing that is wrong with an incident's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The entry, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// `line`, `chain`, `order`, `torn_tail`, `newer`, `head`; `evidence_`, `sealed_` or `plan_` with `missing` or
    /// `altered`.
    pub kind: &'static str,
    /// In words.
    pub detail: String,
}

/// A sealed answer as an entry names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEntry {
    /// Which answer it is.
    pub id: SealedId,
    /// Digest of the sealed file.
    pub sha256: Digest,
}

/// A plan that a run was bound to, as an entry says it.
#[derive(Debug, Clone, Copy)]
pub struct BoundPlan<'j> {
    /// The run, as it was opened.
    pub opened: &'j RunOpened,
    /// How often it had been amended by then: 0 for the plan that it began with.
    pub amendments: usize,
    /// The plan.
    pub sealed: &'j PlanSealed,
    /// Digest of the runbook's bytes.
    pub runbook_sha256: &'j Digest,
    /// The format of the entry.
    pub format: u32,
}

/// Reads the journal in `dir` without changing anything, past every fault.
pub fn inspect(dir: &Path) -> Result<Inspection, JournalError> {
    let path = dir.join(FILE_NAME);
    let bytes = fs::read(&path).map_err(io_error("read", &path))?;
    let mut found = Inspection {
        entries: Vec::new(),
        state: IncidentState::default(),
        head: chain::origin(),
        problems: Vec::new(),
        entry_heads: Vec::new(),
    };
    let mut unfolded = Unfolded::default();
    for (number, line) in (1..).zip(chain::lines(&bytes)) {
        let line = match line {
            Line::Whole(line) => line,
            Line::Torn(rest) => {
                let detail = format!("{} bytes after the last line end: a write that was cut short", rest.len());
                found.problems.push(Problem { seq: None, kind: "torn_tail", detail });
                break;
            }
            Line::Foreign(rest) => {
                let detail = format!(
                    "{} bytes after the last line end are no beginning of an entry: no crash leaves that, somebody wrote it",
                    rest.len()
                );
                found.problems.push(Problem { seq: Some(number), kind: "line", detail });
                break;
            }
        };
        match chain::read(line, &found.head) {
            Ok(entry) => found.take(entry, &mut unfolded),
            Err(LineFault::BrokenChain) => {
                let detail =
                    format!("line {number} does not follow the line before it: one was changed, removed or added");
                found.problems.push(Problem { seq: Some(number), kind: "chain", detail });
                if let Ok(entry) = serde_json::from_slice(line) {
                    found.take(entry, &mut unfolded);
                }
            }
            Err(LineFault::Unreadable(why)) => {
                found.problems.push(Problem {
                    seq: Some(number),
                    kind: "line",
                    detail: format!("line {number}: {why}"),
                });
            }
            Err(LineFault::Newer(v)) => {
                let detail = format!("line {number} has format {v}, newer than this version of quell knows");
                found.problems.push(Problem { seq: Some(number), kind: "newer", detail });
            }
        }
        found.head = Digest::of(line);
        found.entry_heads.push(found.head.clone());
    }
    found.problems.extend(unfolded.into_problem());
    Ok(found)
}

/// Entries that do not follow from those before. The first makes all after it fail, so it alone is told in full.
#[derive(Default)]
struct Unfolded {
    first: Option<IllegalEvent>,
    after: usize,
}

impl Unfolded {
    fn into_problem(self) -> Option<Problem> {
        let first = self.first?;
        let after = match self.after {
            0 => String::new(),
            after => format!("; {after} more after it cannot be placed for that reason"),
        };
        Some(Problem { seq: Some(first.seq), kind: "order", detail: format!("{first}{after}") })
    }
}

impl Inspection {
    fn take(&mut self, entry: Entry, unfolded: &mut Unfolded) {
        if let Err(illegal) = self.state.apply(&entry) {
            match unfolded.first {
                None => unfolded.first = Some(illegal),
                Some(_) => unfolded.after += 1,
            }
        }
        self.entries.push(entry);
    }

    /// Digests of all evidence that the entries name.
    pub fn evidence(&self) -> Vec<Digest> {
        let mut named: Vec<Digest> =
            self.entries.iter().flat_map(|entry| named_by(&entry.event)).map(|kept| kept.sha256.clone()).collect();
        named.sort();
        named.dedup();
        named
    }

    /// The sealed answers that the entries name, in order.
    pub fn sealed(&self) -> Vec<SealedEntry> {
        let named = self.entries.iter().filter_map(|entry| match &entry.event {
            Event::AnswerSealed { effect, attempt, sha256 } => {
                let id = SealedId { run: entry.run.clone()?, effect: effect.clone(), attempt: *attempt };
                Some(SealedEntry { id, sha256: sha256.clone() })
            }
            _ => None,
        });
        named.collect()
    }

    /// Every plan that a run was bound to, in order.
    pub fn plans(&self) -> Vec<BoundPlan<'_>> {
        let opened = |run: &RunId| {
            self.entries.iter().find_map(|entry| match &entry.event {
                Event::RunOpened(opened) if opened.run == *run => Some(&**opened),
                _ => None,
            })
        };
        let mut plans: Vec<BoundPlan<'_>> = Vec::new();
        for entry in &self.entries {
            let Some(opened) = entry.run.as_ref().and_then(opened) else { continue };
            let (sealed, runbook_sha256) = match &entry.event {
                Event::PlanSealed(sealed) => (&**sealed, &opened.runbook_sha256),
                Event::PlanAmended(amended) => (&amended.plan, &amended.runbook_sha256),
                _ => continue,
            };
            let amendments = plans.iter().filter(|plan| plan.opened.run == opened.run).count();
            plans.push(BoundPlan { opened, amendments, sealed, runbook_sha256, format: entry.v });
        }
        plans
    }

    /// True where the file is whole but for a torn last line, which a crash leaves and the next append records.
    pub fn is_sound(&self) -> bool {
        self.problems.iter().all(|problem| problem.kind == "torn_tail")
    }
}

fn named_by(event: &Event) -> Vec<&EvidenceRef> {
    match event {
        Event::EvidenceTaken { evidence } => vec![evidence],
        Event::Verified { evidence, .. } => evidence.iter().collect(),
        Event::Attested { file, .. } => file.iter().collect(),
        Event::StepDone { output: Payload::Kept(kept), .. } => vec![kept],
        Event::Proposed(proposed) => match &proposed.output {
            Payload::Kept(kept) => vec![kept],
            Payload::Inline(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}
