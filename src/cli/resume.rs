use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::console::{Rested, Watch, resumed_text};
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::layout::IncidentDir;
use super::order::Order;
use super::outcome;
use super::plan_file::Texts;
use super::rehearse::{self, Stage};
use super::run::{prompter, read_answers, refuse_without_person};
use super::session::connect::{Target, connect};
use super::session::load::{Loaded, load_text};
use super::session::open::{Opened, lock, same_place};
use super::session::{drive, open, secrets};
use super::shelves::GENERATED;
use crate::cloudflare::api::Connected;
use crate::journal::{Entry, Event, Journal, RunState, Stamp};
use crate::model::Digest;
use crate::runbook::{EMBEDDED, Embedded, Found, Library, Unfound, named_file};

/// Go on with a run after a pause or a crash.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// Beginning of the incident's id, or its directory; without one, the newest that is open.
    incident: Option<String>,

    /// Prepared answers, for a run without a person.
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,

    #[command(flatten)]
    order: Order,
}

/// Runs `quell resume`.
pub(crate) async fn run(args: &ResumeArgs, cx: &Context) -> Result<Exit, CliError> {
    let dir = cx.state.find(args.incident.as_deref())?;
    let lock = lock(cx, &dir)?;
    let (mut journal, entries) = Journal::open(&dir.path)?;
    let run = resting(&dir, &journal)?;
    let loaded = sealed_runbook(cx, &dir, &run)?;
    if !run.opened.world.is_rehearsal() {
        loaded.require_accepted(cx)?;
    }
    refuse_changed_files(&run)?;
    let answers = args.answers.as_deref().map(|path| read_answers(path, &loaded)).transpose()?;
    let up_to = args.order.yes_up_to;
    refuse_without_person(cx, answers.is_some(), up_to)?;
    let (stage, mut target, connected) = reconnect(cx, &dir, &run).await?;
    let sealed = run.plan.as_ref().map(|plan| plan.digest.clone());
    let now = open::seal(
        &dir.id,
        &loaded,
        &run.plan.as_ref().map(|plan| plan.inputs.clone()).unwrap_or_default(),
        &target,
        &connected,
    )?;
    secrets::again(&loaded.runbook, &now.inputs, &mut target, cx).await?;
    if !run.opened.world.is_rehearsal() && sealed.as_ref() != Some(&now.digest) {
        return Err(CliError::new(
            Exit::Runbook,
            "another_plan",
            "this version of quell would give the run another plan",
        )
        .hint(format!(
            "resume with the version that began it; sealed {}, now {}",
            short(sealed.as_ref()),
            now.digest.short()
        )));
    }
    let stamp = cx.stamp(Some(&run.opened));
    journal.append(&Stamp { run: None, ..stamp.clone() }, open::driver_taken(answers.as_ref(), up_to))?;
    let resumed = Event::RunResumed {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        credential: connected.read.credential().clone(),
    };
    journal.append(&stamp, resumed)?;
    let rested = rested(cx, &run, &entries, &connected);
    let watch = Watch::new(cx.screen.clone());
    let mut prompter = prompter(cx, answers, up_to, &watch)?;
    if let Some(stage) = &stage {
        prompter = stage.with_colleague(prompter);
    }
    let opened = Opened { dir, journal, run: run.opened.run, lock, up_to, rested: Some(rested) };
    let driven = drive::drive(cx, opened, loaded, &target, connected, watch, prompter).await?;
    if let Some(stage) = &stage {
        stage.close(cx, &driven)?;
    }
    Ok(driven.exit)
}

/// Connects to where `run` took place, and refuses any other place. A rehearsal's account is set up again.
pub(crate) async fn reconnect(
    cx: &Context,
    dir: &IncidentDir,
    run: &RunState,
) -> Result<(Option<Stage>, Target, Connected), CliError> {
    let stage = if run.opened.world.is_rehearsal() { Some(rehearse::restage(cx, dir, run).await?) } else { None };
    let mut target = match &stage {
        Some(stage) => stage.target()?,
        None => Target::from_environment(cx).await?,
    };
    if target.account.is_none() {
        target.account = Some(run.opened.account.id.clone());
    }
    let connected = connect(cx, &mut target).await?;
    same_place(run, &target, &connected)?;
    Ok((stage, target, connected))
}

fn resting(dir: &IncidentDir, journal: &Journal) -> Result<RunState, CliError> {
    match journal.state().latest_run() {
        Some(run) if run.closed.is_none() && run.plan.is_some() => Ok(run.clone()),
        Some(run) if run.closed.is_some() => Err(CliError::usage(format!("the run of incident {} is closed", dir.id))
            .hint(format!(
                "`quell report {}` writes its post-mortem; `quell run RUNBOOK --incident {}` adds another run",
                dir.id, dir.id
            ))),
        _ => Err(CliError::usage(format!("incident {} ended before its plan was fixed; nothing was sent", dir.id))
            .hint("begin again with `quell run`")),
    }
}

