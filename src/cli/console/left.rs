use super::{Style, Tone, count, effect_line, shorten, wrap};
use crate::journal::{EffectState, EffectStatus, RunState, StepStatus};
use crate::model::{Disposition, StepPath};

/// Changes of one kind that are named; the report has all.
const NAMED: usize = 5;

/// What becomes of a change when its run ends now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    InDoubt,
    NotDone,
    Done,
    Left,
}

/// What a run leaves if it is ended now: which changes are in doubt, which are not done, which are; the steps that have
/// not begun, and those that are done in any case. Fits a screen, and ends with a line break.
pub fn left_text(run: &RunState, style: &Style) -> String {
    let steps = || run.plan.iter().flat_map(|plan| &plan.steps);
    let effects: Vec<&EffectState> =
        steps().filter_map(|planned| run.step(&planned.path)).flat_map(|step| &step.effects).collect();
    let mut out = String::new();
    for (fate, title, tone) in [
        (Fate::InDoubt, "in doubt", Tone::Alarm),
        (Fate::NotDone, "not done", Tone::Care),
        (Fate::Done, "done", Tone::Good),
        (Fate::Left, "left as they are, or to somebody", Tone::Faint),
    ] {
        let of: Vec<&&EffectState> = effects.iter().filter(|state| self::fate(state) == fate).collect();
        if of.is_empty() {
            continue;
        }
        out.push_str(&style.paint(tone, &format!("{title}: {}", count(of.len(), "change"))));
        out.push('\n');
        for state in of.iter().take(NAMED) {
            // The proofs stand in the report: here a change is one line.
            let line = effect_line(state, &Style { colour: false, width: usize::MAX, ..*style });
            out.push_str(&shorten(&line, style.columns(), style));
            out.push('\n');
        }
        if of.len() > NAMED {
            out.push_str(&format!("  and {} more\n", of.len() - NAMED));
        }
    }
    if effects.is_empty() {
        out.push_str("no change was made or proposed\n");
    }
    let named = |wanted: &dyn Fn(bool, &StepStatus) -> bool| {
        let of = steps().filter(|step| wanted(step.finally, run.status(&step.path)) && run.counts(step));
        of.map(|step| &step.path).collect::<Vec<_>>()
    };
    let under_way = named(&|finally, status| !finally && !status.is_final() && *status != StepStatus::Pending);
    let pending = named(&|finally, status| !finally && *status == StepStatus::Pending);
    let in_any_case = named(&|finally, status| finally && !status.is_final());
    for (title, paths) in
        [("broken off", under_way), ("not begun", pending), ("done all the same, before it ends", in_any_case)]
    {
        if !paths.is_empty() {
            let text = format!("{title}: {}", listed(&paths));
            for line in wrap(&style.show(&text), style.columns(), "", "  ") {
                out.push_str(&line);
                out.push('\n');
            }
        }
    }
    out
}

/// `cut, roll, revoke and 4 more`.
pub(super) fn listed(paths: &[&StepPath]) -> String {
    let named: Vec<&str> = paths.iter().take(NAMED).map(|path| path.as_str()).collect();
    let more = paths.len().saturating_sub(NAMED);
    if more == 0 { named.join(", ") } else { format!("{} and {more} more", named.join(", ")) }
}

const fn fate(state: &EffectState) -> Fate {
    match &state.status {
        EffectStatus::Open | EffectStatus::Unknown | EffectStatus::VerifyFailed => Fate::InDoubt,
        EffectStatus::Applied | EffectStatus::Finished | EffectStatus::Left(Disposition::AlreadyMet { .. }) => {
            Fate::Done
        }
        EffectStatus::Proposed
        | EffectStatus::Consented(_)
        | EffectStatus::Refused
        | EffectStatus::Abandoned
        | EffectStatus::Left(Disposition::Unseen { .. }) => Fate::NotDone,
        EffectStatus::Left(Disposition::Later { .. } | Disposition::Keep { .. }) => Fate::Left,
    }
}
