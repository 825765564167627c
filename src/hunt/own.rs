//! Which acts in a log are quell's own: those that match a request that it sent, one by one.
//!
//! The credential alone tells nothing: an intruder may hold the very one that quell acts with.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::audit::AuditEvent;
use crate::journal::{EffectState, IncidentState};
use crate::model::{Call, CredentialFacts, CredentialKind, HttpCall};
use crate::provider::ReadSide;

/// This machine's clock and the provider's may lie this far apart, delays on the way included.
const SLACK: SignedDuration = SignedDuration::from_secs(120);

/// What quell sent.
#[derive(Debug, Default)]
pub struct OwnActs {
    /// By method and path.
    requests: BTreeMap<(String, String), Vec<Request>>,
    /// Ids of the tokens that it sent with.
    tokens: BTreeSet<String>,
    /// E-mails whose global key it sent with.
    keys: BTreeSet<String>,
    /// Ids of the tokens whose leaked value it may have tried. It does nothing else with them.
    tried: BTreeSet<String>,
}

/// A request that was sent at some time between two.
#[derive(Debug)]
struct Request {
    from: Timestamp,
    to: Timestamp,
    /// What it was about, for a log that has no paths.
    target: String,
}

impl OwnActs {
    /// The reads that `read` sent, and what the journal has: effects with their attempts, work by hand as it was described,
    /// and the reads of earlier processes. `leaked` is the token whose leaked value is at hand.
    pub fn new(read: &dyn ReadSide, incident: Option<&IncidentState>, leaked: Option<&str>) -> Self {
        let mut own = Self::default();
        own.tried.extend(leaked.map(str::to_owned));
        own.acts_with(read.credential());
        let sent = read.sent();
        let here_since = sent.first().map_or(Timestamp::MAX, |first| first.at);
        for read in sent {
            own.request("GET", &read.path, "", read.at, read.at);
        }
        let Some(incident) = incident else { return own };
        for run in &incident.runs {
            own.acts_with(&run.opened.credential);
            own.acts_with(&run.credential);
            own.tried.extend(run.opened.leaked.iter().map(|leaked| leaked.token.clone()));
            for effect in run.steps.values().flat_map(|step| &step.effects) {
                own.effect(effect, run.opened_at);
            }
        }
        for kept in incident.evidence.iter().filter(|kept| kept.at < here_since) {
            if let Some(target) = kept.source.strip_prefix("GET /") {
                let path = target.split(['?', ' ']).next().unwrap_or_default();
                own.request("GET", &format!("/{path}"), "", kept.at, kept.at);
            }
        }
        own
    }

    fn acts_with(&mut self, credential: &CredentialFacts) {
        self.tokens.extend(credential.id.clone());
        if credential.kind == CredentialKind::GlobalKey {
            self.keys.extend(credential.owner.clone());
        }
    }

    fn effect(&mut self, state: &EffectState, opened: Timestamp) {
        let effect = &state.effect;
        let by_hand = match &effect.call {
            Call::Http(call) => return self.attempts(state, call),
            Call::Hand(by_hand) => by_hand.request.as_ref(),
            Call::Outside(_) => None,
        };
        // A person did it some time before saying so.
        let done = state.attempts.last().and_then(|attempt| attempt.ended);
        if let (Some(call), Some(done)) = (by_hand, done) {
            self.request(&call.method, &call.path, &effect.target.id, opened, done);
        }
    }

    fn attempts(&mut self, state: &EffectState, call: &HttpCall) {
        for attempt in &state.attempts {
            if let Some(began) = attempt.began {
                // One that was never settled left soon after it was intended, or not at all.
                let ended = attempt.ended.unwrap_or(began);
                self.request(&call.method, &call.path, &state.effect.target.id, began, ended);
            }
        }
    }

