//! The creation graph: who made or widened which principal, what those did, and so on until nothing new turns up.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::audit::{AuditEvent, Principal, attribute};
use crate::escape;
use crate::model::{Attribution, count};

/// A principal that an act made or changed, as a wing reads it from the act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// What happened to it.
    pub tie: Tie,
    /// What it is: `token`, `member`, `service token`.
    pub kind: &'static str,
    /// What later acts name it by: an id, or the e-mail of a member.
    pub id: String,
    /// What it is called; may be chosen by an attacker.
    pub name: String,
    /// The principal that made it, where that is another than the one that acted: an application, for somebody.
    pub through: Option<String>,
}

/// How a wing reads acts.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The principal that an act made or changed; none for any other act.
    pub made: fn(&AuditEvent) -> Option<Made>,
    /// The kind of resource that an act was on.
    pub family: fn(&AuditEvent) -> String,
}

/// How a principal came into the intruder's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// It is the suspect, or acts from a hostile address.
    Suspected,
    /// It was made.
    Created,
    /// It was invited, or given more rights.
    Invited,
    /// Its rights were changed.
    Widened,
    /// Its secret was made anew, and read.
    Rolled,
}

impl Tie {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Created => "created",
            Self::Invited => "invited",
            Self::Widened => "widened",
            Self::Rolled => "rolled",
        }
    }
}

/// A principal in the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// What it is.
    pub kind: String,
    /// What acts name it by.
    pub id: String,
    /// What it is called; may be chosen by an attacker.
    pub name: String,
    /// How it came into the intruder's hands.
    pub tie: Tie,
    /// The node that did that; none for a suspect.
    pub by: Option<usize>,
    /// When.
    pub at: Option<Timestamp>,
    /// What it did.
    pub reach: Reached,
}

/// The blast radius of a principal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reached {
    /// Writes that took effect, by kind of resource and zone.
    pub writes: Vec<Writes>,
    /// Attempts that failed.
    pub failed: u64,
    /// Its first act.
    pub first: Option<Timestamp>,
    /// Its last act.
    pub last: Option<Timestamp>,
}

/// So many writes to one kind of resource in one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Writes {
    /// Family of the resource; where it is of none, its kind as the log has it.
    pub kind: String,
    /// The zone, for what lives in one.
    pub zone: Option<String>,
    /// How many.
    pub count: u64,
}

/// Who made what, from the suspects on. Parents come before what they made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// The principals.
    pub nodes: Vec<Node>,
}

impl Graph {
    /// Follows the acts of what the intruder holds.
    ///
    /// What is in the intruder's hands acts as the intruder: an invited member by its e-mail, a token by its id. Acts that
    /// are the intruder's by their address alone are put under whoever they name.
    pub fn grow(suspects: &[String], principals: &[Principal], events: &[AuditEvent], reading: Reading) -> Self {
        let mut graph = Self::default();
        for id in suspects {
            let name = principals.iter().find(|held| held.token_id == *id).map(|held| held.token_name.clone());
            graph.add(Tie::Suspected, "token", id, &name.unwrap_or_default(), None, None);
        }
        let mut acts: Vec<&AuditEvent> = events.iter().filter(|event| event.is_write()).collect();
        acts.sort_by_key(|event| event.at);
        loop {
            let before = graph.nodes.len();
            for event in acts.iter().filter(|event| event.success) {
                let actor = graph.actor(event, principals);
                let Some(made) = (reading.made)(event) else { continue };
                let through = graph.nodes.iter().position(|node| made.through.as_ref() == Some(&node.id));
                let Some(by) = through.or(actor) else { continue };
                if graph.nodes[by].id != made.id {
                    graph.add(made.tie, made.kind, &made.id, &made.name, Some(by), Some(event.at));
                }
            }
            if graph.nodes.len() == before {
                break;
            }
        }
        let mut writes: Vec<BTreeMap<(String, Option<String>), u64>> = vec![BTreeMap::new(); graph.nodes.len()];
        for event in acts {
            let Some(actor) = graph.actor(event, principals) else { continue };
            let reach = &mut graph.nodes[actor].reach;
            reach.first = reach.first.min(Some(event.at)).or(Some(event.at));
            reach.last = reach.last.max(Some(event.at));
            if event.success {
                *writes[actor].entry(((reading.family)(event), event.zone.clone())).or_default() += 1;
            } else {
                reach.failed += 1;
            }
        }
        for (node, writes) in graph.nodes.iter_mut().zip(writes) {
            node.reach.writes = writes.into_iter().map(|((kind, zone), count)| Writes { kind, zone, count }).collect();
        }
        graph
    }

