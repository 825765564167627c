use serde_json::Value;

use super::TypedLines;
use super::line::one_line;
use crate::cli::console::{Screen, wrap};
use crate::engine::Interrupt;

/// What came of asking for a runbook's input.
#[derive(Debug, Clone, PartialEq)]
pub enum InputReply {
    /// The value.
    Given(Value),
    /// Nothing, where nothing will do.
    Empty,
    /// The person is gone, or wants to stop.
    Stopped,
}

/// Asks for one input until `validate` takes it. What was typed before the prompt, or pasted into it with more, does not
/// count: the rest of it would answer the inputs that follow. An empty line will do where it is not `required`. `prompt`
/// says what that means, the question in its first line; it is empty where the name says all.
pub async fn ask_input(
    screen: &Screen,
    keys: &dyn TypedLines,
    interrupt: &Interrupt,
    name: &str,
    prompt: &str,
    required: bool,
    validate: &(dyn Fn(&str) -> Result<Value, String> + Sync),
) -> InputReply {
    let _held = screen.hold();
    let style = screen.style();
    for (at, line) in prompt.split('\n').enumerate() {
        let indent = if at == 0 { "" } else { "  " };
        wrap(&style.show(line), style.columns(), indent, "  ").iter().for_each(|line| screen.say(line));
    }
    loop {
        let Some(line) = one_line(screen, keys, interrupt, &format!("{}>", style.show(name))).await else {
            return InputReply::Stopped;
        };
        match line.trim() {
            "" if required => screen.say(&style.show(&format!("`{name}` needs a value"))),
            "" => return InputReply::Empty,
            // The first prompt of all is one of these, and whoever is lost says what every prompt understands.
            "help" => {
                let text =
                    format!("what you type is taken as `{name}`; Ctrl-C leaves: nothing has begun, nothing was sent");
                wrap(&style.show(&text), style.columns(), "", "  ").iter().for_each(|line| screen.say(line));
            }
            text => match validate(text) {
                Ok(value) => return InputReply::Given(value),
                // One message a line: what is listed is escaped already.
                Err(why) => why
                    .lines()
                    .flat_map(|line| wrap(&style.show(line), style.columns(), "", "  "))
                    .for_each(|line| screen.say(&line)),
            },
        }
    }
}
