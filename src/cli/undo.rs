use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, json};

use super::console::{Column, Room, Watch, count, table};
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::layout::IncidentDir;
use super::resume::reconnect;
use super::run::{prompter, read_answers, refuse_unanswered};
use super::session::load::load_text;
use super::session::open::{Given, refuse_open};
use super::session::start::Start;
use super::session::{drive, open};
use super::shelves::generated;
use super::{output, plan};
use candidates::{Candidate, Standing, candidates};

mod candidates;
mod runbook;

/// Put back what an incident's runs changed, newest first, as far as that can be done.
///
/// Says first what can be put back and what cannot. Then it is a run like every other: what it would send is shown and
/// asked for, journaled, read back, and gone on with by `quell resume`. What somebody changed since is left alone.
#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    /// Beginning of the incident's id, or its directory; without one, the newest.
    incident: Option<String>,

    /// Only this step (its id), or this effect (its key in the journal, or the beginning of it).
    #[arg(value_name = "STEP|EFFECT")]
    only: Option<String>,

    /// Prepared answers, for a run without a person; the steps are called `undo-STEP-1`, `undo-STEP-2` …
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,

    /// Only look: what would be put back, as `quell plan` shows it.
    #[arg(long)]
    dry_run: bool,
}

/// Runs `quell undo`.
pub(crate) async fn run(args: &UndoArgs, cx: &Context) -> Result<Exit, CliError> {
    let dir = cx.incident_to_read(args.incident.as_deref())?;
    let found = dir.inspect()?;
    let rows = candidates(&found.state, args.only.as_deref())?;
    let (able, rest): (Vec<_>, Vec<_>) = rows.iter().partition(|row| matches!(row.standing, Standing::Able(_)));
    let Some(last) = found.state.latest_run().filter(|_| !able.is_empty()) else {
        return nothing(cx, &dir, &rest);
    };
    show(cx, &able, &rest);
    let loaded = load_text(generated(runbook::text(&dir.id, &able)?), &cx.shelves, cx)?;
    if args.dry_run {
        let (_stage, target, connected) = reconnect(cx, &dir, last).await?;
        return plan::show(cx, &loaded, &Map::new(), &target, &connected, 0, None).await;
    }
    refuse_open(&dir, last)?;
    let answers = args.answers.as_deref().map(|path| read_answers(path, &loaded)).transpose()?;
    refuse_unanswered(cx, answers.is_some())?;
    let (stage, target, connected) = reconnect(cx, &dir, last).await?;
    let (inputs, start) = (Map::new(), Start::of(&last.opened));
    let given =
        Given { inputs: &inputs, answers: answers.as_ref(), start: &start, approved: None, up_to: None, beside: false };
    let opened = open::open(cx, dir, false, &loaded, given, &target, &connected)?;
    let watch = Watch::new(cx.screen.clone());
    let mut prompter = prompter(cx, answers, None, &watch)?;
    if let Some(stage) = &stage {
        prompter = stage.with_colleague(prompter);
    }
    let driven = drive::drive(cx, opened, loaded, &target, connected, watch, prompter).await?;
    if let Some(stage) = &stage {
        stage.close(cx, &driven)?;
    }
    Ok(driven.exit)
}

/// Nothing is left to put back, or nothing of it can be.
fn nothing(cx: &Context, dir: &IncidentDir, rest: &[&Candidate<'_>]) -> Result<Exit, CliError> {
    let (undone, unable): (Vec<&Candidate<'_>>, Vec<_>) =
        rest.iter().partition(|row| matches!(row.standing, Standing::Undone(_)));
    if unable.is_empty() {
        let words = if undone.is_empty() { "nothing was changed" } else { "everything is undone already" };
        cx.screen.tell(&format!("{words} in incident {}; nothing is left to undo", dir.id));
        undone.iter().for_each(|row| cx.screen.tell(&format!("  {}", row.in_words())));
        if cx.json {
            let undone: Vec<String> = undone.iter().map(|row| row.in_words()).collect();
            output::document(&json!({ "schema": "quell.undo/1", "incident": dir.id, "undone": undone }))?;
        }
        return Ok(Exit::Done);
    }
    let mut error = CliError::new(Exit::Failed, "cannot_undo", "nothing of this can be undone by quell")
        .hint("put it back by hand; `quell report` writes down what was changed; nothing was sent");
    error.causes = rest.iter().map(|row| row.in_words()).collect();
    Err(error)
}

/// What cannot be put back and what can, before anything is asked. What one step did is told together.
fn show(cx: &Context, able: &[&Candidate<'_>], rest: &[&Candidate<'_>]) {
    let style = cx.screen.style();
    if !rest.is_empty() {
        cx.screen.tell("not undone:");
    }
    for alike in rest.chunk_by(|one, other| one.origin() == other.origin() && one.why() == other.why()) {
        let Some(first) = alike.first() else { continue };
        let what = match alike.len() {
            1..=3 => alike.iter().map(|row| row.state.effect.summary.as_str()).collect::<Vec<_>>().join("; "),
            more => count(more, "change"),
        };
        cx.screen.tell(&format!("{}: {what}: {}", first.origin(), first.why()));
    }
    let columns = [
        Column::new("step", Room::Whole),
        Column::new("puts back", Room::Shorten(16)),
        Column::new("done at", Room::Shorten(8)),
        Column::new("effect", Room::Spare),
    ];
    let row = |row: &&Candidate<'_>| {
        let effect = &row.state.effect;
        vec![row.step.clone(), effect.summary.clone(), row.origin(), effect.key.to_string()]
    };
    let rows: Vec<Vec<String>> = able.iter().map(row).collect();
    cx.screen.tell("\ncan be undone, newest first; each is asked for:");
    cx.screen.say(&table(&columns, &rows, &style));
}
