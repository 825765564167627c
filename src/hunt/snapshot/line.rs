//! One item as one line, and where a line stands among the others.

use std::borrow::Cow;

use serde::Deserialize;

use crate::hunt::Item;

/// Where an item stands: by its seat, its key and its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::hunt) struct Rank {
    bytes: Vec<u8>,
    /// So many bytes tell seat and key.
    key: usize,
}

impl Rank {
    pub(in crate::hunt) fn of(item: &Item) -> Self {
        Self::new(&item.seat.name, item.key.iter().map(String::as_str), &item.id)
    }

    fn new<'k>(seat: &str, key: impl Iterator<Item = &'k str>, id: &str) -> Self {
        let mut bytes = Vec::with_capacity(128);
        part(&mut bytes, seat);
        key.for_each(|it| part(&mut bytes, it));
        let key = bytes.len();
        part(&mut bytes, id);
        Self { bytes, key }
    }

    /// What those that are the same by their key share.
    pub(in crate::hunt) fn key(&self) -> &[u8] {
        &self.bytes[..self.key]
    }

    pub(in crate::hunt) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Several texts as one, in whose order they are in order one after the other.
pub(in crate::hunt) fn joined(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    parts.iter().for_each(|text| part(&mut bytes, text));
    bytes
}

/// Ends with a zero, which no text holds then.
fn part(bytes: &mut Vec<u8>, text: &str) {
    if text.bytes().any(|byte| byte < 2) {
        for byte in text.bytes() {
            match byte {
                0 | 1 => bytes.extend([1, byte + 1]),
                other => bytes.push(other),
            }
        }
    } else {
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.push(0);
}

/// An item as one line without its end, the same for items that are the same: the fields of objects are in order.
///
/// # Errors
/// Never, as far as is known: it holds nothing that JSON cannot say.
pub(in crate::hunt) fn write(mut item: Item) -> serde_json::Result<Vec<u8>> {
    item.value.sort_all_objects();
    serde_json::to_vec(&item)
}

/// What of a line says where it stands.
#[derive(Debug, Deserialize)]
pub(in crate::hunt) struct Head<'l> {
    #[serde(borrow)]
    seat: HeadSeat<'l>,
    #[serde(borrow)]
    key: Vec<Word<'l>>,
    #[serde(borrow)]
    id: Cow<'l, str>,
}

/// Only as a field of its own is a text borrowed from the line.
#[derive(Debug, Deserialize)]
struct Word<'l>(#[serde(borrow)] Cow<'l, str>);

#[derive(Debug, Deserialize)]
struct HeadSeat<'l> {
    #[serde(borrow)]
    name: Cow<'l, str>,
}

impl<'l> Head<'l> {
    pub(in crate::hunt) fn read(line: &'l [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(line)
    }

    pub(in crate::hunt) fn rank(&self) -> Rank {
        Rank::new(&self.seat.name, self.key.iter().map(|word| &*word.0), &self.id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Head, Rank, joined, write};
    use crate::hunt::{Item, Seat};

    fn item(seat: &str, key: &[&str], id: &str) -> Item {
        let key = key.iter().map(|part| (*part).to_owned()).collect();
        let value = json!({ "b": [{ "d": 1, "c": 2 }], "a": null });
        Item { seat: Seat::zone("z", seat), key, id: id.to_owned(), created: None, modified: None, value }
    }

    #[test]
    fn a_line_is_the_same_however_the_answer_was_ordered() {
        let line = write(item("x.example", &["A", "www"], "1")).unwrap();
        let expected = r#"{"seat":{"name":"x.example","zone_id":"z"},"key":["A","www"],"id":"1","value":{"a":null,"b":[{"c":2,"d":1}]}}"#;
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }

    #[test]
    fn an_end_of_a_line_in_a_name_ends_no_line() {
        let line = write(item("x", &["a\nb\0\u{1}"], "\"\\")).unwrap();
        assert!(!line.contains(&b'\n'));
        assert_eq!(Head::read(&line).unwrap().rank(), Rank::of(&item("x", &["a\nb\0\u{1}"], "\"\\")));
    }

    proptest! {
        #[test]
        fn ranks_are_ordered_as_their_parts_are(
            one in prop::collection::vec("[\u{0}-\u{3}a-cé]{0,3}", 3), other in prop::collection::vec("[\u{0}-\u{3}a-cé]{0,3}", 3)
        ) {
            let parts = |texts: &[String]| joined(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(parts(&one).cmp(&parts(&other)), one.cmp(&other));
        }
    }
}
