use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::cli::catalogue::CATALOGUE;
use crate::cli::console::count;
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::escape;
use crate::runbook::{self, Checked, Runbook, Severity, Vocabulary};

/// [`Loaded::source`] of a runbook that quell wrote itself; its only text lies beside the plan of its run.
pub(crate) const GENERATED: &str = "generated";

/// A runbook that has passed its check, with the text it was read from.
pub(crate) struct Loaded {
    /// The runbook.
    pub(crate) runbook: Runbook,
    /// Its text, kept beside the plan.
    pub(crate) text: String,
    /// Where it was found: a path, `embedded`, or [`GENERATED`].
    pub(crate) source: String,
}

/// Finds a runbook by path or name, and checks it.
pub(crate) fn load(wanted: &str, cx: &Context) -> Result<Loaded, CliError> {
    let (source, text) = find(wanted)?;
    load_text(&source, text, cx)
}

/// Checks a runbook's text. Warnings are shown, errors end it.
pub(crate) fn load_text(source: &str, text: String, cx: &Context) -> Result<Loaded, CliError> {
    let Checked { runbook, problems } = runbook::load(source, &text, &vocabulary());
    if let Some(runbook) = runbook
        && problems.iter().all(|problem| problem.severity == Severity::Warning)
    {
        return Ok(Loaded { runbook, text, source: source.to_owned() });
    }
    cx.screen.say(&runbook::render_text(
        &problems,
        source,
        &text,
        cx.screen.style().colour,
        cx.screen.style().columns(),
    ));
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    Err(CliError::new(Exit::Runbook, "runbook_invalid", format!("the runbook {source} has {}", count(errors, "error")))
        .hint(format!("`quell runbooks check {source}` shows them again; nothing was sent")))
}

/// The text of a runbook: a file, one in `./runbooks`, or an embedded one.
pub(crate) fn find(wanted: &str) -> Result<(String, String), CliError> {
    let path = Path::new(wanted);
    let looks_like_path = wanted.contains('/') || path.extension().is_some_and(|extension| extension == "toml");
    let candidates = if looks_like_path {
        vec![path.to_owned()]
    } else {
        vec![Path::new("runbooks").join(format!("{wanted}.toml"))]
    };
    for candidate in candidates {
        match read(&candidate) {
            Ok(bytes) => return Ok((candidate.display().to_string(), text(&candidate, bytes)?)),
            // A file that is there and cannot be read must not be replaced by the embedded runbook of its name.
            Err(error) if looks_like_path || error.kind() != ErrorKind::NotFound => {
                let shown = escape::terminal(&candidate.display().to_string());
                let message = format!("cannot read the runbook {shown}");
                return Err(CliError::new(Exit::Usage, "runbook_unreadable", message)
                    .because(&error)
                    .hint("name a file that is there, or a runbook of `quell runbooks list`"));
            }
            Err(_) => {}
        }
    }
    runbook::embedded()
        .iter()
        .find(|(name, _)| *name == wanted)
        .map(|(_, text)| ("embedded".to_owned(), (*text).to_owned()))
        .ok_or_else(|| {
            CliError::new(Exit::Usage, "no_such_runbook", format!("there is no runbook `{}`", escape::terminal(wanted)))
                .hint("`quell runbooks list` shows those that there are; a file is named by its path")
        })
}

/// The bytes of a file, as far as a runbook may go and one more: a device without end must not hold a responder up.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(runbook::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text in the bytes of a file.
fn text(path: &Path, bytes: Vec<u8>) -> Result<String, CliError> {
    let shown = escape::terminal(&path.display().to_string());
    if bytes.len() > runbook::MAX_BYTES {
        let message = format!("{shown} is longer than a runbook may be, which is {} bytes", runbook::MAX_BYTES);
        return Err(
            CliError::new(Exit::Runbook, "runbook_too_long", message).hint("is it the right file? nothing was sent")
        );
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = good.rsplit(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len) + 1;
        let message = format!("{shown} is not UTF-8 text: line {line}, byte {column}");
        CliError::new(Exit::Runbook, "runbook_not_text", message).hint("save it as UTF-8; nothing was sent")
    })
}

/// The catalogue as the checker sees it.
pub(crate) fn vocabulary() -> Vocabulary {
    CATALOGUE.vocabulary()
}
