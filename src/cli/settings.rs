//! `quell.toml` as this process met it: read once, before the first command.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::console::Screen;
use super::environment;
use super::errors::CliError;
use super::exit::Exit;
use crate::action::Safeguards;
use crate::config::{self, Config};
use crate::runbook::{self, Diagnostic, Severity};

/// The settings, and the file that they came from.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The file; `None` where there is none, and everything is at its default.
    pub(crate) file: Option<PathBuf>,
    /// Its text.
    pub(crate) text: String,
    /// What it says; the defaults where it has errors.
    pub(crate) config: Config,
    /// Every problem of it.
    pub(crate) problems: Vec<Diagnostic>,
}

impl Settings {
    /// Reads the file that was named, or the user's own where there is one.
    pub(crate) fn read(named: Option<PathBuf>) -> Result<Self, CliError> {
        let own = || environment::config_dir().map(|dir| dir.join("quell.toml"));
        let is_named = named.is_some();
        let Some(path) = named.or_else(own) else { return Ok(Self::of(None, String::new())) };
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self::of(Some(std::path::absolute(&path).unwrap_or(path)), text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => Ok(Self::of(None, String::new())),
            Err(error) => Err(CliError::new(
                Exit::Usage,
                "config_unreadable",
                format!("cannot read the configuration {}", path.display()),
            )
            .because(&error)
            .hint("name a file that is there with `--config` or `QUELL_CONFIG`; nothing was sent")),
        }
    }

    fn of(file: Option<PathBuf>, text: String) -> Self {
        let config::Checked { config, problems } = config::load(&text);
        Self { file, text, config: config.unwrap_or_default(), problems }
    }

    /// The name of the file, for people.
    pub(crate) fn name(&self) -> String {
        self.file.as_deref().unwrap_or(Path::new("quell.toml")).display().to_string()
    }

    /// How many of the problems are errors.
    pub(crate) fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// Every problem, with excerpts.
    pub(crate) fn show_problems(&self, screen: &Screen) {
        let style = screen.style();
        let (name, columns) = (self.name(), style.columns());
        screen.say(&runbook::render_text(&self.problems, &name, &self.text, style.colour, columns));
    }

    /// Refuses a file with errors: what it was to protect would not be protected.
    pub(crate) fn require_sound(&self, screen: &Screen) -> Result<(), CliError> {
        let errors = self.errors();
        if errors == 0 {
            return Ok(());
        }
        self.show_problems(screen);
        Err(CliError::new(
            Exit::Usage,
            "config_invalid",
            format!("the configuration {} has {errors} errors", self.name()),
        )
        .hint("`quell config check` shows them again; mend it, or name another with `--config`; nothing was sent"))
    }

    /// What must not be touched or suspected, and what matters most.
    pub(crate) fn safeguards(&self) -> Safeguards {
        Safeguards {
            break_glass: self.config.break_glass.clone(),
            own_ip_ranges: self.config.own_ip_ranges.clone(),
            crown_jewels: self.config.crown_jewels.clone(),
            notify: self.config.notify.clone(),
        }
    }

    /// The directories with runbooks; relative ones begin at the file's own.
    pub(crate) fn runbook_dirs(&self) -> Vec<PathBuf> {
        let base = self.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        self.config.runbook_dirs.iter().map(|dir| base.join(dir)).collect()
    }
}
