use jiff::Timestamp;

use super::IncidentState;
use crate::journal::event::{Entry, Event};
use crate::model::{EffectKey, Outcome, SealedId};

/// One delivery of a sealed secret, as the journal tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryState {
    /// The answer that holds the secret.
    pub secret: SealedId,
    /// Name of the sink.
    pub sink: String,
    /// Where it went: a command line, or a path.
    pub to: String,
    /// Who delivered it.
    pub by: String,
    /// When it was begun.
    pub at: Timestamp,
    /// Number of the entry that begins it.
    pub seq: u64,
    /// What became of it; `None` while its intent is open.
    pub outcome: Option<Outcome>,
    /// What was seen of it, or why nothing could be; empty while its intent is open.
    pub seen: String,
}

impl DeliveryState {
    /// No outcome is recorded, or an unknown one.
    pub const fn is_in_doubt(&self) -> bool {
        matches!(self.outcome, None | Some(Outcome::Unknown(_)))
    }

    /// Whether it was done, as far as anybody says.
    pub fn is_applied(&self) -> bool {
        self.outcome == Some(Outcome::Applied)
    }
}

impl IncidentState {
    /// Every delivery of a secret, oldest first.
    pub fn deliveries_of<'a>(&'a self, secret: &'a SealedId) -> impl DoubleEndedIterator<Item = &'a DeliveryState> {
        self.deliveries.iter().filter(move |delivery| delivery.secret == *secret)
    }

    pub(super) fn deliver(&mut self, entry: &Entry, event: &Event) -> Result<(), String> {
        match event {
            Event::DeliveryIntended { effect, attempt, sink, to, .. } => {
                let secret = self.sealed(entry, effect, *attempt)?;
                let is_open = |it: &DeliveryState| it.secret == secret && it.sink == *sink && it.outcome.is_none();
                if self.deliveries.iter().any(is_open) {
                    return Err(format!("a delivery of effect {effect} to `{sink}` has an open intent"));
                }
                self.deliveries.push(DeliveryState {
                    secret,
                    sink: sink.clone(),
                    to: to.clone(),
                    by: entry.by.clone(),
                    at: entry.at,
                    seq: entry.seq,
                    outcome: None,
                    seen: String::new(),
                });
            }
            Event::DeliverySettled { effect, attempt, sink, outcome, seen, .. } => {
                let secret = self.sealed(entry, effect, *attempt)?;
                let last = self.deliveries.iter_mut().rfind(|it| it.secret == secret && it.sink == *sink);
                let last = last.filter(|it| it.is_in_doubt());
                let last = last.ok_or_else(|| format!("no delivery of effect {effect} to `{sink}` is in doubt"))?;
                last.outcome = Some(outcome.clone());
                last.seen.clone_from(seen);
            }
            _ => {}
        }
        Ok(())
    }

    /// The sealed answer that an entry is about.
    fn sealed(&self, entry: &Entry, effect: &EffectKey, attempt: u32) -> Result<SealedId, String> {
        let run = entry.run.as_ref().ok_or("it names no run")?;
        let state = self.run(run).and_then(|run| run.effect(effect));
        let made = usize::try_from(attempt).ok().and_then(|attempt| attempt.checked_sub(1));
        let made = made.zip(state).and_then(|(at, state)| state.attempts.get(at));
        if made.is_none_or(|made| !made.sealed) {
            return Err(format!("attempt {attempt} at effect {effect} has no sealed answer"));
        }
        Ok(SealedId { run: run.clone(), effect: effect.clone(), attempt })
    }
}
