//! How findings stand: held against every resource as it is, so that a log which was not read cannot make one vanish.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cloudflare::families::families;
use crate::cloudflare::techniques::technique;
use crate::hunt::{Family, Item, Sight};
use crate::model::{CREDENTIALS, Change, Finding, Gap, Source};

/// Families of tokens: a finding of one may be in the other, and a token that is not active does no harm.
pub(super) const TOKENS: &[&str] = &["user_tokens", "account_tokens"];

/// The family of members and invitations.
const MEMBERS: &str = "members";

/// Technique of tokens of others whose rights the intruder changed.
const WIDENED: &str = "CF-I04";

/// What a look showed of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is gone, or as it was before.
    Gone(String),
    /// It is still there.
    There(String),
    /// Nobody can say.
    Unknown(String),
}

/// A resource that is there, and the forms that it is held against.
#[derive(Debug)]
struct Seen {
    now: Value,
    before: Option<Value>,
    found: Option<Value>,
    status: String,
}

impl Seen {
    /// Whether all but whether it is active is as it was before.
    fn is_as_it_was(&self) -> bool {
        let without_status = |value: &Value| {
            let mut value = value.clone();
            if let Some(fields) = value.as_object_mut() {
                fields.remove("status");
            }
            value
        };
        self.before.as_ref().is_some_and(|before| without_status(before) == without_status(&self.now))
    }
}

/// Findings, and what was seen of the resources that they are about.
#[derive(Debug)]
pub(super) struct Present<'f> {
    /// By the id of the resource.
    wanted: BTreeMap<&'f str, Vec<&'f Finding>>,
    /// What was removed, to be known again under whatever id.
    removed: Vec<&'f Finding>,
    /// What is there, by the id of the finding: what of it is compared now, before and when it was found.
    seen: BTreeMap<&'f str, Seen>,
    /// Ids of findings of which what was removed is there again.
    back: BTreeSet<&'f str>,
    /// E-mails of members and invitations, in lower case.
    members: BTreeSet<String>,
}

impl<'f> Present<'f> {
    pub(super) fn of(findings: &'f [Finding]) -> Self {
        let mut wanted: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for finding in findings {
            wanted.entry(&finding.resource.id).or_default().push(finding);
        }
        let removed = findings.iter().filter(|it| it.change == Change::Removed && it.before.is_some()).collect();
        Self { wanted, removed, seen: BTreeMap::new(), back: BTreeSet::new(), members: BTreeSet::new() }
    }

    /// Takes a resource as it is.
    pub(super) fn take(&mut self, family: &Family, item: &Item) {
        if family.name == MEMBERS {
            self.members.insert(family.label(item).to_ascii_lowercase());
        }
        // Settings have no id: they are told by their seat.
        let id = if item.id.is_empty() { &item.seat.name } else { &item.id };
        for finding in self.wanted.get(id.as_str()).into_iter().flatten() {
            if is_of(finding, family, item) {
                let compared = |value: &Option<Value>| value.as_ref().map(|value| compared(family, item, value));
                let status = item.value["status"].as_str().unwrap_or_default().to_owned();
                let (before, found) = (compared(&finding.before), compared(&finding.after));
                self.seen.insert(&finding.id, Seen { now: family.compared(item), before, found, status });
            }
        }
        for finding in &self.removed {
            if is_of(finding, family, item)
                && let Some(before) = &finding.before
                && compared(family, item, before) == family.compared(item)
            {
                self.back.insert(&finding.id);
            }
        }
    }

