use serde_json::{Map, Value, json};

use super::Present;
use crate::cloudflare::access_rules::access_rules_path;
use crate::cloudflare::api::segment;
use crate::cloudflare::dns::Record;
use crate::cloudflare::marked;
use crate::cloudflare::review::{Level, Place, ReviewKind};
use crate::cloudflare::rules::rulesets_path;
use crate::model::HttpCall;

/// One request that puts something back, or shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `POST`, `PATCH` or `DELETE`; never `PUT`, which resets what it does not name. `GET` for one that shows it.
    pub method: &'static str,
    /// Path below the API's base URL.
    pub path: String,
    /// JSON body.
    pub body: Option<Value>,
}

impl From<Request> for HttpCall {
    fn from(request: Request) -> Self {
        Self { method: request.method.into(), path: request.path, body: request.body, secret_answer: false }
    }
}

/// The request that leads from what is `present` to what is `wanted`. `is_beside`: it is there already, beside it.
/// `None` where the API has none: a universal pack is governed by a setting; and where what to send was not kept, since it
/// may be secret.
pub fn request(
    place: &Place,
    present: Option<&Present>,
    wanted: Option<&Value>,
    is_beside: bool,
    account: &str,
) -> Option<Request> {
    let collection = collection(place, account);
    let one = |present: &Present| format!("{collection}/{}", segment(&present.id));
    if wanted.is_some_and(|wanted| !is_beside && marked::is_in(&wanted.to_string())) {
        return None;
    }
    match (present, wanted.filter(|_| !is_beside)) {
        (Some(present), Some(wanted)) => {
            let body = Some(patch(place.kind, &present.image, wanted));
            Some(Request { method: "PATCH", path: one(present), body })
        }
        (Some(present), None) => {
            let is_universal = place.kind == ReviewKind::CertificatePack && present.image["type"] == "universal";
            (!is_universal).then(|| Request { method: "DELETE", path: one(present), body: None })
        }
        (None, Some(wanted)) => Some(Request { method: "POST", path: collection, body: Some(wanted.clone()) }),
        (None, None) => None,
    }
}

/// The request that shows what is at `place`: the one that is `present`, or the list that it would be in.
pub fn reading(place: &Place, present: Option<&Present>, account: &str) -> Request {
    let collection = collection(place, account);
    let path = match (place.kind, present) {
        // No read shows one rule, nor one access rule of a user.
        (ReviewKind::Rule, _) => collection.trim_end_matches("/rules").to_owned(),
        (ReviewKind::AccessRule, _) if place.level == Level::User => collection,
        (_, Some(present)) => format!("{collection}/{}", segment(&present.id)),
        // Its list needs a zone.
        (ReviewKind::OriginCertificate, None) => {
            format!("{collection}?zone_id={}", segment(place.zone_id.as_deref().unwrap_or_default()))
        }
        (_, None) => collection,
    };
    Request { method: "GET", path, body: None }
}

/// Path that the resource's id is appended to, and that one is made at.
fn collection(place: &Place, account: &str) -> String {
    let zone = place.zone_id.as_deref();
    let in_zone = |rest: &str| format!("/zones/{}/{rest}", segment(zone.unwrap_or_default()));
    match place.kind {
        ReviewKind::DnsRecord => in_zone("dns_records"),
        ReviewKind::CertificatePack => in_zone("ssl/certificate_packs"),
        ReviewKind::CustomCertificate => in_zone("custom_certificates"),
        ReviewKind::OriginCertificate => String::from("/certificates"),
        ReviewKind::Rule => {
            let ruleset = segment(place.ruleset_id.as_deref().unwrap_or_default());
            format!("{}/{ruleset}/rules", rulesets_path(place.level, zone, account))
        }
        ReviewKind::AccessRule => access_rules_path(place.level, zone, account),
    }
}

fn patch(kind: ReviewKind, present: &Value, wanted: &Value) -> Value {
    match (kind, Record::read(present), Record::read(wanted)) {
        (ReviewKind::DnsRecord, Some(present), Some(wanted)) => patch_record(&present, &wanted),
        // A rule's parameters belong to its action, so it is written whole.
        _ => {
            let mut body = wanted.clone();
            if present.get("description").is_some() && wanted.get("description").is_none() {
                body["description"] = "".into();
            }
            body
        }
    }
}

