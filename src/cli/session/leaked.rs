//! A suspect of which only the value is known: the API is asked whose it is, and once it is cut whether it still takes the
//! value. The value stays in the memory of this process.

use std::sync::Arc;

use serde_json::Value;

use super::connect::{Target, refused};
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::prompt::ask_secret;
use crate::cloudflare::api::{Connected, Connector, Credential, Identity};
use crate::cloudflare::{Named, named, simulator};
use crate::escape;
use crate::journal::{IncidentState, LeakedToken, RunState};
use crate::model::{CredentialKind, Verdict};
use crate::provider::Leaked;
use crate::runbook::{InputSpec, InputType};
use crate::secret::{Redactor, Secret};

/// What is said instead of a token's name where its value is at hand.
const WORD: &str = "value";

/// Where the value comes from without a person.
pub(super) const VARIABLE: &str = "QUELL_SUSPECT_VALUE";

/// The input that the variable is for.
const SUSPECT: &str = "suspect";

/// How often a value that is not the one of before is asked for again.
const TRIES: u32 = 3;

/// The value of a suspect. It is masked wherever it turns up, and tried once the token is cut.
pub(crate) struct LeakedValue {
    secret: Secret,
    /// Id of the token whose it is, once that is known.
    token: Option<String>,
}

impl LeakedValue {
    /// The value, to be masked.
    pub(super) const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// What the journal is told of it.
    pub(super) fn for_journal(&self, redactor: &Redactor) -> Option<LeakedToken> {
        Some(LeakedToken { token: self.token.clone()?, mask: mask(redactor, &self.secret) })
    }
}

fn mask(redactor: &Redactor, value: &Secret) -> String {
    redactor.mask("secret", value.expose())
}

/// The door by which the engine tries the value that leaked, where there is one.
pub(crate) fn door(target: &Target, connected: &Connected, cx: &Context) -> Option<Arc<dyn Leaked>> {
    let leaked = target.leaked.as_ref()?;
    let credential = Credential::Token(leaked.secret.clone());
    let connector = Connector::new(target.base.clone(), credential, target.world(), cx.clock.clone());
    let door = connector.leaked(&connected.read.account().id, leaked.token.as_deref()?);
    // What the API was asked with once can be sent again.
    door.ok().map(|door| Arc::new(door) as Arc<dyn Leaked>)
}

/// Asks for the value again for a run that goes on and was told of the suspect by it: without it the cut is proven by
/// reading back alone, which is said. Whether it is the same tells its mask.
pub(crate) async fn again(run: &RunState, redactor: &Redactor, target: &mut Target, may_ask: bool, cx: &Context) {
    let Some(known) = run.opened.leaked.as_ref().filter(|known| !is_cut(run, &known.token)) else { return };
    let is_it = |value: &Secret| mask(redactor, value) == known.mask;
    let mut value = given(target, cx);
    if value.as_ref().is_some_and(|value| !is_it(value)) {
        cx.screen.tell(&format!("note: what `{VARIABLE}` holds is not the value that this run began with"));
        value = None;
    }
    let mut tries = 0;
    while value.is_none() && may_ask && tries < TRIES {
        let words = "the leaked value once more, to try it after the cut (not echoed, not stored; empty: not tried)";
        let Some(typed) = ask_secret(&cx.screen, words).await.filter(|typed| !typed.expose().is_empty()) else { break };
        if is_it(&typed) {
            value = Some(typed);
        } else {
            cx.screen.tell("that is not the value that this run began with");
        }
        tries += 1;
    }
    match value {
        Some(secret) => target.leaked = Some(LeakedValue { secret, token: Some(known.token.clone()) }),
        None => cx.screen.tell(&format!(
            "note: the leaked value is not at hand any more, so the cut of {} will be proven by reading back alone; \
             `{VARIABLE}` brings it",
            known.token
        )),
    }
}

