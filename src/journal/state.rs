//! The fold: what the entries mean. Every legal transition is written here, all else is refused.

mod delivery;
mod front;
mod run;
mod step;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

pub use delivery::DeliveryState;
pub use run::{Amendment, Approval, RunState, Switched};
pub use step::{ChoreDone, StepState, StepStatus};

use super::event::{Accepted, Entry, Event, NoteKind};
use crate::model::{EvidenceRef, Finding, FindingStatus, Gap, IncidentId, Resource, RunId, StepPath, World};

/// An event that cannot follow what came before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: {what}")]
pub struct IllegalEvent {
    /// The entry's number.
    pub seq: u64,
    /// What is wrong with it.
    pub what: String,
}

/// An incident as its journal tells it.
#[derive(Debug, Clone, Default)]
pub struct IncidentState {
    /// Its id.
    pub id: Option<IncidentId>,
    /// Its title.
    pub title: String,
    /// Its world.
    pub world: Option<World>,
    /// When it was opened.
    pub opened: Option<Timestamp>,
    /// The runs, in order.
    pub runs: Vec<RunState>,
    /// What people wrote down.
    pub notes: Vec<Note>,
    /// All evidence, in order.
    pub evidence: Vec<EvidenceRef>,
    /// All findings, by id; the latest word on each.
    pub findings: BTreeMap<String, Finding>,
    /// Who accepts which finding, and why; by the finding's id.
    pub accepted: BTreeMap<String, Acceptance>,
    /// All gaps, each once. What an attempt at a step did not see is none any more when the step is begun again.
    pub gaps: BTreeSet<Gap>,
    /// The same, by the run and the step that noted them.
    noted: BTreeMap<(Option<RunId>, Option<StepPath>), BTreeSet<Gap>>,
    /// The deliveries of sealed secrets, in order.
    pub deliveries: Vec<DeliveryState>,
    /// Number of the entry by which the process that drives it took it up; where none did, 0.
    pub driver: u64,
    /// How it was closed, until another run is opened in it.
    pub closing: Option<Closing>,
    /// Number of the last entry.
    pub seq: u64,
}

/// A finding that stays as it is, by somebody's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What the finding is about.
    pub resource: Resource,
}

/// Something that somebody wrote down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What it is.
    pub kind: NoteKind,
    /// The words.
    pub text: String,
}

/// How an incident was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What was left, each accepted by somebody.
    pub accepted: Vec<Accepted>,
}

impl IncidentState {
    /// The run with this id.
    pub fn run(&self, id: &RunId) -> Option<&RunState> {
        self.runs.iter().find(|run| run.opened.run == *id)
    }

    /// The run that is to be gone on with: the newest that is not closed, else the newest. One that rests may have a
    /// later one beside it, which a person began to stop a harm meanwhile.
    pub fn latest_run(&self) -> Option<&RunState> {
        self.runs.iter().rfind(|run| run.closed.is_none()).or_else(|| self.runs.last())
    }

    /// True while a run is neither done nor aborted, or none has begun.
    pub fn is_open(&self) -> bool {
        self.latest_run().is_none_or(|run| run.closed.is_none())
    }

    /// Where it stands, in a word: `empty`, `open`, `resting`, `ended` when its runs are, `closed` when a person closed it.
    pub fn standing(&self) -> &'static str {
        match self.latest_run() {
            None => "empty",
            Some(run) if run.closed.is_none() && run.paused.is_some() => "resting",
            Some(run) if run.closed.is_none() => "open",
            Some(_) if self.closing.is_some() => "closed",
            Some(_) => "ended",
        }
    }

    /// Folds one more entry in. On an error nothing has changed.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), IllegalEvent> {
        let illegal = |what: String| IllegalEvent { seq: entry.seq, what };
        if entry.seq != self.seq + 1 {
            return Err(illegal(format!("it should be number {}", self.seq + 1)));
        }
        match &entry.event {
            Event::IncidentOpened { id, title, world, .. } => {
                if self.id.is_some() {
                    return Err(illegal("the incident is open already".into()));
                }
                self.id = Some(id.clone());
                self.title.clone_from(title);
                self.world = Some(world.clone());
                self.opened = Some(entry.at);
            }
            _ if self.id.is_none() => return Err(illegal("the incident was never opened".into())),
            Event::RunOpened(opened) => {
                if self.runs.iter().any(|run| run.opened.run == opened.run) {
                    return Err(illegal(format!("run {} is open already", opened.run)));
                }
                self.runs.push(RunState::new(opened, entry.at));
                self.closing = None;
            }
            Event::Noted { text, kind } => {
                self.notes.push(Note { at: entry.at, by: entry.by.clone(), kind: *kind, text: text.clone() });
            }
            Event::Attested { file, .. } => self.evidence.extend(file.clone()),
            Event::IncidentClosed { accepted } => {
                if let Some(run) = self.runs.iter().find(|run| run.closed.is_none()) {
                    return Err(illegal(format!("run {} is not closed", run.opened.run)));
                }
                let (at, by) = (entry.at, entry.by.clone());
                self.closing = Some(Closing { at, by, accepted: accepted.clone() });
            }
            Event::DriverTaken { .. } => self.driver = entry.seq,
            Event::TornTail { .. } | Event::SecretRevealed { .. } => {}
            // A secret is delivered while its run goes and long after it.
            event @ (Event::DeliveryIntended { .. } | Event::DeliverySettled { .. }) => {
                self.deliver(entry, event).map_err(illegal)?;
            }
            // One that a step wrote is that step's work.
            Event::ReportWritten { .. } if entry.path.is_none() => {}
            event => {
                let run = entry.run.as_ref().and_then(|id| self.runs.iter_mut().find(|run| run.opened.run == *id));
                let run = run.ok_or_else(|| illegal("it names no open run".into()))?;
                run.apply(entry, event).map_err(illegal)?;
                self.remember(entry, event);
            }
        }
        self.seq = entry.seq;
        Ok(())
    }

    fn remember(&mut self, entry: &Entry, event: &Event) {
        match event {
            Event::EvidenceTaken { evidence } => self.evidence.push(evidence.clone()),
            Event::Verified { evidence, .. } => self.evidence.extend(evidence.iter().cloned()),
            Event::FindingMade { finding } => {
                self.findings.insert(finding.id.clone(), (**finding).clone());
                self.accepted.remove(&finding.id);
            }
            Event::FindingSettled { id, status, detail } => {
                let Some(finding) = self.findings.get_mut(id) else { return };
                finding.status = *status;
                if *status == FindingStatus::Accepted {
                    let (by, reason, resource) = (entry.by.clone(), detail.clone(), finding.resource.clone());
                    self.accepted.insert(id.clone(), Acceptance { by, reason, resource });
                } else {
                    self.accepted.remove(id);
                }
            }
            Event::GapSeen { gap } => {
                self.gaps.insert(gap.clone());
                self.noted.entry((entry.run.clone(), entry.path.clone())).or_default().insert(gap.clone());
            }
            Event::StepBegan if self.noted.remove(&(entry.run.clone(), entry.path.clone())).is_some() => {
                self.gaps = self.noted.values().flatten().cloned().collect();
            }
            _ => {}
        }
    }
}

/// The event's name as it stands in the journal.
pub(super) fn event_name(event: &Event) -> String {
    match serde_json::to_value(event) {
        Ok(Value::Object(map)) => map.get("type").and_then(Value::as_str).unwrap_or("an event").to_owned(),
        _ => "an event".to_owned(),
    }
}
