//! What was known to be good: captured or imported, compared, shown.

mod back;
mod capture;
mod diff;
mod failure;
mod import;
mod live;
mod show;

use clap::{Args, Subcommand};

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;

/// What an account holds, kept as files: captured when all is well, compared when it may not be.
#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    #[command(subcommand)]
    command: BaselineCommand,
}

#[derive(Debug, Subcommand)]
enum BaselineCommand {
    Capture(capture::CaptureArgs),
    Diff(diff::DiffArgs),
    Show(show::ShowArgs),
    Import(import::ImportArgs),
}

/// Runs `quell baseline`.
pub(crate) async fn run(args: &BaselineArgs, cx: &Context) -> Result<Exit, CliError> {
    match &args.command {
        BaselineCommand::Capture(args) => capture::run(args, cx).await,
        BaselineCommand::Diff(args) => diff::run(args, cx).await,
        BaselineCommand::Show(args) => show::run(args, cx),
        BaselineCommand::Import(args) => import::run(args, cx),
    }
}