    fn request(&mut self, method: &str, path: &str, target: &str, from: Timestamp, to: Timestamp) {
        let path = path.split('?').next().unwrap_or_default().to_owned();
        let request = Request { from, to, target: target.to_owned() };
        self.requests.entry((method.to_owned(), path)).or_default().push(request);
    }

    /// Marks the events that are quell's own. Each request accounts for one event, the nearest in time; what is left is
    /// somebody else's, though it came by the same credential. Of reads alone, what came by it from the same address with the
    /// same program is its own as well: those of earlier processes leave no trace in the journal where they were made to
    /// connect. The same holds of reads with a leaked value: whoever tries it comes from where quell is.
    pub fn label(&self, events: &mut [AuditEvent]) {
        let mut named: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        let mut unnamed: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, event) in events.iter().enumerate().filter(|(_, event)| self.is_by_own_credential(event)) {
            match (event.method.as_deref(), event.path(), event.resource_id.as_deref()) {
                (Some(method), Some(path), _) => named.entry((method, path)).or_default().push(at),
                // A log without paths: only the resource and the time can tell.
                (.., Some(resource)) if event.is_write() => unnamed.entry(resource).or_default().push(at),
                _ => {}
            }
        }
        let mut own = BTreeSet::new();
        for ((method, path), requests) in &self.requests {
            for request in requests {
                let nearest = |of: Option<&Vec<usize>>| {
                    let free = of.into_iter().flatten().copied().filter(|at| !own.contains(at));
                    let near = free.filter(|at| request.is_near(events[*at].at));
                    near.min_by_key(|at| request.from.duration_since(events[*at].at).abs())
                };
                // An entry without a path is taken only where none with a path fits: it may be somebody else's act on the
                // same resource, of which the other log does not tell yet.
                let found = nearest(named.get(&(method.as_str(), path.as_str())));
                let found = found.or_else(|| nearest(unnamed.get(request.target.as_str()).filter(|_| method != "GET")));
                own.extend(found);
            }
        }
        let origins: BTreeSet<_> = own.iter().map(|at| origin(&events[*at])).collect();
        let machines: BTreeSet<_> = own.iter().filter_map(|at| machine(&events[*at])).collect();
        for (at, event) in events.iter_mut().enumerate() {
            let is_like = self.is_by_own_credential(event) && origins.contains(&origin(event));
            let is_trial = event.token_id.as_ref().is_some_and(|token| self.tried.contains(token))
                && machine(event).is_some_and(|machine| machines.contains(&machine));
            event.own = own.contains(&at) || (!event.is_write() && (is_like || is_trial));
        }
    }

    fn is_by_own_credential(&self, event: &AuditEvent) -> bool {
        match (&event.token_id, event.context.as_deref()) {
            (Some(token), _) => self.tokens.contains(token),
            (None, Some("api_key")) => event.email.as_ref().is_some_and(|email| self.keys.contains(email)),
            // The older log names no token; only the resource and the time can tell.
            (None, _) => event.log == "v1",
        }
    }
}

impl Request {
    fn is_near(&self, at: Timestamp) -> bool {
        let (from, to) = (self.from.checked_sub(SLACK), self.to.checked_add(SLACK));
        from.is_ok_and(|from| from <= at) && to.is_ok_and(|to| at <= to)
    }
}

/// By what, from where and with which program.
fn origin(event: &AuditEvent) -> (Option<String>, Option<String>, Option<String>) {
    (event.token_id.clone().or_else(|| event.email.clone()), event.ip.clone(), event.user_agent.clone())
}

