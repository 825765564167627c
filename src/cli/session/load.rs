use crate::cli::catalogue::CATALOGUE;
use crate::cli::console::count;
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::plan_file::Texts;
use crate::runbook::{self, Checked, Diagnostic, Found, Library, Runbook, Severity, Vocabulary};

/// A runbook that has passed its check, with the text it was read from.
pub(crate) struct Loaded {
    /// The runbook.
    pub(crate) runbook: Runbook,
    /// Its text, kept beside the plan.
    pub(crate) text: String,
    /// Where it was found: an absolute path, `embedded`, or `generated`.
    pub(crate) source: String,
    /// The runbooks that it calls, and those that these call, each once: name, and text with where it was found.
    pub(crate) nested: Vec<(String, Found)>,
}

impl Loaded {
    /// All texts, for the sealed plan.
    pub(crate) fn texts(&self) -> Texts {
        let nested = self.runbook.nested().into_iter().filter_map(|called| {
            self.nested.iter().find(|(name, _)| *name == called.name).map(|(_, found)| found.text.clone())
        });
        Texts { runbook: self.text.clone(), nested: nested.collect() }
    }

    /// Refuses a runbook that is not among those that `quell.toml` accepts, where it says which; and so for each that it
    /// calls.
    pub(crate) fn require_accepted(&self, cx: &Context) -> Result<(), CliError> {
        let Some(accepted) = &cx.settings.config.accept_only else { return Ok(()) };
        let called = self.runbook.nested().into_iter().map(|called| &called.runbook.source);
        for source in std::iter::once(&self.runbook.source).chain(called) {
            let digest = source.digest.as_str();
            if !accepted.iter().any(|known| known == digest) {
                return Err(CliError::new(
                    Exit::Runbook,
                    "runbook_not_accepted",
                    format!("the runbook {} is not among those that {} accepts", source.name, cx.settings.name()),
                )
                .hint(format!("once it has been reviewed, add \"{digest}\" to `accept_only`; nothing was sent")));
            }
        }
        Ok(())
    }
}

/// Finds a runbook by path or name, and checks it.
pub(crate) fn load(wanted: &str, cx: &Context) -> Result<Loaded, CliError> {
    load_text(cx.shelves.find(wanted)?, &cx.shelves, cx)
}

/// Checks a runbook's text, and those of the runbooks that it calls, which `library` finds. Errors are shown and end it.
pub(crate) fn load_text(found: Found, library: &dyn Library, cx: &Context) -> Result<Loaded, CliError> {
    let Checked { runbook, problems, nested } = runbook::load(&found.source, &found.text, &vocabulary(), library);
    if let Some(runbook) = runbook {
        let nested = nested.into_iter().map(|text| (text.name, text.found)).collect();
        return Ok(Loaded { runbook, text: found.text, source: found.source, nested });
    }
    show_problems(&problems, &found, cx);
    for text in nested.iter().filter(|text| errors(&text.problems) > 0) {
        show_problems(&text.problems, &text.found, cx);
    }
    let (errors, shown) = (errors(&problems), crate::escape::terminal(&found.shown));
    Err(CliError::new(Exit::Runbook, "runbook_invalid", format!("the runbook {shown} has {}", count(errors, "error")))
        .hint(format!("`quell runbooks check {shown}` shows them again; nothing was sent")))
}

/// Every problem, with excerpts.
pub(crate) fn show_problems(problems: &[Diagnostic], found: &Found, cx: &Context) {
    let style = cx.screen.style();
    cx.screen.say(&runbook::render_text(problems, &found.shown, &found.text, style.colour, style.columns()));
}

/// How many of the problems are errors.
pub(crate) fn errors(problems: &[Diagnostic]) -> usize {
    problems.iter().filter(|problem| problem.severity == Severity::Error).count()
}

/// The catalogue as the checker sees it.
pub(crate) fn vocabulary() -> Vocabulary {
    CATALOGUE.vocabulary()
}
