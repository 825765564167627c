//! The state of the simulated account.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::audit::AuditLog;
use super::call::{Actor, Call, Change, Refusal, id_of};
use super::permissions::{Scope, allows};
use super::shelf::Shelf;
use super::{secret, tokens::Token};

/// Everything there is.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// Mixed into every identifier.
    pub(super) scenario: String,
    /// The account object.
    pub(super) object: Value,
    /// Users, by email.
    pub(super) people: BTreeMap<String, Person>,
    pub(super) tokens: Vec<Token>,
    /// How long the value of a token that was cut is still taken.
    pub(super) lag: SignedDuration,
    /// Tokens as they were before they were cut, each with when that is known everywhere.
    pub(super) lingering: Vec<(Token, Timestamp)>,
    pub(super) members: Vec<Value>,
    pub(super) roles: Vec<Value>,
    pub(super) zones: Vec<Zone>,
    pub(super) rulesets: Vec<Ruleset>,
    pub(super) access_rules: Vec<Value>,
    /// Access rules of the responder's own user.
    pub(super) user_access_rules: Vec<Value>,
    /// What all other families list.
    pub(super) shelf: Shelf,
    pub(super) audit: AuditLog,
    /// How many identifiers have been made since the seed.
    pub(super) made: u64,
}

/// A user with a Global API key.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) object: Value,
    pub(super) global_key: String,
}

/// A zone and what belongs to it.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    pub(super) object: Value,
    pub(super) records: Vec<Value>,
    /// Records behind those, which are made when they are asked for.
    pub(super) more_records: usize,
    pub(super) packs: Vec<Value>,
    pub(super) custom_certificates: Vec<Value>,
    pub(super) origin_certificates: Vec<Value>,
    pub(super) rulesets: Vec<Ruleset>,
    pub(super) access_rules: Vec<Value>,
    pub(super) settings: Vec<Value>,
    pub(super) hold: Value,
    pub(super) dnssec: Value,
}

/// All versions of a ruleset, oldest first; never empty.
#[derive(Debug, Clone)]
pub(super) struct Ruleset {
    pub(super) id: String,
    pub(super) versions: Vec<Value>,
}

impl Ruleset {
    /// The version in force.
    pub(super) fn current(&self) -> &Value {
        self.versions.last().unwrap_or(&Value::Null)
    }
}

impl Account {
    pub(super) fn id(&self) -> &str {
        id_of(&self.object)
    }

    /// A new identifier; the same one when the same requests are replayed.
    pub(super) fn new_id(&mut self) -> String {
        self.made += 1;
        secret::id(&format!("{}/made/{}", self.scenario, self.made))
    }

    /// A new secret; the same one when the same requests are replayed.
    pub(super) fn new_secret(&mut self, prefix: &str) -> String {
        self.made += 1;
        secret::secret(prefix, &format!("{}/made/{}", self.scenario, self.made))
    }

    pub(super) fn zone(&self, call: &Call, id: &str) -> Result<&Zone, Refusal> {
        self.zones.iter().find(|zone| id_of(&zone.object) == id).ok_or_else(|| Refusal::no_route(&call.path))
    }

    pub(super) fn zone_mut(&mut self, call: &Call, id: &str) -> Result<&mut Zone, Refusal> {
        self.zones.iter_mut().find(|zone| id_of(&zone.object) == id).ok_or_else(|| Refusal::no_route(&call.path))
    }

    /// The zone that a call is about: it is in the path, or what changed is an Origin CA certificate of it.
    pub(super) fn zone_of(&self, call: &Call, change: Option<&Change>) -> Option<&Zone> {
        self.zones.iter().find(|zone| {
            let certified = |change: &Change| zone.origin_certificates.iter().any(|it| id_of(it) == change.id);
            call.path.contains(id_of(&zone.object)) || change.is_some_and(certified)
        })
    }

    /// The tokens that were cut, and of which that is not known everywhere yet: as they were before.
    fn late(&self, at: Timestamp) -> impl Iterator<Item = &Token> {
        self.lingering.iter().rev().filter(move |(_, until)| at < *until).map(|(token, _)| token)
    }

