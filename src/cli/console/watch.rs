use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::line::{ended_line, labelled};
use super::{
    Screen, Standing, Style, Symbol, Tone, Volume, count, credential, duration, effect_line, finding_line, gap_line,
    wrap,
};
use crate::engine::Observer;
use crate::journal::{
    Basis, EffectDecision, EffectState, Entry, Event, FailureDecision, IncidentState, PlannedEffect, PlannedStep,
    RunOutcome, RunState, SkipCause, StepState, StepStatus, WaitEnd,
};
use crate::model::{Disposition, EffectKey, FindingStatus, Outcome, Phase};

/// Findings, and gaps, of one step that are shown in full; the report has all.
const SHOWN_PER_STEP: usize = 8;

/// Tells of every entry once it is durable.
pub struct Watch {
    screen: Arc<Screen>,
    standing: Standing,
    seen: Mutex<Seen>,
}

/// What was said before, as far as it matters for what is said next.
#[derive(Default)]
struct Seen {
    phase: Option<Phase>,
    findings: usize,
    gaps: usize,
}

impl Watch {
    /// Tells it on `screen`.
    pub fn new(screen: Arc<Screen>) -> Self {
        Self { screen, standing: Standing::default(), seen: Mutex::default() }
    }

    /// The journal whose entries are told lies in `dir`.
    pub fn follow(&self, dir: &Path) {
        self.standing.follow(dir);
    }

    /// What is left of the run.
    pub fn standing(&self) -> Standing {
        self.standing.clone()
    }

    fn say(&self, least: Volume, line: &str) {
        if self.screen.volume() >= least {
            self.screen.say(line);
        }
    }

    /// Says how many findings or gaps were held back, once something else is told.
    fn collapse(&self, told: &mut usize, what: impl Fn(usize) -> String, style: &Style) {
        let told = std::mem::take(told);
        if told > SHOWN_PER_STEP {
            let line = format!("  {} and {}, see the report", style.symbol(Symbol::More), what(told - SHOWN_PER_STEP));
            self.say(Volume::Normal, &line);
        }
    }

    /// A heading with room above it.
    fn say_heading(&self, least: Volume, title: &str, style: &Style) {
        self.say(least, &format!("\n{}", style.heading(title)));
    }

