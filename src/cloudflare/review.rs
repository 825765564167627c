//! What a review hands on: one item per finding, with everything that is needed to put it back.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attribution::Doing;
use super::zones::Zone;
use crate::model::{Actor, Attribution, Change, Digest, Finding, FindingStatus, Resource, Severity, Source};

/// One finding of a review, with what is needed to put the resource back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewItem {
    /// Id of the finding: technique, family and resource.
    pub finding: String,
    /// Row of the technique catalogue, e.g. `CF-T07`.
    pub technique: String,
    /// How bad it is, as far as the attribution tells.
    pub severity: Severity,
    /// `dns_records`, `certificates`, `rulesets` or `access_rules`.
    pub family: String,
    /// What happened to the resource.
    pub change: Change,
    /// Where it is.
    pub place: Place,
    /// Its name; may be chosen by an attacker.
    pub resource_name: String,
    /// Whose doing it is taken to be.
    pub attribution: Attribution,
    /// Who did it, as far as the log says.
    pub actor: Actor,
    /// When, as far as the log says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// One sentence: what is wrong.
    pub detail: String,
    /// The resource before, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The resource as it was found; missing where it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// Where a resource is: enough to read it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Its kind.
    pub kind: ReviewKind,
    /// Its id. A record that is gone keeps the id it had.
    pub id: String,
    /// On which level it lives.
    pub level: Level,
    /// Id of the zone, for what lives in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_id: Option<String>,
    /// Name of the zone, for what lives in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Id of the ruleset that a rule is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruleset_id: Option<String>,
}

/// Kinds of resource that a review looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewKind {
    /// A DNS record.
    DnsRecord,
    /// A certificate pack at the edge.
    CertificatePack,
    /// A certificate that a customer uploaded.
    CustomCertificate,
    /// A certificate of the Origin CA.
    OriginCertificate,
    /// A rule of a ruleset.
    Rule,
    /// An IP access rule.
    AccessRule,
}

impl ReviewKind {
    /// Its name in effects.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DnsRecord => "dns_record",
            Self::CertificatePack => "certificate_pack",
            Self::CustomCertificate => "custom_certificate",
            Self::OriginCertificate => "origin_certificate",
            Self::Rule => "rule",
            Self::AccessRule => "access_rule",
        }
    }

    /// Words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::DnsRecord => "DNS record",
            Self::CertificatePack => "certificate pack",
            Self::CustomCertificate => "custom certificate",
            Self::OriginCertificate => "Origin CA certificate",
            Self::Rule => "rule",
            Self::AccessRule => "IP access rule",
        }
    }

    /// The family of its findings.
    pub const fn family(self) -> &'static str {
        match self {
            Self::DnsRecord => "dns_records",
            Self::CertificatePack | Self::CustomCertificate | Self::OriginCertificate => "certificates",
            Self::Rule => "rulesets",
            Self::AccessRule => "access_rules",
        }
    }

    /// The permission group that lets it be read on that level.
    pub const fn permission(self, level: Level) -> &'static str {
        match (self, level) {
            (Self::DnsRecord, _) => "DNS Read",
            (Self::CertificatePack | Self::CustomCertificate | Self::OriginCertificate, _) => {
                "SSL and Certificates Read"
            }
            (Self::Rule, Level::Zone) => "Zone WAF Read",
            (Self::Rule, _) => "Account WAF Read",
            (Self::AccessRule, Level::Zone) => "Firewall Services Read",
            (Self::AccessRule, _) => "Account Firewall Access Rules Read",
        }
    }
}

/// Where a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// In one zone.
    Zone,
    /// In every zone of the account.
    Account,
    /// In every zone that the user owns.
    User,
}

impl Place {
    /// Something in a zone.
    pub fn in_zone(kind: ReviewKind, id: &str, zone: &Zone) -> Self {
        let (zone_id, zone) = (Some(zone.id.clone()), Some(zone.name.clone()));
        Self { kind, id: id.to_owned(), level: Level::Zone, zone_id, zone, ruleset_id: None }
    }