/// The value for what is done at once to `tokens`: the one that a run of the incident was told by, or the one that the
/// environment has, where it is one of theirs. Any other is not tried, which is said.
///
/// # Errors
/// Nobody answers whose the value is.
pub(crate) async fn of_these(
    tokens: &[String],
    incident: &IncidentState,
    redactor: &Redactor,
    target: &mut Target,
    connected: &Connected,
    may_ask: bool,
    cx: &Context,
) -> Result<(), CliError> {
    let is_meant = |run: &&RunState| run.opened.leaked.as_ref().is_some_and(|known| tokens.contains(&known.token));
    if let Some(run) = incident.runs.iter().rfind(is_meant) {
        again(run, redactor, target, cx.can_ask() && may_ask, cx).await;
        return Ok(());
    }
    if tokens.is_empty() || target.scenario.is_some() {
        return Ok(());
    }
    let Some(value) = given(target, cx) else { return Ok(()) };
    let why = match bind(value, target, connected, cx).await {
        Ok(id) if tokens.contains(&id) => return Ok(()),
        Ok(id) => format!("it is the value of the token {id}, which this is not about"),
        Err(Unbound::Is(why)) => why,
        Err(Unbound::NotAsked(error)) => return Err(error),
    };
    target.leaked = None;
    cx.screen.tell(&escape::terminal(&format!("note: `{VARIABLE}` is not used: {why}")));
    Ok(())
}

/// Whether the token is cut already, as a read showed.
fn is_cut(run: &RunState, token: &str) -> bool {
    let mut effects = run.steps.values().flat_map(|step| &step.effects);
    effects.any(|state| state.effect.target.id == token && matches!(state.verdict, Some(Verdict::Holds(_))))
}

/// Whether `given` says that the value is at hand, and not which token it is.
pub(super) fn is_announced(spec: &InputSpec, given: &str) -> bool {
    spec.ty == InputType::CloudflareToken && given.trim() == WORD
}

/// Whether the environment brings the value for this input. A rehearsal reads no real secret.
pub(super) fn is_at_hand(spec: &InputSpec, target: &Target, cx: &Context) -> bool {
    spec.ty == InputType::CloudflareToken
        && spec.name == SUSPECT
        && target.scenario.is_none()
        && cx.environment.suspect_value.is_some()
}

/// The id of the token whose value the environment has, or a person pastes; in a rehearsal, of the scenario's.
///
/// # Errors
/// Without a person there is no second question: whatever is not this account's token ends the run before it begins.
pub(super) async fn settle(
    spec: &InputSpec,
    target: &mut Target,
    connected: &Connected,
    cx: &Context,
) -> Result<Value, CliError> {
    let waiting = |message: String| {
        CliError::new(Exit::Waiting, "suspect_value", message)
            .hint(format!("name the token with `--set {}=…`, or say `unknown`; nothing was sent", spec.name))
    };
    let value = match given(target, cx) {
        Some(value) => value,
        None if cx.can_ask() => match paste(cx).await {
            Some(value) => value,
            None => return Err(waiting(format!("no value was given for the input `{}`", spec.name))),
        },
        None => {
            return Err(waiting(format!(
                "the input `{}` is to be told by its value, and `{VARIABLE}` is not set",
                spec.name
            )));
        }
    };
    match bind(value, target, connected, cx).await {
        Ok(id) => Ok(Value::String(id)),
        Err(Unbound::Is(why)) => Err(waiting(why)),
        Err(Unbound::NotAsked(error)) => Err(error),
    }
}

/// The value that the environment brings beside a suspect who is named: to be tried after the cut. One that leads to no
/// token is said to, and not used.
///
/// # Errors
/// It is another token's: then the run does not begin.
pub(super) async fn beside(
    spec: &InputSpec,
    named: &Value,
    target: &mut Target,
    connected: &Connected,
    cx: &Context,
) -> Result<(), CliError> {
    let Some(value) = given(target, cx) else { return Ok(()) };
    match bind(value, target, connected, cx).await {
        Ok(id) if named.as_str().is_some_and(|named| is_id(named) && named != id) => Err(CliError::usage(format!(
            "the input `{}` is {named}, and `{VARIABLE}` holds the value of another token, {id}",
            spec.name
        ))
        .hint(format!("unset `{VARIABLE}`, or leave the input to it; nothing was sent"))),
        Ok(_) => Ok(()),
        Err(Unbound::Is(why)) => {
            cx.screen.tell(&format!("note: `{VARIABLE}` is not used: {why}"));
            Ok(())
        }
        Err(Unbound::NotAsked(error)) => Err(error),
    }
}

