use clap::Args;

use super::console::{Tone, row};
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::note::Notebook;
use super::prompt::{Agreed, ask_second, seconded_text};
use crate::engine::{consents, second_code};
use crate::journal::{EffectState, Event, RunState, Stamp, StepState};
use crate::model::{Effect, StepPath};

/// Agree, as a second person, to what somebody else consented to: from another terminal, or a machine that shares the folder.
///
/// Shows the changes as the other person was shown them, `inspect` the whole of a request, and asks for the code that stands on
/// the other screen. The run then goes on by itself, or with `quell resume`.
#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// Beginning of the incident's id, or its directory; without one, the newest that is open.
    incident: Option<String>,

    /// The code that stands on the other screen, where no person is at this terminal.
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
}

/// Runs `quell approve`.
pub(crate) async fn run(args: &ApproveArgs, cx: &Context) -> Result<Exit, CliError> {
    let mut book = Notebook::open(args.incident.as_deref(), cx)?;
    let state = book.journal.state();
    let Some((run, path, step)) = state.latest_run().and_then(waiting) else {
        return Err(CliError::usage(format!("nothing in incident {} waits for a second person", book.dir.id)));
    };
    if let Some(own) = step.unseconded().find(|state| state.is_consented_by(&cx.operator)) {
        return Err(CliError::new(
            Exit::Waiting,
            "same_person",
            format!("{} consented to this and cannot be the second person", own.consented_by()),
        )
        .hint("somebody else runs `quell approve`, under their own account or with `QUELL_OPERATOR=NAME`"));
    }
    let effects: Vec<&Effect> = step.unseconded().map(|state| &state.effect).collect();
    cx.screen.say(&shown(run, path, step, &effects, cx));
    if !knows(&second_code(step.unseconded()), args, &effects, cx).await? {
        return Err(CliError::new(Exit::Waiting, "wrong_code", "this is not the code of what is shown here")
            .hint("it was mistyped, or the other screen shows other changes: compare them; nothing was agreed to"));
    }
    let stamp = Stamp { path: Some(path.clone()), ..cx.stamp(Some(&run.opened)) };
    let path = path.clone();
    let agreed = Event::Seconded { effects: consents(step), alone: None };
    book.journal.append(&stamp, agreed)?;
    cx.screen.tell(&format!("agreed to as {}; step `{path}` goes on", cx.operator));
    cx.screen.tell("if the run rests, `quell resume` goes on with it");
    Ok(Exit::Done)
}

/// The step that waits for a second person, if one does.
fn waiting(run: &RunState) -> Option<(&RunState, &StepPath, &StepState)> {
    let steps = run.plan.iter().flat_map(|plan| &plan.steps).filter(|planned| planned.second_person);
    let mut waiting = steps.filter_map(|planned| Some((run, &planned.path, run.step(&planned.path)?)));
    waiting.find(|(_, path, step)| !run.status(path).is_final() && step.unseconded().next().is_some())
}

fn shown(run: &RunState, path: &StepPath, step: &StepState, effects: &[&Effect], cx: &Context) -> String {
    let style = cx.screen.style();
    let mut out = format!("\n{}\n", style.heading(&format!("{path}: somebody else consented to this")));
    let opened = &run.opened;
    let title = run.planned(path).map(|planned| planned.title.as_str()).unwrap_or_default();
    let by = step.unseconded().next().map(EffectState::consented_by).unwrap_or_default();
    for (label, text) in [
        ("step", title.to_owned()),
        ("why", run.planned(path).and_then(|planned| planned.why.clone()).unwrap_or_default()),
        ("account", format!("{} ({}) at {}", opened.account.name, opened.account.id, opened.api)),
        ("world", opened.world.to_string()),
        ("consented", by.to_owned()),
    ] {
        if !text.is_empty() {
            out.push_str(&row(label, &text, Tone::Faint, &style));
        }
    }
    let place = format!("account {} at {}", opened.account.id, opened.api);
    out.push_str(&seconded_text(effects, &place, &style));
    out
}

/// Whether the person knows the code.
///
/// # Errors
/// The person leaves, or there is none.
async fn knows(code: &str, args: &ApproveArgs, effects: &[&Effect], cx: &Context) -> Result<bool, CliError> {
    match (&args.code, &cx.keys) {
        (Some(given), _) => Ok(given.trim().eq_ignore_ascii_case(code)),
        (None, Some(keys)) => match ask_second(&cx.screen, &**keys, &cx.interrupt, code, effects).await {
            Agreed::Yes => Ok(true),
            Agreed::WrongCode => Ok(false),
            Agreed::Stopped => Err(CliError::new(Exit::Interrupted, "interrupted", "left; nothing was agreed to")),
        },
        (None, None) => Err(CliError::new(Exit::Waiting, "no_person", "there is no terminal to ask for the code on")
            .hint("run it on a terminal, or give `--code`; nothing was agreed to")),
    }
}
