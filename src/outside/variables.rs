use std::collections::BTreeMap;

use super::Hindrance;
use crate::secret::Secret;

/// Variables that every command is given, where they are set: what programs need to be found and to find their files.
pub const ESSENTIALS: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// Beginnings of the names of quell's own variables. Those are never passed on, and no command gets one of that name.
pub const WITHHELD: [&str; 2] = ["CLOUDFLARE_", "QUELL_"];

/// Beginning of the names of the variables that hold secret inputs.
const INPUTS: &str = "QUELL_INPUT_";

/// A shorter secret could not be masked without masking innocent text as well.
pub const SHORTEST_SECRET: usize = 8;

/// quell's environment, without what is quell's own, and the secret inputs of the run.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    environment: BTreeMap<String, Secret>,
    /// By the names that they would have in the environment. None is handed on but where a step asks for a secret.
    inputs: BTreeMap<String, Secret>,
}

impl Variables {
    /// From names and values; quell's own are left out.
    pub fn new(all: impl Iterator<Item = (String, String)>) -> Self {
        let passed = all.filter(|(name, _)| !is_withheld(name));
        let environment = passed.map(|(name, value)| (name, Secret::new(value))).collect();
        Self { environment, inputs: BTreeMap::new() }
    }

    /// The same with the secret inputs of a run, by the names of their variables.
    #[must_use]
    pub fn with_inputs(mut self, inputs: BTreeMap<String, Secret>) -> Self {
        self.inputs = inputs;
        self
    }

    /// The value of a variable, where it is set.
    pub(super) fn get(&self, name: &str) -> Option<&Secret> {
        self.environment.get(name)
    }

    /// The value of a variable that a step needs.
    pub(super) fn needed(&self, name: &str) -> Result<&Secret, Hindrance> {
        if is_withheld(name) {
            let why = format!("the environment variable `{name}` is quell's own, and is never handed on");
            return Err(Hindrance::new(why, "put what the step needs into a variable of another name"));
        }
        self.get(name).filter(|value| !value.expose().trim().is_empty()).ok_or_else(|| {
            let why = format!("the environment variable `{name}` is not set");
            Hindrance::new(why, format!("set `{name}` in the environment of quell, then run the step again"))
        })
    }

    /// The value of a variable that holds a secret, without blanks around it.
    pub(super) fn secret(&self, name: &str) -> Result<Secret, Hindrance> {
        if let Some(given) = self.inputs.get(name) {
            return Ok(given.clone());
        }
        if name.starts_with(INPUTS) {
            let why = format!("the secret input behind `{name}` has no value here");
            return Err(Hindrance::new(
                why,
                format!("set `{name}` in the environment of quell, then run the step again"),
            ));
        }
        let value = self.needed(name)?.expose().trim();
        if value.len() < SHORTEST_SECRET {
            let why = format!("the secret in `{name}` has fewer than {SHORTEST_SECRET} characters");
            return Err(Hindrance::new(
                why,
                "so short a secret cannot be masked in what is kept; was it copied whole?",
            ));
        }
        Ok(Secret::new(value))
    }
}

/// Whether a name is that of a variable of quell's own.
pub(super) fn is_withheld(name: &str) -> bool {
    WITHHELD.iter().any(|own| name.starts_with(own))
}