/// Whether a token is named by its id.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The same at the prompt: `None` where the person is asked once more, and told why.
pub(super) async fn ask(target: &mut Target, connected: &Connected, cx: &Context) -> Option<Value> {
    let value = match given(target, cx) {
        Some(value) => value,
        None => paste(cx).await?,
    };
    match bind(value, target, connected, cx).await {
        Ok(id) => return Some(Value::String(id)),
        Err(Unbound::Is(why)) => cx.screen.tell(&why),
        Err(Unbound::NotAsked(error)) => cx.screen.tell(error.text().trim_end()),
    }
    None
}

fn given(target: &Target, cx: &Context) -> Option<Secret> {
    match &target.scenario {
        Some(scenario) => {
            cx.screen.tell("REHEARSAL: no real value is taken; the one that leaked in this scenario stands for it");
            simulator::scenario(scenario).map(|scenario| Secret::new(scenario.cast.suspect_secret))
        }
        None => cx.environment.suspect_value.clone(),
    }
}

async fn paste(cx: &Context) -> Option<Secret> {
    let words = "the leaked value (not echoed, not stored; sent to the API, to ask whose it is)";
    ask_secret(&cx.screen, words).await.filter(|value| !value.expose().is_empty())
}

/// Why the value leads to no token.
enum Unbound {
    /// What it is instead, in words.
    Is(String),
    /// Nobody answered.
    NotAsked(CliError),
}

/// Asks whose it is, says so, and keeps the value in memory: to mask it, and to try it after the cut.
async fn bind(value: Secret, target: &mut Target, connected: &Connected, cx: &Context) -> Result<String, Unbound> {
    let account = connected.read.account();
    let credential = Credential::Token(value.clone());
    target.leaked = Some(LeakedValue { secret: value, token: None });
    let connector = Connector::new(target.base.clone(), credential, target.world(), cx.clock.clone());
    let unfit = |why: &dyn std::fmt::Display| Unbound::Is(format!("that is no value of a token: {why}"));
    let inquiry = connector.inquiry().map_err(|error| unfit(&error))?;
    let identity = inquiry.identity(&account.id).await.map_err(|error| Unbound::NotAsked(refused(error)))?;
    let (id, status, kind) = match identity {
        Identity::Token { id, status, kind } => (id, status, kind),
        Identity::Dead(said) => {
            return Err(Unbound::Is(format!(
                "no token has this value any more: it was revoked, rolled or mistyped, and its id cannot be learnt from it ({said})"
            )));
        }
        Identity::Refused(said) => {
            return Err(Unbound::Is(format!(
                "the API refuses this value here: it may be revoked, another account's, or limited to other addresses ({said})"
            )));
        }
    };
    let listed = named(Named::Tokens, &*connected.read).await.into_iter().find(|(_, listed)| *listed == id);
    let told = match listed {
        Some((name, _)) => format!("the value is that of the token {name} ({id}): {status}"),
        None if kind == CredentialKind::AccountToken => {
            format!("the value is that of the account's token {id}: {status}; this credential's lists do not show it")
        }
        None => {
            let reached = inquiry.accounts().await;
            if !reached.is_empty() && reached.iter().all(|other| other.id != account.id) {
                let names: Vec<String> = reached.iter().map(|other| format!("{} ({})", other.name, other.id)).collect();
                return Err(Unbound::Is(format!(
                    "the value is that of a user's token {id}, {status}, which answers to another account: {}",
                    names.join(", ")
                )));
            }
            format!(
                "the value is that of a user's token {id}: {status}; this credential's lists do not show it: it may be \
                 another member's own"
            )
        }
    };
    cx.screen.tell(&escape::terminal(&told));
    if let Some(leaked) = &mut target.leaked {
        leaked.token = Some(id.clone());
    }
    Ok(id)
}
