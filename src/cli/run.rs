use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::Map;

use super::console::Watch;
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::order::Order;
use super::plan;
use super::plan_document::PlanDocument;
use super::prompt::{Answers, AnswersFile, Terminal, answers};
use super::session::connect::{Target, connect};
use super::session::drive;
use super::session::inputs::{self, Sources};
use super::session::load::{Loaded, load, load_text};
use super::session::open::{self, Given};
use super::session::secrets::Secrets;
use super::session::start::{Start, StartArgs};
use crate::engine::Prompter;
use crate::model::{Danger, IncidentId};

mod approval;

/// Walk a runbook on the real account.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Name of a runbook, or path of a file. With `--plan` it may be left out, and must be the plan's.
    #[arg(required_unless_present = "plan")]
    runbook: Option<String>,

    /// Carry out a plan that `quell plan -o FILE` wrote: its changes are approved once, and only what differs is asked for.
    ///
    /// Runbook, inputs, account, host and world must be the plan's (exit code 10 with what differs). The plan is approved
    /// with the first 8 digits of its forecast, which `plan` prints; then changes that come up as it forecast them go without
    /// asking. Never covered: what cannot be put back, a step with `confirm = "target"`, rows that start unselected, work by
    /// hand.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    plan: Option<PathBuf>,

    /// Value of an input.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,

    /// Add the run to this incident, whose last run is closed.
    #[arg(long, value_name = "INCIDENT")]
    incident: Option<String>,

    /// Prepared answers, for a run without a person; see the README.
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,

    #[command(flatten)]
    start: StartArgs,

    /// Only look: the same as `quell plan`.
    #[arg(long)]
    dry_run: bool,

    /// Zones to narrow a dry run to.
    #[arg(long, value_delimiter = ',', requires = "dry_run", value_name = "A,B")]
    zones: Vec<String>,

    #[command(flatten)]
    order: Order,
}

/// Runs `quell run`.
pub(crate) async fn run(args: &RunArgs, cx: &Context) -> Result<Exit, CliError> {
    let plan = args.plan.as_deref().map(PlanDocument::read).transpose()?;
    let (plan, plan_text) = plan.map_or((None, None), |(plan, text)| (Some(plan), Some(text)));
    let loaded = loaded(args, plan.as_ref(), cx)?;
    loaded.require_accepted(cx)?;
    if args.dry_run {
        return plan::forecast(cx, &loaded, &args.set, args.answers.as_deref(), &args.zones, None).await;
    }
    let answers = args.answers.as_deref().map(|path| read_answers(path, &loaded)).transpose()?;
    let up_to = args.order.yes_up_to;
    refuse_without_person(cx, answers.is_some(), up_to)?;
    plan.as_ref().map_or(Ok(()), |_| approval::refuse_unapproved(cx, answers.as_ref()))?;
    let mut start = args.start.read(cx)?;
    let mut target = Target::from_environment(cx).await?;
    if let (None, Some(plan)) = (&target.account, &plan) {
        target.account = Some(plan.account.id.clone());
    }
    let connected = connect(cx, &mut target).await?;
    let sources = Sources {
        plan: plan.as_ref(),
        set: &args.set,
        answers: answers.as_ref(),
        start: &start,
        scenario: &Map::new(),
        secrets: Secrets::Needed,
    };
    let inputs = inputs::collect(&loaded.runbook, &sources, &connected, &mut target, cx).await?;
    let approved = match &plan {
        None => None,
        Some(plan) => {
            let bound = open::seal(&IncidentId::new("run"), &loaded, &inputs, &target, &connected)?;
            plan.require_same(&bound.digest, &loaded, &inputs, &target, &connected)?;
            Some(approval::approve(cx, plan, &loaded.runbook, answers.as_ref()).await?)
        }
    };
    let (dir, fresh) = match &args.incident {
        Some(wanted) => (cx.state.find(Some(wanted))?, false),
        None => (cx.state.begin(cx.now(), false)?, true),
    };
    if !fresh && let Some(run) = dir.inspect()?.state.latest_run() {
        start = start.or(Start::of(&run.opened));
    }
    let start = start.with(&inputs).in_team(cx);
    let approved = approved.zip(plan_text);
    let given = Given { inputs: &inputs, answers: answers.as_ref(), start: &start, approved, up_to, beside: false };
    let opened = open::open(cx, dir, fresh, &loaded, given, &target, &connected)?;
    let watch = Watch::new(cx.screen.clone());
    let prompter = prompter(cx, answers, up_to, &watch)?;
    Ok(drive::drive(cx, opened, loaded, &target, connected, watch, prompter).await?.exit)
}

