//! Who did it: joins what was found to the audit log.

use jiff::{SignedDuration, Timestamp};

use crate::action::StepError;
use crate::hunt::{AuditEvent, Principal, attribute};
use crate::model::{Actor, Attribution, Severity};

/// How far the time on a resource and the time in the log may lie apart for one to be taken for the other.
const NEAR: SignedDuration = SignedDuration::from_secs(60);

/// Whose doing something is, as far as the log says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doing {
    /// By the newest write.
    pub attribution: Attribution,
    /// Who made the newest write.
    pub actor: Actor,
    /// When that was.
    pub at: Option<Timestamp>,
    /// True where the newest write is not the intruder's and an earlier one is.
    pub intruder_before: bool,
    /// True where whoever made the newest write was not seen like this before, and nothing explains it.
    pub unexplained: bool,
    /// True where nothing but what was done leaves it unexplained.
    pub new_kind: bool,
}

impl Doing {
    /// `severity`, unless somebody else did it and nobody but them: then it is merely worth knowing.
    pub fn weigh(&self, severity: Severity) -> Severity {
        if self.attribution == Attribution::Other && !self.intruder_before { Severity::Info } else { severity }
    }

    /// A sentence to add to what was found, where the newest write does not tell all.
    pub fn remark(&self) -> &'static str {
        if self.intruder_before {
            " An earlier write in the window was the intruder's."
        } else if !self.unexplained || self.attribution != Attribution::Unattributed {
            ""
        } else if self.new_kind {
            " Whoever did it was where they always are, and had never done the like: ask them whether it was they."
        } else {
            " Whoever did it was not seen like this before: ask them whether it was they."
        }
    }

    /// True where the intruder had a hand in it.
    pub fn is_intruders(&self) -> bool {
        self.attribution == Attribution::Intruder || self.intruder_before
    }
}

/// The writes that took effect in the window, and what the intruder holds.
#[derive(Debug)]
pub struct Trail<'a> {
    /// Oldest first; of two at the same second, the one that names a token comes last: log v1 and v2 both tell of most
    /// acts, and only v2 names the token.
    writes: Vec<&'a AuditEvent>,
    principals: &'a [Principal],
}

impl<'a> Trail<'a> {
    /// The writes among `events` from `since` on.
    pub fn new(events: &'a [AuditEvent], principals: &'a [Principal], since: Option<Timestamp>) -> Self {
        let in_window = |event: &&AuditEvent| since.is_none_or(|since| event.at >= since);
        let mut writes: Vec<_> =
            events.iter().filter(|event| event.success && event.is_write()).filter(in_window).collect();
        writes.sort_by_key(|event| (event.at.as_second(), event.token_id.is_some(), event.at));
        Self { writes, principals }
    }

    /// Who wrote to the resource that has, or had, one of these ids.
    pub fn of_resource(&self, ids: &[&str]) -> Doing {
        self.judge(self.writes.iter().copied().filter(|event| ids.iter().any(|id| names(event, id))))
    }

    /// Who made a bulk write of one of these `kinds` (the last segment of the path) in a zone at about this time: such
    /// writes name no single resource.
    pub fn of_bulk(&self, zone: &str, kinds: &[&str], at: Timestamp) -> Doing {
        let is_kind = |event: &AuditEvent| segments(event).last().is_some_and(|last| kinds.contains(&last));
        self.judge(self.writes.iter().copied().filter(|event| {
            event.zone.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(zone))
                && is_kind(event)
                && is_near(event.at, at)
        }))
    }

    /// Who wrote a rule. A write that creates one, or replaces them all, names the ruleset and not the rule; it is taken
    /// for this rule's where it was made when the rule says that it was last updated.
    pub fn of_rule(&self, ruleset: &str, rule: &str, updated: Option<Timestamp>) -> Doing {
        let of_another = |event: &AuditEvent| segments(event).skip_while(|it| *it != "rules").nth(1).is_some();
        let is_whole = |event: &AuditEvent| {
            updated.is_some_and(|updated| is_near(event.at, updated)) && names(event, ruleset) && !of_another(event)
        };
        self.judge(self.writes.iter().copied().filter(|event| names(event, rule) || is_whole(event)))
    }

    fn judge(&self, writes: impl DoubleEndedIterator<Item = &'a AuditEvent>) -> Doing {
        doing(writes, self.principals)
    }
}

/// Whose doing a resource is, by the writes to it, oldest first.
pub fn doing<'e>(writes: impl DoubleEndedIterator<Item = &'e AuditEvent>, principals: &[Principal]) -> Doing {
    let mut newest_first = writes.rev();
    let Some(newest) = newest_first.next() else { return Doing::default() };
    let attribution = attribute(newest, principals);
    let is_intruder = |event| attribute(event, principals) == Attribution::Intruder;
    // The same act in the other log is no earlier write.
    let mut earlier = newest_first.filter(|event| event.log == newest.log);
    Doing {
        attribution,
        actor: newest.actor(),
        at: Some(newest.at),
        unexplained: newest.unexplained,
        new_kind: newest.new_kind,
        intruder_before: attribution != Attribution::Intruder && earlier.any(is_intruder),
    }
}

