//! What the hunts say: of each technique what is known, and who made what.

use serde::{Deserialize, Serialize};

use super::book::Book;
use crate::hunt::graph::{Graph, Node};
use crate::hunt::usage::{Place, Usage};
use crate::model::Attribution;

/// What is known of one technique.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictRow {
    /// Row of the technique catalogue.
    pub technique: String,
    /// What the intruder does, in a few words.
    pub title: String,
    /// `confirmed`, `ruled out` or `cannot be known`.
    pub verdict: String,
    /// What it rests on, or why nobody can say.
    pub because: Vec<String>,
    /// Findings that confirm it or leave it open.
    pub findings: Vec<String>,
}

/// A principal of the creation graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrincipalNode {
    /// What it is and what it is called.
    pub title: String,
    /// The one that made or widened it; none for a suspect.
    pub by: Option<String>,
    /// How it came into the intruder's hands.
    pub tie: String,
    /// When.
    pub at: Option<String>,
    /// What it wrote.
    pub reach: String,
    /// Its first act.
    pub first: Option<String>,
    /// Its last act.
    pub last: Option<String>,
}

/// A use of a credential.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedRow {
    /// The credential: what it is and what it is called.
    pub title: String,
    /// True where the intruder holds it and others use it honestly.
    pub shared: bool,
    /// Address.
    pub ip: Option<String>,
    /// Program; may be chosen by an attacker.
    pub user_agent: Option<String>,
    /// Kind of access: `api_token`, `api_key`, `dash`.
    pub context: Option<String>,
    /// What is new about it.
    pub new: String,
    /// Whose doing it is taken to be.
    pub whose: String,
    /// Writes that took effect.
    pub writes: u64,
    /// Reads.
    pub reads: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Its first act.
    pub first: String,
    /// Its last act.
    pub last: String,
}

pub(super) fn used(book: &Book<'_>) -> Vec<UsedRow> {
    let second = |at: jiff::Timestamp| at.strftime("%FT%TZ").to_string();
    let row = |usage: &Usage, place: &Place| UsedRow {
        title: usage.title(),
        shared: usage.shared,
        ip: place.ip.clone(),
        user_agent: place.user_agent.clone(),
        context: place.context.clone(),
        new: place.standing.words().to_owned(),
        whose: match place.whose {
            Attribution::Intruder => "the intruder's",
            Attribution::Shared => "shared: nobody can say",
            Attribution::Other | Attribution::Unattributed if place.unexplained => "not explained",
            Attribution::Other | Attribution::Unattributed => "others'",
        }
        .to_owned(),
        writes: place.writes,
        reads: place.reads,
        failed: place.failed,
        first: second(place.first),
        last: second(place.last),
    };
    let telling = book.facts.usages.iter().filter(|usage| usage.held || usage.unexplained);
    telling.flat_map(|usage| usage.places.iter().map(move |place| row(usage, place))).collect()
}

pub(super) fn verdicts(book: &Book<'_>) -> Vec<VerdictRow> {
    let row = |judged: &crate::hunt::Judged| VerdictRow {
        technique: judged.technique.clone(),
        title: judged.title.clone(),
        verdict: judged.verdict.words().to_owned(),
        because: judged.because.clone(),
        findings: judged.findings.clone(),
    };
    book.facts.verdicts.iter().map(row).collect()
}

pub(super) fn principals(book: &Book<'_>) -> Vec<PrincipalNode> {
    let second = |at: jiff::Timestamp| at.strftime("%FT%TZ").to_string();
    let Some(graph) = &book.facts.graph else { return Vec::new() };
    let rows = graph.tree().into_iter();
    rows.map(|(_, node)| PrincipalNode {
        title: node.title(),
        by: node.by.and_then(|by| graph.nodes.get(by)).map(Node::title),
        tie: node.tie.words().to_owned(),
        at: node.at.map(second),
        reach: node.reach.words(),
        first: node.reach.first.map(second),
        last: node.reach.last.map(second),
    })
    .collect()
}

/// The graph as a Mermaid flowchart, where it shows more than one principal.
pub(super) fn diagram(book: &Book<'_>) -> Option<String> {
    book.facts.graph.as_ref().filter(|graph| graph.nodes.len() > 1).map(Graph::mermaid)
}
