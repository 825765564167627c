use std::collections::{BTreeSet, HashMap};

use super::{Kind, principal};
use crate::hunt::audit::{AuditEvent, SeenBefore};

/// What was usual before a window, by address.
#[derive(Debug)]
pub struct Usual<'b> {
    by_ip: HashMap<Option<&'b str>, Vec<&'b SeenBefore>>,
    by_token: HashMap<&'b str, Kinds<'b>>,
    by_user: HashMap<&'b str, Kinds<'b>>,
}

/// The kinds of acts that a principal did; none where not all of them are known.
type Kinds<'b> = Option<BTreeSet<&'b str>>;

fn add<'b>(kinds: &mut HashMap<&'b str, Kinds<'b>>, principal: &'b str, seen: &'b SeenBefore) {
    let known = kinds.entry(principal).or_insert_with(|| Some(BTreeSet::new()));
    match known {
        Some(known) if seen.tells_kinds() => known.extend(seen.kinds.iter().map(String::as_str)),
        _ => *known = None,
    }
}

impl<'b> Usual<'b> {
    /// By these uses.
    pub fn new(before: &'b [SeenBefore]) -> Self {
        let mut by_ip: HashMap<_, Vec<_>> = HashMap::new();
        let (mut by_token, mut by_user) = (HashMap::new(), HashMap::new());
        for seen in before {
            by_ip.entry(seen.ip.as_deref()).or_default().push(seen);
            match (&seen.token_id, &seen.email) {
                (Some(token), _) => add(&mut by_token, token, seen),
                (None, Some(email)) => add(&mut by_user, email, seen),
                (None, None) => {}
            }
        }
        Self { by_ip, by_token, by_user }
    }

    /// Whether this is a write of a `kind` that whoever made it is known never to have made before. The older log tells
    /// too little of what it was.
    pub fn is_new_kind(&self, event: &AuditEvent, kind: &str) -> bool {
        if event.own || event.log == "v1" || !event.is_write() {
            return false;
        }
        let of_user = || event.email.as_deref().and_then(|email| self.by_user.get(email));
        let done = match event.token_id.as_deref() {
            // A token that is new where its user always was is held against what the user did.
            Some(token) => self.by_token.get(token).or_else(of_user),
            None => of_user(),
        };
        done.is_some_and(|done| done.as_ref().is_some_and(|done| !done.contains(kind)))
    }

    /// Whether an act is as things were before: the same credential from the same address in the same way, or a token of
    /// somebody who was always there. What the provider itself does names nobody, and needs no explanation.
    pub fn explains(&self, event: &AuditEvent) -> bool {
        if event.own || principal(event).0 == Kind::Unnamed {
            return true;
        }
        let from_there = self.by_ip.get(&event.ip.as_deref()).map(Vec::as_slice).unwrap_or_default();
        if event.log == "v1" {
            // The older log seldom names the token, and never the way or the program: nothing else can be compared.
            let alike = |known: &Option<String>, seen: &Option<String>| known.is_none() || known == seen;
            return from_there
                .iter()
                .any(|seen| alike(&event.token_id, &seen.token_id) && alike(&event.email, &seen.email));
        }
        let is_person = |seen: &&&SeenBefore| event.email.is_some() && seen.email == event.email;
        let is_same = |seen: &&&SeenBefore| match &event.token_id {
            Some(token) => seen.token_id.as_ref() == Some(token),
            None => seen.token_id.is_none() && seen.email == event.email && is_way(seen, event),
        };
        // People change browsers; what uses a token seldom changes.
        let is_session = event.context.as_deref() == Some("dash");
        let is_program = |seen: &&SeenBefore| match (&seen.user_agent, &event.user_agent) {
            (Some(seen), Some(agent)) => is_session || program(seen) == program(agent),
            _ => true,
        };
        if from_there.iter().any(|seen| is_same(&seen)) {
            return from_there.iter().filter(|seen| is_same(seen) || is_person(seen)).any(is_program);
        }
        // A key or a grant works from anywhere for whoever read it: that its user was there before explains nothing.
        let is_personal = matches!(event.context.as_deref(), None | Some("api_token" | "dash"));
        is_personal && from_there.iter().any(|seen| is_person(&seen))
    }
}

/// Whether the kind of access is the same, as far as both are told.
fn is_way(seen: &SeenBefore, event: &AuditEvent) -> bool {
    seen.context.is_none() || event.context.is_none() || seen.context == event.context
}

/// Whether an act was done with the same program in the same way, where both are told; a user agent can be faked.
pub fn is_program(seen: &SeenBefore, event: &AuditEvent) -> bool {
    let both = seen.user_agent.as_deref().zip(event.user_agent.as_deref());
    both.is_some_and(|(seen, agent)| !agent.is_empty() && program(seen) == program(agent)) && is_way(seen, event)
}

