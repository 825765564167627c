use jiff::{SignedDuration, Timestamp};

use super::header::{credential, row};
use super::left::listed;
use super::{Style, Tone, count, duration, shorten, width};
use crate::journal::{EffectState, EffectStatus, RunState, StepStatus};
use crate::model::{CredentialFacts, Outcome, StepPath};

/// Changes of one kind that are named: with the header all must fit a screen of 24 lines.
const NAMED: usize = 2;

/// How a run came to rest, and how it goes on.
#[derive(Debug, Clone)]
pub struct Rested<'a> {
    /// When the last thing was written down.
    pub at: Timestamp,
    /// Which process drove it then: its number, and its machine.
    pub driver: Option<(u32, &'a str)>,
    /// The credential that makes the calls now.
    pub credential: &'a CredentialFacts,
    /// The version of quell that drove it before, where it is not this one.
    pub tool: Option<&'a str>,
    /// Changes that other runs made in the incident since this one began.
    pub beside: usize,
    /// What comes next, in words.
    pub next: &'a str,
}

/// In one screen below the header: what is done and what is left, what is in doubt, what was consented to and not done,
/// why the run rested, with which credential it goes on, and what comes next. Ends with a line break.
pub fn resumed_text(run: &RunState, rested: &Rested<'_>, now: Timestamp, style: &Style) -> String {
    let steps = || run.plan.iter().flat_map(|plan| &plan.steps).filter(|step| run.counts(step));
    let status = |wanted: &dyn Fn(&StepStatus) -> bool| steps().filter(|step| wanted(run.status(&step.path))).count();
    let ended = status(&StepStatus::is_final);
    let failed = status(&|status| status.is_final() && matches!(status, StepStatus::Failed { .. }));
    let left: Vec<&StepPath> = steps().map(|step| &step.path).filter(|path| !run.status(path).is_final()).collect();
    let effects = || run.steps.values().flat_map(|step| &step.effects);
    let made = effects().filter(|state| state.is_applied()).count();
    let room = style.columns().saturating_sub(width("consented  "));
    // What is broken between words leaves some room at the end of a line.
    let two_lines = 2 * room - 16;
    let mut out = String::new();
    let mut say = |label: &str, tone: Tone, text: &str| {
        out.push_str(&row(label, &shorten(&style.show(text), two_lines, style), tone, style));
    };
    let failed = if failed > 0 { format!(", {failed} of them in vain") } else { String::new() };
    let all = count(steps().count(), "step");
    let beside = if rested.beside > 0 { format!(" in it, {} beside it", rested.beside) } else { String::new() };
    say("done", Tone::Good, &format!("{ended} of {all} ended{failed}; {} made{beside}", count(made, "change")));
    if !left.is_empty() {
        say("left", Tone::Faint, &shorten(&format!("{}: {}", count(left.len(), "step"), listed(&left)), room, style));
    }
    let mut name = |label: &str, tone: Tone, changes: Vec<String>, then: &str| {
        for (at, change) in changes.iter().take(NAMED).enumerate() {
            say(if at == 0 { label } else { "" }, tone, &shorten(&style.show(change), room, style));
        }
        if !changes.is_empty() {
            let more = changes.len().saturating_sub(NAMED);
            let more = if more > 0 { format!("and {more} more; ") } else { String::new() };
            say("", tone, &format!("{more}{then}"));
        }
    };
    let in_doubt = effects().filter(|state| state.is_in_doubt()).map(doubt).collect();
    name("in doubt", Tone::Alarm, in_doubt, "looked at first; nothing is sent again by itself");
    let consented = effects().filter(|state| matches!(state.status, EffectStatus::Consented(_)));
    let consented = consented.map(|state| state.effect.summary.clone()).collect();
    name("consented", Tone::Care, consented, "read again, and sent if nothing has changed since");
    let since = format!("{} ago", duration(now.duration_since(rested.at).max(SignedDuration::ZERO)));
    let process = rested.driver.map(|(pid, machine)| format!(" ({pid} on {machine})")).unwrap_or_default();
    match &run.paused {
        Some(reason) => say("rested", Tone::Faint, &format!("{since}: {reason}")),
        None => {
            let how = "ended without a word: killed, the machine went down, or the disk was full";
            say("rested", Tone::Care, &format!("{since}: its process{process} {how}"));
        }
    }
    if *rested.credential != run.credential {
        let before = CredentialFacts { owner: None, expires: None, ..run.credential.clone() };
        say("credential", Tone::Care, &format!("another one than before, which was {}", credential(&before)));
    }
    if let Some(tool) = rested.tool {
        say("quell", Tone::Care, &format!("{} goes on with what {tool} drove", env!("CARGO_PKG_VERSION")));
    }
    for amended in run.amended.iter().rev().take(NAMED) {
        let when = amended.at.strftime("%F %H:%MZ");
        say(
            "accepted",
            Tone::Care,
            &format!("{when} by {}: {}; {}", amended.by, amended.words, amended.changes.join("; ")),
        );
    }
    say("next", Tone::Strong, rested.next);
    out
}

fn doubt(state: &EffectState) -> String {
    let why = state.outcome().and_then(Outcome::why).unwrap_or("no answer is recorded");
    format!("{}: {why}", state.effect.summary)
}
