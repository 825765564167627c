//! Acts as an audit log recorded them, and whose doing an act is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use serde_json::Value;

use crate::model::{Actor, Attribution, plain_address, plain_email};

/// One act that an audit log recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEvent {
    /// The log's id of it.
    pub id: String,
    /// When, by the provider's clock.
    pub at: Timestamp,
    /// `create`, `update`, `delete`, `view`, or the action type of log v1.
    pub action: String,
    /// False for a failed attempt.
    pub success: bool,
    /// Kind of resource, e.g. `dns_record`.
    pub resource_type: String,
    /// Id of the resource, where the log names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// Name of the zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// E-mail of the user, in small letters.
    #[serde(default, deserialize_with = "email", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Id of the token used (log v2 only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
    /// Name of the token used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_name: Option<String>,
    /// `api_key`, `api_token`, `dash`, `oauth`, `origin_ca_key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Address it came from, in its plain spelling.
    #[serde(default, deserialize_with = "address", skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// User agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// HTTP status that the request was answered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The resource before the act, as far as the log has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The resource after the act, or what was asked for, as far as the log has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Which log told it: `v1` or `v2`.
    pub log: String,
    /// True where this incident's journal has the request: quell did it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub own: bool,
    /// True where whoever did it was not seen like this before the window, and nothing explains it, neither an address of
    /// the team nor the one that quell acts from: it may be a colleague at a new place, and it may be the intruder.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unexplained: bool,
    /// True where nothing but what was done leaves it unexplained: whoever did it was where they always are, and had never
    /// done anything of the kind.
    #[serde(default, skip_serializing_if = "is_false")]
    pub new_kind: bool,
}

// Whoever writes an address or a mailbox otherwise means the same; all that is compared is read through these.

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(|text| plain_address(&text)))
}

fn email<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(|text| plain_email(&text)))
}

fn addresses<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(Vec::<String>::deserialize(from)?.iter().map(|text| plain_address(text)).collect())
}

fn emails<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(Vec::<String>::deserialize(from)?.iter().map(|text| plain_email(text)).collect())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl AuditEvent {
    /// Who did it.
    pub fn actor(&self) -> Actor {
        Actor {
            token_id: self.token_id.clone(),
            token_name: self.token_name.clone(),
            email: self.email.clone(),
            ip: self.ip.clone(),
        }
    }

    /// Path of the request below the root of the API, without its query; only log v2 has it.
    pub fn path(&self) -> Option<&str> {
        let path = self.uri.as_deref()?.split(['?', '#']).next()?;
        Some(path.strip_prefix("/client/v4").unwrap_or(path))
    }

    /// Whether it changed something, or tried to.
    pub fn is_write(&self) -> bool {
        !matches!(self.action.as_str(), "view" | "login" | "logout")
    }
}

/// Use of a credential before the window: what is in here is honest use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SeenBefore {
    /// Id of the token; none where the log names none.
    #[serde(default)]
    pub token_id: Option<String>,
    /// E-mail of the user, in small letters; none for a token that an account owns.
    #[serde(default, deserialize_with = "email")]
    pub email: Option<String>,
    /// As [`AuditEvent::context`] has it.
    #[serde(default)]
    pub context: Option<String>,
    /// Address it was used from, in its plain spelling.
    #[serde(default, deserialize_with = "address")]
    pub ip: Option<String>,
    /// User agent it was used with.
    pub user_agent: Option<String>,
    /// How often.
    pub count: u64,
    /// Kinds of acts that were done so, each once: `update dns_records`. Nothing where that is not known, and an empty text
    /// for what a log told too little of.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub kinds: BTreeSet<String>,
}

impl SeenBefore {
    /// So many kinds are kept of each use; one that was of so many is taken for one of any.
    pub const MOST_KINDS: usize = 128;

    /// Whether every kind of act that was done so is known.
    pub fn tells_kinds(&self) -> bool {
        (1..Self::MOST_KINDS).contains(&self.kinds.len()) && !self.kinds.contains("")
    }

    /// Whether acts of this kind were done so; none where nobody can say.
    pub fn did(&self, kind: &str) -> Option<bool> {
        self.tells_kinds().then(|| self.kinds.contains(kind))
    }
}

/// How far the logs that were read reach.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogReach {
    /// From when on the logs were asked: before the window, to see what was usual.
    pub asked_from: Timestamp,
    /// The oldest entry of the log that names tokens and programs; none where it has none.
    pub named_from: Option<Timestamp>,
    /// The oldest entry of any log.
    pub oldest: Option<Timestamp>,
    /// The newest entry: what happened after it may not have arrived yet.
    pub newest: Option<Timestamp>,
    /// Entries of the window that stand only in the log that names neither tokens nor programs.
    pub unnamed: u64,
    /// quell's own reads, which are left out of the events: each matched to a request that it sent.
    pub own_reads: u64,
    /// Addresses of the window that first came up within a day before it, and when: the window may begin too late.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub came_up: BTreeMap<String, Timestamp>,
}

