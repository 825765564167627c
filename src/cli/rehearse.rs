use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::{Map, Value, json};

use super::console::Watch;
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::layout::IncidentDir;
use super::order::Order;
use super::run::{prompter, read_answers, refuse_without_person};
use super::session::connect::{Target, connect};
use super::session::drive::{self, Driven};
use super::session::inputs::{self, Sources};
use super::session::load::load;
use super::session::open::{self, Given};
use super::session::secrets::Secrets;
use super::session::start::StartArgs;
use crate::cloudflare::api::{ApiBase, Credential};
use crate::cloudflare::simulator::{self, Scenario, WorldOptions};
use crate::engine::Prompter;
use crate::escape;
use crate::journal::RunState;
use crate::model::World;
use crate::secret::Secret;
use crate::simulator::Simulator;

mod colleague;
mod score;

/// Walk a runbook against a simulated, compromised account. Needs no account and no credential.
#[derive(Debug, Args)]
pub(crate) struct RehearseArgs {
    /// Name of a runbook, or path of a file.
    #[arg(default_value = "cloudflare-token-compromise")]
    runbook: String,

    /// What happens; `quell scenarios` lists them.
    #[arg(long, default_value = "leaked-token", value_name = "NAME")]
    scenario: String,

    /// Prepared answers, for a rehearsal without a person.
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,

    /// Value of an input.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,

    #[command(flatten)]
    start: StartArgs,

    #[command(flatten)]
    order: Order,
}

/// A simulated account under a running incident.
pub(crate) struct Stage {
    scenario: Scenario,
    simulator: Arc<Simulator>,
}

/// Runs `quell rehearse`.
pub(crate) async fn run(args: &RehearseArgs, cx: &Context) -> Result<Exit, CliError> {
    let loaded = load(&args.runbook, cx).map_err(|error| match simulator::scenario(&args.runbook) {
        Some(scenario) => error.hint(format!("it is a scenario: `quell rehearse --scenario {}`", scenario.name)),
        None => error,
    })?;
    let answers = args.answers.as_deref().map(|path| read_answers(path, &loaded)).transpose()?;
    refuse_without_person(cx, answers.is_some(), args.order.yes_up_to)?;
    let start = args.start.read(cx)?;
    let scenario = scenario(&args.scenario)?;
    let dir = cx.state.begin(cx.now(), true)?;
    let stage = Stage::set(cx, &dir, scenario).await?;
    brief(cx, &stage.scenario);
    let mut target = stage.target()?;
    let connected = connect(cx, &mut target).await?;
    let known = stage.inputs(cx, &dir)?;
    let secrets = Secrets::Simulated;
    let sources =
        Sources { plan: None, set: &args.set, answers: answers.as_ref(), start: &start, scenario: &known, secrets };
    let inputs = inputs::collect(&loaded.runbook, &sources, &connected, &mut target, cx).await?;
    let up_to = args.order.yes_up_to;
    let start = start.with(&inputs).in_team(cx);
    let given =
        Given { inputs: &inputs, answers: answers.as_ref(), start: &start, approved: None, up_to, beside: false };
    let opened = open::open(cx, dir, true, &loaded, given, &target, &connected)?;
    let watch = Watch::new(cx.screen.clone());
    let prompter = stage.with_colleague(prompter(cx, answers, up_to, &watch)?);
    let driven = drive::drive(cx, opened, loaded, &target, connected, watch, prompter).await?;
    stage.close(cx, &driven)?;
    Ok(driven.exit)
}

/// The stage of an earlier rehearsal, as its applied requests left it.
pub(crate) async fn restage(cx: &Context, dir: &IncidentDir, run: &RunState) -> Result<Stage, CliError> {
    let World::Rehearsal(name) = &run.opened.world else {
        return Err(CliError::usage("this incident is no rehearsal"));
    };
    Stage::set(cx, dir, scenario(name)?).await
}

impl Stage {
    async fn set(cx: &Context, dir: &IncidentDir, scenario: Scenario) -> Result<Self, CliError> {
        let options = WorldOptions { dir: Some(dir.world()), ..WorldOptions::at(cx.now()) };
        let simulator = simulator::start(&scenario, options).await.map_err(|error| {
            CliError::new(Exit::Usage, "simulator", "the simulated account cannot be started").because(&error)
        })?;
        Ok(Self { scenario, simulator: Arc::new(simulator) })
    }

    /// Where the simulated API is, with the responder's simulated token. No real credential is read.
    pub(crate) fn target(&self) -> Result<Target, CliError> {
        let base = ApiBase::parse(self.simulator.base_url()).map_err(|error| {
            CliError::new(Exit::Bug, "simulator", "the simulated API has an unusable address").because(&error)
        })?;
        let cast = &self.scenario.cast;
        Ok(Target {
            base,
            credential: Credential::Token(Secret::new(cast.responder_token.clone())),
            account: Some(cast.account_id.clone()),
            scenario: Some(self.scenario.name.to_owned()),
            secrets: BTreeMap::new(),
            leaked: None,
        })
    }

    /// What the responder of this scenario knows: offered as inputs.
    fn inputs(&self, cx: &Context, dir: &IncidentDir) -> Result<Map<String, Value>, CliError> {
        let baseline = dir.path.join("baseline");
        let written = crate::durable::create_dir(&baseline).and_then(|()| {
            simulator::baseline(&self.scenario, cx.now())
                .into_iter()
                .try_for_each(|(name, records)| fs::write(baseline.join(name), records.to_string()))
        });
        written.map_err(|error| {
            CliError::new(Exit::Usage, "baseline", "cannot write the scenario's DNS baseline").because(&error)
        })?;
        Ok(Map::from_iter([("baseline".to_owned(), json!(baseline))]))
    }

    /// Wraps whoever answers, so that work by hand is done in the simulated account.
    pub(crate) fn with_colleague(&self, prompter: Arc<dyn Prompter>) -> Arc<dyn Prompter> {
        Arc::new(colleague::Colleague::new(
            prompter,
            self.simulator.clone(),
            self.scenario.cast.responder_token.clone(),
        ))
    }

    /// Says what was found and what was missed, once every run is closed.
    pub(crate) fn close(&self, cx: &Context, driven: &Driven) -> Result<(), CliError> {
        // While a run rests, what was missed is still to be found.
        if !driven.journal.state().is_open() {
            let score = score::of(&self.scenario, driven.journal.state());
            cx.screen.tell(&score::text(&score, &self.scenario));
            let path = driven.dir.path.join("score.json");
            fs::write(&path, format!("{:#}\n", json!(score))).map_err(|error| {
                CliError::new(Exit::Report, "score", format!("cannot write {}", path.display())).because(&error)
            })?;
        }
        Ok(())
    }
}

fn scenario(name: &str) -> Result<Scenario, CliError> {
    simulator::scenario(name).ok_or_else(|| {
        CliError::usage(format!("there is no scenario `{}`", escape::terminal(name)))
            .hint("`quell scenarios` lists them")
    })
}

fn brief(cx: &Context, scenario: &Scenario) {
    cx.screen.mark_rehearsal();
    cx.screen.tell(
        "REHEARSAL: everything that follows happens in a simulated account on this machine; nothing real can change",
    );
    cx.screen.tell(&format!("\n{}\n\n{}\n\n", scenario.title, scenario.summary.trim()));
}
