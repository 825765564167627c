//! What the responder types, and what stands in a file for it.
//!
//! Two prompters answer the engine: [`Terminal`] asks a person, [`Answers`] reads a file that was prepared (see
//! [`answers`]). What is shown is made by pure functions ([`consent_text`] and its like), what is typed is read by pure functions ([`Verb::parse`], [`Selection::command`]); the dialogue between them is in
//! `terminal`.
//!
//! Rules that hold at every prompt: nothing is yes by default; an empty line asks again; input typed before a consent
//! prompt or an input is thrown away, and of several lines pasted into one none counts; the end of input is a pause.

pub mod answers;
mod approve;
mod ask;
mod consent;
mod decision;
mod hand;
mod input;
mod inspect;
mod keyboard;
mod line;
mod list;
mod plain;
mod second;
mod secret;
mod terminal;
mod verb;

pub use answers::{Answers, AnswersError, AnswersFile};
pub(crate) use approve::{Approved, approve_text, ask_approval};
pub use ask::{answer_to, question_text};
pub use consent::consent_text;
pub(crate) use consent::how_many;
pub use decision::decision_text;
pub use hand::hand_text;
pub use input::{InputReply, ask_input};
pub(crate) use inspect::differences;
pub use inspect::inspect_text;
pub use keyboard::{Keyboard, Typed, TypedLines};
pub(super) use list::is_plain;
pub use list::{Command, Selection, chosen_text, list_text};
pub use plain::{failure_text, go_on_text, second_text, unmet_text, wait_text};
pub(crate) use second::{Agreed, ask_second, seconded_text};
pub use secret::ask_secret;
pub use terminal::Terminal;
pub use verb::Verb;
