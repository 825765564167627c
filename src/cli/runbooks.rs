use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::console::count;
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::output;
use super::reference;
use super::session::load::{errors, load, show_problems, vocabulary};
use crate::escape;
use crate::model::Digest;
use crate::runbook::{self, Diagnostic, Found, InputType, OutlineStep};

/// Runbooks: what there is, what is in them, whether they are sound.
#[derive(Debug, Args)]
pub(crate) struct RunbooksArgs {
    #[command(subcommand)]
    command: RunbooksCommand,
}

#[derive(Debug, Subcommand)]
enum RunbooksCommand {
    /// Every runbook that is found by name, with where it is from, and those that it shadows.
    List,
    /// The steps of one.
    Show {
        /// Name of a runbook, or path of a file.
        runbook: String,
        /// Print a Mermaid flowchart instead: phases, steps, and what hangs on what.
        #[arg(long, conflicts_with = "json")]
        graph: bool,
    },
    /// Write a small runbook to begin with.
    New {
        /// Its name: small letters, digits and hyphens.
        name: String,
        /// Where to; without it, `runbooks/NAME.toml`. A file that is there is never written over.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// The language as JSON Schema, for completion in an editor.
    Schema,
    /// The language in full, as Markdown: keys, types, templates, what the checker says, every action.
    Reference,
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
        RunbooksCommand::Show { runbook, graph: true } => {
            output::write(&runbook::graph(&load(runbook, cx)?.runbook))?;
            Ok(Exit::Done)
        }
        RunbooksCommand::Show { runbook, graph: false } => show(runbook, cx),
        RunbooksCommand::New { name, output } => new(name, output.as_deref(), cx),
        RunbooksCommand::Reference => {
            output::write(&reference::page())?;
            Ok(Exit::Done)
        }
        RunbooksCommand::Schema => {
            output::document(&runbook::json_schema(&vocabulary()))?;
            Ok(Exit::Done)
        }
        RunbooksCommand::Check { runbook } => check(runbook, cx),
    }
}

fn list(cx: &Context) -> Result<Exit, CliError> {
    let mut rows: Vec<Value> = Vec::new();
    for (name, found) in cx.shelves.all()? {
        let checked = runbook::load(&found.source, &found.text, &vocabulary(), &cx.shelves);
        let title = checked.runbook.map(|runbook| runbook.title);
        let shadowed = rows.last().is_some_and(|above| above["name"] == name.as_str());
        let digest = Digest::of(found.text.as_bytes());
        rows.push(json!({
            "name": name, "source": found.source, "sha256": digest, "title": title, "shadowed": shadowed,
        }));
    }
    if cx.json {
        output::document(&json!({ "schema": "quell.runbooks/1", "runbooks": rows }))?;
        return Ok(Exit::Done);
    }
    for row in rows {
        let text = |key: &str| escape::terminal(row[key].as_str().unwrap_or("(invalid)"));
        let name = if row["shadowed"] == true { "  (shadowed)".to_owned() } else { text("name") };
        output::write(&format!("{name:<32} {}\n", text("title")))?;
        output::write(&format!("{:<32} from {}, sha256 {}\n", "", text("source"), &text("sha256")[..12]))?;
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
        let mut kind = json!(input.ty)["kind"].as_str().unwrap_or_default().to_owned();
        if let InputType::Choice { choices } = &input.ty {
            kind = format!("{kind} of {}", choices.join(", "));
        }
        if let Some(default) = &input.default {
            kind = format!("{kind}, {default} without it");
        }
        output::write(&format!("  {:<16} {needed}  {}\n", input.name, escape::terminal(&kind)))?;
        if let Some(prompt) = &input.prompt {
            output::write(&format!("  {:<16} {}\n", "", escape::terminal(prompt)))?;
        }
    }
    output::write("\nsteps:\n")?;
    for (number, step) in (1..).zip(&outline.steps) {
        show_step(step, &format!("{number}."), 0)?;
    }
    Ok(Exit::Done)
}

/// A step, and below it what it holds.
fn show_step(step: &OutlineStep, number: &str, depth: usize) -> Result<(), CliError> {
    let (margin, room) = ("    ".repeat(depth), 20_usize.saturating_sub(4 * depth));
    let finally = if step.finally { " (in any case)" } else { "" };
    output::write(&format!(
        "{margin}{number:>5} {:<room$} {:<10} {:<13} {}{finally}\n",
        step.id,
        step.phase,
        step.max_danger,
        escape::terminal(&step.title)
    ))?;
    if let Some(why) = &step.why {
        output::write(&format!("{margin}      {}\n", escape::terminal(why)))?;
    }
    for word in &step.flow {
        output::write(&format!("{margin}      {}\n", escape::terminal(word)))?;
    }
    if let Some(called) = &step.calls {
        let source = escape::terminal(&called.source);
        let line = format!("{margin}      calls {}, from {source}, sha256 {}\n", called.name, called.sha256);
        output::write(&line)?;
    }
    (1..).zip(&step.steps).try_for_each(|(at, inner)| show_step(inner, &format!("{number}{at}."), depth + 1))
}

fn new(name: &str, file: Option<&Path>, cx: &Context) -> Result<Exit, CliError> {
    let text = runbook::scaffold(name).ok_or_else(|| {
        CliError::usage(format!("`{}` is not of small letters, digits and hyphens", escape::terminal(name)))
            .hint("for example `leaked-deploy-token`")
    })?;
    let path = file.map_or_else(|| Path::new("runbooks").join(format!("{name}.toml")), Path::to_owned);
    let parent = path.parent().unwrap_or(Path::new(""));
    let written = fs::create_dir_all(parent)
        .and_then(|()| fs::OpenOptions::new().write(true).create_new(true).open(&path))
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        CliError::usage(format!("cannot write the runbook {}", path.display()))
            .because(&error)
            .hint("a file that is there is never written over: name another with `-o FILE`")
    })?;
    let shown = escape::terminal(&path.display().to_string());
    cx.screen
        .tell(&format!("wrote {shown}; `quell runbooks check {shown}` checks it, `quell rehearse {shown}` walks it"));
    Ok(Exit::Done)
}

/// The problems of the runbook, and of each that it calls.
fn check(wanted: &str, cx: &Context) -> Result<Exit, CliError> {
    let found = cx.shelves.find(wanted)?;
    let checked = runbook::load(&found.source, &found.text, &vocabulary(), &cx.shelves);
    let called = checked.nested.iter().map(|text| (&text.found, &text.problems));
    if cx.json {
        let of = |found: &Found, problems: &[Diagnostic]| runbook::render_json(problems, &found.shown, &found.text);
        let mut document = of(&found, &checked.problems);
        document["nested"] = called.map(|(found, problems)| of(found, problems)).collect();
        output::document(&document)?;
    } else {
        for (found, problems) in std::iter::once((&found, &checked.problems)).chain(called) {
            show_problems(problems, found, cx);
            let errors = errors(problems);
            let (shown, warnings) = (escape::terminal(&found.shown), count(problems.len() - errors, "warning"));
            cx.screen.say(&format!("{shown}: {}, {warnings}", count(errors, "error")));
        }
    }
    Ok(if checked.runbook.is_some() { Exit::Done } else { Exit::Runbook })
}
