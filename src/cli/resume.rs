use std::path::PathBuf;

use clap::Args;

use super::console::{Rested, Watch, credential, resumed_text};
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::layout::IncidentDir;
use super::order::Order;
use super::outcome;
use super::rehearse::{self, Stage};
use super::run::{prompter, read_answers, refuse_without_person};
use super::session::connect::{Target, connect};
use super::session::open::{Opened, granted, lock, me, same_place, who};
use super::session::{drive, inputs, leaked, open, secrets, succession};
use crate::cloudflare::api::Connected;
use crate::journal::{DriverLock, Entry, Event, IncidentState, Journal, Lease, NoteKind, PlanSealed, RunState, Stamp};
use crate::model::RunId;
use crate::secret::{self, Redactor};
use amend::Proposal;
use sealed::{Edit, Sealed};

mod amend;
mod begun;
mod difference;
mod sealed;

/// Go on with a run after a pause or a crash.
///
/// A run is bound to its runbook, its inputs and the versions of its actions. Where one of them is another now, nothing goes
/// on by itself: the difference is shown, and the exit code is 10.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// Beginning of the incident's id, or its directory; without one, the newest that is open.
    incident: Option<String>,

    /// Prepared answers, for a run without a person.
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,

    /// Go on with the plan as it was when the run began, although the runbook, or a file that an input names, is another
    /// now.
    ///
    /// Texts are the sealed ones. What is in a file is not kept: a step that reads it reads what is there now. Both are
    /// written down.
    #[arg(long)]
    as_sealed: bool,

    /// Go on with the runbook, the inputs and the version of quell that there are now: a decision, which is written down
    /// with this reason.
    ///
    /// Only steps that have not begun may differ, and only inputs that no begun step has used. The rest of the plan is fixed
    /// anew; an approved plan no longer consents to anything.
    #[arg(long, value_name = "REASON", conflicts_with = "as_sealed")]
    accept: Option<String>,

    /// Another value of an input, for the steps that have not begun.
    #[arg(long, value_name = "NAME=VALUE", requires = "accept")]
    set: Vec<String>,

    /// Take the incident from the process that drives it, with this reason, which is written down: one that hangs, or whose
    /// machine is gone. What that process would still write or send is refused.
    #[arg(long, value_name = "REASON")]
    take_over: Option<String>,

    #[command(flatten)]
    order: Order,
}

