use serde::{Deserialize, Serialize};

/// What somebody's words are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// A note.
    #[default]
    Note,
    /// A decision.
    Decision,
    /// Something that is still to be done.
    Todo,
    /// A status update that was given to others.
    Update,
    /// What whoever takes over must know.
    Handoff,
}

impl NoteKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Note, Self::Decision, Self::Todo, Self::Update, Self::Handoff];

    /// The command, and the word at a prompt, by which it is written down.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Decision => "decide",
            Self::Todo => "todo",
            Self::Update => "update",
            Self::Handoff => "handoff",
        }
    }

    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Decision => "decision",
            Self::Todo => "todo",
            Self::Update => "update",
            Self::Handoff => "handoff",
        }
    }

    /// Whether it is the kind of a journal from before there were kinds.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(super) const fn is_note(&self) -> bool {
        matches!(self, Self::Note)
    }
}