/// From where and with which program, where both are told.
fn machine(event: &AuditEvent) -> Option<(String, String)> {
    Some((event.ip.clone()?, event.user_agent.clone()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::OwnActs;
    use crate::hunt::AuditEvent;

    fn event(at: &str, method: &str, path: &str, ip: &str) -> AuditEvent {
        let action = if method == "GET" { "view" } else { "update" };
        let event = json!({
            "id": at, "at": format!("2026-11-20T{at}Z"), "action": action, "success": true, "resource_type": "x",
            "resource_id": "r", "token_id": "own", "ip": ip, "user_agent": "quell", "method": method,
            "uri": format!("/client/v4{path}?page=1"), "log": "v2",
        });
        serde_json::from_value(event).unwrap()
    }

    fn own(requests: &[(&str, &str, &str)]) -> OwnActs {
        let mut own = OwnActs { tokens: ["own".to_owned()].into(), ..OwnActs::default() };
        for (at, method, path) in requests {
            let at = format!("2026-11-20T{at}Z").parse().unwrap();
            own.request(method, path, "r", at, at);
        }
        own
    }

    fn labelled(own: &OwnActs, mut events: Vec<AuditEvent>) -> Vec<bool> {
        own.label(&mut events);
        events.iter().map(|event| event.own).collect()
    }

    #[test]
    fn a_request_accounts_for_one_act_and_the_same_credential_for_none() {
        let events = vec![
            event("09:59:58", "PUT", "/accounts/a/tokens/r", "away"),
            event("10:00:01", "PUT", "/accounts/a/tokens/r", "home"),
            event("10:00:05", "PUT", "/accounts/a/tokens/r", "away"),
            event("10:00:06", "DELETE", "/accounts/a/tokens/r", "home"),
            event("10:09:00", "PUT", "/accounts/a/tokens/r", "home"),
        ];
        let sent = own(&[("10:00:00", "PUT", "/accounts/a/tokens/r")]);
        assert_eq!(labelled(&sent, events), [false, true, false, false, false]);
    }

    #[test]
    fn reads_of_an_earlier_process_are_told_by_where_they_came_from() {
        let events = vec![
            event("10:00:00", "GET", "/accounts", "home"),
            event("10:00:01", "GET", "/accounts/a/tokens", "home"),
            event("10:00:02", "GET", "/accounts/a/tokens", "away"),
        ];
        assert_eq!(labelled(&own(&[("10:00:01", "GET", "/accounts/a/tokens")]), events.clone()), [true, true, false]);
        // Where nothing matches, nothing is.
        assert_eq!(labelled(&own(&[]), events), [false, false, false]);
    }

    #[test]
    fn a_leaked_value_that_quell_tried_is_no_use_by_the_intruder() {
        let of_suspect = |at: &str, method: &str, ip: &str| {
            let mut event = event(at, method, "/accounts/a/tokens/verify", ip);
            event.token_id = Some("stolen".to_owned());
            event
        };
        let events = vec![
            event("10:00:00", "GET", "/accounts", "home"),
            of_suspect("10:00:01", "GET", "home"),
            of_suspect("10:00:02", "GET", "away"),
            of_suspect("10:00:03", "PUT", "home"),
        ];
        let mut sent = own(&[("10:00:00", "GET", "/accounts")]);
        assert_eq!(labelled(&sent, events.clone()), [true, false, false, false]);
        sent.tried.insert("stolen".to_owned());
        assert_eq!(labelled(&sent, events), [true, true, false, false]);
    }

    #[test]
    fn the_older_log_is_told_by_resource_and_time() {
        let mut old = event("10:00:01", "PUT", "/accounts/a/tokens/r", "home");
        (old.token_id, old.method, old.uri, old.log) = (None, None, None, "v1".to_owned());
        // It takes nothing from an entry that has the path, however near it is.
        let late = event("10:00:02", "PUT", "/accounts/a/tokens/r", "home");
        let both = vec![late, old.clone()];
        assert_eq!(labelled(&own(&[("10:00:01", "PUT", "/accounts/a/tokens/r")]), both), [true, false]);
        let mut other = old.clone();
        other.resource_id = Some("another".to_owned());
        assert_eq!(labelled(&own(&[("10:00:00", "PUT", "/accounts/a/tokens/r")]), vec![other, old]), [false, true]);
    }
}
