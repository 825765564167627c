//! Edge certificate packs, uploaded certificates, Origin CA certificates.

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value, json};

use super::call::{Call, Refusal, Reply, ReplyBody, id_of, stamp};
use super::paging::Paging;
use super::permissions::Scope;
use super::world::Account;

const WRITE: &[&str] = &["SSL and Certificates Write"];
const READ: &[&str] = &["SSL and Certificates Write", "SSL and Certificates Read"];

fn groups(call: &Call) -> &'static [&'static str] {
    if call.method == "GET" { READ } else { WRITE }
}

/// The routes below `/zones/{z}/ssl/certificate_packs`.
pub(super) fn packs(account: &mut Account, call: &Call, zone: &str, rest: &[&str]) -> Result<Reply, Refusal> {
    account.require(call, groups(call), Scope::Zone(zone))?;
    match (call.method.as_str(), rest) {
        ("GET", []) => {
            let packs = &account.zone(call, zone)?.packs;
            let all = call.query.get("status") == Some("all");
            let listed: Vec<Value> = packs.iter().filter(|pack| all || pack["status"] == "active").cloned().collect();
            Ok(Paging::USUAL.page(&call.query, &listed, packs.len()))
        }
        ("GET", [id]) => Ok(Reply::result(found(&account.zone(call, zone)?.packs, id)?.clone())),
        ("POST", ["order"]) => {
            let id = account.new_id();
            let certificate = account.new_id();
            let pack = new_pack(&id, &certificate, &call.body, "pending_validation", call.at);
            account.zone_mut(call, zone)?.packs.push(pack.clone());
            Ok(Reply::created(pack))
        }
        ("DELETE", [id]) => Ok(Reply::deleted(remove(&mut account.zone_mut(call, zone)?.packs, id)?)),
        _ => Err(Refusal::no_route(&call.path)),
    }
}

/// A certificate pack out of what was ordered.
pub(super) fn new_pack(id: &str, certificate: &str, ordered: &Value, status: &str, at: Timestamp) -> Value {
    let authority = ordered["certificate_authority"].as_str().unwrap_or("google");
    let issuer = match authority {
        "lets_encrypt" => "LetsEncrypt",
        "ssl_com" => "SSLcom",
        _ => "GoogleTrustServices",
    };
    let days = ordered["validity_days"].as_i64().unwrap_or(90);
    json!({
        "id": id,
        "type": ordered["type"].as_str().unwrap_or("advanced"),
        "hosts": ordered["hosts"],
        "status": status,
        "certificate_authority": authority,
        "validation_method": ordered["validation_method"].as_str().unwrap_or("txt"),
        "validity_days": days,
        "primary_certificate": certificate,
        "cloudflare_branding": false,
        "certificates": [{
            "id": certificate,
            "hosts": ordered["hosts"],
            "issuer": issuer,
            "signature": "ECDSAWithSHA256",
            "status": status,
            "uploaded_on": stamp(at),
            "modified_on": stamp(at),
            "expires_on": days_after(at, days),
        }],
    })
}

/// The routes below `/zones/{z}/custom_certificates`.
pub(super) fn custom(account: &mut Account, call: &Call, zone: &str, rest: &[&str]) -> Result<Reply, Refusal> {
    account.require(call, groups(call), Scope::Zone(zone))?;
    match (call.method.as_str(), rest) {
        ("GET", []) => {
            let listed = &account.zone(call, zone)?.custom_certificates;
            Ok(Paging::USUAL.page(&call.query, listed, listed.len()))
        }
        ("GET", [id]) => Ok(Reply::result(found(&account.zone(call, zone)?.custom_certificates, id)?.clone())),
        ("POST", []) => {
            call.text("certificate")?;
            call.text("private_key")?;
            let id = account.new_id();
            let certificate = new_custom(&id, account.zone(call, zone)?.object["name"].as_str(), zone, call.at);
            account.zone_mut(call, zone)?.custom_certificates.push(certificate.clone());
            Ok(Reply::created(certificate))
        }
        ("DELETE", [id]) => Ok(Reply::deleted(remove(&mut account.zone_mut(call, zone)?.custom_certificates, id)?)),
        _ => Err(Refusal::no_route(&call.path)),
    }
}