/// The runbook as it was when the run began, with those that it calls. One that has been edited since is not silently
/// taken, nor ignored.
fn sealed_runbook(cx: &Context, dir: &IncidentDir, run: &RunState) -> Result<Loaded, CliError> {
    let path = dir.plan(&run.opened.run);
    let unreadable = |error: &dyn std::error::Error| {
        CliError::new(Exit::Journal, "plan_file", format!("cannot read the sealed plan {}", path.display()))
            .because(error)
    };
    let kept = fs::read_to_string(&path).map_err(|error| unreadable(&error))?;
    let texts = Texts::read(&kept).map_err(|error| unreadable(&error))?;
    let sealed = run.plan.as_ref().filter(|plan| texts.are_of(&run.opened, plan)).ok_or_else(|| {
        CliError::new(
            Exit::Journal,
            "plan_file",
            format!("the runbook in {} is not the one that the journal names", path.display()),
        )
        .hint("the file was changed after the run began; put the original back")
    })?;
    let (name, source) = (&run.opened.runbook, &run.opened.source);
    refuse_edited(name, source, &texts.runbook, &path)?;
    let mut library = Sealed(Vec::new());
    for (nested, text) in sealed.nested.iter().zip(texts.nested) {
        refuse_edited(&nested.name, &nested.source, &text, &path)?;
        let source = nested.source.clone();
        library.0.push((nested.name.clone(), Found { shown: source.clone(), source, text }));
    }
    load_text(Found { shown: source.clone(), source: source.clone(), text: texts.runbook }, &library, cx)
}

/// The called runbooks as they were when the run began.
struct Sealed(Vec<(String, Found)>);

impl Library for Sealed {
    fn find(&self, name: &str) -> Result<Found, Unfound> {
        let found = self.0.iter().find(|(known, _)| known == name).map(|(_, found)| found.clone());
        found.ok_or_else(|| Unfound {
            why: format!("the sealed plan has no runbook `{name}`"),
            help: "resume with the version of quell that began the run".to_owned(),
        })
    }
}

fn refuse_edited(name: &str, source: &str, text: &str, plan: &Path) -> Result<(), CliError> {
    let present = match source {
        EMBEDDED => Embedded::get(name).map(|found| found.text),
        GENERATED => None,
        file => fs::read_to_string(file).ok(),
    };
    let Some(present) = present.filter(|present| *present != text) else { return Ok(()) };
    let line = text
        .lines()
        .zip(present.lines())
        .position(|(then, now)| then != now)
        .unwrap_or_else(|| text.lines().count().min(present.lines().count()));
    Err(CliError::new(Exit::Runbook, "runbook_edited", format!("the runbook {source} was edited after the run began"))
        .hint(format!(
            "the first difference is in line {}; put the sealed text of {} back, or begin a new run",
            line + 1,
            plan.display()
        )))
}

/// Files that inputs name are inputs: one that was edited since is not silently taken.
fn refuse_changed_files(run: &RunState) -> Result<(), CliError> {
    let called = run.steps.values().flat_map(|step| &step.files);
    for (path, sealed) in run.plan.iter().flat_map(|plan| &plan.files).chain(called) {
        let how = match named_file(path) {
            Ok((_, now)) if now == *sealed => continue,
            Ok((_, now)) => format!("was edited after the run began: sealed {}, now {}", sealed.short(), now.short()),
            Err(why) => format!("cannot be taken any more: {why}"),
        };
        return Err(CliError::new(
            Exit::Runbook,
            "input_changed",
            format!("the file {path}, an input of the run, {how}"),
        )
        .hint("put it back as it was, or begin a new run; nothing was sent"));
    }
    Ok(())
}

/// In one screen, below the header: where things stand, what is in doubt, what comes next.
fn rested(cx: &Context, run: &RunState, entries: &[Entry], connected: &Connected) -> String {
    let of_run = entries.iter().rev().find(|entry| entry.run.as_ref() == Some(&run.opened.run));
    let driver = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::DriverTaken { machine, pid, .. } => Some((*pid, machine.as_str())),
        _ => None,
    });
    let next = crate::engine::decide(run).map(|next| outcome::next_words(&next));
    let rested = Rested {
        at: of_run.map_or(run.opened_at, |entry| entry.at),
        driver,
        credential: connected.read.credential(),
        next: next.as_deref().unwrap_or_default(),
    };
    resumed_text(run, &rested, cx.now(), &cx.screen.style())
}

fn short(digest: Option<&Digest>) -> String {
    digest.map(|digest| digest.short().to_owned()).unwrap_or_default()
}
