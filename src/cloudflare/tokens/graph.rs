use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::ACCOUNT;
use crate::cloudflare::principals::made as made_by;
use crate::hunt::graph::Tie;
use crate::hunt::{AuditEvent, Principal, attribute};
use crate::model::Attribution;

/// What the intruder holds, and what it did to other tokens.
#[derive(Debug, Default)]
pub struct Held<'e> {
    /// The suspects and what was made with them, what was made with that, and so on; the suspects first.
    pub tokens: Vec<Grip<'e>>,
    /// Tokens of others that the intruder changed or rolled.
    pub tampered: Vec<Tampering<'e>>,
    /// What the intruder is known to act with, with honest and hostile addresses.
    pub principals: Vec<Principal>,
    /// E-mails of members whom the intruder let in, with the act.
    let_in: Vec<(String, &'e AuditEvent)>,
}

/// A token in the intruder's hands.
#[derive(Debug)]
pub struct Grip<'e> {
    /// Its id.
    pub id: String,
    /// The act that made it; none for a suspect.
    pub made: Option<&'e AuditEvent>,
    /// The first act with it from where only the intruder is, where that alone tells.
    pub used: Option<&'e AuditEvent>,
    /// False where it was made without a token, and only the address speaks for the intruder: an address may be shared. So
    /// where it was made with a token of the intruder's, or from where that was used, and nothing tells that from the honest
    /// use of that token.
    pub sure: bool,
}

/// What the intruder did to somebody else's token, the latest of each.
#[derive(Debug)]
pub struct Tampering<'e> {
    /// Id of the token.
    pub id: String,
    /// The act.
    pub act: &'e AuditEvent,
    /// When a roll gave whoever rolled it its secret.
    pub rolled: Option<Timestamp>,
    /// False where it was done with a token of the intruder's, and nothing tells that from the honest use of it.
    pub sure: bool,
}

/// What is known besides the events.
pub struct Known<'a> {
    /// Start of the window.
    pub since: Option<Timestamp>,
    /// E-mail of the user who is the suspect, where a person is.
    pub person: Option<&'a str>,
    /// Addresses from which a token, or a user without one, acted before the window.
    pub honest: &'a dyn Fn(&str) -> Vec<String>,
    /// Whether somebody was at work at an address before the window, or the team said that it is its own.
    pub is_teams: &'a dyn Fn(&str) -> bool,
    /// Whether nothing speaks against whoever acted being whom the log names: they acted from there before the window, or
    /// with the same program, or nothing of them is known from before.
    pub usual: &'a dyn Fn(&AuditEvent) -> bool,
    /// Whether a token did the like with the same program before the window, from wherever.
    pub as_ever: &'a dyn Fn(&AuditEvent) -> bool,
    /// A token's name.
    pub name: &'a dyn Fn(&str) -> String,
}

impl Known<'_> {
    /// Whether the user who is the suspect did it, by whatever else than a token.
    fn is_of_person(&self, event: &AuditEvent) -> bool {
        self.person.is_some_and(|person| is_of(person, event)) && event.token_id.is_none()
    }
}

/// Whether it was done with the token of this id, or without one by the user of this e-mail.
fn is_of(id: &str, event: &AuditEvent) -> bool {
    match &event.token_id {
        Some(token) => token == id,
        None => event.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(id)),
    }
}

