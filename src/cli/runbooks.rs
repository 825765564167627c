use std::fs;

use clap::{Args, Subcommand};
use serde_json::json;

use super::console::count;
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::output;
use super::session::load::{find, load, vocabulary};
use crate::escape;
use crate::runbook::{self, Severity};

/// Runbooks: what there is, what is in them, whether they are sound.
#[derive(Debug, Args)]
pub(crate) struct RunbooksArgs {
    #[command(subcommand)]
    command: RunbooksCommand,
}

#[derive(Debug, Subcommand)]
enum RunbooksCommand {
    /// The runbooks in `./runbooks` and those in the binary.
    List,
    /// The steps of one.
    Show {
        /// Name of a runbook, or path of a file.
        runbook: String,
    },
    /// Every problem of one, at once, without any network.
    Check {
        /// Name of a runbook, or path of a file.
        runbook: String,
    },
}

/// Runs `quell runbooks`.
pub(crate) fn run(args: &RunbooksArgs, cx: &Context) -> Result<Exit, CliError> {
    match &args.command {
        RunbooksCommand::List => list(cx),
        RunbooksCommand::Show { runbook } => show(runbook, cx),
        RunbooksCommand::Check { runbook } => check(runbook, cx),
    }
}

fn list(cx: &Context) -> Result<Exit, CliError> {
    let mut rows: Vec<(String, String, String)> = Vec::new();
    for entry in fs::read_dir("runbooks").into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "toml")
            && !path.to_string_lossy().ends_with(".answers.toml")
        {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let title = runbook::load(&path.display().to_string(), &text, &vocabulary())
                .runbook
                .map_or("(invalid)".to_owned(), |runbook| runbook.title);
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            rows.push((name, path.display().to_string(), title));
        }
    }
    for (name, text) in runbook::embedded() {
        if !rows.iter().any(|(there, _, _)| there == name) {
            let title = runbook::load("embedded", text, &vocabulary())
                .runbook
                .map_or("(invalid)".to_owned(), |runbook| runbook.title);
            rows.push(((*name).to_owned(), "embedded".to_owned(), title));
        }
    }
    rows.sort();
    if cx.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(name, source, title)| json!({ "name": name, "source": source, "title": title }))
            .collect();
        output::document(&json!({ "schema": "quell.runbooks/1", "runbooks": rows }))?;
    } else {
        for (name, source, title) in rows {
            output::write(&format!(
                "{:<32} {:<10} {}\n",
                escape::terminal(&name),
                escape::terminal(&source),
                escape::terminal(&title)
            ))?;
        }
    }
    Ok(Exit::Done)
}

fn show(wanted: &str, cx: &Context) -> Result<Exit, CliError> {
    let loaded = load(wanted, cx)?;
    let outline = runbook::outline(&loaded.runbook, &vocabulary());
    if cx.json {
        let mut document = json!(outline);
        document["schema"] = json!("quell.runbook/1");
        document["source"] = json!(loaded.source);
        output::document(&document)?;
        return Ok(Exit::Done);
    }
    let runbook = &loaded.runbook;
    output::write(&format!(
        "{}: {}\n{}\n\nfrom {}, sha256 {}\n",
        runbook.name,
        escape::terminal(&runbook.title),
        escape::terminal(&runbook.summary),
        escape::terminal(&loaded.source),
        runbook.source.digest
    ))?;
    output::write("\ninputs:\n")?;
    for input in &runbook.inputs {
        let needed = if input.required { "required" } else { "optional" };
        output::write(&format!(
            "  {:<16} {needed}  {}\n",
            input.name,
            escape::terminal(input.prompt.as_deref().unwrap_or_default())
        ))?;
    }
    output::write("\nsteps:\n")?;
    for (number, step) in (1..).zip(&outline.steps) {
        output::write(&format!(
            "  {number:>2}. {:<20} {:<10} {:<13} {}\n",
            step.id,
            step.phase,
            step.max_danger,
            escape::terminal(&step.title)
        ))?;
        if let Some(why) = &step.why {
            output::write(&format!("      {}\n", escape::terminal(why)))?;
        }
    }
    Ok(Exit::Done)
}

fn check(wanted: &str, cx: &Context) -> Result<Exit, CliError> {
    let (source, text) = find(wanted)?;
    let checked = runbook::load(&source, &text, &vocabulary());
    let errors = checked.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    if cx.json {
        output::document(&runbook::render_json(&checked.problems, &source, &text))?;
    } else {
        cx.screen.say(&runbook::render_text(
            &checked.problems,
            &source,
            &text,
            cx.screen.style().colour,
            cx.screen.style().columns(),
        ));
        let warnings = checked.problems.len() - errors;
        cx.screen.say(&format!(
            "{}: {}, {}",
            escape::terminal(&source),
            count(errors, "error"),
            count(warnings, "warning")
        ));
    }
    Ok(if errors == 0 { Exit::Done } else { Exit::Runbook })
}
