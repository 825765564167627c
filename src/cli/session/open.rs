use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::connect::Target;
use super::load::Loaded;
use super::start::Start;
use crate::cli::catalogue::CATALOGUE;
use crate::cli::context::Context;
use crate::cli::environment;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::layout::IncidentDir;
use crate::cli::plan_file;
use crate::cli::prompt::AnswersFile;
use crate::cloudflare::api::Connected;
use crate::durable;
use crate::engine::{Binding, seal_plan};
use crate::escape;
use crate::journal::{
    Driver, DriverLock, Event, FORMAT, Journal, LeakedToken, Lease, NoteKind, PlanApproved, PlanSealed, RunOpened,
    RunState, Stamp,
};
use crate::model::{Account, Danger, Digest, IncidentId, RunId, World};
use crate::runbook::{Runbook, Templates};
use crate::secret::Redactor;

/// An open run: journal and driver lock in hand, the plan fixed on disk.
pub(crate) struct Opened {
    /// The incident.
    pub(crate) dir: IncidentDir,
    /// Its journal.
    pub(crate) journal: Journal,
    /// The run.
    pub(crate) run: RunId,
    /// The right to drive it.
    pub(crate) lock: DriverLock,
    /// Up to which danger it consents by itself.
    pub(crate) up_to: Option<Danger>,
    /// How it stood when it was taken up again; stands below the header.
    pub(crate) rested: Option<String>,
}

/// What was given before the run.
pub(crate) struct Given<'a> {
    /// The runbook's inputs.
    pub(crate) inputs: &'a Map<String, Value>,
    /// Who answers prompts, if no person does.
    pub(crate) answers: Option<&'a AnswersFile>,
    /// Who does what, and since when it is known.
    pub(crate) start: &'a Start,
    /// The plan that was approved, with its text.
    pub(crate) approved: Option<(PlanApproved, String)>,
    /// Up to which danger it consents by itself.
    pub(crate) up_to: Option<Danger>,
    /// Whether it may go beside a run that rests.
    pub(crate) beside: bool,
}

/// The plan that a run with these inputs would be bound to: files among them as they are now.
pub(crate) fn seal(
    incident: &IncidentId,
    loaded: &Loaded,
    inputs: &Map<String, Value>,
    target: &Target,
    connected: &Connected,
) -> Result<PlanSealed, CliError> {
    let (world, account) = (connected.read.world(), connected.read.account());
    let files = files(&loaded.runbook, inputs)?;
    Ok(seal_at(incident, loaded, inputs, &files, (world, &target.api(), account)))
}

/// The same at a place that is known, world, API host and account, and with files that are known.
pub(crate) fn seal_at(
    incident: &IncidentId,
    loaded: &Loaded,
    inputs: &Map<String, Value>,
    files: &BTreeMap<String, Digest>,
    (world, api, account): (&World, &str, &Account),
) -> PlanSealed {
    let binding = Binding { incident, world, api, account, files };
    seal_plan(&loaded.runbook, inputs, CATALOGUE, &Templates::new(), binding)
}

/// The files that the inputs name, with digests of what is in them now.
pub(crate) fn files(runbook: &Runbook, inputs: &Map<String, Value>) -> Result<BTreeMap<String, Digest>, CliError> {
    let mut files = BTreeMap::new();
    for spec in &runbook.inputs {
        let value = inputs.get(&spec.name).cloned().unwrap_or_default();
        let (_, file) = spec.in_full(value).map_err(|why| {
            CliError::usage(format!("the input `{}` cannot be {why}", spec.name)).hint("nothing was sent")
        })?;
        files.extend(file);
    }
    Ok(files)
}

