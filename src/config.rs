//! `quell.toml`: what a team has settled before anything happened. Text in, a checked [`Config`] or every problem out.
//!
//! | section | keys |
//! |---|---|
//! | `[vault]` | `recipients`: age public keys that open the vaults of new secrets |
//! | `[runbooks]` | `dirs`: where runbooks are looked for by name; `accept_only`: digests of those that may run |
//! | `[account]` | `own_ip_ranges`: addresses that are never hostile; `break_glass`: credentials that are never touched; `crown_jewels`: zones that matter most |
//! | `[http]` | `allow_hosts`: hosts that a runbook may send requests to |
//! | `[sinks.NAME]` | `command` with `env`, `pass_env`, `timeout`, or `file`: where new secrets are handed over |
//! | `[team]` | `of_one`: there is nobody but the operator |
//! | `[report]` | `profile`: whom `quell report` writes for, `internal` or `public` |
//! | `[notify.NAME]` | `kind`, and `secret_env`: the environment variable with the address or key |
//!
//! It holds no secret: only the names of variables that do.

mod read;
mod sink;

use std::path::PathBuf;

use ipnet::IpNet;
use serde::Serialize;

use crate::model::Profile;
use crate::runbook::{Diagnostic, Severity};

pub use sink::{Filling, Sink, SinkWay};

/// What the keys of `quell.toml` say; where a key is missing, its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// age public keys.
    pub vault_recipients: Vec<String>,
    /// Directories with runbooks, as they are written: relative ones begin at the file's own.
    pub runbook_dirs: Vec<PathBuf>,
    /// SHA-256 digests, in small hexadecimal digits, of the runbooks that may run; `None` where any may.
    pub accept_only: Option<Vec<String>>,
    /// The team's own addresses.
    pub own_ip_ranges: Vec<IpNet>,
    /// Ids or names of credentials that are never touched.
    pub break_glass: Vec<String>,
    /// Names of the zones that matter most, in small letters and without a final dot.
    pub crown_jewels: Vec<String>,
    /// Hosts, in small letters, that a runbook may send requests to: `host` or `host:port`.
    pub allow_hosts: Vec<String>,
    /// Where new secrets are handed over, in the order of the file.
    pub sinks: Vec<Sink>,
    /// Whom to tell, in the order of the file.
    pub notify: Vec<NotifyTarget>,
    /// Whether there is nobody but the operator: every role that is not given to somebody is theirs.
    pub team_of_one: bool,
    /// For whom reports are.
    pub report_profile: Profile,
}

/// Somebody to tell, or something that tells them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotifyTarget {
    /// Its name, for runbooks.
    pub name: String,
    /// What is sent.
    pub kind: NotifyKind,
    /// Name of the environment variable that holds its address or key.
    pub secret_env: String,
}

/// What is sent to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyKind {
    /// A message as Slack's incoming webhooks take it.
    Slack,
    /// An event as PagerDuty's Events API v2 takes it.
    Pagerduty,
    /// A plain JSON document.
    Json,
}

/// The text of a `quell.toml`, read and checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it says; `None` where there are errors.
    pub config: Option<Config>,
    /// Every problem, in the order of the text.
    pub problems: Vec<Diagnostic>,
}

/// Reads and checks the text of a `quell.toml`. Touches nothing but the text.
pub fn load(text: &str) -> Checked {
    let mut problems = Vec::new();
    let config = read::read(text, &mut problems);
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    let sound = problems.iter().all(|problem| problem.severity == Severity::Warning);
    Checked { config: sound.then_some(config), problems }
}
