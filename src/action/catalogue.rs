use super::AnyAction;

/// The actions that a runbook may name.
#[derive(Clone, Copy)]
pub struct Catalogue {
    actions: &'static [&'static dyn AnyAction],
}

impl Catalogue {
    /// A catalogue of these actions.
    pub const fn new(actions: &'static [&'static dyn AnyAction]) -> Self {
        Self { actions }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &'static dyn AnyAction> {
        self.actions.iter().copied()
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
