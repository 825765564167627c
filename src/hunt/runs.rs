//! Sorts more than fits into memory: sorted runs on disk, and a merge of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Bytes that are held before they go to disk as a run.
const HELD: usize = 16 << 20;

/// What each entry takes beside its bytes.
const BESIDE: usize = 64;

/// Runs that are merged at a time: more would take too many files and buffers.
const AT_ONCE: usize = 64;

/// Entries to be sorted: by their rank, and by their bytes where ranks are equal.
#[derive(Debug)]
pub(super) struct Runs {
    /// Where runs are written; `None` holds everything in memory.
    scratch: Option<PathBuf>,
    held: Vec<Entry>,
    bytes: usize,
    written: Vec<File>,
}

/// Rank and bytes.
pub(super) type Entry = (Vec<u8>, Vec<u8>);

impl Runs {
    /// Writes runs into `scratch`, in files without a name: they go with the process.
    pub(super) fn new(scratch: &Path) -> Self {
        Self { scratch: Some(scratch.to_owned()), ..Self::in_memory() }
    }

    /// Holds everything.
    pub(super) const fn in_memory() -> Self {
        Self { scratch: None, held: Vec::new(), bytes: 0, written: Vec::new() }
    }

    /// Takes one entry.
    pub(super) fn push(&mut self, rank: Vec<u8>, bytes: Vec<u8>) -> io::Result<()> {
        self.bytes += rank.len() + bytes.len() + BESIDE;
        self.held.push((rank, bytes));
        if self.bytes > HELD
            && let Some(scratch) = self.scratch.clone()
        {
            self.held.sort_unstable();
            let run = written(&scratch, self.held.drain(..).map(Ok))?;
            self.bytes = 0;
            self.written.push(run);
            if self.written.len() == AT_ONCE {
                let all = Sorted::new(sources(std::mem::take(&mut self.written)))?;
                self.written.push(written(&scratch, all)?);
            }
        }
        Ok(())
    }

    /// All entries in order.
    pub(super) fn sorted(mut self) -> io::Result<Sorted> {
        self.held.sort_unstable();
        let mut sources = sources(self.written);
        sources.push(Box::new(self.held.into_iter().map(Ok)));
        Sorted::new(sources)
    }
}

/// Entries that are in order.
pub(super) type Source = Box<dyn Iterator<Item = io::Result<Entry>>>;

fn sources(runs: Vec<File>) -> Vec<Source> {
    let source = |run| -> Source {
        let mut run = BufReader::with_capacity(64 << 10, run);
        Box::new(std::iter::from_fn(move || read(&mut run).transpose()))
    };
    runs.into_iter().map(source).collect()
}

/// Entries in order, from several sources that are.
pub(super) struct Sorted {
    sources: Vec<Source>,
    /// The first entry of each source that is not given out.
    heads: BinaryHeap<Reverse<(Entry, usize)>>,
}

impl Sorted {
    pub(super) fn new(sources: Vec<Source>) -> io::Result<Self> {
        let count = sources.len();
        let mut sorted = Self { sources, heads: BinaryHeap::with_capacity(count) };
        (0..count).try_for_each(|at| sorted.fill(at))?;
        Ok(sorted)
    }

    /// The rank of the next one.
    pub(super) fn rank(&self) -> Option<&[u8]> {
        self.heads.peek().map(|Reverse(((rank, _), _))| rank.as_slice())
    }

    /// The next one, if it has this rank.
    pub(super) fn next_of(&mut self, rank: &[u8]) -> io::Result<Option<Entry>> {
        if self.rank() == Some(rank) { self.next().transpose() } else { Ok(None) }
    }

    fn fill(&mut self, at: usize) -> io::Result<()> {
        let next = self.sources[at].next().transpose()?;
        self.heads.extend(next.map(|entry| Reverse((entry, at))));
        Ok(())
    }
}

impl Iterator for Sorted {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<io::Result<Entry>> {
        let Reverse((entry, at)) = self.heads.pop()?;
        Some(self.fill(at).map(|()| entry))
    }
}

fn written(scratch: &Path, entries: impl Iterator<Item = io::Result<Entry>>) -> io::Result<File> {
    let mut run = BufWriter::with_capacity(256 << 10, tempfile::tempfile_in(scratch)?);
    for entry in entries {
        let (rank, bytes) = entry?;
        for part in [&rank, &bytes] {
            let length = u32::try_from(part.len()).map_err(|_| io::Error::from(ErrorKind::FileTooLarge))?;
            run.write_all(&length.to_le_bytes())?;
            run.write_all(part)?;
        }
    }
    let mut file = run.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(file)
}

fn read(run: &mut BufReader<File>) -> io::Result<Option<Entry>> {
    let mut length = [0; 4];
    match run.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let rank = exactly(run, length)?;
    run.read_exact(&mut length)?;
    let bytes = exactly(run, length)?;
    Ok(Some((rank, bytes)))
}

fn exactly(run: &mut impl Read, length: [u8; 4]) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    run.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{AT_ONCE, HELD, Runs};

    #[test]
    fn what_fits_and_what_does_not_comes_out_in_order() {
        let scratch = tempfile::tempdir().unwrap();
        // The last takes more runs than are merged at a time.
        for (count, size) in [(0, 8), (5, 8), (300, HELD / 100), (AT_ONCE + 7, HELD)] {
            let mut runs = Runs::new(scratch.path());
            for n in 0..count {
                let rank = (n * 7919 % count.max(1)).to_string().into_bytes();
                runs.push(rank, vec![b'x'; size]).unwrap();
            }
            let mut sorted = runs.sorted().unwrap();
            let mut ranks = Vec::new();
            for entry in sorted.by_ref() {
                let (rank, bytes) = entry.unwrap();
                assert_eq!(bytes.len(), size);
                ranks.push(rank);
            }
            assert_eq!(ranks.len(), count);
            assert!(ranks.is_sorted());
            drop(sorted);
            assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
        }
    }
}
