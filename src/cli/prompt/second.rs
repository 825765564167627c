//! What the second person is shown and asked, at a terminal of their own.

use super::consent::effect_text;
use super::inspect::inspected;
use super::line::one_line;
use super::list::effects_text;
use super::{TypedLines, Verb};
use crate::cli::console::{Screen, Style, Tone, count, wrap};
use crate::engine::Interrupt;
use crate::model::Effect;

/// What came of asking the second person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agreed {
    /// The code was typed.
    Yes,
    /// Only others were.
    WrongCode,
    /// The person left.
    Stopped,
}

/// So many codes are taken for a slip.
const TRIES: usize = 3;

/// The changes as the one who consented saw them: in words, and more than one as rows. Requests and images stand in
/// `inspect`.
pub(crate) fn seconded_text(effects: &[&Effect], place: &str, style: &Style) -> String {
    let [effect] = effects else { return effects_text(effects, None, style) };
    let summary = wrap(&style.show(&effect.summary), style.columns(), "", "  ");
    let summary: String = summary.iter().map(|line| style.paint(Tone::Strong, line) + "\n").collect();
    summary + &effect_text(effect, place, style)
}

/// Asks for the code that stands on the other screen. A slip is asked about again; what was typed before, or pasted with
/// more, does not count.
pub(crate) async fn ask_second(
    screen: &Screen,
    keys: &dyn TypedLines,
    interrupt: &Interrupt,
    code: &str,
    effects: &[&Effect],
) -> Agreed {
    let _held = screen.hold();
    let inspect = if effects.len() == 1 { "inspect" } else { "inspect NUMBER" };
    let wanted = format!(
        "type the code on the other screen, if it shows the same {}; or: {inspect} for the whole request and what is there \
         now, pause to leave",
        count(effects.len(), "change")
    );
    screen.tell(&wanted);
    let mut left = TRIES;
    loop {
        let Some(line) = one_line(screen, keys, interrupt, "code>").await else { return Agreed::Stopped };
        match Verb::parse(&line) {
            None if line.trim().eq_ignore_ascii_case(code) => return Agreed::Yes,
            Some(Verb::Pause | Verb::Abort(_)) => return Agreed::Stopped,
            Some(Verb::Inspect(row)) => {
                let style = screen.style();
                match inspected(effects, row, &style) {
                    Ok(text) => screen.say(&text),
                    Err(why) => screen.tell(&why),
                }
            }
            None if !line.trim().is_empty() => {
                left -= 1;
                if left == 0 {
                    return Agreed::WrongCode;
                }
                let tries = if left == 1 { "one more try" } else { "try again" };
                screen.tell(&format!(
                    "this is not the code of what is shown here: it was mistyped, or the other screen shows other changes; \
                     compare them, and {tries}"
                ));
            }
            _ => screen.tell(&wanted),
        }
    }
}
