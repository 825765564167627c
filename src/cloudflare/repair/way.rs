use serde_json::{Map, Value};

use super::dashboard::of_family;
use super::{Present, Request, dashboard, reading, request};
use crate::cloudflare::api::segment;
use crate::cloudflare::families::family;
use crate::cloudflare::review::{Level, Place, ReviewKind};
use crate::cloudflare::zones::Zone;
use crate::hunt::{Family, MASK, Reach, Seat, Shape};
use crate::model::{Change, Finding};

/// Where a finding of a hunt is got at.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// In the dashboard, from the account's home.
    pub dashboard: String,
    /// The read that shows it; missing where it is not known under which zone or parent it lies.
    pub read: Option<Request>,
    /// The one request that takes it back, where the API has one and it is known what to send.
    pub back: Option<Request>,
}

/// Families of which the API answers with one item by its id, without a secret in it (openapi).
const READ: &[&str] = &[
    "access_app_policies",
    "access_apps",
    "access_groups",
    "access_policies",
    "account_tokens",
    "alert_policies",
    "client_certificates",
    "custom_hostnames",
    "email_addresses",
    "email_rules",
    "gateway_rules",
    "identity_providers",
    "keyless_certificates",
    "lists",
    "load_balancer_monitors",
    "load_balancer_pools",
    "load_balancers",
    "lockdowns",
    "members",
    "mtls_certificates",
    "oauth_clients",
    "page_rules",
    "service_tokens",
    "sso_connectors",
    "tunnels",
    "user_agent_rules",
    "user_groups",
    "user_tokens",
    "warp_connectors",
    "workers_domains",
    "workers_routes",
    "zone_access_app_policies",
    "zone_access_apps",
    "zone_access_groups",
    "zone_identity_providers",
    "zone_service_tokens",
];

/// Families of which the API deletes one item by its id (openapi). Tokens and members have actions of their own, which
/// see to it that nobody is locked out.
const DELETED: &[&str] = &[
    "access_app_policies",
    "account_rulesets",
    "alert_policies",
    "alert_webhooks",
    "client_certificates",
    "email_addresses",
    "email_rules",
    "keyless_certificates",
    "legacy_filters",
    "legacy_firewall_rules",
    "legacy_rate_limits",
    "lists",
    "lockdowns",
    "logpush_jobs",
    "mtls_certificates",
    "oauth_clients",
    "page_rules",
    "service_tokens",
    "sso_connectors",
    "tunnels",
    "turnstile_widgets",
    "user_agent_rules",
    "warp_connectors",
    "workers_domains",
    "workers_log_destinations",
    "workers_routes",
    "workers_scripts",
    "workers_secrets",
    "workers_tails",
    "zone_access_app_policies",
    "zone_logpush_jobs",
    "zone_rulesets",
    "zone_service_tokens",
];

/// Families of which fields are set one by one, with the fields that can be (openapi).
const PATCHED: &[(&str, &[&str])] = &[
    ("ct_alerting", &["enabled", "emails"]),
    ("dnssec", &["status", "dnssec_multi_signer", "dnssec_presigned", "dnssec_use_nsec3"]),
    ("page_rules", &["actions", "priority", "status", "targets"]),
    ("sso_connectors", &["enabled", "use_fedramp_language"]),
    ("universal_ssl", &["enabled", "certificate_authority"]),
    ("zone_settings", &["value"]),
];

/// Where a finding is got at. `seat` is where its resource was seen, or its zone. `None` where no family lists it, as with
/// what the log alone shows.
pub fn way(finding: &Finding, seat: Option<&Seat>, account: &str) -> Option<Way> {
    let family = family(&finding.family)?;
    let zone = finding.resource.zone.as_deref();
    if let Some(place) = reviewed(finding, seat) {
        let (is, was) = (image(place.kind, finding.after.as_ref()), image(place.kind, finding.before.as_ref()));
        let there = || Present { id: finding.resource.id.clone(), image: is.clone().unwrap_or_default() };
        let present = (finding.change != Change::Removed).then(there);
        let is_known = finding.change == Change::Added || was.is_some();
        let is_made_again = finding.change != Change::Added
            && matches!(
                place.kind,
                ReviewKind::CertificatePack | ReviewKind::CustomCertificate | ReviewKind::OriginCertificate
            );
        let wanted = was.filter(|_| finding.change != Change::Added);
        let back = request(&place, present.as_ref(), wanted.as_ref(), false, account);
        return Some(Way {
            dashboard: dashboard(&place),
            read: Some(reading(&place, present.as_ref(), account)),
            back: back.filter(|_| is_known && !is_made_again),
        });
    }
    Some(Way {
        dashboard: of_family(family, zone),
        read: seat.and_then(|seat| read(family, finding, seat, account)),
        back: seat.and_then(|seat| back(family, finding, seat, account)),
    })
}

/// Whether a seat says all that the path of the family's list takes.
fn is_whole(family: &Family, seat: &Seat) -> bool {
    (!family.path.contains("{zone}") || seat.zone_id.is_some())
        && (!family.path.contains("{parent}") || seat.parent.is_some())
}