/// The start of the window: `since`, or the intruder's first write, or the first event that there is.
pub fn window(since: Option<Timestamp>, events: &[AuditEvent], principals: &[Principal]) -> Option<Timestamp> {
    let first = |hostile_writes: bool| {
        let counts = |event: &&AuditEvent| {
            !hostile_writes || (event.is_write() && attribute(event, principals) == Attribution::Intruder)
        };
        events.iter().filter(counts).map(|event| event.at).min()
    };
    since.or_else(|| first(true)).or_else(|| first(false))
}

/// The same, for a step that makes no sense without.
///
/// # Errors
/// Nothing tells when the window began.
pub fn required_window(
    since: Option<Timestamp>,
    events: &[AuditEvent],
    principals: &[Principal],
) -> Result<Timestamp, StepError> {
    window(since, events, principals).ok_or_else(|| {
        StepError::new("nothing tells when the window began: there is neither `since` nor an event of the audit log")
            .hint("give `since` the earliest time at which the intruder may have come in")
    })
}

fn names(event: &AuditEvent, id: &str) -> bool {
    event.resource_id.as_deref() == Some(id) || segments(event).any(|segment| segment == id)
}

/// The segments of the path, without the query.
fn segments(event: &AuditEvent) -> impl Iterator<Item = &str> {
    let path = event.uri.as_deref().unwrap_or_default();
    path.split(['?', '#']).next().unwrap_or_default().split('/').filter(|segment| !segment.is_empty())
}

fn is_near(a: Timestamp, b: Timestamp) -> bool {
    a.duration_since(b).abs() <= NEAR
}

#[cfg(test)]
mod tests {
    use super::Trail;
    use crate::hunt::{AuditEvent, Principal};
    use crate::model::Attribution;

    fn event(at: &str, token: &str, ip: &str, uri: &str) -> AuditEvent {
        let event = serde_json::json!({
            "id": at, "at": at, "action": "update", "success": true, "resource_type": "x", "resource_id": null,
            "token_id": token, "ip": ip, "uri": uri, "log": "v2", "zone": "one.example",
        });
        serde_json::from_value(event).unwrap_or_else(|error| unreachable!("{error}"))
    }

    fn held() -> [Principal; 1] {
        [Principal {
            token_id: "stolen".into(),
            token_name: "ci".into(),
            intruder_made: false,
            honest_ips: vec!["198.51.100.1".into()],
            hostile_ips: vec!["203.0.113.1".into()],
            mixed_ips: vec![],
            open_ips: vec![],
            let_in: Vec::new(),
        }]
    }

    #[test]
    fn the_newest_write_decides_and_an_earlier_one_of_the_intruder_is_told() {
        let path = "/client/v4/zones/z/dns_records/r1";
        let mut events = vec![event("2026-11-20T01:00:00Z", "stolen", "203.0.113.1", path)];
        let principals = held();
        assert_eq!(Trail::new(&events, &principals, None).of_resource(&["r1"]).attribution, Attribution::Intruder);
        events.insert(0, event("2026-11-20T02:00:00Z", "maya", "198.51.100.9", path));
        let doing = Trail::new(&events, &principals, None).of_resource(&["r1"]);
        assert_eq!((doing.attribution, doing.intruder_before), (Attribution::Other, true));
        assert_eq!(Trail::new(&events, &principals, None).of_resource(&["r"]).attribution, Attribution::Unattributed);
        let since = "2026-11-20T03:00:00Z".parse().ok();
        assert_eq!(Trail::new(&events, &principals, since).of_resource(&["r1"]).at, None);
    }

    #[test]
    fn the_stolen_token_from_its_honest_address_is_shared() {
        let events = [event("2026-11-20T01:00:00Z", "stolen", "198.51.100.1", "/zones/z/dns_records/r1")];
        let principals = held();
        assert_eq!(Trail::new(&events, &principals, None).of_resource(&["r1"]).attribution, Attribution::Shared);
    }

    #[test]
    fn a_created_rule_is_joined_by_ruleset_and_time() {
        let at = "2026-11-20T01:00:00Z";
        let events = [
            event(at, "stolen", "203.0.113.1", "/zones/z/rulesets/rs/rules"),
            event(at, "maya", "198.51.100.9", "/zones/z/rulesets/rs/rules/other"),
        ];
        let principals = held();
        let trail = Trail::new(&events, &principals, None);
        assert_eq!(trail.of_rule("rs", "new", at.parse().ok()).attribution, Attribution::Intruder);
        assert_eq!(trail.of_rule("rs", "other", at.parse().ok()).attribution, Attribution::Other);
        assert_eq!(trail.of_rule("rs", "new", "2026-11-20T01:02:00Z".parse().ok()).at, None);
    }

    #[test]
    fn a_bulk_write_is_joined_by_zone_and_time() {
        let events = [event("2026-11-20T01:00:00Z", "stolen", "203.0.113.1", "/zones/z/dns_records/batch")];
        let principals = held();
        let trail = Trail::new(&events, &principals, None);
        let near = "2026-11-20T01:00:02Z".parse().unwrap_or_default();
        assert_eq!(trail.of_bulk("ONE.example", &["batch"], near).attribution, Attribution::Intruder);
        assert_eq!(trail.of_bulk("two.example", &["batch"], near).at, None);
    }
}
