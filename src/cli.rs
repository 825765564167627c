//! The edge: command line, environment, console, exit codes. One file per command.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand, ValueEnum};

pub mod catalogue;
pub mod console;
pub mod prompt;

mod actions;
mod approve;
mod baseline;
mod close;
mod config;
mod context;
mod decide;
mod did;
mod r#do;
mod doctor;
mod environment;
mod errors;
mod exit;
mod explain;
mod handoff;
mod hunt;
mod incidents;
mod layout;
mod log;
mod note;
mod order;
mod outcome;
mod output;
mod plan;
mod plan_document;
mod plan_file;
mod reference;
mod rehearse;
mod report;
mod resume;
mod run;
mod runbooks;
mod scenarios;
mod secrets;
mod session;
mod settings;
mod shelves;
mod signals;
mod status;
mod techniques;
mod todo;
mod undo;
mod update;
mod vault;
mod verify;

use console::{Screen, Volume};
use context::Context;
use environment::Environment;
use errors::CliError;
use exit::Exit;
use layout::StateDir;
use prompt::Keyboard;
use settings::Settings;
use shelves::Shelves;
use vault::VaultChoice;

use crate::model::Role;

/// Guided incident response for a Cloudflare account that somebody else holds a key to.
///
/// Nothing needs to be set up for a first look: `quell rehearse` walks the main runbook against a simulated,
/// compromised account.
#[derive(Debug, Parser)]
#[command(name = "quell", version, arg_required_else_help = true, after_long_help = EXITS)]
struct Arguments {
    #[command(flatten)]
    global: Global,

    #[command(subcommand)]
    command: Command,
}

/// Flags that every command takes.
#[derive(Debug, clap::Args)]
struct Global {
    /// Where incidents are kept; without it, `quell/` in the platform's state directory.
    #[arg(long, global = true, env = "QUELL_STATE_DIR", value_name = "DIR")]
    state_dir: Option<PathBuf>,

    /// Configuration; without it, `quell/quell.toml` in the user's configuration directory, where there is one.
    #[arg(long, global = true, env = "QUELL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    /// Directory in which runbooks are looked for first.
    #[arg(long, global = true, env = "QUELL_RUNBOOKS", value_name = "DIR")]
    runbooks: Option<PathBuf>,

    /// Print one JSON document on standard output at the end.
    #[arg(long, global = true, conflicts_with = "jsonl")]
    json: bool,

    /// Print journal entries on standard output as they become durable.
    #[arg(long, global = true)]
    jsonl: bool,

    /// Colour of the output; `NO_COLOR` is honoured.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,

    /// Say more; twice for the client's requests. `RUST_LOG` overrides what is logged.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,

    /// Say only what needs an answer, and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,

    /// What you do in the incident: `commander`, `operator`, `scribe` or `approver`; stands on every entry you write.
    #[arg(long, global = true, env = "QUELL_ROLE", value_name = "ROLE", value_parser = role)]
    role: Option<Role>,

    /// age public key that may open the vault of new secrets; repeat for several.
    #[arg(long, global = true, value_name = "AGE1…")]
    vault_recipient: Vec<String>,

    /// File with an age private key, to prove that the vault opens.
    #[arg(long, global = true, value_name = "FILE")]
    vault_identity: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Rehearse(rehearse::RehearseArgs),
    Run(run::RunArgs),
    Plan(plan::PlanArgs),
    Resume(resume::ResumeArgs),
    Do(r#do::DoArgs),
    Undo(undo::UndoArgs),
    Status(status::StatusArgs),
    /// Every incident and rehearsal, oldest first.
    Incidents,
    Approve(approve::ApproveArgs),
    Note(note::NoteArgs),
    Decide(decide::DecideArgs),
    Todo(todo::TodoArgs),
    Update(update::UpdateArgs),
    Did(did::DidArgs),
    Handoff(handoff::HandoffArgs),
    Close(close::CloseArgs),
    Report(report::ReportArgs),
    Verify(verify::VerifyArgs),
    Secrets(secrets::SecretsArgs),
    Hunt(hunt::HuntArgs),
    Baseline(baseline::BaselineArgs),
    Runbooks(runbooks::RunbooksArgs),
    Actions(actions::ActionsArgs),
    Techniques(techniques::TechniquesArgs),
    Scenarios(scenarios::ScenariosArgs),
    Doctor(doctor::DoctorArgs),
    Explain(explain::ExplainArgs),
    Config(config::ConfigArgs),
}

impl Command {
    /// Whether it hangs on what `quell.toml` says. The others go on with a broken one: looking must stay possible.
    const fn needs_settings(&self) -> bool {
        matches!(
            self,
            Self::Rehearse(_)
                | Self::Run(_)
                | Self::Plan(_)
                | Self::Resume(_)
                | Self::Do(_)
                | Self::Undo(_)
                | Self::Runbooks(_)
        )
    }

