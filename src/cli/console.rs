//! What the responder sees while a run goes: everything here ends on stderr, through one [`Screen`].
//!
//! Texts are made by pure functions of what is to be said and a [`Style`], so that each can be read in a test. Colour
//! and symbols only repeat what a word says already. Whatever an attacker may have chosen goes through [`Style::show`].

mod bar;
mod difference;
mod header;
mod left;
mod line;
mod resumed;
mod screen;
mod standing;
mod style;
mod table;
mod text;
mod timers;
mod watch;

pub use crate::model::count;
pub use difference::difference_text;
pub use header::{credential, header, row};
pub use left::left_text;
pub use line::{effect_line, finding_line, gap_line};
pub use resumed::{Rested, resumed_text};
pub use screen::{Held, Screen, Volume};
pub use standing::Standing;
pub use style::{Style, Symbol, Tone};
pub use table::{Column, Room, table};
pub use text::{duration, shorten, still, width, wrap};
pub use timers::Timers;
pub use watch::Watch;