/// Begins an incident, or takes up one that there is, and opens a run in it.
pub(crate) fn open(
    cx: &Context,
    dir: IncidentDir,
    fresh: bool,
    loaded: &Loaded,
    given: Given<'_>,
    target: &Target,
    connected: &Connected,
) -> Result<Opened, CliError> {
    let lock = lock(cx, &dir)?;
    let stamp = Stamp { role: cx.role(&given.start.roles), ..cx.stamp(None) };
    let world = connected.read.world().clone();
    let mut journal = if fresh {
        let opened = Event::IncidentOpened {
            id: dir.id.clone(),
            title: loaded.runbook.title.clone(),
            world: world.clone(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            machine: environment::machine(),
        };
        Journal::create(&dir.path, &stamp, opened)?.0
    } else {
        let (journal, _) = Journal::open(&dir.path)?;
        refuse_foreign(&dir, &journal, given.beside, target, connected)?;
        journal
    };
    journal.drive(&stamp, driver_taken(given.answers, given.up_to))?;
    let run = RunId::new(format!("r{}", journal.state().runs.len() + 1));
    let bound = RunOpened {
        run: run.clone(),
        runbook: loaded.runbook.name.clone(),
        title: loaded.runbook.title.clone(),
        runbook_sha256: loaded.runbook.source.digest.clone(),
        source: loaded.source.clone(),
        target_seconds: loaded.runbook.target.map(|target| target.as_secs()),
        update_seconds: loaded.runbook.update_every.map(|every| every.as_secs()),
        detected_at: given.start.detected_at,
        roles: given.start.roles.clone(),
        world,
        api: target.api(),
        account: connected.read.account().clone(),
        credential: connected.read.credential().clone(),
        crown_jewels: cx.settings.config.crown_jewels.clone(),
        skew_ms: connected.skew.and_then(|skew| i64::try_from(skew.as_millis()).ok()),
        leaked: leaked(&dir, target)?,
    };
    let stamp = Stamp { run: Some(run.clone()), ..stamp };
    let closing = journal.state().closing.clone();
    journal.append(&stamp, Event::RunOpened(Box::new(bound.clone())))?;
    if let Some(closing) = closing {
        let at = closing.at.strftime("%F %H:%MZ");
        let text = format!(
            "the incident, which {} had closed at {at}, is open again, and so is what was accepted then",
            closing.by
        );
        cx.screen.tell(&escape::terminal(&format!("note: {text}; `quell close` closes it anew")));
        journal.append(&stamp, Event::Noted { text, kind: NoteKind::Decision })?;
    }
    // Before the plan is fixed: a run that can be resumed has its approval.
    if let Some((approved, text)) = given.approved {
        keep(&dir.approved(&run), &text)?;
        journal.append(&stamp, Event::PlanApproved(Box::new(approved)))?;
    }
    let sealed = seal(&dir.id, loaded, given.inputs, target, connected)?;
    keep(&dir.plan(&run, 0), &plan_file::text(FORMAT, &bound, &sealed, &loaded.texts()))?;
    journal.append(&stamp, Event::PlanSealed(Box::new(sealed)))?;
    Ok(Opened { dir, journal, run, lock, up_to: given.up_to, rested: None })
}

/// The suspect that was told by its value, if it was.
fn leaked(dir: &IncidentDir, target: &Target) -> Result<Option<LeakedToken>, CliError> {
    let Some(leaked) = &target.leaked else { return Ok(None) };
    Ok(leaked.for_journal(&Redactor::new(dir.redaction_key()?)))
}

fn keep(path: &Path, text: &str) -> Result<(), CliError> {
    durable::write_new(path, text.as_bytes(), 0o600).map_err(|error| {
        CliError::new(Exit::Journal, "plan_file", format!("cannot write {}", path.display())).because(&error)
    })
}

/// This process drives from here on, and `answers` answers for it; up to a danger it consents by itself.
pub(crate) fn driver_taken(answers: Option<&AnswersFile>, up_to: Option<Danger>) -> Event {
    let answers = answers.and_then(AnswersFile::identity);
    Event::DriverTaken { machine: environment::machine(), pid: std::process::id(), answers, up_to }
}

/// Takes the right to drive, or says who has it.
pub(crate) fn lock(cx: &Context, dir: &IncidentDir) -> Result<DriverLock, CliError> {
    let hint = "pause it there (`pause`, or Ctrl-C once) before you go on here; notes (`quell note`) and `quell status` work meanwhile. Where it hangs or its machine is gone, `quell resume --take-over REASON`";
    granted(DriverLock::acquire(&dir.path, &me(cx))?, &format!("incident {} is being driven", dir.id), hint)
}

/// This process, as one that holds a lock.
pub(crate) fn me(cx: &Context) -> Driver {
    Driver { machine: environment::machine(), pid: std::process::id(), since: cx.now() }
}

/// The lock, or who has it: `what` is done by that process.
pub(crate) fn granted(lease: Lease, what: &str, hint: &str) -> Result<DriverLock, CliError> {
    match lease {
        Lease::Granted(lock) => Ok(lock),
        Lease::Held(driver) => {
            Err(CliError::new(Exit::Journal, "locked", format!("{what} by {}", who(driver.as_ref()))).hint(hint))
        }
    }
}

/// Who holds a lock, as far as it could be read.
pub(crate) fn who(driver: Option<&Driver>) -> String {
    driver.map_or_else(
        || "another process".to_owned(),
        |driver| format!("process {} on {} since {}", driver.pid, driver.machine, driver.since.strftime("%F %T UTC")),
    )
}

/// An incident stays in one world and one account.
fn refuse_foreign(
    dir: &IncidentDir,
    journal: &Journal,
    beside: bool,
    target: &Target,
    connected: &Connected,
) -> Result<(), CliError> {
    let Some(run) = journal.state().latest_run() else { return Ok(()) };
    if !beside {
        refuse_open(dir, run)?;
    }
    same_place(run, target, connected)
}

/// One run at a time: the last one must be closed before another is opened.
pub(crate) fn refuse_open(dir: &IncidentDir, run: &RunState) -> Result<(), CliError> {
    if run.closed.is_some() {
        return Ok(());
    }
    Err(CliError::new(Exit::Usage, "run_open", format!("incident {} has a run that is not closed", dir.id))
        .hint(format!("go on with it: `quell resume {}`; `abort` there ends it", dir.id)))
}

/// Refuses another account, host or world than the run was bound to.
pub(crate) fn same_place(run: &RunState, target: &Target, connected: &Connected) -> Result<(), CliError> {
    let bound = &run.opened;
    let refused = |what: &str, then: String, now: String| {
        Err(CliError::new(Exit::Usage, "another_place", format!("this incident belongs to another {what}: it was {then}, and is now {now}"))
            .hint("set the credential, `CLOUDFLARE_ACCOUNT_ID` and `CLOUDFLARE_BASE_URL` of the incident, or begin a new one; nothing was sent"))
    };
    if bound.world != *connected.read.world() && bound.world.is_rehearsal() != connected.read.world().is_rehearsal() {
        return refused("world", bound.world.to_string(), connected.read.world().to_string());
    }
    // A rehearsal's simulated API has a new port each time.
    if !bound.world.is_rehearsal() && bound.api != target.api() {
        return refused("API host", bound.api.clone(), target.api());
    }
    if bound.account.id != connected.read.account().id {
        return refused("account", bound.account.id.clone(), connected.read.account().id.clone());
    }
    Ok(())
}