/// Runs `quell resume`.
pub(crate) async fn run(args: &ResumeArgs, cx: &Context) -> Result<Exit, CliError> {
    if args.accept.as_ref().is_some_and(|words| words.trim().is_empty()) {
        return Err(CliError::usage("`--accept` needs a reason").hint("say why the run goes on with another plan"));
    }
    let dir = cx.state.find(args.incident.as_deref())?;
    let (lock, taken_over) = seize(args.take_over.as_deref(), cx, &dir)?;
    let (mut journal, entries) = Journal::open(&dir.path)?;
    let (run, plan) = resting(&dir, &journal)?;
    let sealed = Sealed::read(&dir, &run)?;
    let before = sealed.load(cx)?;
    // A text that cannot be read any more is no reason to leave the one that is sealed.
    let edits = sealed.edits(&cx.shelves).or_else(|error| if args.as_sealed { Ok(Vec::new()) } else { Err(error) })?;
    if args.accept.is_none() && !args.as_sealed {
        refuse_changed(cx, &dir, &run, &sealed, &edits)?;
    }
    let now = if args.accept.is_some() && !edits.is_empty() { Some(sealed.load_present(cx)?) } else { None };
    let loaded = now.as_ref().unwrap_or(&before);
    if !run.opened.world.is_rehearsal() {
        loaded.require_accepted(cx)?;
    }
    let answers = args.answers.as_deref().map(|path| read_answers(path, loaded)).transpose()?;
    let up_to = args.order.yes_up_to;
    refuse_without_person(cx, answers.is_some(), up_to)?;
    let (stage, mut target, connected) = reconnect(cx, &dir, &run).await?;
    let differing = inputs::differing(&loaded.runbook, &plan.inputs, answers.as_ref(), cx)?;
    if args.accept.is_none() && !differing.is_empty() {
        return Err(other_inputs(differing, &dir));
    }
    let mut given = inputs::set(&loaded.runbook, &args.set)?;
    for (name, _) in differing {
        if let Some(value) = answers.as_ref().and_then(|answers| answers.inputs.get(&name)) {
            given.entry(name).or_insert_with(|| value.clone());
        }
    }
    let values = if args.accept.is_some() {
        inputs::again(&loaded.runbook, &plan.inputs, &given, &connected, &mut target, cx).await?
    } else {
        plan.inputs.clone()
    };
    // A rehearsal's simulated API has a new port each time: the place is the run's, and was compared above.
    let place = (&run.opened.world, run.opened.api.as_str(), &run.opened.account);
    // As sealed, a file that is another now, or gone, leaves the plan what it is.
    let files = if args.as_sealed { plan.files.clone() } else { open::files(&loaded.runbook, &values)? };
    let bound = open::seal_at(&dir.id, loaded, &values, &files, place);
    let tool = last_tool(&entries, &run.opened.run);
    let proposal =
        Proposal { run: &run, sealed: &plan, before: &before, now: loaded, plan: bound, edits: &edits, tool };
    match &args.accept {
        Some(_) if proposal.changes_something() => proposal.require_possible(dir.id.as_str())?,
        Some(_) => cx.screen.tell("all is as the run is bound to it: there is nothing to accept"),
        None if proposal.changes_something() => return Err(another_version(&plan, &proposal.plan, tool, &dir)),
        None => {}
    }
    secrets::again(&loaded.runbook, &proposal.plan.inputs, &mut target, cx).await?;
    leaked::again(&run, &Redactor::new(dir.redaction_key()?), &mut target, cx.can_ask() && answers.is_none(), cx).await;
    let stamp = cx.stamp(Some(&run.opened));
    journal.drive(&Stamp { run: None, ..stamp.clone() }, open::driver_taken(answers.as_ref(), up_to))?;
    if let Some(text) = taken_over {
        journal.append(&stamp, Event::Noted { text: secret::conceal(&text).into_owned(), kind: NoteKind::Decision })?;
    }
    if !succession::is_same(connected.read.credential(), &run.credential) {
        let (now, before) = (credential(connected.read.credential()), credential(&run.credential));
        let text = format!("went on with another credential of the same account: {now}; before it was {before}");
        journal.append(&stamp, Event::Noted { text, kind: NoteKind::Decision })?;
    }
    if let Some(words) = args.accept.as_ref().filter(|_| proposal.changes_something()) {
        for edit in &edits {
            cx.screen.say(&difference::unified(edit, &sealed.file, &cx.screen.style()));
        }
        proposal.accept(cx, &dir, &mut journal, &stamp, &secret::conceal(words.trim()))?;
    }
    if args.as_sealed {
        let texts =
            edits.iter().map(|edit| format!("went on with the sealed text, although {}", difference::edited(edit)));
        let files = difference::changed_files(&run).into_iter().map(|file| {
            format!("went on with the sealed plan, although {}; what reads it reads what is there now", file.how)
        });
        for text in texts.chain(files) {
            cx.screen.tell(&format!("note: {text}"));
            journal.append(&stamp, Event::Noted { text, kind: NoteKind::Decision })?;
        }
    }
    let resumed = Event::RunResumed {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        credential: connected.read.credential().clone(),
    };
    let rested =
        rested(cx, journal.state(), journal.state().run(&run.opened.run).unwrap_or(&run), &entries, &connected);
    journal.append(&stamp, resumed)?;
    let watch = Watch::new(cx.screen.clone());
    let mut prompter = prompter(cx, answers, up_to, &watch)?;
    if let Some(stage) = &stage {
        prompter = stage.with_colleague(prompter);
    }
    let opened = Opened { dir, journal, run: run.opened.run, lock, up_to, rested: Some(rested) };
    let driven = drive::drive(cx, opened, now.unwrap_or(before), &target, connected, watch, prompter).await?;
    if let Some(stage) = &stage {
        stage.close(cx, &driven)?;
    }
    Ok(driven.exit)
}

/// What is not as it was is not silently taken, nor ignored.
fn refuse_changed(
    cx: &Context,
    dir: &IncidentDir,
    run: &RunState,
    sealed: &Sealed,
    edits: &[Edit],
) -> Result<(), CliError> {
    let files: Vec<String> = difference::changed_files(run).into_iter().map(|file| file.how).collect();
    let mut changes: Vec<String> = edits.iter().map(difference::edited).chain(files.iter().cloned()).collect();
    if changes.is_empty() {
        return Ok(());
    }
    for edit in edits {
        cx.screen.say(&difference::unified(edit, &sealed.file, &cx.screen.style()));
    }
    let code = if edits.is_empty() { "input_changed" } else { "runbook_edited" };
    let mut error = CliError::new(Exit::Runbook, code, changes.remove(0));
    error.causes = changes;
    let put_back = if files.is_empty() { "" } else { "put it back as it was; or " };
    let bound = match (edits.is_empty(), files.is_empty()) {
        (false, true) => "goes on with the text that the run is bound to",
        _ => "goes on with the plan as it is, and what reads the file reads what is there now",
    };
    Err(error.hint(format!(
        "{put_back}`quell resume {id} --as-sealed` {bound}; `quell resume {id} --accept REASON` takes what is there now, for \
         the steps that have not begun; nothing was sent",
        id = dir.id
    )))
}

/// An answers file that gives an input another value is not silently passed over.
fn other_inputs(differing: Vec<(String, String)>, dir: &IncidentDir) -> CliError {
    let mut told: Vec<String> = differing.into_iter().map(|(_, how)| how).collect();
    let mut error = CliError::new(Exit::Runbook, "input_changed", told.remove(0));
    error.causes = told;
    error.hint(format!(
        "take it out of the answers file, or `quell resume {} --accept REASON` takes it, where no begun step has used it; \
         nothing was sent",
        dir.id
    ))
}

