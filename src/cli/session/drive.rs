use std::sync::Arc;

use serde_json::json;

use super::connect::Target;
use super::load::Loaded;
use super::open::Opened;
use crate::cli::catalogue::CATALOGUE;
use crate::cli::console::{Watch, header};
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::layout::IncidentDir;
use crate::cli::vault::VaultDoor;
use crate::cli::{outcome, output, report, signals};
use crate::cloudflare::api::Connected;
use crate::engine::{Bench, Engine, Interrupt, Observer, PauseCause, Ports, Prompter, Stop};
use crate::evidence::EvidenceStore;
use crate::journal::{Entry, IncidentState, Journal};
use crate::runbook::Templates;
use crate::secret::Redactor;


/// How a drive ended.
pub struct Driven {
    /// The incident.
    pub dir: IncidentDir,
    /// The journal, still open.
    pub journal: Journal,
    /// Why the loop ended.
    pub stop: Stop,
    /// The exit code so far.
    pub exit: Exit,
}

/// Arms Ctrl-C. Called once, before the first prompt of a run.
pub fn arm(cx: &Context) -> Result<Interrupt, CliError> {
    signals::arm(cx.screen.clone())
        .map_err(|error| CliError::new(Exit::Bug, "signals", "cannot listen for Ctrl-C").because(&error))
}

/// Drives an open run until it ends or rests, writes the report, and prints where things stand.
pub async fn drive(
    cx: &Context,
    opened: Opened,
    loaded: Loaded,
    target: &Target,
    connected: Connected,
    prompter: Arc<dyn Prompter>,
    interrupt: Interrupt,
) -> Result<Driven, CliError> {
    let Opened { dir, journal, run, lock } = opened;
    let redactor = Arc::new(Redactor::new(dir.redaction_key()?));
    redactor.learn(target.credential.secret());
    let vault = Arc::new(VaultDoor::new(&dir, cx, target.scenario.is_some()));
    let watch = Watch::new(cx.screen.clone());
    let observer: Arc<dyn Observer> = if cx.jsonl { Arc::new(Lines { watch }) } else { Arc::new(watch) };
    if let Some(state) = journal.state().run(&run) {
        header(&cx.screen, &state.opened, &dir.id, cx.now().duration_since(state.opened_at));
    }
    let bench = Bench {
        catalogue: CATALOGUE,
        runbook: loaded.runbook,
        templates: Templates::new(),
        read: connected.read.clone(),
        send: connected.send.clone(),
        evidence: EvidenceStore::new(dir.evidence(), redactor.clone()),
        redactor,
        ports: Ports {
            prompter,
            observer,
            progress: Arc::new(cx.screen.clone()),
            clock: cx.clock.clone(),
            vault,
            interrupt,
            operator: cx.operator.clone(),
        },
    };
    let mut engine = Engine::new(journal, run, bench);
    let stop = engine.drive().await?;
    drop(lock);
    let journal = engine.into_journal();
    finish(cx, dir, journal, stop, &connected)
}

fn finish(cx: &Context, dir: IncidentDir, journal: Journal, stop: Stop, connected: &Connected) -> Result<Driven, CliError> {
    let mut exit = outcome::exit(journal.state(), Some(&stop));
    let found = dir.inspect()?;
    match report::write(&dir, &found, None, None) {
        Ok(path) => cx.screen.line(&format!("post-mortem draft: {}", path.display())),
        Err(error) => {
            cx.screen.block(&error.text());
            exit = exit.and(Exit::Report);
        }
    }
    cx.screen.line(&format!("journal head: {}", journal.head()));
    match &stop {
        Stop::Closed(_) => {}
        Stop::Paused(cause) => {
            if let PauseCause::Missing(what) = cause {
                cx.screen.line(&format!("paused, waiting for a person: {}", crate::escape::terminal(what)));
            }
            cx.screen.line(&format!("nothing is lost; go on with `quell resume {}`", dir.id));
        }
    }
    let gaps = journal.state().gaps.len();
    if gaps > 0 {
        cx.screen.line(&format!("{gaps} things could not be seen; the report lists them"));
    }
    if cx.json {
        output::document(&outcome::document(&dir, journal.state(), journal.head(), Some(connected.meter.snapshot()), cx.now()))?;
    }
    Ok(Driven { dir, journal, stop, exit })
}

/// Entries on stdout as they become durable, besides the lines for people.
struct Lines {
    watch: Watch,
}

impl Observer for Lines {
    fn entry(&self, entry: &Entry, state: &IncidentState) {
        self.watch.entry(entry, state);
        // A reader that went away must not stop a containment.
        let _ = output::write(&format!("{}\n", json!(entry)));
    }
}