    fn tell(&self, entry: &Entry, state: &IncidentState, style: &Style) {
        let run = entry.run.as_ref().and_then(|id| state.run(id));
        let step = run.zip(entry.path.as_ref()).and_then(|(run, path)| run.step(path));
        let id = entry.path.as_ref().map_or("", |path| path.as_str());
        let label = |word: &str, tone, text: &str| labelled(word, tone, text, style);
        match &entry.event {
            Event::StepBegan => {
                if let Some(planned) = planned(run, entry) {
                    self.begin(planned, style);
                }
            }
            Event::StepSkipped { reason, cause, .. } => {
                // The condition is for whoever wrote the runbook; it stands in the report.
                let is_brief = *cause == SkipCause::When && self.screen.volume() < Volume::Verbose;
                let reason = if is_brief { "not needed: its condition is not met" } else { reason };
                let line = ended_line(Symbol::Skipped, Tone::Faint, id, &format!("skipped: {reason}"), style);
                self.say(Volume::Normal, &line);
            }
            Event::WentOn { basis: Basis::Plan | Basis::UpTo(_) } => {
                let text = "with the rest of the list: the first row is proven";
                self.say(Volume::Normal, &label("goes on", Tone::Good, text));
            }
            Event::StepDone { summary, .. } => {
                self.tell_missing(run, entry, style);
                let took = step.map(|step| format!(" ({})", took(step))).unwrap_or_default();
                let (symbol, tone) = match run.zip(step).is_some_and(|(run, step)| run.is_wanting(step)) {
                    true => (Symbol::Skipped, Tone::Care),
                    false => (Symbol::Done, Tone::Good),
                };
                let line = ended_line(symbol, tone, id, &format!("{summary}{took}"), style);
                self.say(Volume::Normal, &line);
            }
            Event::StepFailed { error, hint } => {
                let line = ended_line(Symbol::Failed, Tone::Alarm, id, &format!("failed: {error}"), style);
                self.say(Volume::Quiet, &line);
                if let Some(hint) = hint {
                    self.say(Volume::Quiet, &label("hint", Tone::Care, hint));
                }
            }
            Event::FailureDecided { decision, words } => {
                let decided = match decision {
                    FailureDecision::Retry => "begin it again".to_owned(),
                    FailureDecision::Continue => "go on without it".to_owned(),
                    FailureDecision::Jump(later) => format!("go on at `{later}`"),
                };
                // Where nobody was asked, nobody knows it yet.
                let (word, least) = match words == FailureDecision::BY_RUNBOOK {
                    true => ("failed", Volume::Quiet),
                    false => ("decided", Volume::Normal),
                };
                self.say(least, &label(word, Tone::Faint, &format!("{decided}: {words}")));
            }
            Event::FindingSettled { id, status, detail } => {
                let line = label(settled_word(*status), Tone::Good, &format!("{id}: {detail}"));
                self.say(Volume::Normal, &line);
            }
            Event::Proposed(proposed) => {
                for (name, proof) in proposed.already.iter().take(SHOWN_PER_STEP) {
                    self.say(Volume::Normal, &label("already so", Tone::Good, &format!("{name}: {proof}")));
                }
                self.collapse(&mut proposed.already.len(), |more| format!("{more} more that are so already"), style);
                for (name, why) in &proposed.not_proposed {
                    self.say(Volume::Normal, &label("left out", Tone::Care, &format!("{name}: {why}")));
                }
            }
            Event::Consented { effects, basis: basis @ (Basis::Plan | Basis::UpTo(_)), .. } => {
                let by = match basis {
                    Basis::UpTo(danger) => format!("by itself, up to {danger}"),
                    Basis::Plan | Basis::Typed => "by the approved plan, which forecast the very same".to_owned(),
                };
                self.say(Volume::Normal, &label("consented", Tone::Good, &by));
                for consent in effects {
                    self.tell_effect(Volume::Normal, step, &consent.effect, style);
                }
            }
            Event::Consented { left, .. } | Event::RowsLeft { left } => {
                for (at, row) in left.iter().enumerate() {
                    // Rows that were let be are many, and were just decided; what vanished by itself is news.
                    let is_news =
                        matches!(row.disposition, Disposition::AlreadyMet { .. } | Disposition::Unseen { .. });
                    let least = if is_news && at < SHOWN_PER_STEP { Volume::Normal } else { Volume::Verbose };
                    self.tell_effect(least, step, &row.effect, style);
                }
            }
            Event::Seconded { alone: None, .. } => {
                self.say(Volume::Normal, &label("agreed", Tone::Good, &format!("by {}, the second person", entry.by)));
            }
            Event::Seconded { alone: Some(reason), .. } => {
                self.say(Volume::Normal, &label("alone", Tone::Care, &format!("without a second person: {reason}")));
            }
            Event::Intended { effect, .. } => self.tell_effect(Volume::Normal, step, effect, style),
            Event::Settled { effect, .. } | Event::Verified { effect, .. } => {
                let state = effect_of(step, effect);
                let is_bad = state.is_some_and(|state| state.is_in_doubt() || state.needs_decision());
                let least = match state {
                    // What settles it follows, and says the same.
                    Some(state) if state.is_seen_done() => Volume::Verbose,
                    _ if is_bad => Volume::Quiet,
                    _ => Volume::Normal,
                };
                self.tell_effect(least, step, effect, style);
            }
            Event::EffectDecided { effect, decision, words } => {
                let decided = match decision {
                    EffectDecision::Retry => "to be shown again",
                    EffectDecision::Applied => "taken as done",
                    EffectDecision::Abandon => "given up",
                };
                let summary = effect_of(step, effect).map_or("", |state| &state.effect.summary);
                self.say(Volume::Normal, &label("decided", Tone::Faint, &format!("{summary}: {decided}; {words}")));
            }
            Event::AnswerSealed { .. } => {
                self.say(
                    Volume::Normal,
                    &label("sealed", Tone::Good, "the answer with the new secret is in the vault"),
                );
            }
            Event::EvidenceTaken { evidence } => {
                let text = format!("{} {}", evidence.sha256.short(), evidence.source);
                self.say(Volume::Verbose, &label("evidence", Tone::Faint, &text));
            }
            Event::Noted { text, kind } => {
                // Another terminal's stands at no step; who wrote it is news.
                let by = if entry.path.is_none() { format!(" ({})", entry.by) } else { String::new() };
                self.say(Volume::Normal, &label(kind.as_str(), Tone::Faint, &format!("{text}{by}")));
            }
            Event::Attested { text, .. } => {
                self.say(Volume::Normal, &label("did", Tone::Faint, &format!("{text} ({})", entry.by)));
            }
            Event::Waited { end, words } => {
                let text = match (end, words) {
                    (WaitEnd::Elapsed, _) => "its time is over".to_owned(),
                    (WaitEnd::Held, _) => "what was waited for holds".to_owned(),
                    (WaitEnd::CutShort, words) => format!("cut short: {}", words.as_deref().unwrap_or_default()),
                };
                self.say(Volume::Normal, &label("waited", Tone::Faint, &text));
            }
            Event::PlanApproved(approved) => {
                let text = format!("{} of the plan consented to", count(approved.covered(), "change"));
                self.say(Volume::Normal, &label("approved", Tone::Good, &text));
            }
            Event::PlanAmended(amended) => {
                for change in &amended.changes {
                    self.say(Volume::Normal, &label("accepted", Tone::Care, change));
                }
            }
            Event::SecretRevealed { to, .. } => {
                self.say(Volume::Normal, &label("revealed", Tone::Care, &format!("a sealed secret, to the {to}")));
            }
            Event::DeliveryIntended { sink, to, .. } => {
                self.say(Volume::Normal, &label("hand over", Tone::Faint, &format!("a sealed secret to {sink}: {to}")));
            }
            Event::DeliverySettled { sink, outcome, seen, .. } => {
                let (word, tone) = match outcome {
                    Outcome::Applied => ("delivered", Tone::Good),
                    Outcome::Unknown(_) => ("in doubt", Tone::Alarm),
                    Outcome::Refused(_) | Outcome::NotSent(_) => ("not sent", Tone::Care),
                };
                let why = outcome.why().unwrap_or(seen);
                self.say(Volume::Normal, &label(word, tone, &format!("a sealed secret to {sink}: {why}")));
            }
            Event::CredentialSwitched { credential: to, .. } => {
                let text = format!("the run acts as {} from here on", credential(to));
                self.say(Volume::Normal, &label("switched", Tone::Good, &text));
            }
            Event::RunResumed { .. } => self.say_heading(Volume::Normal, "the run goes on", style),
            Event::TornTail { bytes, .. } => {
                let text = format!("the last process died while writing: {bytes} bytes of a half line were cut off");
                self.say(Volume::Quiet, &label("journal", Tone::Care, &text));
            }
            Event::Paused { reason } => {
                let incident = state.id.as_ref().map_or("", |id| id.as_str());
                self.say_heading(Volume::Quiet, "paused", style);
                self.say(Volume::Quiet, &label("why", Tone::Care, reason));
                self.say(Volume::Quiet, &label("go on", Tone::Faint, &format!("`quell resume {incident}`")));
            }
            Event::Expanded(expanded) => {
                if expanded.round > 1 {
                    self.say(
                        Volume::Normal,
                        &format!("\n{}", style.heading(&format!("{id}: round {}", expanded.round))),
                    );
                }
            }
            Event::RunEnding { .. } => {
                self.say_heading(Volume::Normal, "ended early; what is done in any case follows", style);
            }
            Event::RunClosed { outcome, reason } => self.close(*outcome, reason, run, state, style),
            Event::IncidentOpened { .. }
            | Event::DriverTaken { .. }
            | Event::RunOpened(_)
            | Event::PlanSealed(_)
            | Event::FindingMade { .. }
            | Event::GapSeen { .. }
            | Event::Rechecked
            | Event::WentOn { basis: Basis::Typed }
            | Event::Answered { .. }
            | Event::IncidentClosed { .. }
            | Event::ReportWritten { .. } => {}
        }
    }

