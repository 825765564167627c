use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Style, shorten};

/// The one bar that may be on the screen: how far a long read is, or how long a wait still takes. Dropping it takes it off.
pub(super) struct Bar {
    what: String,
    total: u64,
    shown: ProgressBar,
}

impl Bar {
    /// Puts a bar on stderr; with a `total` of 0, a sign that something goes on.
    pub(super) fn new(what: &str, total: u64, style: &Style) -> Self {
        let shown = ProgressBar::with_draw_target((total > 0).then_some(total), ProgressDrawTarget::stderr());
        let template = match (total, style.columns()) {
            (0, _) => "  {spinner} {msg}  {pos}  {elapsed}",
            (_, 0..60) => "  {msg}  {pos}/{len}  {eta} left",
            _ => "  {msg}  {bar:20}  {pos}/{len}  about {eta} left",
        };
        // A template that does not parse would be seen in every run; the default is as good as any then.
        let look = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let look = if style.utf8 { look } else { look.progress_chars("#>-").tick_chars("-\\|/ ") };
        shown.set_style(look);
        shown.set_message(shorten(&style.show(what), style.columns() / 2, style));
        shown.enable_steady_tick(Duration::from_millis(250));
        Self { what: what.to_owned(), total, shown }
    }

    /// Puts a line on stderr that is filled anew, beat by beat.
    pub(super) fn clock(what: &str) -> Self {
        let shown = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        shown.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { what: what.to_owned(), total: 0, shown }
    }

    /// Fills it.
    pub(super) fn show(&self, line: &str) {
        self.shown.set_message(line.to_owned());
    }

    /// Whether it is about this.
    pub(super) fn is_about(&self, what: &str, total: u64) -> bool {
        self.what == what && self.total == total
    }

    /// Moves it.
    pub(super) fn move_to(&self, done: u64) {
        self.shown.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.shown.finish_and_clear();
    }
}
