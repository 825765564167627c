use std::sync::Mutex;

use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::candidates::Candidates;
use super::connect::Target;
use super::leaked;
use super::secrets::{self, Secrets, refuse_readable};
use super::start::Start;
use super::zone_names;
use crate::cli::context::Context;
use crate::cli::environment;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::plan_document::PlanDocument;
use crate::cli::prompt::{AnswersFile, InputReply, Keyboard, ask_input};
use crate::cloudflare::api::Connected;
use crate::runbook::{InputSpec, InputType, Runbook};
use crate::secret::{may_be_global_key, may_be_token_value};

/// Inputs are kept in the journal.
const NO_SECRETS: &str = "give a token's id or name, never its value: inputs are written down";

/// The way for a value that is all that is known of a token.
const VALUE_UNSEEN: &str = "type `value` and paste it where it is not echoed; what is typed here is written down";

/// The way for a key, which is no token and has no id.
const KEY_UNSEEN: &str = "that looks like a global API key, and is forgotten; a key is no token: type `unknown`, and have its \
                          user change the key";

/// Where values come from besides the prompt, first to last.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    /// The plan that is carried out: then all values are its, and what is given besides must agree.
    pub(crate) plan: Option<&'a PlanDocument>,
    /// `--set name=value`.
    pub(crate) set: &'a [String],
    /// The answers file.
    pub(crate) answers: Option<&'a AnswersFile>,
    /// What was said of the start.
    pub(crate) start: &'a Start,
    /// What a rehearsal's scenario brings.
    pub(crate) scenario: &'a Map<String, Value>,
    /// What is done about secrets that are not in the environment.
    pub(crate) secrets: Secrets,
}

/// Collects every input: `--set`, `--detected` and `--roles`, answers file, environment, scenario, prompt, default. Of a
/// secret only a name is among them; the rest goes into `target`.
pub(crate) async fn collect(
    runbook: &Runbook,
    sources: &Sources<'_>,
    connected: &Connected,
    target: &mut Target,
    cx: &Context,
) -> Result<Map<String, Value>, CliError> {
    let mut given = set(runbook, sources.set)?;
    // Under a plan, people and times are facts of the run, and change nothing of what was planned.
    for (name, value) in sources.start.inputs(runbook).into_iter().filter(|_| sources.plan.is_none()) {
        given.entry(name).or_insert(value);
    }
    for (name, value) in sources.answers.iter().flat_map(|answers| &answers.inputs) {
        refuse_readable(known(runbook, name)?, "an answers file")?;
        given.entry(name.clone()).or_insert_with(|| value.clone());
    }
    let mut inputs = Map::new();
    let mut differing = Vec::new();
    for spec in &runbook.inputs {
        if spec.ty == InputType::Secret {
            inputs.insert(spec.name.clone(), secrets::settle(spec, sources.secrets, target, cx).await?);
            continue;
        }
        let from_environment = || environment::input(spec).map(Value::String);
        let named = given.get(&spec.name).cloned().or_else(from_environment);
        if let Some(plan) = sources.plan {
            let value = read(spec, plan.inputs.get(&spec.name).unwrap_or(&Value::Null), cx)?;
            let named = match named {
                None if leaked::is_at_hand(spec, target, cx) => {
                    Some(leaked::settle(spec, target, connected, cx).await?)
                }
                named => named,
            };
            differing.extend(named.map(|named| differs(spec, &value, &named, cx)).transpose()?.flatten());
            inputs.insert(spec.name.clone(), value);
            continue;
        }
        let is_announced = |given: &Value| given.as_str().is_some_and(|text| leaked::is_announced(spec, text));
        if named.as_ref().map_or_else(|| leaked::is_at_hand(spec, target, cx), is_announced) {
            inputs.insert(spec.name.clone(), leaked::settle(spec, target, connected, cx).await?);
            continue;
        }
        if let Some(named) = &named
            && leaked::is_at_hand(spec, target, cx)
        {
            leaked::beside(spec, named, target, connected, cx).await?;
        }
        let value = match named.or_else(|| sources.scenario.get(&spec.name).cloned()) {
            Some(value) => {
                let value = read(spec, &value, cx)?;
                zone_names::require(spec, &value, connected).await?;
                value
            }
            None if sources.answers.is_none()
                && let Some(keys) = &cx.keys =>
            {
                ask(spec, cx, keys, target, connected).await?
            }
            None => match &spec.default {
                Some(default) => default.clone(),
                None if spec.required && !spec.unknown_ok => {
                    return Err(CliError::new(
                        Exit::Waiting,
                        "input_missing",
                        format!("the runbook needs the input `{}`", spec.name),
                    )
                    .hint(format!("give it with `--set {}=…` or in the answers file; nothing was sent", spec.name)));
                }
                None => Value::Null,
            },
        };
        inputs.insert(spec.name.clone(), spec.in_full(value).map_err(|why| unusable(spec, &why))?.0);
    }
    sources.plan.map_or(Ok(()), |plan| plan.refuse(differing))?;
    Ok(inputs)
}

