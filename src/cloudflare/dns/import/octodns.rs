//! A zone in the YAML of octoDNS: names below the zone, each with a record set or a list of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ImportError, Imported, is_cloudflares, silent};
use crate::cloudflare::zones::bare;

/// The records of `zone` in a file of octoDNS.
///
/// # Errors
/// It is no YAML, or no mapping of names to record sets.
pub fn octodns(text: &str, zone: &str) -> Result<Imported, ImportError> {
    let zone = bare(zone);
    let names: BTreeMap<String, Value> =
        serde_saphyr::from_str(text).map_err(|error| ImportError::File(error.to_string()))?;
    let (mut records, mut left_out) = (Vec::new(), Vec::new());
    for (name, sets) in names {
        let full = if name.is_empty() { zone.clone() } else { bare(&format!("{name}.{zone}")) };
        let sets = match sets {
            Value::Array(sets) => sets,
            one => vec![one],
        };
        for set in sets {
            let Some(kind) = set["type"].as_str() else {
                return Err(ImportError::File(format!("`{name}` has a record set without a `type`")));
            };
            // Cloudflare flattens a CNAME at the zone's own name.
            let kind = if kind == "ALIAS" { "CNAME" } else { kind };
            if is_cloudflares(kind, &full, &zone) {
                left_out.push(format!("{kind} {full}: Cloudflare's own"));
                continue;
            }
            if let Some(why) = not_here(&set["octodns"]) {
                left_out.push(format!("{kind} {full}: {why}"));
                continue;
            }
            // octoDNS gives Cloudflare the plain values: its provider knows nothing that steers.
            for steered in ["dynamic", "geo"].into_iter().filter(|part| !set[*part].is_null()) {
                left_out.push(format!("{kind} {full}: its `{steered}` part; only its plain value was taken"));
            }
            let own = set.pointer("/octodns/cloudflare").unwrap_or(&Value::Null);
            let is_proxied = own["proxied"] == true;
            let ttl = if is_proxied || own["auto-ttl"] == true { 1 } else { set["ttl"].as_u64().unwrap_or(3600) };
            let values = match (&set["values"], &set["value"]) {
                (Value::Array(values), _) => values.clone(),
                (Value::Null, Value::Null) => {
                    left_out.push(format!("{kind} {full}: it has no `value`"));
                    continue;
                }
                (Value::Null, one) | (one, _) => vec![one.clone()],
            };
            for value in values {
                match content(kind, &value) {
                    Some(content) => records.push(
                        json!({ "type": kind, "name": full, "content": content, "ttl": ttl, "proxied": is_proxied }),
                    ),
                    None => left_out.push(format!("{kind} {full}: a value of this form is not known")),
                }
            }
        }
    }
    let cannot_say = vec![
        "ids",
        "settings",
        "comments and tags, which are not compared in any case",
        "what the configuration of octoDNS adds, drops or changes (processors, other sources, the name of a provider, a \
         default TTL other than 3600)",
    ];
    Ok(Imported { records, left_out, cannot_say, silent: silent(&["/settings"]) })
}

/// Why octoDNS does not keep a record set at Cloudflare, if so.
///
/// Documented: `ignored` leaves it to somebody else; `excluded` names the providers that do not get it, and `included` the
/// only ones that do. They are named as the configuration calls them, which the file does not tell: whichever has
/// `cloudflare` in its name is taken for it.
fn not_here(octodns: &Value) -> Option<String> {
    let named = |list: &str| -> Vec<String> {
        let list = match &octodns[list] {
            Value::Array(list) => list.clone(),
            Value::Null => Vec::new(),
            one => vec![one.clone()],
        };
        list.iter().map(|name| name.as_str().map_or_else(|| name.to_string(), str::to_owned)).collect()
    };
    let (excluded, included) = (named("excluded"), named("included"));
    let is_here = |name: &String| name.to_ascii_lowercase().contains("cloudflare");
    if octodns["ignored"] == true {
        return Some("octoDNS ignores it".to_owned());
    }
    if excluded.iter().any(is_here) {
        return Some(format!("it is not for Cloudflare (`excluded: {}`)", excluded.join(", ")));
    }
    let elsewhere = !included.is_empty() && !included.iter().any(is_here);
    elsewhere
        .then(|| format!("it is for others, none of them named as Cloudflare (`included: {}`)", included.join(", ")))
}

