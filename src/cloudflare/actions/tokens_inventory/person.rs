//! Persons whose session or global API key the intruder has: by the log, or because one of them is the suspect.

use std::collections::{BTreeMap, BTreeSet};

use super::{Meant, View};
use crate::action::{Look, StepError};
use crate::cloudflare::members::{MemberRef, list_or_gap};
use crate::hunt::{AuditEvent, Principal};
use crate::model::count;

impl View<'_> {
    /// Whether somebody of the account is called so: by the log, or by its list of members.
    pub(super) fn is_person(&self, wanted: &str) -> bool {
        let mut known = self.events.iter().filter_map(|event| event.email.as_ref()).chain(&self.members);
        known.any(|email| email.eq_ignore_ascii_case(wanted))
    }

    /// What the log shows of a person, in words: how often they acted without a token, and from where that was new.
    pub(super) fn told_of(&self, person: &str, principals: &[Principal]) -> String {
        let is_theirs = |event: &&AuditEvent| {
            let since = self.since.is_none_or(|since| event.at >= since);
            let email = event.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(person));
            email && since && event.token_id.is_none() && !event.own
        };
        let acts: Vec<&AuditEvent> = self.events.iter().filter(is_theirs).collect();
        let held = principals.iter().find(|held| held.token_id == person);
        let hostile = held.map_or(&[][..], |held| &held.hostile_ips);
        let is_open = held.is_some_and(|held| !held.open_ips.is_empty() || !held.mixed_ips.is_empty());
        let is_new = |event: &&&AuditEvent| event.ip.as_ref().is_some_and(|ip| hostile.contains(ip));
        let new = acts.iter().filter(is_new).count();
        match acts.iter().map(|event| event.at).max() {
            _ if self.events.is_empty() => "the audit log, which tells what they did, was not read".to_owned(),
            None => "the log shows no act of theirs in the window".to_owned(),
            Some(last) if new == 0 => format!(
                "{} of theirs without a token, {}; last {}",
                count(acts.len(), "act"),
                if is_open { "of which nothing tells whether it was they" } else { "all from where they were before" },
                last.strftime("%F %H:%MZ")
            ),
            Some(last) => format!(
                "{} of theirs without a token, {new} from {}, where they never were before; last {}",
                count(acts.len(), "act"),
                hostile.join(", "),
                last.strftime("%F %H:%MZ")
            ),
        }
    }

    /// What the intruder's address did with a global API key or in the dashboard.
    pub(super) fn beyond_tokens<'v>(&'v self, principals: &'v [Principal]) -> impl Iterator<Item = &'v AuditEvent> {
        let hostile = |ip: &String| principals.iter().any(|held| held.hostile_ips.contains(ip));
        self.events.iter().filter(move |event| {
            matches!(event.context.as_deref(), Some("api_key" | "dash"))
                && event.success
                && event.ip.as_ref().is_some_and(hostile)
        })
    }

    /// Whose key or session the intruder has: by the log, or because somebody named them.
    pub(super) fn holders(&self, meant: &Meant, principals: &[Principal]) -> Vec<MemberRef> {
        let mut holders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let person = meant.person();
        holders.extend(person.map(|person| (person, BTreeSet::new())));
        for event in self.beyond_tokens(principals) {
            let way = if event.context.as_deref() == Some("api_key") { "global API key" } else { "session" };
            if let Some(email) = event.email.as_deref() {
                let email = person.filter(|person| person.eq_ignore_ascii_case(email)).unwrap_or(email);
                holders.entry(email).or_default().insert(way);
            }
        }
        let holder = |(email, ways): (&str, BTreeSet<&str>)| MemberRef {
            member: email.to_owned(),
            email: email.to_owned(),
            why: Some(match ways.is_empty() {
                true => "they are the suspect".to_owned(),
                false => {
                    format!("the intruder acted with their {}", ways.into_iter().collect::<Vec<_>>().join(" and "))
                }
            }),
            finding: None,
            sure: true,
        };
        holders.into_iter().map(holder).collect()
    }
}

/// E-mails of the members, where the suspect looks like one and the log does not show it: a slip of the pen is no person.
pub(super) async fn members(look: &Look<'_>, wanted: &str, events: &[AuditEvent]) -> Result<Vec<String>, StepError> {
    let is_it = |event: &AuditEvent| event.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(wanted));
    if !wanted.contains('@') || events.iter().any(is_it) {
        return Ok(Vec::new());
    }
    let seen = list_or_gap(look).await?;
    Ok(seen.into_iter().flat_map(|seen| seen.members).map(|member| member.email).collect())
}
