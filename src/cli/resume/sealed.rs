//! The runbook as it was when the run began, with those that it calls, beside what is there now.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::layout::IncidentDir;
use crate::cli::plan_file::Texts;
use crate::cli::session::load::{Loaded, load_text};
use crate::cli::shelves::{GENERATED, Shelves};
use crate::journal::RunState;
use crate::runbook::{EMBEDDED, Embedded, Found, Library, Unfound};

/// The texts that a run is bound to: the runbook's first, then those of the runbooks that it calls.
pub(super) struct Sealed {
    texts: Vec<SealedText>,
    /// The file that they lie in.
    pub(super) file: PathBuf,
}

struct SealedText {
    name: String,
    source: String,
    text: String,
}

/// A text that is not as it was sealed.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    /// Where it is from.
    pub(super) source: String,
    /// As it was sealed.
    pub(super) then: String,
    /// As it is.
    pub(super) now: String,
}

impl Sealed {
    /// Reads them, and holds them against the journal.
    pub(super) fn read(dir: &IncidentDir, run: &RunState) -> Result<Self, CliError> {
        let file = dir.plan(&run.opened.run, run.amended.len());
        let unreadable = |error: &dyn std::error::Error| {
            CliError::new(Exit::Journal, "plan_file", format!("cannot read the sealed plan {}", file.display()))
                .because(error)
        };
        let kept = fs::read_to_string(&file).map_err(|error| unreadable(&error))?;
        let texts = Texts::read(&kept).map_err(|error| unreadable(&error))?;
        let bound = run.plan.as_ref().filter(|plan| texts.are_of(&run.opened.runbook_sha256, plan));
        let bound = bound.ok_or_else(|| {
            CliError::new(
                Exit::Journal,
                "plan_file",
                format!("the runbook in {} is not the one that the journal names", file.display()),
            )
            .hint("the file was changed after the run began; put the original back")
        })?;
        let own =
            SealedText { name: run.opened.runbook.clone(), source: run.opened.source.clone(), text: texts.runbook };
        let called = bound.nested.iter().zip(texts.nested);
        let called = called.map(|(it, text)| SealedText { name: it.name.clone(), source: it.source.clone(), text });
        Ok(Self { texts: std::iter::once(own).chain(called).collect(), file })
    }

    /// The runbook as it was sealed.
    pub(super) fn load(&self, cx: &Context) -> Result<Loaded, CliError> {
        load_text(self.texts[0].found(), &AsSealed(self), cx)
    }

    /// The runbook as it is. One whose file is gone is as it was sealed.
    pub(super) fn load_present(&self, cx: &Context) -> Result<Loaded, CliError> {
        let own = self.texts[0].present(&cx.shelves)?.unwrap_or_else(|| self.texts[0].found());
        load_text(own, &AsItIs { sealed: self, shelves: &cx.shelves }, cx)
    }

    /// The texts that are not as they were sealed.
    pub(super) fn edits(&self, shelves: &Shelves) -> Result<Vec<Edit>, CliError> {
        let mut edits = Vec::new();
        for sealed in &self.texts {
            if let Some(now) = sealed.present(shelves)?.filter(|now| now.text != sealed.text) {
                edits.push(Edit { source: sealed.source.clone(), then: sealed.text.clone(), now: now.text });
            }
        }
        Ok(edits)
    }

    fn called(&self, name: &str) -> Option<&SealedText> {
        self.texts.iter().skip(1).find(|text| text.name == name)
    }
}

impl SealedText {
    fn found(&self) -> Found {
        Found { source: self.source.clone(), shown: self.source.clone(), text: self.text.clone() }
    }

    /// What stands there now; `None` where nothing does.
    fn present(&self, shelves: &Shelves) -> Result<Option<Found>, CliError> {
        match self.source.as_str() {
            EMBEDDED => Ok(Embedded::get(&self.name)),
            GENERATED => Ok(None),
            file if Path::new(file).exists() => shelves.find(file).map(Some).map_err(|error| {
                error
                    .hint("`quell resume --as-sealed` goes on with the text that the run is bound to; nothing was sent")
            }),
            _ => Ok(None),
        }
    }
}

/// The called runbooks as they were sealed.
struct AsSealed<'s>(&'s Sealed);

impl Library for AsSealed<'_> {
    fn find(&self, name: &str) -> Result<Found, Unfound> {
        self.0.called(name).map(SealedText::found).ok_or_else(|| Unfound {
            why: format!("the sealed plan has no runbook `{name}`"),
            help: "resume with the version of quell that began the run".to_owned(),
        })
    }
}

/// The called runbooks as they are: those that are known where they were found, others where any is looked for.
struct AsItIs<'s> {
    sealed: &'s Sealed,
    shelves: &'s Shelves,
}

impl Library for AsItIs<'_> {
    fn find(&self, name: &str) -> Result<Found, Unfound> {
        let Some(known) = self.sealed.called(name) else { return Library::find(self.shelves, name) };
        match known.present(self.shelves) {
            Ok(found) => Ok(found.unwrap_or_else(|| known.found())),
            Err(error) => Err(Unfound { why: error.message, help: error.hint.unwrap_or_default() }),
        }
    }
}
