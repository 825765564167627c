//! What an unattended run says of its answers, so that its log can be read like a dialogue.

use crate::cli::console::{Style, Tone, wrap};
use crate::engine::{Chosen, ConsentRequest, Reply};
use crate::model::Effect;

/// One line: which step was answered how.
pub(super) fn answered(id: &str, how: &str, style: &Style) -> String {
    let text = style.show(&format!("answers file, `{id}`: {how}"));
    let lines: Vec<_> =
        wrap(&text, style.columns(), "  ", "    ").iter().map(|line| style.paint(Tone::Faint, line)).collect();
    lines.join("\n")
}

/// A reply to a question with one answer, in words.
pub(super) fn reply<T>(reply: &Reply<T>, go: impl FnOnce(&T) -> String) -> String {
    match reply {
        Reply::Go(answer) => go(answer),
        Reply::Skip(reason) => format!("skip: {reason}"),
        Reply::Abort(reason) => format!("abort: {reason}"),
        Reply::Note(kind, text) => format!("{}: {text}", kind.as_str()),
        Reply::Pause => "pause".to_owned(),
        Reply::Missing(what) => format!("no answer: {what}"),
    }
}

/// What was consented to.
pub(super) fn chosen(request: &ConsentRequest<'_>, chosen: &Chosen) -> String {
    let done = |effect: &&&Effect| chosen.effects.contains(&effect.key);
    let names: Vec<_> = request.effects.iter().filter(done).map(|effect| effect.summary.clone()).collect();
    let left = match chosen.left.len() {
        0 => String::new(),
        number => format!("; {number} left"),
    };
    if names.is_empty() {
        return format!("none chosen{left}");
    }
    format!("run, `{}`: {}{left}; {}", chosen.phrase, names.join(", "), request.place)
}
