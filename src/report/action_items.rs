//! What people said is still to be done.

use serde::{Deserialize, Serialize};

use super::book::Book;
use super::words::time;
use crate::journal::{EffectStatus, Entry, Event, Left, NoteKind};
use crate::model::Disposition;

/// Something that is still to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionItem {
    /// What.
    pub what: String,
    /// Who does it, where somebody was named.
    pub owner: Option<String>,
    /// What it is about: a step, or the whole incident.
    pub about: String,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: String,
    /// Number of the entry.
    pub entry: u64,
}

/// Those that were written down, and the changes that were left to somebody and not made since.
pub(super) fn action_items(book: &Book<'_>) -> Vec<ActionItem> {
    let mut items = Vec::new();
    for entry in book.source.entries {
        let to_do: Vec<(String, Option<String>)> = match &entry.event {
            Event::Noted { text, kind: NoteKind::Todo } => vec![(text.clone(), None)],
            Event::Consented { left, .. } | Event::RowsLeft { left } => {
                left.iter().filter_map(|row| left_to(book, entry, row)).collect()
            }
            _ => Vec::new(),
        };
        items.extend(to_do.into_iter().map(|(what, owner)| ActionItem {
            what,
            owner,
            about: book.about(entry),
            by: book.writer(entry),
            at: time(entry.at),
            entry: entry.seq,
        }));
    }
    items
}

/// A row that is left to an owner, where a later step has neither done the same nor left it anew.
fn left_to(book: &Book<'_>, entry: &Entry, row: &Left) -> Option<(String, Option<String>)> {
    let Disposition::Later { owner } = &row.disposition else { return None };
    let mut of_run = book.effects().filter(|effect| Some(&effect.run.opened.run) == entry.run.as_ref());
    let left = of_run.find(|effect| effect.state.effect.key == row.effect)?;
    let what = &left.state.effect;
    let is_same =
        |other: &super::book::Numbered<'_>| other.number > left.number && other.state.effect.summary == what.summary;
    let is_settled =
        |other: &super::book::Numbered<'_>| other.is_proven() || matches!(other.state.status, EffectStatus::Left(_));
    let mut since = book.effects().filter(|other| is_same(other) && other.state.effect.target == what.target);
    (!since.any(|other| is_settled(&other)))
        .then(|| (format!("{} ({})", what.summary, left.label()), Some(owner.clone())))
}
