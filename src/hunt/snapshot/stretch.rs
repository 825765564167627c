//! Lines that are in order as they were written, and are read in order again.
//!
//! Each page of a list is sorted before it goes into the file of its family, so that the file is made of stretches that are in
//! order, and nothing has to be sorted on disk. The seat comes first in a rank: seat after seat, its own few stretches are
//! merged.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::line::{Head, joined};
use crate::hunt::Seat;
use crate::hunt::runs::{Sorted, Source};

/// Whole lines of a file that follow each other in the order of their ranks, by where they lie in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// Stretches of several files, by the seats that they are of.
#[derive(Debug, Default)]
pub(super) struct Stretches {
    seats: BTreeMap<Vec<u8>, Vec<(Arc<File>, Stretch)>>,
}

impl Stretches {
    /// Adds what a file holds of one seat.
    pub(super) fn add(&mut self, seat: &Seat, file: &Arc<File>, stretches: &[Stretch]) {
        let all = self.seats.entry(joined(&[&seat.name])).or_default();
        all.extend(stretches.iter().map(|stretch| (Arc::clone(file), *stretch)));
    }

    /// All lines, without their ends, in the order of their ranks.
    pub(super) fn into_lines(self) -> impl Iterator<Item = io::Result<Vec<u8>>> {
        self.seats.into_values().flat_map(|stretches| {
            let lone = stretches.len() == 1;
            let mut lines = stretches.into_iter().map(lines);
            let merged: Box<dyn Iterator<Item = io::Result<Vec<u8>>>> = match lines.next() {
                Some(first) if lone => Box::new(first),
                first => match Sorted::new(first.into_iter().chain(lines).map(ranked).collect()) {
                    Ok(sorted) => Box::new(sorted.map(|entry| entry.map(|(_, line)| line))),
                    Err(error) => Box::new(std::iter::once(Err(error))),
                },
            };
            merged
        })
    }
}

fn lines((file, Stretch { from, to }): (Arc<File>, Stretch)) -> impl Iterator<Item = io::Result<Vec<u8>>> + 'static {
    // Many stretches may be open at a time.
    BufReader::with_capacity(32 << 10, Part { file, at: from, to }).split(b'\n')
}

fn ranked(lines: impl Iterator<Item = io::Result<Vec<u8>>> + 'static) -> Source {
    Box::new(lines.map(|line| {
        let line = line?;
        Ok((Head::read(&line)?.rank().into_bytes(), line))
    }))
}

/// A part of a file that others read as well.
struct Part {
    file: Arc<File>,
    at: u64,
    to: u64,
}

impl Read for Part {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.to - self.at).unwrap_or(usize::MAX);
        let room = into.len().min(left);
        let read = self.file.read_at(&mut into[..room], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use serde_json::json;

    use super::{Stretch, Stretches};
    use crate::hunt::snapshot::line;
    use crate::hunt::{Item, Seat};

    #[test]
    fn pages_that_came_in_turn_are_one_list_in_order() {
        let seats = ["b", "a", "c"].map(|name| Seat::zone(&format!("id of {name}"), name));
        // Another zone of the same name, as one that is moved between accounts.
        let twin = Seat::zone("another id", "b");
        let pages = [
            (&seats[0], "036"),
            (&seats[1], "17"),
            (&twin, "145"),
            (&seats[0], "2"),
            (&seats[2], ""),
            (&seats[0], "6"),
        ];
        let (mut file, mut text, mut all) = (tempfile::tempfile().unwrap(), Vec::new(), Vec::new());
        let mut expected = Vec::new();
        for (seat, keys) in pages {
            let from = text.len() as u64;
            for key in keys.chars().map(String::from) {
                let item = Item {
                    seat: seat.clone(),
                    key: vec![key.clone()],
                    id: key.clone(),
                    created: None,
                    modified: None,
                    value: json!({}),
                };
                let line = line::write(item).unwrap();
                text.extend_from_slice(&line);
                text.push(b'\n');
                expected.push((seat.name.clone(), key, line));
            }
            all.push((seat, Stretch { from, to: text.len() as u64 }));
        }
        file.write_all(&text).unwrap();
        let (file, mut stretches) = (Arc::new(file), Stretches::default());
        all.iter().for_each(|(seat, stretch)| stretches.add(seat, &file, &[*stretch]));
        expected.sort();
        let read: Vec<Vec<u8>> = stretches.into_lines().map(Result::unwrap).collect();
        assert_eq!(read, expected.into_iter().map(|(_, _, line)| line).collect::<Vec<_>>());
        assert_eq!(read.len(), 10);
    }
}