/// Follows who made and changed what, from `suspects` on, until nothing new turns up.
pub fn held<'e>(suspects: &[String], events: &'e [AuditEvent], known: &Known<'_>) -> Held<'e> {
    let grip = |id: &String| Grip { id: id.clone(), made: None, used: None, sure: true };
    let mut held = Held { tokens: suspects.iter().map(grip).collect(), ..Held::default() };
    let mut writes: Vec<&AuditEvent> =
        events.iter().filter(|event| event.success && event.is_write() && is_about_tokens(event)).collect();
    writes.sort_by_key(|event| event.at);
    loop {
        held.principals = principals(&held, events, known);
        let mut grown = held.confirm(events) | held.let_in(events);
        for event in &writes {
            let Some(id) = event.resource_id.as_ref() else { continue };
            match attribute(event, &held.principals) {
                Attribution::Intruder => {}
                // Where no earlier use is known, it may be the intruder's doing: somebody is to say.
                _ if held.is_of_unknown_use(event) && held.get(id).is_none() => {
                    if makes(event) {
                        held.tokens.push(Grip { id: id.clone(), made: Some(event), used: None, sure: false });
                        grown = true;
                    } else if changes(event) {
                        grown |= held.tamper(id, event, false);
                    }
                    continue;
                }
                _ => continue,
            }
            if let Some(grip) = held.tokens.iter_mut().find(|it| it.id == *id) {
                // What nobody could say before is told by what else was learnt of the address.
                if !grip.sure && event.token_id.is_some() && grip.made.is_some_and(|made| made.id == event.id) {
                    grip.sure = true;
                    grown = true;
                }
                // One of several suspects may have made another.
                if grip.made.is_none() && makes(event) && event.token_id.as_ref() != Some(id) {
                    grip.made = Some(event);
                }
                continue;
            }
            if makes(event) {
                // Only an address speaks against what was made without a token, but for whom the intruder let in, and whom
                // somebody named.
                let sure = event.token_id.is_some() || held.is_let_in(event) || known.is_of_person(event);
                held.tokens.push(Grip { id: id.clone(), made: Some(event), used: None, sure });
                grown = true;
            } else if changes(event) {
                grown |= held.tamper(id, event, true);
            }
        }
        // What is known to be made by the intruder is told as that first.
        if !grown && !held.take_used(events, known) {
            let tokens = &held.tokens;
            held.tampered.retain(|it| !tokens.iter().any(|token| token.id == it.id));
            return held;
        }
    }
}

impl<'e> Held<'e> {
    /// The token with this id, where the intruder holds it.
    pub fn get(&self, id: &str) -> Option<&Grip<'e>> {
        self.tokens.iter().find(|grip| grip.id == id)
    }

    /// Whether it was done with a token of the intruder's of which nobody knows how others use it, with one that was made with
    /// such a one, or without a token from where such a one was used.
    fn is_of_unknown_use(&self, event: &AuditEvent) -> bool {
        let by = |held: &Principal| match (&event.token_id, &event.ip) {
            (Some(token), _) => *token == held.token_id,
            (None, Some(ip)) => held.open_ips.contains(ip),
            (None, None) => false,
        };
        let mut unknown = self.principals.iter().filter(|held| !held.intruder_made && held.honest_ips.is_empty());
        let made = |grip: &Grip<'_>| {
            let is_of_token = grip.made.is_some_and(|made| made.token_id.is_some());
            !grip.sure && is_of_token && event.token_id.as_ref() == Some(&grip.id)
        };
        !event.own && (unknown.any(by) || self.tokens.iter().any(made))
    }

    /// Notes whom the intruder let in; true where that is news.
    fn let_in(&mut self, events: &'e [AuditEvent]) -> bool {
        let before = self.let_in.len();
        for event in events.iter().filter(|event| event.success && event.action == "create") {
            let Some(made) = made_by(event).filter(|made| made.tie == Tie::Invited) else { continue };
            let is_known = |it: &AuditEvent| it.email.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(&made.id));
            // Who acted before is not let in by being invited once more.
            let was_there = events.iter().any(|it| it.at < event.at && is_known(it));
            if !was_there
                && attribute(event, &self.principals) == Attribution::Intruder
                && !self.let_in.iter().any(|(email, _)| email.eq_ignore_ascii_case(&made.id))
            {
                self.let_in.push((made.id, event));
            }
        }
        self.let_in.len() > before
    }

    fn is_let_in(&self, event: &AuditEvent) -> bool {
        let acted = event.email.as_deref().unwrap_or_default();
        self.let_in.iter().any(|(email, _)| email.eq_ignore_ascii_case(acted))
    }

    /// Takes tokens that were used from where only the intruder is for such as the intruder holds; true where that is news.
    fn take_used(&mut self, events: &'e [AuditEvent], known: &Known<'_>) -> bool {
        let before = self.tokens.len();
        let is_new = |event: &&AuditEvent| event.unexplained && known.since.is_none_or(|since| event.at >= since);
        for event in events.iter().filter(is_new).filter(|event| !event.own) {
            let is_told = |id: &String| self.get(id).is_some() || self.tampered.iter().any(|it| it.id == *id);
            let Some(id) = event.token_id.as_ref().filter(|id| !is_told(id)) else { continue };
            let is_hostile = |held: &Principal| event.ip.as_ref().is_some_and(|ip| held.hostile_ips.contains(ip));
            if self.principals.iter().any(is_hostile) {
                self.tokens.push(Grip { id: id.clone(), made: None, used: Some(event), sure: false });
            }
        }
        self.tokens.len() > before
    }

    /// A token that was made at a hostile address and used from one is the intruder's; true where that is news.
    fn confirm(&mut self, events: &[AuditEvent]) -> bool {
        let principals = &self.principals;
        let hostile = |ip: &String| principals.iter().any(|held| held.hostile_ips.contains(ip));
        let by_hand = |grip: &&mut Grip<'_>| grip.made.is_some_and(|made| made.token_id.is_none());
        let doubtful = self.tokens.iter_mut().filter(|grip| !grip.sure).filter(by_hand);
        let confirmed = doubtful.filter_map(|grip| {
            let mut used = events.iter().filter(|event| event.token_id.as_ref() == Some(&grip.id));
            used.any(|event| event.ip.as_ref().is_some_and(hostile)).then(|| grip.sure = true)
        });
        confirmed.count() > 0
    }

    /// Notes a change; true where it tells something new. What is surely the intruder's counts before what may be.
    fn tamper(&mut self, id: &str, act: &'e AuditEvent, sure: bool) -> bool {
        let rolled = rolls(act).then_some(act.at);
        let Some(it) = self.tampered.iter_mut().find(|it| it.id == id) else {
            self.tampered.push(Tampering { id: id.to_owned(), act, rolled, sure });
            return true;
        };
        if it.sure && !sure {
            return false;
        }
        let before = (it.act.at, it.rolled, it.sure);
        if it.sure == sure {
            it.act = if act.at > it.act.at { act } else { it.act };
            it.rolled = it.rolled.or(rolled);
        } else {
            *it = Tampering { id: id.to_owned(), act, rolled, sure };
        }
        (it.act.at, it.rolled, it.sure) != before
    }
}

