use super::AnyAction;
use crate::runbook::{ActionWords, Vocabulary};

/// The actions that a runbook may name, and the kinds of resource that there are to look at.
#[derive(Clone, Copy)]
pub struct Catalogue {
    wings: &'static [Wing],
}

/// What one wing of the house brings.
#[derive(Clone, Copy)]
pub struct Wing {
    /// Its actions.
    pub actions: &'static [&'static dyn AnyAction],
    /// The kinds of resource of its provider.
    pub kinds: &'static [Kind],
    /// Actions that read everything that can be listed: they look at each kind that [`Kind::is_listed`].
    pub sweeps: &'static [&'static str],
}

/// A kind of resource that an intruder may have touched.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What it is called, for people: `Workers scripts, routes and triggers`.
    pub name: &'static str,
    /// The actions that look at it alone.
    pub examined_by: &'static [&'static str],
    /// Whether the provider lists it, so that whoever reads every list sees it.
    pub is_listed: bool,
}

impl Catalogue {
    /// A catalogue of these wings.
    pub const fn new(wings: &'static [Wing]) -> Self {
        Self { wings }
    }

    /// All actions.
    pub fn iter(&self) -> impl Iterator<Item = &'static dyn AnyAction> {
        self.wings.iter().flat_map(|wing| wing.actions).copied()
    }

    /// The kinds of resource that none of these actions looks at. What is not looked at is never called clean.
    pub fn not_examined<'a>(&self, actions: impl Iterator<Item = &'a str>) -> Vec<&'static str> {
        let looking: Vec<&str> = actions.collect();
        let seen = |wing: &Wing, kind: &Kind| {
            let sweeps = if kind.is_listed { wing.sweeps } else { &[] };
            kind.examined_by.iter().chain(sweeps).any(|action| looking.contains(action))
        };
        let unseen = |wing: &'static Wing| wing.kinds.iter().filter(move |kind| !seen(wing, kind));
        self.wings.iter().flat_map(unseen).map(|kind| kind.name).collect()
    }

    /// The actions as the checker of runbooks sees them.
    pub fn vocabulary(&self) -> Vocabulary {
        let words = self.iter().map(|action| {
            let spec = action.spec();
            let words = ActionWords {
                params: action.params_schema(),
                output: action.output_schema(),
                max_danger: spec.max_danger,
                summary: spec.summary.to_owned(),
            };
            (spec.id.to_owned(), words)
        });
        Vocabulary { actions: words.collect() }
    }

    /// The action with this id.
    pub fn get(&self, id: &str) -> Option<&'static dyn AnyAction> {
        self.iter().find(|action| action.spec().id == id)
    }
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(|action| action.spec().id)).finish()
    }
}
