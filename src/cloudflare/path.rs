//! Paths of the API, put together so that nothing from data can leave its segment.

/// One segment of a path, percent-encoded: only unreserved characters stay as they are.
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    // Alone, these would climb out of the folder even when encoded.
    match out.as_str() {
        "" | "." | ".." => String::from("%00"),
        _ => out,
    }
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn nothing_leaves_its_segment() {
        assert_eq!(segment("9a7806061c88ada191ed06f989cc3dac"), "9a7806061c88ada191ed06f989cc3dac");
        assert_eq!(segment("../../user?x=1#y"), "..%2F..%2Fuser%3Fx%3D1%23y");
        assert_eq!(segment(".."), "%00");
    }
}
