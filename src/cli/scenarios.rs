use clap::Args;
use serde_json::json;

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::output;
use crate::cloudflare::simulator;

/// The simulated incidents that can be rehearsed.
#[derive(Debug, Args)]
pub(crate) struct ScenariosArgs {
    /// Name of one.
    name: Option<String>,
}

/// Runs `quell scenarios`. What is planted is not told: that is what a rehearsal is for.
pub(crate) fn run(args: &ScenariosArgs, cx: &Context) -> Result<Exit, CliError> {
    let all = simulator::scenarios();
    let shown: Vec<_> = match &args.name {
        None => all.iter().collect(),
        Some(name) => {
            let one = all.iter().find(|scenario| scenario.name == name);
            vec![one.ok_or_else(|| {
                CliError::usage(format!("there is no scenario `{name}`")).hint("`quell scenarios` lists them")
            })?]
        }
    };
    if cx.json {
        let rows: Vec<_> = shown
            .iter()
            .map(|scenario| json!({ "name": scenario.name, "title": scenario.title, "summary": scenario.summary }))
            .collect();
        output::document(&json!({ "schema": "quell.scenarios/1", "scenarios": rows }))?;
    } else {
        for scenario in shown {
            output::write(&format!("{}: {}\n", scenario.name, scenario.title))?;
            if args.name.is_some() {
                output::write(&format!("\n{}\n", scenario.summary))?;
            }
        }
    }
    Ok(Exit::Done)
}
