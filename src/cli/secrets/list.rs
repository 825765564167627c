use serde_json::{Value, json};

use super::sealed::sealed;
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::escape;
use crate::journal::Inspection;

/// Runs `quell secrets list`.
pub(super) fn run(found: &Inspection, cx: &Context) -> Result<Exit, CliError> {
    let all = sealed(found);
    if cx.json {
        let rows = all.iter().map(|it| {
            let target = &it.state.effect.target;
            json!({
                "run": it.id.run, "effect": it.id.effect, "attempt": it.id.attempt, "kind": target.kind,
                "target": { "id": target.id, "name": target.name },
            })
        });
        output::document(&json!({ "schema": "quell.secrets/1", "secrets": rows.collect::<Vec<Value>>() }))?;
    } else if all.is_empty() {
        cx.screen.tell("nothing lies in the vault");
    }
    if cx.json {
        return Ok(Exit::Done);
    }
    for it in &all {
        let target = &it.state.effect.target;
        output::write(&format!(
            "{}  {}  {} {} (run {}, attempt {})\n",
            it.id.effect,
            target.id,
            target.kind,
            escape::terminal(&target.name),
            it.id.run,
            it.id.attempt
        ))?;
    }
    Ok(Exit::Done)
}
