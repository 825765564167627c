use super::{Difference, Record};
use crate::model::{Change, Severity};

/// What a difference may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Row of the technique catalogue.
    pub technique: &'static str,
    /// How bad it is if the intruder did it.
    pub severity: Severity,
    /// One sentence. Holds names and contents as they are: escape before showing.
    pub detail: String,
}

/// Something done to what a name answers.
const RECORD: &str = "CF-T07";
/// Something that proves control of a name to others, or lets others certify it.
const OWNERSHIP: &str = "CF-T08";

/// Says what a difference in the zone called `zone` may mean, by the worst that it allows.
pub fn judge(difference: &Difference, zone: &str) -> Judgement {
    let change = difference.change();
    let (technique, severity, meaning) = match difference.record() {
        Some(record) => meaning(record, change, &difference.fields(), difference, zone),
        None => (RECORD, Severity::Info, ""),
    };
    let mut detail = happened(difference);
    if !meaning.is_empty() {
        detail.push_str(": ");
        detail.push_str(meaning);
    }
    detail.push('.');
    Judgement { technique, severity, detail }
}

fn meaning(
    record: &Record,
    change: Change,
    fields: &[&str],
    difference: &Difference,
    zone: &str,
) -> (&'static str, Severity, &'static str) {
    let name = record.key.name.as_str();
    let label = name.split('.').next().unwrap_or_default();
    let gone = change == Change::Removed;
    let exposed =
        matches!((&difference.before, &difference.after), (Some(old), Some(now)) if old.proxied && !now.proxied);
    let answers_differently = change == Change::Added || fields.iter().any(|it| matches!(*it, "content" | "name"));
    if fields == ["ttl"] {
        return (RECORD, Severity::Low, "caches keep it for another time");
    }
    match record.key.kind.as_str() {
        "NS" | "CNAME" | "DNAME" if label == "_acme-challenge" && !gone => {
            (OWNERSHIP, Severity::Critical, "whoever it points to can get certificates for the name, again and again")
        }
        _ if label == "_acme-challenge" && !gone => {
            (OWNERSHIP, Severity::High, "proof of control, for which a certificate authority issues a certificate")
        }
        "NS" | "DNAME" if gone => (RECORD, Severity::High, "a delegation is gone and the names below it with it"),
        "NS" | "DNAME" => (RECORD, Severity::Critical, "a part of the zone is answered by foreign servers"),
        "DS" => (RECORD, Severity::High, "names below it stop resolving, or resolve unsigned"),
        "MX" if gone => (RECORD, Severity::High, "mail may be lost or go elsewhere"),
        "MX" => (RECORD, Severity::Critical, "mail, password resets among it, goes to another host"),
        "CAA" if change == Change::Added => (OWNERSHIP, Severity::Medium, "another authority may issue certificates"),
        "CAA" => (OWNERSHIP, Severity::High, "authorities that were shut out may issue certificates"),
        "TXT" | "SPF" => text(record, change, zone),
        "SRV" => (RECORD, Severity::High, "clients that look up the service go elsewhere"),
        "A" | "AAAA" | "CNAME" | "HTTPS" | "SVCB" | "PTR" if gone => {
            (RECORD, Severity::Medium, "the name no longer answers so")
        }
        "A" | "AAAA" | "CNAME" | "HTTPS" | "SVCB" if answers_differently => address(label, name == zone, change),
        _ if exposed => {
            (RECORD, Severity::High, "the proxy is off, so the origin shows and nothing filters its traffic")
        }
        _ => (RECORD, Severity::Medium, ""),
    }
}

fn address(label: &str, is_apex: bool, change: Change) -> (&'static str, Severity, &'static str) {
    match (label, change) {
        ("*", _) => (RECORD, Severity::High, "every name that has no record of its own goes there"),
        ("autodiscover" | "autoconfig", _) => (RECORD, Severity::High, "mail clients ask there where to log in"),
        (_, Change::Changed) => (RECORD, Severity::Critical, "visitors go to another host"),
        _ if is_apex => (RECORD, Severity::Critical, "some or all visitors go to another host"),
        _ => (RECORD, Severity::Medium, "a new name under the domain answers"),
    }
}