/// The runbook that is named, else the plan's; under a plan it must be the plan's.
fn loaded(args: &RunArgs, plan: Option<&PlanDocument>, cx: &Context) -> Result<Loaded, CliError> {
    let loaded = match (&args.runbook, plan) {
        (Some(name), _) => load(name, cx)?,
        (None, Some(plan)) => {
            let found = cx.shelves.again(&plan.runbook.source, &plan.runbook.name)?;
            load_text(found, &cx.shelves, cx)?
        }
        (None, None) => return Err(CliError::usage("no runbook is named")),
    };
    plan.map_or(Ok(()), |plan| plan.require_runbook(&loaded))?;
    Ok(loaded)
}

/// Silence is not consent: without a terminal, without answers and without an order nothing begins.
pub(crate) fn refuse_without_person(cx: &Context, has_answers: bool, up_to: Option<Danger>) -> Result<(), CliError> {
    if cx.can_ask() || has_answers || up_to.is_some() {
        return Ok(());
    }
    Err(no_person())
}

/// The same where no order can be given.
pub(crate) fn refuse_unanswered(cx: &Context, has_answers: bool) -> Result<(), CliError> {
    refuse_without_person(cx, has_answers, None)
        .map_err(|error| error.hint("run it on a terminal, or prepare answers with `--answers FILE`; nothing was sent"))
}

fn no_person() -> CliError {
    CliError::new(Exit::Waiting, "no_person", "there is no terminal to ask a person on, and no answers file")
        .hint("run it on a terminal, prepare answers with `--answers FILE`, or let it go up to a danger with `--yes-up-to`; nothing was sent")
}

/// Reads an answers file; steps that the runbook does not have are errors.
pub(crate) fn read_answers(path: &Path, loaded: &Loaded) -> Result<AnswersFile, CliError> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path)
        .map_err(|error| CliError::usage(format!("cannot read the answers file {name}")).because(&error))?;
    let steps = loaded.runbook.addresses();
    answers::parse(&name, &text).and_then(|answers| answers.bind(&steps)).map_err(|error| {
        let steps: Vec<&str> = steps.iter().map(|(address, _)| address.as_str()).collect();
        let mut told = CliError::usage("the answers file cannot be used");
        told.causes = error.problems.iter().map(|problem| error.placed(problem)).collect();
        told.hint(format!("the steps are: {}", steps.join(", ")))
    })
}

/// Who answers: the file, else a person; with an order to go by itself it may be nobody.
pub(crate) fn prompter(
    cx: &Context,
    answers: Option<AnswersFile>,
    up_to: Option<Danger>,
    watch: &Watch,
) -> Result<Arc<dyn Prompter>, CliError> {
    match (answers, &cx.keys) {
        (Some(file), _) => Ok(Arc::new(Answers::new(file, cx.screen.clone()))),
        (None, Some(keys)) => {
            let terminal = Terminal::new(
                cx.screen.clone(),
                keys.clone(),
                cx.interrupt.clone(),
                cx.operator.clone(),
                watch.standing(),
                cx.clock.clone(),
            );
            Ok(Arc::new(terminal))
        }
        (None, None) if up_to.is_some() => Ok(Arc::new(Answers::nobody(cx.screen.clone()))),
        (None, None) => Err(no_person()),
    }
}
