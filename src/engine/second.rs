//! A second person: what one consented to waits until somebody else agrees, at another terminal or machine.

use std::time::Duration;

use super::drive::{Answered, Engine, Turn};
use super::{EngineError, SecondRequest, short_code};
use crate::journal::{Consent, EffectState, Event, StepState};
use crate::model::{Digest, Effect, StepPath};

/// The journal is read anew so often.
const SECOND: Duration = Duration::from_secs(1);

impl Engine {
    /// Waits beside the person who consented until the journal has the word of another one.
    pub(super) async fn second(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let planned = self.planned(path)?;
        let Some(step) = self.step(path).cloned() else { return Ok(Turn::On) };
        let effects: Vec<&Effect> = step.unseconded().map(|state| &state.effect).collect();
        let incident = self.journal.state().id.clone();
        let code = second_code(step.unseconded());
        let request =
            SecondRequest { step: &planned, effects: effects.clone(), incident: incident.as_ref(), code: &code };
        let prompter = self.bench.ports.prompter.clone();
        let mut asked = prompter.second(request);
        let reply = loop {
            tokio::select! {
                biased;
                () = self.bench.ports.interrupt.raised() => return Ok(Turn::On),
                reply = &mut asked => break reply,
                () = self.bench.ports.clock.sleep(SECOND) => {}
            }
            if self.is_seconded(path)? {
                return Ok(Turn::On);
            }
        };
        drop(asked);
        match self.common(path, reply)? {
            Ok(turn) => Ok(turn),
            Err(Answered::Skip(reason)) => self.decline(path, &step, &effects, reason),
            // Somebody may have agreed while this was typed. What else was said holds all the same.
            Err(Answered::Go(_)) if self.is_seconded(path)? => Ok(Turn::On),
            Err(Answered::Go(reason)) => {
                let event = Event::Seconded { effects: consents(&step), alone: Some(reason) };
                self.record(Some(path), event)?;
                Ok(Turn::On)
            }
        }
    }

    /// Whether everything that was consented to at a step has its second word, by the journal as it is now.
    fn is_seconded(&mut self, path: &StepPath) -> Result<bool, EngineError> {
        for entry in self.journal.refresh()? {
            self.bench.ports.observer.entry(&entry, self.journal.state());
        }
        Ok(self.step(path).is_none_or(|step| step.unseconded().next().is_none()))
    }
}

/// What a second person agrees to at a step: everything that was consented to and waits for it.
pub fn consents(step: &StepState) -> Vec<Consent> {
    let consent = |state: &EffectState| Consent { effect: state.effect.key.clone(), digest: state.effect.digest() };
    step.unseconded().map(consent).collect()
}

/// Six characters that stand for exactly these effects: who sees the same ones on another screen sees the same changes.
pub fn second_code<'e>(effects: impl Iterator<Item = &'e EffectState>) -> String {
    let digests: Vec<String> = effects.map(|state| state.effect.digest().to_string()).collect();
    short_code(&Digest::of(digests.join("\n").as_bytes()))
}
