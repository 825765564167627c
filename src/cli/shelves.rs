//! Where runbooks are looked for by name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::environment;
use super::errors::CliError;
use super::exit::Exit;
use super::settings::Settings;
use crate::escape;
use crate::runbook;

/// The source of a runbook that is part of the binary.
pub(crate) const EMBEDDED: &str = "embedded";

/// The directories in which runbooks are looked for by name, first to last; the embedded library comes after them.
#[derive(Debug)]
pub(crate) struct Shelves(Vec<Shelf>);

/// One of the directories.
#[derive(Debug)]
pub(crate) struct Shelf {
    /// The directory.
    pub(crate) dir: PathBuf,
    /// Who named it.
    pub(crate) origin: &'static str,
    /// Whether a person named it for this very call: then it must be there.
    required: bool,
}

/// The text of a runbook.
pub(crate) struct Found {
    /// Its absolute path, or [`EMBEDDED`].
    pub(crate) source: String,
    /// The same as it was named, for messages.
    pub(crate) shown: String,
    /// Its text.
    pub(crate) text: String,
}

impl Found {
    fn file(path: &Path, text: String) -> Self {
        let source = std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
        Self { source, shown: path.display().to_string(), text }
    }

    fn embedded(text: &str) -> Self {
        Self { source: EMBEDDED.to_owned(), shown: EMBEDDED.to_owned(), text: text.to_owned() }
    }
}

impl Shelves {
    /// The flag's directory, `./runbooks`, those of `quell.toml`, the user's own.
    pub(crate) fn new(flag: Option<PathBuf>, settings: &Settings) -> Self {
        let named = flag.map(|dir| Shelf { dir, origin: "--runbooks", required: true });
        let here = Shelf { dir: "runbooks".into(), origin: "current directory", required: false };
        let configured = settings.runbook_dirs();
        let configured = configured.into_iter().map(|dir| Shelf { dir, origin: "quell.toml", required: true });
        let own = environment::config_dir().map(|dir| dir.join("runbooks"));
        let own = own.map(|dir| Shelf { dir, origin: "user configuration", required: false });
        Self(named.into_iter().chain([here]).chain(configured).chain(own).collect())
    }

    /// The directories, first to last.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Shelf> {
        self.0.iter()
    }

    /// Refuses a directory that is named and not there: another runbook of the same name would be taken without it.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        self.0.iter().try_for_each(Shelf::check)
    }

    /// The runbook that is meant: the file, where it is named as one, or the first of that name.
    pub(crate) fn find(&self, wanted: &str) -> Result<Found, CliError> {
        let path = Path::new(wanted);
        if wanted.contains('/') || path.extension().is_some_and(|extension| extension == "toml") {
            return match fs::read_to_string(path) {
                Ok(text) => Ok(Found::file(path, text)),
                Err(error) => Err(unreadable(path, &error)),
            };
        }
        self.check()?;
        for shelf in &self.0 {
            let path = shelf.dir.join(format!("{wanted}.toml"));
            match fs::read_to_string(&path) {
                Ok(text) => return Ok(Found::file(&path, text)),
                // Only one that is not there is passed over: one that cannot be read may be the one that is meant.
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(error) => return Err(unreadable(&path, &error)),
            }
        }
        let embedded = runbook::embedded().iter().find(|(name, _)| *name == wanted);
        embedded.map(|(_, text)| Found::embedded(text)).ok_or_else(|| {
            CliError::new(Exit::Usage, "no_such_runbook", format!("there is no runbook `{}`", escape::terminal(wanted)))
                .hint("`quell runbooks list` shows those that there are; a file is named by its path")
        })
    }

    /// Every runbook by name; of several with one name, the one that is found comes first.
    pub(crate) fn all(&self) -> Result<Vec<(String, Found)>, CliError> {
        self.check()?;
        let mut all: Vec<(String, Found)> = self.0.iter().flat_map(Shelf::runbooks).collect();
        all.extend(runbook::embedded().iter().map(|(name, text)| ((*name).to_owned(), Found::embedded(text))));
        // Stable: the order of the shelves stays within a name.
        all.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(all)
    }
}

impl Shelf {
    fn check(&self) -> Result<(), CliError> {
        if !self.required || self.dir.is_dir() {
            return Ok(());
        }
        let message = format!("there is no directory {} of runbooks, which {} names", self.dir.display(), self.origin);
        Err(CliError::new(Exit::Usage, "no_runbooks_dir", message)
            .hint("name one that is there: another runbook of the same name would be taken without it"))
    }

    fn runbooks(&self) -> Vec<(String, Found)> {
        let paths = fs::read_dir(&self.dir).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
        let named = paths.filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix(".toml")?.to_owned();
            // Prepared answers lie beside the runbook that they are for.
            (!name.ends_with(".answers"))
                .then(|| (name, Found::file(&path, fs::read_to_string(&path).unwrap_or_default())))
        });
        named.collect()
    }
}

fn unreadable(path: &Path, error: &io::Error) -> CliError {
    CliError::new(Exit::Usage, "runbook_unreadable", format!("cannot read the runbook {}", path.display()))
        .because(error)
        .hint("name a file that is there, or a runbook of `quell runbooks list`")
}
