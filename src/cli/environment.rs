//! What is taken from the environment, by the ecosystem's own names.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use super::errors::CliError;
use super::exit::Exit;
use crate::clock::{Clock, SystemClock};
use crate::outside::Variables;
use crate::runbook::InputSpec;
use crate::secret::Secret;

/// Credential and target as the environment gives them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    /// `CLOUDFLARE_API_TOKEN`.
    pub(crate) token: Option<Secret>,
    /// `CLOUDFLARE_API_KEY`.
    pub(crate) key: Option<Secret>,
    /// `CLOUDFLARE_EMAIL`.
    pub(crate) email: Option<String>,
    /// `CLOUDFLARE_ACCOUNT_ID`.
    pub(crate) account: Option<String>,
    /// `CLOUDFLARE_BASE_URL`.
    pub(crate) base_url: Option<String>,
    /// `QUELL_VAULT_PASSPHRASE`.
    pub(crate) vault_passphrase: Option<Secret>,
    /// `QUELL_SUSPECT_VALUE`: the value of the token that leaked, where nothing else is known of it.
    pub(crate) suspect_value: Option<Secret>,
    /// `QUELL_HTTP_HOSTS`, comma-separated: hosts that a runbook's `http` and `notify` steps may name.
    pub(crate) http_hosts: Vec<String>,
    /// What steps may pass on to commands and hosts.
    pub(crate) variables: Variables,
}

impl Environment {
    /// Whether it brings a credential at all.
    pub(crate) const fn has_credential(&self) -> bool {
        self.token.is_some() || self.key.is_some()
    }

    /// Reads it. Empty variables count as missing.
    pub(crate) fn read() -> Self {
        Self {
            token: text("CLOUDFLARE_API_TOKEN").map(Secret::new),
            key: text("CLOUDFLARE_API_KEY").map(Secret::new),
            email: text("CLOUDFLARE_EMAIL"),
            account: text("CLOUDFLARE_ACCOUNT_ID"),
            base_url: text("CLOUDFLARE_BASE_URL"),
            vault_passphrase: text("QUELL_VAULT_PASSPHRASE").map(Secret::new),
            suspect_value: text("QUELL_SUSPECT_VALUE").map(Secret::new),
            http_hosts: text("QUELL_HTTP_HOSTS")
                .iter()
                .flat_map(|hosts| hosts.split(','))
                .map(|host| host.trim().to_owned())
                .filter(|host| !host.is_empty())
                .collect(),
            variables: Variables::new(
                env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
            ),
        }
    }
}

/// The platform's directory for state, with `quell/` in it.
pub(crate) fn default_state_dir() -> Result<PathBuf, CliError> {
    if let Some(state) = text("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
        return Ok(state.join("quell"));
    }
    match text("HOME") {
        Some(home) => Ok(PathBuf::from(home).join(".local/state/quell")),
        None => Err(CliError::new(Exit::Usage, "state_dir", "there is no home directory to keep incidents in")
            .hint("name a directory with `--state-dir` or `QUELL_STATE_DIR`")),
    }
}

/// The platform's directory for files that are of no use afterwards.
pub(crate) fn scratch_dir() -> PathBuf {
    env::temp_dir()
}

/// The user's directory for configuration, with `quell/` in it.
pub(crate) fn config_dir() -> Option<PathBuf> {
    let named = text("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| text("HOME").map(|home| PathBuf::from(home).join(".config"))).map(|dir| dir.join("quell"))
}

/// `QUELL_INPUT_NAME`: the value of a runbook's input.
pub(crate) fn input(spec: &InputSpec) -> Option<String> {
    text(&spec.variable())
}

/// `RUST_LOG`: what is to be logged.
pub(crate) fn log_filter() -> Option<String> {
    text("RUST_LOG")
}

/// The operator's name for the journal: as the environment has it, else the account's that this process belongs to.
pub(crate) fn operator() -> String {
    ["QUELL_OPERATOR", "SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(text)
        .or_else(|| uzers::get_current_username()?.into_string().ok())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Whether the terminal shows more than ASCII, as far as its locale says.
pub(crate) fn is_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(text).unwrap_or_default().to_lowercase();
    (locale.contains("utf-8") || locale.contains("utf8"))
        && text("TERM").is_none_or(|term| term != "dumb" && term != "linux")
}

/// `QUELL_CRASH_AT=POINT:NTH`, for tests of a debug build.
#[cfg(debug_assertions)]
pub(crate) fn arm_crash_point() {
    if let Some(wanted) = text("QUELL_CRASH_AT") {
        let (point, nth) = wanted.split_once(':').unwrap_or((&wanted, "1"));
        crate::crash::arm(point, nth.parse().unwrap_or(1));
    }
}

/// The machine's clock.
#[cfg(not(debug_assertions))]
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// The machine's clock; with `QUELL_HURRY` set, one that waits a hundredth as long, for tests of a debug build.
#[cfg(debug_assertions)]
pub(crate) fn clock() -> Arc<dyn Clock> {
    struct Hurried;
    impl Clock for Hurried {
        fn now(&self) -> jiff::Timestamp {
            SystemClock.now()
        }

        fn sleep(&self, duration: std::time::Duration) -> crate::provider::BoxFuture<'static, ()> {
            SystemClock.sleep(duration / 100)
        }
    }
    if text("QUELL_HURRY").is_some() { Arc::new(Hurried) } else { Arc::new(SystemClock) }
}

/// Host name of this machine.
pub(crate) fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn text(name: &str) -> Option<String> {
    env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}
