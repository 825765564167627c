//! Two lanes in one table: what the responders did, and what the records tell of the intruder.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::book::Book;
use super::words::time;
use crate::model::Attribution;

mod intruder;
mod responder;

/// One row of the timeline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineRow {
    /// When; the responder's lane by this machine's clock, the intruder's by the provider's.
    pub at: String,
    /// `responder`, `intruder`, or `shared` for a credential that honest use and the intruder have in common.
    pub lane: String,
    /// Who.
    pub who: String,
    /// What.
    pub what: String,
    /// Where it stands written: an entry of the journal (`#12`), a log, a finding.
    pub source: String,
    /// Digests of evidence.
    pub evidence: Vec<String>,
}

/// A row before it is sorted in.
struct Dated {
    at: Timestamp,
    row: TimelineRow,
}

pub(super) fn timeline(book: &Book<'_>) -> Vec<TimelineRow> {
    let mut rows = responder::rows(book);
    // Entries keep the order in which they were written, also where the clock was set back between them.
    let mut latest = Timestamp::MIN;
    for dated in &mut rows {
        latest = latest.max(dated.at);
        dated.at = latest;
    }
    rows.extend(responder::elsewhere(book));
    rows.extend(intruder::rows(book));
    rows.sort_by_key(|dated| dated.at);
    rows.into_iter().map(|dated| dated.row).collect()
}

/// The earliest act that is attributed to the intruder.
pub(super) fn first_hostile_act(book: &Book<'_>) -> Option<Timestamp> {
    let acts = book.facts.events.iter().filter(|(act, _)| book.facts.attribute(act) == Attribution::Intruder);
    let found = book.source.state.findings.values().filter(|finding| is_hostile(finding));
    acts.map(|(act, _)| act.at).chain(found.filter_map(|finding| finding.at)).min()
}

fn is_hostile(finding: &crate::model::Finding) -> bool {
    finding.attribution == Attribution::Intruder && finding.status != crate::model::FindingStatus::RuledOut
}

fn row(at: Timestamp, lane: &str, who: String, what: String, source: String) -> Dated {
    Dated { at, row: TimelineRow { at: time(at), lane: lane.to_owned(), who, what, source, evidence: Vec::new() } }
}
