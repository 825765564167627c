use clap::Args;
use serde_json::json;

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::output;
use crate::runbook::{self, CODES, WARNINGS};

/// What a code of `quell runbooks check` means.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The code, such as `R014`.
    code: String,
}

/// Runs `quell explain`.
pub(crate) fn run(args: &ExplainArgs, cx: &Context) -> Result<Exit, CliError> {
    let code = args.code.trim().to_uppercase();
    let Some(meaning) = runbook::explain(&code) else {
        let (first, last) = (CODES.first().map_or("", |code| code.0), CODES.last().map_or("", |code| code.0));
        let refused = CliError::usage(format!("there is no code `{}`", args.code));
        return Err(refused.hint(format!("codes go from {first} to {last}; `quell runbooks reference` lists them")));
    };
    let severity = if WARNINGS.contains(&code.as_str()) { "warning" } else { "error" };
    if cx.json {
        output::document(
            &json!({ "schema": "quell.explain/1", "code": code, "severity": severity, "meaning": meaning }),
        )?;
    } else {
        output::write(&format!("{severity} {code}: {meaning}\n"))?;
    }
    Ok(Exit::Done)
}