/// The inputs of a run that goes on with `runbook`, which may not be the one that it began with: those that are `given`
/// now, those that it has, and what stands in for those that are new. A secret that is new is asked for.
pub(crate) async fn again(
    runbook: &Runbook,
    sealed: &Map<String, Value>,
    given: &Map<String, Value>,
    connected: &Connected,
    target: &mut Target,
    cx: &Context,
) -> Result<Map<String, Value>, CliError> {
    let mut inputs = Map::new();
    for spec in &runbook.inputs {
        let name = &spec.name;
        let had = sealed.get(name).filter(|value| !value.is_null());
        if spec.ty == InputType::Secret {
            let secrets = if target.scenario.is_some() { Secrets::Simulated } else { Secrets::Needed };
            let reference = match had {
                Some(reference) => reference.clone(),
                None => secrets::settle(spec, secrets, target, cx).await?,
            };
            inputs.insert(name.clone(), reference);
            continue;
        }
        let value = match given.get(name) {
            Some(value) => {
                let value = read(spec, value, cx)?;
                zone_names::require(spec, &value, connected).await?;
                value
            }
            None => spec.settle(had.cloned(), cx.now()).map_err(|why| {
                CliError::new(Exit::Waiting, "input_missing", format!("the input `{name}`: {why}"))
                    .hint(format!("give it with `--set {name}=…` beside `--accept`; nothing was sent"))
            })?,
        };
        inputs.insert(name.clone(), spec.in_full(value).map_err(|why| unusable(spec, &why))?.0);
    }
    Ok(inputs)
}

/// The values of `--set` on a run that goes on.
pub(crate) fn set(runbook: &Runbook, pairs: &[String]) -> Result<Map<String, Value>, CliError> {
    let mut given = Map::new();
    for pair in pairs {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| CliError::usage(format!("`--set {pair}` is not `name=value`")))?;
        refuse_readable(known(runbook, name)?, "`--set`")?;
        given.insert(name.to_owned(), Value::String(value.to_owned()));
    }
    Ok(given)
}

/// The inputs in an answers file that a run does not have so: by name, each with the difference in words. One that
/// `runbook` does not have is none of the run's.
pub(crate) fn differing(
    runbook: &Runbook,
    sealed: &Map<String, Value>,
    answers: Option<&AnswersFile>,
    cx: &Context,
) -> Result<Vec<(String, String)>, CliError> {
    let mut all = Vec::new();
    for (name, given) in answers.iter().flat_map(|answers| &answers.inputs) {
        let Some(spec) = runbook.inputs.iter().find(|spec| spec.name == *name) else { continue };
        refuse_readable(spec, "an answers file")?;
        let had = sealed.get(name).unwrap_or(&Value::Null);
        all.extend(differs(spec, had, given, cx)?.map(|how| (name.clone(), how)));
    }
    Ok(all)
}

/// How the value that is given differs from the one that is planned. A moment that is told from now, like `10h ago`, was
/// another one when the plan was made, and is not compared.
fn differs(spec: &InputSpec, planned: &Value, given: &Value, cx: &Context) -> Result<Option<String>, CliError> {
    // What the value led to was settled at the beginning.
    if given.as_str().is_some_and(|text| leaked::is_announced(spec, text)) {
        return Ok(None);
    }
    let now = spec.comparable(read(spec, given, cx)?);
    let hour_ago = cx.now() - SignedDuration::from_hours(1);
    let is_told_from_now =
        given.as_str().is_some_and(|text| spec.parse(text, cx.now()).ok() != spec.parse(text, hour_ago).ok());
    // The same token may be called by its name and by its id: which one is meant was settled when the plan was made.
    let is_id = |value: &Value| value.as_str().is_some_and(leaked::is_id);
    let is_other_spelling = spec.ty == InputType::CloudflareToken && is_id(&now) != is_id(planned);
    if is_other_spelling {
        cx.screen.tell(&format!(
            "note: the input `{}` is given as {now} and stays {planned}: name and id of a token are not compared",
            spec.name
        ));
    }
    let differs = now != *planned && !is_told_from_now && !is_other_spelling;
    Ok(differs.then(|| format!("the input `{}`: planned {planned}, now {now}", spec.name)))
}

fn known<'a>(runbook: &'a Runbook, name: &str) -> Result<&'a InputSpec, CliError> {
    runbook.inputs.iter().find(|spec| spec.name == name).ok_or_else(|| {
        let names: Vec<&str> = runbook.inputs.iter().map(|spec| spec.name.as_str()).collect();
        CliError::usage(format!("the runbook `{}` has no input `{name}`", runbook.name))
            .hint(format!("its inputs are: {}", names.join(", ")))
    })
}

