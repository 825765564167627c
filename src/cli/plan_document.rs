//! What `quell plan` writes and `quell run --plan` reads: `quell.plan/1`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::errors::CliError;
use super::exit::Exit;
use super::session::connect::Target;
use super::session::load::Loaded;
use crate::cli::catalogue::CATALOGUE;
use crate::cloudflare::api::Connected;
use crate::engine::{ForecastStep, action_versions};
use crate::model::{Account, Digest, Finding, Gap, World, canonical_digest};
use crate::vault::Kept;

/// Name and version of the document's shape.
const SCHEMA: &str = "quell.plan/1";

/// More than any plan has; a device without end must not hold a responder up.
const MOST_BYTES: u64 = 64 << 20;

/// What a run would do, and what it would be bound to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanDocument {
    pub(crate) schema: String,
    /// Version of quell.
    pub(crate) tool: String,
    pub(crate) made_at: Timestamp,
    /// Binds runbook, inputs, action versions, account, host and world.
    pub(crate) digest: Digest,
    pub(crate) runbook: PlannedRunbook,
    /// The runbooks that it calls, and those that these call, each once.
    pub(crate) nested: Vec<PlannedRunbook>,
    /// Version of every action that the runbook uses.
    pub(crate) actions: BTreeMap<String, u32>,
    pub(crate) world: World,
    pub(crate) api: String,
    pub(crate) account: Account,
    pub(crate) inputs: Map<String, Value>,
    pub(crate) permissions: Vec<Needed>,
    pub(crate) requests_estimated: u64,
    pub(crate) requests: u64,
    pub(crate) steps: Vec<ForecastStep>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) not_examined: Vec<String>,
    /// Digest of all else; its first digits are what approves the plan.
    pub(crate) forecast: Digest,
}

/// The runbook that was looked through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlannedRunbook {
    pub(crate) name: String,
    pub(crate) sha256: Digest,
    pub(crate) source: String,
}

/// A permission group that the run needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Needed {
    pub(crate) group: String,
    /// True where it is needed to act, false where to look.
    pub(crate) write: bool,
}

impl PlanDocument {
    /// The same with the schema's name and its own digest filled in.
    pub(crate) fn sealed(self) -> Self {
        let whole = Self { schema: SCHEMA.to_owned(), ..self };
        Self { forecast: digest(&json!(whole)), ..whole }
    }

    /// How the file reads.
    pub(crate) fn text(&self) -> String {
        format!("{:#}\n", json!(self))
    }

