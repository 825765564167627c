use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::Map;

use super::console::Watch;
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::plan;
use super::prompt::{Answers, AnswersFile, Terminal, answers};
use super::session::connect::{Target, connect};
use super::session::drive;
use super::session::inputs::{self, Sources};
use super::session::load::{Loaded, load};
use super::session::open::{self, Given};
use super::session::secrets::Secrets;
use super::session::start::{Start, StartArgs};
use crate::engine::Prompter;

/// Walk a runbook on the real account.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Name of a runbook, or path of a file.
    runbook: String,

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
}

/// Runs `quell run`.
pub(crate) async fn run(args: &RunArgs, cx: &Context) -> Result<Exit, CliError> {
    let loaded = load(&args.runbook, cx)?;
    loaded.require_accepted(cx)?;
    if args.dry_run {
        return plan::forecast(cx, &loaded, &args.set, args.answers.as_deref(), &args.zones, None).await;
    }
    let answers = args.answers.as_deref().map(|path| read_answers(path, &loaded)).transpose()?;
    refuse_without_person(cx, answers.is_some())?;
    let mut start = args.start.read(cx)?;
    let mut target = Target::from_environment(cx).await?;
    let connected = connect(cx, &mut target).await?;
    let (scenario, secrets) = (&Map::new(), Secrets::Needed);
    let sources = Sources { set: &args.set, answers: answers.as_ref(), start: &start, scenario, secrets };
    let inputs = inputs::collect(&loaded.runbook, &sources, &connected, &mut target, cx).await?;
    let (dir, fresh) = match &args.incident {
        Some(wanted) => (cx.state.find(Some(wanted))?, false),
        None => (cx.state.begin(cx.now(), false)?, true),
    };
    if !fresh && let Some(run) = dir.inspect()?.state.latest_run() {
        start = start.or(Start::of(&run.opened));
    }
    let given = Given { inputs: &inputs, answers: answers.as_ref(), start: &start.with(&inputs) };
    let opened = open::open(cx, dir, fresh, &loaded, &given, &target, &connected)?;
    let watch = Watch::new(cx.screen.clone());
    let prompter = prompter(cx, answers, &watch)?;
    Ok(drive::drive(cx, opened, loaded, &target, connected, watch, prompter).await?.exit)
}

/// Silence is not consent: without a terminal and without answers nothing begins.
pub(crate) fn refuse_without_person(cx: &Context, has_answers: bool) -> Result<(), CliError> {
    if cx.can_ask() || has_answers {
        return Ok(());
    }
    Err(no_person())
}

fn no_person() -> CliError {
    CliError::new(Exit::Waiting, "no_person", "there is no terminal to ask a person on, and no answers file")
        .hint("run it on a terminal, or prepare answers with `--answers FILE`; nothing was sent")
}

/// Reads an answers file; steps that the runbook does not have are errors.
pub(crate) fn read_answers(path: &Path, loaded: &Loaded) -> Result<AnswersFile, CliError> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path)
        .map_err(|error| CliError::usage(format!("cannot read the answers file {name}")).because(&error))?;
    let steps = loaded.runbook.addresses();
    answers::parse(&name, &text).and_then(|answers| answers.bind(&steps)).map_err(|error| {
        let steps: Vec<&str> = steps.iter().map(|(address, _)| address.as_str()).collect();
        CliError::usage("the answers file cannot be used")
            .because(&error)
            .hint(format!("the steps are: {}", steps.join(", ")))
    })
}

/// Who answers: the file, else a person.
pub(crate) fn prompter(
    cx: &Context,
    answers: Option<AnswersFile>,
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
        (None, None) => Err(no_person()),
    }
}
