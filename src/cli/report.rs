use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::layout::IncidentDir;
use super::output;
use crate::action::StepError;
use crate::engine::Reporter;
use crate::evidence::Archive;
use crate::journal::{Inspection, Payload};
use crate::model::{Digest, Profile};
use crate::report::{self, ReportModel};

/// Write the post-mortem draft from the journal. What people wrote between its marks is kept.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Beginning of the incident's id, or its directory; without one, the newest that is open, else the newest.
    incident: Option<String>,

    /// A Handlebars template of your own.
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,

    /// For whom: `internal` has everything, `public` leaves out names of people, e-mail addresses, addresses that are not
    /// the intruder's, and ids. Without it, what `quell.toml` says, else `internal`.
    #[arg(long, value_name = "PROFILE", value_parser = profile)]
    profile: Option<Profile>,

    /// Where to write; `-` is standard output. Without it, `report.md` in the incident's directory, or `report-public.md`.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn profile(text: &str) -> Result<Profile, String> {
    Profile::named(text).ok_or_else(|| "it is `internal` or `public`".to_owned())
}

/// Runs `quell report`.
pub(crate) fn run(args: &ReportArgs, cx: &Context) -> Result<Exit, CliError> {
    let dir = cx.incident_to_read(args.incident.as_deref())?;
    let found = dir.inspect()?;
    let profile = args.profile.unwrap_or(cx.settings.config.report_profile);
    if args.output.as_deref() == Some(Path::new("-")) {
        output::write(&render(&dir, &found, profile, args.template.as_deref(), None)?)?;
    } else {
        let path = args.output.clone().unwrap_or_else(|| dir.report(profile));
        write_to(&dir, &found, profile, args.template.as_deref(), &path)?;
        cx.screen.tell(&format!("post-mortem draft: {}", path.display()));
    }
    if !found.is_sound() {
        cx.screen.tell("warning: the journal is damaged, and the report says so; `quell verify` tells what is wrong");
        return Ok(Exit::Journal);
    }
    Ok(Exit::Done)
}

/// The draft at its usual place, for a step that wants it written.
pub(crate) struct Draft(pub(crate) IncidentDir);

impl Reporter for Draft {
    fn write(&self) -> Result<(String, Digest), StepError> {
        let written = self.0.inspect().and_then(|found| write(&self.0, &found));
        let (path, sha256) = written.map_err(|error| {
            let why: Vec<&str> = std::iter::once(&error.message).chain(&error.causes).map(String::as_str).collect();
            let hint = error.hint.as_deref().unwrap_or(
                "free space or mend the permissions of the incident's directory, then retry; the journal is whole",
            );
            StepError::new(why.join(": ")).hint(hint)
        })?;
        Ok((path.display().to_string(), sha256))
    }
}

/// Writes the report for the team at its usual place. Returns where, and the digest of what was written.
pub(crate) fn write(dir: &IncidentDir, found: &Inspection) -> Result<(PathBuf, Digest), CliError> {
    let path = dir.report(Profile::Internal);
    let digest = write_to(dir, found, Profile::Internal, None, &path)?;
    Ok((path, digest))
}

/// Writes the report to `path`, and keeps what people wrote there. Returns the digest of what was written.
fn write_to(
    dir: &IncidentDir,
    found: &Inspection,
    profile: Profile,
    template: Option<&Path>,
    path: &Path,
) -> Result<Digest, CliError> {
    let previous = match fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(format!("cannot read the earlier draft {}", path.display())).because(&error)),
    };
    let text = render(dir, found, profile, template, previous.as_deref())?;
    crate::durable::replace(path, text.as_bytes(), 0o600)
        .map_err(|error| failed(format!("cannot write the report {}", path.display())).because(&error))?;
    Ok(Digest::of(text.as_bytes()))
}

fn render(
    dir: &IncidentDir,
    found: &Inspection,
    profile: Profile,
    template: Option<&Path>,
    previous: Option<&str>,
) -> Result<String, CliError> {
    let template = match template {
        None => None,
        Some(path) => Some(fs::read_to_string(path).map_err(|error| {
            CliError::new(Exit::Usage, "template", format!("cannot read the template {}", path.display()))
                .because(&error)
        })?),
    };
    let model = model(dir, found, profile)?;
    report::render(&model, template.as_deref(), previous).map_err(|error| {
        failed("the report could not be made")
            .because(&error)
            .hint("the journal is untouched; mend the template or the earlier draft and run `quell report` again")
    })
}

/// What the report for the team tells.
pub(crate) fn of_team(dir: &IncidentDir, found: &Inspection) -> Result<ReportModel, CliError> {
    model(dir, found, Profile::Internal)
}

fn model(dir: &IncidentDir, found: &Inspection, profile: Profile) -> Result<ReportModel, CliError> {
    let store = Archive::new(dir.evidence());
    let payload = |payload: &Payload| match payload {
        Payload::Inline(value) => Some(value.clone()),
        Payload::Kept(kept) => store.read(&kept.sha256).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()),
    };
    let source = report::Source {
        entries: &found.entries,
        state: &found.state,
        head: &found.head,
        problems: &found.problems,
        payload: &payload,
    };
    report::model_for(&source, profile).map_err(|error| failed("the report could not be made").because(&error))
}

fn failed(message: impl Into<String>) -> CliError {
    CliError::new(Exit::Report, "report", message)
}
