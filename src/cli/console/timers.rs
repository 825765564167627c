use jiff::{SignedDuration, Timestamp};

use crate::journal::{Note, NoteKind, RunState};
use crate::model::Phase;

/// The clocks of a run: since when it is known that something is wrong, how long is left to contain, and when others
/// are to be told next how things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timers {
    detected_at: Option<Timestamp>,
    opened_at: Timestamp,
    /// The time to contain that the team aims for, while it matters.
    target: Option<SignedDuration>,
    update_every: Option<SignedDuration>,
    updated_at: Option<Timestamp>,
}

/// What the clocks say at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// In words; empty where no clock runs.
    pub text: String,
    /// Whether something is late.
    pub is_late: bool,
    /// Whether a status update is what is late.
    pub update_is_due: bool,
}

impl Timers {
    /// The clocks of `run`, with what people wrote down in its incident.
    pub fn of(run: &RunState, notes: &[Note]) -> Self {
        let is_open = run.closed.is_none();
        let steps = run.plan.iter().flat_map(|plan| &plan.steps);
        let mut contain = steps.filter(|step| step.phase == Phase::Contain).peekable();
        let is_contained = contain.peek().is_some() && contain.all(|step| run.status(&step.path).is_final());
        let seconds = SignedDuration::from_secs;
        let updated = notes.iter().filter(|note| note.kind == NoteKind::Update).map(|note| note.at).max();
        Self {
            detected_at: run.opened.detected_at,
            opened_at: run.opened_at,
            target: run.opened.target_seconds.filter(|_| is_open && !is_contained).map(seconds),
            update_every: run.opened.update_seconds.filter(|_| is_open).map(seconds),
            updated_at: updated,
        }
    }

    /// When the next status update is due, where they are wanted.
    pub fn update_due(&self) -> Option<Timestamp> {
        // One of an earlier run of the same incident is older than this run.
        let since = self.updated_at.map_or(self.opened_at, |at| at.max(self.opened_at));
        since.checked_add(self.update_every?).ok()
    }

    /// How often they are wanted.
    pub const fn update_every(&self) -> Option<SignedDuration> {
        self.update_every
    }

    /// What the clocks say: `detected 23 min ago; 3 min left of 15 min to contain`.
    pub fn told(&self, now: Timestamp) -> Told {
        let mut parts = Vec::new();
        let mut is_late = false;
        if let Some(at) = self.detected_at {
            parts.push(format!("detected {} ago", minutes(now.duration_since(at))));
        }
        if let Some(target) = self.target {
            let left = target - now.duration_since(self.opened_at);
            is_late |= left.is_negative();
            parts.push(if left.is_negative() {
                format!("past the {} aimed for to contain", minutes(target))
            } else {
                format!("{} left of {} to contain", minutes(left), minutes(target))
            });
        }
        let update_is_due = self.update_due().is_some_and(|due| due <= now);
        if update_is_due {
            is_late = true;
            let since = self.updated_at.map_or(self.opened_at, |at| at.max(self.opened_at));
            parts.push(format!("a status update is due: none for {}", minutes(now.duration_since(since))));
        }
        Told { text: parts.join("; "), is_late, update_is_due }
    }
}

/// `less than 1 min`, `12 min`, `1 h 03 min`: seconds would only disquiet.
fn minutes(span: SignedDuration) -> String {
    match span.as_mins().max(0) {
        0 => "less than 1 min".to_owned(),
        minutes @ 1..60 => format!("{minutes} min"),
        minutes => format!("{} h {:02} min", minutes / 60, minutes % 60),
    }
}
