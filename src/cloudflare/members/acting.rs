use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::Member;
use crate::action::Look;
use crate::cloudflare::tokens;
use crate::hunt::AuditEvent;
use crate::model::count;

/// Names that are shown; of more only the number is told.
const SHOWN: usize = 5;

/// What hangs on members: the tokens that acted for them by the log, and what they made that stays.
#[derive(Debug)]
pub struct Trace<'a> {
    events: Option<&'a [AuditEvent]>,
    of_account: Option<Vec<tokens::Token>>,
}

impl<'a> Trace<'a> {
    /// Reads the tokens that the account owns, where that can be done; what is not seen is a gap.
    pub async fn of(look: &Look<'_>, events: Option<&'a [AuditEvent]>) -> Self {
        let seen = tokens::list(look).await.ok();
        let of_account = seen.and_then(|seen| {
            let is_whole = seen.unread().is_none();
            is_whole.then(|| seen.tokens.into_iter().filter(|token| token.owner == tokens::Owner::Account).collect())
        });
        Self { events, of_account }
    }

    /// Which tokens of theirs die for the account, as far as the log told: production may use them.
    pub fn own_tokens(&self, member: &Member) -> String {
        let Some(events) = self.events else {
            return "which tokens of their own production uses: not seen (give the step the `events` of the audit log)"
                .to_owned();
        };
        let mut used: BTreeMap<&str, (&str, Timestamp)> = BTreeMap::new();
        let of_member =
            events.iter().filter(|event| event.email.as_deref().is_some_and(|email| member.is_called(email)));
        for event in of_member {
            let Some(id) = event.token_id.as_deref() else { continue };
            let latest = used.get(id).map_or(event.at, |(_, at)| event.at.max(*at));
            used.insert(id, (event.token_name.as_deref().unwrap_or(id), latest));
        }
        if used.is_empty() {
            return "no token of their own acted in the log's window; reads over the data plane and what came before it: \
                    not seen"
                .to_owned();
        }
        let told: Vec<String> = used
            .values()
            .take(SHOWN)
            .map(|(name, at)| format!("{name} (last in the log {})", at.strftime("%F %H:%MZ")))
            .collect();
        let more = if used.len() > SHOWN { format!(" and {} more", used.len() - SHOWN) } else { String::new() };
        format!("tokens that acted for them, by the log: {}{more}; others: not seen", told.join(", "))
    }

    /// What they made and does not go with them.
    pub fn what_stays(&self, member: &Member) -> String {
        let rest =
            "OAuth clients, Workers, tunnels and Access service tokens that they made stay as well: not seen here";
        let Some(tokens) = &self.of_account else {
            return format!("account-owned tokens that they made stay: not seen; {rest}");
        };
        let made: Vec<&str> = tokens
            .iter()
            .filter(|token| {
                token
                    .raw
                    .get("creator_email_at_creation")
                    .and_then(Value::as_str)
                    .is_some_and(|email| member.is_called(email))
            })
            .map(|token| token.name.as_str())
            .collect();
        let named = made.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        let made = if made.is_empty() {
            "no account-owned token names them as its maker".to_owned()
        } else {
            format!("{} that they made stay: {named}", count(made.len(), "account-owned token"))
        };
        format!("{made}; {rest}")
    }
}
