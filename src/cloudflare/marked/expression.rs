//! Rule expressions: what a header, a cookie or an argument of the query must be is a secret between an origin and whoever
//! may come in; all else stays readable.

use std::ops::Range;

use super::{marked, opened};

/// Fields whose values may be shared secrets, and the function that takes a key.
const FIELDS: [&str; 6] = [
    "http.request.headers",
    "http.request.cookies",
    "http.cookie",
    "http.request.uri.args",
    "http.request.uri.query",
    "is_timed_hmac_valid_v0",
];

/// Of these the names alone are told.
const NAMES: [&str; 2] = ["http.request.headers.names", "http.request.uri.args.names"];

/// An expression, with the texts marked that such a field is compared with.
pub(in crate::cloudflare) fn expression(text: &str) -> String {
    let is_secret = |clause: &str| {
        let values = NAMES.iter().fold(clause.to_owned(), |clause, name| clause.replace(name, ""));
        FIELDS.iter().any(|field| values.contains(field))
    };
    each(text, is_secret)
}

/// An expression that makes the value of a header or a query, with all its texts marked.
pub(in crate::cloudflare) fn value(text: &str) -> String {
    each(text, |_| true)
}

/// An expression that makes an address, with what its texts bring along marked.
pub(in crate::cloudflare) fn address(text: &str) -> String {
    each(text, |_| false)
}

/// A text that is compared with a whole address may hold what an address brings along.
fn brought(text: &str) -> String {
    if text.contains("://") || text.starts_with('/') { opened(text) } else { text.to_owned() }
}

fn each(text: &str, is_secret: impl Fn(&str) -> bool) -> String {
    let texts = texts(text);
    // The same without its texts: what stands in them is no code.
    let mut code = text.to_ascii_lowercase();
    texts.iter().for_each(|it| code.replace_range(it.clone(), &" ".repeat(it.len())));
    let ends = operators(&code);
    let (mut told, mut done) = (String::with_capacity(text.len()), 0);
    for it in texts {
        let next = ends.partition_point(|end| *end < it.start);
        let from = next.checked_sub(1).and_then(|at| ends.get(at)).copied().unwrap_or_default();
        let clause = &code[from..ends.get(next).copied().unwrap_or(code.len())];
        // In brackets stands the name of a header or of an argument.
        let is_name = code[..it.start].trim_end_matches('"').trim_end().ends_with('[');
        let content = &text[it.clone()];
        told.push_str(&text[done..it.start]);
        let stays = is_name || !is_secret(clause);
        told.push_str(&if stays { brought(content) } else { marked(content) });
        done = it.end;
    }
    told + &text[done..]
}

/// What stands between quotes, raw texts among it; one that does not end goes to the end.
fn texts(text: &str) -> Vec<Range<usize>> {
    let (bytes, mut found, mut at) = (text.as_bytes(), Vec::new(), 0);
    while let Some(quote) = text[at..].find('"').map(|quote| at + quote) {
        let hashes = bytes[..quote].iter().rev().take_while(|byte| **byte == b'#').count();
        let is_raw = bytes[..quote - hashes].ends_with(b"r");
        let start = quote + 1;
        let end = if is_raw {
            text[start..].find(&format!("\"{}", "#".repeat(hashes))).map(|end| start + end)
        } else {
            let mut escaped = false;
            let ends = |byte: &u8| {
                let is_end = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                is_end
            };
            bytes[start..].iter().position(ends).map(|end| start + end)
        };
        let end = end.unwrap_or(text.len());
        found.push(start..end);
        at = (end + 1).min(text.len());
    }
    found
}

/// Where the logical operators stand, in order: each comparison is between two of them.
fn operators(code: &str) -> Vec<usize> {
    let signs = ["&&", "||", "^^"].iter().flat_map(|sign| code.match_indices(sign));
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(byte));
    let words = ["and", "or", "xor"].iter().flat_map(|word| code.match_indices(word)).filter(|(at, word)| {
        let bytes = code.as_bytes();
        !is_word(at.checked_sub(1).and_then(|at| bytes.get(at))) && !is_word(bytes.get(at + word.len()))
    });
    let mut found: Vec<usize> = signs.chain(words).map(|(at, _)| at).collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::{expression, value};
    use crate::cloudflare::marked::mark;

    #[test]
    fn what_a_header_a_cookie_or_an_argument_must_be_is_marked_and_the_rest_is_readable() {
        let hushed = mark("hush");
        for text in [
            r#"http.request.headers["x-key"][0] eq "hush" and http.host eq "a.example""#,
            r#"(not any(http.request.headers["x-key"][*] == "hush") && ip.src.country in {"DE" "SE"})"#,
            r#"http.request.uri.path eq "/in" or http.cookie contains "hush""#,
            r#"http.request.uri.args["key"][0] ne "hush" xor http.user_agent contains "curl and http.cookie""#,
            r#"http.request.uri.query contains "hush""#,
            r##"http.request.headers["x"][0] in {"hush" r"hush" r#"hush"#} or http.host eq "b\"and\"""##,
            r#"is_timed_hmac_valid_v0("hush", http.request.uri, 10800, http.request.timestamp.sec, 8)"#,
        ] {
            let wanted = text.replace("hush", &hushed);
            assert_eq!(expression(text), wanted);
            assert_eq!(expression(&wanted), wanted, "read again");
        }
        for text in [
            r#"http.request.full_uri eq "https://a.example/x?key=hush""#,
            r#"http.request.uri == "https://a.example/x#token=hush""#,
        ] {
            assert_eq!(expression(text), text.replace("hush", &hushed));
        }
        for text in [
            r#"any(http.request.headers.names[*] == "x-key")"#,
            r#"http.request.uri.path eq "/hush" and http.host in {"a.example"}"#,
            r#"http.request.headers["x-key"][0] eq """#,
            "true",
            "",
        ] {
            assert_eq!(expression(text), text);
        }
        assert_eq!(expression(r#"http.cookie eq "hush"#), format!("http.cookie eq \"{hushed}"), "it does not end");
        assert_eq!(value(r#"concat("hush", ip.src.country)"#), format!("concat(\"{hushed}\", ip.src.country)"));
    }
}