/// A user agent without its versions: programs are updated.
fn program(agent: &str) -> String {
    agent.chars().filter(|letter| !letter.is_ascii_digit() && !matches!(letter, '.' | '_')).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::Usual;
    use crate::hunt::SeenBefore;

    fn seen(token: Option<&str>, email: Option<&str>, context: &str, ip: &str, agent: &str) -> SeenBefore {
        let text = |text: &str| Some(text.to_owned());
        let (token_id, email) = (token.map(str::to_owned), email.map(str::to_owned));
        SeenBefore {
            token_id,
            email,
            context: text(context),
            ip: text(ip),
            user_agent: text(agent),
            count: 1,
            kinds: BTreeSet::new(),
        }
    }

    /// Token, e-mail, kind of access, address, program and log of an act.
    fn is_explained(token: &str, email: &str, context: &str, ip: &str, agent: &str, log: &str) -> bool {
        let some = |text: &str| if text.is_empty() { json!(null) } else { json!(text) };
        let event = json!({
            "id": "1", "at": "2026-11-20T00:00:00Z", "action": "update", "success": true, "resource_type": "x",
            "token_id": some(token), "email": some(email), "context": some(context), "ip": some(ip),
            "user_agent": some(agent), "log": log,
        });
        let before = [
            seen(None, Some("maya@a.example"), "dash", "office", "Firefox/131.0"),
            seen(Some("ci"), None, "api_token", "runner", "deploy/2.14 (ci)"),
        ];
        Usual::new(&before).explains(&serde_json::from_value(event).unwrap())
    }

    #[test]
    fn the_same_credential_from_the_same_place_is_explained_and_an_update_of_the_program_is() {
        assert!(is_explained("", "maya@a.example", "dash", "office", "Firefox/132.1", "v2"));
        assert!(is_explained("ci", "", "api_token", "runner", "deploy/3.0 (ci)", "v2"));
        assert!(!is_explained("ci", "", "api_token", "runner", "curl/8", "v2"), "another program");
        assert!(is_explained("", "maya@a.example", "dash", "office", "Chrome/130", "v2"), "another browser");
        assert!(!is_explained("ci", "", "api_token", "office", "deploy/2.14 (ci)", "v2"), "another address");
        assert!(!is_explained("", "maya@a.example", "dash", "home", "Firefox/131.0", "v2"), "another address");
    }

    #[test]
    fn a_token_of_whoever_was_always_there_is_explained_and_a_key_is_not() {
        assert!(is_explained("maya's", "maya@a.example", "api_token", "office", "curl/8", "v2"));
        assert!(!is_explained("", "maya@a.example", "api_key", "office", "Firefox/131.0", "v2"));
        assert!(!is_explained("eve's", "eve@a.example", "api_token", "office", "curl/8", "v2"));
        assert!(!is_explained("account's", "", "api_token", "office", "curl/8", "v2"));
    }

    #[test]
    fn what_a_principal_never_did_is_of_a_new_kind_where_all_that_it_did_is_known() {
        let with = |kinds: &[&str], of: SeenBefore| SeenBefore {
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            ..of
        };
        let ci = |ip: &str, kinds: &[&str]| with(kinds, seen(Some("ci"), None, "api_token", ip, "deploy/2"));
        let maya = with(&["create tokens"], seen(None, Some("maya@a.example"), "dash", "office", "Firefox/131"));
        let is_new = |before: &[SeenBefore], token: Option<&str>, email: Option<&str>, action: &str, log: &str| {
            let event = json!({
                "id": "1", "at": "2026-11-20T00:00:00Z", "action": action, "success": true, "resource_type": "x",
                "token_id": token, "email": email, "ip": "runner", "log": log,
            });
            Usual::new(before).is_new_kind(&serde_json::from_value(event).unwrap(), &format!("{action} tokens"))
        };
        let before = [ci("runner", &["update dns_records"]), ci("other", &["delete tokens"]), maya];
        assert!(is_new(&before, Some("ci"), None, "create", "v2"));
        assert!(!is_new(&before, Some("ci"), None, "delete", "v2"), "from another address, and done");
        assert!(!is_new(&before, Some("ci"), None, "view", "v2"), "a read");
        assert!(!is_new(&before, Some("ci"), None, "create", "v1"), "the older log");
        assert!(!is_new(&before, None, Some("maya@a.example"), "create", "v2"));
        assert!(is_new(&before, Some("maya's"), Some("maya@a.example"), "delete", "v2"), "held against its user");
        assert!(!is_new(&before, Some("nobody's"), None, "create", "v2"), "nothing is known of it");
        for untold in [vec![], vec![String::new()], (0..SeenBefore::MOST_KINDS).map(|n| n.to_string()).collect()] {
            let untold: Vec<&str> = untold.iter().map(String::as_str).collect();
            let before = [ci("runner", &["update dns_records"]), ci("other", &untold)];
            assert!(!is_new(&before, Some("ci"), None, "create", "v2"), "{} kinds", untold.len());
        }
    }

    #[test]
    fn the_older_log_is_held_against_what_it_tells() {
        assert!(is_explained("", "maya@a.example", "", "office", "", "v1"));
        assert!(is_explained("", "", "", "runner", "", "v1"), "a token of the account has no e-mail there");
        assert!(!is_explained("", "maya@a.example", "", "runner", "", "v1"));
        assert!(is_explained("", "", "", "", "", "v2"), "the provider itself");
    }
}