    /// Whether it may have something in flight when somebody wants to leave.
    const fn sends(&self) -> bool {
        matches!(
            self,
            Self::Rehearse(_) | Self::Run(_) | Self::Resume(_) | Self::Do(_) | Self::Undo(_) | Self::Secrets(_)
        )
    }
}

const EXITS: &str = "\
Exit codes:
  0    done
  1    a bug in quell
  2    wrong usage, environment or file
  10   the runbook is invalid
  11   no consent, or paused waiting for a person
  12   a step failed, or a watch raised an alert
  13   an effect is in doubt
  14   the journal is locked, damaged or tampered with
  15   the report failed
  16   done, but something could not be seen
  130  interrupted
Where several hold: 1, 14, 13, 12, 11, 15, 16.

Credentials and target are taken from the environment, never from arguments:
  CLOUDFLARE_API_TOKEN, or CLOUDFLARE_API_KEY with CLOUDFLARE_EMAIL
  CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_BASE_URL, QUELL_VAULT_PASSPHRASE, QUELL_OPERATOR
  QUELL_INPUT_NAME: value of the runbook's input `name`, also of a secret one
  QUELL_HTTP_HOSTS: hosts that a runbook's http and notify steps may name, comma-separated

`RUST_LOG`, e.g. `quell=trace`, says what quell logs on stderr. Other libraries are never logged, since they do not know
what is secret.";

/// Reads the name of a role.
fn role(name: &str) -> Result<Role, String> {
    Role::named(name).ok_or_else(|| format!("it is one of {}", Role::ALL.map(Role::as_str).join(", ")))
}

/// Runs the program and turns whatever happens into an exit code.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to stdout with 0, mistakes to stderr with 2.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let _ = error.print();
            return exit.into();
        }
    };
    let json = arguments.global.json;
    let exit = start(arguments).unwrap_or_else(|error| {
        let _ = anstream::stderr().lock().write_all(error.text().as_bytes());
        if json {
            let _ = output::document(&error.json());
        }
        error.exit
    });
    exit.into()
}

fn start(arguments: Arguments) -> Result<Exit, CliError> {
    let bug = |error: &dyn std::error::Error| CliError::new(Exit::Bug, "runtime", "cannot start").because(error);
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return Err(CliError::new(Exit::Bug, "runtime", "cannot set up TLS"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| bug(&error))?;
    let entered = runtime.enter();
    let context = context(arguments.global, &arguments.command)?;
    drop(entered);
    let task = runtime.spawn(async move { dispatch(&arguments.command, &context).await });
    // A panic ends here: what was durable stays so, and `resume` goes on from it.
    let ended = runtime.block_on(task);
    // A prompt may still hold a reader; nothing is left to wait for.
    runtime.shutdown_background();
    ended.unwrap_or_else(|error| {
        Err(CliError::new(Exit::Bug, "bug", "quell ran into a bug")
            .because(&error)
            .hint("the journal is whole up to the last entry; `quell status` shows where things stand"))
    })
}

async fn dispatch(command: &Command, cx: &Context) -> Result<Exit, CliError> {
    match command {
        Command::Rehearse(args) => rehearse::run(args, cx).await,
        Command::Run(args) => run::run(args, cx).await,
        Command::Plan(args) => plan::run(args, cx).await,
        Command::Resume(args) => resume::run(args, cx).await,
        Command::Do(args) => r#do::run(args, cx).await,
        Command::Undo(args) => undo::run(args, cx).await,
        Command::Status(args) => status::run(args, cx).await,
        Command::Incidents => incidents::run(cx),
        Command::Approve(args) => approve::run(args, cx).await,
        Command::Note(args) => note::run(args, cx),
        Command::Decide(args) => decide::run(args, cx),
        Command::Todo(args) => todo::run(args, cx),
        Command::Update(args) => update::run(args, cx),
        Command::Did(args) => did::run(args, cx),
        Command::Handoff(args) => handoff::run(args, cx),
        Command::Close(args) => close::run(args, cx),
        Command::Report(args) => report::run(args, cx),
        Command::Verify(args) => verify::run(args, cx),
        Command::Secrets(args) => secrets::run(args, cx).await,
        Command::Hunt(args) => hunt::run(args, cx).await,
        Command::Baseline(args) => baseline::run(args, cx).await,
        Command::Runbooks(args) => runbooks::run(args, cx),
        Command::Actions(args) => actions::run(args, cx),
        Command::Techniques(args) => techniques::run(args, cx),
        Command::Scenarios(args) => scenarios::run(args, cx),
        Command::Doctor(args) => doctor::run(args, cx).await,
        Command::Explain(args) => explain::run(args, cx),
        Command::Config(args) => config::run(args, cx),
    }
}

fn context(global: Global, command: &Command) -> Result<Context, CliError> {
    #[cfg(debug_assertions)]
    environment::arm_crash_point();
    let volume = match (global.quiet, global.verbose) {
        (true, _) => Volume::Quiet,
        (false, 0) => Volume::Normal,
        (false, _) => Volume::Verbose,
    };
    let colour = match global.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never,
    };
    let screen = Arc::new(Screen::stderr(colour, environment::is_utf8(), volume));
    log::begin(global.verbose, environment::log_filter().as_deref(), &screen, colour)
        .map_err(|error| CliError::new(Exit::Bug, "log", "cannot log").because(&error))?;
    let keys = if io::stdin().is_terminal() && io::stderr().is_terminal() {
        let keys = Keyboard::stdin();
        Some(Arc::new(
            keys.map_err(|error| CliError::new(Exit::Bug, "keyboard", "cannot read the keyboard").because(&error))?,
        ))
    } else {
        None
    };
    let state = match global.state_dir {
        Some(dir) => dir,
        None => environment::default_state_dir()?,
    };
    let settings = Settings::read(global.config)?;
    if command.needs_settings() {
        settings.require_sound(&screen)?;
    }
    let interrupt = signals::arm(screen.clone(), command.sends())
        .map_err(|error| CliError::new(Exit::Bug, "signals", "cannot listen for Ctrl-C").because(&error))?;
    Ok(Context {
        state: StateDir::new(state),
        shelves: Shelves::new(global.runbooks, &settings),
        environment: Environment::read(),
        screen,
        keys,
        interrupt,
        clock: environment::clock(),
        operator: environment::operator(),
        role: global.role,
        json: global.json,
        jsonl: global.jsonl,
        vault: VaultChoice {
            recipients: global.vault_recipient,
            configured: settings.config.vault_recipients.clone(),
            identity: global.vault_identity,
        },
        settings,
    })
}