fn read(family: &Family, finding: &Finding, seat: &Seat, account: &str) -> Option<Request> {
    if !is_whole(family, seat) {
        return None;
    }
    let get = |path: String| Some(Request { method: "GET", path, body: None });
    let id = &finding.resource.id;
    if finding.change != Change::Removed && READ.contains(&family.name) {
        return get(format!("{}/{}", family.list_path(seat, account, segment), segment(id)));
    }
    // One of several answers of the same kind: the one that is named like the resource.
    let named = family.variants.iter().find(|variant| !variant.part.is_empty() && variant.part == id);
    let variant = named.or_else(|| family.variants.first())?;
    let request = family.request(variant, seat, account, segment);
    let pairs = request.query.iter().map(|(name, value)| format!("{}={}", segment(name), segment(value)));
    let query = pairs.collect::<Vec<_>>().join("&");
    get(if query.is_empty() { request.path } else { format!("{}?{query}", request.path) })
}

fn back(family: &Family, finding: &Finding, seat: &Seat, account: &str) -> Option<Request> {
    let id = &finding.resource.id;
    if !is_whole(family, seat) || id.is_empty() {
        return None;
    }
    let list = family.list_path(seat, account, segment);
    let one = format!("{list}/{}", segment(id));
    match (finding.change, &finding.before, &finding.after) {
        (Change::Added, ..) if DELETED.contains(&family.name) => {
            Some(Request { method: "DELETE", path: one, body: None })
        }
        (Change::Changed, Some(before), Some(after)) => {
            let (_, fields) = PATCHED.iter().find(|(name, _)| *name == family.name)?;
            let is_setting = family.shape == Shape::One;
            let body = set_back(before, after, fields, is_setting)?;
            let is_only_one = is_setting && !family.path.ends_with("/{part}");
            Some(Request { method: "PATCH", path: if is_only_one { list } else { one }, body: Some(body) })
        }
        _ => None,
    }
}

/// The fields that differ, as they were; `None` where one of them cannot be set, or is not known. In a setting, what
/// cannot be set follows from what can.
fn set_back(before: &Value, after: &Value, fields: &[&str], is_setting: bool) -> Option<Value> {
    let (before, after) = (before.as_object()?, after.as_object()?);
    let names: Vec<&String> = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))).collect();
    let mut body = Map::new();
    for name in names.into_iter().filter(|name| before.get(*name) != after.get(*name)) {
        if is_setting && !fields.contains(&name.as_str()) {
            continue;
        }
        let is_known = |value: &&Value| fields.contains(&name.as_str()) && !value.to_string().contains(MASK);
        let value = before.get(name).filter(is_known)?;
        // What DNSSEC is about to be is nothing that can be asked for.
        if name == "status" && value.as_str().is_some_and(|status| status.starts_with("pending")) {
            return None;
        }
        body.insert(name.clone(), value.clone());
    }
    (!body.is_empty()).then(|| body.into())
}

/// The finding as a review would have it, where a review looks at its family.
fn reviewed(finding: &Finding, seat: Option<&Seat>) -> Option<Place> {
    let (kind, level) = match finding.family.as_str() {
        "dns_records" => (ReviewKind::DnsRecord, Level::Zone),
        "certificate_packs" => (ReviewKind::CertificatePack, Level::Zone),
        "custom_certificates" => (ReviewKind::CustomCertificate, Level::Zone),
        "origin_certificates" => (ReviewKind::OriginCertificate, Level::Zone),
        "zone_access_rules" => (ReviewKind::AccessRule, Level::Zone),
        "account_access_rules" => (ReviewKind::AccessRule, Level::Account),
        "user_access_rules" => (ReviewKind::AccessRule, Level::User),
        _ => return None,
    };
    let id = &finding.resource.id;
    if level == Level::Zone {
        let zone = Zone { id: seat?.zone_id.clone()?, name: finding.resource.zone.clone()? };
        return Some(Place::in_zone(kind, id, &zone));
    }
    Some(Place { kind, id: id.clone(), level, zone_id: None, zone: None, ruleset_id: None })
}

/// What of a form of the hunt says what the resource is, in the API's spelling.
fn image(kind: ReviewKind, form: Option<&Value>) -> Option<Value> {
    let form = form?;
    match kind {
        ReviewKind::DnsRecord => Some(form.get("image").unwrap_or(form).clone()),
        ReviewKind::AccessRule => {
            let field = |name: &str| Some((name.to_owned(), form.get(name)?.clone()));
            Some(["mode", "configuration", "notes"].into_iter().filter_map(field).collect::<Map<_, _>>().into())
        }
        _ => Some(form.clone()),
    }
}

/// Where a finding lies, as far as its family says it: the account, the user, or the zone with this id.
pub fn seat(finding: &Finding, zone_id: Option<&str>) -> Option<Seat> {
    match (family(&finding.family)?.reach, &finding.resource.zone, zone_id) {
        (Reach::User, ..) => Some(Seat::user()),
        (Reach::Account, ..) => Some(Seat::account()),
        (_, Some(name), Some(id)) => Some(Seat::zone(id, name)),
        _ => None,
    }
}