fn read(spec: &InputSpec, value: &Value, cx: &Context) -> Result<Value, CliError> {
    let text = match value {
        Value::String(text) if leaked::is_announced(spec, text) => {
            return Err(CliError::usage(format!(
                "the input `{}` is told by its value only when a run begins",
                spec.name
            ))
            .hint("give the token's id or name"));
        }
        Value::String(text) => text.clone(),
        Value::Null => return Ok(Value::Null),
        other => other.to_string(),
    };
    if may_be_token_value(&text) {
        return Err(CliError::usage(format!("the input `{}` looks like a secret", spec.name)).hint(NO_SECRETS));
    }
    let parsed = match value {
        Value::Array(_) | Value::Object(_) => spec.take(value.clone()),
        _ => spec.parse(&text, cx.now()),
    };
    parsed.map_err(|why| unusable(spec, &format!("`{text}`: {why}")))
}

fn unusable(spec: &InputSpec, why: &str) -> CliError {
    CliError::usage(format!("the input `{}` cannot be {why}", spec.name)).hint("nothing was sent")
}

async fn ask(
    spec: &InputSpec,
    cx: &Context,
    keys: &Keyboard,
    target: &mut Target,
    connected: &Connected,
) -> Result<Value, CliError> {
    let now = cx.now();
    let candidates = Candidates::of(&spec.ty, connected).await;
    let prompt = asked(spec, candidates.is_some());
    let doubted = Mutex::new(None);
    let validate = |text: &str| {
        if may_be_token_value(text) {
            if spec.ty == InputType::CloudflareToken && may_be_global_key(text) {
                return Err(KEY_UNSEEN.to_owned());
            }
            let how = if spec.ty == InputType::CloudflareToken { VALUE_UNSEEN } else { NO_SECRETS };
            return Err(format!("that looks like a secret, and is forgotten; {how}"));
        }
        if leaked::is_announced(spec, text) {
            return Ok(Value::String(text.to_owned()));
        }
        candidates.as_ref().map_or(Ok(()), |candidates| candidates.refuse_several(text))?;
        // Said twice, it is meant: the log may know what no list shows.
        let is_meant = doubted.lock().is_ok_and(|mut last| last.replace(text.to_owned()).as_deref() == Some(text));
        if let Some(listed) = candidates.as_ref().and_then(|candidates| candidates.asked_for(text)) {
            return Err(listed);
        }
        match &candidates {
            Some(candidates) if zone_names::are_named(spec) => {
                let value = spec.parse(text, now)?;
                candidates.require(&value).map(|()| value)
            }
            Some(candidates) if !is_meant => candidates.look_up(text).and_then(|()| spec.parse(text, now)),
            _ => spec.parse(text, now).and_then(|value| spec.in_full(value)).map(|(value, _)| value),
        }
    };
    let required = spec.required && spec.default.is_none();
    loop {
        match ask_input(&cx.screen, keys, &cx.interrupt, &spec.name, &prompt, required, &validate).await {
            InputReply::Given(Value::String(text)) if leaked::is_announced(spec, &text) => {
                if let Some(id) = leaked::ask(target, connected, cx).await {
                    return Ok(id);
                }
            }
            InputReply::Given(value) => return Ok(value),
            InputReply::Empty => return Ok(spec.default.clone().unwrap_or(Value::Null)),
            InputReply::Stopped => {
                return Err(CliError::new(
                    Exit::Interrupted,
                    "interrupted",
                    "left before the run began; nothing was sent",
                ));
            }
        }
    }
}

/// What stands above the prompt of an input: its question, and in a line of its own what may be answered and what an empty
/// line means.
fn asked(spec: &InputSpec, is_listed: bool) -> String {
    let mut parts: Vec<String> = Vec::new();
    match &spec.ty {
        InputType::Choice { choices } => parts.push(format!("one of {}", choices.join(", "))),
        InputType::List | InputType::CloudflareZones => parts.push("several are told apart by commas".to_owned()),
        InputType::Bool => parts.push("yes or no".to_owned()),
        InputType::CloudflareToken => {
            parts.push("`value`: only the secret itself is known; it is asked for without echo".to_owned());
        }
        _ => {}
    }
    if is_listed {
        parts.push("`?` lists them".to_owned());
    }
    if spec.unknown_ok {
        parts.push("`not known` is an answer".to_owned());
    }
    match &spec.default {
        Some(Value::String(text)) => parts.push(format!("empty takes `{text}`")),
        Some(Value::Array(items)) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            parts.push(if items.is_empty() {
                "empty for none".to_owned()
            } else {
                format!("empty takes `{}`", items.join(", "))
            });
        }
        Some(other) => parts.push(format!("empty takes `{other}`")),
        None if spec.required => {}
        None => parts.push("empty to leave it out".to_owned()),
    }
    let said = spec.prompt.iter().cloned().chain((!parts.is_empty()).then(|| parts.join("; ")));
    said.collect::<Vec<_>>().join("\n")
}
