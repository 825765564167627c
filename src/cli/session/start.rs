use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::journal::RunOpened;
use crate::model::Role;
use crate::runbook::{InputType, Runbook};

/// The input that says when the incident was noticed, where a runbook asks for it.
const DETECTED_AT: &str = "detected_at";

/// What may be said about the people and the time before a run begins.
#[derive(Debug, Default, Args)]
pub(crate) struct StartArgs {
    /// Who does what, e.g. `commander=Maya,scribe=Sam`; what they write bears their role. The roles are `commander`,
    /// `operator`, `scribe`, `approver`.
    #[arg(long, value_delimiter = ',', value_name = "ROLE=NAME,…", value_parser = member)]
    roles: Vec<(Role, String)>,

    /// When the incident was noticed: `2026-11-23 14:05Z`, `20m ago`. Without it, what the input `detected_at` says.
    #[arg(long, value_name = "TIME")]
    detected: Option<String>,
}

/// Who does what in a run, and since when it is known that something is wrong.
#[derive(Debug, Clone, Default)]
pub(crate) struct Start {
    /// Names by role.
    pub(crate) roles: BTreeMap<Role, String>,
    /// When the incident was noticed.
    pub(crate) detected_at: Option<Timestamp>,
}

/// A moment that is told with an option and has passed: `2026-11-23 14:05Z`, `20m ago`.
///
/// # Errors
/// It is no moment, or lies in the future.
pub(crate) fn past(option: &str, text: &str, now: Timestamp) -> Result<Timestamp, CliError> {
    let unusable = |why: &str| CliError::usage(format!("`{option}` cannot be `{text}`: {why}"));
    let value = InputType::Timestamp.parse(text, now).map_err(|why| unusable(&why))?;
    match value.as_str().and_then(|at| at.parse::<Timestamp>().ok()) {
        Some(at) if at <= now => Ok(at),
        _ => Err(unusable("it lies in the future")),
    }
}

fn member(text: &str) -> Result<(Role, String), String> {
    let (role, name) = text.split_once('=').ok_or("it is not `role=name`")?;
    let role = role.trim();
    let named = Role::named(role)
        .ok_or_else(|| format!("there is no role `{role}`: it is one of {}", Role::ALL.map(Role::as_str).join(", ")))?;
    match name.trim() {
        "" => Err(format!("nobody is named as {role}")),
        name => Ok((named, name.to_owned())),
    }
}

impl StartArgs {
    /// Reads them.
    pub(crate) fn read(&self, cx: &Context) -> Result<Start, CliError> {
        let mut roles = BTreeMap::new();
        for (role, name) in &self.roles {
            if let Some(other) = roles.insert(*role, name.clone()) {
                return Err(CliError::usage(format!("two people are named as {role}: {other} and {name}")));
            }
        }
        let detected_at = self.detected.as_deref().map(|text| past("--detected", text, cx.now())).transpose()?;
        Ok(Start { roles, detected_at })
    }
}

impl Start {
    /// That of an earlier run of the same incident.
    pub(crate) fn of(opened: &RunOpened) -> Self {
        Self { roles: opened.roles.clone(), detected_at: opened.detected_at }
    }

    /// Adds what only `other` says.
    pub(crate) fn or(mut self, other: Self) -> Self {
        for (role, name) in other.roles {
            self.roles.entry(role).or_insert(name);
        }
        self.detected_at = self.detected_at.or(other.detected_at);
        self
    }

    /// What it answers of the runbook's questions, so that nobody is asked twice.
    pub(crate) fn inputs(&self, runbook: &Runbook) -> Map<String, Value> {
        let detected = self.detected_at.map(|at| (DETECTED_AT.to_owned(), Value::String(at.to_string())));
        let roles = self.roles.iter().map(|(role, name)| (role.to_string(), Value::String(name.clone())));
        let asks_for = |name: &str| {
            runbook.inputs.iter().any(|spec| {
                let wanted = if name == DETECTED_AT { InputType::Timestamp } else { InputType::String };
                spec.name == name && spec.ty == wanted
            })
        };
        roles.chain(detected).filter(|(name, _)| asks_for(name)).collect()
    }

    /// In a team of one, gives the operator every role that nobody else has. Nobody approves what they do themselves.
    #[must_use]
    pub(crate) fn in_team(mut self, cx: &Context) -> Self {
        if cx.settings.config.team_of_one {
            for role in Role::ALL.into_iter().filter(|role| *role != Role::Approver) {
                self.roles.entry(role).or_insert_with(|| cx.operator.clone());
            }
        }
        self
    }

    /// Adds what the runbook's inputs say.
    #[must_use]
    pub(crate) fn with(mut self, inputs: &Map<String, Value>) -> Self {
        let text = |name: &str| inputs.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        self.detected_at = self.detected_at.or_else(|| text(DETECTED_AT)?.parse().ok());
        for role in Role::ALL {
            if let Some(name) = text(role.as_str()) {
                self.roles.entry(role).or_insert_with(|| name.to_owned());
            }
        }
        self
    }
}