/// A credential that the intruder holds, and who else uses it; or the user whose dashboard session or key it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Principal {
    /// Id of the token; of a user the e-mail.
    pub token_id: String,
    /// Its name; may be chosen by an attacker.
    pub token_name: String,
    /// True for one that the intruder made: nobody else ever had it, and it is the intruder's wherever it acts.
    #[serde(default)]
    pub intruder_made: bool,
    /// Addresses from which it was used honestly: seen in the 30 days before it was exposed. Empty for a token that the
    /// intruder made, and for one of which no earlier use is known.
    #[serde(deserialize_with = "addresses")]
    pub honest_ips: Vec<String>,
    /// Addresses from which only the intruder is known to have used it: never merely because nothing is known of an
    /// earlier use.
    #[serde(deserialize_with = "addresses")]
    pub hostile_ips: Vec<String>,
    /// Addresses from which it was used in the window for the first time, and others were at work before: nobody can say
    /// whether that was the intruder.
    #[serde(default, deserialize_with = "addresses")]
    pub mixed_ips: Vec<String>,
    /// Addresses from which it was used in the window for the first time, and nothing tells that from its honest use: it
    /// was used as ever, or no earlier use is known. What others do there says nothing of them.
    #[serde(default, deserialize_with = "addresses")]
    pub open_ips: Vec<String>,
    /// E-mails of the members whom the intruder let in by it: nobody else is behind them, wherever they act.
    #[serde(default, deserialize_with = "emails")]
    pub let_in: Vec<String>,
}

impl Principal {
    /// Whether it is a user, by whatever else than a token.
    pub fn is_person(&self) -> bool {
        self.token_id.contains('@')
    }
}

