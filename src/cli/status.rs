use std::io::{IsTerminal, stdout};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::layout::IncidentDir;
use super::shelves::GENERATED;
use super::{outcome, output};
use crate::journal::{IncidentState, Inspection, RunState};

mod brief;
mod page;

pub(super) use page::text;

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
    let text =
        if args.brief { brief::line(&found.state, cx.now()) } else { text(&found.state, cx.now(), &cx.screen.style()) };
    output::write(&format!("{clear}{text}"))?;
    for problem in found.problems.iter().filter(|problem| problem.kind != "torn_tail") {
        cx.screen.tell(&format!("warning: the journal is damaged: {}", problem.detail));
    }
    Ok(())
}

/// The run that is told of: a runbook's that is open, else what else is open, else the last of a runbook. What is done at
/// once beside a response, or undone, is no response of its own.
fn subject(state: &IncidentState) -> Option<&RunState> {
    let last = |is_it: fn(&RunState) -> bool| state.runs.iter().rfind(|run| is_it(run));
    last(|run| run.closed.is_none() && !is_generated(run))
        .or_else(|| last(|run| run.closed.is_none()))
        .or_else(|| last(|run| !is_generated(run)))
        .or_else(|| state.latest_run())
}

fn is_generated(run: &RunState) -> bool {
    run.opened.source == GENERATED
}