fn principals(held: &Held<'_>, events: &[AuditEvent], known: &Known<'_>) -> Vec<Principal> {
    let sure = held.tokens.iter().filter(|grip| grip.sure);
    let gripped = sure.map(|grip| {
        let maker = maker(&grip.id, events, known);
        let made = maker.is_some() || grip.made.is_some();
        principal(Use { id: &grip.id, from: known.since, earlier: Vec::new(), made, maker }, events, known)
    });
    // Until it was rolled, a token of somebody else was in honest hands; who has it since has it from the intruder.
    let rolled = held.tampered.iter().filter(|it| it.sure).filter_map(|it| {
        let at = it.rolled?;
        let honest = events.iter().filter(|event| event.token_id.as_ref() == Some(&it.id) && event.at < at);
        let earlier: Vec<String> = honest.filter_map(|event| event.ip.clone()).collect();
        Some(principal(Use { id: &it.id, from: Some(at), earlier, made: true, maker: None }, events, known))
    });
    let person = known.person.map(|id| {
        let of = Use { id, from: known.since, earlier: Vec::new(), made: false, maker: None };
        Principal { token_name: id.to_owned(), ..principal(of, events, known) }
    });
    let mut principals: Vec<Principal> = gripped.chain(rolled).chain(person).collect();
    // What one token tells of an address counts for the others.
    let hostile: BTreeSet<String> = principals.iter().flat_map(|held| held.hostile_ips.iter().cloned()).collect();
    for (email, act) in &held.let_in {
        let by = principals.iter().position(|held| act.token_id.as_ref() == Some(&held.token_id)).unwrap_or_default();
        if let Some(held) = principals.get_mut(by) {
            held.let_in.push(email.clone());
        }
    }
    for held in &mut principals {
        let (proven, open) = std::mem::take(&mut held.open_ips).into_iter().partition(|ip| hostile.contains(ip));
        held.open_ips = open;
        held.hostile_ips.extend::<Vec<String>>(proven);
    }
    principals
}

/// How a token in the intruder's hands was used.
struct Use<'u> {
    id: &'u str,
    /// Since when the intruder may have had it.
    from: Option<Timestamp>,
    /// Addresses of honest use in the window.
    earlier: Vec<String>,
    /// Whether the intruder made it, or its present secret.
    made: bool,
    maker: Option<&'u AuditEvent>,
}

