use crate::journal::NoteKind;

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
    Note(NoteKind, String),
    /// Stop here for now.
    Pause,
    /// End the run; the reason.
    Abort(String),
    /// Say what can be typed.
    Help,
    /// A verb whose words are missing: how it is typed.
    Lacking(&'static str),
}

/// What [`Verb::parse`] takes at every prompt; some take more.
pub(super) const VERBS: &str = "note/decide/todo/update TEXT, pause, abort REASON, help";

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
        let word = word.to_ascii_lowercase();
        if let Some(kind) = NoteKind::ALL.into_iter().find(|kind| kind.verb() == word) {
            let lacking = || Self::Lacking(written(kind));
            return Some(if rest.is_empty() { lacking() } else { Self::Note(kind, rest.to_owned()) });
        }
        Some(match word.as_str() {
            "skip" => with(Self::Skip, "skip REASON"),
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

/// How a note of this kind is typed.
const fn written(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::Note => "note TEXT",
        NoteKind::Decision => "decide TEXT",
        NoteKind::Todo => "todo TEXT",
        NoteKind::Update => "update TEXT",
        NoteKind::Handoff => "handoff TEXT",
    }
}

#[cfg(test)]
mod tests {
    use super::{VERBS, Verb};
    use crate::journal::NoteKind;
    use crate::runbook::RESERVED;

    #[test]
    fn no_step_can_be_called_like_a_verb() {
        let verbs = VERBS.split([',', '/']).filter_map(|verb| verb.split_whitespace().next());
        let verbs = verbs.chain(["run", "skip", "inspect"]);
        for verb in verbs {
            assert!(Verb::parse(verb).is_some() && RESERVED.contains(&verb), "{verb}");
        }
    }

    #[test]
    fn reasons_are_not_optional() {
        for line in ["skip", "skip  ", "abort", "note", "decide", "todo ", "update", "inspect x"] {
            assert!(matches!(Verb::parse(line), Some(Verb::Lacking(_))), "{line}");
        }
        assert_eq!(Verb::parse(" Skip  not ours "), Some(Verb::Skip("not ours".into())));
        assert_eq!(Verb::parse("inspect 3"), Some(Verb::Inspect(Some(3))));
        let todo = Verb::Note(NoteKind::Todo, "call the bank".into());
        assert_eq!(Verb::parse("TODO call the bank"), Some(todo));
    }

    #[test]
    fn answers_that_only_begin_like_a_verb_are_answers() {
        for line in ["", "y", "run away", "pause-all", "helpful", "skipper", "decided"] {
            assert_eq!(Verb::parse(line), None, "{line}");
        }
    }
}
