//! `cloudflare.certificates.list`.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionSpec, Estimate, Look, Permission, StepError, StepPlan};
use crate::cloudflare::attribution::{Trail, required_window};
use crate::cloudflare::certificates::{Certificate, list_request, read};
use crate::cloudflare::review::{Level, Place, ReviewItem, ReviewKind, Suspicion, Tally};
use crate::cloudflare::zones::{Zone, zones};
use crate::hunt::{AuditEvent, Principal};
use crate::model::{Attribution, Change, Danger, Gap, Severity};
use crate::provider::Paging;

/// `cloudflare.certificates.list`.
#[derive(Debug, Clone, Copy)]
pub struct CertificatesList;

/// Parameters of `cloudflare.certificates.list`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Names or ids of the zones to look at; all of the account where none is named.
    #[serde(default)]
    pub zones: Option<Vec<String>>,
    /// Start of the window: certificates made or uploaded since are findings.
    /// Where it is not known, the intruder's first write in `events` counts, or else the first event.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Events of the audit log, to say who did it.
    #[serde(default)]
    pub events: Option<Vec<AuditEvent>>,
    /// What the intruder holds, to tell the intruder from others.
    #[serde(default)]
    pub principals: Option<Vec<Principal>>,
}

/// Output of `cloudflare.certificates.list`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Packs, custom certificates and Origin CA certificates that were looked at.
    pub certificates: u64,
    /// Names of the zones that were looked at.
    pub zones: Vec<String>,
    /// Lists that could not be seen.
    pub not_seen: u64,
    /// Packs of the window that Cloudflare ordered or renewed by itself; no findings.
    pub by_cloudflare: u64,
    /// How many of the window's certificates are whose.
    pub by: Tally,
    /// The window's certificates: for `cloudflare.findings.settle`.
    pub items: Vec<ReviewItem>,
}

const KINDS: [ReviewKind; 3] =
    [ReviewKind::CertificatePack, ReviewKind::CustomCertificate, ReviewKind::OriginCertificate];

impl Action for CertificatesList {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.certificates.list",
        version: 1,
        summary: "List certificates of every kind, and say who made those of the window",
        docs: "Reads certificate packs of every status (the API lists only active ones by default), uploaded certificates \
               and Origin CA certificates of every zone. What was made or uploaded in the window, by its own dates or by \
               the audit log, is a finding. Universal and backup certificates are Cloudflare's own and are only \
               counted, unless the log says that a person ordered them.\n\nDeleting a pack takes it from Cloudflare's \
               edge and revokes nothing at its certificate authority; an uploaded certificate stays valid wherever its \
               key is. Certificates that somebody got elsewhere for your names show in Certificate Transparency logs \
               alone, which this does not search.",
        verb: "list",
        max_danger: Danger::Observe,
        permissions: &[
            Permission { group: "Zone Read", write: false },
            Permission { group: "SSL and Certificates Read", write: false },
        ],
        example: "since = \"2020-01-01T00:00:00Z\"\n",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 1, per_zone: 3 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let (events, principals) = (params.events.unwrap_or_default(), params.principals.unwrap_or_default());
        let since = required_window(params.since, &events, &principals)?;
        let trail = Trail::new(&events, &principals, Some(since));
        let zones = zones(look, &params.zones.unwrap_or_default()).await?;
        let mut output = Output {
            certificates: 0,
            zones: zones.iter().map(|zone| zone.name.clone()).collect(),
            not_seen: 0,
            by_cloudflare: 0,
            by: Tally::default(),
            items: Vec::new(),
        };
        let mut findings = Vec::new();
        for (done, zone) in zones.iter().enumerate() {
            look.tick("zones", done as u64, zones.len() as u64);
            for kind in KINDS {
                let kept_before = look.evidence().len();
                let Some(certificates) = certificates(kind, zone, look).await else {
                    output.not_seen += 1;
                    continue;
                };
                let evidence = look.evidence().split_off(kept_before);
                output.certificates += certificates.len() as u64;
                for certificate in certificates {
                    let doing = trail.of_resource(&[&certificate.id]);
                    if doing.at.is_none() && certificate.made.is_none_or(|made| made < since) {
                        continue;
                    }
                    let is_ordered = doing.is_intruders() || doing.attribution == Attribution::Shared;
                    if certificate.is_cloudflares && !is_ordered {
                        output.by_cloudflare += 1;
                        continue;
                    }
                    let item = suspicion(kind, certificate, zone).by(doing);
                    findings.push(item.to_finding(&evidence, true));
                    output.items.push(item);
                }
            }
        }
        output.by = Tally::of(&output.items);
        let summary = summary(&output);
        Ok(StepPlan { findings, ..StepPlan::seen(output, summary) })
    }
}

fn summary(output: &Output) -> String {
    let unseen = match output.not_seen {
        0 => String::new(),
        1 => String::from(", 1 list not seen"),
        count => format!(", {count} lists not seen"),
    };
    format!(
        "{} certificates in {} zones: {}, {} of Cloudflare's own{unseen}; Certificate Transparency not searched",
        output.certificates,
        output.zones.len(),
        output.by.words("made in the window"),
        output.by_cloudflare,
    )
}

/// The list of one kind, or `None` where it cannot be seen; then a gap is noted.
async fn certificates(kind: ReviewKind, zone: &Zone, look: &Look<'_>) -> Option<Vec<Certificate>> {
    let family = format!("{}s", kind.as_str());
    let request = list_request(kind, &zone.id);
    match look.list(&request, Paging::Pages { per_page: 50 }, &family, &zone.name).await {
        Ok(listing) => {
            let certificates: Vec<Certificate> = listing.items.iter().filter_map(|item| read(kind, item)).collect();
            let undated = certificates.iter().filter(|certificate| certificate.made.is_none()).count();
            if undated > 0 {
                look.gap(Gap {
                    family,
                    scope: zone.name.clone(),
                    reason: format!("{undated} certificates do not tell when they were made: only the audit log can"),
                    permission: None,
                });
            }
            Some(certificates)
        }
        Err(error) => {
            look.gap(error.gap(&family, &zone.name, Some(kind.permission(Level::Zone))));
            None
        }
    }
}

fn suspicion(kind: ReviewKind, certificate: Certificate, zone: &Zone) -> Suspicion {
    let what = match kind {
        ReviewKind::CertificatePack => "ordered or renewed; deleting it revokes nothing at its certificate authority",
        ReviewKind::CustomCertificate => {
            "uploaded; whoever uploaded it has the key, and deleting it revokes nothing at its certificate authority"
        }
        _ => "issued; whoever holds it can pose as the origin to Cloudflare until it is revoked",
    };
    Suspicion {
        technique: "CF-T15",
        severity: Severity::High,
        change: Change::Added,
        place: Place::in_zone(kind, &certificate.id, zone),
        detail: format!("{} for `{}` {what}.", capital(kind.words()), certificate.hosts),
        name: certificate.hosts,
        before: None,
        after: Some(certificate.image),
    }
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