fn principal(of: Use<'_>, events: &[AuditEvent], known: &Known<'_>) -> Principal {
    let honest_ips: BTreeSet<String> = (known.honest)(of.id).into_iter().chain(of.earlier).collect();
    let is_use = |event: &&AuditEvent| is_of(of.id, event) && of.from.is_none_or(|from| event.at >= from) && !event.own;
    let mut used: BTreeMap<&String, Vec<&AuditEvent>> = BTreeMap::new();
    for event in events.iter().filter(is_use).chain(of.maker) {
        if let Some(ip) = event.ip.as_ref().filter(|ip| !honest_ips.contains(*ip)) {
            used.entry(ip).or_default().push(event);
        }
    }
    let mut principal = Principal {
        token_id: of.id.to_owned(),
        token_name: (known.name)(of.id),
        intruder_made: of.made && honest_ips.is_empty(),
        hostile_ips: Vec::new(),
        mixed_ips: Vec::new(),
        open_ips: Vec::new(),
        honest_ips: Vec::new(),
        let_in: Vec::new(),
    };
    for (ip, acts) in used {
        // An address where others were at work before is not the intruder's because this token is new there. Nor is one
        // where nothing sets its use apart from the honest one: a runner has another address every day.
        let is_open = !of.made && (honest_ips.is_empty() || acts.iter().all(|act| (known.as_ever)(act)));
        let whose = match ((known.is_teams)(ip), is_open) {
            (true, _) => &mut principal.mixed_ips,
            (false, true) => &mut principal.open_ips,
            (false, false) => &mut principal.hostile_ips,
        };
        whose.push(ip.clone());
    }
    principal.honest_ips = honest_ips.into_iter().collect();
    principal
}

/// The act that made a token which is the intruder's, where it was made in the window in a dashboard or with a global API
/// key, and not from where that user always acted: whoever is behind that address is the intruder too.
fn maker<'e>(id: &str, events: &'e [AuditEvent], known: &Known<'_>) -> Option<&'e AuditEvent> {
    events.iter().find(|event| {
        event.success
            && !event.own
            && event.resource_id.as_deref() == Some(id)
            && is_about_tokens(event)
            && makes(event)
            && matches!(event.context.as_deref(), Some("dash" | "api_key"))
            && known.since.is_none_or(|since| event.at >= since)
            && !(known.usual)(event)
    })
}

/// Whose a token is, as far as the path of an act on it tells; see [`super::TokenRef::owner`].
pub fn owner_in_log(id: &str, events: &[AuditEvent]) -> Option<String> {
    let about =
        |event: &&AuditEvent| event.success && event.resource_id.as_deref() == Some(id) && is_about_tokens(event);
    events.iter().filter(about).find_map(|event| {
        let path = event.uri.as_deref()?;
        if path.contains("/accounts/") { Some(ACCOUNT.to_owned()) } else { event.email.clone() }
    })
}

fn is_about_tokens(event: &AuditEvent) -> bool {
    match path(event) {
        Some(path) => path.split('/').any(|part| part == "tokens"),
        None => event.resource_type.contains("token"),
    }
}

fn path(event: &AuditEvent) -> Option<&str> {
    event.uri.as_deref()?.split(['?', '#']).next()
}

fn makes(event: &AuditEvent) -> bool {
    event.action == "create" || event.method.as_deref() == Some("POST")
}

/// A full update, or a roll.
fn changes(event: &AuditEvent) -> bool {
    event.action == "update" || event.method.as_deref() == Some("PUT")
}

fn rolls(event: &AuditEvent) -> bool {
    changes(event) && path(event).is_some_and(|path| path.ends_with("/value"))
}

#[cfg(test)]
mod tests {
    use super::{Held, Known, held, owner_in_log};
    use crate::hunt::AuditEvent;

    const PATH: &str = "/client/v4/accounts/a/tokens";

    fn act(at: u8, token: Option<&str>, ip: &str, method: &str, path: &str, target: &str) -> AuditEvent {
        let action = if method == "POST" { "create" } else { "update" };
        let event = serde_json::json!({
            "id": at.to_string(), "at": format!("2026-11-20T00:{at:02}:00Z"), "action": action, "success": true,
            "resource_type": "token", "resource_id": target, "token_id": token, "ip": ip, "method": method, "uri": path,
            "log": "v2",
        });
        serde_json::from_value(event).unwrap_or_else(|error| unreachable!("{error}"))
    }

