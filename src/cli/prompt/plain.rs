//! The screens of the questions that are answered with a single word.

use std::time::Duration;

use super::inspect::labelled;
use super::verb::VERBS;
use crate::cli::console::{Style, Tone, count, effect_line, still, wrap};
use crate::engine::{FailureRequest, GoOnRequest, SecondRequest, UnmetRequest, WaitRequest};

/// The screen of a failed step. Ends with a line break.
pub fn failure_text(request: &FailureRequest<'_>, style: &Style) -> String {
    let mut out = format!("\n{}\n", style.heading(&format!("{}: failed", request.step.path)));
    out.push_str(&labelled("error", request.error, style));
    if let Some(hint) = request.hint {
        out.push_str(&labelled("hint", hint, style));
    }
    let choices = ["retry REASON: begin the step again", "skip REASON: go on without it; steps that need it will ask"];
    out.push_str(&choices_text(&choices, style));
    out
}

/// The screen between the first row of a list and the rest. Ends with a line break.
pub fn go_on_text(request: &GoOnRequest<'_>, style: &Style) -> String {
    let title = format!("{}: the first is done, {} to go", request.step.path, count(request.rest, "row"));
    let mut out = format!("\n{}\n{}\n", style.heading(&title), effect_line(request.first, style));
    let rest = format!("go on with the rest? y/N: type `y` to go on with {}", count(request.rest, "row"));
    let choices = [rest.as_str(), "skip REASON: leave the rest as it is"];
    out.push_str(&choices_text(&choices, style));
    out
}

/// The screen of a step whose required steps were not done. Ends with a line break.
pub fn unmet_text(request: &UnmetRequest<'_>, style: &Style) -> String {
    let title = format!("{}: something it needs was not done", request.step.path);
    let mut out = format!("\n{}\n", style.heading(&title));
    for line in wrap(&style.show(&request.step.title), style.columns(), "", "  ") {
        out.push_str(&style.paint(Tone::Strong, &line));
        out.push('\n');
    }
    for (id, why) in &request.unmet {
        out.push_str(&labelled("missing", &format!("{id}: {why}"), style));
    }
    let choices = ["run: do it all the same", "skip REASON: leave it"];
    out.push_str(&choices_text(&choices, style));
    out
}

/// The screen of a change that a second person is to agree to. Ends with a line break.
pub fn second_text(request: &SecondRequest<'_>, style: &Style) -> String {
    let mut out = format!("\n{}\n", style.heading(&format!("{}: a second person is to agree", request.step.path)));
    for effect in &request.effects {
        out.push_str(&labelled("change", &effect.summary, style));
    }
    let incident = request.incident.map(|id| format!(" {id}")).unwrap_or_default();
    out.push_str(&labelled("they run", &format!("quell approve{incident}"), style));
    out.push_str(&labelled("code", request.code, style));
    let how = "at another terminal, or a machine that shares this folder; they see the same changes and type the code. \
               Nothing is sent before";
    out.push_str(&labelled("where", how, style));
    let choices = ["alone REASON: go on without a second person; the report says so", "skip REASON: leave it"];
    out.push_str(&choices_text(&choices, style));
    out
}

/// What stands above the clock of a wait. Ends with a line break.
pub fn wait_text(request: &WaitRequest<'_>, style: &Style) -> String {
    let mut out = format!("\n{}\n", style.heading(&format!("{}: waiting", request.step.path)));
    out.push_str(&labelled("for", &request.wait.message, style));
    let left = match request.wait.every.map(Duration::from_secs) {
        None => still(request.left),
        Some(every) => format!("at most {}, looked at every {}", still(request.left), still(every)),
    };
    out.push_str(&labelled("left", &left, style));
    let how = format!("press return to say something: go on REASON; or {VERBS}");
    for line in wrap(&how, style.columns(), "", "  ") {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

fn choices_text(choices: &[&str], style: &Style) -> String {
    let mut out = String::from("\n");
    let others = format!("or: {VERBS}");
    for choice in choices.iter().copied().chain([others.as_str()]) {
        for line in wrap(&style.show(choice), style.columns(), "", "    ") {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}
