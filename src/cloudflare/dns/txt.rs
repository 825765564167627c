//! The text of a TXT record, however it was quoted and split.

/// The text that a resolver would hand out, with every byte that is not printable ASCII escaped, so that two different
/// texts never become the same.
///
/// A text that begins with a quote is read as character strings of a zone file: quoted, at most 255 bytes each, with
/// `\"`, `\\` and `\DDD`. The strings are joined, for a reader joins them too. Any other text stands for itself.
pub(super) fn canonical(content: &str) -> String {
    let content = content.trim();
    strings(content).unwrap_or_else(|| content.as_bytes().to_vec()).escape_ascii().to_string()
}

/// The joined strings; `None` where the text is not well-formed as such.
fn strings(content: &str) -> Option<Vec<u8>> {
    let mut bytes = content.bytes().peekable();
    if bytes.peek() != Some(&b'"') {
        return None;
    }
    let mut joined = Vec::with_capacity(content.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => loop {
                match bytes.next()? {
                    b'"' => break,
                    b'\\' => joined.push(escaped(&mut bytes)?),
                    other => joined.push(other),
                }
            },
            other if other.is_ascii_whitespace() => {}
            _ => return None,
        }
    }
    Some(joined)
}

/// What follows a backslash: three decimal digits, or the byte itself.
fn escaped(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let first = bytes.next()?;
    if !first.is_ascii_digit() {
        return Some(first);
    }
    let mut value = u16::from(first - b'0');
    for _ in 0..2 {
        let digit = bytes.next().filter(u8::is_ascii_digit)?;
        value = value * 10 + u16::from(digit - b'0');
    }
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn quoting_and_splitting_do_not_count() {
        for same in
            ["v=spf1 -all", "\"v=spf1 -all\"", "\"v=spf1\" \" -all\"", "\"v=sp\"\"f1 -all\"", "\"v\\=spf1 \\045all\""]
        {
            assert_eq!(canonical(same), "v=spf1 -all", "{same}");
        }
    }

    #[test]
    fn what_a_resolver_tells_apart_stays_apart() {
        let distinct =
            ["a", "A", "\"a \"", "\"a\\\"\"", "\"a\\195\\182\"", "\"a\\195\\183\"", "\"a", "\"a\" b", "\"\\999\""];
        for (at, one) in distinct.iter().enumerate() {
            for other in &distinct[at + 1..] {
                assert_ne!(canonical(one), canonical(other), "{one} {other}");
            }
        }
        assert_eq!(canonical("ö"), canonical("\"\\195\\182\""));
    }
}
