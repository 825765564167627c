//! Everything that the sections are written from, gathered once.

use super::Source;
use super::facts::OutputFacts;
use super::trail::{Trail, Trails};
use crate::journal::{
    EffectState, EffectStatus, Entry, Event, PlannedStep, RunState, SettledBy, SkipCause, StepState, StepStatus,
};
use crate::model::{Call, Disposition, Outcome, StepPath, Verdict};

/// The material of a report.
pub(super) struct Book<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) facts: OutputFacts,
    pub(super) trails: Trails,
}

/// One effect, with where it stands in the plan. Its number is what tables refer to: `E4`.
pub(super) struct Numbered<'a> {
    pub(super) number: usize,
    pub(super) run: &'a RunState,
    pub(super) planned: &'a PlannedStep,
    pub(super) step: &'a StepState,
    pub(super) state: &'a EffectState,
}

/// What became of an effect, told apart so that knowing, believing and doubting are never one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Done, and a read showed it.
    Proven,
    /// It was so before anything was done.
    AlreadySo,
    /// Nobody knows whether it is in place, or a read says that it is not.
    InDoubt,
    /// Done, as a person says; no read shows it.
    OnWord,
    /// Done, as the answer to it says; no read shows it.
    Unverified,
    /// Proposed, and neither done nor settled by anybody's decision to leave it.
    NotCarriedThrough,
    /// Left to somebody, or kept as it is.
    Left,
}

impl Fate {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "done and proven",
            Self::AlreadySo => "already so",
            Self::InDoubt => "in doubt",
            Self::OnWord => "on somebody's word",
            Self::Unverified => "done, not verified",
            Self::NotCarriedThrough => "not carried through",
            Self::Left => "left",
        }
    }
}

impl<'a> Book<'a> {
    pub(super) fn open(source: &'a Source<'a>) -> Self {
        Self { source, facts: OutputFacts::read(source), trails: Trails::follow(source.entries) }
    }

    /// Every step of every plan, in order, with its state where it has begun.
    pub(super) fn steps(&self) -> impl Iterator<Item = (&'a RunState, &'a PlannedStep, Option<&'a StepState>)> {
        let source = self.source;
        source.state.runs.iter().flat_map(|run| {
            let steps = run.plan.as_ref().map(|plan| plan.steps.as_slice()).unwrap_or_default();
            steps.iter().map(move |planned| (run, &**planned, run.step(&planned.path)))
        })
    }

    /// Every effect, in the order of the plans.
    pub(super) fn effects(&self) -> impl Iterator<Item = Numbered<'a>> {
        let all = self.steps().filter_map(|(run, planned, step)| step.map(|step| (run, planned, step)));
        let all =
            all.flat_map(|(run, planned, step)| step.effects.iter().map(move |state| (run, planned, step, state)));
        (1..).zip(all).map(|(number, (run, planned, step, state))| Numbered { number, run, planned, step, state })
    }

    pub(super) fn trail(&self, effect: &Numbered<'_>) -> Option<&Trail> {
        self.trails.of(&effect.run.opened.run, &effect.state.effect.key)
    }

    /// What undid an effect, if it was undone.
    pub(super) fn undone_by(&self, effect: &Numbered<'_>) -> Option<Numbered<'a>> {
        let undone = self.source.state.undone_by(&effect.run.opened.run, &effect.state.effect)?;
        self.effects().find(|other| std::ptr::eq(other.state, undone.state))
    }

    /// Where an effect stands, in words; with what undid it.
    pub(super) fn standing(&self, effect: &Numbered<'_>) -> String {
        match self.undone_by(effect) {
            Some(by) => format!("{}, then undone by {}", effect.standing(), by.label()),
            None => effect.standing(),
        }
    }

    /// A step's address; with the run in front where there are several.
    pub(super) fn step_name(&self, run: &RunState, path: &StepPath) -> String {
        if self.source.state.runs.len() > 1 { format!("{}:{path}", run.opened.run) } else { path.to_string() }
    }

    /// Who wrote an entry, and whether a file answered for them.
    pub(super) fn writer(&self, entry: &Entry) -> String {
        match self.trails.file(entry.seq) {
            Some(_) => format!("{}, by answers file", person(entry)),
            None => person(entry),
        }
    }

    /// What an entry is about: `pace (Evidence first, or cut now?)`, or the incident.
    pub(super) fn about(&self, entry: &Entry) -> String {
        let Some(path) = &entry.path else { return "the incident".to_owned() };
        let run = entry.run.as_ref().and_then(|run| self.source.state.run(run));
        let planned = run.and_then(|run| run.planned(path));
        planned.map_or_else(|| path.to_string(), |planned| format!("{path} ({})", planned.title))
    }

    /// Whether the zone of this name is one of those that matter most.
    pub(super) fn is_crown_jewel(&self, zone: &str) -> bool {
        self.source.state.runs.iter().any(|run| run.opened.crown_jewels.iter().any(|jewel| jewel == zone))
    }

    /// When the first entry that `matches` was written.
    pub(super) fn first(&self, matches: impl Fn(&Event) -> bool) -> Option<&'a Entry> {
        self.source.entries.iter().find(|entry| matches(&entry.event))
    }
}

