//! One canonical form for the content of a record, whichever of its two forms the API gave.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::txt;
use crate::cloudflare::zones::bare;

/// The canonical content, and the priority, of a record of type `kind`.
///
/// The priority of MX, SRV and URI records is given as a field, inside `data`, or as the first word of the content.
pub(super) fn canonical(
    kind: &str,
    content: Option<&str>,
    data: Option<&Value>,
    priority: Option<u64>,
) -> (String, Option<u64>) {
    let text = match content.map(str::trim).filter(|content| !content.is_empty()) {
        Some(content) => content.to_owned(),
        None => data.map(|data| spelt(kind, data)).unwrap_or_default(),
    };
    if matches!(kind, "TXT" | "SPF") {
        return (txt::canonical(&text), None);
    }
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let mut rank = None;
    if let Some(length) = words_after_priority(kind) {
        if words.len() == length + 1
            && let Some(first) = words.first().and_then(|word| word.parse().ok())
        {
            rank = Some(first);
            words.remove(0);
        }
        rank = priority.or_else(|| data?.get("priority")?.as_u64()).or(rank);
    }
    (of_words(kind, &words), rank)
}

/// How many words the content of a type with a priority has without it.
fn words_after_priority(kind: &str) -> Option<usize> {
    match kind {
        "MX" => Some(1),
        "SRV" => Some(3),
        "URI" => Some(2),
        _ => None,
    }
}

fn of_words(kind: &str, words: &[&str]) -> String {
    let host_at = |at: usize| {
        let word = |(index, word): (usize, &&str)| if index == at { host(word) } else { (*word).to_owned() };
        words.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
    };
    let joined = || words.join(" ");
    match kind {
        "A" => joined().parse::<Ipv4Addr>().map_or_else(|_| joined(), |address| address.to_string()),
        "AAAA" => joined().parse::<Ipv6Addr>().map_or_else(|_| joined().to_lowercase(), |address| address.to_string()),
        "CNAME" | "NS" | "PTR" | "DNAME" | "MX" => host(&joined()),
        "SRV" => host_at(2),
        "HTTPS" | "SVCB" => host_at(1).replace('"', ""),
        "CAA" => match words {
            [flags, tag, value @ ..] => {
                format!("{flags} {} {}", tag.to_ascii_lowercase(), value.join(" ").replace('"', ""))
            }
            _ => joined(),
        },
        "URI" | "NAPTR" => joined().replace('"', ""),
        // Hexadecimal digits; base64 (CERT, DNSKEY, OPENPGPKEY) does tell cases apart.
        "SSHFP" | "TLSA" | "SMIMEA" | "DS" => joined().to_ascii_lowercase(),
        _ => joined(),
    }
}

/// A host name, where `.` alone means the name itself, or none.
fn host(name: &str) -> String {
    if name == "." { name.to_owned() } else { bare(name) }
}

/// `data` written as content: its fields in the order of a zone file.
fn spelt(kind: &str, data: &Value) -> String {
    let fields: &[&str] = match kind {
        "MX" => &["target"],
        "SRV" => &["weight", "port", "target"],
        "URI" => &["weight", "target"],
        "CAA" => &["flags", "tag", "value"],
        "HTTPS" | "SVCB" => &["priority", "target", "value"],
        "SSHFP" => &["algorithm", "type", "fingerprint"],
        "TLSA" | "SMIMEA" => &["usage", "selector", "matching_type", "certificate"],
        "DS" => &["key_tag", "algorithm", "digest_type", "digest"],
        "DNSKEY" => &["flags", "protocol", "algorithm", "public_key"],
        "CERT" => &["type", "key_tag", "algorithm", "certificate"],
        "NAPTR" => &["order", "preference", "flags", "service", "regex", "replacement"],
        _ => return data.to_string(),
    };
    let word = |field: &&str| match data.get(*field) {
        Some(Value::String(text)) => Some(text.clone()),
        None | Some(Value::Null) => None,
        Some(other) => Some(other.to_string()),
    };
    fields.iter().filter_map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::canonical;

    fn text(kind: &str, content: &str) -> String {
        canonical(kind, Some(content), None, None).0
    }

    fn data(kind: &str, data: &Value) -> (String, Option<u64>) {
        canonical(kind, None, Some(data), None)
    }

    #[test]
    fn addresses_and_hosts_have_one_spelling() {
        assert_eq!(text("AAAA", "2001:0DB8:0:0::0010"), "2001:db8::10");
        assert_eq!(text("CNAME", "WWW.Example.com."), "www.example.com");
        assert_eq!(text("A", " 192.0.2.1 "), "192.0.2.1");
    }

    #[test]
    fn data_and_content_are_one() {
        let srv = json!({ "priority": 10, "weight": 1, "port": 443, "target": "SIP.voice.example." });
        let expected = ("1 443 sip.voice.example".to_owned(), Some(10));
        assert_eq!(data("SRV", &srv), expected);
        assert_eq!(canonical("SRV", Some("1 443 sip.voice.example"), None, Some(10)), expected);
        assert_eq!(canonical("SRV", Some("10 1 443 sip.voice.example."), None, None), expected);
        assert_eq!(canonical("MX", Some("10 MX.example."), None, None), ("mx.example".into(), Some(10)));
        assert_eq!(data("MX", &json!({ "priority": 10, "target": "mx.example" })), ("mx.example".into(), Some(10)));
        let caa = json!({ "flags": 0, "tag": "Issue", "value": "pki.goog" });
        assert_eq!(data("CAA", &caa).0, text("CAA", "0 issue \"pki.goog\""));
        let https = json!({ "priority": 1, "target": ".", "value": "alpn=\"h3,h2\"" });
        assert_eq!(data("HTTPS", &https).0, text("HTTPS", "1 . alpn=h3,h2"));
        assert_eq!(
            data("TLSA", &json!({ "usage": 3, "selector": 1, "matching_type": 1, "certificate": "AB" })).0,
            "3 1 1 ab"
        );
    }

    #[test]
    fn what_differs_stays_different() {
        assert_ne!(text("CAA", "0 issue \"a.example\""), text("CAA", "0 issuewild \"a.example\""));
        assert_ne!(text("DNSKEY", "257 3 13 aB"), text("DNSKEY", "257 3 13 ab"));
        assert_ne!(
            canonical("MX", Some("mx.example"), None, Some(5)),
            canonical("MX", Some("mx.example"), None, Some(10))
        );
    }
}
