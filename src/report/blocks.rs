//! People's parts: what stands between `<!-- quell:begin NAME -->` and `<!-- quell:end NAME -->`.
//!
//! A marker stands alone on its line. No value can forge one: values never begin a line of their own, and `<` is
//! escaped outside code spans.

use std::ops::Range;

/// Heading over blocks for which the template has no place any more.
const ORPHANS: &str = "## Kept from an earlier draft";

/// One block of a text.
#[derive(Debug, PartialEq, Eq)]
struct Block<'t> {
    name: &'t str,
    /// Line of its begin marker, from 1.
    line: usize,
    /// Its content: whole lines, markers excluded.
    content: Range<usize>,
}

/// Why the blocks of a text cannot be told apart: the line, and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: usize,
    pub(super) what: String,
}

/// Checks that the blocks of `text` can be told apart.
pub(super) fn check(text: &str) -> Result<(), Unreadable> {
    blocks(text).map(|_| ())
}

/// `draft` with the contents that people wrote in `previous`, byte for byte.
pub(super) fn keep(draft: &str, previous: &str) -> Result<String, Unreadable> {
    let kept = blocks(previous)?;
    let places = blocks(draft)?;
    let mut out = String::with_capacity(draft.len() + previous.len());
    let mut at = 0;
    for place in &places {
        out.push_str(&draft[at..place.content.start]);
        let content = kept.iter().find(|block| block.name == place.name);
        out.push_str(content.map_or(&draft[place.content.clone()], |block| &previous[block.content.clone()]));
        at = place.content.end;
    }
    out.push_str(&draft[at..]);
    let orphans: Vec<&Block<'_>> =
        kept.iter().filter(|block| places.iter().all(|place| place.name != block.name)).collect();
    if !orphans.is_empty() {
        out.push_str(&format!("\n{ORPHANS}\n"));
    }
    for block in orphans {
        let (name, content) = (block.name, &previous[block.content.clone()]);
        out.push_str(&format!("\n<!-- quell:begin {name} -->\n{content}<!-- quell:end {name} -->\n"));
    }
    Ok(out)
}

fn blocks(text: &str) -> Result<Vec<Block<'_>>, Unreadable> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open: Option<Block<'_>> = None;
    let mut at = 0;
    for (line, raw) in (1..).zip(text.split_inclusive('\n')) {
        let fail = |what: String| Err(Unreadable { line, what });
        let (start, end) = (at, at + raw.len());
        at = end;
        match (marker(raw), open.take()) {
            (Marker::None, block) => open = block,
            (Marker::Begin(name), None) => {
                if let Some(other) = blocks.iter().find(|block| block.name == name) {
                    return fail(format!("block `{name}` begins a second time; the first is at line {}", other.line));
                }
                open = Some(Block { name, line, content: end..end });
            }
            (Marker::Begin(name), Some(block)) => {
                return fail(format!("block `{name}` begins inside block `{}`", block.name));
            }
            (Marker::End(name), Some(block)) if block.name == name => {
                blocks.push(Block { content: block.content.start..start, ..block });
            }
            (Marker::End(name), Some(block)) => {
                return fail(format!("block `{name}` ends inside block `{}`", block.name));
            }
            (Marker::End(name), None) => return fail(format!("block `{name}` ends without a beginning")),
            (Marker::Malformed, _) => {
                return fail(
                    "a marker must read `<!-- quell:begin NAME -->` or `<!-- quell:end NAME -->`, alone on its line"
                        .to_owned(),
                );
            }
        }
    }
    match open {
        Some(block) => Err(Unreadable { line: block.line, what: format!("block `{}` has no end", block.name) }),
        None => Ok(blocks),
    }
}

enum Marker<'t> {
    None,
    Begin(&'t str),
    End(&'t str),
    Malformed,
}

fn marker(line: &str) -> Marker<'_> {
    let Some(rest) = line.trim_start().strip_prefix("<!-- quell:") else { return Marker::None };
    let Some(words) = rest.trim_end().strip_suffix("-->") else { return Marker::Malformed };
    let mut words = words.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some("begin"), Some(name), None) if is_name(name) => Marker::Begin(name),
        (Some("end"), Some(name), None) if is_name(name) => Marker::End(name),
        _ => Marker::Malformed,
    }
}

fn is_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::{check, keep};

    const DRAFT: &str = "a\n<!-- quell:begin x -->\nTODO\n<!-- quell:end x -->\nb\n";

    #[test]
    fn what_people_wrote_is_kept_byte_for_byte() {
        let previous = "old\n<!-- quell:begin x -->\r\n  Ours \r\n\n<!-- quell:end x -->\nold\n";
        let kept = "a\n<!-- quell:begin x -->\n  Ours \r\n\n<!-- quell:end x -->\nb\n";
        assert_eq!(keep(DRAFT, previous).unwrap(), kept);
    }

    #[test]
    fn a_block_without_a_place_is_appended_and_kept_again() {
        let previous = "<!-- quell:begin gone -->\nwords\n<!-- quell:end gone -->\n";
        let once = keep(DRAFT, previous).unwrap();
        assert!(once.contains("Kept from an earlier draft") && once.contains("words"), "{once}");
        assert_eq!(keep(DRAFT, &once).unwrap(), once);
    }

    #[test]
    fn blocks_that_cannot_be_told_apart_are_errors_with_their_line() {
        for (text, line) in [
            ("\n<!-- quell:begin x -->\nwords\n", 2),
            ("words\n<!-- quell:end x -->\n", 2),
            ("<!-- quell:begin x -->\n<!-- quell:begin y -->\n", 2),
            ("<!-- quell:begin x -->\n<!-- quell:end y -->\n", 2),
            ("<!-- quell:begin x -->\n<!-- quell:end x -->\n<!-- quell:begin x -->\n<!-- quell:end x -->\n", 3),
            ("<!-- quell:begin X Y -->\n", 1),
            ("<!-- quell:begin x\n", 1),
        ] {
            assert_eq!(check(text).unwrap_err().line, line, "{text}");
        }
    }
}