/// Whose doing `event` is, given what the intruder holds.
pub fn attribute(event: &AuditEvent, principals: &[Principal]) -> Attribution {
    if event.own {
        return Attribution::Other;
    }
    // Where nobody can say what the intruder holds, nobody can say that it was somebody else.
    if principals.is_empty() {
        return Attribution::Unattributed;
    }
    // What was never seen like this is nobody's until somebody says that it was they. That it was never done before is not
    // held against anybody, unless nothing tells what of all that was done with the named credentials the intruder did.
    let is_hostile = |held: &Principal| held.intruder_made || !held.hostile_ips.is_empty();
    let is_open = |held: &Principal| !held.mixed_ips.is_empty() || !held.open_ips.is_empty();
    let is_known = principals.iter().any(is_hostile) || !principals.iter().any(is_open);
    let is_strange = event.unexplained && !(event.new_kind && is_known);
    let others = if is_strange { Attribution::Unattributed } else { Attribution::Other };
    let from = |ips: fn(&Principal) -> &[String]| {
        event.ip.as_ref().is_some_and(|ip| principals.iter().any(|held| ips(held).contains(ip)))
    };
    let is_it = |email: &String| event.email.as_ref().is_some_and(|acted| acted.eq_ignore_ascii_case(email));
    if principals.iter().flat_map(|held| &held.let_in).any(is_it) {
        return Attribution::Intruder;
    }
    let Some(token) = event.token_id.as_deref() else {
        // Log v1 and dashboard acts name no token: an address that only the intruder has tells, an e-mail does not.
        // What the older log has of an address of honest use may have been done by the token itself.
        let may_be_token = event.log == "v1" && from(|held| &held.honest_ips);
        return match (from(|held| &held.hostile_ips), from(|held| &held.mixed_ips) || may_be_token) {
            (true, _) => Attribution::Intruder,
            (false, true) => Attribution::Shared,
            (false, false) => others,
        };
    };
    let Some(held) = principals.iter().find(|held| held.token_id == token) else {
        // Another token that is new where only the intruder was is in the intruder's hands as well.
        let is_intruders = event.unexplained && from(|held| &held.hostile_ips);
        return if is_intruders { Attribution::Intruder } else { others };
    };
    // Others may have it as well, unless the intruder made it: only an address that is known to be hostile tells.
    let is_hostile = event.ip.as_ref().is_some_and(|ip| held.hostile_ips.contains(ip));
    if held.intruder_made || is_hostile { Attribution::Intruder } else { Attribution::Shared }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{AuditEvent, Principal, attribute};
    use crate::model::Attribution;

    fn event(token: Option<&str>, ip: &str, unexplained: bool) -> AuditEvent {
        let event = json!({
            "id": "1", "at": "2026-11-20T00:00:00Z", "action": "update", "success": true, "resource_type": "x",
            "token_id": token, "email": "maya@a.example", "ip": ip, "log": "v2", "unexplained": unexplained,
        });
        serde_json::from_value(event).unwrap()
    }

    fn held() -> [Principal; 1] {
        [Principal {
            token_id: "stolen".into(),
            token_name: "ci".into(),
            intruder_made: false,
            honest_ips: vec!["runner".into()],
            hostile_ips: vec!["bad".into()],
            mixed_ips: vec!["office".into()],
            open_ips: vec!["runner of today".into()],
            let_in: vec![],
        }]
    }

    #[test]
    fn an_address_that_others_use_as_well_leaves_it_open() {
        let whose = |token, ip| attribute(&event(token, ip, false), &held());
        assert_eq!(whose(Some("stolen"), "bad"), Attribution::Intruder);
        assert_eq!(
            whose(Some("stolen"), "nowhere yet"),
            Attribution::Shared,
            "an address is hostile by evidence alone"
        );
        assert_eq!(whose(Some("stolen"), "runner"), Attribution::Shared);
        assert_eq!(whose(Some("stolen"), "office"), Attribution::Shared);
        assert_eq!(whose(None, "bad"), Attribution::Intruder);
        assert_eq!(whose(None, "office"), Attribution::Shared);
        // Where the token always was, a colleague's session is a colleague's.
        assert_eq!((whose(None, "runner"), whose(Some("other"), "office")), (Attribution::Other, Attribution::Other));
        // So is it where nothing tells the token's use from its honest one; that use stays shared.
        assert_eq!(
            (whose(Some("stolen"), "runner of today"), whose(None, "runner of today")),
            (Attribution::Shared, Attribution::Other)
        );
        // What the intruder made is the intruder's there as well.
        let [held] = held();
        let made = [Principal { intruder_made: true, honest_ips: vec![], ..held }];
        assert_eq!(attribute(&event(Some("stolen"), "office", false), &made), Attribution::Intruder);
    }

    #[test]
    fn what_others_hold_is_the_intruders_where_only_the_intruder_is_and_so_is_whom_it_let_in() {
        let whose = |event: &AuditEvent| attribute(event, &held());
        assert_eq!(whose(&event(Some("another"), "bad", true)), Attribution::Intruder);
        // One that is explained there, as that which quell acts with, is not.
        assert_eq!(whose(&event(Some("another"), "bad", false)), Attribution::Other);
        let let_in = held().map(|held| Principal { let_in: vec!["Maya@a.example".into()], ..held });
        assert_eq!(attribute(&event(None, "home", false), &let_in), Attribution::Intruder);
        assert_eq!(attribute(&event(Some("another"), "home", false), &let_in), Attribution::Intruder);
        let other = AuditEvent { email: Some("sam@a.example".into()), ..event(None, "home", false) };
        assert_eq!(attribute(&other, &let_in), Attribution::Other);
    }

    #[test]
    fn what_was_never_seen_like_this_is_nobodys_yet() {
        let whose = |token, ip| attribute(&event(token, ip, true), &held());
        assert_eq!(
            (whose(Some("other"), "new"), whose(None, "new")),
            (Attribution::Unattributed, Attribution::Unattributed)
        );
        assert_eq!(whose(None, "bad"), Attribution::Intruder);
        let own = AuditEvent { own: true, ..event(None, "new", true) };
        assert_eq!(attribute(&own, &held()), Attribution::Other);
        let first = AuditEvent { new_kind: true, ..event(Some("other"), "office", true) };
        assert_eq!(
            (attribute(&first, &held()), attribute(&first, &[])),
            (Attribution::Other, Attribution::Unattributed)
        );
        let doubtful = held().map(|held| Principal { hostile_ips: vec![], ..held });
        assert_eq!(attribute(&first, &doubtful), Attribution::Unattributed, "nobody is known to be the intruder");
        let as_ever = doubtful.map(|held| Principal { mixed_ips: vec![], open_ips: vec![], ..held });
        assert_eq!(attribute(&first, &as_ever), Attribution::Other, "nothing was done that an intruder may have done");
    }

    #[test]
    fn what_the_older_log_has_of_an_honest_address_may_be_the_tokens_own() {
        let second = event(None, "runner", false);
        let first = AuditEvent { log: "v1".into(), ..second.clone() };
        assert_eq!(attribute(&second, &held()), Attribution::Other);
        assert_eq!(attribute(&first, &held()), Attribution::Shared);
        let elsewhere = AuditEvent { ip: Some("home".into()), ..first };
        assert_eq!(attribute(&elsewhere, &held()), Attribution::Other);
    }
}
