//! From a scenario file to an account: first the healthy one, then what happened to it.

mod healthy;
mod inventory;
mod labels;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use serde_json::{Value, json};

use super::call::{Actor, Call, Change, Query, id_of};
use super::intruder::Intruder;
use super::plan::{Act, Plan, Traffic};
use super::scenario::{Innocent, Planted};
use super::world::Account;
use super::{audit, service, tokens};

pub(super) use healthy::healthy;
use labels::Labels;

/// An account and what is known about it.
#[derive(Debug)]
pub(super) struct Seeded {
    pub(super) account: Account,
    pub(super) labels: Labels,
    pub(super) truth: Vec<Planted>,
    pub(super) innocents: Vec<Innocent>,
}

/// The intruder of the scenario, for the variant in which it is awake.
pub(super) fn intruder(plan: &Plan, seeded: &Seeded) -> Result<Intruder, String> {
    let awake = plan.awake.as_ref().ok_or("nobody is awake")?;
    let label = format!("token.{}", awake.revives);
    let revives = seeded.labels.get(&label).ok_or_else(|| format!("no {label}"))?;
    let request = format!("PUT /accounts/{}/tokens/{revives}", seeded.account.id());
    let call = seeded.call(plan, &awake.by, &request, &Value::Null, Timestamp::UNIX_EPOCH)?;
    Ok(Intruder::new(call, revives.to_owned(), awake.every))
}

/// The account at the moment of discovery, `now`.
pub(super) fn play(plan: &Plan, now: Timestamp) -> Result<Seeded, String> {
    let mut seeded = healthy(plan, now)?;
    let mut events = Vec::new();
    for traffic in &plan.traffic {
        repeated(traffic, now, &mut events)?;
    }
    for act in &plan.acts {
        events.push((moment(now, &act.at)?, Event::Act(act)));
    }
    events.sort_by_key(|(at, _)| *at);
    for (at, event) in events {
        match event {
            Event::Act(act) => seeded.act(plan, act, at)?,
            Event::Traffic { by, request } => seeded.traffic(plan, by, request, at)?,
        }
    }
    Ok(seeded)
}

enum Event<'a> {
    Act(&'a Act),
    Traffic { by: &'a str, request: &'a str },
}

