//! The scenario file.
//!
//! Times are relative to the moment of discovery, as `9h 20m ago` or `90d`. Every `key` names an object
//! for `{kind.key}` in the paths and bodies of acts, where its identifier is put.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One scenario.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) account: String,
    /// Address of everything that arrives over the wire.
    pub(super) responder_ip: String,
    /// Key of the person who responds.
    pub(super) responder: String,
    /// Key of the responder's own token.
    pub(super) responder_token: String,
    /// Key of the stolen token.
    pub(super) suspect: String,
    pub(super) people: Vec<PersonPlan>,
    pub(super) tokens: Vec<TokenPlan>,
    pub(super) zones: Vec<ZonePlan>,
    /// Rulesets of the account.
    pub(super) rulesets: Vec<RulesetPlan>,
    pub(super) access_rules: Vec<AccessRulePlan>,
    /// Named origins of calls.
    pub(super) callers: BTreeMap<String, Caller>,
    pub(super) traffic: Vec<Traffic>,
    pub(super) acts: Vec<Act>,
    /// What the intruder does in the variant in which it is awake.
    pub(super) awake: Option<Awake>,
    /// What else there is; in a file of its own.
    #[serde(skip)]
    pub(super) inventory: Inventory,
}

/// Another story in the account of a scenario: what happened there instead.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Story {
    pub(super) title: String,
    pub(super) summary: String,
    /// Key of the stolen token.
    pub(super) suspect: String,
    /// Who takes part besides those who are there already.
    pub(super) callers: BTreeMap<String, Caller>,
    pub(super) acts: Vec<Act>,
}

impl Plan {
    /// The same account, in which nothing happened but this.
    pub(super) fn told(self, story: Story) -> Self {
        let Story { title, summary, suspect, mut callers, acts } = story;
        let is_honest = |by: &str| !by.starts_with("intruder");
        let traffic = self.traffic.into_iter().filter(|traffic| is_honest(&traffic.by)).collect();
        callers.extend(self.callers.into_iter().filter(|(by, _)| is_honest(by)));
        Self { title, summary, suspect, callers, traffic, acts, awake: None, ..self }
    }
}

/// What there is in the account besides what [`Plan`] names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inventory {
    /// Names of secrets, for `{secret.name}`.
    pub(super) secrets: Vec<String>,
    pub(super) shelf: Vec<ShelfPlan>,
}

/// Items of one list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShelfPlan {
    /// Path of the list.
    pub(super) path: String,
    /// Each may say `key`, for `{family.key}`, and since when it is there: `made = "30d ago"`. The server adds the rest.
    pub(super) items: Vec<Value>,
}

/// An intruder who brings a token back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Awake {
    pub(super) by: String,
    /// Key of the token.
    pub(super) revives: String,
    /// Looks after every so many writes of the responder.
    pub(super) every: u32,
}

/// A member of the account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonPlan {
    pub(super) key: String,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) email: String,
    pub(super) role: String,
    pub(super) two_factor: bool,
}

/// A token as it was before the acts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenPlan {
    pub(super) key: String,
    pub(super) name: String,
    /// Key of a person; the account if there is none.
    pub(super) owner: Option<String>,
    pub(super) issued: String,
    pub(super) expires: Option<String>,
    pub(super) status: Option<String>,
    /// The addresses that it may be used from.
    #[serde(default)]
    pub(super) from: Vec<String>,
    pub(super) policies: Vec<PolicyPlan>,
}

/// Permission groups on resources.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyPlan {
    pub(super) groups: Vec<String>,
    /// `user`, `account`, `zones` or the key of a zone.
    pub(super) on: String,
}

/// A zone as it was before the acts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ZonePlan {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) dnssec: String,
    #[serde(default)]
    pub(super) records: Vec<RecordPlan>,
    /// How many records there are behind those, made by number.
    #[serde(default)]
    pub(super) more_records: usize,
    /// Hosts of advanced certificates, one list for each.
    #[serde(default)]
    pub(super) advanced: Vec<Vec<String>>,
    /// Hostnames of Origin CA certificates, one list for each.
    #[serde(default)]
    pub(super) origin_certificates: Vec<Vec<String>>,
    #[serde(default)]
    pub(super) rulesets: Vec<RulesetPlan>,
}

impl ZonePlan {
    /// The same as one of many, with that many records.
    pub(super) fn numbered(&self, number: usize, records: usize) -> Self {
        let name = format!("zone-{number:05}.example");
        Self {
            key: format!("zone-{number}"),
            name,
            more_records: records,
            dnssec: self.dnssec.clone(),
            ..Self::default()
        }
    }
}

/// A DNS record; without a key it cannot be named by an act.
#[derive(Debug, Deserialize)]
pub(super) struct RecordPlan {
    pub(super) key: Option<String>,
    #[serde(flatten)]
    pub(super) given: Value,
}

/// An entry point ruleset.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesetPlan {
    pub(super) key: String,
    pub(super) phase: String,
    pub(super) rules: Vec<RulePlan>,
}

/// A rule of a ruleset.
#[derive(Debug, Deserialize)]
pub(super) struct RulePlan {
    pub(super) key: String,
    #[serde(flatten)]
    pub(super) given: Value,
}

/// An IP access rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccessRulePlan {
    /// `user`, `account` or the key of a zone.
    pub(super) on: String,
    pub(super) mode: String,
    pub(super) target: String,
    pub(super) value: String,
    pub(super) notes: String,
}

/// Who calls, from where, with what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Caller {
    /// `token:KEY`, `dashboard:KEY`, `key:KEY` (a Global API key), `application:KEY` (one that was consented to) or `system`.
    pub(super) credential: String,
    pub(super) ip: String,
    pub(super) agent: String,
}

/// Calls that come again and again and change nothing that is kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Traffic {
    pub(super) by: String,
    pub(super) from: String,
    pub(super) every: String,
    /// `METHOD /path`, taken in turn.
    pub(super) requests: Vec<String>,
}

/// One call that changes the account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Act {
    pub(super) at: String,
    pub(super) by: String,
    /// `METHOD /path`.
    pub(super) request: String,
    #[serde(default)]
    pub(super) body: Value,
    /// `kind.key` for what the call makes.
    pub(super) makes: Option<String>,
    pub(super) planted: Option<PlantedPlan>,
    pub(super) innocent: Option<InnocentPlan>,
}

/// Why an act belongs to the intrusion.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlantedPlan {
    pub(super) family: String,
    pub(super) technique: String,
    pub(super) what: String,
}

/// Why an act does not, though it looks like it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InnocentPlan {
    pub(super) family: String,
    pub(super) why: String,
}
