//! What the fold does not keep: when each thing was done to an effect, by whom, and with which words.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::journal::{
    Basis, EffectDecision, Entry, Event, FailureDecision, Left, PreparedAnswers, SettledBy, SkipCause,
};
use crate::model::{Digest, Disposition, EffectKey, FindingStatus, Outcome, RunId, Verdict};
use crate::provider::TESTED;

/// The journal's word on one effect, beyond its state.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// What each rests on.
    pub(super) consents: Vec<(Basis, Act)>,
    /// When it was first intended, or settled where nothing is sent.
    pub(super) first: Option<Timestamp>,
    /// When it was last settled or looked at.
    pub(super) last: Option<(Timestamp, u64)>,
    /// When a read first saw it in place, since the last attempt.
    pub(super) proven: Option<Timestamp>,
    pub(super) evidence: Vec<Digest>,
    /// Whether the latest look tried the leaked value too.
    pub(super) tried: bool,
    /// Attempts that were in doubt, and why; the fold forgets that once a person's word or a read settles them.
    pub(super) doubts: BTreeMap<u32, String>,
    pub(super) decisions: Vec<(EffectDecision, Act)>,
    /// Who left the row, and when.
    pub(super) left: Option<Act>,
    /// Who says that work by hand was done, and the entry with that word.
    pub(super) attested: Option<(Attested, Act)>,
}

/// A person's word that work by hand was done.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Attested {
    #[serde(rename = "attested_by")]
    pub(super) by: String,
    pub(super) note: Option<String>,
    /// Digest of a file that shows it.
    pub(super) proof: Option<Digest>,
}

impl Attested {
    /// What a person's receipt says; `None` for the word on a request of quell's own.
    pub(super) fn read(receipt: &Value) -> Option<Self> {
        Self::deserialize(receipt).ok()
    }
}

/// Who, when, in which entry, and the words.
#[derive(Debug, Clone)]
pub(super) struct Act {
    pub(super) at: Timestamp,
    pub(super) seq: u64,
    pub(super) by: String,
    pub(super) words: Option<String>,
}

/// All trails, and the last word on each finding.
#[derive(Debug, Default)]
pub(super) struct Trails {
    effects: BTreeMap<(RunId, EffectKey), Trail>,
    pub(super) findings: BTreeMap<String, (FindingStatus, Act)>,
    /// When each finding was last seen to stand.
    pub(super) found: BTreeMap<String, Timestamp>,
    /// The files that answered prompts in place of people: from which entry on, and to which.
    pub(super) answers: Vec<(PreparedAnswers, u64, Option<u64>)>,
    /// By which file, for each entry that a prompt's answer made.
    files: BTreeMap<u64, String>,
}

impl Trails {
    /// Follows the entries.
    pub(super) fn follow(entries: &[Entry]) -> Self {
        let mut trails = Self::default();
        for entry in entries {
            trails.take(entry);
        }
        trails
    }

    /// The trail of an effect; `None` where nothing was ever done to it.
    pub(super) fn of(&self, run: &RunId, key: &EffectKey) -> Option<&Trail> {
        self.effects.get(&(run.clone(), key.clone()))
    }

    /// Name, without its directory, of the file that gave the answer of this entry; `None` where a person did.
    pub(super) fn file(&self, seq: u64) -> Option<String> {
        let name = self.files.get(&seq)?;
        let last = Path::new(name).file_name().map(|last| last.to_string_lossy().into_owned());
        Some(last.unwrap_or_else(|| name.clone()))
    }

