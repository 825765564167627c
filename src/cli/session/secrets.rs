//! Secret inputs: asked for, used, and kept nowhere.

use serde_json::{Map, Value, json};

use super::connect::Target;
use crate::cli::context::Context;
use crate::cli::environment;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::prompt::ask_secret;
use crate::outside::SHORTEST_SECRET;
use crate::runbook::{InputSpec, InputType, Runbook};
use crate::secret::Secret;

/// What is done about a secret that the environment does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// It is asked for; without a person the run does not begin.
    Needed,
    /// It is asked for where somebody is there. Without it what hangs on it cannot be known.
    Welcome,
    /// Nothing: nothing real is used.
    Simulated,
}

/// The value of a secret input in the run: the name of the variable that it is known by, or null where there is none.
/// What is behind the name goes into `target`, and nowhere else.
pub(crate) async fn settle(
    spec: &InputSpec,
    secrets: Secrets,
    target: &mut Target,
    cx: &Context,
) -> Result<Value, CliError> {
    let variable = spec.variable();
    let reference = json!({ "secret_env": variable });
    if secrets == Secrets::Simulated {
        return Ok(reference);
    }
    let found = match environment::input(spec) {
        Some(text) => Some(long_enough(Secret::new(text)).map_err(|why| {
            CliError::usage(format!("the secret in `{variable}` cannot be used: {why}")).hint("was it copied whole?")
        })?),
        None if cx.can_ask() => ask(spec, cx).await?,
        None => None,
    };
    match found {
        Some(secret) => {
            target.secrets.insert(variable, secret);
            Ok(reference)
        }
        None if spec.required && secrets == Secrets::Needed => Err(missing(spec)),
        None if spec.required => Ok(reference),
        None => Ok(Value::Null),
    }
}

/// The same for a run that goes on: those that it was given before are asked for again.
pub(crate) async fn again(
    runbook: &Runbook,
    sealed: &Map<String, Value>,
    target: &mut Target,
    cx: &Context,
) -> Result<(), CliError> {
    if target.scenario.is_some() {
        return Ok(());
    }
    let known: Vec<String> = target.secrets.keys().cloned().collect();
    let is_open = |spec: &&InputSpec| spec.ty == InputType::Secret && !known.contains(&spec.variable());
    for spec in runbook.inputs.iter().filter(is_open) {
        if sealed.get(&spec.name).is_some_and(|value| !value.is_null())
            && settle(spec, Secrets::Needed, target, cx).await?.is_null()
        {
            return Err(missing(spec));
        }
    }
    Ok(())
}

/// Refuses a secret that comes from where others can read it. Its value is not repeated.
pub(crate) fn refuse_readable(spec: &InputSpec, place: &str) -> Result<(), CliError> {
    if spec.ty != InputType::Secret {
        return Ok(());
    }
    Err(CliError::usage(format!("the input `{}` is a secret, and {place} is no place for one", spec.name)).hint(format!(
        "others can read it there: set `{}` in the environment, or type it when it is asked for; if it was a real one, \
         have it replaced; nothing was sent",
        spec.variable()
    )))
}

fn missing(spec: &InputSpec) -> CliError {
    let message = format!("the run needs the secret input `{}`, which is kept nowhere", spec.name);
    CliError::new(Exit::Waiting, "input_missing", message).hint(format!(
        "set `{}` in the environment, or run it on a terminal, where it is asked for without echo; nothing was sent",
        spec.variable()
    ))
}

async fn ask(spec: &InputSpec, cx: &Context) -> Result<Option<Secret>, CliError> {
    let style = cx.screen.style();
    let optional = if spec.required { "" } else { "; empty to leave it out" };
    let words = spec.prompt.as_deref().unwrap_or(&spec.name);
    let words = style.show(&format!("{words} (not echoed, not stored{optional})"));
    loop {
        let Some(secret) = ask_secret(&cx.screen, &words).await else {
            return Err(CliError::new(Exit::Interrupted, "interrupted", "left before the run began; nothing was sent"));
        };
        if secret.expose().is_empty() && !spec.required {
            return Ok(None);
        }
        match long_enough(secret) {
            Ok(secret) => return Ok(Some(secret)),
            Err(why) => cx.screen.tell(&why),
        }
    }
}

fn long_enough(secret: Secret) -> Result<Secret, String> {
    if secret.expose().len() < SHORTEST_SECRET {
        return Err(format!("a secret of fewer than {SHORTEST_SECRET} characters cannot be masked in what is kept"));
    }
    Ok(secret)
}
