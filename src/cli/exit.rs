use std::fmt;
use std::process::ExitCode;

/// The exit codes, which scripts rely on. Where several hold, the one listed first in [`Exit::weight`] wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything is done.
    Done = 0,
    /// A bug in quell, panics too.
    Bug = 1,
    /// The command line, the environment or a file named there is wrong.
    Usage = 2,
    /// The runbook is invalid.
    Runbook = 10,
    /// No consent, or paused waiting for a person.
    Waiting = 11,
    /// A step failed.
    Failed = 12,
    /// An effect is in doubt.
    InDoubt = 13,
    /// The journal is locked, damaged or tampered with.
    Journal = 14,
    /// The report failed.
    Report = 15,
    /// Done, but something could not be seen.
    Gaps = 16,
    /// Interrupted.
    Interrupted = 130,
}

impl Exit {
    /// Order of precedence: 1, 14, 13, 12, 11, 15, 16.
    const fn weight(self) -> u8 {
        match self {
            Self::Bug => 9,
            Self::Journal => 8,
            Self::InDoubt => 7,
            Self::Interrupted => 6,
            Self::Failed => 5,
            Self::Waiting => 4,
            Self::Report => 3,
            Self::Usage | Self::Runbook => 2,
            Self::Gaps => 1,
            Self::Done => 0,
        }
    }

    /// The code that stands for both.
    #[must_use]
    pub(crate) const fn and(self, other: Self) -> Self {
        if other.weight() > self.weight() { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", *self as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_worst_wins() {
        assert_eq!(Exit::Gaps.and(Exit::Failed), Exit::Failed);
        assert_eq!(Exit::InDoubt.and(Exit::Failed), Exit::InDoubt);
        assert_eq!(Exit::Journal.and(Exit::InDoubt), Exit::Journal);
        assert_eq!(Exit::Done.and(Exit::Gaps), Exit::Gaps);
    }
}