    /// How a finding stands. `zones` are those that were looked at; `again` is the same finding as this look made it,
    /// where the log has acts that are newer; `shown` is what this look found of the resource itself.
    pub(super) fn standing(
        &self,
        finding: &Finding,
        sight: &Sight,
        zones: &BTreeSet<String>,
        again: Option<&Finding>,
        shown: Option<&Finding>,
    ) -> Standing {
        let seen = self.seen.get(finding.id.as_str());
        let is_token = TOKENS.contains(&finding.family.as_str());
        match seen {
            Some(seen) if is_token => {
                let is_widened = finding.technique == WIDENED;
                return match seen.status.as_str() {
                    _ if is_widened && seen.is_as_it_was() => Standing::Gone("it may do what it did before".to_owned()),
                    "active" | "" => Standing::There("the token is active".to_owned()),
                    // It rests, and whoever wakes it gives back what the intruder let it do.
                    other if is_widened => Standing::There(format!(
                        "the token is {other}, and may do what it was changed to as soon as it is active again"
                    )),
                    other => Standing::Gone(format!("the token is {other}")),
                };
            }
            Some(seen) if finding.sources.contains(&Source::Diff) || finding.change == Change::Added => {
                return present(finding.change, seen);
            }
            _ => {}
        }
        if let Some(again) = again {
            let at = again.at.map(|at| format!(" at {}", at.strftime("%F %H:%MZ"))).unwrap_or_default();
            return Standing::There(format!("the log has it again{at}"));
        }
        let who = &finding.resource.name;
        // An account has a member at least: a list without any is none.
        if finding.family == CREDENTIALS
            && who.contains('@')
            && !self.members.is_empty()
            && hidden(&Finding { family: MEMBERS.to_owned(), ..finding.clone() }, sight, zones).is_none()
            && !self.members.contains(&who.to_ascii_lowercase())
        {
            return Standing::Gone(format!(
                "`{who}` is no member any more, so that neither key nor session of theirs reaches the account"
            ));
        }
        // What the log alone shows is nothing that could be gone: it can only be over.
        let is_act = finding.sources == [Source::Audit] && !is_token;
        if is_act {
            // It was found where nobody saw what it left.
            if let Some(shown) = shown {
                return Standing::There(format!("what it left is there: {}", shown.detail));
            }
            if let Some(why) = hidden(finding, sight, zones).filter(|_| is_listed(finding)) {
                return Standing::Unknown(why);
            }
            let blind = technique(&finding.technique).map(|of| of.hidden).filter(|hidden| !hidden.is_empty());
            return match blind {
                _ if !sight.whole_log => {
                    Standing::Unknown("whether it goes on only the audit log tells, which is not whole".to_owned())
                }
                None => Standing::Gone("an act, and over: both logs have none since".to_owned()),
                // That it is over would be the word of a log that does not show all of it.
                Some(hidden) => {
                    Standing::Unknown(format!("both logs have none since, which does not tell all: {hidden}"))
                }
            };
        }
        if let Some(why) = hidden(finding, sight, zones) {
            return Standing::Unknown(why);
        }
        match finding.change {
            Change::Removed if self.back.contains(finding.id.as_str()) => {
                Standing::Gone("it is there again as it was".to_owned())
            }
            Change::Removed if finding.before.is_none() => {
                Standing::Unknown("nobody knows what it was, so no read tells whether it is back".to_owned())
            }
            Change::Removed => Standing::There("it is still missing".to_owned()),
            Change::Added | Change::Changed => {
                Standing::Gone(format!("all of {} was read, and it is not there", finding.family))
            }
        }
    }
}

/// What of a form of the item is compared.
fn compared(family: &Family, item: &Item, value: &Value) -> Value {
    family.compared(&Item { value: value.clone(), ..item.clone() })
}

/// Something that is there.
fn present(change: Change, seen: &Seen) -> Standing {
    let Seen { now, before, found, .. } = seen;
    match change {
        Change::Added => Standing::There("it is still there".to_owned()),
        Change::Removed => Standing::Gone("it is there again".to_owned()),
        Change::Changed if before.as_ref() == Some(now) => Standing::Gone("it is as it was".to_owned()),
        Change::Changed if found.as_ref() == Some(now) => Standing::There("it is still as it was found".to_owned()),
        Change::Changed => {
            Standing::Unknown("it was changed since, and is neither as it was nor as it was found".to_owned())
        }
    }
}