    fn event(at: u8, token: &str, ip: &str, method: &str, target: &str) -> AuditEvent {
        act(at, Some(token), ip, method, PATH, target)
    }

    fn closure<'e>(events: &'e [AuditEvent], honest: &[&str]) -> Held<'e> {
        closure_of(&["stolen"], events, &honest.iter().map(|ip| ("stolen", *ip)).collect::<Vec<_>>())
    }

    fn closure_of<'e>(suspects: &[&str], events: &'e [AuditEvent], honest: &[(&str, &str)]) -> Held<'e> {
        let honest = |id: &str| {
            let ips = honest.iter().filter(|(of, _)| *of == id);
            ips.map(|(_, ip)| (*ip).to_owned()).collect()
        };
        let usual = |event: &AuditEvent| event.ip.as_deref() == Some("office");
        let is_teams = |ip: &str| ip == "office";
        let as_ever = |event: &AuditEvent| event.user_agent.as_deref() == Some("deploy/2");
        let known = Known {
            since: None,
            person: None,
            honest: &honest,
            is_teams: &is_teams,
            usual: &usual,
            as_ever: &as_ever,
            name: &str::to_owned,
        };
        held(&suspects.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>(), events, &known)
    }

    fn ids(held: &Held<'_>) -> (Vec<(String, bool)>, Vec<String>) {
        let tokens = held.tokens.iter().map(|grip| (grip.id.clone(), grip.sure)).collect();
        (tokens, held.tampered.iter().map(|it| it.id.clone()).collect())
    }

    fn sure(ids: &[&str]) -> Vec<(String, bool)> {
        ids.iter().map(|id| ((*id).to_owned(), true)).collect()
    }

    #[test]
    fn the_closure_holds_grandchildren_and_survives_a_circle() {
        let events = [
            event(3, "child", "bad", "POST", "grandchild"),
            event(1, "stolen", "bad", "POST", "child"),
            event(4, "grandchild", "bad", "PUT", "stolen"),
            event(5, "child", "bad", "PUT", "victim"),
            event(6, "maya", "good", "POST", "other"),
            event(7, "maya", "good", "PUT", "victim"),
        ];
        let found = closure(&events, &["ci"]);
        assert_eq!(ids(&found), (sure(&["stolen", "child", "grandchild"]), vec!["victim".to_owned()]));
        assert_eq!(found.tampered[0].act.id, "5", "the act of the intruder, not the later one of an honest hand");
        assert_eq!(found.principals.len(), 3, "a widened token alone is nothing that the intruder acts with");
    }

    #[test]
    fn what_the_stolen_token_made_in_honest_use_is_left_alone() {
        let events = [event(1, "stolen", "ci", "POST", "honest"), event(2, "stolen", "bad", "POST", "child")];
        let found = closure(&events, &["ci"]);
        assert_eq!(ids(&found).0, sure(&["stolen", "child"]));
        assert_eq!(found.principals[0].hostile_ips, ["bad"]);
    }

    #[test]
    fn a_token_made_in_the_dashboard_from_a_hostile_address_is_doubtful_until_it_is_used_from_one() {
        let by_hand = act(2, None, "bad", "POST", "/client/v4/user/tokens", "by-hand");
        let mut events = vec![event(1, "stolen", "bad", "POST", "child"), by_hand];
        events.push(act(3, None, "office", "POST", PATH, "honest"));
        let found = closure(&events, &["ci"]);
        let doubtful = [sure(&["stolen", "child"]), vec![("by-hand".to_owned(), false)]].concat();
        assert_eq!((ids(&found).0, found.principals.len()), (doubtful, 2));
        events.push(event(4, "by-hand", "bad", "POST", "next"));
        assert_eq!(ids(&closure(&events, &["ci"])).0, sure(&["stolen", "child", "by-hand", "next"]));
    }

    #[test]
    fn an_address_where_others_were_before_is_not_hostile_and_what_a_child_does_there_is_followed() {
        let by_hand = act(3, None, "office", "POST", PATH, "colleague's");
        let mut events =
            vec![event(1, "stolen", "office", "POST", "once"), event(2, "stolen", "bad", "POST", "child"), by_hand];
        events.push(event(4, "child", "office", "POST", "grandchild"));
        let found = closure(&events, &["ci"]);
        assert_eq!(ids(&found).0, sure(&["stolen", "child", "grandchild"]));
        let of = |id: &str| found.principals.iter().find(|held| held.token_id == id).unwrap();
        assert_eq!(
            (&of("stolen").hostile_ips[..], &of("stolen").mixed_ips[..]),
            (&["bad".into()][..], &["office".into()][..])
        );
        assert_eq!((&of("child").hostile_ips[..], &of("child").mixed_ips[..]), (&[][..], &["office".into()][..]));
    }

    #[test]
    fn whoever_made_the_stolen_token_in_a_dashboard_from_a_new_address_is_the_intruder() {
        let made = |ip: &str| {
            let mut act = act(1, None, ip, "POST", PATH, "stolen");
            act.context = Some("dash".to_owned());
            let later = AuditEvent { id: "2".into(), resource_id: Some("second".into()), ..act.clone() };
            let events = [act, later, event(3, "stolen", "worse", "POST", "child")];
            let found = closure(&events, &["ci"]);
            (found.principals[0].hostile_ips.clone(), ids(&found).0)
        };
        let second = [sure(&["stolen", "child"]), vec![("second".to_owned(), false)]].concat();
        let (hostile, tokens) = made("bad");
        assert_eq!((hostile, tokens.len()), (vec!["bad".to_owned(), "worse".to_owned()], 3));
        assert!(second.iter().all(|token| tokens.contains(token)), "{tokens:?}");
        assert_eq!(made("office"), (vec!["worse".to_owned()], sure(&["stolen", "child"])));
    }

    #[test]
    fn a_rolled_token_is_in_the_intruders_hands_from_then_on() {
        let roll = act(3, Some("stolen"), "bad", "PUT", "/client/v4/accounts/a/tokens/victim/value", "victim");
        let events =
            [event(2, "victim", "office", "POST", "honest"), roll, event(4, "victim", "worse", "POST", "child")];
        let found = closure(&events, &["ci"]);
        assert_eq!(ids(&found), (sure(&["stolen", "child"]), vec!["victim".to_owned()]));
        let victim = found.principals.iter().find(|held| held.token_id == "victim").unwrap();
        assert_eq!(
            (&victim.honest_ips[..], &victim.hostile_ips[..]),
            (&["office".to_owned()][..], &["worse".to_owned()][..])
        );
    }

    #[test]
    fn a_token_of_which_no_earlier_use_is_known_is_nowhere_surely_the_intruders() {
        let mut made = act(1, None, "office", "POST", PATH, "stolen");
        made.context = Some("dash".to_owned());
        let mut events =
            vec![made, event(2, "stolen", "runner", "PUT", "x"), event(3, "stolen", "bad", "POST", "child")];
        let found = closure(&events, &[]);
        let [held] = &found.principals[..] else { unreachable!("{:?}", found.principals) };
        assert_eq!((&held.hostile_ips[..], &held.open_ips[..]), (&[][..], &["bad".into(), "runner".into()][..]));
        assert!(!held.intruder_made);
        // What was made with it is the intruder's or not: somebody is to say.
        assert_eq!(ids(&found).0, [sure(&["stolen"]), vec![("child".to_owned(), false)]].concat());
        // So it is with what was made without a token from where it was used; of quell's own there is no doubt.
        let by_hand = act(5, None, "bad", "POST", "/client/v4/user/tokens", "by-hand");
        let own = AuditEvent { own: true, resource_id: Some("own".into()), ..by_hand.clone() };
        let elsewhere = act(6, None, "home", "POST", "/client/v4/user/tokens", "elsewhere");
        let more = [&events[..], &[by_hand, own, elsewhere]].concat();
        let offered = [("child".to_owned(), false), ("by-hand".to_owned(), false)];
        assert_eq!(ids(&closure(&more, &[])).0[1..], offered);
        // What was made or changed with those is doubtful as well.
        let made_with =
            [event(7, "child", "worse", "POST", "grandchild"), event(8, "grandchild", "worse", "PUT", "victim")];
        let further = [&events[..], &made_with].concat();
        let found = closure(&further, &[]);
        assert_eq!(ids(&found).0[1..], [("child".to_owned(), false), ("grandchild".to_owned(), false)]);
        let tampered: Vec<_> = found.tampered.iter().map(|it| (it.id.as_str(), it.sure)).collect();
        assert_eq!(tampered, [("x", false), ("victim", false)]);
        assert_eq!(found.principals.len(), 1);
        // Once another token tells of the address, it tells of this one's use there, and of nothing elsewhere.
        let known = closure_of(&["stolen", "other"], &events, &[("other", "ci")]);
        assert_eq!(ids(&known).0.last(), Some(&("child".to_owned(), false)));
        events.push(event(4, "other", "bad", "PUT", "y"));
        let known = closure_of(&["stolen", "other"], &events, &[("other", "ci")]);
        assert_eq!(ids(&known).0, sure(&["stolen", "other", "child"]));
        let tampered: Vec<_> = known.tampered.iter().map(|it| (it.id.as_str(), it.sure)).collect();
        assert_eq!(tampered, [("x", false), ("y", true)]);
        assert_eq!(
            (&known.principals[0].hostile_ips[..], &known.principals[0].open_ips[..]),
            (&["bad".into()][..], &["runner".into()][..])
        );
        assert!(known.principals[2].intruder_made);
    }

    #[test]
    fn a_runner_with_a_new_address_and_the_usual_program_is_not_the_intruder() {
        let runs = |ip: &str, at: u8| AuditEvent {
            user_agent: Some("deploy/2".to_owned()),
            ..event(at, "stolen", ip, "PUT", "x")
        };
        let events = [runs("run 1", 1), runs("run 2", 2), event(3, "stolen", "bad", "POST", "child"), runs("bad", 4)];
        let found = closure(&events, &["ci"]);
        assert_eq!(
            (&found.principals[0].hostile_ips[..], ids(&found).0),
            (&["bad".into()][..], sure(&["stolen", "child"]))
        );
        assert_eq!(found.principals[0].open_ips, ["run 1", "run 2"]);
    }

    #[test]
    fn whom_the_intruder_let_in_makes_the_intruders_tokens_wherever_they_are() {
        let invite = |at: u8, email: &str| AuditEvent {
            after: Some(serde_json::json!({ "email": email })),
            ..act(at, Some("stolen"), "bad", "POST", "/client/v4/accounts/a/members", "m")
        };
        let by = |at: u8, email: &str, target: &str| AuditEvent {
            email: Some(email.to_owned()),
            ..act(at, None, "home", "POST", PATH, target)
        };
        let events = [
            by(1, "maya@a.example", "maya's"),
            invite(2, "eve@b.example"),
            invite(3, "maya@a.example"),
            by(4, "Eve@b.example", "eve's"),
            by(5, "maya@a.example", "another of maya's"),
            event(6, "eve's", "elsewhere", "POST", "next"),
        ];
        let found = closure(&events, &["ci"]);
        assert_eq!(ids(&found).0, sure(&["stolen", "eve's", "next"]));
        assert_eq!(found.principals[0].let_in, ["eve@b.example"]);
    }

    #[test]
    fn a_token_that_was_used_where_only_the_intruder_is_is_held_as_well() {
        let new = |event: AuditEvent| AuditEvent { unexplained: true, ..event };
        let mut events = vec![event(1, "stolen", "bad", "PUT", "x"), new(event(2, "backup", "bad", "POST", "child"))];
        events.push(event(3, "backup", "office", "POST", "honest"));
        events.push(event(4, "child", "worse", "POST", "grandchild"));
        // That which quell acts with may be anywhere.
        events.push(event(5, "ours", "bad", "POST", "ours too"));
        let found = closure(&events, &["ci"]);
        let backup = [("backup".to_owned(), false)];
        assert_eq!(ids(&found).0, [sure(&["stolen", "child", "grandchild"]), backup.to_vec()].concat());
        assert_eq!(found.get("backup").and_then(|grip| grip.used).map(|used| used.id.as_str()), Some("2"));
    }

    #[test]
    fn the_path_of_an_act_tells_the_owner() {
        let mut events = vec![event(1, "stolen", "bad", "POST", "of-account")];
        let mut of_user = act(2, None, "bad", "POST", "/client/v4/user/tokens", "of-user");
        of_user.email = Some("a@b.example".to_owned());
        events.push(of_user);
        assert_eq!(owner_in_log("of-account", &events).as_deref(), Some("account"));
        assert_eq!(owner_in_log("of-user", &events).as_deref(), Some("a@b.example"));
        assert_eq!(owner_in_log("unheard-of", &events), None);
    }
}
