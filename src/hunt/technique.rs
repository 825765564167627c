//! A technique of an intruder, as data, and how acts and differences are told to be one of it.

use super::audit::AuditEvent;
use super::item::{Difference, Item};
use crate::model::{Change, Severity};

/// A way in which an intruder uses an account, stays in it or does harm, as data. Adding one is adding an entry to a
/// wing's table.
#[derive(Debug, Clone, Copy)]
pub struct Technique {
    /// Its id in the catalogue: `CF-T07`.
    pub id: &'static str,
    /// What the intruder does, in a few words.
    pub title: &'static str,
    /// What it is for.
    pub aim: Aim,
    /// Techniques of MITRE ATT&CK, by the numbers of [`ATTACK_VERSION`]; none for what may be any of them.
    pub attack: &'static [&'static str],
    /// How bad it is if the intruder did it.
    pub severity: Severity,
    /// The acts that the audit log shows of it.
    pub acts: &'static [Act],
    /// The differences that a comparison shows of it.
    pub shows: &'static [Show],
    /// What of it no log and no list ever shows, in a sentence; empty where nothing is hidden. It is then never ruled out.
    pub hidden: &'static str,
    /// How it is stopped.
    pub contain: Lever,
    /// How it is taken back, and what proves that.
    pub revert: Lever,
    /// The same of what was added, where `revert` tells what to restore: nothing was there before. Empty elsewhere.
    pub withdraw: &'static str,
    /// Title of the page of the provider's documentation.
    pub page: &'static str,
}

/// The version of MITRE ATT&CK that the tables name techniques by.
pub const ATTACK_VERSION: &str = "19";

/// What a technique is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// Hold on to access.
    Persistence,
    /// Change what visitors, mail and resolvers get.
    Traffic,
    /// Reach what lies behind Access and tunnels.
    PrivateAccess,
    /// Take data out.
    Exfiltration,
    /// Take the domain, blind the defenders, destroy.
    Impact,
    /// Nobody knows.
    Other,
}

impl Aim {
    /// In words, as a heading.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Persistence => "Identity and persistence",
            Self::Traffic => "Traffic, content, name space",
            Self::PrivateAccess => "Zero Trust and network",
            Self::Exfiltration => "Collection and exfiltration",
            Self::Impact => "Domain control, impairment, impact",
            Self::Other => "Anything else",
        }
    }
}

/// How something is stopped or taken back.
#[derive(Debug, Clone, Copy)]
pub struct Lever {
    /// The actions of the catalogue that do it; none where only a person can.
    pub actions: &'static [&'static str],
    /// What to do, in a sentence.
    pub text: &'static str,
}

/// An act as the audit log shows it.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    /// `create`, `update`, `delete`; any of them where it is empty.
    pub does: &'static str,
    /// Path below the root of the API. A segment `*` stands for one of any text, a last segment `**` for all that follow.
    pub path: &'static str,
    /// What else must hold.
    pub only: fn(&AuditEvent) -> bool,
}

impl Act {
    /// An act on this path.
    pub const fn new(does: &'static str, path: &'static str) -> Self {
        Self { does, path, only: any_act }
    }

    /// The same, where something else holds as well.
    pub const fn only(self, only: fn(&AuditEvent) -> bool) -> Self {
        Self { only, ..self }
    }

    /// Whether it is told by who acts and with what, whatever is done: every path is of it.
    const fn is_of_anything(&self) -> bool {
        matches!(self.path.as_bytes(), b"/**")
    }

    /// Whether an act that took effect is of it.
    pub fn is(&self, event: &AuditEvent) -> bool {
        let does = if self.does.is_empty() { event.is_write() } else { event.action == self.does };
        does && event.path().is_some_and(|path| matches(self.path, path)) && (self.only)(event)
    }
}

/// A difference as a comparison shows it.
#[derive(Debug, Clone, Copy)]
pub struct Show {
    /// Name of the family.
    pub family: &'static str,
    /// Whether a difference of the family is one of the technique.
    pub when: fn(&Difference) -> bool,
}

const fn any_act(_: &AuditEvent) -> bool {
    true
}

impl Technique {
    /// Whether an act that took effect is one of the technique by what was done.
    pub fn is_deed(&self, event: &AuditEvent) -> bool {
        self.acts.iter().any(|act| !act.is_of_anything() && act.is(event))
    }

    /// Whether an act is one of the technique by who acted and with what, whatever was done.
    pub fn is_told_by_actor(&self, event: &AuditEvent) -> bool {
        self.acts.iter().any(|act| act.is_of_anything() && act.is(event))
    }

    /// Whether a comparison of the family may show the technique.
    pub fn looks_at(&self, family: &str) -> bool {
        self.shows.iter().any(|show| show.family == family)
    }

    /// Whether a difference is one of the technique.
    pub fn is_shown_by(&self, difference: &Difference) -> bool {
        self.shows.iter().any(|show| show.family == difference.family && (show.when)(difference))
    }
}

/// Any difference.
pub const fn any(_: &Difference) -> bool {
    true
}

/// Something new.
pub fn added(difference: &Difference) -> bool {
    difference.change() == Change::Added
}

/// Something that is gone.
pub fn removed(difference: &Difference) -> bool {
    difference.change() == Change::Removed
}

/// Something that is otherwise than it was.
pub fn changed(difference: &Difference) -> bool {
    difference.change() == Change::Changed
}

/// Something that is new, or otherwise than it was.
pub fn made(difference: &Difference) -> bool {
    !removed(difference)
}

/// Something that is gone, or otherwise than it was.
pub fn undone(difference: &Difference) -> bool {
    !added(difference)
}

/// Whether what stands at `pointer` came to differ; true where it was not known how it was.
pub fn differs(difference: &Difference, pointer: &str) -> bool {
    let is_unknown = difference.before.as_ref().is_some_and(|before| before.value.is_null());
    let at = |item: &Option<Item>| item.as_ref().and_then(|item| item.value.pointer(pointer).cloned());
    is_unknown || at(&difference.before) != at(&difference.after)
}

/// Whether a path is of a pattern.
fn matches(pattern: &str, path: &str) -> bool {
    let mut path = path.split('/').filter(|segment| !segment.is_empty());
    for wanted in pattern.split('/').filter(|segment| !segment.is_empty()) {
        match (wanted, path.next()) {
            ("**", _) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(segment)) if wanted == segment => {}
            _ => return false,
        }
    }
    path.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_one_segment_and_two_for_the_rest() {
        assert!(matches("/accounts/*/tokens", "/accounts/a/tokens"));
        assert!(!matches("/accounts/*/tokens", "/accounts/a/tokens/t"));
        assert!(!matches("/accounts/*/tokens/*", "/accounts/a/tokens"));
        assert!(
            matches("/zones/*/dnssec/**", "/zones/z/dnssec") && matches("/zones/*/dnssec/**", "/zones/z/dnssec/x/y")
        );
        assert!(!matches("/zones/*/dnssec/**", "/zones/z/dns"));
    }
}