fn repeated<'a>(traffic: &'a Traffic, now: Timestamp, events: &mut Vec<(Timestamp, Event<'a>)>) -> Result<(), String> {
    let every: SignedDuration = traffic.every.parse().map_err(|error| format!("{}: {error}", traffic.every))?;
    let mut at = moment(now, &traffic.from)?;
    for request in traffic.requests.iter().cycle() {
        if at >= now {
            break;
        }
        events.push((at, Event::Traffic { by: &traffic.by, request }));
        at = at.checked_add(every).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// A relative time of the file.
fn moment(now: Timestamp, relative: &str) -> Result<Timestamp, String> {
    let span: Span = relative.parse().map_err(|error| format!("{relative}: {error}"))?;
    let zoned = now.to_zoned(TimeZone::UTC).checked_add(span).map_err(|error| format!("{relative}: {error}"))?;
    Ok(zoned.timestamp())
}

impl Seeded {
    fn call(&self, plan: &Plan, by: &str, request: &str, body: &Value, at: Timestamp) -> Result<Call, String> {
        let caller = plan.callers.get(by).ok_or_else(|| format!("no caller {by}"))?;
        let (method, path) = request.split_once(' ').ok_or_else(|| format!("no method in {request}"))?;
        let person = |key: &str| plan.people.iter().find(|person| person.key == key);
        let actor = match caller.credential.split_once(':') {
            Some(("token", key)) => {
                let id = self.labels.get(&format!("token.{key}")).ok_or_else(|| format!("no token {key}"))?;
                Actor::Token(id.to_owned())
            }
            Some((kind, key)) => {
                let email = person(key).ok_or_else(|| format!("no person {key}"))?.email.clone();
                match kind {
                    "key" => Actor::GlobalKey(email),
                    "application" => Actor::Application(email),
                    _ => Actor::Dashboard(email),
                }
            }
            None => Actor::System,
        };
        Ok(Call {
            actor,
            ip: caller.ip.clone(),
            agent: caller.agent.clone(),
            method: method.to_owned(),
            path: self.labels.fill(path),
            query: Query::default(),
            body: self.labels.fill_all(body),
            jurisdiction: body["jurisdiction"].as_str().unwrap_or("default").to_owned(),
            at,
        })
    }

    /// Traffic is only written into the log.
    fn traffic(&mut self, plan: &Plan, by: &str, request: &str, at: Timestamp) -> Result<(), String> {
        let call = self.call(plan, by, request, &Value::Null, at)?;
        let zone = self.account.zone_of(&call, None);
        let id = zone.map(|zone| id_of(&zone.object).to_owned()).unwrap_or_default();
        let change = Change { after: json!({ "id": id }), id, before: Value::Null };
        audit::record(&mut self.account, &call, 200, (call.method != "GET").then_some(&change));
        if let Actor::Token(token) = &call.actor {
            tokens::used(&mut self.account, token, at);
        }
        Ok(())
    }

    fn act(&mut self, plan: &Plan, act: &Act, at: Timestamp) -> Result<(), String> {
        let call = self.call(plan, &act.by, &act.request, &act.body, at)?;
        let refused = |errors: &Value| format!("{} by {}: {errors}", act.request, act.by);
        let reply = service::perform(&mut self.account, &call).map_err(|refusal| refused(&refusal.errors))?;
        let nothing = Change { id: String::new(), before: Value::Null, after: Value::Null };
        let is_read = call.method == "GET";
        let change = reply.change.or(is_read.then_some(nothing)).ok_or_else(|| refused(&"changes nothing".into()))?;
        let part = changed_rule(&change);
        if let Some(label) = &act.makes {
            self.labels.set(label, part.as_deref().unwrap_or(&change.id));
        }
        let name = name_of(&change, part.as_deref());
        let zone = self.account.zone_of(&call, Some(&change));
        let zone = zone.and_then(|zone| zone.object["name"].as_str()).map(str::to_owned);
        if let Some(planted) = &act.planted {
            self.truth.push(Planted {
                family: planted.family.clone(),
                id: change.id.clone(),
                part: part.clone(),
                name: name.clone(),
                zone: zone.clone(),
                technique: planted.technique.clone(),
                what: planted.what.clone(),
                before: change.before.clone(),
                after: change.after.clone(),
            });
        }
        if let Some(innocent) = &act.innocent {
            let (family, why) = (innocent.family.clone(), innocent.why.clone());
            self.innocents.push(Innocent { family, id: change.id, part, name, zone, why });
        }
        Ok(())
    }
}

/// The rule by which two versions of a ruleset differ.
fn changed_rule(change: &Change) -> Option<String> {
    let rules = |version: &Value| version["rules"].as_array().cloned().unwrap_or_default();
    let before = rules(&change.before);
    rules(&change.after).iter().find(|rule| !before.contains(rule)).map(|rule| id_of(rule).to_owned())
}

/// The name of an object, or what comes nearest to one.
fn name_of(change: &Change, rule: Option<&str>) -> String {
    let object = if change.after.is_null() { &change.before } else { &change.after };
    let mut rules = object["rules"].as_array().into_iter().flatten();
    let object = rules.find(|it| Some(id_of(it)) == rule).unwrap_or(object);
    ["/description", "/name", "/email", "/configuration/value", "/hosts/0", "/hostnames/0"]
        .into_iter()
        .find_map(|pointer| object.pointer(pointer)?.as_str().filter(|text| !text.is_empty()))
        .unwrap_or_default()
        .to_owned()
}
