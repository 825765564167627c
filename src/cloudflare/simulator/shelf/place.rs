//! What a path leads to.

use super::kept;
use crate::cloudflare::families::family as family_named;
use crate::cloudflare::simulator::call::Refusal;
use crate::cloudflare::simulator::permissions::Scope;
use crate::hunt::{Family, Reach};

/// A list of a family, and what of it is meant.
#[derive(Debug)]
pub(in crate::cloudflare::simulator) struct Place {
    pub(in crate::cloudflare::simulator) family: &'static Family,
    /// Path of the list.
    pub(in crate::cloudflare::simulator) list: String,
    /// Id of the zone that it is in.
    pub(super) zone: Option<String>,
    /// Path of the list that holds what it belongs to, and the id of that.
    pub(in crate::cloudflare::simulator) parent: Option<(String, String)>,
    /// What follows the path of the list: an id, and what is to be done.
    pub(super) rest: Vec<String>,
}

impl Place {
    /// The longest list that `path` begins with.
    pub(in crate::cloudflare::simulator) fn find(path: &str) -> Option<Self> {
        let given: Vec<&str> = path.split('/').collect();
        let fits = |family: &&'static Family| {
            let mut parts = given.iter();
            family.path.split('/').all(|want| parts.next().is_some_and(|part| want.starts_with('{') || want == *part))
        };
        // Of lists of one path, the first; of those as long, the one that names more.
        let rank = |family: &&'static Family| {
            let parts = family.path.split('/');
            (parts.clone().count(), parts.filter(|part| !part.starts_with('{')).count())
        };
        let family = kept().filter(fits).reduce(|best, next| if rank(&next) > rank(&best) { next } else { best })?;
        let parts = || family.path.split('/').zip(&given);
        let filled = |brace: &str| parts().find(|(want, _)| *want == brace).map(|(_, part)| (*part).to_owned());
        let length = family.path.split('/').count();
        let parent = match family.reach {
            Reach::Of(parent) => {
                let id = filled("{parent}")?;
                let list = fill(family_named(parent)?.path, &given);
                Some((list, id))
            }
            _ => None,
        };
        Some(Self {
            family,
            list: given[..length].join("/"),
            zone: filled("{zone}"),
            parent,
            rest: given[length..].iter().map(|part| (*part).to_owned()).collect(),
        })
    }

    pub(super) fn scope(&self) -> Scope<'_> {
        match (&self.zone, self.family.reach) {
            (Some(zone), _) => Scope::Zone(zone),
            (None, Reach::User) => Scope::User,
            _ => Scope::Account,
        }
    }

    /// There is no such thing; said in the way that the family has for it.
    pub(super) fn missing(&self, path: &str) -> Refusal {
        match self.family.none_codes.first() {
            Some(code) => Refusal::new(404, *code, &format!("{}: not found", self.family.title)),
            None if self.family.missing_is_none => Refusal::new(404, 1002, "not found"),
            None => Refusal::no_route(path),
        }
    }

    /// The position in `items` of what the id in the path names.
    pub(super) fn position(&self, items: &[serde_json::Value], id: &str) -> Option<usize> {
        items.iter().position(|item| self.family.id_of(item) == id)
    }
}

/// The path of a parent's list: it begins as that of what belongs to it.
fn fill(template: &str, given: &[&str]) -> String {
    given.iter().take(template.split('/').count()).copied().collect::<Vec<_>>().join("/")
}
