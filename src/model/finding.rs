use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Digest;

/// Something suspicious, with where it was seen and who is taken to have done it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable id within the incident: technique and resource, e.g. `CF-T07:dns_records:<id>`.
    pub id: String,
    /// Row of the technique catalogue, e.g. `CF-T07`.
    pub technique: String,
    /// How bad.
    pub severity: Severity,
    /// What became of it.
    pub status: FindingStatus,
    /// Kind of resource.
    pub family: String,
    /// What happened to the resource.
    pub change: Change,
    /// The resource.
    pub resource: Resource,
    /// Who did it, as far as the audit log says.
    pub actor: Actor,
    /// Whose doing it is taken to be.
    pub attribution: Attribution,
    /// One sentence: what is wrong.
    pub detail: String,
    /// When it happened, where a log says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The resource before, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The resource as it was found; of one that was made and deleted again, its last form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Digests of the evidence that it rests on.
    #[serde(default)]
    pub evidence: Vec<Digest>,
    /// How it was noticed.
    pub sources: Vec<Source>,
}

/// The family of findings about a key, a session or a grant of somebody, which no list shows. Their resource is whose it is.
pub const CREDENTIALS: &str = "credentials";

impl Finding {
    /// What it is told by beside technique and family: the last part of its id. It says where the resource lies, where
    /// another may have the same id.
    pub fn told_by(&self) -> &str {
        self.id.splitn(3, ':').nth(2).unwrap_or(&self.resource.id)
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// A weakness.
    Low,
    /// Harm is possible.
    Medium,
    /// Harm is likely.
    High,
    /// Harm is being done, or the intruder can come back.
    Critical,
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingStatus {
    /// As it was found.
    Open,
    /// No longer does harm.
    Contained,
    /// Put back, and seen to be.
    Reverted,
    /// Looked at, and not the intruder's.
    RuledOut,
    /// A named person accepts it.
    Accepted,
}

/// What happened to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was not there before.
    Added,
    /// It is gone.
    Removed,
    /// It differs.
    Changed,
}

/// Whose doing a finding is taken to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// A principal of the intruder, from a hostile address.
    Intruder,
    /// A stolen credential that was in honest use as well, and the act does not tell which.
    Shared,
    /// Another principal.
    Other,
    /// No record says who.
    #[default]
    Unattributed,
}

/// By which kind of look a finding was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The audit log.
    Audit,
    /// A comparison of present state with what it should be.
    Diff,
}

/// The thing that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resource {
    /// The provider's id.
    pub id: String,
    /// Its name; may be chosen by an attacker.
    pub name: String,
    /// The zone's name, for what lives in a zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl Resource {
    /// Whether it is the same thing, whatever it was called when it was seen.
    pub fn is_same(&self, other: &Self) -> bool {
        self.id == other.id && self.zone == other.zone
    }
}

/// Who did something, as far as a log says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// Id of the token used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
    /// Name of the token used; may be chosen by an attacker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_name: Option<String>,
    /// E-mail of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Address the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
}

impl Actor {
    /// Token, person and address, as far as they are known.
    pub fn words(&self) -> String {
        let named = [
            self.token_name.as_ref().or(self.token_id.as_ref()).map(|name| format!("token {name}")),
            self.email.clone(),
            self.ip.as_ref().map(|ip| format!("from {ip}")),
        ];
        let named: Vec<String> = named.into_iter().flatten().collect();
        if named.is_empty() { "not recorded".to_owned() } else { named.join(", ") }
    }
}
