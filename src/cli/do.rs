use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::catalogue::CATALOGUE;
use super::console::Watch;
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::plan;
use super::resume::reconnect;
use super::run::{prompter, read_answers, refuse_unanswered};
use super::session::connect::Target;
use super::session::load::load_text;
use super::session::open::Given;
use super::session::start::Start;
use super::session::{drive, leaked, open};
use super::shelves::generated;
use crate::action::{AnyAction, Look};
use crate::cloudflare::api::Connected;
use crate::evidence::Unkept;
use crate::journal::IncidentState;
use crate::model::{Danger, StepPath};
use crate::secret::Redactor;

mod parameters;

/// Do one thing of the catalogue now, inside an incident: planned, consented to, journaled and proven like a step.
///
/// It goes beside a run that rests, which `quell resume` then goes on with. `quell actions ACTION` lists what an action
/// takes.
#[derive(Debug, Args)]
pub(crate) struct DoArgs {
    /// Id of the action, e.g. `cloudflare.token.disable`; `quell actions` lists them.
    action: String,

    /// A parameter: `--with tokens=ID`, several with commas, tokens also by name. What is no text or list is JSON.
    #[arg(long, value_name = "NAME=VALUE")]
    with: Vec<String>,

    /// Beginning of the incident's id, or its directory; without one, the newest that is open.
    #[arg(long, value_name = "INCIDENT")]
    incident: Option<String>,

    /// Why; stands in journal and report.
    #[arg(long, value_name = "TEXT", default_value = "To stop a harm at once.")]
    why: String,

    /// Prepared answers, for a run without a person; the step is called `do`.
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,

    /// Only look: what would be done, as `quell plan` shows it.
    #[arg(long)]
    dry_run: bool,
}

/// Runs `quell do`.
pub(crate) async fn run(args: &DoArgs, cx: &Context) -> Result<Exit, CliError> {
    let action = CATALOGUE.get(&args.action).ok_or_else(|| {
        CliError::new(Exit::Usage, "no_such_action", format!("there is no action `{}`", args.action))
            .hint("`quell actions` lists all; nothing was sent")
    })?;
    let dir = cx.state.find(args.incident.as_deref())?;
    let found = dir.inspect()?;
    let Some(last) = found.state.latest_run() else {
        return Err(CliError::usage(format!("incident {} has no run that tells where it takes place", dir.id))
            .hint("begin with `quell run`; nothing was sent"));
    };
    let mut with = parameters::read(action, &args.with)?;
    let load = |with: &Map<String, Value>| load_text(generated(text(action, with, &args.why)?), &cx.shelves, cx);
    let loaded = load(&with)?;
    let answers = args.answers.as_deref().map(|path| read_answers(path, &loaded)).transpose()?;
    if !args.dry_run {
        refuse_unanswered(cx, answers.is_some())?;
    }
    let (stage, mut target, connected) = reconnect(cx, &dir, last).await?;
    parameters::find(action, &mut with, &connected).await?;
    let loaded = load(&with)?;
    if args.dry_run {
        return plan::show(cx, &loaded, &Map::new(), &target, &connected, 0, None).await;
    }
    let tokens = parameters::token_ids(action, &with);
    let redactor = Redactor::new(dir.redaction_key()?);
    leaked::of_these(&tokens, &found.state, &redactor, &mut target, &connected, answers.is_none(), cx).await?;
    refuse_what_fails(action, &with, &found.state, &target, &connected, cx).await?;
    let (inputs, start) = (Map::new(), Start::of(&last.opened));
    let given =
        Given { inputs: &inputs, answers: answers.as_ref(), start: &start, approved: None, up_to: None, beside: true };
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
    if let Some(rests) = driven.journal.state().latest_run().filter(|run| run.closed.is_none()) {
        let (run, runbook) = (&rests.opened.run, &rests.opened.runbook);
        cx.screen.tell(&format!("run {run} of {runbook} rests: go on with `quell resume {}`", driven.dir.id));
    }
    Ok(driven.exit)
}

/// Looks once before a run is opened: what the action refuses now, its step would fail on, and no parameter of an open run
/// can be changed. An action that only looks is not asked twice.
async fn refuse_what_fails(
    action: &dyn AnyAction,
    with: &Map<String, Value>,
    incident: &IncidentState,
    target: &Target,
    connected: &Connected,
    cx: &Context,
) -> Result<(), CliError> {
    let spec = action.spec();
    if spec.max_danger == Danger::Observe {
        return Ok(());
    }
    let redactor = Arc::new(Redactor::new([0; 32]));
    let evidence = Unkept::new(redactor.clone());
    let (outside, _) = target.outside(cx, &redactor);
    let (leaked, safeguards, path) =
        (leaked::door(target, connected, cx), cx.settings.safeguards(), StepPath::step("do"));
    let look = Look::new(&*connected.read, &*outside, &evidence, &*cx.clock, &*cx.screen, &safeguards, &path)
        .of_incident(incident)
        .with_leaked(leaked.as_deref());
    let looked = tokio::select! {
        looked = action.plan(with.clone().into(), &look) => looked,
        () = cx.interrupt.raised() => {
            return Err(CliError::new(Exit::Interrupted, "interrupted", "left before the run began; nothing was sent"));
        }
    };
    looked.map(|_| ()).map_err(|refused| {
        let hint = refused.hint.iter().cloned().chain(["nothing was sent, and no run was opened".to_owned()]);
        CliError::new(Exit::Failed, "cannot_be_done", format!("{} cannot be done so: {}", spec.id, refused.message))
            .hint(hint.collect::<Vec<_>>().join("; "))
    })
}

/// The runbook of the one step: in the language, so that engine, resume and report need not know.
fn text(action: &dyn AnyAction, with: &Map<String, Value>, why: &str) -> Result<String, CliError> {
    #[derive(Serialize)]
    struct Runbook<'a> {
        schema: u8,
        name: &'a str,
        title: String,
        summary: &'a str,
        steps: [Step<'a>; 1],
    }
    #[derive(Serialize)]
    struct Step<'a> {
        id: &'a str,
        phase: &'a str,
        title: &'a str,
        why: &'a str,
        action: &'a str,
        with: Map<String, Value>,
    }
    if why.contains("{{") || why.trim().is_empty() {
        return Err(CliError::usage("`--why` is plain text: it is not empty, and holds no `{{`"));
    }
    let spec = action.spec();
    let with = with.iter().map(|(name, value)| (name.clone(), json!({ "literal": value }))).collect();
    let runbook = Runbook {
        schema: 1,
        name: "do",
        title: format!("Do {} at once", spec.id),
        summary: "Written by `quell do`.",
        steps: [Step { id: "do", phase: "contain", title: spec.summary, why, action: spec.id, with }],
    };
    toml::to_string(&runbook).map_err(|error| {
        CliError::usage("the parameters cannot be written as a runbook").because(&error).hint("nothing was sent")
    })
}
