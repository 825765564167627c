//! What an intruder does with an account, as data: by which acts and differences it shows, how it is stopped and taken
//! back, and what of it nobody can see.
//!
//! One entry, one technique; the last is whatever no other names. Paths are those of the published schema; techniques of
//! ATT&CK are named as in the version that [`ATTACK_VERSION`](crate::hunt::technique::ATTACK_VERSION) says.

mod dns;
mod exfiltration;
mod impact;
mod lists;
mod persistence;
mod phases;
mod private;
mod rest;
mod traffic;

use crate::cloudflare::families::about;
use crate::hunt::technique::{Act, Lever, Show, Technique};
use crate::hunt::usage::{Kind, principal};
use crate::hunt::{AuditEvent, Difference};
use crate::model::Change;

pub use phases::{Phases, has_phase};
pub use rest::{BY_ITSELF, ByItself, LEAVE_NOTHING};

/// The entries that say what is done, by what it is for.
const TABLES: &[&[Technique]] =
    &[persistence::TECHNIQUES, traffic::TECHNIQUES, private::TECHNIQUES, exfiltration::TECHNIQUES, impact::TECHNIQUES];

/// Every technique; the last is whatever no other names.
pub fn techniques() -> impl Iterator<Item = &'static Technique> {
    named().chain(std::iter::once(&*rest::TECHNIQUE))
}

/// Those that say what is done.
fn named() -> impl Iterator<Item = &'static Technique> {
    TABLES.iter().copied().flatten()
}

/// The technique with this id, in whatever case it is written.
pub fn technique(id: &str) -> Option<&'static Technique> {
    techniques().find(|technique| technique.id.eq_ignore_ascii_case(id))
}

/// The techniques that a difference is of; none for one that came about by itself.
///
/// Where none shows it, the writes that made it say what it is of. A technique that looks at the family has seen the
/// difference, and it is none of its: how it differs says more than the path of a write. What is left is of the last one.
pub fn of_difference(difference: &Difference, writes: &[&AuditEvent]) -> Vec<&'static Technique> {
    let is_by_itself = |it: &ByItself| it.shows.family == difference.family && (it.shows.when)(difference);
    // A log may have what comes about by itself as well: then it names nobody.
    let is_nobodys = |event: &&AuditEvent| {
        let is_of_another = |path| about(path).is_none_or(|(family, _)| family.name != difference.family);
        !event.path().is_some_and(is_of_another) && principal(event).0 == Kind::Unnamed
    };
    if writes.iter().all(is_nobodys) && BY_ITSELF.iter().any(is_by_itself) {
        return Vec::new();
    }
    let shown: Vec<_> = named().filter(|technique| technique.is_shown_by(difference)).collect();
    if !shown.is_empty() {
        return shown;
    }
    let unseen = named().filter(|technique| !technique.looks_at(&difference.family));
    or_rest(unseen.filter(|technique| writes.iter().any(|event| technique.is_deed(event))))
}

/// The techniques that an act is of by what was done; none for one that leaves nothing behind.
pub fn of_act(event: &AuditEvent) -> Vec<&'static Technique> {
    if LEAVE_NOTHING.iter().any(|(act, _)| act.is(event)) {
        return Vec::new();
    }
    or_rest(named().filter(|technique| technique.is_deed(event)))
}

/// The techniques that an act is of by who did it and with what.
pub fn of_actor(event: &AuditEvent) -> impl Iterator<Item = &'static Technique> {
    named().filter(|technique| technique.is_told_by_actor(event))
}

/// These, or the one for whatever none of them names.
fn or_rest(these: impl Iterator<Item = &'static Technique>) -> Vec<&'static Technique> {
    let these: Vec<_> = these.collect();
    if these.is_empty() { vec![&rest::TECHNIQUE] } else { these }
}

/// Whether a difference that `found` were told of settles whether the write that made it was of this technique as well: it
/// is one of them, or it looks at the family, and saw otherwise. That something is there says nothing of a deletion.
pub fn is_settled(technique: &Technique, difference: &Difference, write: &AuditEvent, found: &[&Technique]) -> bool {
    let is_undone = write.action == "delete" && difference.change() != Change::Removed;
    let is_seen = is_rest(technique) || (technique.looks_at(&difference.family) && !is_undone);
    is_seen || found.iter().any(|it| it.id == technique.id)
}

/// Whether it is whatever no other names.
pub fn is_rest(technique: &Technique) -> bool {
    technique.id == rest::TECHNIQUE.id
}

/// What is added to the words about a ruleset of which nothing says the phase.
pub const EITHER: &str = " Nothing says of which phase the ruleset is: perhaps CF-T05 or CF-T12.";

/// The techniques that a ruleset of which nothing says the phase may be of: neither is ruled out, and neither confirmed.
pub const OF_RULESETS: [&str; 2] = ["CF-T05", "CF-T12"];

/// Whether a finding is of a ruleset of which nothing says the phase.
pub fn is_either(technique: &str, family: &str) -> bool {
    technique == rest::TECHNIQUE.id && has_phase(family)
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