    fn take(&mut self, entry: &Entry) {
        self.answered(entry);
        let act =
            |words: Option<&String>| Act { at: entry.at, seq: entry.seq, by: entry.by.clone(), words: words.cloned() };
        match &entry.event {
            Event::Consented { effects, left, phrase, basis } => {
                for consent in effects {
                    self.on(entry, &consent.effect, |trail| trail.consents.push((*basis, act(phrase.as_ref()))));
                }
                self.leave(entry, left, &act(None));
            }
            Event::RowsLeft { left } => self.leave(entry, left, &act(None)),
            Event::Intended { effect, .. } => self.on(entry, effect, |trail| {
                trail.first.get_or_insert(entry.at);
                trail.proven = None;
            }),
            Event::Settled { effect, attempt, outcome, receipt, by } => self.on(entry, effect, |trail| {
                if let (SettledBy::Person, Some(attested)) = (by, Attested::read(receipt)) {
                    let written = act(attested.note.as_ref());
                    trail.attested = Some((attested, written));
                }
                if let Outcome::Unknown(why) = outcome {
                    trail.doubts.insert(*attempt, why.clone());
                }
                trail.first.get_or_insert(entry.at);
                trail.last = Some((entry.at, entry.seq));
            }),
            Event::Verified { effect, verdict, evidence } => self.on(entry, effect, |trail| {
                trail.last = Some((entry.at, entry.seq));
                trail.tried = evidence.iter().any(|kept| kept.source.starts_with(TESTED));
                if matches!(verdict, Verdict::Holds(_)) {
                    trail.proven.get_or_insert(entry.at);
                } else {
                    trail.proven = None;
                }
                trail.evidence.extend(evidence.iter().map(|kept| kept.sha256.clone()));
            }),
            Event::EffectDecided { effect, decision, words } => {
                self.on(entry, effect, |trail| trail.decisions.push((*decision, act(Some(words)))));
            }
            Event::FindingMade { finding } => {
                self.found.insert(finding.id.clone(), entry.at);
            }
            Event::FindingSettled { id, status, detail } => {
                self.findings.insert(id.clone(), (*status, act(Some(detail))));
            }
            _ => {}
        }
    }

    /// Who answers prompts goes with the process that drives; notes come from other terminals too.
    fn answered(&mut self, entry: &Entry) {
        let is_open = |(.., until): &&mut (PreparedAnswers, u64, Option<u64>)| until.is_none();
        match &entry.event {
            Event::FailureDecided { words, .. } if words == FailureDecision::BY_RUNBOOK => {}
            Event::DriverTaken { answers, .. } => {
                if let Some((.., until)) = self.answers.iter_mut().find(is_open) {
                    *until = Some(entry.seq - 1);
                }
                self.answers.extend(answers.clone().map(|file| (file, entry.seq, None)));
            }
            Event::Consented { basis: Basis::Typed, .. }
            | Event::RowsLeft { .. }
            | Event::WentOn { basis: Basis::Typed }
            | Event::Answered { .. }
            | Event::EffectDecided { .. }
            | Event::FailureDecided { .. }
            | Event::CredentialSwitched { .. }
            | Event::RunEnding { .. }
            | Event::Settled { by: SettledBy::Person, .. }
            | Event::StepSkipped { cause: SkipCause::Person, .. } => self.by_file(entry),
            Event::PlanApproved(approved) if approved.by_file => self.by_file(entry),
            _ => {}
        }
    }

    /// The file that answers at this point gave the answer of this entry.
    fn by_file(&mut self, entry: &Entry) {
        if let Some((file, ..)) = self.answers.iter().find(|(.., until)| until.is_none()) {
            self.files.insert(entry.seq, file.name.clone());
        }
    }

    fn leave(&mut self, entry: &Entry, left: &[Left], act: &Act) {
        for row in left {
            self.on(entry, &row.effect, |trail| {
                trail.left = Some(act.clone());
                if matches!(row.disposition, Disposition::AlreadyMet { .. }) {
                    trail.proven = Some(entry.at);
                }
            });
        }
    }

    fn on(&mut self, entry: &Entry, effect: &EffectKey, change: impl FnOnce(&mut Trail)) {
        if let Some(run) = &entry.run {
            change(self.effects.entry((run.clone(), effect.clone())).or_default());
        }
    }
}
