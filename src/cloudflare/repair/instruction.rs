use serde_json::Value;

use super::Request;
use crate::cloudflare::review::{Level, Place, ReviewItem, ReviewKind};

/// What a person is to do, with what is there and what should be in words.
pub fn instruction(item: &ReviewItem, request: Option<&Request>, present: Option<&Value>) -> String {
    let what = format!("the {} `{}` ({})", item.place.kind.words(), item.resource_name, item.place.scope());
    match request {
        Some(Request { method: "DELETE", .. }) => match present {
            Some(present) => format!("Delete {what}. It is now: {}.", fields(present)),
            None => format!("Delete {what}."),
        },
        Some(Request { method: "PATCH", body: Some(body), .. }) => {
            format!("Change {what} back: {}. Leave everything else as it is.", changes(present, body))
        }
        Some(Request { body: Some(body), .. }) => format!("Make {what} again: {}.", fields(body)),
        _ if item.place.kind == ReviewKind::Rule => {
            let was = item.before.as_ref().map(|was| format!(": {}", fields(was))).unwrap_or_default();
            format!(
                "Put {what} back as it was{was}. Values of headers may be secret and were not kept: whoever owns the rule \
                 knows them."
            )
        }
        _ => format!(
            "Look at {what}: the pack follows the zone's universal setting and is not deleted by itself. Decide whether \
             its authority is the one that you want."
        ),
    }
}

/// An image in words: each field with its value.
pub fn fields(image: &Value) -> String {
    let shown = image.as_object().into_iter().flatten().map(|(field, value)| format!("{field} {}", shown(value)));
    shown.collect::<Vec<_>>().join(", ")
}

fn changes(present: Option<&Value>, body: &Value) -> String {
    let of = |field: &str| present.and_then(|present| present.get(field));
    let changes = body.as_object().into_iter().flatten().filter(|(field, value)| of(field) != Some(value));
    let words = changes.map(|(field, value)| match of(field) {
        Some(now) => format!("{field} from {} to {}", shown(now), shown(value)),
        None => format!("{field} to {}", shown(value)),
    });
    let dropped = present
        .and_then(|present| present.get("action_parameters"))
        .filter(|_| body.get("action").is_some() && body.get("action_parameters").is_none());
    let dropped = dropped.map(|now| format!("action_parameters from {} to none", shown(now)));
    words.chain(dropped).collect::<Vec<_>>().join("; ")
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

/// Where it is in the dashboard, from the account's home.
pub fn dashboard(place: &Place) -> String {
    let zone = place.zone.as_deref().unwrap_or_default();
    match (place.kind, place.level) {
        (ReviewKind::DnsRecord, _) => format!("{zone} > DNS > Records"),
        (ReviewKind::CertificatePack | ReviewKind::CustomCertificate, _) => {
            format!("{zone} > SSL/TLS > Edge Certificates")
        }
        (ReviewKind::OriginCertificate, _) => format!("{zone} > SSL/TLS > Origin Server"),
        (ReviewKind::Rule, Level::Zone) => format!("{zone} > Security > WAF"),
        (ReviewKind::Rule, _) => String::from("Manage Account > WAF"),
        (ReviewKind::AccessRule, _) if place.level == Level::Zone => format!("{zone} > Security > WAF > Tools"),
        (ReviewKind::AccessRule, _) => {
            String::from("any zone > Security > WAF > Tools: the rule shows there as of all websites")
        }
    }
}

/// How far a change of it goes.
pub fn reach(place: &Place) -> String {
    match (place.zone.as_deref(), place.level) {
        (Some(zone), _) => format!("zone {zone}"),
        (None, Level::User) => "every zone that the user can see".to_owned(),
        (None, _) => "every zone of the account".to_owned(),
    }
}

/// Who notices that it is no longer as it is now.
pub const fn cut_off(place: &Place) -> &'static str {
    match place.kind {
        ReviewKind::DnsRecord => "whoever relies on its present answer",
        ReviewKind::CertificatePack | ReviewKind::CustomCertificate => {
            "visitors of its hosts, where no other certificate is for them"
        }
        ReviewKind::OriginCertificate => "origins that serve it",
        ReviewKind::Rule => "traffic that passes, or is stopped, by the rule as it is now",
        ReviewKind::AccessRule => "nobody: its addresses meet the WAF like all others",
    }
}

/// What a person must know before doing it.
pub fn consequences(place: &Place, wanted: Option<&Value>, present: Option<&Value>) -> Vec<String> {
    let text = match place.kind {
        ReviewKind::DnsRecord => {
            let ttl = present.or(wanted).and_then(|record| record.get("ttl")).and_then(Value::as_u64).unwrap_or(1);
            // 1 means automatic, which is five minutes.
            let seconds = if ttl == 1 { 300 } else { ttl };
            format!("Resolvers may keep the old answer for up to {seconds} seconds.")
        }
        ReviewKind::CertificatePack => String::from(
            "This takes the certificate from Cloudflare's edge. It does not revoke at the CA: ask the CA to revoke it.",
        ),
        ReviewKind::CustomCertificate => String::from(
            "Whoever uploaded it still has its key. Deleting does not revoke at the CA: ask the CA to revoke it.",
        ),
        ReviewKind::OriginCertificate => String::from(
            "Deleting revokes it for good: an origin that serves it needs another first. Cloudflare refuses revoked ones \
             only where SSL mode is strict.",
        ),
        ReviewKind::Rule if place.level == Level::Zone => String::from("This changes traffic of the zone at once."),
        ReviewKind::Rule => String::from("This changes traffic of every zone of the account at once."),
        ReviewKind::AccessRule => String::from("Its addresses no longer pass by the WAF. Keep the address as a lead."),
    };
    vec![text]
}