/// Why a finding's resource may be there without having been seen, if it may.
fn hidden(finding: &Finding, sight: &Sight, zones: &BTreeSet<String>) -> Option<String> {
    let families = if TOKENS.contains(&finding.family.as_str()) { TOKENS } else { &[finding.family.as_str()] };
    if let Some(zone) = finding.resource.zone.as_ref().filter(|zone| !zones.contains(*zone)) {
        return Some(format!("{zone} is none of the zones that were looked at"));
    }
    families.iter().find_map(|family| {
        let gap =
            sight.gaps.iter().find(|gap| gap.family == *family && concerns(gap, finding.resource.zone.as_deref()));
        match gap {
            Some(gap) => {
                let needs = gap.permission.as_ref().map(|needed| format!(" (needs {needed})")).unwrap_or_default();
                Some(format!("{family} of {} not seen: {}{needs}", gap.scope, gap.reason))
            }
            None if !sight.read.contains(*family) => Some(format!("{family} was not read")),
            None => None,
        }
    })
}

/// Whether a read would show what a finding is about.
fn is_listed(finding: &Finding) -> bool {
    families().any(|family| family.name == finding.family && family.retired.is_none())
}

/// Whether a gap may hide something in this zone. One that names several seats, or none, may hide it anywhere.
fn concerns(gap: &Gap, zone: Option<&str>) -> bool {
    let Some(zone) = zone else { return true };
    let is_one_zone = gap.scope.contains('.') && !gap.scope.contains(", ");
    !is_one_zone || gap.scope.split('/').next() == Some(zone)
}

fn is_of(finding: &Finding, family: &Family, item: &Item) -> bool {
    let is_token = |name: &str| TOKENS.contains(&name);
    let is_family = finding.family == family.name || (is_token(&finding.family) && is_token(family.name));
    is_family
        && finding.resource.zone.as_deref().is_none_or(|zone| item.seat.zone_name() == Some(zone))
        // Of two items that others belong to, each may hold one of the same name.
        && item.seat.parent.as_deref().is_none_or(|parent| !is_below_another(finding, parent))
}

