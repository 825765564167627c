use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::console::{Column, Room, Style, count, gap_line, table, wrap};
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::hunt::snapshot::{Snapshot, SnapshotError, Source, Zones};

/// Say what a baseline holds, what it does not, and whether its files are as they were written. Offline.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Where it lies.
    dir: PathBuf,
}

/// Runs `quell baseline show`.
pub(super) fn run(args: &ShowArgs, cx: &Context) -> Result<Exit, CliError> {
    let unfinished = Snapshot::unfinished(&args.dir);
    let snapshot = match (Snapshot::open(&args.dir), &unfinished) {
        (Ok(snapshot), _) => snapshot,
        (Err(SnapshotError::Unfinished(_)), Some(unfinished)) => unfinished.clone(),
        (Err(error), _) => return Err(error.into()),
    };
    snapshot.verify()?;
    let manifest = snapshot.manifest();
    let gaps = manifest.gaps();
    if cx.json {
        output::document(&json!({
            "schema": "quell.baseline.show/1", "dir": snapshot.dir(), "manifest": manifest, "gaps": gaps,
            "items": manifest.items(), "unfinished": unfinished.map(|it| it.manifest().items()),
        }))?;
        return Ok(Exit::Done);
    }
    let style = cx.screen.style();
    output::write(&text(&snapshot, &style))?;
    for gap in &gaps {
        output::write(&format!("{}\n", gap_line(gap, &style)))?;
    }
    if let Some(unfinished) = unfinished.filter(|it| it.dir() != snapshot.dir()) {
        cx.screen.tell(&format!(
            "a later capture was interrupted and has read {} items; `quell baseline capture` goes on with it",
            unfinished.manifest().items()
        ));
    }
    Ok(Exit::Done)
}

fn text(snapshot: &Snapshot, style: &Style) -> String {
    let manifest = snapshot.manifest();
    let time = |at: jiff::Timestamp| at.strftime("%F %H:%M:%S UTC").to_string();
    let account = manifest.account.as_ref().map_or_else(
        || "not known".to_owned(),
        |account| format!("{} ({}) at {}", account.name, account.id, manifest.api.as_deref().unwrap_or_default()),
    );
    let zones = match &manifest.zones {
        Zones::All => "all".to_owned(),
        Zones::Asked(names) => format!("only {}", names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
        Zones::Short { names, .. } => format!("{} of an unknown number", names.len()),
    };
    let source = match manifest.source {
        Source::Capture => "captured",
        Source::Import => "imported",
    };
    let mut lines = vec![
        format!("account: {account}"),
        format!("{source}: {} to {} by {}", time(manifest.began_at), time(manifest.ended_at), manifest.tool),
        format!("zones: {zones}"),
        format!("items: {} of {}", manifest.items(), count(manifest.families.len(), "family")),
    ];
    if let Some(why) = &manifest.partial {
        lines.push(format!("PARTIAL: {why}"));
    }
    let mut text = String::new();
    for line in lines {
        text.push_str(&(wrap(&style.show(&line), style.columns(), "", "  ").join("\n") + "\n"));
    }
    let columns = [
        Column::new("family", Room::Shorten(16)),
        Column::new("items", Room::Whole),
        Column::new("not seen", Room::Whole),
    ];
    let rows = manifest.families.iter().map(|(name, held)| {
        let dark = held.gaps.len() + held.unread.len();
        let dark = if dark == 0 { String::new() } else { dark.to_string() };
        vec![name.clone(), held.items.to_string(), dark]
    });
    text.push('\n');
    text.push_str(&table(&columns, &rows.collect::<Vec<_>>(), style));
    text
}