    /// The node that did it, where the act is the intruder's; an address that acts by a credential which nobody named
    /// becomes one.
    fn actor(&mut self, event: &AuditEvent, principals: &[Principal]) -> Option<usize> {
        let known = |id: Option<&String>| id.and_then(|id| self.nodes.iter().position(|node| node.id == *id));
        let hostile = attribute(event, principals) == Attribution::Intruder;
        if let Some(token) = &event.token_id {
            // A token that was made or rolled by the intruder is told from honest use by its addresses.
            let name = event.token_name.as_deref().unwrap_or(token);
            return match known(Some(token)) {
                _ if !hostile => None,
                None => Some(self.add(Tie::Suspected, "token", token, name, None, None)),
                known => known,
            };
        }
        if let Some(member) = known(event.email.as_ref()).filter(|at| self.nodes[*at].tie == Tie::Invited) {
            return Some(member);
        }
        if !hostile {
            return None;
        }
        let kind = match event.context.as_deref() {
            Some("api_key") => "global API key of",
            Some("origin_ca_key") => "Origin CA key of",
            Some("dash") => "dashboard session of",
            Some("oauth") => "OAuth grant of",
            _ => "address",
        };
        let name = event.email.clone().filter(|_| kind != "address").or_else(|| event.ip.clone())?;
        let id = format!("{kind} {name}");
        match self.nodes.iter().position(|node| node.id == id) {
            Some(at) => Some(at),
            None => Some(self.add(Tie::Suspected, kind, &id, &name, None, None)),
        }
    }

    fn add(&mut self, tie: Tie, kind: &str, id: &str, name: &str, by: Option<usize>, at: Option<Timestamp>) -> usize {
        if let Some(known) = self.nodes.iter().position(|node| node.id == id) {
            return known;
        }
        let (kind, id, name) = (kind.to_owned(), id.to_owned(), name.to_owned());
        self.nodes.push(Node { kind, id, name, tie, by, at, reach: Reached::default() });
        self.nodes.len() - 1
    }

    /// The nodes as a tree: how deep each stands, and the node; what one made comes right after it.
    pub fn tree(&self) -> Vec<(usize, &Node)> {
        let mut rows = Vec::new();
        let roots = (0..self.nodes.len()).filter(|at| self.nodes[*at].by.is_none());
        roots.for_each(|at| self.below(at, 0, &mut rows));
        rows
    }

    fn below<'g>(&'g self, at: usize, depth: usize, rows: &mut Vec<(usize, &'g Node)>) {
        rows.push((depth, &self.nodes[at]));
        let made = (0..self.nodes.len()).filter(|child| self.nodes[*child].by == Some(at));
        made.for_each(|child| self.below(child, depth + 1, rows));
    }

    /// As a Mermaid flowchart.
    pub fn mermaid(&self) -> String {
        let mut text = String::from("flowchart TD\n");
        for (at, node) in self.nodes.iter().enumerate() {
            let label = escape::mermaid(&node.title());
            text.push_str(&format!("  n{at}[\"{label}<br/>{}\"]\n", escape::mermaid(&node.reach.words())));
        }
        for (at, node) in self.nodes.iter().enumerate() {
            if let Some(by) = node.by {
                text.push_str(&format!("  n{by} -->|{}| n{at}\n", node.tie.words()));
            }
        }
        text
    }
}

impl Node {
    /// `token ci-deploy`: not escaped.
    pub fn title(&self) -> String {
        let name = if self.name.is_empty() { &self.id } else { &self.name };
        format!("{} {name}", self.kind)
    }
}

/// So many kinds of what was written are told in a line.
const KINDS: usize = 8;

impl Writes {
    /// `3 dns_records in a.example`.
    fn words(&self) -> String {
        let zone = self.zone.as_ref().map(|zone| format!(" in {zone}")).unwrap_or_default();
        format!("{} {}{zone}", self.count, self.kind)
    }
}