/// Whether the finding is told by where it lies, and that is below something else than `parent`.
fn is_below_another(finding: &Finding, parent: &str) -> bool {
    let seat = finding.told_by().strip_suffix(&finding.resource.id).and_then(|seat| seat.strip_suffix('/'));
    seat.is_some_and(|seat| seat.contains('/') && !seat.ends_with(&format!("/{parent}")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::{Present, Standing};
    use crate::hunt::{Family, Item, Seat, Sight, blank};
    use crate::model::{
        Actor, Attribution, CREDENTIALS, Change, Finding, FindingStatus, Gap, Resource, Severity, Source,
    };

    const ROUTES: Family = Family { name: "routes", ..blank() };

    fn finding(change: Change, before: Value, after: Value) -> Finding {
        let some = |value: Value| Some(value).filter(|value| !value.is_null());
        Finding {
            id: "T1:routes:1".into(),
            technique: "T1".into(),
            severity: Severity::High,
            status: FindingStatus::Open,
            family: "routes".into(),
            change,
            resource: Resource { id: "1".into(), name: "x".into(), zone: Some("one.example".into()) },
            actor: Actor::default(),
            attribution: Attribution::Intruder,
            detail: String::new(),
            at: None,
            before: some(before),
            after: some(after),
            evidence: Vec::new(),
            sources: vec![Source::Diff],
        }
    }

    fn item(zone: &str, id: &str, to: &str) -> Item {
        ROUTES.item(&Seat::zone("z", zone), json!({ "id": id, "to": to }))
    }

    fn stands(finding: Finding, items: &[Item], gaps: Vec<Gap>) -> Standing {
        let all = [finding];
        let mut present = Present::of(&all);
        items.iter().for_each(|item| present.take(&ROUTES, item));
        let sight = Sight { read: ["routes".to_owned()].into(), gaps, whole_log: true, ..Sight::default() };
        let zones: BTreeSet<String> = ["one.example", "two.example"].map(str::to_owned).into();
        present.standing(&all[0], &sight, &zones, None, None)
    }

    fn gap(scope: &str) -> Gap {
        Gap { family: "routes".into(), scope: scope.into(), reason: "403".into(), permission: None }
    }

    #[test]
    fn what_was_added_is_gone_only_where_all_was_read() {
        let added = || finding(Change::Added, Value::Null, json!({ "to": "evil" }));
        assert!(matches!(stands(added(), &[], vec![]), Standing::Gone(_)));
        assert!(matches!(stands(added(), &[item("one.example", "1", "evil")], vec![]), Standing::There(_)));
        // One of the same id in another zone is another.
        assert!(matches!(stands(added(), &[item("two.example", "1", "evil")], vec![]), Standing::Gone(_)));
        for scope in ["one.example", "one.example, two.example and 3 more", "account"] {
            assert!(matches!(stands(added(), &[], vec![gap(scope)]), Standing::Unknown(_)), "{scope}");
        }
        assert!(matches!(stands(added(), &[], vec![gap("two.example")]), Standing::Gone(_)));
    }

    #[test]
    fn what_was_changed_is_held_against_both_of_its_forms() {
        let changed = || finding(Change::Changed, json!({ "to": "good" }), json!({ "to": "evil" }));
        for (to, expected) in [("good", "it is as it was"), ("evil", "still as it was found"), ("odd", "neither")] {
            let told = match stands(changed(), &[item("one.example", "1", to)], vec![]) {
                Standing::Gone(why) | Standing::There(why) | Standing::Unknown(why) => why,
            };
            assert!(told.contains(expected), "{to}: {told}");
        }
    }

    #[test]
    fn what_was_removed_is_back_under_any_id() {
        let removed = || finding(Change::Removed, json!({ "to": "good" }), Value::Null);
        assert!(matches!(stands(removed(), &[item("one.example", "7", "good")], vec![]), Standing::Gone(_)));
        assert!(matches!(stands(removed(), &[item("one.example", "7", "evil")], vec![]), Standing::There(_)));
    }

    #[test]
    fn a_key_or_session_is_settled_only_by_a_whole_list_without_its_user() {
        const MEMBERS: Family = Family { name: "members", label: &["/email"], ..blank() };
        let held = Finding {
            family: CREDENTIALS.into(),
            resource: Resource { id: "eve@a.example".into(), name: "Eve@a.example".into(), zone: None },
            sources: vec![Source::Audit],
            ..finding(Change::Changed, Value::Null, Value::Null)
        };
        let stands = |emails: &[&str], gaps: Vec<Gap>, read: &str| {
            let all = [held.clone()];
            let mut present = Present::of(&all);
            for email in emails {
                present.take(&MEMBERS, &MEMBERS.item(&Seat::account(), json!({ "id": email, "email": email })));
            }
            let sight = Sight { read: [read.to_owned()].into(), gaps, whole_log: true, ..Sight::default() };
            matches!(present.standing(&all[0], &sight, &BTreeSet::new(), None, None), Standing::Gone(why) if why.contains("no member any more"))
        };
        let gap = || Gap { family: "members".into(), scope: "account".into(), reason: "403".into(), permission: None };
        assert!(stands(&["bob@a.example"], vec![], "members"));
        assert!(!stands(&["bob@a.example", "EVE@A.example"], vec![], "members"));
        assert!(!stands(&[], vec![], "members"), "an account without a member is a list that was not seen");
        assert!(!stands(&["bob@a.example"], vec![gap()], "members"));
        assert!(!stands(&["bob@a.example"], vec![], "routes"));
    }
}
