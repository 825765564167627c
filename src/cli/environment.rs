//! What is taken from the environment, by the ecosystem's own names.

use std::env;
use std::path::PathBuf;

use super::errors::CliError;
use super::exit::Exit;
use crate::secret::Secret;

/// Credential and target as the environment gives them.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `CLOUDFLARE_API_TOKEN`.
    pub token: Option<Secret>,
    /// `CLOUDFLARE_API_KEY`.
    pub key: Option<Secret>,
    /// `CLOUDFLARE_EMAIL`.
    pub email: Option<String>,
    /// `CLOUDFLARE_ACCOUNT_ID`.
    pub account: Option<String>,
    /// `CLOUDFLARE_BASE_URL`.
    pub base_url: Option<String>,
    /// `QUELL_VAULT_PASSPHRASE`.
    pub vault_passphrase: Option<Secret>,
}

impl Environment {
    /// Reads it. Empty variables count as missing.
    pub fn read() -> Self {
        Self {
            token: text("CLOUDFLARE_API_TOKEN").map(Secret::new),
            key: text("CLOUDFLARE_API_KEY").map(Secret::new),
            email: text("CLOUDFLARE_EMAIL"),
            account: text("CLOUDFLARE_ACCOUNT_ID"),
            base_url: text("CLOUDFLARE_BASE_URL"),
            vault_passphrase: text("QUELL_VAULT_PASSPHRASE").map(Secret::new),
        }
    }
}

/// The platform's directory for state, with `quell/` in it.
pub fn default_state_dir() -> Result<PathBuf, CliError> {
    if let Some(state) = text("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
        return Ok(state.join("quell"));
    }
    match text("HOME") {
        Some(home) => Ok(PathBuf::from(home).join(".local/state/quell")),
        None => Err(CliError::new(Exit::Usage, "state_dir", "there is no home directory to keep incidents in")
            .hint("name a directory with `--state-dir` or `QUELL_STATE_DIR`")),
    }
}

/// The operator's name for the journal.
pub fn operator() -> String {
    ["QUELL_OPERATOR", "SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(text).unwrap_or_else(|| "unknown".to_owned())
}

/// Host name of this machine.
pub fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn text(name: &str) -> Option<String> {
    env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}