/// The uploaded PEM is not read: every certificate covers the zone and its first level.
fn new_custom(id: &str, name: Option<&str>, zone: &str, at: Timestamp) -> Value {
    let name = name.unwrap_or_default();
    json!({
        "id": id,
        "zone_id": zone,
        "status": "active",
        "hosts": [name, format!("*.{name}")],
        "issuer": "ZeroSSL",
        "signature": "SHA256WithRSA",
        "bundle_method": "ubiquitous",
        "priority": 1,
        "uploaded_on": stamp(at),
        "modified_on": stamp(at),
        "expires_on": days_after(at, 90),
    })
}

/// The routes below `/certificates`, the Origin CA.
pub(super) fn origin(account: &mut Account, call: &Call, rest: &[&str]) -> Result<Reply, Refusal> {
    match (call.method.as_str(), rest) {
        ("GET", []) => {
            let zone = call.query.get("zone_id").ok_or_else(|| Refusal::invalid("zone_id is required"))?;
            account.require(call, READ, Scope::Zone(zone))?;
            let listed = &account.zone(call, zone)?.origin_certificates;
            Ok(Paging::USUAL.page(&call.query, listed, listed.len()))
        }
        ("POST", []) => {
            let zone = zone_of_hostnames(account, call)?;
            account.require(call, WRITE, Scope::Zone(&zone))?;
            let id = account.new_id();
            let days = call.body["requested_validity"].as_i64().unwrap_or(5475);
            let certificate = new_origin(&id, &call.body["hostnames"], days, call.at);
            account.zone_mut(call, &zone)?.origin_certificates.push(certificate.clone());
            Ok(Reply::created(certificate))
        }
        ("GET", [id]) => {
            let zone = zone_of_certificate(account, call, id)?;
            account.require(call, READ, Scope::Zone(&zone))?;
            Ok(Reply::result(found(&account.zone(call, &zone)?.origin_certificates, id)?.clone()))
        }
        ("DELETE", [id]) => {
            let zone = zone_of_certificate(account, call, id)?;
            account.require(call, WRITE, Scope::Zone(&zone))?;
            let revoked = remove(&mut account.zone_mut(call, &zone)?.origin_certificates, id)?;
            let mut reply = Reply::deleted(revoked);
            reply.body = ReplyBody::Bare(json!({ "id": id, "revoked_at": call.stamp() }));
            Ok(reply)
        }
        _ => Err(Refusal::no_route(&call.path)),
    }
}

/// An Origin CA certificate.
pub(super) fn new_origin(id: &str, hostnames: &Value, days: i64, at: Timestamp) -> Value {
    json!({
        "id": id,
        "hostnames": hostnames,
        "request_type": "origin-rsa",
        "requested_validity": days,
        "csr": "-----BEGIN CERTIFICATE REQUEST-----\n(simulated)\n-----END CERTIFICATE REQUEST-----",
        "certificate": "-----BEGIN CERTIFICATE-----\n(simulated)\n-----END CERTIFICATE-----",
        "expires_on": days_after(at, days),
    })
}

fn zone_of_hostnames(account: &Account, call: &Call) -> Result<String, Refusal> {
    let hostname = call.body["hostnames"][0].as_str().unwrap_or_default();
    let zone = account.zones.iter().find(|zone| {
        zone.object["name"].as_str().is_some_and(|name| hostname == name || hostname.ends_with(&format!(".{name}")))
    });
    zone.map(|zone| id_of(&zone.object).to_owned())
        .ok_or_else(|| Refusal::invalid("Hostname is not in a zone of yours"))
}

fn zone_of_certificate(account: &Account, call: &Call, id: &str) -> Result<String, Refusal> {
    let zone = account.zones.iter().find(|zone| zone.origin_certificates.iter().any(|it| id_of(it) == id));
    zone.map(|zone| id_of(&zone.object).to_owned()).ok_or_else(|| Refusal::no_route(&call.path))
}

fn found<'a>(list: &'a [Value], id: &str) -> Result<&'a Value, Refusal> {
    list.iter().find(|item| id_of(item) == id).ok_or_else(not_found)
}

fn remove(list: &mut Vec<Value>, id: &str) -> Result<Value, Refusal> {
    let position = list.iter().position(|item| id_of(item) == id).ok_or_else(not_found)?;
    Ok(list.remove(position))
}

fn not_found() -> Refusal {
    Refusal::new(404, 1001, "The certificate was not found.")
}

fn days_after(at: Timestamp, days: i64) -> String {
    let expiry = at.to_zoned(TimeZone::UTC).checked_add(days.days());
    stamp(expiry.map_or(Timestamp::MAX, |expiry| expiry.timestamp()))
}
