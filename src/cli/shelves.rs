//! Where runbooks are looked for by name.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::environment;
use super::errors::CliError;
use super::exit::Exit;
use super::settings::Settings;
use crate::escape;
use crate::runbook::{self, EMBEDDED, Embedded, Found, Library, Unfound};

/// The source of a runbook that quell wrote itself; its only text lies beside the plan of its run.
pub(crate) const GENERATED: &str = "generated";

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

/// A text that quell wrote itself.
pub(crate) fn generated(text: String) -> Found {
    Found { source: GENERATED.to_owned(), shown: GENERATED.to_owned(), text }
}

fn file(path: &Path, text: String) -> Found {
    let source = std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
    Found { source, shown: path.display().to_string(), text }
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
            return match read(path) {
                Ok(bytes) => Ok(file(path, text(path, bytes)?)),
                Err(error) => Err(unreadable(path, &error)),
            };
        }
        self.check()?;
        for shelf in &self.0 {
            let path = shelf.dir.join(format!("{wanted}.toml"));
            match read(&path) {
                Ok(bytes) => return Ok(file(&path, text(&path, bytes)?)),
                // Only one that is not there is passed over: one that cannot be read may be the one that is meant.
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(error) => return Err(unreadable(&path, &error)),
            }
        }
        Embedded::get(wanted).ok_or_else(|| {
            CliError::new(Exit::Usage, "no_such_runbook", format!("there is no runbook `{}`", escape::terminal(wanted)))
                .hint("`quell runbooks list` shows those that there are; a file is named by its path")
        })
    }

    /// The runbook that was found at `source` before, and is called `name`; where no file is there any more, the first
    /// of that name.
    pub(crate) fn again(&self, source: &str, name: &str) -> Result<Found, CliError> {
        match source {
            EMBEDDED => Embedded::get(name).map_or_else(|| self.find(name), Ok),
            file if Path::new(file).is_file() => self.find(file),
            _ => self.find(name),
        }
    }

    /// Every runbook by name; of several with one name, the one that is found comes first.
    pub(crate) fn all(&self) -> Result<Vec<(String, Found)>, CliError> {
        self.check()?;
        let mut all: Vec<(String, Found)> = self.0.iter().flat_map(Shelf::runbooks).collect();
        let embedded = runbook::embedded().iter().map(|(name, _)| *name);
        all.extend(embedded.filter_map(|name| Some((name.to_owned(), Embedded::get(name)?))));
        // Stable: the order of the shelves stays within a name.
        all.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(all)
    }
}

/// A runbook that another one calls is looked for like one that a person names.
impl Library for Shelves {
    fn find(&self, name: &str) -> Result<Found, Unfound> {
        Self::find(self, name).map_err(|error| {
            let why = std::iter::once(error.message).chain(error.causes).collect::<Vec<_>>().join(": ");
            Unfound { why, help: error.hint.unwrap_or_default() }
        })
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
                .then(|| (name, file(&path, read(&path).map(|bytes| lossy(&bytes)).unwrap_or_default())))
        });
        named.collect()
    }
}

fn unreadable(path: &Path, error: &io::Error) -> CliError {
    CliError::new(
        Exit::Usage,
        "runbook_unreadable",
        format!("cannot read the runbook {}", escape::terminal(&path.display().to_string())),
    )
    .because(error)
    .hint("name a file that is there, or a runbook of `quell runbooks list`")
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

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
