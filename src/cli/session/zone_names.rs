//! Zones that an input names: one that no step would find is refused while it can still be mended.

use serde_json::Value;

use crate::cli::errors::CliError;
use crate::cloudflare::api::Connected;
use crate::cloudflare::zones::{Zone, choose, seen};
use crate::runbook::{InputSpec, InputType};

/// The zones of the account.
pub(crate) struct ZoneNames(Vec<Zone>);

impl ZoneNames {
    /// All that the credential sees. `None` where the list cannot be read, is short, or is empty: it says nothing of what
    /// there is, and a name is taken as it is.
    pub(crate) async fn whole(connected: &Connected) -> Option<Self> {
        let (zones, shortfall) = seen(&*connected.read).await.ok()?;
        (shortfall.is_none() && !zones.is_empty()).then_some(Self(zones))
    }

    /// What there is, each with its name and id.
    pub(super) fn known(&self) -> Vec<(String, String)> {
        self.0.iter().map(|zone| (zone.name.clone(), zone.id.clone())).collect()
    }

    /// Whether every zone that the value names is there.
    ///
    /// # Errors
    /// Which is not, and then which may be meant.
    pub(super) fn require(&self, value: &Value) -> Result<(), (String, String)> {
        let texts = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        let wanted: Vec<String> = texts.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let found = choose(self.0.clone(), &wanted);
        found.map(drop).map_err(|error| (error.message, error.hint.unwrap_or_default()))
    }
}

/// Whether the values of `spec` are names of zones.
pub(super) fn are_named(spec: &InputSpec) -> bool {
    matches!(spec.ty, InputType::CloudflareZone | InputType::CloudflareZones)
}

/// Refuses a value that nobody was asked for and that names a zone which is not there: no step would find it, and a run
/// that has begun goes on with its inputs.
///
/// # Errors
/// Which, and which may be meant.
pub(super) async fn require(spec: &InputSpec, value: &Value, connected: &Connected) -> Result<(), CliError> {
    if are_named(spec) { require_of(&spec.name, value, connected).await } else { Ok(()) }
}

/// The same for the input `name`, of whatever type it is.
///
/// # Errors
/// Which, and which may be meant.
pub(crate) async fn require_of(name: &str, value: &Value, connected: &Connected) -> Result<(), CliError> {
    if value.is_null() || value.as_array().is_some_and(Vec::is_empty) {
        return Ok(());
    }
    let Some(zones) = ZoneNames::whole(connected).await else { return Ok(()) };
    zones.require(value).map_err(|(message, hint)| {
        CliError::usage(format!("the input `{name}` cannot be taken: {message}"))
            .hint(format!("nothing was sent; {hint}"))
    })
}
