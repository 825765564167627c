//! What an incident's journal says beforehand: whom to watch, and whom to suspect.

use jiff::Timestamp;

use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::session::connect::Target;
use crate::cloudflare::principals::{CUTS, RESTORES};
use crate::hunt::watch::Cut;
use crate::journal::{EffectState, IncidentState};
use crate::model::Account;

/// The incident of that id.
pub(super) fn incident(id: &str, cx: &Context) -> Result<IncidentState, CliError> {
    let found = cx.incident_to_read(Some(id))?.inspect()?;
    if !found.is_sound() {
        return Err(CliError::new(Exit::Journal, "journal_damaged", "the incident's journal is damaged")
            .hint("`quell verify` says what is wrong; without `--incident` the hunt needs no journal"));
    }
    Ok(found.state)
}

/// Its journal says nothing of another world.
pub(super) fn require_same_world(incident: &IncidentState, target: &Target) -> Result<(), CliError> {
    match &incident.world {
        Some(world) if *world != target.world() => Err(CliError::usage(format!(
            "the incident took place in another world ({world}), and this is {}",
            target.world()
        ))
        .hint("check `CLOUDFLARE_BASE_URL`; a rehearsal's account is gone with its process")),
        _ => Ok(()),
    }
}

/// Nor of another account.
pub(super) fn require_same_account(incident: &IncidentState, account: &Account) -> Result<(), CliError> {
    match incident.latest_run() {
        Some(run) if run.opened.account.id != account.id => Err(CliError::usage(format!(
            "the incident is of account {}, and this is account {}",
            run.opened.account.id, account.id
        ))
        .hint("check `CLOUDFLARE_ACCOUNT_ID`")),
        _ => Ok(()),
    }
}

/// The suspect of its newest run.
pub(super) fn suspect(incident: &IncidentState) -> Option<String> {
    let inputs = &incident.latest_run()?.plan.as_ref()?.inputs;
    inputs.get("suspect")?.as_str().filter(|suspect| *suspect != "unknown").map(str::to_owned)
}

/// What was cut in it, and not given back since.
pub(super) fn cut(incident: &IncidentState) -> Vec<Cut> {
    let effects = incident.runs.iter().flat_map(|run| run.steps.values()).flat_map(|step| &step.effects);
    let done = |actions: &[&str]| -> Vec<(String, Timestamp)> {
        let of = effects.clone().filter(|state| actions.contains(&state.effect.action.as_str()) && state.is_applied());
        of.filter_map(|state| Some((state.effect.target.id.clone(), ended(state)?))).collect()
    };
    let given_back = done(RESTORES);
    let is_cut = |(id, at): &(String, Timestamp)| !given_back.iter().any(|(back, later)| back == id && later > at);
    done(CUTS).into_iter().filter(is_cut).map(|(who, at)| Cut { who, at, made_by: None }).collect()
}

fn ended(state: &EffectState) -> Option<Timestamp> {
    state.attempts.last()?.ended
}
