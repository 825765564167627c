use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Style, duration, shorten};
use crate::provider::Extent;

/// The one bar that may be on the screen: how far a long read is, or how long a wait still takes. Dropping it takes it off.
pub(super) struct Bar {
    what: String,
    has_end: bool,
    shown: ProgressBar,
}

impl Bar {
    /// Puts a bar on stderr; with a total of 0, a sign that something goes on.
    pub(super) fn new(extent: &Extent<'_>, style: &Style) -> Self {
        let Extent { what, total, .. } = *extent;
        let shown = ProgressBar::with_draw_target((total > 0).then_some(total), ProgressDrawTarget::stderr());
        let template = match (total, style.columns(), extent.requests_left) {
            (0, ..) => "  {spinner} {msg}  {pos}  {elapsed}",
            (_, 0..60, None) => "  {msg}  {pos}/{len}  {eta} left",
            (_, 0..60, Some(_)) => "  {msg}  {pos}/{len}  {prefix}",
            (.., None) => "  {msg}  {bar:20}  {pos}/{len}  about {eta} left",
            (.., Some(_)) => "  {msg}  {bar:10}  {pos}/{len}  {prefix}",
        };
        // A template that does not parse would be seen in every run; the default is as good as any then.
        let look = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let look = if style.utf8 { look } else { look.progress_chars("#>-").tick_chars("-\\|/ ") };
        shown.set_style(look);
        shown.set_message(shorten(&style.show(what), style.columns() / 2, style));
        shown.enable_steady_tick(Duration::from_millis(250));
        Self { what: what.to_owned(), has_end: total > 0, shown }
    }

    /// Puts a line on stderr that is filled anew, beat by beat.
    pub(super) fn clock(what: &str) -> Self {
        let shown = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        shown.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { what: what.to_owned(), has_end: false, shown }
    }

    /// Fills it.
    pub(super) fn show(&self, line: &str) {
        self.shown.set_message(line.to_owned());
    }

    /// Whether it is about this.
    pub(super) fn is_about(&self, what: &str, total: u64) -> bool {
        self.what == what && self.has_end == (total > 0)
    }

    /// Moves it. Its end may move as well.
    pub(super) fn move_to(&self, extent: &Extent<'_>, style: &Style) {
        if self.has_end {
            self.shown.set_length(extent.total);
        }
        self.shown.set_prefix(left(extent, style.columns()));
        self.shown.set_position(extent.done);
    }
}

/// What is left: requests, what the rate limit gives, time. The time alone where there is no room.
fn left(extent: &Extent<'_>, columns: usize) -> String {
    let time = extent.eta.map(|eta| format!("about {} left", duration(eta)));
    let requests = extent.requests_left.filter(|_| columns >= 60).map(|left| format!("{left} requests"));
    let budget = extent.budget_left.filter(|_| columns >= 60).map(|left| format!("budget {left}"));
    [requests, budget, time].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.shown.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::left;
    use crate::provider::Extent;

    #[test]
    fn what_is_left_is_told_as_far_as_it_is_known_and_has_room() {
        let eta = Some(SignedDuration::from_secs(75));
        let extent = Extent { requests_left: Some(340), budget_left: Some(870), eta, ..Extent::of("lists", 1, 9) };
        assert_eq!(left(&extent, 80), "340 requests, budget 870, about 1 min 15 s left");
        assert_eq!(left(&extent, 40), "about 1 min 15 s left");
        assert_eq!(left(&Extent { eta: None, budget_left: None, ..extent }, 80), "340 requests");
    }
}
