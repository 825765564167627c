//! `cloudflare.dns.diff`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionSpec, Estimate, Look, Permission, StepError, StepPlan};
use crate::cloudflare::api::segment;
use crate::cloudflare::attribution::{Trail, window};
use crate::cloudflare::audit::bulk::apart;
use crate::cloudflare::dns::{Baseline, Difference, Record, diff, judge};
use crate::cloudflare::present::open;
use crate::cloudflare::review::{Place, ReviewItem, ReviewKind, Suspicion, Tally, not_seen};
use crate::cloudflare::zones::{Zone, bare, zones};
use crate::hunt::snapshot::{MANIFEST, SnapshotError};
use crate::hunt::{AuditEvent, Principal};
use crate::model::{Change, Danger, Digest, Gap};
use crate::provider::{Paging, ReadRequest};

/// `cloudflare.dns.diff`.
#[derive(Debug, Clone, Copy)]
pub struct DnsDiff;

/// Parameters of `cloudflare.dns.diff`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Names or ids of the zones to look at; all of the account where none is named.
    #[serde(default)]
    pub zones: Option<Vec<String>>,
    /// Folder with the known-good records: a baseline as `quell baseline` captures it, or `<zone>.json` for each zone, as
    /// `curl …/zones/ID/dns_records?per_page=5000 > zone.json` writes it, or the bare array of records.
    #[serde(default)]
    pub baseline: Option<String>,
    /// Start of the window. Writes before it attribute nothing; without a baseline, records made or changed since are
    /// what is reported.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Events of the audit log, to say who did it.
    #[serde(default)]
    pub events: Option<Vec<AuditEvent>>,
    /// What the intruder holds, to tell the intruder from others.
    #[serde(default)]
    pub principals: Option<Vec<Principal>>,
}

/// Output of `cloudflare.dns.diff`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Records that were looked at.
    pub records: u64,
    /// Names of the zones that were looked at.
    pub zones: Vec<String>,
    /// Names of the zones that could not be seen.
    pub zones_not_seen: Vec<String>,
    /// Names of the zones that were compared to a baseline; in the others only the window was looked at.
    pub zones_compared: Vec<String>,
    /// How many differences are whose.
    pub by: Tally,
    /// What differs: for `cloudflare.findings.settle`.
    pub items: Vec<ReviewItem>,
}

impl Action for DnsDiff {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.dns.diff",
        version: 1,
        summary: "Compare DNS records with a baseline, and say who changed them",
        docs: "Reads every record of every zone and compares it with the baseline folder by type, name, content and \
               priority in one canonical form, then by `proxied`, `ttl` and `settings`. A proxy that was switched off is \
               a finding by itself. Records at the zone's apex that Cloudflare manages (NS, SOA) are not in the API's \
               list and so are not compared.\n\nWithout a baseline, only records that still exist and were made or \
               changed in the window are seen: a deleted record, and what a changed one was before, are not. That is \
               noted as a gap. A record that was changed and put back shows in the audit log alone.",
        verb: "compare",
        max_danger: Danger::Observe,
        permissions: &[Permission { group: "Zone Read", write: false }, Permission { group: "DNS Read", write: false }],
        example: "zones = [\"harborlane-shop.example\"]\nsince = \"2020-01-01T00:00:00Z\"\n",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 1, per_zone: 1 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let (events, principals) = (apart(params.events.unwrap_or_default()), params.principals.unwrap_or_default());
        let folder = params.baseline.filter(|folder| !folder.is_empty());
        let since = window(params.since, &events, &principals);
        if folder.is_none() && since.is_none() {
            return Err(StepError::new("there is neither a baseline nor a start of the window to compare with")
                .hint("give `baseline` a folder, or `since` a time"));
        }
        let trail = Trail::new(&events, &principals, since);
        let wanted = params.zones.unwrap_or_default();
        let zones = zones(look, &wanted).await?;
        let mut baselines = match &folder {
            Some(folder) if Path::new(folder).join(MANIFEST).exists() => captured(folder, &zones, look)?,
            Some(folder) => baselines(Path::new(folder), look).await?,
            None => BTreeMap::new(),
        };
        let mut output = Output {
            records: 0,
            zones: Vec::new(),
            zones_not_seen: Vec::new(),
            zones_compared: Vec::new(),
            by: Tally::default(),
            items: Vec::new(),
        };
        let mut findings = Vec::new();
        for (done, zone) in zones.iter().enumerate() {
            look.tick("zones", done as u64, zones.len() as u64);
            let baseline = baselines.remove(&zone.name);
            let Some((records, evidence)) = records(zone, look).await else {
                output.zones_not_seen.push(zone.name.clone());
                continue;
            };
            output.records += records.len() as u64;
            output.zones.push(zone.name.clone());
            let (differences, compared) = match baseline {
                Some(baseline) => {
                    let differences = diff(&baseline, &records);
                    (
                        differences
                            .map_err(|error| StepError::new(format!("cannot compare {}: {error}", zone.name)))?,
                        true,
                    )
                }
                None => (in_window(records, since), false),
            };
            if compared {
                output.zones_compared.push(zone.name.clone());
            } else {
                look.gap(no_baseline(zone, folder.is_some()));
            }
            for difference in &differences {
                let item = item(difference, zone, compared, &trail, since);
                findings.push(item.to_finding(&evidence, compared));
                output.items.push(item);
            }
        }
        // Only a look at the whole account can miss a zone.
        if wanted.is_empty() {
            baselines.into_keys().for_each(|zone| look.gap(missing_zone(zone)));
        }
        output.by = Tally::of(&output.items);
        let summary = summary(&output, folder.is_some());
        Ok(StepPlan { findings, ..StepPlan::seen(output, summary) })
    }
}

