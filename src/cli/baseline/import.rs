use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::cli::console::count;
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cloudflare::dns::{ImportError, Imported, bind, octodns, record_family};
use crate::hunt::Seat;
use crate::hunt::snapshot::Import;

/// Take known-good DNS records from a file of another tool. Offline; zone by zone into the same directory.
///
/// What the file cannot say is named, and not compared.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("file").required(true).args(["bind", "octodns"])))]
pub(super) struct ImportArgs {
    /// Zone file in the format of BIND, also as Cloudflare exports it.
    #[arg(long, value_name = "FILE")]
    bind: Option<PathBuf>,

    /// Zone in the YAML of octoDNS.
    #[arg(long, value_name = "FILE")]
    octodns: Option<PathBuf>,

    /// Name of the zone.
    #[arg(long, value_name = "NAME")]
    zone: String,

    /// Where to: nothing, or a baseline that was imported.
    dir: PathBuf,
}

/// So long may a file be: a device without end must not hold a responder up.
const MAX_BYTES: u64 = 256 << 20;

/// Runs `quell baseline import`.
pub(super) fn run(args: &ImportArgs, cx: &Context) -> Result<Exit, CliError> {
    let zone = args.zone.trim().trim_end_matches('.').to_ascii_lowercase();
    if !zone.contains('.') || zone.contains('/') {
        return Err(CliError::usage(format!("`{}` is no name of a zone", args.zone)));
    }
    let (path, imported) = match (&args.bind, &args.octodns) {
        (Some(path), _) => (path, bind(&text(path)?, &zone)),
        (None, Some(path)) => (path, octodns(&text(path)?, &zone)),
        (None, None) => return Err(CliError::usage("name a file with `--bind` or `--octodns`")),
    };
    let imported = imported.map_err(|error| refused(path, &error))?;
    let Some(family) = record_family() else { return Err(CliError::usage("DNS records are not known")) };
    let Imported { records, left_out, cannot_say, silent } = imported;
    let seat = Seat { name: zone.clone(), zone_id: None, parent: None };
    let items: Vec<_> = records.into_iter().map(|record| family.item(&seat, record)).collect();
    let number = items.len();
    let tool = concat!("quell ", env!("CARGO_PKG_VERSION"));
    let manifest = Import { tool, family, zone: &zone, items, silent }.put(&args.dir, cx.now())?;
    if cx.json {
        output::document(&json!({
            "schema": "quell.baseline.import/1", "dir": args.dir, "zone": zone, "records": number,
            "items": manifest.items(), "left_out": left_out, "cannot_say": cannot_say,
        }))?;
        return Ok(Exit::Done);
    }
    left_out.iter().for_each(|what| cx.screen.tell(&format!("left out: {what}")));
    cx.screen.tell(&format!("what such a file cannot say is not compared: {}", cannot_say.join("; ")));
    let dir = cx.screen.style().show(&args.dir.display().to_string());
    output::write(&format!("{dir}: {} of {zone}\n", count(number, "record")))?;
    Ok(Exit::Done)
}

fn text(path: &Path) -> Result<String, CliError> {
    let unreadable = |error: &dyn std::error::Error| {
        CliError::new(Exit::Usage, "unreadable", format!("cannot read {}", path.display())).because(error)
    };
    let mut text = String::new();
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let read = file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    if read as u64 > MAX_BYTES {
        return Err(CliError::usage(format!("{} is longer than {MAX_BYTES} bytes", path.display())));
    }
    Ok(text)
}

fn refused(path: &Path, error: &ImportError) -> CliError {
    CliError::new(Exit::Usage, "not_imported", format!("{} cannot be taken over", path.display()))
        .because(error)
        .hint("mend the file; nothing was written")
}