    /// Reads a file that `quell plan` wrote, and refuses one that was changed since. Beside it, its text.
    pub(crate) fn read(path: &Path) -> Result<(Self, String), CliError> {
        let shown = path.display();
        let unusable = |why: String| {
            CliError::usage(format!("the plan {shown} cannot be used: {why}"))
                .hint("make it anew with `quell plan RUNBOOK -o FILE`; nothing was sent")
        };
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut text));
        read.map_err(|error| CliError::usage(format!("cannot read the plan {shown}")).because(&error))?;
        if text.len() as u64 > MOST_BYTES {
            return Err(unusable(format!("it is longer than {MOST_BYTES} bytes")));
        }
        let value: Value = serde_json::from_str(&text).map_err(|error| unusable(format!("it is no JSON: {error}")))?;
        match value["schema"].as_str() {
            Some(SCHEMA) => {}
            Some(other) => {
                return Err(unusable(format!("it is `{other}`, and this version of quell reads `{SCHEMA}`")));
            }
            None => return Err(unusable("it has no `schema`".to_owned())),
        }
        if value["forecast"].as_str() != Some(digest(&value).as_str()) {
            return Err(CliError::new(
                Exit::Runbook,
                "plan_edited",
                format!(
                    "the plan {shown} is not as `quell plan` wrote it: its `forecast` is not the digest of the rest"
                ),
            )
            .hint("a plan is not edited by hand: make it anew with `quell plan RUNBOOK -o FILE`; nothing was sent"));
        }
        let document = serde_json::from_value(value).map_err(|error| unusable(error.to_string()))?;
        Ok((document, text))
    }

    /// The first digits of its digest: what a person types to approve it.
    pub(crate) fn code(&self) -> &str {
        self.forecast.as_str().get(..8).unwrap_or_default()
    }

    /// Refuses a runbook that is not the one that was looked through.
    pub(crate) fn require_runbook(&self, loaded: &Loaded) -> Result<(), CliError> {
        let (then, now) = (&self.runbook, &loaded.runbook);
        let mut found = Vec::new();
        if then.name != now.name {
            found.push(format!("the runbook: planned `{}`, now `{}`", then.name, now.name));
        } else if then.sha256 != now.source.digest {
            found.push(format!(
                "the text of the runbook {}: planned {}, now {}",
                loaded.source,
                then.sha256.short(),
                now.source.digest.short()
            ));
        }
        let called = now.nested();
        for (name, now) in called.iter().map(|called| (&called.name, &called.runbook.source.digest)) {
            let then = self.nested.iter().find(|planned| planned.name == *name);
            if then.is_none_or(|then| then.sha256 != *now) {
                let then = then.map_or("none", |then| then.sha256.short());
                found.push(format!("the text of the called runbook `{name}`: planned {then}, now {}", now.short()));
            }
        }
        self.refuse(found)
    }

    /// Refuses a run that is bound otherwise than the plan: `digest` is the run's, from these inputs at this place.
    pub(crate) fn require_same(
        &self,
        digest: &Digest,
        loaded: &Loaded,
        inputs: &Map<String, Value>,
        target: &Target,
        connected: &Connected,
    ) -> Result<(), CliError> {
        let mut found = Vec::new();
        let mut compare = |what: &str, then: String, now: String| {
            if then != now {
                found.push(format!("{what}: planned {then}, now {now}"));
            }
        };
        let read = &connected.read;
        compare("the account", self.account.id.clone(), read.account().id.clone());
        compare("the API host", self.api.clone(), target.api());
        compare("the world", self.world.to_string(), read.world().to_string());
        let shown = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), Value::to_string);
        let names = self.inputs.keys().chain(inputs.keys().filter(|name| !self.inputs.contains_key(*name)));
        for name in names {
            compare(&format!("the input `{name}`"), shown(self.inputs.get(name)), shown(inputs.get(name)));
        }
        let versions = action_versions(&loaded.runbook, CATALOGUE);
        for (action, now) in &versions {
            let then = self.actions.get(action).map_or_else(|| "none".to_owned(), u32::to_string);
            compare(&format!("the version of the action `{action}`"), then, now.to_string());
        }
        if found.is_empty() && *digest != self.digest {
            found.push(format!("the plan's digest: planned {}, now {}", self.digest.short(), digest.short()));
        }
        self.refuse(found)
    }

    /// The error that names every difference; nothing where there is none.
    pub(crate) fn refuse(&self, found: Vec<String>) -> Result<(), CliError> {
        if found.is_empty() {
            return Ok(());
        }
        let mut error = CliError::new(Exit::Runbook, "plan_differs", "the run would not be the one that was planned")
            .hint("put it right, or plan anew with `quell plan`; nothing was sent");
        error.causes = found;
        Err(error)
    }
}

/// Holds the file at `path` against the digest by which it was approved.
pub(crate) fn check(path: &Path, approved: &Digest) -> Kept {
    let Ok(bytes) = fs::read(path) else { return Kept::Missing };
    let is_whole =
        |document: Value| document["forecast"].as_str() == Some(approved.as_str()) && digest(&document) == *approved;
    if serde_json::from_slice(&bytes).is_ok_and(is_whole) { Kept::Whole } else { Kept::Altered }
}

/// Digest of all that a document says besides its digest.
fn digest(document: &Value) -> Digest {
    let mut rest = document.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.shift_remove("forecast");
    }
    canonical_digest(&rest)
}
