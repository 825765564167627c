use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::note::Words;
use super::session::start::past;
use crate::evidence::EvidenceStore;
use crate::journal::Event;

/// Write down what a person did elsewhere: in the dashboard, with another tool, by phone.
///
/// Takes the same as `quell note`. It stands in the timeline at its time, on the word of whoever wrote it.
#[derive(Debug, Args)]
#[command(override_usage = "quell did [OPTIONS] [INCIDENT] <TEXT>")]
pub(crate) struct DidArgs {
    #[command(flatten)]
    words: Words,

    /// When it was done: `2026-11-23 14:05Z`, `20m ago`; without it, now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,

    /// A file that shows it, such as a screenshot; kept as it is, not masked.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

const EXAMPLE: &str = "quell did \"disabled the key in the dashboard\" --at \"20m ago\"";

/// Runs `quell did`.
pub(crate) fn run(args: &DidArgs, cx: &Context) -> Result<Exit, CliError> {
    let done_at = args.at.as_deref().map_or_else(|| Ok(cx.now()), |text| past("--at", text, cx.now()))?;
    let (mut book, text) = args.words.open("account of what was done", EXAMPLE, cx)?;
    let keep = |path: &PathBuf| {
        EvidenceStore::new(book.dir.evidence(), book.redactor.clone()).keep_file(path, cx.now()).map_err(|error| {
            CliError::usage(format!("cannot keep the file {}", path.display()))
                .because(&error)
                .hint("nothing was written down")
        })
    };
    let file = args.file.as_ref().map(keep).transpose()?;
    let kept = file.as_ref().map(|file| format!(", with a file of SHA-256 {}", file.sha256.short()));
    book.journal.append(&book.stamp, Event::Attested { text, done_at, file })?;
    let at = done_at.strftime("%F %H:%MZ");
    cx.screen.tell(&format!("done {at}: written down in {}{}", book.dir.id, kept.unwrap_or_default()));
    Ok(Exit::Done)
}
