//! How long a large incident takes to write, to read, to check and to go on with, and what a step costs in a long run.
//!
//! `cargo bench` prints each figure beside its goal, and fails where one is missed. The figures are of this machine at
//! this moment. What can be told as a ratio is: both sides of it are measured in turns.
#![expect(clippy::unwrap_used, reason = "what cannot be measured ends the measurement")]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

#[path = "journal/incident.rs"]
mod incident;
#[path = "journal/long_run.rs"]
mod long_run;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use incident::Incident;
use quell::journal::{FILE_NAME, IncidentState, Journal, inspect};

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The large incident.
const STEPS: usize = 10_000;
const ENTRIES: usize = 100_000;

/// Appends that are measured beside bare writes.
const APPENDS: usize = 1_000;

fn main() -> ExitCode {
    let mut figures = Figures::default();
    large_incident(&mut figures);
    long_run::measure(&mut figures);
    figures.verdict()
}

fn large_incident(figures: &mut Figures) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut incident = Incident::begin(dir, STEPS);
    let written = usize::try_from(incident.journal.state().seq).unwrap();
    (written..ENTRIES).for_each(|n| incident.note(n));
    drop(incident);
    let entries = inspect(dir).unwrap().entries;
    let bytes = fs::metadata(dir.join(FILE_NAME)).unwrap().len();
    println!("an incident of {STEPS} steps, {} entries, {} MB", entries.len(), bytes >> 20);

    figures.took("the fold of its entries", 0.5, || {
        let mut state = IncidentState::default();
        entries.iter().for_each(|entry| state.apply(entry).unwrap());
        state
    });
    // Half a second is the fold's, one the chain's.
    figures.took("`resume`: read, chain, fold, decide", 1.5, || {
        let opened = Journal::open(dir).unwrap();
        assert!(quell::engine::decide(opened.0.state().latest_run().unwrap()).is_some());
        opened
    });
    figures.took("`verify`: read, chain, fold, past every fault", 1.5, || inspect(dir).unwrap());
    for command in ["status", "verify"] {
        figures.took(&format!("`quell {command}`, the whole process"), 2.0, || quell(command, dir));
    }
    appends(figures, dir);
}

/// An append to the large journal, and a bare write of as many bytes to the same disk, in turns.
fn appends(figures: &mut Figures, large: &Path) {
    // What is under `target` is on a disk; a temporary directory may be in memory, where nothing waits.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = dir.path().join(FILE_NAME);
    fs::copy(large.join(FILE_NAME), &path).unwrap();
    let mut incident = Incident::open(dir.path());
    let mut bare = File::create(dir.path().join("bare")).unwrap();
    let (mut appended, mut written) = (Vec::new(), Vec::new());
    for n in 0..APPENDS {
        let before = fs::metadata(&path).unwrap().len();
        appended.push(timed(|| incident.note(n)).0);
        let length = usize::try_from(fs::metadata(&path).unwrap().len() - before).unwrap();
        let line = vec![b'x'; length];
        written.push(timed(|| bare.write_all(&line).and_then(|()| bare.sync_data()).unwrap()).0);
    }
    let (append, write) = (middle(&mut appended).as_secs_f64(), middle(&mut written).as_secs_f64());
    let what = format!("an append ({:.0} µs) to a bare write and fdatasync ({:.0} µs)", append * 1e6, write * 1e6);
    figures.ratio(&what, 1.2, append / write);
}

fn quell(command: &str, dir: &Path) {
    let ran = Command::new(env!("CARGO_BIN_EXE_quell")).arg(command).arg(dir).arg("-q").output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
}

fn timed<T>(what: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let made = what();
    (began.elapsed(), made)
}

fn middle(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The figures, each told as soon as it is known.
#[derive(Default)]
struct Figures {
    missed: usize,
}

impl Figures {
    /// The middle of five times, in seconds.
    fn took<T>(&mut self, what: &str, goal: f64, run: impl Fn() -> T) {
        let mut times: Vec<Duration> = (0..5).map(|_| timed(&run).0).collect();
        let seconds = middle(&mut times).as_secs_f64();
        self.tell(what, &format!("{seconds:.3} s"), &format!("{goal} s"), seconds <= goal);
    }

    fn ratio(&mut self, what: &str, goal: f64, ratio: f64) {
        self.tell(what, &format!("{ratio:.2} ×"), &format!("{goal} ×"), ratio <= goal);
    }

    fn tell(&mut self, what: &str, figure: &str, goal: &str, is_met: bool) {
        self.missed += usize::from(!is_met);
        println!("{figure:>9}  at most {goal:<6} {:<6}  {what}", if is_met { "met" } else { "MISSED" });
    }

    fn verdict(&self) -> ExitCode {
        if self.missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