fn text(record: &Record, change: Change, zone: &str) -> (&'static str, Severity, &'static str) {
    let (name, content) = (&record.key.name, record.key.content.to_ascii_lowercase());
    let is_mail_policy = content.starts_with("v=spf1")
        || content.starts_with("v=dmarc1")
        || content.starts_with("v=dkim1")
        || name.contains("_domainkey");
    match change {
        _ if is_mail_policy => (RECORD, Severity::High, "others may send mail in the domain's name"),
        Change::Added if content.contains("verif") || *name == zone => {
            (OWNERSHIP, Severity::Medium, "it may prove ownership of the domain to somebody else's service")
        }
        _ => (RECORD, Severity::Low, ""),
    }
}

fn happened(difference: &Difference) -> String {
    match (&difference.before, &difference.after) {
        (Some(before), Some(after)) => {
            let changes: Vec<String> =
                before.differing(after).iter().map(|field| changed(field, before, after)).collect();
            format!("`{}` changed: {}", after.title(), changes.join(", "))
        }
        (None, Some(after)) => format!("`{}` added, pointing to `{}`", after.title(), after.shown_content()),
        (Some(before), None) => format!("`{}` removed; it was `{}`", before.title(), before.shown_content()),
        (None, None) => String::from("nothing"),
    }
}

fn changed(field: &str, before: &Record, after: &Record) -> String {
    match field {
        "content" => format!("content from `{}` to `{}`", before.shown_content(), after.shown_content()),
        "name" => format!("name from `{}` to `{}`", before.key.name, after.key.name),
        "proxied" => format!("proxied from {} to {}", before.proxied, after.proxied),
        "ttl" => format!("ttl from {} to {}", before.ttl, after.ttl),
        "priority" => {
            let shown = |record: &Record| record.key.priority.map_or_else(|| "none".into(), |rank| rank.to_string());
            format!("priority from {} to {}", shown(before), shown(after))
        }
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Difference, judge};
    use crate::cloudflare::dns::Record;
    use crate::model::Severity;

    fn verdict(before: Option<Value>, after: Option<Value>) -> (&'static str, Severity) {
        let read = |item: Option<Value>| item.and_then(|item| Record::read(&item));
        let judged = judge(&Difference { before: read(before), after: read(after) }, "one.example");
        (judged.technique, judged.severity)
    }

    fn record(kind: &str, name: &str, content: &str) -> Option<Value> {
        Some(json!({ "type": kind, "name": name, "content": content, "ttl": 300 }))
    }

    #[test]
    fn each_kind_has_its_technique_and_severity() {
        let acme = "_acme-challenge.one.example";
        let cases = [
            (None, record("NS", "sub.one.example", "ns.evil.example"), "CF-T07", Severity::Critical),
            (None, record("MX", "one.example", "mx.evil.example"), "CF-T07", Severity::Critical),
            (None, record("TXT", acme, "x"), "CF-T08", Severity::High),
            (None, record("CNAME", acme, "evil.example"), "CF-T08", Severity::Critical),
            (None, record("A", "*.one.example", "203.0.113.1"), "CF-T07", Severity::High),
            (record("CAA", "one.example", "0 issue \"a\""), None, "CF-T08", Severity::High),
            (record("MX", "one.example", "mx"), None, "CF-T07", Severity::High),
            (
                record("A", "a.one.example", "192.0.2.1"),
                record("A", "a.one.example", "203.0.113.1"),
                "CF-T07",
                Severity::Critical,
            ),
            (
                record("TXT", "_release.one.example", "1"),
                record("TXT", "_release.one.example", "2"),
                "CF-T07",
                Severity::Low,
            ),
            (
                record("TXT", "one.example", "v=spf1 -all"),
                record("TXT", "one.example", "v=spf1 +all"),
                "CF-T07",
                Severity::High,
            ),
        ];
        for (before, after, technique, severity) in cases {
            assert_eq!(verdict(before.clone(), after.clone()), (technique, severity), "{before:?} {after:?}");
        }
    }

    #[test]
    fn a_proxy_switched_off_is_bad_by_itself() {
        let on = json!({ "type": "A", "name": "api.one.example", "content": "192.0.2.1", "ttl": 1, "proxied": true });
        let mut off = on.clone();
        off["proxied"] = false.into();
        assert_eq!(verdict(Some(on.clone()), Some(off.clone())), ("CF-T07", Severity::High));
        assert_eq!(verdict(Some(off), Some(on)).1, Severity::Medium);
    }
}