    fn begin(&self, planned: &PlannedStep, style: &Style) {
        let mark = if style.rehearsal { " [REHEARSAL]" } else { "" };
        let id = style.show(planned.path.as_str());
        self.say(Volume::Normal, "");
        let title = wrap(&format!("{id}: {}{mark}", style.show(&planned.title)), style.columns(), "", "  ");
        for line in title {
            self.say(Volume::Normal, &style.paint(Tone::Strong, &line));
        }
        for paragraph in planned.why.iter().flat_map(|why| why.lines()) {
            for line in wrap(&style.show(paragraph), style.columns(), "  ", "  ") {
                self.say(Volume::Normal, &style.paint(Tone::Faint, &line));
            }
        }
    }

    fn tell_effect(&self, least: Volume, step: Option<&StepState>, key: &EffectKey, style: &Style) {
        if let Some(state) = effect_of(step, key) {
            self.say(least, &effect_line(state, style));
        }
    }

    /// What the approved plan forecast of a step that has ended, and never came up.
    fn tell_missing(&self, run: Option<&RunState>, entry: &Entry, style: &Style) {
        let Some((run, path)) = run.zip(entry.path.as_ref()) else { return };
        let Some(approval) = run.approval() else { return };
        let missing = |planned: &&PlannedEffect| planned.path == *path && run.effect(&planned.key).is_none();
        for planned in approval.plan.effects.iter().filter(missing) {
            let text = format!("{}: the plan forecast it, and it did not come up", planned.summary);
            self.say(Volume::Normal, &labelled("not now", Tone::Care, &text, style));
        }
    }

