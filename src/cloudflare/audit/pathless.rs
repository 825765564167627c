//! Writes of which no log names the request: log v1 never does, and v2 not always (API.md section 8).

use jiff::Timestamp;

use crate::hunt::technique::Technique;
use crate::hunt::{AuditEvent, Principal, attribute};
use crate::model::{Attribution, count};

/// Kinds of resource whose name says which paths they stand for, by the end of a segment. Which other names there are is
/// not documented: they may stand for anything.
const KINDS: [(&str, &str); 3] = [("token", "tokens"), ("member", "members"), ("dns_record", "dns_records")];

/// Writes that took effect in a window and that no path tells apart, by the intruder or by nobody who is known.
#[derive(Debug, Default)]
pub struct Pathless<'e>(Vec<&'e AuditEvent>);

impl<'e> Pathless<'e> {
    /// Those among `events` from `since` on.
    pub fn of(events: &'e [AuditEvent], principals: &[Principal], since: Timestamp) -> Self {
        // Who comes and goes changes nothing.
        let is_change = |event: &AuditEvent| event.is_write() && !matches!(event.action.as_str(), "login" | "logout");
        let is_one = |event: &&AuditEvent| {
            event.success
                && event.at >= since
                && event.path().is_none()
                && is_change(event)
                && attribute(event, principals) != Attribution::Other
        };
        Self(events.iter().filter(is_one).collect())
    }

    /// Why `technique` cannot be ruled out for them, in words.
    pub fn leave_open(&self, technique: &Technique) -> Option<String> {
        self.words(|event| may_be(technique, event))
    }

    /// What is not known of them at all, in words; `None` where there are none.
    pub fn gap(&self) -> Option<String> {
        self.words(|_| true)
    }

    fn words(&self, is: impl Fn(&AuditEvent) -> bool) -> Option<String> {
        let of: Vec<&AuditEvent> = self.0.iter().copied().filter(|event| is(event)).collect();
        let mut kinds: Vec<&str> = of.iter().map(|event| event.resource_type.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let kinds = kinds.join(", ");
        (!of.is_empty()).then(|| {
            format!(
                "{} by the intruder or by nobody who is known, of which no log names the request ({kinds}): what they were \
                 cannot be told",
                count(of.len(), "write")
            )
        })
    }
}

/// Whether an act without a path may have been one of the technique.
fn may_be(technique: &Technique, event: &AuditEvent) -> bool {
    let kind = event.resource_type.strip_prefix("user_").unwrap_or(&event.resource_type);
    let Some((_, ending)) = KINDS.iter().find(|(name, _)| *name == kind) else { return !technique.acts.is_empty() };
    // A path of stars alone is told by who acts, whatever is done.
    let is_of_kind = |path: &str| path == "/**" || path.split('/').any(|segment| segment.ends_with(ending));
    technique.acts.iter().any(|act| is_of_kind(act.path))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Pathless;
    use crate::cloudflare::techniques::technique;
    use crate::hunt::{AuditEvent, Principal};

    fn event(kind: &str, with: &serde_json::Value) -> AuditEvent {
        let mut event = json!({
            "id": kind, "at": "2026-11-20T00:00:00Z", "action": "create", "success": true, "resource_type": kind,
            "token_id": "stolen", "ip": "bad", "log": "v1",
        });
        event.as_object_mut().unwrap().extend(with.as_object().cloned().unwrap());
        serde_json::from_value(event).unwrap()
    }

    fn open(events: &[AuditEvent]) -> Vec<&'static str> {
        let held = [Principal {
            token_id: "stolen".into(),
            token_name: "ci".into(),
            intruder_made: true,
            honest_ips: vec![],
            hostile_ips: vec!["bad".into()],
            mixed_ips: vec![],
            open_ips: vec![],
            let_in: Vec::new(),
        }];
        let pathless = Pathless::of(events, &held, "2026-11-19T00:00:00Z".parse().unwrap());
        let ids = ["CF-I03", "CF-I07", "CF-T02", "CF-T07"];
        ids.into_iter().filter(|id| pathless.leave_open(technique(id).unwrap()).is_some()).collect()
    }

    #[test]
    fn a_kind_that_is_known_settles_it_and_any_other_leaves_all_open() {
        assert_eq!(open(&[event("member", &json!({}))]), ["CF-I07"]);
        assert_eq!(open(&[event("user_token", &json!({}))]), ["CF-I03"]);
        assert_eq!(open(&[event("dns_record", &json!({}))]), ["CF-T07"]);
        assert_eq!(open(&[event("route", &json!({}))]), ["CF-I03", "CF-I07", "CF-T02", "CF-T07"]);
    }

    #[test]
    fn what_a_path_tells_and_what_a_colleague_did_leaves_nothing_open() {
        for with in [
            json!({ "uri": "/client/v4/zones/z/workers/routes" }),
            json!({ "token_id": "honest", "ip": "office" }),
            json!({ "success": false }),
            json!({ "action": "view" }),
            json!({ "action": "login" }),
            json!({ "at": "2026-11-18T00:00:00Z" }),
        ] {
            assert!(open(&[event("route", &with)]).is_empty(), "{with}");
        }
        let stranger = json!({ "token_id": "other", "ip": "nowhere", "unexplained": true });
        assert_eq!(open(&[event("route", &stranger)]).len(), 4);
    }
}