/// The fields of a value in the order of a zone file; older files have other names for some of them.
fn content(kind: &str, value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        // octoDNS escapes what its own parser would take for the begin of a comment.
        return Some(if matches!(kind, "TXT" | "SPF") { text.replace("\\;", ";") } else { text.to_owned() });
    }
    let fields: &[&[&str]] = match kind {
        "MX" => &[&["preference", "priority"], &["exchange", "value"]],
        "SRV" => &[&["priority"], &["weight"], &["port"], &["target"]],
        "CAA" => &[&["flags"], &["tag"], &["value"]],
        "SSHFP" => &[&["algorithm"], &["fingerprint_type"], &["fingerprint"]],
        "TLSA" => &[&["certificate_usage"], &["selector"], &["matching_type"], &["certificate_association_data"]],
        "DS" => &[
            &["key_tag", "flags"],
            &["algorithm", "protocol"],
            &["digest_type", "algorithm"],
            &["digest", "public_key"],
        ],
        "NAPTR" => &[&["order"], &["preference"], &["flags"], &["service"], &["regexp"], &["replacement"]],
        "URI" => &[&["priority"], &["weight"], &["target"]],
        _ => return None,
    };
    let word = |names: &&[&str]| match names.iter().find_map(|name| value.get(name))? {
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    fields.iter().map(word).collect::<Option<Vec<_>>>().map(|words| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::octodns;
    use crate::cloudflare::dns::ImportError;

    const FILE: &str = r#"---
'':
  - type: ALIAS
    value: target.example.net.
    octodns: { cloudflare: { proxied: true } }
  - type: MX
    ttl: 300
    values:
      - { exchange: mx1.example.net., preference: 10 }
      - { value: mx2.example.net., priority: 20 }
  - type: NS
    values: [ns1.example.net., ns2.example.net.]
'1':
  type: A
  octodns: { cloudflare: { auto-ttl: true } }
  values: [192.0.2.1, 192.0.2.2]
text: { type: TXT, ttl: 60, value: 'v=DMARC1\; p=reject' }
where: { type: LOC, value: { lat_degrees: 52 } }
"#;

    #[test]
    fn record_sets_become_records() {
        let read = octodns(FILE, "shop.example").unwrap();
        let told: Vec<_> = read
            .records
            .iter()
            .map(|it| {
                format!(
                    "{} {} {} {} {}",
                    it["name"].as_str().unwrap(),
                    it["ttl"],
                    it["type"].as_str().unwrap(),
                    it["content"].as_str().unwrap(),
                    it["proxied"]
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "shop.example 1 CNAME target.example.net. true",
                "shop.example 300 MX 10 mx1.example.net. false",
                "shop.example 300 MX 20 mx2.example.net. false",
                "1.shop.example 1 A 192.0.2.1 false",
                "1.shop.example 1 A 192.0.2.2 false",
                "text.shop.example 60 TXT v=DMARC1; p=reject false",
            ]
        );
        assert_eq!(
            read.left_out,
            ["NS shop.example: Cloudflare's own", "LOC where.shop.example: a value of this form is not known",]
        );
    }

    #[test]
    fn what_is_not_for_cloudflare_is_no_known_good() {
        let file = "ign: { type: A, value: 192.0.2.1, octodns: { ignored: true } }\n\
                    exc: { type: A, value: 192.0.2.2, octodns: { excluded: [cloudflare] } }\n\
                    inc: { type: A, value: 192.0.2.3, octodns: { included: [route53, ns1] } }\n\
                    not: { type: A, value: 192.0.2.4, octodns: { excluded: [route53], lenient: true } }\n\
                    own: { type: A, value: 192.0.2.5, octodns: { included: [ns1, Cloudflare-prod], ignored: false } }\n\
                    geo: { type: A, value: 192.0.2.6, dynamic: { pools: { a: { values: [{ value: 192.0.2.9 }] } } } }\n";
        let read = octodns(file, "shop.example").unwrap();
        let contents: Vec<_> = read.records.iter().map(|it| it["content"].as_str().unwrap()).collect();
        assert_eq!(contents, ["192.0.2.6", "192.0.2.4", "192.0.2.5"]);
        assert_eq!(
            read.left_out,
            [
                "A exc.shop.example: it is not for Cloudflare (`excluded: cloudflare`)",
                "A geo.shop.example: its `dynamic` part; only its plain value was taken",
                "A ign.shop.example: octoDNS ignores it",
                "A inc.shop.example: it is for others, none of them named as Cloudflare (`included: route53, ns1`)",
            ]
        );
    }

    #[test]
    fn what_is_no_file_of_octodns_is_refused() {
        for text in ["- a\n", "a: {ttl: 1}\n", "a: [1]\n", "\"", "a: &a [*a]\n"] {
            assert!(matches!(octodns(text, "shop.example"), Err(ImportError::File(_))), "{text}");
        }
    }
}
