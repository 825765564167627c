use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{Check, judge, wanted};
use super::values::seconds;
use crate::action::{Action, ActionSpec, Done, Estimate, Look, StepError, StepPlan};
use crate::journal::{ChoreDone, WaitEnd};
use crate::model::{Chore, Danger, Verdict, Wait as Waiting};
use crate::outside::Sight;

/// Seconds between two looks, where the step does not say.
const EVERY: u64 = 30;

/// Seconds that a condition is waited for at most, where the step does not say.
const AT_MOST: u64 = 60 * 60;

/// Seconds that one look may take.
const LOOK: u64 = 30;

/// Waits for a time, or until a read shows something.
pub(super) struct Wait;

/// Parameters of `wait`: either `for` or `until`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// How long to wait, like `10m`.
    #[serde(rename = "for")]
    #[schemars(with = "Option<String>", extend("format" = "length"))]
    length: Option<SignedDuration>,
    /// What a `GET` must show before the run goes on.
    until: Option<Check>,
    /// How often that is looked at, like `1m`; every thirty seconds without it.
    #[schemars(with = "Option<String>", extend("format" = "length"))]
    every: Option<SignedDuration>,
    /// The longest that it is waited for; an hour without it. If it does not hold then, the step fails.
    #[schemars(with = "Option<String>", extend("format" = "length"))]
    at_most: Option<SignedDuration>,
    /// What is waited for, in words for the people who wait.
    message: Option<String>,
}

/// Output of `wait`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Output {
    /// What ended the wait.
    ended: Ended,
    /// Why a person cut it short.
    reason: Option<String>,
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ended {
    /// Its time is over.
    Elapsed,
    /// What was waited for holds.
    Held,
    /// A person went on before.
    CutShort,
    /// In a rehearsal nothing is waited for.
    Simulated,
    /// Nothing: it was left before it began.
    Nothing,
}

impl Action for Wait {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "wait",
        version: 1,
        summary: "Wait for a time, or until a read shows something",
        docs: "`for` waits so long. `until` makes a `GET` now and again until its answer is right, and fails if that takes \
               longer than `at_most`; a host that cannot be reached is not right yet. The clock runs from when the wait \
               was journaled, so a run that goes on after a pause or a crash waits only for what is left.\n\n\
               Anybody at the terminal may cut it short with a reason (`go on REASON`), write a note, pause or abort \
               meanwhile; an answers file cuts it short with `answer = \"skip\"` and a `reason`. Hosts must be allowed \
               and secrets are named as for `http`. A dry run and a rehearsal wait for nothing.",
        verb: "wait",
        max_danger: Danger::Observe,
        permissions: &[],
        example: "for = \"10m\"\nmessage = \"Until resolvers have forgotten the old records.\"",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 0, per_zone: 0 },
    };

    async fn plan(params: Params, look: &Look<'_>) -> Result<StepPlan<Output>, StepError> {
        let hint = "write `for = \"10m\"`, or `until = { url = \"…\" }` with `every` and `at_most`";
        match (params.length, params.until) {
            (Some(length), None) if params.every.is_none() && params.at_most.is_none() => {
                for_a_time(length, params.message, look)
            }
            (Some(_), None) => {
                Err(StepError::new("`every` and `at_most` go with `until`, and not with `for`").hint(hint))
            }
            (None, Some(check)) => {
                let every = seconds("every", params.every, EVERY)?;
                let at_most = seconds("at_most", params.at_most, AT_MOST)?;
                until(check, every, at_most, params.message, look).await
            }
            (Some(_), Some(_)) | (None, None) => Err(StepError::new("`wait` needs either `for` or `until`").hint(hint)),
        }
    }

    fn conclude(output: Output, done: &Done) -> Output {
        let Some(ChoreDone::Waited { end, words }) = &done.chore else { return output };
        let ended = match end {
            WaitEnd::Elapsed => Ended::Elapsed,
            WaitEnd::Held => Ended::Held,
            WaitEnd::CutShort => Ended::CutShort,
        };
        Output { ended, reason: words.clone() }
    }
}

fn for_a_time(length: SignedDuration, message: Option<String>, look: &Look<'_>) -> Result<StepPlan<Output>, StepError> {
    let seconds = seconds("for", Some(length), 0)?;
    if look.provider().world().is_rehearsal() {
        return Ok(ended(Ended::Simulated, format!("simulated: would have waited for {length:#}")));
    }
    let message = message.unwrap_or_else(|| format!("{length:#} to pass"));
    let wait = Waiting { message, seconds, every: None };
    Ok(waiting(wait, format!("would wait for {length:#}")))
}

async fn until(
    check: Check,
    every: u64,
    at_most: u64,
    message: Option<String>,
    look: &Look<'_>,
) -> Result<StepPlan<Output>, StepError> {
    let check = check.made(LOOK)?;
    let why = match look.web(&check.read).await {
        Ok(Sight::Simulated) => {
            let summary = format!("simulated: would have waited until {}", wanted(&check));
            return Ok(ended(Ended::Simulated, summary));
        }
        Ok(Sight::Seen { status, body }) => match judge(&check, status, body.expose()) {
            Verdict::Holds(proof) => return Ok(ended(Ended::Held, proof)),
            Verdict::DoesNotHold(why) | Verdict::CannotTell(why) => why,
        },
        Err(hindrance) if hindrance.may_pass => hindrance.why,
        Err(hindrance) => return Err(hindrance.into()),
    };
    let message = message.unwrap_or_else(|| wanted(&check));
    Ok(waiting(Waiting { message, seconds: at_most, every: Some(every) }, format!("not yet: {why}")))
}

fn ended(ended: Ended, summary: String) -> StepPlan<Output> {
    StepPlan::seen(Output { ended, reason: None }, summary)
}

/// A plan that has the engine wait.
fn waiting(wait: Waiting, summary: String) -> StepPlan<Output> {
    StepPlan { chore: Some(Chore::Wait(wait)), ..ended(Ended::Nothing, summary) }
}