fn summary(output: &Output, has_baseline: bool) -> String {
    let (verb, weaker) = if has_baseline {
        ("differ", "")
    } else {
        ("made or changed in the window", "; no baseline, so deleted records are not seen")
    };
    let (records, zones) = (output.records, output.zones.len());
    format!("{records} records in {zones} zones: {}{}{weaker}", output.by.words(verb), not_seen(&output.zones_not_seen))
}

/// What a captured baseline knows of these zones, by the name of the zone.
fn captured(folder: &str, zones: &[Zone], look: &Look<'_>) -> Result<BTreeMap<String, Vec<Record>>, StepError> {
    const FAMILY: &str = "dns_records";
    let snapshot = open("the baseline", folder, look)?;
    let unread = |error: SnapshotError| StepError::new(format!("the baseline `{folder}` cannot be read: {error}"));
    let manifest = snapshot.manifest();
    let silent = manifest.families.get(FAMILY).map(|held| &held.silent);
    let mut found: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    for zone in zones.iter().filter(|zone| manifest.knows(FAMILY, &zone.name)) {
        // Taken over from a file that lacks fields, every record would differ in them.
        match silent.and_then(|silent| silent.get(&zone.name)).filter(|fields| !fields.is_empty()) {
            Some(fields) => look.gap(Gap {
                family: FAMILY.into(),
                scope: zone.name.clone(),
                reason: format!(
                    "its baseline was imported and cannot say {}: `quell baseline diff` compares the rest",
                    fields.iter().map(|field| field.trim_start_matches('/')).collect::<Vec<_>>().join(", ")
                ),
                permission: None,
            }),
            None => _ = found.insert(zone.name.clone(), Vec::new()),
        }
    }
    for item in snapshot.items(FAMILY).map_err(unread)? {
        let item = item.map_err(unread)?;
        if let Some(records) = item.seat.zone_name().and_then(|zone| found.get_mut(zone)) {
            records.extend(Record::of(&item));
        }
    }
    Ok(found)
}

/// Every readable baseline in the folder, by the name of the zone.
async fn baselines(folder: &Path, look: &Look<'_>) -> Result<BTreeMap<String, Vec<Record>>, StepError> {
    let failed = |error: std::io::Error| {
        StepError::new(format!("cannot read the baseline folder `{}`: {error}", folder.display()))
            .hint("name a folder that holds `<zone>.json` files, or leave `baseline` out")
    };
    let mut entries = tokio::fs::read_dir(folder).await.map_err(failed)?;
    let mut found = BTreeMap::new();
    while let Some(entry) = entries.next_entry().await.map_err(failed)? {
        let path = entry.path();
        let (Some(stem), Some("json")) = (path.file_stem(), path.extension().and_then(|it| it.to_str())) else {
            continue;
        };
        let zone = bare(&stem.to_string_lossy());
        let gap = |reason: String| Gap {
            family: "dns_records".into(),
            scope: zone.clone(),
            reason: format!("baseline file `{}`: {reason}", path.display()),
            permission: None,
        };
        let read = match tokio::fs::read(&path).await {
            Ok(bytes) => Baseline::read(&bytes).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok(baseline) => {
                if let Some(shortfall) = baseline.shortfall {
                    look.gap(gap(shortfall));
                }
                found.insert(zone, baseline.records);
            }
            Err(error) => look.gap(gap(error)),
        }
    }
    Ok(found)
}

