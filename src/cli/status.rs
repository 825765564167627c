use std::fmt::Write;
use std::io::{IsTerminal, stdout};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::console::{Timers, count, duration};
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::layout::IncidentDir;
use super::shelves::GENERATED;
use super::{outcome, output};
use crate::escape;
use crate::journal::{EffectState, IncidentState, Inspection, RunOutcome, RunState};

mod brief;

/// How often a watched journal is read again.
const EVERY: Duration = Duration::from_secs(1);

/// Clears a terminal, and begins at its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Where an incident stands: offline, from its journal alone.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Beginning of the incident's id, or its directory; without one, the newest that is open, else the newest.
    incident: Option<String>,

    /// One line without names and ids, to paste where others read: phase, time, whether the cut is proven, harm, next.
    #[arg(long, conflicts_with = "json")]
    brief: bool,

    /// Show it again whenever something happens, until no run is open any more. Ctrl-C ends it; the run goes on.
    #[arg(long)]
    watch: bool,
}

/// Runs `quell status`.
pub(crate) async fn run(args: &StatusArgs, cx: &Context) -> Result<Exit, CliError> {
    let dir = cx.incident_to_read(args.incident.as_deref())?;
    let mut found = dir.inspect()?;
    show(args, &dir, &found, cx)?;
    while args.watch && found.state.is_open() {
        tokio::select! {
            () = cx.interrupt.raised() => break,
            () = cx.clock.sleep(EVERY) => {}
        }
        let now = dir.inspect()?;
        let is_news = now.head != found.head;
        found = now;
        // Clocks go on without news; where nobody looks, only news is written.
        if is_news || is_redrawn(cx) {
            show(args, &dir, &found, cx)?;
        }
    }
    Ok(if found.is_sound() { Exit::Done } else { Exit::Journal })
}

/// Whether the text on the screen is drawn over.
fn is_redrawn(cx: &Context) -> bool {
    !cx.json && stdout().is_terminal()
}

fn show(args: &StatusArgs, dir: &IncidentDir, found: &Inspection, cx: &Context) -> Result<(), CliError> {
    if cx.json {
        let run = subject(&found.state);
        let mut document = outcome::document(dir, &found.state, run, &found.head, None, cx.now());
        document["schema"] = json!("quell.status/1");
        document["problems"] = json!(found.problems);
        return output::document(&document);
    }
    let clear = if args.watch && is_redrawn(cx) { CLEAR } else { "" };
    let text = if args.brief { brief::line(&found.state, cx.now()) } else { text(&found.state, cx.now()) };
    output::write(&format!("{clear}{text}"))?;
    for problem in found.problems.iter().filter(|problem| problem.kind != "torn_tail") {
        cx.screen.tell(&format!("warning: the journal is damaged: {}", problem.detail));
    }
    Ok(())
}

/// The run that is told of: the one to be gone on with, else the last of a runbook. What was done at once beside it, or
/// undone, is no response of its own.
fn subject(state: &IncidentState) -> Option<&RunState> {
    let open = state.latest_run().filter(|run| run.closed.is_none());
    open.or_else(|| state.runs.iter().rfind(|run| !is_generated(run))).or_else(|| state.latest_run())
}

fn is_generated(run: &RunState) -> bool {
    run.opened.source == GENERATED
}

pub(super) fn text(state: &IncidentState, now: Timestamp) -> String {
    let mut out = String::new();
    let id = state.id.as_ref().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(out, "incident {id}: {}", escape::terminal(&state.title));
    let Some(run) = subject(state) else {
        out.push_str("no run has begun\n");
        return out;
    };
    let opened = &run.opened;
    let _ = writeln!(
        out,
        "{} at {}, account {} ({})",
        opened.world,
        opened.api,
        escape::terminal(&opened.account.name),
        opened.account.id
    );
    let told = Timers::of(run, &state.notes).told(now);
    let clocks = if told.text.is_empty() { String::new() } else { format!("; {}", told.text) };
    let _ = writeln!(out, "open for {}{clocks}", duration(now.duration_since(run.opened_at)));
    if !opened.roles.is_empty() {
        let each = opened.roles.iter().map(|(role, name)| format!("{role} {}", escape::terminal(name)));
        let _ = writeln!(out, "{}", each.collect::<Vec<_>>().join(", "));
    }
    let _ = writeln!(out, "{}", standing(run));
    for other in state.runs.iter().filter(|other| other.opened.run != run.opened.run) {
        let stands = other.closed.map_or("rests meanwhile", RunOutcome::as_str);
        let _ = writeln!(out, "run {} of {}: {stands}", other.opened.run, escape::terminal(&other.opened.runbook));
    }
    if let Some(closing) = &state.closing {
        let (at, by) = (closing.at.strftime("%F %H:%MZ"), escape::terminal(&closing.by));
        let _ = writeln!(out, "incident closed {at} by {by}, with {} open matters accepted", closing.accepted.len());
    }
    for amended in &run.amended {
        let _ = writeln!(
            out,
            "plan amended {} by {}: {}; {}",
            amended.at.strftime("%F %H:%MZ"),
            escape::terminal(&amended.by),
            escape::terminal(&amended.words),
            escape::terminal(&amended.changes.join("; "))
        );
    }
    out.push('\n');
    let steps = run.plan.iter().flat_map(|plan| &plan.steps);
    for planned in steps {
        let status = run.status(&planned.path);
        let _ = writeln!(
            out,
            "  {:<9} {:<10} {:<22} {}",
            status.as_str(),
            planned.phase,
            planned.path,
            escape::terminal(&planned.title)
        );
    }
    if let Some(leaked) = &run.opened.leaked {
        let _ = writeln!(out, "\nleaked value of {}: {}", leaked.token, escape::terminal(&tried(run, &leaked.token)));
    }
    let doubtful: Vec<&EffectState> =
        run.steps.values().flat_map(|step| &step.effects).filter(|effect| effect.is_in_doubt()).collect();
    for effect in &doubtful {
        let _ = writeln!(out, "\nIN DOUBT: {} ({})", escape::terminal(&effect.effect.summary), effect.effect.key);
    }
    let open = state.findings.values().filter(|finding| finding.status == crate::model::FindingStatus::Open).count();
    let _ = writeln!(
        out,
        "\n{}, {open} of them open; {}; {} pieces of evidence",
        count(state.findings.len(), "finding"),
        count(state.gaps.len(), "gap"),
        state.evidence.len()
    );
    out
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
        Some(reason) => format!(
            "run {} rests ({}); next: {next}; go on with `quell resume`",
            run.opened.run,
            escape::terminal(reason)
        ),
        None => format!("run {} is under way, or its process died; next: {next}", run.opened.run),
    }
}
