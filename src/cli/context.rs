use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::console::Screen;
use super::environment::Environment;
use super::errors::CliError;
use super::layout::{IncidentDir, StateDir};
use super::prompt::Keyboard;
use super::settings::Settings;
use super::shelves::Shelves;
use super::vault::VaultChoice;
use crate::clock::Clock;
use crate::engine::Interrupt;
use crate::journal::{RunOpened, Stamp};
use crate::model::Role;

/// What every command works with; made once, before the first.
pub(crate) struct Context {
    /// Where incidents lie.
    pub(crate) state: StateDir,
    /// What `quell.toml` says.
    pub(crate) settings: Settings,
    /// Where runbooks are looked for by name.
    pub(crate) shelves: Shelves,
    /// Credential and target.
    pub(crate) environment: Environment,
    /// The one writer to stderr.
    pub(crate) screen: Arc<Screen>,
    /// Where a person types; `None` unless stdin and stderr are terminals.
    pub(crate) keys: Option<Arc<Keyboard>>,
    /// Ctrl-C and hang-up.
    pub(crate) interrupt: Interrupt,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Who the operator is.
    pub(crate) operator: String,
    /// What the operator does in the incident, where that was said.
    pub(crate) role: Option<Role>,
    /// One JSON document on stdout at the end.
    pub(crate) json: bool,
    /// Entries on stdout as they become durable.
    pub(crate) jsonl: bool,
    /// How vaults are locked and opened.
    pub(crate) vault: VaultChoice,
}

impl Context {
    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The incident to look at: the one named, else the newest that is open, else the newest; says which it took.
    pub(crate) fn incident_to_read(&self, wanted: Option<&str>) -> Result<IncidentDir, CliError> {
        let (dir, told) = self.state.find_to_read(wanted)?;
        if let Some(told) = told {
            self.screen.tell(&told);
        }
        Ok(dir)
    }

    /// What the operator does in the incident: as this process was told, else as the run's `roles` say.
    pub(crate) fn role(&self, roles: &BTreeMap<Role, String>) -> Option<Role> {
        self.role.or_else(|| Role::of(roles, &self.operator))
    }

    /// What every entry of this process carries; `run` where it belongs to one.
    pub(crate) fn stamp(&self, run: Option<&RunOpened>) -> Stamp {
        let role = run.map_or(self.role, |run| self.role(&run.roles));
        Stamp { at: self.now(), by: self.operator.clone(), role, run: run.map(|run| run.run.clone()), path: None }
    }

    /// Whether a person can be asked.
    pub(crate) const fn can_ask(&self) -> bool {
        self.keys.is_some()
    }
}
