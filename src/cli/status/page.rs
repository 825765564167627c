//! Where an incident stands, in full, as people read it.

use std::sync::Arc;

use jiff::Timestamp;

use super::subject;
use crate::cli::console::{Column, Room, Style, Timers, count, duration, table, wrap};
use crate::cli::outcome;
use crate::journal::{IncidentState, PlannedStep, RunOutcome, RunState};
use crate::model::FindingStatus;

/// The clocks, the runs, the steps, what is in doubt, and how much was found. Fits the width.
pub(in crate::cli) fn text(state: &IncidentState, now: Timestamp, style: &Style) -> String {
    let line = |text: &str| wrap(&style.show(text), style.columns(), "", "  ").join("\n") + "\n";
    let id = state.id.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut out = line(&format!("incident {id}: {}", state.title));
    let Some(run) = subject(state) else {
        out.push_str("no run has begun\n");
        return out;
    };
    let opened = &run.opened;
    out.push_str(&line(&format!(
        "{} at {}, account {} ({})",
        opened.world, opened.api, opened.account.name, opened.account.id
    )));
    let told = Timers::of(run, &state.notes).told(now);
    let clocks = if told.text.is_empty() { String::new() } else { format!("; {}", told.text) };
    out.push_str(&line(&format!("open for {}{clocks}", duration(now.duration_since(run.opened_at)))));
    if !opened.roles.is_empty() {
        let each: Vec<String> = opened.roles.iter().map(|(role, name)| format!("{role} {name}")).collect();
        out.push_str(&line(&each.join(", ")));
    }
    out.push_str(&line(&standing(run)));
    for other in state.runs.iter().filter(|other| other.opened.run != run.opened.run) {
        let is_first = state.latest_run().is_some_and(|first| first.opened.run == other.opened.run);
        let open = if is_first { "open, and `quell resume` goes on with it first" } else { "rests meanwhile" };
        let stands = other.closed.map_or(open, RunOutcome::as_str);
        out.push_str(&line(&format!("run {} of {}: {stands}", other.opened.run, other.opened.runbook)));
    }
    if let Some(closing) = &state.closing {
        let at = closing.at.strftime("%F %H:%MZ");
        let text =
            format!("incident closed {at} by {}, with {} open matters accepted", closing.by, closing.accepted.len());
        out.push_str(&line(&text));
    }
    for amended in &run.amended {
        let at = amended.at.strftime("%F %H:%MZ");
        let text = format!("plan amended {at} by {}: {}; {}", amended.by, amended.words, amended.changes.join("; "));
        out.push_str(&line(&text));
    }
    out.push('\n');
    out.push_str(&steps(run, style));
    if let Some(leaked) = &run.opened.leaked {
        out.push('\n');
        out.push_str(&line(&format!("leaked value of {}: {}", leaked.token, tried(run, &leaked.token))));
    }
    let effects = run.steps.values().flat_map(|step| &step.effects);
    for state in effects.filter(|state| state.is_in_doubt()) {
        out.push('\n');
        out.push_str(&line(&format!("IN DOUBT: {} ({})", state.effect.summary, state.effect.key)));
    }
    let open = state.findings.values().filter(|finding| finding.status == FindingStatus::Open).count();
    out.push('\n');
    out.push_str(&line(&format!(
        "{}, {open} of them open; {}; {} pieces of evidence",
        count(state.findings.len(), "finding"),
        count(state.gaps.len(), "gap"),
        state.evidence.len()
    )));
    out
}

/// Every step and where it stands.
fn steps(run: &RunState, style: &Style) -> String {
    let columns = [
        Column::new("state", Room::Whole),
        Column::new("phase", Room::Spare),
        Column::new("step", Room::Whole),
        Column::new("", Room::Below(20)),
    ];
    let planned = run.plan.iter().flat_map(|plan| &plan.steps);
    let row = |planned: &Arc<PlannedStep>| {
        let (path, phase) = (planned.path.to_string(), planned.phase.to_string());
        vec![run.word(&planned.path).to_owned(), phase, path, planned.title.clone()]
    };
    let rows: Vec<Vec<String>> = planned.map(row).collect();
    if rows.is_empty() { String::new() } else { table(&columns, &rows, style) }
}

/// What came of trying the leaked value of this token; its latest cut counts.
fn tried(run: &RunState, token: &str) -> String {
    let effects = run.steps.values().flat_map(|step| &step.effects);
    let mut verdicts =
        effects.filter(|state| state.effect.target.id == token).filter_map(|state| state.verdict.as_ref());
    verdicts.next_back().map_or_else(|| "not tried yet: the token is not cut".to_owned(), |it| it.detail().to_owned())
}

/// One sentence: running, resting, or ended, and what comes next.
fn standing(run: &RunState) -> String {
    if let Some(outcome) = run.closed {
        return format!("run {}: {}", run.opened.run, outcome.as_str());
    }
    let next = crate::engine::comes_next(run);
    let next = next.map_or_else(|| "nothing is planned yet".to_owned(), |next| outcome::next_words(&next));
    match &run.paused {
        Some(reason) => format!("run {} rests ({}); next: {next}; go on with `quell resume`", run.opened.run, reason),
        None => format!("run {} is under way, or its process died; next: {next}", run.opened.run),
    }
}