    fn close(&self, outcome: RunOutcome, reason: &str, run: Option<&RunState>, state: &IncidentState, style: &Style) {
        let title = match outcome {
            RunOutcome::Done => "the run is done",
            RunOutcome::Aborted => "the run was ended early",
        };
        self.say_heading(Volume::Quiet, title, style);
        self.say(Volume::Quiet, &labelled("why", Tone::Faint, reason, style));
        let steps = run.map(tally).unwrap_or_default();
        self.say(Volume::Quiet, &labelled("steps", Tone::Faint, &steps, style));
        let open = state.findings.values().filter(|finding| finding.status == FindingStatus::Open).count();
        let text = format!("{} in all, {open} open", state.findings.len());
        self.say(Volume::Quiet, &labelled("findings", Tone::Faint, &text, style));
        let gaps = format!("{}, listed in the report", count(state.gaps.len(), "gap"));
        if !state.gaps.is_empty() {
            self.say(Volume::Quiet, &labelled("not seen", Tone::Care, &gaps, style));
        }
    }
}

impl Observer for Watch {
    fn entry(&self, entry: &Entry, state: &IncidentState) {
        if state.world.as_ref().is_some_and(crate::model::World::is_rehearsal) {
            self.screen.mark_rehearsal();
        }
        let style = self.screen.style();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match &entry.event {
            Event::FindingMade { finding } => {
                seen.findings += 1;
                if seen.findings <= SHOWN_PER_STEP {
                    self.say(Volume::Normal, &finding_line(finding, &style));
                }
                return;
            }
            Event::GapSeen { gap } => {
                self.collapse(&mut seen.findings, |more| count(more, "more finding"), &style);
                seen.gaps += 1;
                if seen.gaps <= SHOWN_PER_STEP {
                    self.say(Volume::Quiet, &gap_line(gap, &style));
                }
                return;
            }
            Event::EvidenceTaken { .. } => {}
            _ => {
                self.collapse(&mut seen.findings, |more| count(more, "more finding"), &style);
                self.collapse(&mut seen.gaps, |more| count(more, "more gap"), &style);
            }
        }
        let run = entry.run.as_ref().and_then(|id| state.run(id));
        let phase = planned(run, entry).map(|planned| planned.phase);
        if matches!(entry.event, Event::StepBegan | Event::StepSkipped { .. }) && phase != seen.phase {
            seen.phase = phase;
            if let Some(phase) = phase {
                self.say_heading(Volume::Normal, phase.as_str(), &style);
            }
        }
        self.tell(entry, state, &style);
    }
}

fn planned<'r>(run: Option<&'r RunState>, entry: &Entry) -> Option<&'r PlannedStep> {
    run?.planned(entry.path.as_ref()?).map(Arc::as_ref)
}

fn effect_of<'s>(step: Option<&'s StepState>, key: &EffectKey) -> Option<&'s EffectState> {
    step.and_then(|step| step.effect(key))
}

fn took(step: &StepState) -> String {
    match (step.began, step.ended) {
        (Some(began), Some(ended)) => duration(ended.duration_since(began)),
        _ => "time not known".to_owned(),
    }
}

const fn settled_word(status: FindingStatus) -> &'static str {
    match status {
        FindingStatus::Open => "open",
        FindingStatus::Contained => "contained",
        FindingStatus::Reverted => "reverted",
        FindingStatus::RuledOut => "ruled out",
        FindingStatus::Accepted => "accepted",
    }
}

/// `9 done, 2 skipped, 1 failed, 3 not begun`.
fn tally(run: &RunState) -> String {
    let planned = run.plan.as_ref().map_or(0, |plan| plan.steps.len());
    let number = |wanted: fn(&StepStatus) -> bool| run.steps.values().filter(|step| wanted(&step.status)).count();
    let done = number(|status| matches!(status, StepStatus::Done { .. }));
    let skipped = number(|status| matches!(status, StepStatus::Skipped { .. }));
    let failed = number(|status| matches!(status, StepStatus::Failed { .. }));
    let left = planned.saturating_sub(done + skipped + failed);
    let parts = [(done, "done"), (skipped, "skipped"), (failed, "failed"), (left, "not ended")];
    let parts: Vec<_> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")).collect();
    parts.join(", ")
}
