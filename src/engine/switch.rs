//! Going on with a credential that the run has made itself.

use super::drive::{Engine, PauseCause, Turn};
use super::{EngineError, Successor};
use crate::action::StepError;
use crate::journal::Event;
use crate::model::{EffectKey, StepPath};

impl Engine {
    /// Opens the sealed answer that made `token`, connects with what it holds, and goes on with that. Written down before it
    /// is used: killed in between, the next process goes on with it as well. Where it cannot be used, the run stays with the
    /// credential that it has, and the step fails.
    pub(super) async fn switch(&mut self, path: &StepPath, token: &str) -> Result<Turn, EngineError> {
        let Some((effect, attempt)) = self.answer_that_made(token)? else {
            let why = format!("no answer of this run that lies in the vault made the token {token}");
            return self.not_switched(path, StepError::new(why).hint("make another one, or go on by hand"));
        };
        let vault = self.bench.ports.vault.clone();
        let answer = match vault.answer(&effect, attempt).await {
            Ok(Some(answer)) => answer,
            Ok(None) => {
                let why = format!("the vault does not hold the answer that made the token {token}");
                return self.not_switched(path, StepError::new(why).hint("make another one, or go on by hand"));
            }
            Err(why) => {
                let what = format!("the vault, which holds the new credential: {why}");
                return Ok(Turn::Stop(self.pause(PauseCause::Missing(what))?));
            }
        };
        let succession = self.bench.ports.succession.clone();
        let connected = tokio::select! {
            connected = succession.connect(&answer) => connected,
            () = self.bench.ports.interrupt.raised() => return Ok(Turn::On),
        };
        let Successor { read, send, proof } = match connected.and_then(|successor| self.fits(successor, token)) {
            Ok(successor) => successor,
            Err(error) => return self.not_switched(path, error),
        };
        let credential = read.credential().clone();
        self.record(Some(path), Event::CredentialSwitched { effect, attempt, credential, proof })?;
        self.bench.read = read;
        self.bench.send = send;
        Ok(Turn::On)
    }

    /// The effect and the attempt whose sealed answer made this token.
    fn answer_that_made(&self, token: &str) -> Result<Option<(EffectKey, u32)>, EngineError> {
        let mut effects = self.run_state()?.steps.values().flat_map(|step| &step.effects);
        Ok(effects.find_map(|state| {
            let is_it = |attempt: &crate::journal::Attempt| attempt.sealed && attempt.receipt["id"] == token;
            let at = state.attempts.iter().position(is_it)?;
            Some((state.effect.key.clone(), u32::try_from(at + 1).ok()?))
        }))
    }

    /// The same account in the same world, and the very token that was made.
    fn fits(&self, successor: Successor, token: &str) -> Result<Successor, StepError> {
        let (now, then) = (&successor.read, &self.bench.read);
        let is_it = now.credential().id.as_deref() == Some(token);
        if is_it && now.account().id == then.account().id && now.world() == then.world() {
            return Ok(successor);
        }
        Err(StepError::new(format!(
            "what the vault holds does not act as the token {token} on the account of this run"
        ))
        .hint("the run stays with the credential that it has; make another one, or go on by hand"))
    }

    fn not_switched(&mut self, path: &StepPath, error: StepError) -> Result<Turn, EngineError> {
        self.record(Some(path), Event::StepFailed { error: error.message, hint: error.hint })?;
        Ok(Turn::On)
    }
}
