use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Style;
use super::bar::Bar;
use super::text::{shorten, still, wrap};
use crate::provider::{Extent, Progress};

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// Only what went wrong, what is asked, and how it ended.
    Quiet,
    /// One line per step, findings, gaps.
    Normal,
    /// Also what was kept and decided on the way.
    Verbose,
}

/// The one writer to stderr while a run goes. Takes the progress bar off before it writes.
///
/// Errors of writing are dropped: with the terminal gone there is nobody left to tell, and the journal has it all.
pub struct Screen {
    style: Style,
    volume: Volume,
    /// Whether the width is the terminal's, to be asked for anew each time.
    live: bool,
    inner: Mutex<Inner>,
}

struct Inner {
    out: Box<dyn Write + Send>,
    bars: bool,
    bar: Option<Bar>,
    /// How many prompts are open; no bar moves while one is.
    held: usize,
    rehearsal: bool,
    /// The prompt that the cursor stands behind.
    prompt: Option<String>,
    /// What is waited for and how long it still took when that was last said, where there are no bars.
    waits: Option<(String, Duration)>,
}

/// Keeps bars off the screen while it lives.
#[must_use]
pub struct Held<'s>(&'s Screen);

impl Screen {
    /// The screen on stderr. Where that is a terminal its width is followed and bars are shown; otherwise 80 columns
    /// are filled and there are none.
    pub fn stderr(colour: bool, utf8: bool, volume: Volume) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let style = Style { width: 80, colour, utf8, rehearsal: false };
        let mut screen = Self::to(Box::new(io::stderr()), style, volume);
        screen.live = is_terminal;
        screen.inner().bars = is_terminal && volume > Volume::Quiet;
        screen
    }

    /// A screen that writes elsewhere, with a fixed width and without bars.
    pub fn to(out: Box<dyn Write + Send>, style: Style, volume: Volume) -> Self {
        let inner =
            Inner { out, bars: false, bar: None, held: 0, rehearsal: style.rehearsal, prompt: None, waits: None };
        Self { style, volume, live: false, inner: Mutex::new(inner) }
    }

    /// How text is to be laid out now.
    pub fn style(&self) -> Style {
        let live = || rustix::termios::tcgetwinsize(io::stderr()).ok().filter(|size| size.ws_col > 0);
        let width =
            if self.live { live().map_or(self.style.width, |size| size.ws_col.into()) } else { self.style.width };
        Style { width, rehearsal: self.inner().rehearsal, ..self.style }
    }

    /// How much is said.
    pub const fn volume(&self) -> Volume {
        self.volume
    }

    /// Marks every heading from now on as a rehearsal's.
    pub fn mark_rehearsal(&self) {
        self.inner().rehearsal = true;
    }

    /// Writes `text`, which must be safe to show, and ends the line.
    pub fn say(&self, text: &str) {
        let mut inner = self.inner();
        inner.bar = None;
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        let before = if inner.prompt.take().is_some() { "\n" } else { "" };
        // See the type's documentation for why errors are dropped.
        let _ = write!(inner.out, "{before}{text}{newline}").and_then(|()| inner.out.flush());
    }

    /// Writes a message in words, wrapped to the width. What would act on a terminal is made visible.
    pub fn tell(&self, text: &str) {
        let style = self.style();
        let wrapped = |line: &str| match line.trim_end() {
            "" => vec![String::new()],
            line => wrap(&style.show(line), style.columns(), "", "  "),
        };
        self.say(&text.lines().flat_map(wrapped).collect::<Vec<_>>().join("\n"));
    }

    /// Writes `label` and leaves the cursor behind it, for an answer to be typed.
    pub fn prompt(&self, label: &str) {
        let mut inner = self.inner();
        inner.bar = None;
        let _ = write!(inner.out, "{label} ").and_then(|()| inner.out.flush());
        inner.prompt = Some(label.to_owned());
    }

    /// Shows the prompt that waits for an answer once more: a shell has written over it.
    pub fn prompt_again(&self) {
        let mut inner = self.inner();
        if let Some(label) = inner.prompt.clone() {
            let _ = write!(inner.out, "{label} ").and_then(|()| inner.out.flush());
        }
    }

    /// Rings the terminal's bell.
    pub fn ring(&self) {
        let mut inner = self.inner();
        let _ = inner.out.write_all(b"\x07").and_then(|()| inner.out.flush());
    }

    /// Takes the bar off: what it was about has ended.
    pub fn clear(&self) {
        self.inner().bar = None;
    }

    /// Says that the line behind the prompt was ended by the person's own return key.
    pub fn typed(&self) {
        self.inner().prompt = None;
    }

    /// Keeps bars off the screen while the guard lives.
    pub fn hold(&self) -> Held<'_> {
        let mut inner = self.inner();
        inner.held += 1;
        inner.bar = None;
        drop(inner);
        Held(self)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut inner = self.0.inner();
        inner.held = inner.held.saturating_sub(1);
    }
}

impl Progress for Screen {
    fn show(&self, extent: &Extent<'_>) {
        let Extent { what, done, total, .. } = *extent;
        let style = self.style();
        let mut inner = self.inner();
        if !inner.bars || inner.held > 0 {
            return;
        }
        if !inner.bar.as_ref().is_some_and(|bar| bar.is_about(what, total)) {
            inner.bar = None;
            inner.bar = Some(Bar::new(extent, &style));
        }
        if let Some(bar) = &inner.bar {
            bar.move_to(extent, &style);
        }
        if total > 0 && done >= total {
            inner.bar = None;
        }
    }

    fn left(&self, what: &str, left: Duration) {
        let style = self.style();
        let mut inner = self.inner();
        if self.live {
            if !inner.bars || inner.held > 0 {
                return;
            }
            if !inner.bar.as_ref().is_some_and(|bar| bar.is_about(what, 0)) {
                inner.bar = None;
                inner.bar = Some(Bar::clock(what));
            }
            if let Some(bar) = &inner.bar {
                bar.show(&waits(what, left, &style));
            }
            if left.is_zero() {
                inner.bar = None;
            }
            return;
        }
        let is_told = |(told, before): &(String, Duration)| told == what && before.saturating_sub(left) < MINUTE;
        if self.volume == Volume::Quiet || left.is_zero() || inner.waits.as_ref().is_some_and(is_told) {
            return;
        }
        inner.waits = Some((what.to_owned(), left));
        drop(inner);
        self.say(&waits(what, left, &style));
    }
}

/// Without a terminal the clock is shown so often at most.
const MINUTE: Duration = Duration::from_secs(60);

/// The clock, in one line.
fn waits(what: &str, left: Duration, style: &Style) -> String {
    let left = still(left);
    let room = style.columns().saturating_sub(left.len() + "  waiting:   left".len());
    format!("  waiting: {}  {left} left", shorten(&style.show(what), room, style))
}