impl Reached {
    /// `12 writes in 2 zones (9 dns_records in a.example, 3 members), 2 failed`; kinds that are most written come first, and
    /// no more than [`KINDS`]. Not escaped.
    pub fn words(&self) -> String {
        let total: u64 = self.writes.iter().map(|writes| writes.count).sum();
        let mut zones: Vec<&str> = self.writes.iter().filter_map(|writes| writes.zone.as_deref()).collect();
        zones.sort_unstable();
        zones.dedup();
        let mut words = match total {
            0 => String::from("no writes"),
            1 => String::from("1 write"),
            total => format!("{total} writes"),
        };
        if !zones.is_empty() {
            words.push_str(&format!(" in {}", count(zones.len(), "zone")));
        }
        let mut kinds: Vec<&Writes> = self.writes.iter().collect();
        kinds.sort_by_key(|writes| std::cmp::Reverse(writes.count));
        let mut parts: Vec<String> = kinds.iter().take(KINDS).map(|writes| writes.words()).collect();
        if kinds.len() > KINDS {
            parts.push(format!("{} more", count(kinds.len() - KINDS, "kind")));
        }
        if !parts.is_empty() {
            words.push_str(&format!(" ({})", parts.join(", ")));
        }
        if self.failed > 0 {
            words.push_str(&format!(", {} failed", self.failed));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Graph, Made, Reading, Tie};
    use crate::hunt::{AuditEvent, Principal};

    fn act(at: u8, by: &serde_json::Value, kind: &str, target: &str) -> AuditEvent {
        let mut event = json!({
            "id": at.to_string(), "at": format!("2026-11-20T00:{at:02}:00Z"), "action": "create", "success": true,
            "resource_type": kind, "resource_id": target, "ip": "203.0.113.1", "log": "v2", "zone": "one.example",
        });
        for (name, value) in by.as_object().unwrap() {
            event[name] = value.clone();
        }
        serde_json::from_value(event).unwrap()
    }

    fn made(event: &AuditEvent) -> Option<Made> {
        let (tie, kind) = match event.resource_type.as_str() {
            "token" => (Tie::Created, "token"),
            "member" => (Tie::Invited, "member"),
            _ => return None,
        };
        let id = event.resource_id.clone()?;
        let through = event.after.as_ref().and_then(|after| after["through"].as_str()).map(str::to_owned);
        Some(Made { tie, kind, name: id.clone(), id, through })
    }

    const READING: Reading = Reading { made, family: |event| format!("{}s", event.resource_type) };

    fn held(id: &str) -> Principal {
        Principal {
            token_id: id.into(),
            token_name: id.into(),
            intruder_made: true,
            honest_ips: vec![],
            hostile_ips: vec!["203.0.113.1".into()],
            mixed_ips: vec![],
            open_ips: vec![],
            let_in: Vec::new(),
        }
    }

    #[test]
    fn members_and_grandchildren_are_followed_and_circles_end() {
        let events = [
            act(1, &json!({ "token_id": "stolen" }), "token", "child"),
            act(2, &json!({ "token_id": "child" }), "member", "eve@evil.example"),
            act(
                3,
                &json!({ "email": "eve@evil.example", "context": "dash", "ip": "192.0.2.9" }),
                "token",
                "grandchild",
            ),
            act(4, &json!({ "token_id": "grandchild" }), "token", "stolen"),
            // Somebody's application, which the intruder made, mints a token: it is of the application.
            act(
                8,
                &json!({ "email": "owner@a.example", "context": "oauth", "ip": "198.51.100.1",
                "after": { "through": "child" } }),
                "token",
                "minted",
            ),
            act(5, &json!({ "token_id": "grandchild" }), "dns_record", "r"),
            act(6, &json!({ "token_id": "maya", "ip": "198.51.100.1" }), "token", "honest"),
            act(7, &json!({ "email": "owner@a.example", "context": "api_key" }), "dns_record", "r"),
        ];
        let graph =
            Graph::grow(&["stolen".into()], &[held("stolen"), held("child"), held("grandchild")], &events, READING);
        let tree: Vec<_> =
            graph.tree().into_iter().map(|(depth, node)| (depth, node.title(), node.tie, node.reach.words())).collect();
        let row = |depth, title: &str, tie, words: &str| (depth, title.to_owned(), tie, words.to_owned());
        assert_eq!(
            tree,
            [
                row(0, "token stolen", Tie::Suspected, "1 write in 1 zone (1 tokens in one.example)"),
                row(1, "token child", Tie::Created, "1 write in 1 zone (1 members in one.example)"),
                row(2, "member eve@evil.example", Tie::Invited, "1 write in 1 zone (1 tokens in one.example)"),
                row(
                    3,
                    "token grandchild",
                    Tie::Created,
                    "2 writes in 1 zone (1 dns_records in one.example, 1 tokens in one.example)"
                ),
                row(2, "token minted", Tie::Created, "no writes"),
                row(
                    0,
                    "global API key of owner@a.example",
                    Tie::Suspected,
                    "1 write in 1 zone (1 dns_records in one.example)"
                ),
            ]
        );
        assert_eq!(graph.nodes[0].reach.first.map(|at| at.to_string()).as_deref(), Some("2026-11-20T00:01:00Z"));
    }

    #[test]
    fn a_name_ends_no_label_of_a_diagram() {
        let mut event = act(1, &json!({ "token_id": "stolen" }), "token", "a\"]<b>");
        event.zone = None;
        let graph = Graph::grow(&["stolen".into()], &[held("stolen")], &[event], READING);
        let text = graph.mermaid();
        assert!(text.contains("n0 -->|created| n1") && !text.contains("<b>") && !text.contains("a\"]"), "{text}");
    }
}
