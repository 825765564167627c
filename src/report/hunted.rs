//! What the hunts say: of each technique what is known, and who made what.

use serde::{Deserialize, Serialize};

use super::book::Book;
use crate::hunt::graph::{Graph, Node};

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
