use jiff::{SignedDuration, Timestamp};

use super::TypedLines;
use super::inspect::labelled;
use super::line::one_line;
use super::verb::Verb;
use crate::cli::console::{Screen, Style, count, duration, wrap};
use crate::cli::plan_document::PlanDocument;
use crate::engine::{Asked, Interrupt, Prediction};
use crate::journal::PlannedEffect;
use crate::model::Danger;

/// What was seen longer ago is said to be old.
const OLD: SignedDuration = SignedDuration::from_hours(24);

/// What came of asking for the approval of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Approved {
    /// It is approved, with what was typed.
    Yes(String),
    /// It is not: the person leaves.
    No,
    /// The person is gone, or stopped it.
    Stopped,
}

/// The screen of a plan that is to be approved: what it is bound to, how old it is, to what the approval consents, and
/// what is asked for all the same. Ends with a line break.
pub(crate) fn approve_text(
    plan: &PlanDocument,
    effects: &[(PlannedEffect, Option<Asked>)],
    now: Timestamp,
    style: &Style,
) -> String {
    let mut out = format!("\n{}\n", style.heading("a plan to approve"));
    let mut row = |label: &str, text: &str| out.push_str(&labelled(label, text, style));
    let age = now.duration_since(plan.made_at);
    row("made", &format!("{}, {} ago, by quell {}", plan.made_at.strftime("%F %H:%MZ"), duration(age), plan.tool));
    if age > OLD {
        row("OLD", "much may have changed since; what did is named and asked for when its turn comes");
    } else if age.is_negative() {
        row("clock", "by this machine's clock it is made in the future: one of the two clocks is wrong");
    }
    row("runbook", &format!("{} ({}), {}", plan.runbook.name, plan.runbook.sha256.short(), plan.runbook.source));
    row("where", &format!("account {} ({}) at {}", plan.account.name, plan.account.id, plan.api));
    for (name, value) in plan.inputs.iter().filter(|(_, value)| !value.is_null()) {
        row("input", &format!("{name} = {value}"));
    }
    let covered: Vec<&PlannedEffect> =
        effects.iter().filter(|(_, asked)| asked.is_none()).map(|(effect, _)| effect).collect();
    row("consent", &by_danger(&covered));
    for effect in &covered {
        row("", &format!("{}: {}; {}", effect.path, effect.summary, effect.danger));
    }
    for (why, number) in asked_for(effects) {
        row("asked for", &format!("{} when the turn comes: {why}", count(number, "change")));
    }
    let unknown: Vec<&str> = plan
        .steps
        .iter()
        .filter(|step| step.prediction == Prediction::CannotKnow || step.names_incident)
        .map(|step| step.path.as_str())
        .collect();
    if !unknown.is_empty() {
        row("asked for", &format!("what these steps bring, which nobody can know yet: {}", unknown.join(", ")));
    }
    if !plan.gaps.is_empty() {
        row("not seen", &format!("{}; `inspect` lists them", count(plan.gaps.len(), "thing")));
    }
    out.push('\n');
    let wanted = format!("type the first 8 digits of the plan's forecast to approve it: {}", plan.code());
    for text in [wanted.as_str(), "or: inspect (the whole plan), pause, help"] {
        for line in wrap(text, style.columns(), "", "  ") {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

/// `to 5 changes: 2 disruptive, 3 reversible`, the worst first.
fn by_danger(effects: &[&PlannedEffect]) -> String {
    let dangers = [Danger::Irreversible, Danger::Disruptive, Danger::Reversible, Danger::Observe];
    let number = |danger: Danger| effects.iter().filter(|effect| effect.danger == danger).count();
    let parts: Vec<String> = dangers
        .into_iter()
        .filter(|danger| number(*danger) > 0)
        .map(|danger| format!("{} {danger}", number(danger)))
        .collect();
    if parts.is_empty() {
        return "to nothing: every change is asked for when its turn comes".to_owned();
    }
    format!("to {}, without asking again: {}", count(effects.len(), "change"), parts.join(", "))
}

fn asked_for(effects: &[(PlannedEffect, Option<Asked>)]) -> Vec<(Asked, usize)> {
    let mut found: Vec<(Asked, usize)> = Vec::new();
    for why in effects.iter().filter_map(|(_, asked)| *asked) {
        match found.iter_mut().find(|(known, _)| *known == why) {
            Some((_, number)) => *number += 1,
            None => found.push((why, 1)),
        }
    }
    found
}

/// Asks until `code` is typed or the person leaves. What was typed before, or pasted with more, does not count. `whole`
/// is what `inspect` shows.
pub(crate) async fn ask_approval(
    screen: &Screen,
    keys: &dyn TypedLines,
    interrupt: &Interrupt,
    code: &str,
    whole: impl Fn(&Style) -> String,
) -> Approved {
    let _held = screen.hold();
    loop {
        let Some(line) = one_line(screen, keys, interrupt, "plan>").await else { return Approved::Stopped };
        match Verb::parse(&line) {
            None if line.trim() == code => return Approved::Yes(code.to_owned()),
            Some(Verb::Pause | Verb::Abort(_)) => return Approved::No,
            Some(Verb::Inspect(_)) => screen.say(&whole(&screen.style())),
            Some(Verb::Help) => screen.tell(
                "inspect: the whole plan, step by step\npause: leave; nothing has begun, and nothing was sent\nthe digits \
                 stand for every word of the plan: another plan has others",
            ),
            _ => screen.tell(&format!("nothing was approved; type `{code}` to approve the plan, or `pause` to leave")),
        }
    }
}
