//! Keeps watch over a log that is read again and again: what is new in it, and what of that must wake somebody.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::audit::{AuditEvent, SeenBefore};
use super::graph::{Made, Tie};
use super::usage::{Kind, Standing, principal, standing};

/// The same act in two logs lies this far apart at most.
const TWIN: SignedDuration = SignedDuration::from_secs(2);

/// A principal that was cut, and when: what it does later must not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Id or name of the token, or e-mail of the user.
    pub who: String,
    /// Since when it can do nothing any more.
    pub at: Timestamp,
    /// Who made or rolled it, where it was not cut itself but what did that was: it acts for whom that was cut from.
    pub made_by: Option<String>,
}

/// Why an act is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "why", content = "new")]
pub enum Why {
    /// Its principal was cut.
    Cut,
    /// Its principal was made or rolled by what was cut.
    Heir,
    /// It is new in this way, and nothing explains it.
    Unexplained(Standing),
    /// It is nobody's of these.
    Other,
}

impl Why {
    /// True where somebody must be woken.
    pub const fn is_alarm(self) -> bool {
        !matches!(self, Self::Other)
    }
}

/// An act that was not there before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sighting {
    /// Why it is shown.
    #[serde(flatten)]
    pub why: Why,
    /// The act.
    pub event: AuditEvent,
}

/// What is watched, and what was seen so far.
#[derive(Debug)]
pub struct Watch {
    since: Timestamp,
    cut: Vec<Cut>,
    before: Vec<SeenBefore>,
    made: fn(&AuditEvent) -> Option<Made>,
    ids: BTreeSet<String>,
    /// When something was done to a resource from an address: what the other log tells of it is no news.
    acts: BTreeMap<Deed, Vec<(String, Timestamp)>>,
}

/// The resource and the address.
type Deed = (Option<String>, Option<String>);

impl Watch {
    /// From `since` on, given what was usual before. `made` reads from an act which principal it made or changed.
    pub fn new(
        since: Timestamp,
        cut: Vec<Cut>,
        before: Vec<SeenBefore>,
        made: fn(&AuditEvent) -> Option<Made>,
    ) -> Self {
        Self { since, cut, before, made, ids: BTreeSet::new(), acts: BTreeMap::new() }
    }

    /// What is watched: what was cut, and what that made since.
    pub fn watched(&self) -> &[Cut] {
        &self.cut
    }

    /// True where there is something to hold what is new against.
    pub fn is_comparable(&self) -> bool {
        !self.before.is_empty()
    }

    /// What of `events` was not there at the last look, oldest first; without quell's own.
    pub fn take(&mut self, events: &[AuditEvent], is_own_address: &dyn Fn(&str) -> bool) -> Vec<Sighting> {
        let mut fresh = Vec::new();
        let since = self.since;
        for event in events.iter().filter(|event| event.at >= since && !event.own) {
            if !self.ids.insert(event.id.clone()) {
                continue;
            }
            let why = self.why(event, is_own_address);
            // Of the two logs only the newer says what was made: it is asked even where the other told of the act.
            if matches!(why, Why::Cut | Why::Heir) {
                self.follow(event);
            }
            if !self.is_told(event) {
                fresh.push(Sighting { why, event: event.clone() });
            }
        }
        fresh
    }

    /// What a principal that was cut makes or rolls is watched like itself; what it only widens is in honest use as well.
    fn follow(&mut self, event: &AuditEvent) {
        let is_its = |made: &Made| event.success && made.tie != Tie::Widened;
        let Some(made) = (self.made)(event).filter(is_its) else { return };
        if !self.cut.iter().any(|cut| cut.who == made.id) {
            let by = [&event.token_name, &event.token_id, &event.email].into_iter().flatten().next().cloned();
            self.cut.push(Cut { who: made.id, at: event.at, made_by: Some(by.unwrap_or_default()) });
        }
    }

    /// Whether the other log told of it already.
    fn is_told(&mut self, event: &AuditEvent) -> bool {
        // Of what failed only the newer log tells.
        if !event.is_write() || !event.success {
            return false;
        }
        let told = self.acts.entry((event.resource_id.clone(), event.ip.clone())).or_default();
        let near = |at: Timestamp| event.at.duration_since(at).abs() <= TWIN;
        let twin = told.iter().position(|(log, at)| *log != event.log && near(*at));
        match twin {
            // Each act has one twin.
            Some(at) => _ = told.swap_remove(at),
            None => told.push((event.log.clone(), event.at)),
        }
        twin.is_some()
    }

