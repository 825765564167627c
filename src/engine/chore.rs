//! What the engine itself does for a step: waiting, writing the post-mortem, and going on with another credential.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::drive::{Answered, Engine, PauseCause, Turn};
use super::look::Looked;
use super::{EngineError, Reply, WaitRequest};
use crate::action::{StepError, StepPlan, Taken};
use crate::journal::{ChoreDone, Event, StepState, WaitEnd};
use crate::model::{Chore, StepPath, Wait};
use crate::provider::Lane;

/// The clock is shown anew so often.
const SECOND: Duration = Duration::from_secs(1);

/// How a wait ended.
enum Ended {
    /// Its time is over. Of a conditional one: what the last look saw.
    Elapsed(Option<(Box<StepPlan<Value>>, Taken)>),
    /// A look shows what was waited for.
    Held(Taken),
    /// Nobody can look any more.
    Blind(StepError, Taken),
    /// A person said something.
    Said(Reply<String>),
}

impl Engine {
    pub(super) async fn chore(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        match self.step(path).and_then(StepState::chore_left).cloned() {
            Some(Chore::Wait(wait)) => self.wait(path, &wait).await,
            Some(Chore::Report) => self.report(path),
            Some(Chore::Switch { token }) => self.switch(path, &token).await,
            None => Ok(Turn::On),
        }
    }

    /// Waits beside a person who may cut it short. What was waited before a pause or a crash counts: the time runs from
    /// the entry that proposed it.
    async fn wait(&mut self, path: &StepPath, wait: &Wait) -> Result<Turn, EngineError> {
        let planned = self.planned(path)?;
        let prompter = self.bench.ports.prompter.clone();
        let left = self.left(path, wait);
        let request = WaitRequest { step: &planned, wait, left };
        let ended = tokio::select! {
            biased;
            () = self.bench.ports.interrupt.raised() => return Ok(Turn::On),
            reply = prompter.wait(request), if !left.is_zero() => Ended::Said(reply),
            ended = self.pass_time(path, wait) => ended?,
        };
        let (end, words) = match ended {
            Ended::Said(reply) => match self.common(path, reply)? {
                Ok(turn) => return Ok(turn),
                Err(Answered::Go(_) | Answered::Skip(_)) if !planned.skippable => {
                    let what = format!("the end of the wait at step `{path}`, which may not be cut short");
                    return Ok(Turn::Stop(self.pause(PauseCause::Missing(what))?));
                }
                Err(Answered::Go(words) | Answered::Skip(words)) => (WaitEnd::CutShort, Some(words)),
            },
            Ended::Held(taken) => {
                self.keep_taken(path, taken)?;
                (WaitEnd::Held, None)
            }
            Ended::Elapsed(None) => (WaitEnd::Elapsed, None),
            Ended::Elapsed(Some((seen, taken))) => {
                self.keep_taken(path, taken)?;
                let error = format!("waited {} in vain; {}", in_words(wait.seconds), seen.summary);
                let hint = "retry to wait as long again, or skip it with a reason and see to it by hand".to_owned();
                self.record(Some(path), Event::StepFailed { error, hint: Some(hint) })?;
                return Ok(Turn::On);
            }
            Ended::Blind(error, taken) => {
                self.keep_taken(path, taken)?;
                self.record(Some(path), Event::StepFailed { error: error.message, hint: error.hint })?;
                return Ok(Turn::On);
            }
        };
        self.record(Some(path), Event::Waited { end, words })?;
        Ok(Turn::On)
    }

    /// Lets the time pass, and looks now and again where the wait has a condition: once at least, and a last time when
    /// the time is over.
    async fn pass_time(&self, path: &StepPath, wait: &Wait) -> Result<Ended, EngineError> {
        let mut left = self.left(path, wait);
        loop {
            let pause = wait.every.map_or(left, |every| left.min(Duration::from_secs(every)));
            left = self.count_down(path, wait, left, pause).await;
            let seen = match wait.every {
                None => None,
                Some(_) => match self.look(path, Lane::Sweep).await? {
                    Looked::Seen(seen, taken) if seen.chore.is_none() => return Ok(Ended::Held(taken)),
                    Looked::Seen(seen, taken) => Some((seen, taken)),
                    Looked::Failed(error, taken) => return Ok(Ended::Blind(error, taken)),
                    // Whoever interrupted the look ends the wait as well.
                    Looked::Interrupted => std::future::pending().await,
                },
            };
            left = left.min(self.left(path, wait));
            if left.is_zero() {
                return Ok(Ended::Elapsed(seen));
            }
        }
    }

    /// Sleeps for `pause`, second by second. Returns what is left of `left` then: by what was slept and by the clock,
    /// whichever is further, since a machine that was asleep did not count.
    async fn count_down(&self, path: &StepPath, wait: &Wait, mut left: Duration, pause: Duration) -> Duration {
        let ports = &self.bench.ports;
        let until = left.saturating_sub(pause);
        while left > until {
            ports.progress.left(&wait.message, left);
            let beat = SECOND.min(left - until);
            ports.clock.sleep(beat).await;
            left = (left - beat).min(self.left(path, wait));
        }
        ports.progress.left(&wait.message, left);
        left
    }

    /// How long a wait still takes by the clock. One that was set back makes none longer than it is.
    fn left(&self, path: &StepPath, wait: &Wait) -> Duration {
        let length = Duration::from_secs(wait.seconds);
        let now = self.bench.ports.clock.now();
        let Some((began, _)) = self.step(path).and_then(|step| step.proposed_at) else { return length };
        let deadline = began.checked_add(length).unwrap_or(Timestamp::MAX);
        Duration::try_from(deadline.duration_since(now)).unwrap_or_default().min(length)
    }

    /// Writes the post-mortem. Killed in between, it is written once more.
    fn report(&mut self, path: &StepPath) -> Result<Turn, EngineError> {
        let event = match self.bench.ports.reporter.write() {
            Ok((file, sha256)) => Event::ReportWritten { sha256, file },
            Err(error) => Event::StepFailed { error: error.message, hint: error.hint },
        };
        self.record(Some(path), event)?;
        Ok(Turn::On)
    }
}

/// One line for people.
pub(super) fn summary(done: &ChoreDone) -> String {
    match done {
        ChoreDone::Waited { end: WaitEnd::Elapsed, .. } => "the time to wait is over".to_owned(),
        ChoreDone::Waited { end: WaitEnd::Held, .. } => "what was waited for holds".to_owned(),
        ChoreDone::Waited { end: WaitEnd::CutShort, words } => {
            format!("the wait was cut short: {}", words.as_deref().unwrap_or_default())
        }
        ChoreDone::Reported { file, .. } => format!("the post-mortem is written: {file}"),
        ChoreDone::Switched { proof, .. } => format!("the run goes on with a credential of its own: {proof}"),
    }
}

fn in_words(seconds: u64) -> String {
    let length = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    format!("{length:#}")
}