impl Numbered<'_> {
    /// `E4`.
    pub(super) fn label(&self) -> String {
        format!("E{}", self.number)
    }

    /// Seen to be in place.
    pub(super) const fn is_proven(&self) -> bool {
        matches!((&self.state.status, &self.state.verdict), (EffectStatus::Finished, Some(Verdict::Holds(_))))
            || matches!(self.state.status, EffectStatus::Left(Disposition::AlreadyMet { .. }))
    }

    /// The verb of what it does: `disable`, `rotate`.
    pub(super) fn verb(&self) -> &str {
        let declared = self.step.proposed.as_ref().map(|proposed| proposed.verb.as_str());
        let of_action = self.state.effect.action.rsplit('.').next();
        declared.filter(|verb| !verb.is_empty()).or(of_action).unwrap_or_default()
    }

    /// Takes a credential out of use.
    pub(super) fn cuts(&self) -> bool {
        matches!(self.verb(), "disable" | "revoke")
    }

    /// Gives a credential back its use.
    pub(super) fn restores(&self) -> bool {
        self.verb() == "restore"
    }

    /// Replaces a credential's value.
    pub(super) fn rotates(&self) -> bool {
        matches!(self.verb(), "rotate" | "roll")
    }

    /// Why it was not done, where a person skipped its step before it was.
    pub(super) fn skipped(&self) -> Option<&str> {
        let was_left = matches!(self.state.status, EffectStatus::Proposed | EffectStatus::Consented(_));
        match &self.step.status {
            StepStatus::Skipped { reason, cause: SkipCause::Person, .. } if was_left => Some(reason),
            _ => None,
        }
    }

    /// What became of it.
    pub(super) fn fate(&self) -> Fate {
        let unverified = if self.was_taken_on_word() { Fate::OnWord } else { Fate::Unverified };
        match &self.state.status {
            _ if self.skipped().is_some() => Fate::Left,
            EffectStatus::Finished => match &self.state.verdict {
                Some(Verdict::DoesNotHold(_)) => Fate::InDoubt,
                Some(Verdict::Holds(_)) if !self.was_settled_by_word() => Fate::Proven,
                _ => unverified,
            },
            EffectStatus::Applied => unverified,
            EffectStatus::Open | EffectStatus::Unknown | EffectStatus::VerifyFailed => Fate::InDoubt,
            EffectStatus::Left(Disposition::AlreadyMet { .. }) => Fate::AlreadySo,
            EffectStatus::Left(Disposition::Later { .. } | Disposition::Keep { .. }) => Fate::Left,
            EffectStatus::Left(Disposition::Unseen { .. })
            | EffectStatus::Proposed
            | EffectStatus::Consented(_)
            | EffectStatus::Refused
            | EffectStatus::Abandoned => Fate::NotCarriedThrough,
        }
    }

    /// A person's word settled a request of which the answer was lost.
    fn was_settled_by_word(&self) -> bool {
        self.was_taken_on_word() && !self.is_by_hand()
    }

    /// Nothing but a person's word says that it was done.
    fn was_taken_on_word(&self) -> bool {
        let by = self.state.attempts.last().and_then(|attempt| attempt.by);
        by == Some(SettledBy::Person) || self.is_by_hand()
    }

    const fn is_by_hand(&self) -> bool {
        matches!(self.state.effect.call, Call::Hand(_))
    }

    /// Where it stands, in words.
    pub(super) fn standing(&self) -> String {
        let why = self.state.outcome().and_then(Outcome::why).unwrap_or_default();
        if let Some(reason) = self.skipped() {
            return format!("not done, its step was skipped: {reason}");
        }
        match &self.state.status {
            EffectStatus::Proposed if self.state.attempts.is_empty() => "proposed, not decided".to_owned(),
            EffectStatus::Proposed => "to be tried again, not consented to yet".to_owned(),
            EffectStatus::Consented(_) => "consented to, not done".to_owned(),
            EffectStatus::Open => "in doubt: no outcome is recorded".to_owned(),
            EffectStatus::Unknown => format!("in doubt: {why}"),
            EffectStatus::Refused => format!("not done: {why}"),
            EffectStatus::Applied => "done, not looked at".to_owned(),
            EffectStatus::VerifyFailed if self.was_taken_on_word() => {
                "done by somebody's word; a read does not show it".to_owned()
            }
            EffectStatus::VerifyFailed => "done by the provider's word; a read does not show it".to_owned(),
            EffectStatus::Finished => match &self.state.verdict {
                Some(Verdict::Holds(_)) => "done and proven".to_owned(),
                Some(Verdict::DoesNotHold(_)) => "taken as done; a read does not show it".to_owned(),
                Some(Verdict::CannotTell(_)) => "done, could not be verified".to_owned(),
                None => "taken as done, not verified".to_owned(),
            },
            EffectStatus::Left(disposition) => left_in_words(disposition),
            EffectStatus::Abandoned => match &self.state.words {
                Some(words) => format!("given up: {words}"),
                None => "given up".to_owned(),
            },
        }
    }
}

/// What becomes of a row that was not chosen.
pub(super) fn left_in_words(disposition: &Disposition) -> String {
    match disposition {
        Disposition::Later { owner } => format!("left to {owner}"),
        Disposition::Keep { reason } => format!("kept: {reason}"),
        Disposition::AlreadyMet { proof } => format!("already so: {proof}"),
        Disposition::Unseen { why } => format!("not done, for it could not be seen any more: {why}"),
    }
}

/// Who wrote an entry, with their role: `ann (commander)`.
pub(super) fn person(entry: &Entry) -> String {
    entry.role.map_or_else(|| entry.by.clone(), |role| format!("{} ({role})", entry.by))
}

/// True where the step has not ended.
pub(super) fn is_unended(step: Option<&StepState>) -> bool {
    step.is_none_or(|step| !step.status.is_final() && !matches!(step.status, StepStatus::Failed { .. }))
}
