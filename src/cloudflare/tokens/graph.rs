use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::cloudflare::audit::{AuditEvent, Principal};

/// What the intruder holds, and what it did to other tokens.
#[derive(Debug, Default)]
pub struct Held {
    /// The suspect and what it made, what that made, and so on; the suspect first.
    pub tokens: Vec<String>,
    /// Tokens of others that one of them changed or rolled.
    pub tampered: Vec<String>,
    /// The same as principals, with honest and hostile addresses.
    pub principals: Vec<Principal>,
}

/// Follows who made what, from `suspects` on, until nothing new turns up. `honest` tells the addresses that a token was
/// used from before the window.
pub fn held(
    suspects: &[(String, String)],
    events: &[AuditEvent],
    since: Option<Timestamp>,
    honest: impl Fn(&str) -> Vec<String>,
) -> Held {
    let mut held: Vec<(String, String)> = suspects.to_vec();
    let writes: Vec<&AuditEvent> = events.iter().filter(|event| event.success && event.is_write()).collect();
    let mut next = 0;
    while let Some((maker, _)) = held.get(next).cloned() {
        for event in writes.iter().filter(|event| event.token_id.as_deref() == Some(&maker) && makes_token(event)) {
            // What the stolen token made in honest use, from an address that is known, is not the intruder's.
            let from_honest = event.ip.as_ref().is_some_and(|ip| honest(&maker).contains(ip));
            if let Some(made) = &event.resource_id
                && !from_honest
                && !held.iter().any(|(id, _)| id == made)
            {
                let name = events
                    .iter()
                    .find(|event| event.token_id.as_ref() == Some(made))
                    .and_then(|event| event.token_name.clone());
                held.push((made.clone(), name.unwrap_or_default()));
            }
        }
        next += 1;
    }
    let principals: Vec<Principal> = held
        .iter()
        .map(|(id, name)| {
            let honest_ips = honest(id);
            let used = events
                .iter()
                .filter(|event| event.token_id.as_deref() == Some(id) && since.is_none_or(|since| event.at >= since));
            let ips: BTreeSet<String> = used.filter_map(|event| event.ip.clone()).collect();
            let hostile_ips = ips.into_iter().filter(|ip| !honest_ips.contains(ip)).collect();
            Principal { token_id: id.clone(), token_name: name.clone(), honest_ips, hostile_ips }
        })
        .collect();
    let ids: Vec<String> = held.into_iter().map(|(id, _)| id).collect();
    let mut tampered: Vec<String> = Vec::new();
    for event in writes.iter().filter(|event| changes_token(event)) {
        let by_intruder =
            crate::cloudflare::audit::attribute(event, &principals) == crate::model::Attribution::Intruder;
        if let Some(id) = &event.resource_id
            && by_intruder
            && !ids.contains(id)
            && !tampered.contains(id)
        {
            tampered.push(id.clone());
        }
    }
    Held { tokens: ids, tampered, principals }
}

fn is_about_tokens(event: &AuditEvent) -> bool {
    event
        .uri
        .as_deref()
        .is_some_and(|uri| uri.split(['?', '#']).next().unwrap_or_default().split('/').any(|part| part == "tokens"))
        || event.resource_type.contains("token") && event.uri.is_none()
}

fn makes_token(event: &AuditEvent) -> bool {
    is_about_tokens(event) && (event.action == "create" || event.method.as_deref() == Some("POST"))
}

/// A full update, or a roll.
fn changes_token(event: &AuditEvent) -> bool {
    is_about_tokens(event) && (event.action == "update" || event.method.as_deref() == Some("PUT"))
}

#[cfg(test)]
mod tests {
    use super::held;
    use crate::cloudflare::audit::AuditEvent;

    fn event(at: u8, token: &str, ip: &str, method: &str, target: &str) -> AuditEvent {
        let event = serde_json::json!({
            "id": at.to_string(), "at": format!("2026-11-20T00:{at:02}:00Z"), "action": if method == "POST" { "create" } else { "update" },
            "success": true, "resource_type": "token", "resource_id": target, "token_id": token, "token_name": token, "ip": ip,
            "method": method, "uri": "/client/v4/accounts/a/tokens", "log": "v2",
        });
        serde_json::from_value(event).unwrap_or_else(|error| unreachable!("{error}"))
    }

    #[test]
    fn the_closure_holds_grandchildren_and_survives_a_circle() {
        let events = [
            event(3, "child", "bad", "POST", "grandchild"),
            event(1, "stolen", "bad", "POST", "child"),
            event(4, "grandchild", "bad", "POST", "stolen"),
            event(5, "child", "bad", "PUT", "victim"),
            event(6, "maya", "good", "POST", "other"),
            event(7, "maya", "good", "PUT", "other"),
        ];
        let found = held(&[("stolen".into(), "ci".into())], &events, None, |_| Vec::new());
        assert_eq!(found.tokens, ["stolen", "child", "grandchild"]);
        assert_eq!(found.tampered, ["victim"]);
    }

    #[test]
    fn what_the_stolen_token_made_in_honest_use_is_left_alone() {
        let events = [event(1, "stolen", "ci", "POST", "honest"), event(2, "stolen", "bad", "POST", "child")];
        let found = held(&[("stolen".into(), "ci".into())], &events, None, |_| vec!["ci".into()]);
        assert_eq!(found.tokens, ["stolen", "child"]);
        assert_eq!(found.principals[0].hostile_ips, ["bad"]);
    }
}