    /// The zone's name, or the level, for people and for the scope of a gap.
    pub fn scope(&self) -> &str {
        match (self.zone.as_deref(), self.level) {
            (Some(zone), _) => zone,
            (None, Level::User) => "user",
            (None, _) => "account",
        }
    }
}

/// What a review says of one resource, before the log is asked.
#[derive(Debug)]
pub struct Suspicion {
    /// Row of the technique catalogue.
    pub technique: &'static str,
    /// How bad it is if the intruder did it.
    pub severity: Severity,
    /// What happened to the resource.
    pub change: Change,
    /// Where it is.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// One sentence: what is wrong.
    pub detail: String,
    /// The resource before, where known.
    pub before: Option<Value>,
    /// The resource as it was found.
    pub after: Option<Value>,
}

impl Suspicion {
    /// Joins it to whoever did it.
    pub fn by(self, doing: Doing) -> ReviewItem {
        let family = self.place.kind.family();
        ReviewItem {
            finding: format!("{}:{family}:{}", self.technique, self.place.id),
            technique: self.technique.to_owned(),
            severity: doing.weigh(self.severity),
            family: family.to_owned(),
            change: self.change,
            resource_name: self.name,
            detail: self.detail + doing.remark(),
            attribution: doing.attribution,
            actor: doing.actor,
            at: doing.at,
            before: self.before,
            after: self.after,
            place: self.place,
        }
    }
}

impl ReviewItem {
    /// The finding that it stands for, resting on this evidence. `is_diff` is true where a comparison showed it.
    pub fn to_finding(&self, evidence: &[Digest], is_diff: bool) -> Finding {
        let sources = [(is_diff, Source::Diff), (self.at.is_some(), Source::Audit)];
        Finding {
            id: self.finding.clone(),
            technique: self.technique.clone(),
            severity: self.severity,
            status: FindingStatus::Open,
            family: self.family.clone(),
            change: self.change,
            resource: Resource {
                id: self.place.id.clone(),
                name: self.resource_name.clone(),
                zone: self.place.zone.clone(),
            },
            actor: self.actor.clone(),
            attribution: self.attribution,
            detail: self.detail.clone(),
            at: self.at,
            before: self.before.clone(),
            after: self.after.clone(),
            evidence: evidence.to_vec(),
            sources: sources.into_iter().filter(|(is, _)| *is).map(|(_, source)| source).collect(),
        }
    }
}

/// How many items are whose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// By the intruder.
    pub intruder: u64,
    /// With a stolen credential from an address of its honest user.
    pub shared: u64,
    /// By others.
    pub other: u64,
    /// By nobody that a log names.
    pub unattributed: u64,
}

impl Tally {
    /// Counts.
    pub fn of(items: &[ReviewItem]) -> Self {
        let count = |whose| items.iter().filter(|item| item.attribution == whose).count() as u64;
        Self {
            intruder: count(Attribution::Intruder),
            shared: count(Attribution::Shared),
            other: count(Attribution::Other),
            unattributed: count(Attribution::Unattributed),
        }
    }

    /// `5 differ (4 by the intruder, 1 by others)`, with `verb` for `differ`.
    pub fn words(&self, verb: &str) -> String {
        let parts = [
            (self.intruder, "by the intruder"),
            (self.shared, "with a stolen token from its own address"),
            (self.other, "by others"),
            (self.unattributed, "by nobody who is known"),
        ];
        let total: u64 = parts.iter().map(|(count, _)| count).sum();
        let shown: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, who)| format!("{count} {who}")).collect();
        if shown.is_empty() { format!("{total} {verb}") } else { format!("{total} {verb} ({})", shown.join(", ")) }
    }
}

/// `, 1 zone not seen`, or nothing.
pub fn not_seen(scopes: &[String]) -> String {
    match scopes.len() {
        0 => String::new(),
        1 => String::from(", 1 zone not seen"),
        count => format!(", {count} zones not seen"),
    }
}
