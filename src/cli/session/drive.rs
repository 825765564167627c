use std::sync::Arc;

use serde_json::json;

use super::connect::Target;
use super::leaked;
use super::load::Loaded;
use super::open::Opened;
use super::succession::Succession;
use crate::cli::catalogue::CATALOGUE;
use crate::cli::console::{Watch, count, header};
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::layout::IncidentDir;
use crate::cli::vault::{RunVault, VaultDoor};
use crate::cli::{outcome, output, report};
use crate::cloudflare::api::Connected;
use crate::engine::{Bench, Engine, Observer, Ports, Prompter, Stop};
use crate::evidence::EvidenceStore;
use crate::journal::{Approval, Entry, IncidentState, Journal, RunOpened};
use crate::model::{Danger, RunId};
use crate::runbook::Templates;
use crate::secret::Redactor;

/// How a drive ended.
pub(crate) struct Driven {
    /// The incident.
    pub(crate) dir: IncidentDir,
    /// The journal, still open.
    pub(crate) journal: Journal,
    /// The exit code so far.
    pub(crate) exit: Exit,
}

/// Drives an open run until it ends or rests, writes the report, and prints where things stand.
pub(crate) async fn drive(
    cx: &Context,
    opened: Opened,
    loaded: Loaded,
    target: &Target,
    connected: Connected,
    watch: Watch,
    prompter: Arc<dyn Prompter>,
) -> Result<Driven, CliError> {
    let Opened { dir, journal, run, lock, up_to, rested } = opened;
    let redactor = Arc::new(Redactor::new(dir.redaction_key()?));
    redactor.learn(target.credential.secret());
    let vault = Arc::new(RunVault::new(VaultDoor::new(&dir, cx, target.scenario.is_some()), run.clone()));
    watch.follow(&dir.path);
    let observer: Arc<dyn Observer> = if cx.jsonl { Arc::new(Lines { watch }) } else { Arc::new(watch) };
    let role = journal.state().run(&run).map_or(cx.role, |state| cx.role(&state.opened.roles));
    if let Some(state) = journal.state().run(&run) {
        if state.opened.world.is_rehearsal() {
            cx.screen.mark_rehearsal();
        }
        // A run that goes on may do so with another credential, and a rehearsal's simulated API has a new port.
        let credential = connected.read.credential().clone();
        let now = RunOpened { api: target.api(), credential, ..state.opened.clone() };
        let calls = state.plan.as_ref().map_or(&[][..], |plan| &plan.nested);
        let beforehand = beforehand(state.approval(), up_to);
        let style = cx.screen.style();
        cx.screen.say(&header(&now, calls, &dir.id, state.opened_at, cx.now(), &beforehand, &style));
        if let Some(rested) = &rested {
            cx.screen.say(rested);
        }
    }
    let succession = Arc::new(Succession::new(&loaded, target, &connected, &redactor, cx));
    let (outside, errands) = target.outside(cx, &redactor);
    let bench = Bench {
        catalogue: CATALOGUE,
        runbook: loaded.runbook,
        templates: Templates::new(),
        read: connected.read.clone(),
        send: connected.send.clone(),
        leaked: leaked::door(target, &connected, cx),
        outside,
        errands,
        api: target.api(),
        evidence: EvidenceStore::new(dir.evidence(), redactor.clone()).with_shelves(dir.snapshots(&run)),
        redactor,
        safeguards: cx.settings.safeguards(),
        up_to,
        ports: Ports {
            prompter,
            observer,
            progress: cx.screen.clone(),
            clock: cx.clock.clone(),
            vault,
            succession,
            reporter: Arc::new(report::Draft(dir.clone())),
            interrupt: cx.interrupt.clone(),
            operator: cx.operator.clone(),
            role,
        },
    };
    let mut engine = Engine::new(journal, run.clone(), bench);
    let stop = engine.drive().await?;
    drop(lock);
    let journal = engine.into_journal();
    finish(cx, dir, journal, &run, &stop, &connected)
}

fn finish(
    cx: &Context,
    dir: IncidentDir,
    journal: Journal,
    run: &RunId,
    stop: &Stop,
    connected: &Connected,
) -> Result<Driven, CliError> {
    let mut exit = outcome::exit(journal.state(), journal.state().run(run), Some(stop));
    let found = dir.inspect()?;
    match report::write(&dir, &found) {
        Ok((path, _)) => cx.screen.tell(&format!("post-mortem draft: {}", path.display())),
        Err(error) => {
            cx.screen.say(&error.text());
            exit = exit.and(Exit::Report);
        }
    }
    cx.screen.tell(&format!("journal head: {}", journal.head()));
    if cx.json {
        output::document(&outcome::document(
            &dir,
            journal.state(),
            journal.state().run(run),
            journal.head(),
            Some(connected.meter.snapshot()),
            cx.now(),
        ))?;
    }
    Ok(Driven { dir, journal, exit })
}

/// What is consented to before anything is shown, in words; nothing where people are asked for all.
fn beforehand(approved: Option<&Approval>, up_to: Option<Danger>) -> Vec<String> {
    let plan = approved.map(|approval| {
        let role = approval.role.map(|role| format!(" ({role})")).unwrap_or_default();
        format!(
            "plan {} of {}, approved {} by {}{role}: {}",
            approval.plan.file.short(),
            approval.plan.made_at.strftime("%F %H:%MZ"),
            approval.at.strftime("%F %H:%MZ"),
            approval.by,
            count(approval.plan.covered(), "change"),
        )
    });
    let order = up_to.map(|danger| format!("by itself up to {danger}; all else is asked for"));
    plan.into_iter().chain(order).collect()
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
