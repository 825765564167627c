use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use super::{Mark, Provisioner};
use crate::cloudflare::principals::made;
use crate::hunt::graph::Tie;
use crate::hunt::{AuditEvent, SeenBefore};
use crate::model::count;

/// What a token is held against where nobody can name the suspect.
pub struct Traces<'a> {
    /// The audit log.
    pub events: &'a [AuditEvent],
    /// Use before the window; without any, nothing is known to be honest.
    pub before: &'a [SeenBefore],
    /// Whether an address is the team's own.
    pub is_own_address: &'a dyn Fn(&str) -> bool,
}

/// What speaks against a token.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Suspicion {
    /// The more, the likelier; 0: nothing does.
    pub score: usize,
    /// Why, in words, the heaviest first.
    pub why: String,
}

/// How many acts of others it takes to say at which hours the account is at work.
const ENOUGH: usize = 20;

/// Tokens, members and the like, made or changed, count up to this number.
const MOST_MADE: usize = 3;

/// What speaks against the token `id`: what it did that it never did before weighs most, then what became of it, then
/// what it may do. Of one that came in the window, the application that minted it is told.
pub fn suspicion(id: &str, marks: &[Mark], minted_by: Option<&Provisioner>, traces: &Traces<'_>) -> Suspicion {
    let mut reasons = acts(id, traces);
    let is_widened = traces
        .events
        .iter()
        .filter(|event| event.success)
        .filter_map(made)
        .any(|it| it.kind == "token" && it.id == id && matches!(it.tie, Tie::Widened | Tie::Rolled));
    if is_widened {
        reasons.push((3, "changed or rolled in the log".to_owned()));
    }
    let weighed = marks.iter().map(|mark| match mark {
        Mark::CreatedInWindow => (3, "made in the window"),
        // The log says the same of the same change.
        Mark::ChangedInWindow if is_widened => (0, ""),
        Mark::ChangedInWindow => (3, "changed in the window"),
        Mark::CanMint => (2, "may make tokens"),
        Mark::NeverExpires => (1, "never expires"),
        Mark::AnyAddress => (1, "works from anywhere"),
        Mark::Broad => (1, "a wide reach"),
        Mark::Unused => (0, ""),
    });
    reasons.extend(weighed.map(|(weight, why)| (weight, why.to_owned())));
    let is_new = marks.contains(&Mark::CreatedInWindow);
    if let Some(minted_by) = minted_by.filter(|minted_by| is_new && minted_by.is_application()) {
        reasons.push((1, format!("minted by {minted_by}")));
    }
    weigh(reasons)
}

/// The same of what the token did alone: what it may do counts for nothing where it may do it no more.
pub fn behaviour(id: &str, traces: &Traces<'_>) -> Suspicion {
    weigh(acts(id, traces))
}

fn weigh(mut reasons: Vec<(usize, String)>) -> Suspicion {
    reasons.retain(|(weight, _)| *weight > 0);
    reasons.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let score = reasons.iter().map(|(weight, _)| weight).sum();
    let words: Vec<String> = reasons.into_iter().map(|(_, why)| why).collect();
    Suspicion { score, why: words.join(", ") }
}

