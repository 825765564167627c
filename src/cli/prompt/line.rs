use super::{Typed, TypedLines};
use crate::cli::console::Screen;
use crate::engine::Interrupt;

/// Waits at `prompt` for one line. What was typed before, or pasted with more, does not count: the rest would answer what
/// is asked next. `None` where the person is gone, or wants to stop.
pub(super) async fn one_line(
    screen: &Screen,
    keys: &dyn TypedLines,
    interrupt: &Interrupt,
    prompt: &str,
) -> Option<String> {
    loop {
        keys.discard();
        screen.prompt(prompt);
        let typed = tokio::select! {
            biased;
            () = interrupt.raised() => return None,
            typed = keys.line() => typed,
        };
        let Typed::Line(line) = typed else { return None };
        if !keys.more().await {
            screen.typed();
            return Some(line);
        }
        screen.tell("several lines came at once, so none of them was taken; type the answer");
    }
}