/// The records of a zone with the evidence for them, or `None` where they cannot be seen; then a gap is noted.
async fn records(zone: &Zone, look: &Look<'_>) -> Option<(Vec<Record>, Vec<Digest>)> {
    let kept_before = look.evidence().len();
    let request = ReadRequest::new(format!("/zones/{}/dns_records", segment(&zone.id)));
    let paging = Paging::Pages { per_page: 5000 };
    let listing = match look.list(&request, paging, "dns_records", &zone.name).await {
        Ok(listing) => listing,
        Err(error) => {
            look.gap(error.gap("dns_records", &zone.name, Some("DNS Read")));
            return None;
        }
    };
    let records: Vec<Record> = listing.items.iter().filter_map(Record::read).collect();
    let unread = listing.items.len() - records.len();
    if unread > 0 {
        look.gap(Gap {
            family: "dns_records".into(),
            scope: zone.name.clone(),
            reason: format!("{unread} records are not as the API documents them and were not compared"),
            permission: None,
        });
    }
    Some((records, look.evidence().split_off(kept_before)))
}

/// What was made or changed in the window, as far as the records themselves tell.
fn in_window(records: Vec<Record>, since: Option<Timestamp>) -> Vec<Difference> {
    let Some(since) = since else { return Vec::new() };
    let touched = |record: &Record| record.created.max(record.modified).is_some_and(|at| at >= since);
    records.into_iter().filter(touched).map(|record| Difference { before: None, after: Some(record) }).collect()
}

fn item(
    difference: &Difference,
    zone: &Zone,
    compared: bool,
    trail: &Trail<'_>,
    since: Option<Timestamp>,
) -> ReviewItem {
    let judgement = judge(difference, &zone.name);
    let ids: Vec<&str> = [&difference.before, &difference.after]
        .into_iter()
        .flatten()
        .map(|record| record.id.as_str())
        .filter(|id| !id.is_empty())
        .collect();
    let modified = difference.after.as_ref().and_then(|record| record.modified);
    let mut doing = trail.of_resource(&ids);
    if let (None, Some(modified)) = (doing.at, modified) {
        doing = trail.of_bulk(&zone.name, &["batch", "import"], modified);
    }
    let record = difference.record();
    let is_older = record.and_then(|record| record.created).is_some_and(|at| since.is_some_and(|since| at < since));
    let (change, detail) = match record {
        Some(record) if !compared && is_older => {
            let shown = (record.title(), record.shown_content());
            (Change::Changed, format!("`{}` changed, now `{}`; what it was is not known.", shown.0, shown.1))
        }
        _ => (difference.change(), judgement.detail),
    };
    Suspicion {
        technique: judgement.technique,
        severity: judgement.severity,
        change,
        place: Place::in_zone(ReviewKind::DnsRecord, &record.map(Record::known_id).unwrap_or_default(), zone),
        name: record.map(Record::title).unwrap_or_default(),
        detail,
        before: difference.before.as_ref().map(Record::image),
        after: difference.after.as_ref().map(Record::image),
    }
    .by(doing)
}

fn no_baseline(zone: &Zone, others_have_one: bool) -> Gap {
    let which = if others_have_one { "no baseline for this zone" } else { "no baseline" };
    Gap {
        family: "dns_records".into(),
        scope: zone.name.clone(),
        reason: format!("{which}: deleted records cannot be seen, nor what changed ones were before"),
        permission: None,
    }
}

fn missing_zone(zone: String) -> Gap {
    Gap {
        family: "zones".into(),
        scope: zone,
        reason: "it has a baseline and is not in the account: deleted, moved, or hidden from the credential".into(),
        permission: Some("Zone Read".into()),
    }
}
