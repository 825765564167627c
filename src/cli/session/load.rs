use std::fs;
use std::path::Path;

use crate::cli::catalogue::CATALOGUE;
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::escape;
use crate::runbook::{self, ActionWords, Checked, Runbook, Severity, Vocabulary};

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
    Err(CliError::new(Exit::Runbook, "runbook_invalid", format!("the runbook {source} has {errors} errors"))
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
        match fs::read_to_string(&candidate) {
            Ok(text) => return Ok((candidate.display().to_string(), text)),
            Err(error) if looks_like_path => {
                return Err(CliError::new(
                    Exit::Usage,
                    "runbook_unreadable",
                    format!("cannot read the runbook {}", candidate.display()),
                )
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

/// The catalogue as the checker sees it.
pub(crate) fn vocabulary() -> Vocabulary {
    let words = CATALOGUE.iter().map(|action| {
        let spec = action.spec();
        let words = ActionWords {
            params: action.params_schema(),
            output: action.output_schema(),
            max_danger: spec.max_danger,
            summary: spec.summary.to_owned(),
        };
        (spec.id.to_owned(), words)
    });
    Vocabulary { actions: words.collect() }
}
