//! The clocks of a run above the prompts, and the reminder of a status update.

use std::sync::PoisonError;

use jiff::SignedDuration;

use super::Terminal;
use crate::cli::console::{Tone, duration, wrap};

impl Terminal {
    /// Says what the clocks say, where that has changed since it was said last.
    pub(super) fn tell_time(&self) {
        let now = self.clock.now();
        let Some(timers) = self.standing.timers() else { return };
        let told = timers.told(now);
        let mut last = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.text.is_empty() || *last == told.text {
            return;
        }
        let how = if told.update_is_due { "; `update TEXT` writes it down" } else { "" };
        self.screen.say(&self.faint_or_late(&format!("{}{how}", told.text), told.is_late));
        *last = told.text;
        if let Some(every) = timers.update_every().filter(|_| told.update_is_due) {
            self.remind_no_more_for(every);
        }
    }

    fn remind_no_more_for(&self, every: SignedDuration) {
        *self.reminded.lock().unwrap_or_else(PoisonError::into_inner) = self.clock.now().checked_add(every).ok();
    }

    /// Waits until a status update is due and was not given elsewhere; the reminder. Never ends where none are wanted.
    /// Each is reminded of once.
    pub(super) async fn update_falls_due(&self) -> String {
        loop {
            let now = self.clock.now();
            let timers = self.standing.timers();
            let wanted = timers.as_ref().and_then(|timers| Some((timers.update_due()?, timers.update_every()?)));
            let Some((due, every)) = wanted else { return std::future::pending().await };
            let due = due.max(self.reminded.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(due));
            if due <= now {
                self.remind_no_more_for(every);
                let text = format!(
                    "a status update is due, as every {}: tell the others, then type `update TEXT` (what you have begun to \
                     type still stands; Ctrl-U clears it)",
                    duration(every)
                );
                return self.faint_or_late(&text, true);
            }
            self.clock.sleep(due.duration_since(now).unsigned_abs()).await;
        }
    }

    fn faint_or_late(&self, text: &str, is_late: bool) -> String {
        let style = self.screen.style();
        let tone = if is_late { Tone::Care } else { Tone::Faint };
        let lines = wrap(&style.show(text), style.columns(), "", "  ");
        lines.iter().map(|line| style.paint(tone, line)).collect::<Vec<_>>().join("\n")
    }
}