/// What the token did: from where, with what, making what, and when.
fn acts(id: &str, traces: &Traces<'_>) -> Vec<(usize, String)> {
    let used: Vec<&AuditEvent> = traces.events.iter().filter(|event| event.token_id.as_deref() == Some(id)).collect();
    let before = || traces.before.iter().filter(|before| before.token_id.as_deref() == Some(id));
    let mut reasons = Vec::new();
    let knows_ip = |ip: &str| before().any(|before| before.ip.as_deref() == Some(ip)) || (traces.is_own_address)(ip);
    let strange = used.iter().filter_map(|event| event.ip.as_deref()).filter(|ip| !knows_ip(ip)).count();
    if strange > 0 {
        let known = if traces.before.is_empty() { " (no earlier use was read)" } else { "" };
        reasons.push((strange.min(5) * 2, format!("{} from new addresses{known}", count(strange, "act"))));
    }
    // Of a token that never said what it was used with, nothing is new.
    let agents: BTreeSet<&str> = before().filter_map(|before| before.user_agent.as_deref()).collect();
    let is_new = |agent: &&str| !agents.is_empty() && !agents.contains(agent);
    if used.iter().filter_map(|event| event.user_agent.as_deref()).any(|agent| is_new(&agent)) {
        reasons.push((2, "a user agent never seen with it".to_owned()));
    }
    let makes = |event: &&&AuditEvent| event.success && made(event).is_some_and(|made| made.kind != "Worker");
    let number = used.iter().filter(makes).count();
    if number > 0 {
        reasons.push((number.min(MOST_MADE) * 3, format!("{} made or changed with it", count(number, "credential"))));
    }
    let hour = |event: &AuditEvent| event.at.to_zoned(TimeZone::UTC).hour();
    let others: Vec<i8> =
        traces.events.iter().filter(|event| event.token_id.as_deref() != Some(id)).map(hour).collect();
    let at_work: BTreeSet<i8> = others.iter().copied().collect();
    if others.len() >= ENOUGH && used.iter().any(|event| !at_work.contains(&hour(event))) {
        reasons.push((1, "acts at hours when nobody else does".to_owned()));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Suspicion, Traces, suspicion};
    use crate::cloudflare::tokens::Mark;
    use crate::hunt::{AuditEvent, SeenBefore};

    fn act(hour: u8, token: &str, ip: &str, more: &Value) -> AuditEvent {
        let mut event = json!({
            "id": "e", "at": format!("2026-11-20T{hour:02}:00:00Z"), "action": "view", "success": true,
            "resource_type": "zone", "token_id": token, "ip": ip, "user_agent": "terraform", "log": "v2",
        });
        event.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        serde_json::from_value(event).unwrap()
    }

    fn before(token: &str) -> SeenBefore {
        SeenBefore {
            token_id: Some(token.to_owned()),
            email: None,
            context: None,
            ip: Some("192.0.2.1".to_owned()),
            user_agent: Some("terraform".to_owned()),
            count: 9,
            kinds: std::collections::BTreeSet::new(),
        }
    }

    fn of(events: &[AuditEvent], before: &[SeenBefore], marks: &[Mark]) -> (usize, String) {
        let own = |ip: &str| ip == "192.0.2.9";
        let Suspicion { score, why } = suspicion("t", marks, None, &Traces { events, before, is_own_address: &own });
        (score, why)
    }

    #[test]
    fn use_as_before_and_from_the_teams_own_addresses_is_nothing() {
        let events = [act(9, "t", "192.0.2.1", &json!({})), act(9, "t", "192.0.2.9", &json!({}))];
        assert_eq!(of(&events, &[before("t")], &[Mark::Unused]), (0, String::new()));
    }

    #[test]
    fn the_heaviest_is_said_first() {
        let mint = json!({
            "action": "create", "resource_id": "c", "uri": "/client/v4/accounts/a/tokens", "user_agent": "curl",
        });
        let events = [act(9, "t", "203.0.113.7", &mint)];
        let told = of(&events, &[before("t")], &[Mark::NeverExpires, Mark::CanMint]);
        let why = "1 credential made or changed with it, 1 act from new addresses, a user agent never seen with it, may make \
                   tokens, never expires";
        assert_eq!(told, (10, why.to_owned()));
    }

    #[test]
    fn a_failed_attempt_makes_nothing_and_a_deploy_is_no_credential() {
        let failed = json!({ "action": "create", "success": false, "resource_id": "c", "uri": "/accounts/a/tokens" });
        let deploy = json!({ "action": "update", "uri": "/accounts/a/workers/scripts/shop" });
        let events = [act(9, "t", "192.0.2.1", &failed), act(9, "t", "192.0.2.1", &deploy)];
        assert_eq!(of(&events, &[before("t")], &[]), (0, String::new()));
    }

    #[test]
    fn a_change_counts_once_whether_the_log_or_the_token_tells_it() {
        let change = json!({ "action": "update", "resource_id": "t", "uri": "/accounts/a/tokens/t" });
        let events = [act(9, "other", "192.0.2.1", &change)];
        assert_eq!(of(&events, &[], &[Mark::ChangedInWindow]), (3, "changed or rolled in the log".to_owned()));
        assert_eq!(of(&[], &[], &[Mark::ChangedInWindow]), (3, "changed in the window".to_owned()));
    }

    #[test]
    fn hours_tell_only_where_enough_others_work() {
        let night = act(3, "t", "192.0.2.1", &json!({}));
        let few: Vec<AuditEvent> = (0..19).map(|_| act(9, "other", "192.0.2.1", &json!({}))).chain([night]).collect();
        assert_eq!(of(&few, &[before("t")], &[]).0, 0);
        let many: Vec<AuditEvent> = few.into_iter().chain([act(10, "other", "192.0.2.1", &json!({}))]).collect();
        assert_eq!(of(&many, &[before("t")], &[]), (1, "acts at hours when nobody else does".to_owned()));
    }

    #[test]
    fn without_earlier_use_that_is_said() {
        let events = [act(9, "t", "203.0.113.7", &json!({}))];
        assert_eq!(of(&events, &[], &[]), (2, "1 act from new addresses (no earlier use was read)".to_owned()));
    }
}