/// The same runbook with the same inputs, and another plan all the same.
fn another_version(sealed: &PlanSealed, now: &PlanSealed, tool: &str, dir: &IncidentDir) -> CliError {
    let mut told = difference::versions(sealed, now, tool);
    let mut error = CliError::new(Exit::Runbook, "another_plan", told.remove(0));
    error.causes = told;
    error.hint(format!(
        "resume with quell {tool}, which drove it last; or `quell resume {} --accept REASON` goes on with this version; \
         sealed {}, now {}; nothing was sent",
        dir.id,
        sealed.digest.short(),
        now.digest.short()
    ))
}

/// The version of quell that drove the run last.
fn last_tool<'e>(entries: &'e [Entry], run: &RunId) -> &'e str {
    let of = |entry: &'e Entry| match &entry.event {
        Event::RunResumed { tool, .. } if entry.run.as_ref() == Some(run) => Some(tool.as_str()),
        Event::IncidentOpened { tool, .. } => Some(tool.as_str()),
        _ => None,
    };
    entries.iter().rev().find_map(of).unwrap_or_default()
}

/// The right to drive, and how it was taken from another process, where one had it.
fn seize(reason: Option<&str>, cx: &Context, dir: &IncidentDir) -> Result<(DriverLock, Option<String>), CliError> {
    let Some(reason) = reason else { return Ok((lock(cx, dir)?, None)) };
    if reason.trim().is_empty() {
        return Err(CliError::usage("`--take-over` needs a reason").hint("say why that process cannot go on"));
    }
    match DriverLock::acquire(&dir.path, &me(cx))? {
        Lease::Granted(lock) => {
            cx.screen.tell("no process drives this incident: there is nothing to take over");
            Ok((lock, None))
        }
        Lease::Held(driver) => {
            let from = who(driver.as_ref());
            let lock = granted(DriverLock::take_over(&dir.path, &me(cx))?, "the incident is taken over", "try again")?;
            cx.screen.tell(&format!("taken over from {from}; what it sends meanwhile cannot be called back"));
            Ok((lock, Some(format!("took the incident over from {from}: {}", reason.trim()))))
        }
    }
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
        // The run has a credential of its own: none is asked for.
        None if run.switched.is_some() && !cx.environment.has_credential() => Target::unarmed(cx)?,
        None => Target::from_environment(cx).await?,
    };
    if target.account.is_none() {
        target.account = Some(run.opened.account.id.clone());
    }
    let connected = match &run.switched {
        Some(switched) => succession::again(cx, dir, run, switched, &mut target).await?,
        None => connect(cx, &mut target).await?,
    };
    same_place(run, &target, &connected)?;
    Ok((stage, target, connected))
}

/// The run that can go on, with the plan that it is bound to.
fn resting(dir: &IncidentDir, journal: &Journal) -> Result<(RunState, PlanSealed), CliError> {
    let latest = journal.state().latest_run();
    if let Some((run, plan)) = latest.and_then(|run| Some((run, run.plan.as_ref()?)))
        && run.closed.is_none()
    {
        return Ok((run.clone(), plan.clone()));
    }
    match latest {
        Some(run) if run.closed.is_some() => {
            // A rehearsal's account ends with it: what is rehearsed once more is another incident.
            let another = if run.opened.world.is_rehearsal() {
                "`quell rehearse RUNBOOK` begins another rehearsal".to_owned()
            } else {
                format!("`quell run RUNBOOK --incident {}` adds another run", dir.id)
            };
            Err(CliError::usage(format!("the run of incident {} is closed", dir.id))
                .hint(format!("`quell report {}` writes its post-mortem; {another}", dir.id)))
        }
        _ => Err(CliError::usage(format!("incident {} ended before its plan was fixed; nothing was sent", dir.id))
            .hint("begin again with `quell run`")),
    }
}

/// How many changes other runs made since this one began: at once beside it, or in a later walk.
fn beside(state: &IncidentState, run: &RunState) -> usize {
    let others =
        state.runs.iter().filter(|other| other.opened.run != run.opened.run && other.opened_at >= run.opened_at);
    let effects = others.flat_map(|other| other.steps.values()).flat_map(|step| &step.effects);
    effects.filter(|state| state.is_applied()).count()
}

/// In one screen, below the header: where things stand, what is in doubt, what comes next.
/// `run` is as it was before this process took it up, but for what it is bound to.
fn rested(cx: &Context, state: &IncidentState, run: &RunState, entries: &[Entry], connected: &Connected) -> String {
    let of_run = entries.iter().rev().find(|entry| entry.run.as_ref() == Some(&run.opened.run));
    let driver = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::DriverTaken { machine, pid, .. } => Some((*pid, machine.as_str())),
        _ => None,
    });
    let next = crate::engine::take_up(run).map(|next| outcome::next_words(&next));
    let rested = Rested {
        at: of_run.map_or(run.opened_at, |entry| entry.at),
        driver,
        credential: connected.read.credential(),
        tool: Some(last_tool(entries, &run.opened.run)).filter(|tool| *tool != env!("CARGO_PKG_VERSION")),
        beside: beside(state, run),
        next: next.as_deref().unwrap_or_default(),
    };
    resumed_text(run, &rested, cx.now(), &cx.screen.style())
}