    fn why(&self, event: &AuditEvent, is_own_address: &dyn Fn(&str) -> bool) -> Why {
        let named = [&event.token_id, &event.token_name, &event.email];
        let is = |cut: &&Cut| named.iter().any(|name| name.as_deref() == Some(&cut.who)) && event.at >= cut.at;
        if let Some(cut) = self.cut.iter().find(is) {
            return if cut.made_by.is_none() { Why::Cut } else { Why::Heir };
        }
        let is_teams = event.ip.as_deref().is_some_and(is_own_address);
        if is_teams || !self.is_comparable() || principal(event).0 == Kind::Unnamed {
            return Why::Other;
        }
        match standing(event, &self.before) {
            new @ (Standing::NewPrincipal | Standing::NewAddress | Standing::NewContext) => Why::Unexplained(new),
            Standing::NewProgram | Standing::Usual | Standing::Own => Why::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Cut, Standing, Watch, Why};
    use crate::hunt::graph::{Made, Tie};
    use crate::hunt::{AuditEvent, SeenBefore};

    fn event(id: &str, second: u8, token: &str, ip: &str, log: &str) -> AuditEvent {
        let event = json!({
            "id": id, "at": format!("2026-11-20T03:00:{second:02}Z"), "action": "update", "success": true,
            "resource_type": "x", "resource_id": "r", "token_id": token, "ip": ip, "log": log,
        });
        serde_json::from_value(event).unwrap()
    }

    fn at(second: u8) -> jiff::Timestamp {
        format!("2026-11-20T03:00:{second:02}Z").parse().unwrap()
    }

    fn watch() -> Watch {
        let seen = |token: &str| SeenBefore {
            token_id: Some(token.to_owned()),
            email: None,
            context: None,
            ip: Some("home".to_owned()),
            user_agent: None,
            count: 1,
            kinds: std::collections::BTreeSet::new(),
        };
        let cut = Cut { who: "cut".into(), at: at(20), made_by: None };
        Watch::new(at(5), vec![cut], vec![seen("cut"), seen("ci")], made)
    }

    fn made(event: &AuditEvent) -> Option<Made> {
        let id = event.resource_id.clone().filter(|_| event.resource_type == "token")?;
        Some(Made { tie: Tie::Created, kind: "token", name: id.clone(), id, through: None })
    }

    fn whys(watch: &mut Watch, events: &[AuditEvent]) -> Vec<(String, Why)> {
        watch.take(events, &|ip| ip == "office").into_iter().map(|it| (it.event.id, it.why)).collect()
    }

    #[test]
    fn what_was_cut_and_what_is_new_wakes_and_each_act_once() {
        let mut watch = watch();
        let events = [
            event("before", 4, "ci", "away", "v2"),
            event("usual", 6, "ci", "home", "v2"),
            event("still", 10, "cut", "home", "v2"),
            event("again", 30, "cut", "home", "v2"),
            event("away", 31, "ci", "away", "v2"),
            event("office", 32, "ci", "office", "v2"),
            event("who", 33, "other", "home", "v2"),
        ];
        let owned = |id: &str, why| (id.to_owned(), why);
        assert_eq!(
            whys(&mut watch, &events),
            [
                owned("usual", Why::Other),
                owned("still", Why::Other),
                owned("again", Why::Cut),
                owned("away", Why::Unexplained(Standing::NewAddress)),
                owned("office", Why::Other),
                owned("who", Why::Unexplained(Standing::NewPrincipal)),
            ]
        );
        assert_eq!(whys(&mut watch, &events), []);
        // What arrives late is news all the same.
        assert_eq!(whys(&mut watch, &[event("late", 11, "cut", "bad", "v2")]).len(), 1);
    }

    #[test]
    fn the_other_log_tells_nothing_new_and_quell_wakes_nobody() {
        let mut watch = watch();
        assert_eq!(whys(&mut watch, &[event("1", 40, "ci", "bad", "v1")]).len(), 1);
        assert_eq!(whys(&mut watch, &[event("2", 41, "ci", "bad", "v2")]), []);
        // A second act of the same kind has no twin yet.
        assert_eq!(whys(&mut watch, &[event("3", 41, "ci", "bad", "v2")]).len(), 1);
        let own = AuditEvent { own: true, ..event("4", 50, "cut", "home", "v2") };
        assert_eq!(whys(&mut watch, &[own]), []);
    }

    #[test]
    fn what_the_cut_one_makes_is_watched_like_itself() {
        let mut watch = watch();
        let makes = |id: &str, second, by: &str, child: &str| AuditEvent {
            resource_type: "token".into(),
            resource_id: Some(child.into()),
            ..event(id, second, by, "home", "v2")
        };
        let events = [
            makes("ci makes", 21, "ci", "honest"),
            makes("cut fails", 22, "cut", "none"),
            makes("cut makes", 23, "cut", "child"),
            makes("child makes", 24, "child", "grandchild"),
            event("acts", 25, "grandchild", "home", "v2"),
            event("honest", 26, "honest", "home", "v2"),
            event("none", 27, "none", "home", "v2"),
        ];
        let mut events = events.to_vec();
        events[1].success = false;
        let new = Why::Unexplained(Standing::NewPrincipal);
        let whys: Vec<Why> = whys(&mut watch, &events).into_iter().map(|(_, why)| why).collect();
        assert_eq!(whys, [Why::Other, Why::Cut, Why::Cut, Why::Heir, Why::Heir, new, new]);
        let made: Vec<_> = watch.watched().iter().map(|cut| (cut.who.as_str(), cut.made_by.as_deref())).collect();
        assert_eq!(made, [("cut", None), ("child", Some("cut")), ("grandchild", Some("child"))]);
    }
}
