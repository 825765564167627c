//! A zone file in the format of BIND (RFC 1035 section 5), also as Cloudflare exports it.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::json;

use super::{ImportError, Imported, is_cloudflares, is_within, silent};
use crate::cloudflare::zones::bare;

/// One entry of the file: from one end of a line to the next, parentheses and quotes aside.
#[derive(Debug, Default)]
struct Entry {
    line: usize,
    /// Whether it begins with white space: it is about the same name as the one before.
    is_continued: bool,
    words: Vec<Word>,
    comment: String,
}

#[derive(Debug)]
struct Word {
    /// As it is written, without quotes.
    text: String,
    is_quoted: bool,
}

/// The records of `zone` in a zone file. Its own SOA and NS records are left out, for the API does not list them.
///
/// # Errors
/// It is no zone file, or it includes or generates what does not stand in it.
pub fn bind(text: &str, zone: &str) -> Result<Imported, ImportError> {
    let zone = bare(zone);
    let (mut origin, mut default_ttl, mut last_ttl, mut owner) = (zone.clone(), None, None, None::<String>);
    let (mut records, mut left_out) = (Vec::new(), Vec::new());
    // An export of Cloudflare says of each record that may be proxied whether it is.
    let says_proxied = text.contains("cf-proxied:");
    for entry in entries(text)? {
        let wrong = |why: String| ImportError::Line { line: entry.line, why };
        let mut words = entry.words.iter().peekable();
        if let Some(directive) = words.peek().filter(|word| word.text.starts_with('$') && !word.is_quoted) {
            let value = entry.words.get(1).map(|word| word.text.as_str()).unwrap_or_default();
            match directive.text.to_ascii_uppercase().as_str() {
                "$ORIGIN" if !value.is_empty() => origin = absolute(value, &origin),
                "$TTL" => default_ttl = Some(ttl(value).ok_or_else(|| wrong(format!("`{value}` is no time to live")))?),
                other => return Err(wrong(format!("`{other}` cannot be followed: write out what it stands for"))),
            }
            continue;
        }
        if !entry.is_continued {
            owner = words.next().map(|word| absolute(&word.text, &origin));
        }
        let mut own_ttl = None;
        let kind = loop {
            let word = words.next().ok_or_else(|| wrong("there is no type of a record".to_owned()))?;
            match word.text.to_ascii_uppercase().as_str() {
                "IN" => {}
                class @ ("CH" | "HS" | "CS") => return Err(wrong(format!("class {class} is not the Internet's"))),
                other => match ttl(other) {
                    Some(seconds) => own_ttl = Some(seconds),
                    None => break other.to_owned(),
                },
            }
        };
        let name = owner.clone().ok_or_else(|| wrong("there is no name of a record".to_owned()))?;
        last_ttl = own_ttl.or(last_ttl);
        let seconds = own_ttl.or(default_ttl).or(last_ttl).unwrap_or(1);
        let content = content(&kind, &words.collect::<Vec<_>>(), &origin);
        if content.is_empty() {
            return Err(wrong(format!("{kind} {name} has no content")));
        }
        if is_cloudflares(&kind, &name, &zone) {
            left_out.push(format!("line {}: {kind} {name}: Cloudflare's own", entry.line));
        } else if !is_within(&name, &zone) {
            left_out.push(format!("line {}: {kind} {name}: it lies outside of {zone}", entry.line));
        } else {
            let is_proxied = entry.comment.contains("cf-proxied:true");
            records
                .push(json!({ "type": kind, "name": name, "content": content, "ttl": seconds, "proxied": is_proxied }));
        }
    }
    let mut cannot_say = vec!["ids", "settings"];
    if !says_proxied {
        cannot_say.push("what is proxied, and so the time to live that the API shows");
    }
    cannot_say.push("comments and tags, which are not compared in any case");
    let fields: &[&str] = if says_proxied { &["/settings"] } else { &["/proxied", "/settings", "/ttl"] };
    Ok(Imported { records, left_out, cannot_say, silent: silent(fields) })
}

fn entries(text: &str) -> Result<Vec<Entry>, ImportError> {
    let (mut all, mut entry, mut line, mut depth) = (Vec::new(), Entry::default(), 1, 0_usize);
    let mut chars = text.chars().peekable();
    let mut is_begin = true;
    while let Some(c) = chars.next() {
        if std::mem::take(&mut is_begin) {
            entry = Entry { line, is_continued: c.is_ascii_whitespace(), ..Entry::default() };
        }
        match c {
            '\n' => {
                line += 1;
                if depth == 0 {
                    all.push(std::mem::take(&mut entry));
                    is_begin = true;
                }
            }
            ';' => {
                while let Some(c) = chars.next_if(|c| *c != '\n') {
                    entry.comment.push(c);
                }
            }
            '(' => depth += 1,
            ')' => {
                depth = depth.checked_sub(1).ok_or(ImportError::Line { line, why: "`)` closes nothing".to_owned() })?;
            }
            '"' => entry.words.push(Word { text: quoted(&mut chars, line)?, is_quoted: true }),
            c if c.is_whitespace() => {}
            c => {
                let mut word = String::from(c);
                if c == '\\' {
                    word.extend(chars.next());
                }
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !matches!(c, ';' | '(' | ')')) {
                    word.push(c);
                    match c {
                        '\\' => word.extend(chars.next()),
                        // As in `alpn="h3,h2"`.
                        '"' => word.push_str(&format!("{}\"", quoted(&mut chars, line)?)),
                        _ => {}
                    }
                }
                entry.words.push(Word { text: word, is_quoted: false });
            }
        }
    }
    if depth > 0 {
        return Err(ImportError::Line { line: entry.line, why: "`(` is not closed".to_owned() });
    }
    all.push(entry);
    all.retain(|entry| !entry.words.is_empty());
    Ok(all)
}

