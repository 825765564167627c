use serde_json::json;

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::output;
use crate::escape;

/// Runs `quell incidents`.
pub(crate) fn run(cx: &Context) -> Result<Exit, CliError> {
    let mut rows = Vec::new();
    for dir in cx.state.incidents() {
        let row = match dir.inspect() {
            Ok(found) => {
                let standing = if found.is_sound() { found.state.standing() } else { "damaged" };
                json!({
                    "id": dir.id, "dir": dir.path, "title": found.state.title, "status": standing,
                    "world": found.state.world.as_ref().map(ToString::to_string), "opened": found.state.opened,
                    "findings": found.state.findings.len(), "gaps": found.state.gaps.len(),
                })
            }
            Err(error) => json!({ "id": dir.id, "dir": dir.path, "title": error.message, "status": "unreadable" }),
        };
        rows.push(row);
    }
    if cx.json {
        output::document(&json!({ "schema": "quell.incidents/1", "incidents": rows }))?;
    } else if rows.is_empty() {
        cx.screen.tell("no incidents yet; begin with `quell rehearse`");
    } else {
        for row in &rows {
            let text = |name: &str| escape::terminal(row[name].as_str().unwrap_or_default());
            output::write(&format!(
                "{}  {:<10} {:<26} {}\n",
                text("id"),
                text("status"),
                text("world"),
                text("title")
            ))?;
        }
    }
    Ok(Exit::Done)
}
