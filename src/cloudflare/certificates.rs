//! Certificates: when they were made, and whether Cloudflare made them for itself.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value};

use super::api::segment;
use super::review::ReviewKind;
use crate::provider::ReadRequest;

/// A certificate, or a pack of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Certificate {
    /// Its id.
    pub id: String,
    /// Its names, with commas.
    pub hosts: String,
    /// When it was made, by its own dates; the latest of a pack's. `None` where they cannot be read.
    pub made: Option<Timestamp>,
    /// True for what Cloudflare orders and renews by itself.
    pub is_cloudflares: bool,
    /// The fields that say what it is, without the certificate itself.
    pub image: Value,
}

/// Fields that say what a certificate is.
const IMAGE: [&str; 14] = [
    "id",
    "type",
    "status",
    "hosts",
    "hostnames",
    "certificate_authority",
    "issuer",
    "validation_method",
    "validity_days",
    "request_type",
    "requested_validity",
    "uploaded_on",
    "expires_on",
    "bundle_method",
];

/// The request that lists the certificates of `kind` in a zone.
pub fn list_request(kind: ReviewKind, zone_id: &str) -> ReadRequest {
    match kind {
        // Documented: without `status=all`, only active packs are listed.
        ReviewKind::CertificatePack => {
            ReadRequest::new(format!("/zones/{}/ssl/certificate_packs", segment(zone_id))).with("status", "all")
        }
        ReviewKind::CustomCertificate => ReadRequest::new(format!("/zones/{}/custom_certificates", segment(zone_id))),
        _ => ReadRequest::new("/certificates").with("zone_id", zone_id),
    }
}

/// Reads one item of the list of `kind`. `None` where it has no id.
pub fn read(kind: ReviewKind, item: &Value) -> Option<Certificate> {
    let text = |field: &str| item.get(field).and_then(Value::as_str).unwrap_or_default();
    let names = ["hosts", "hostnames"].iter().find_map(|field| item.get(*field)?.as_array());
    let names: Vec<&str> = names.into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = IMAGE.iter().filter_map(|field| Some(((*field).to_owned(), item.get(*field)?.clone())));
    let uploaded = |item: &Value| time(item.get("uploaded_on")?.as_str()?);
    let made = match kind {
        ReviewKind::CertificatePack => {
            item.get("certificates").and_then(Value::as_array).into_iter().flatten().filter_map(uploaded).max()
        }
        ReviewKind::OriginCertificate => issued(item),
        _ => uploaded(item),
    };
    Some(Certificate {
        id: item.get("id")?.as_str()?.to_owned(),
        hosts: names.join(", "),
        made,
        is_cloudflares: kind == ReviewKind::CertificatePack
            && (text("type") == "universal" || text("status") == "backup_issued"),
        image: Value::Object(fields.collect::<Map<_, _>>()),
    })
}

/// An Origin CA certificate tells when it ends and how long it is valid, in days.
fn issued(item: &Value) -> Option<Timestamp> {
    let ends = time(item.get("expires_on")?.as_str()?)?;
    let days = item.get("requested_validity")?.as_i64().filter(|days| (0..=20_000).contains(days))?;
    Some(ends.to_zoned(TimeZone::UTC).checked_sub(days.days()).ok()?.timestamp())
}

/// RFC 3339, or the form that the Origin CA documents: `2014-01-01 05:20:00 +0000 UTC`.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| Timestamp::strptime("%Y-%m-%d %H:%M:%S %z UTC", text).ok())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::{ReviewKind, read};

    fn at(text: &str) -> Option<Timestamp> {
        text.parse().ok()
    }

    #[test]
    fn each_kind_tells_when_it_was_made_in_its_own_way() {
        let pack = json!({ "id": "1", "type": "advanced", "hosts": ["a"], "certificates": [
            { "uploaded_on": "2026-11-01T00:00:00Z" }, { "uploaded_on": "2026-11-20T00:00:00Z" }] });
        let made = |kind, item| read(kind, &item).and_then(|read| read.made);
        assert_eq!(made(ReviewKind::CertificatePack, pack), at("2026-11-20T00:00:00Z"));
        let custom = json!({ "id": "1", "uploaded_on": "2026-11-20T00:00:00Z" });
        assert_eq!(made(ReviewKind::CustomCertificate, custom), at("2026-11-20T00:00:00Z"));
        let origin = json!({ "id": "1", "expires_on": "2014-01-15 05:20:00 +0000 UTC", "requested_validity": 7 });
        assert_eq!(made(ReviewKind::OriginCertificate, origin), at("2014-01-08T05:20:00Z"));
        assert_eq!(made(ReviewKind::OriginCertificate, json!({ "id": "1", "expires_on": "soon" })), None);
    }

    #[test]
    fn what_cloudflare_orders_for_itself_is_known() {
        let is = |kind: &str, status: &str| {
            let pack = json!({ "id": "1", "type": kind, "status": status });
            read(ReviewKind::CertificatePack, &pack).is_some_and(|read| read.is_cloudflares)
        };
        assert!(is("universal", "active") && is("advanced", "backup_issued"));
        assert!(!is("advanced", "active"));
    }
}
