//! `cloudflare.snapshot`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::audit_collect::length;
use crate::action::{Action, ActionSpec, Estimate, Look, Permission, StepError, StepPlan};
use crate::cloudflare::present::{Wanted, chosen, unkept};
use crate::hunt::AuditEvent;
use crate::model::{Danger, count};

/// `cloudflare.snapshot`.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot;

/// Parameters of `cloudflare.snapshot`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Names or ids of the zones to read; all of the account where none is named.
    #[serde(default)]
    pub zones: Option<Vec<String>>,
    /// Names of the families to read (`docs/families.md` lists them); all that are not retired where none is named.
    #[serde(default)]
    pub families: Option<Vec<String>>,
    /// Events of the audit log: zones that they name are read first.
    #[serde(default)]
    pub events: Option<Vec<AuditEvent>>,
    /// Begin no further read after so long, e.g. `3m`; what was not read by then is a gap, and the snapshot partial.
    #[serde(default)]
    pub within: Option<String>,
}

/// Output of `cloudflare.snapshot`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Directory of the snapshot, a baseline like those of `quell baseline`; a dry run keeps none.
    pub dir: Option<String>,
    /// SHA-256 of its manifest, which holds those of its files.
    pub manifest: Option<String>,
    /// When the first of it was read.
    pub began_at: Timestamp,
    /// When the last of it was read.
    pub ended_at: Timestamp,
    /// Resources that it holds.
    pub items: u64,
    /// Families that were read to their end.
    pub families: u64,
    /// Why reading ended before all was read, where it did.
    pub partial: Option<String>,
}

impl Action for Snapshot {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.snapshot",
        version: 1,
        summary: "Keep what the account holds now as a snapshot beside the evidence",
        docs: "Reads every family of resources (`docs/families.md`) and keeps it in the incident's directory, under \
               `snapshots/`, in the form of `quell baseline`: sorted files without secrets, and a manifest that says what \
               could not be seen. The manifest is kept as evidence, so that its digests bind the files to the journal.\n\n\
               A run that is killed meanwhile loses no list that was read: resumed, the step goes on from there. Where the \
               way to the API is cut or the time of `within` is over, what was read is kept in `.partial` and marked as \
               partial; what was not read is a gap.",
        verb: "keep",
        max_danger: Danger::Observe,
        permissions: &[
            Permission { group: "Zone Read", write: false },
            Permission { group: "Account Settings Read", write: false },
        ],
        example: "zones = [\"harborlane-shop.example\"]\nfamilies = [\"dns_records\", \"members\"]\n",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 45, per_zone: 60 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let families = chosen(&params.families.unwrap_or_default())?;
        let within = params.within.as_deref().map(|within| length(Some(within), SignedDuration::ZERO)).transpose()?;
        let (zones, events) = (params.zones.unwrap_or_default(), params.events.unwrap_or_default());
        let wanted = Wanted {
            families: &families,
            zones: &zones,
            touched: events.iter().filter_map(|event| event.zone.as_deref()).collect(),
            within: within.map(SignedDuration::unsigned_abs),
        };
        let shelf = look.shelf().map_err(|error| unkept(&error))?;
        let snapshot = wanted.capture(look, shelf.dir()).await?;
        let manifest = snapshot.manifest();
        let whole = manifest.families.values().filter(|held| held.gaps.is_empty() && held.unread.is_empty()).count();
        let output = Output {
            dir: shelf.kept().map(|_| snapshot.dir().display().to_string()),
            manifest: look.latest_evidence().map(|digest| digest.to_string()),
            began_at: manifest.began_at,
            ended_at: manifest.ended_at,
            items: manifest.items(),
            families: whole as u64,
            partial: manifest.partial.clone(),
        };
        let partial = output.partial.as_ref().map(|why| format!(", PARTIAL: {why}")).unwrap_or_default();
        let summary = format!(
            "{} kept; {whole} of {} families read to their end{partial}",
            count(usize::try_from(output.items).unwrap_or(usize::MAX), "resource"),
            families.len(),
        );
        Ok(StepPlan::seen(output, summary))
    }
}
