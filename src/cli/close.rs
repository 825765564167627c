use clap::Args;
use serde_json::json;

use super::console::count;
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::note::Notebook;
use super::session::open::{lock, refuse_open};
use super::{output, report};
use crate::journal::{Accepted, Event};
use crate::secret::Redactor;

mod matters;

pub(super) use matters::{Matter, Matters};

/// Close an incident: says what is done, open, in doubt, not seen, not examined and not rotated.
///
/// What is open must be accepted by somebody, with a reason; else nothing is closed, and the exit code is 11. Closing
/// changes nothing but the journal and the report, and prints the journal's head for a ticket elsewhere.
#[derive(Debug, Args)]
pub(crate) struct CloseArgs {
    /// Beginning of the incident's id, or its directory; without one, the newest that is open.
    incident: Option<String>,

    /// Accept that something is left: its name as it is shown, who accepts it, and why. `all` stands for whatever is not
    /// named otherwise. Repeat it for several.
    #[arg(long, value_name = "MATTER=NAME: REASON", value_parser = acceptance)]
    accept: Vec<Acceptance>,
}

/// Who accepts what, and why.
#[derive(Debug, Clone)]
struct Acceptance {
    matter: String,
    by: String,
    reason: String,
}

fn acceptance(text: &str) -> Result<Acceptance, String> {
    const SHAPE: &str = "it is `MATTER=NAME: REASON`, e.g. `all=Maya Lindqvist: nobody can see it with our plan`";
    let (matter, rest) = text.split_once('=').ok_or(SHAPE)?;
    let (by, reason) = rest.split_once(':').ok_or(SHAPE)?;
    let [matter, by, reason] = [matter, by, reason].map(|part| part.trim().to_owned());
    if matter.is_empty() || by.is_empty() || reason.is_empty() {
        return Err(SHAPE.to_owned());
    }
    Ok(Acceptance { matter, by, reason })
}

/// Runs `quell close`.
pub(crate) fn run(args: &CloseArgs, cx: &Context) -> Result<Exit, CliError> {
    let dir = cx.incident_to_read(args.incident.as_deref())?;
    // Nobody may open a run between what is shown and what is closed.
    let _lock = lock(cx, &dir)?;
    let found = dir.inspect()?;
    if !found.is_sound() {
        return Err(CliError::new(Exit::Journal, "damaged", format!("the journal of incident {} is damaged", dir.id))
            .hint("`quell verify` tells what is wrong; nothing was closed"));
    }
    let Some(run) = found.state.latest_run() else {
        return Err(CliError::usage(format!("incident {} has no run; there is nothing to close", dir.id)));
    };
    refuse_open(&dir, run)?;
    if let Some(closing) = &found.state.closing {
        let at = closing.at.strftime("%F %H:%MZ");
        cx.screen.tell(&format!("incident {} was closed {at} by {}; nothing is written", dir.id, closing.by));
        return Ok(Exit::Done);
    }
    let matters = Matters::of(&report::of_team(&dir, &found)?);
    if !cx.json {
        output::write(&matters.text(&cx.screen.style()))?;
    }
    let (accepted, open) = accepted(&args.accept, &matters, &Redactor::new(dir.redaction_key()?))?;
    if cx.json {
        output::document(&json!({
            "schema": "quell.close/1", "incident": dir.id, "closed": open.is_empty(),
            "open": matters.open, "listed": matters.listed, "accepted": accepted, "head": found.head,
        }))?;
    }
    if !open.is_empty() {
        let what = format!("{} in incident {} that nobody has accepted", count(open.len(), "open matter"), dir.id);
        return Err(CliError::new(Exit::Waiting, "matters_open", what).hint(format!(
            "settle what can be settled; accept the rest: `quell close {} --accept '{}=NAME: REASON'`, or `all=…`; nothing was closed",
            dir.id, open[0].name
        )));
    }
    let mut book = Notebook::open(Some(&dir.path.display().to_string()), cx)?;
    book.journal.append(&book.stamp, Event::IncidentClosed { accepted })?;
    let (path, _) = report::write(&dir, &dir.inspect()?)?;
    cx.screen.tell(&format!("incident {} is closed; post-mortem draft: {}", dir.id, path.display()));
    cx.screen.tell(&format!("journal head: {}", book.journal.head()));
    Ok(Exit::Done)
}

/// What is accepted, and what is not. A name that nothing bears is a mistake: it may be meant for something else.
fn accepted<'m>(
    given: &[Acceptance],
    matters: &'m Matters,
    redactor: &Redactor,
) -> Result<(Vec<Accepted>, Vec<&'m Matter>), CliError> {
    let is_named = |it: &Acceptance, matter: &Matter| it.matter.eq_ignore_ascii_case(&matter.name);
    let unknown = given.iter().find(|it| it.matter != "all" && !matters.open.iter().any(|open| is_named(it, open)));
    if let Some(unknown) = unknown {
        return Err(CliError::usage(format!("no open matter is called `{}`; nothing was closed", unknown.matter)));
    }
    let (mut accepted, mut open) = (Vec::new(), Vec::new());
    for matter in &matters.open {
        let by = given.iter().find(|it| is_named(it, matter)).or_else(|| given.iter().find(|it| it.matter == "all"));
        match by {
            Some(it) => accepted.push(Accepted {
                matter: matter.name.clone(),
                what: format!("{}: {}", matter.kind, matter.what),
                by: redactor.redact(&it.by).into_owned(),
                reason: redactor.redact(&it.reason).into_owned(),
            }),
            None => open.push(matter),
        }
    }
    Ok((accepted, open))
}