/// What stands up to the next quote, which is taken as well.
fn quoted(chars: &mut Peekable<Chars<'_>>, line: usize) -> Result<String, ImportError> {
    let mut text = String::new();
    loop {
        match chars.next() {
            Some('"') => return Ok(text),
            Some('\\') => {
                text.push('\\');
                text.extend(chars.next());
            }
            Some('\n') | None => return Err(ImportError::Line { line, why: "a quote does not end".to_owned() }),
            Some(c) => text.push(c),
        }
    }
}

/// The content as the API would spell it: names whole, texts quoted.
fn content(kind: &str, words: &[&Word], origin: &str) -> String {
    let host = match kind {
        "CNAME" | "NS" | "PTR" | "DNAME" => Some(0),
        "MX" | "HTTPS" | "SVCB" => Some(1),
        "SRV" => Some(3),
        "NAPTR" => Some(5),
        _ => None,
    };
    let is_text = matches!(kind, "TXT" | "SPF");
    let spelt = |(at, word): (usize, &&Word)| match word {
        // A target of `.` means the name itself, or none.
        word if Some(at) == host && word.text != "." => absolute(&word.text, origin),
        word if word.is_quoted || is_text => format!("\"{}\"", word.text),
        word => word.text.clone(),
    };
    words.iter().enumerate().map(spelt).collect::<Vec<_>>().join(" ")
}

/// A name with its origin, in small letters and without the final dot.
fn absolute(name: &str, origin: &str) -> String {
    match name {
        "@" => origin.to_owned(),
        name if name.ends_with('.') => bare(name),
        name => bare(&format!("{name}.{origin}")),
    }
}

/// `3600`, `1h`, `1h30m`: seconds.
fn ttl(text: &str) -> Option<u64> {
    let (mut seconds, mut number) = (0_u64, None::<u64>);
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit.into())?);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        seconds = seconds.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    match number {
        Some(number) => seconds.checked_add(number),
        None => (!text.is_empty()).then_some(seconds),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{bind, ttl};
    use crate::cloudflare::dns::ImportError;

    const FILE: &str = r#"$ORIGIN shop.example.
$TTL 1h
@ 3600 IN SOA ns1.host.example. admin.shop.example. (
    2026010101 ; serial
    7200 3600 1209600 3600 )
    IN NS ns1.host.example.
@   A 192.0.2.1
www 300 CNAME @
    MX 10 mail
deep IN NS ns.other.example.
txt TXT "v=spf1; -all" "more" ; a comment
_sip._tcp SRV 10 1 5060 sip
svc HTTPS 1 . alpn="h3,h2" port=443
loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
other.example. A 192.0.2.9
"#;

    #[test]
    fn a_zone_file_is_read_as_name_servers_read_it() {
        let read = bind(FILE, "Shop.example.").unwrap();
        let told: Vec<_> = read
            .records
            .iter()
            .map(|it| {
                format!(
                    "{} {} {} {}",
                    it["name"].as_str().unwrap(),
                    it["ttl"],
                    it["type"].as_str().unwrap(),
                    it["content"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "shop.example 3600 A 192.0.2.1",
                "www.shop.example 300 CNAME shop.example",
                "www.shop.example 3600 MX 10 mail.shop.example",
                "deep.shop.example 3600 NS ns.other.example",
                "txt.shop.example 3600 TXT \"v=spf1; -all\" \"more\"",
                "_sip._tcp.shop.example 3600 SRV 10 1 5060 sip.shop.example",
                "svc.shop.example 3600 HTTPS 1 . alpn=\"h3,h2\" port=443",
                "loc.shop.example 3600 LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
            ]
        );
        assert_eq!(
            read.left_out,
            [
                "line 3: SOA shop.example: Cloudflare's own",
                "line 6: NS shop.example: Cloudflare's own",
                "line 15: A other.example: it lies outside of shop.example",
            ]
        );
        assert!(read.silent.contains("/proxied") && read.silent.contains("/ttl"));
    }

    #[test]
    fn an_export_of_cloudflare_says_what_is_proxied() {
        let file = "a.shop.example.\t1\tIN\tA\t192.0.2.1 ; cf_tags=cf-proxied:true\nb.shop.example. 60 IN A 192.0.2.2 ; cf_tags=cf-proxied:false\n";
        let read = bind(file, "shop.example").unwrap();
        assert_eq!((&read.records[0]["proxied"], &read.records[1]["proxied"]), (&json!(true), &json!(false)));
        assert!(!read.silent.contains("/proxied") && read.silent.contains("/settings"));
    }

    #[test]
    fn what_is_no_zone_file_is_told_by_its_line() {
        for (text, line, why) in [
            ("$INCLUDE /etc/passwd\n", 1, "`$INCLUDE` cannot be followed"),
            ("\n$GENERATE 1-9 a$ A 192.0.2.$\n", 2, "`$GENERATE` cannot be followed"),
            ("a A \"x\n", 1, "a quote does not end"),
            ("a A ( 192.0.2.1\n", 1, "`(` is not closed"),
            ("a A )\n", 1, "`)` closes nothing"),
            ("a\n", 1, "no type"),
            (" A 192.0.2.1\n", 1, "no name"),
            ("a A\n", 1, "has no content"),
            ("a CH A 192.0.2.1\n", 1, "class CH"),
        ] {
            match bind(text, "shop.example") {
                Err(ImportError::Line { line: at, why: told }) => {
                    assert!(at == line && told.contains(why), "{text}: {at} {told}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        assert_eq!(
            (ttl("1h30m"), ttl("90"), ttl("A"), ttl(""), ttl("99999999999999999999w")),
            (Some(5400), Some(90), None, None, None)
        );
    }
}
