//! The edge: the only floor that prints, prompts and reads what is typed.

pub mod console;
pub mod prompt;
