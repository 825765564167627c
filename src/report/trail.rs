//! What the fold does not keep: when each thing was done to an effect, by whom, and with which words.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::journal::{EffectDecision, Entry, Event, Left};
use crate::model::{Digest, EffectKey, FindingStatus, Outcome, RunId, Verdict};

/// The journal's word on one effect, beyond its state.
#[derive(Debug, Default)]
pub(super) struct Trail {
    pub(super) consents: Vec<Act>,
    /// When it was first intended, or settled where nothing is sent.
    pub(super) first: Option<Timestamp>,
    /// When it was last settled or looked at.
    pub(super) last: Option<(Timestamp, u64)>,
    /// When a read first saw it in place, since the last attempt.
    pub(super) proven: Option<Timestamp>,
    pub(super) evidence: Vec<Digest>,
    /// Attempts that were in doubt, and why; the fold forgets that once a person's word or a read settles them.
    pub(super) doubts: BTreeMap<u32, String>,
    pub(super) decisions: Vec<(EffectDecision, Act)>,
    /// Who left the row, and when.
    pub(super) left: Option<Act>,
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

    fn take(&mut self, entry: &Entry) {
        let act =
            |words: Option<&String>| Act { at: entry.at, seq: entry.seq, by: entry.by.clone(), words: words.cloned() };
        match &entry.event {
            Event::Consented { effects, left, phrase } => {
                for consent in effects {
                    self.on(entry, &consent.effect, |trail| trail.consents.push(act(phrase.as_ref())));
                }
                self.leave(entry, left, &act(None));
            }
            Event::RowsLeft { left } => self.leave(entry, left, &act(None)),
            Event::Intended { effect, .. } => self.on(entry, effect, |trail| {
                trail.first.get_or_insert(entry.at);
                trail.proven = None;
            }),
            Event::Settled { effect, attempt, outcome, .. } => self.on(entry, effect, |trail| {
                if let Outcome::Unknown(why) = outcome {
                    trail.doubts.insert(*attempt, why.clone());
                }
                trail.first.get_or_insert(entry.at);
                trail.last = Some((entry.at, entry.seq));
            }),
            Event::Verified { effect, verdict, evidence } => self.on(entry, effect, |trail| {
                trail.last = Some((entry.at, entry.seq));
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
            Event::FindingSettled { id, status, detail } => {
                self.findings.insert(id.clone(), (*status, act(Some(detail))));
            }
            _ => {}
        }
    }

    fn leave(&mut self, entry: &Entry, left: &[Left], act: &Act) {
        for row in left {
            self.on(entry, &row.effect, |trail| trail.left = Some(act.clone()));
        }
    }

    fn on(&mut self, entry: &Entry, effect: &EffectKey, change: impl FnOnce(&mut Trail)) {
        if let Some(run) = &entry.run {
            change(self.effects.entry((run.clone(), effect.clone())).or_default());
        }
    }
}