    /// The token whose value this is, as it is known where it is asked about.
    pub(super) fn token_by_value(&self, secret: &str, at: Timestamp) -> Option<&Token> {
        let is_it = |token: &&Token| token.secret == secret;
        self.late(at).find(is_it).or_else(|| self.tokens.iter().find(is_it))
    }

    /// The token with this id, as it is known where it verifies itself.
    pub(super) fn token_verified(&self, id: &str, at: Timestamp) -> Option<&Token> {
        self.late(at).find(|token| id_of(&token.object) == id).or_else(|| self.token(id))
    }

    /// Keeps a token as it is before it is cut.
    pub(super) fn linger(&mut self, id: &str, at: Timestamp) {
        if !self.lag.is_zero()
            && let Some(token) = self.token(id).cloned()
        {
            self.lingering.push((token, at + self.lag));
        }
    }

    pub(super) fn token(&self, id: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| id_of(&token.object) == id)
    }

    /// The account in the path must be this one.
    pub(super) fn is_this(&self, call: &Call, account: &str) -> Result<(), Refusal> {
        if account == self.id() { Ok(()) } else { Err(Refusal::no_route(&call.path)) }
    }

    /// The caller must hold one of `groups` there. Members hold every right.
    pub(super) fn require(&self, call: &Call, groups: &[&str], scope: Scope<'_>) -> Result<(), Refusal> {
        // Who is no member any more has lost the account, tokens included.
        let outsider = self.user_of(call).is_some_and(|email| !self.has_member(&email));
        if outsider && scope != Scope::User {
            return Err(Refusal::authentication(403));
        }
        let Actor::Token(id) = &call.actor else { return Ok(()) };
        let held = self.token(id).is_some_and(|token| {
            let user_owned = token.owner.is_some();
            (scope != Scope::User || user_owned) && allows(&token.object["policies"], groups, scope, self.id())
        });
        if held { Ok(()) } else { Err(Refusal::authentication(403)) }
    }

    fn has_member(&self, email: &str) -> bool {
        self.members.iter().any(|member| member["user"]["email"] == email && member["status"] == "accepted")
    }

    /// The email of the user behind the call; account-owned tokens have none.
    pub(super) fn user_of(&self, call: &Call) -> Option<String> {
        match &call.actor {
            Actor::Token(id) => self.token_verified(id, call.at)?.owner.clone(),
            Actor::GlobalKey(email) | Actor::Dashboard(email) | Actor::Application(email) => Some(email.clone()),
            Actor::System => None,
        }
    }

    /// The state without what differs between two runs that did the same.
    pub(super) fn snapshot(&self) -> Value {
        let zones: Vec<Value> = self
            .zones
            .iter()
            .map(|zone| {
                json!({
                    "zone": zone.object,
                    "dns_records": zone.records,
                    "certificate_packs": zone.packs,
                    "custom_certificates": zone.custom_certificates,
                    "origin_certificates": zone.origin_certificates,
                    "rulesets": current(&zone.rulesets),
                    "access_rules": zone.access_rules,
                    "settings": zone.settings,
                    "hold": zone.hold,
                    "dnssec": zone.dnssec,
                })
            })
            .collect();
        let tokens: Vec<&Value> = self.tokens.iter().map(|token| &token.object).collect();
        let mut state = json!({
            "account": self.object,
            "tokens": tokens,
            "members": self.members,
            "zones": zones,
            "rulesets": current(&self.rulesets),
            "access_rules": self.access_rules,
            "user_access_rules": self.user_access_rules,
            "families": self.shelf.snapshot(),
        });
        forget_times(&mut state);
        state
    }
}

fn current(rulesets: &[Ruleset]) -> Vec<&Value> {
    rulesets.iter().map(Ruleset::current).collect()
}

/// Times depend on when a run took place.
fn forget_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !(name.ends_with("_on") || name.ends_with("_at") || name == "last_updated"));
            fields.values_mut().for_each(forget_times);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_times),
        _ => {}
    }
}