/// What differs, beside what the API asks for with every change: name, type and time to live. Whatever else was changed
/// meanwhile stays.
fn patch_record(present: &Record, wanted: &Record) -> Value {
    let mut body = Map::new();
    let mut set = |field: &str, value: Option<&Value>| {
        if let Some(value) = value {
            body.insert(field.to_owned(), value.clone());
        }
    };
    let image = wanted.image();
    for field in ["name", "type"] {
        set(field, image.get(field));
    }
    // A proxied record has no time to live of its own: 1 means automatic.
    set("ttl", Some(&json!(if wanted.proxied { 1 } else { wanted.ttl })));
    for field in wanted.differing(present) {
        match field {
            "content" if image.get("data").is_some() => set("data", image.get("data")),
            "settings" => {
                let off = present.settings.keys().map(|name| (name.clone(), Value::Bool(false)));
                let on = wanted.settings.iter().map(|(name, value)| (name.clone(), value.clone()));
                set("settings", Some(&Value::Object(off.chain(on).collect())));
            }
            "proxied" => set("proxied", Some(&json!(wanted.proxied))),
            field => set(field, image.get(field)),
        }
    }
    Value::Object(body)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Place, Present, Request, ReviewKind, request};
    use crate::cloudflare::repair::reading;
    use crate::cloudflare::review::Level;
    use crate::cloudflare::zones::Zone;

    fn place(kind: ReviewKind) -> Place {
        Place::in_zone(kind, "1", &Zone { id: "z/..".into(), name: "one.example".into() })
    }

    fn present(image: Value) -> Present {
        Present { id: "1".into(), image }
    }

    fn asked(place: &Place, is: Option<Value>, wanted: Option<&Value>) -> Option<Request> {
        request(place, is.map(present).as_ref(), wanted, false, "acc")
    }

    #[test]
    fn a_changed_record_is_patched_in_what_changed_and_in_what_every_patch_must_name() {
        let wanted =
            json!({ "type": "A", "name": "x", "content": "192.0.2.1", "proxied": true, "ttl": 1, "comment": "c" });
        let now = json!({ "type": "A", "name": "x", "content": "192.0.2.1", "proxied": false, "ttl": 300 });
        let asked = asked(&place(ReviewKind::DnsRecord), Some(now), Some(&wanted));
        let path = "/zones/z%2F../dns_records/1".to_owned();
        let body = Some(json!({ "name": "x", "type": "A", "ttl": 1, "proxied": true }));
        assert_eq!(asked, Some(Request { method: "PATCH", path, body }));
    }

    #[test]
    fn what_was_removed_is_posted_and_what_was_added_is_deleted() {
        let record = json!({ "type": "A", "name": "x", "content": "192.0.2.1" });
        let place = place(ReviewKind::DnsRecord);
        let posted = asked(&place, None, Some(&record)).map(|it| (it.method, it.body));
        assert_eq!(posted, Some(("POST", Some(record.clone()))));
        assert_eq!(asked(&place, Some(record), None).map(|it| it.method), Some("DELETE"));
    }

    #[test]
    fn each_level_has_its_path() {
        let mut rule = place(ReviewKind::AccessRule);
        let path = |place: &Place| asked(place, Some(json!({})), None).map(|it| it.path).unwrap_or_default();
        assert_eq!(path(&rule), "/zones/z%2F../firewall/access_rules/rules/1");
        (rule.level, rule.zone_id) = (Level::User, None);
        assert_eq!(path(&rule), "/user/firewall/access_rules/rules/1");
        rule.level = Level::Account;
        assert_eq!(path(&rule), "/accounts/acc/firewall/access_rules/rules/1");
        (rule.kind, rule.ruleset_id) = (ReviewKind::Rule, Some("rs".into()));
        assert_eq!(path(&rule), "/accounts/acc/rulesets/rs/rules/1");
    }

    #[test]
    fn what_is_there_is_read_by_its_id_and_what_is_gone_is_looked_for_in_its_list() {
        let (mut rule, there) = (place(ReviewKind::DnsRecord), present(json!({})));
        let path = |place: &Place, is: Option<&Present>| reading(place, is, "acc").path;
        assert_eq!(path(&rule, Some(&there)), "/zones/z%2F../dns_records/1");
        assert_eq!(path(&rule, None), "/zones/z%2F../dns_records");
        (rule.kind, rule.ruleset_id) = (ReviewKind::Rule, Some("rs".into()));
        assert_eq!(path(&rule, Some(&there)), "/zones/z%2F../rulesets/rs");
        (rule.kind, rule.level) = (ReviewKind::AccessRule, Level::User);
        assert_eq!(path(&rule, Some(&there)), "/user/firewall/access_rules/rules");
    }

    #[test]
    fn a_value_that_was_not_kept_is_not_sent() {
        let wanted =
            json!({ "action": "rewrite", "action_parameters": { "headers": { "X-Key": { "value": "«secret 1»" } } } });
        assert_eq!(asked(&place(ReviewKind::Rule), Some(json!({ "action": "rewrite" })), Some(&wanted)), None);
    }

    #[test]
    fn a_universal_pack_is_not_deleted() {
        assert_eq!(asked(&place(ReviewKind::CertificatePack), Some(json!({ "type": "universal" })), None), None);
    }
}
