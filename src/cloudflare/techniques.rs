//! What an intruder does with an account, as data: by which acts and differences it shows, how it is stopped and taken
//! back, and what of it nobody can see.
//!
//! One entry, one technique. Paths are those of the published schema; techniques of ATT&CK are named as in the version
//! that [`ATTACK_VERSION`](crate::hunt::technique::ATTACK_VERSION) says.

mod dns;
mod exfiltration;
mod impact;
mod persistence;
mod private;
mod traffic;

use crate::hunt::technique::{Act, Lever, Show, Technique};
use crate::hunt::{AuditEvent, Difference};

/// All entries, by what they are for.
const TABLES: &[&[Technique]] =
    &[persistence::TECHNIQUES, traffic::TECHNIQUES, private::TECHNIQUES, exfiltration::TECHNIQUES, impact::TECHNIQUES];

/// Every technique.
pub fn techniques() -> impl Iterator<Item = &'static Technique> {
    TABLES.iter().copied().flatten()
}

/// The technique with this id, in whatever case it is written.
pub fn technique(id: &str) -> Option<&'static Technique> {
    techniques().find(|technique| technique.id.eq_ignore_ascii_case(id))
}

/// An act that makes or changes something.
fn is_no_deletion(event: &AuditEvent) -> bool {
    event.action != "delete"
}

const fn act(does: &'static str, path: &'static str) -> Act {
    Act::new(does, path)
}

const fn show(family: &'static str, when: fn(&Difference) -> bool) -> Show {
    Show { family, when }
}

/// What only a person can do.
const fn by_hand(text: &'static str) -> Lever {
    Lever { actions: &[], text }
}

/// What an action of the catalogue does.
const fn by(actions: &'static [&'static str], text: &'static str) -> Lever {
    Lever { actions, text }
}

/// What the settling of findings does, step by step and read back.
const fn settled(text: &'static str) -> Lever {
    by(&["cloudflare.findings.settle"], text)
}
