use crate::cli::catalogue::CATALOGUE;
use crate::cli::console::count;
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::shelves::Found;
use crate::runbook::{self, Checked, Runbook, Severity, Vocabulary};

/// A runbook that has passed its check, with the text it was read from.
pub(crate) struct Loaded {
    /// The runbook.
    pub(crate) runbook: Runbook,
    /// Its text, kept beside the plan.
    pub(crate) text: String,
    /// Where it was found: an absolute path, `embedded`, or `generated`.
    pub(crate) source: String,
}

impl Loaded {
    /// Refuses a runbook that is not among those that `quell.toml` accepts, where it says which.
    pub(crate) fn require_accepted(&self, cx: &Context) -> Result<(), CliError> {
        let digest = self.runbook.source.digest.as_str();
        match &cx.settings.config.accept_only {
            Some(accepted) if !accepted.iter().any(|known| known == digest) => Err(CliError::new(
                Exit::Runbook,
                "runbook_not_accepted",
                format!("the runbook {} is not among those that {} accepts", self.source, cx.settings.name()),
            )
            .hint(format!("once it has been reviewed, add \"{digest}\" to `accept_only`; nothing was sent"))),
            _ => Ok(()),
        }
    }
}

/// Finds a runbook by path or name, and checks it.
pub(crate) fn load(wanted: &str, cx: &Context) -> Result<Loaded, CliError> {
    load_text(cx.shelves.find(wanted)?, cx)
}

/// Checks a runbook's text. Errors are shown and end it.
pub(crate) fn load_text(found: Found, cx: &Context) -> Result<Loaded, CliError> {
    let Found { source, shown, text } = found;
    let Checked { runbook, problems } = runbook::load(&source, &text, &vocabulary());
    if let Some(runbook) = runbook
        && problems.iter().all(|problem| problem.severity == Severity::Warning)
    {
        return Ok(Loaded { runbook, text, source });
    }
    cx.screen.say(&runbook::render_text(
        &problems,
        &shown,
        &text,
        cx.screen.style().colour,
        cx.screen.style().columns(),
    ));
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let shown = crate::escape::terminal(&shown);
    Err(CliError::new(Exit::Runbook, "runbook_invalid", format!("the runbook {shown} has {}", count(errors, "error")))
        .hint(format!("`quell runbooks check {shown}` shows them again; nothing was sent")))
}

/// The catalogue as the checker sees it.
pub(crate) fn vocabulary() -> Vocabulary {
    CATALOGUE.vocabulary()
}
