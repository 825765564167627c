/// A verb that stands at every prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// Do it. Only where no phrase is asked for.
    Run,
    /// Leave it; the reason.
    Skip(String),
    /// Show the exact request and the before-image; of the row with this number.
    Inspect(Option<usize>),
    /// Write this down.
    Note(String),
    /// Stop here for now.
    Pause,
    /// End the run; the reason.
    Abort(String),
    /// Say what can be typed.
    Help,
    /// A verb whose words are missing: how it is typed.
    Lacking(&'static str),
}

/// What [`Verb::parse`] takes, for prompts and help.
pub(super) const VERBS: &str = "skip REASON, inspect, note TEXT, pause, abort REASON, help";

impl Verb {
    /// Reads a line. `None` where it does not begin with a verb; `pause`, `run` and `help` must stand alone, so that an
    /// answer may begin with them.
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let with = |verb: fn(String) -> Self, lacking| {
            if rest.is_empty() { Self::Lacking(lacking) } else { verb(rest.to_owned()) }
        };
        Some(match word.to_ascii_lowercase().as_str() {
            "skip" => with(Self::Skip, "skip REASON"),
            "note" => with(Self::Note, "note TEXT"),
            "abort" => with(Self::Abort, "abort REASON"),
            "inspect" if rest.is_empty() => Self::Inspect(None),
            "inspect" => rest.parse().map_or(Self::Lacking("inspect NUMBER"), |row| Self::Inspect(Some(row))),
            "run" if rest.is_empty() => Self::Run,
            "pause" if rest.is_empty() => Self::Pause,
            "help" | "?" if rest.is_empty() => Self::Help,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{VERBS, Verb};
    use crate::runbook::RESERVED;

    #[test]
    fn no_step_can_be_called_like_a_verb() {
        let verbs = VERBS.split(", ").filter_map(|verb| verb.split(' ').next()).chain(["run"]);
        for verb in verbs {
            assert!(Verb::parse(verb).is_some() && RESERVED.contains(&verb), "{verb}");
        }
    }

    #[test]
    fn reasons_are_not_optional() {
        for line in ["skip", "skip  ", "abort", "note", "inspect x"] {
            assert!(matches!(Verb::parse(line), Some(Verb::Lacking(_))), "{line}");
        }
        assert_eq!(Verb::parse(" Skip  not ours "), Some(Verb::Skip("not ours".into())));
        assert_eq!(Verb::parse("inspect 3"), Some(Verb::Inspect(Some(3))));
    }

    #[test]
    fn answers_that_only_begin_like_a_verb_are_answers() {
        for line in ["", "y", "run away", "pause-all", "helpful", "skipper"] {
            assert_eq!(Verb::parse(line), None, "{line}");
        }
    }
}
