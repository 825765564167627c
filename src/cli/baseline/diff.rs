use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::back;
use super::live::{Live, Wanted, chosen};
use crate::cli::console::{Style, count, difference_text, gap_line, wrap};
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::{environment, output};
use crate::cloudflare::families::{families, family};
use crate::hunt::diff::{Compared, Comparison, fields};
use crate::hunt::snapshot::{Capture, Snapshot, SnapshotError, Zones};
use crate::hunt::sweep::Stopped;
use crate::hunt::{Difference, Family};

/// Say what differs from a baseline, or from an earlier moment: added, removed, changed field by field. Reads only.
///
/// What could not be seen on one side is not compared, and said so. Differences do not change the exit code.
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// Where the baseline lies.
    #[arg(required_unless_present = "at", conflicts_with = "at")]
    dir: Option<PathBuf>,

    /// Compare the account with what it was at this moment instead, by the audit log: `10h ago`, `2026-11-23 14:05Z`. Of each
    /// object it says whether what it was is known exactly, in part, or not.
    #[arg(long, value_name = "MOMENT", conflicts_with = "against")]
    at: Option<String>,

    /// Compare it with another baseline instead of the account. Offline.
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,

    /// Zones to narrow it to, by name or id; what belongs to the account is compared all the same.
    #[arg(long, value_delimiter = ',', value_name = "A,B", conflicts_with = "against")]
    zones: Vec<String>,
}

/// Runs `quell baseline diff`.
pub(super) async fn run(args: &DiffArgs, cx: &Context) -> Result<Exit, CliError> {
    let Some(dir) = &args.dir else {
        return back::run(args.at.as_deref().unwrap_or_default(), &args.zones, cx).await;
    };
    let before = Snapshot::open(dir)?;
    let scratch = tempfile::tempdir_in(environment::scratch_dir()).map_err(|error| unwritable(&error))?;
    let (after, name, interrupted) = match &args.against {
        Some(dir) => (Snapshot::open(dir)?, "the other baseline", false),
        None => {
            let (after, interrupted) = present(args, &before, &scratch, cx).await?;
            (after, "the account", interrupted)
        }
    };
    let accounts = [&before, &after].map(|it| it.manifest().account.as_ref().map(|account| account.id.as_str()));
    if let [Some(one), Some(other)] = accounts
        && one != other
    {
        let message = format!("the baseline is of account {one}, and this is account {other}");
        return Err(CliError::new(Exit::Usage, "other_account", message)
            .hint("check the directory and `CLOUDFLARE_ACCOUNT_ID`; nothing was compared"));
    }
    let all: Vec<&Family> = families().collect();
    let comparison = Comparison {
        before: &before,
        before_name: "the baseline",
        after: &after,
        after_name: name,
        families: &all,
        scratch: scratch.path(),
    };
    let (found, compared) = spooled(&comparison, cx.json, &cx.screen.style())?;
    if cx.json {
        print_json(found, &comparison, &compared)?;
    } else {
        copy(found)?;
        output::write(&summary(&compared, &cx.screen.style()))?;
    }
    Ok(match (interrupted, compared.gaps.is_empty()) {
        (true, _) => Exit::Interrupted,
        (false, false) => Exit::Gaps,
        (false, true) => Exit::Done,
    })
}

/// Reads of the account what the baseline holds, and whether that was interrupted.
async fn present(
    args: &DiffArgs,
    before: &Snapshot,
    scratch: &TempDir,
    cx: &Context,
) -> Result<(Snapshot, bool), CliError> {
    // A family that an older version knew and this one does not is told by the comparison.
    let known = before.manifest().families.keys().filter(|name| family(name).is_some()).cloned().collect::<Vec<_>>();
    let wanted = match &before.manifest().zones {
        _ if !args.zones.is_empty() => Wanted::of(&args.zones),
        Zones::Asked(names) => Wanted::Of(names),
        Zones::All | Zones::Short { .. } => Wanted::All,
    };
    let live = Live::connect(cx, chosen(&known)?, wanted).await?;
    live.tell(cx);
    let mut capture = Capture::open(scratch.path(), live.subject(), live.families(), cx.now())?;
    let swept = live.sweep(cx, &mut capture).await?;
    let manifest = capture.finish(&swept, live.zones.clone(), cx.now())?;
    let partial = manifest.partial.is_some();
    let after = if partial { Snapshot::unfinished(scratch.path()) } else { Snapshot::open(scratch.path()).ok() };
    let after = after.ok_or_else(|| SnapshotError::Missing(scratch.path().to_owned()))?;
    Ok((after, swept.stopped == Some(Stopped::Interrupted)))
}

/// Writes every difference into a file without a name: only once all files are seen to be as they were written does any
/// of it count.
fn spooled(comparison: &Comparison<'_>, json: bool, style: &Style) -> Result<(File, Compared), CliError> {
    let mut spool = BufWriter::new(tempfile::tempfile_in(comparison.scratch).map_err(|error| unwritable(&error))?);
    let (mut is_first, mut last) = (true, "");
    let compared = comparison.run(&mut |family, difference| {
        if json {
            spool.write_all(if is_first { b"\n    " } else { b",\n    " })?;
            serde_json::to_writer(&mut spool, &document(family, &difference))?;
        } else {
            if last != family.name {
                writeln!(spool, "{}", style.heading(family.title))?;
            }
            spool.write_all(difference_text(family, &difference, style).as_bytes())?;
        }
        (is_first, last) = (false, family.name);
        Ok(())
    })?;
    let mut file = spool.into_inner().map_err(|error| unwritable(error.error()))?;
    file.rewind().map_err(|error| unwritable(&error))?;
    Ok((file, compared))
}

fn document(family: &Family, difference: &Difference) -> Value {
    let item = difference.item();
    json!({
        "family": family.name, "change": difference.change(), "seat": item.map(|item| &item.seat.name),
        "id": item.map(|item| &item.id), "name": item.map(|item| family.label(item)),
        "fields": fields(family, difference), "before": difference.before, "after": difference.after,
    })
}

fn print_json(found: File, comparison: &Comparison<'_>, compared: &Compared) -> Result<(), CliError> {
    let side = |snapshot: &Snapshot, is_live: bool| {
        let manifest = snapshot.manifest();
        let dir: Option<&Path> = (!is_live).then(|| snapshot.dir());
        json!({
            "dir": dir, "account": manifest.account, "api": manifest.api, "began_at": manifest.began_at,
            "ended_at": manifest.ended_at, "partial": manifest.partial, "zones": manifest.zones,
        })
    };
    let total = compared.total();
    let head = json!({
        "schema": "quell.baseline.diff/1",
        "before": side(comparison.before, false),
        "after": side(comparison.after, comparison.after_name == "the account"),
        "added": total.added, "removed": total.removed, "changed": total.changed,
        "families": compared.families.keys().collect::<Vec<_>>(),
        "gaps": compared.gaps, "not_examined": compared.not_examined, "silent": compared.silent,
    });
    let head = format!("{head:#}");
    let head = head.strip_suffix('}').unwrap_or(&head).trim_end();
    output::write(&format!("{head},\n  \"differences\": ["))?;
    copy(found)?;
    output::write("\n  ]\n}\n")
}

/// Copies it to standard output, whatever its length.
fn copy(found: File) -> Result<(), CliError> {
    const PIECE: usize = 64 << 10;
    let (mut found, mut piece) = (BufReader::new(found), String::with_capacity(2 * PIECE));
    while found.read_line(&mut piece).map_err(|error| unwritable(&error))? > 0 {
        if piece.len() >= PIECE {
            output::write(&piece)?;
            piece.clear();
        }
    }
    output::write(&piece)
}

fn summary(compared: &Compared, style: &Style) -> String {
    let total = compared.total();
    let mut text = String::new();
    let mut say = |line: &str| text.push_str(&(wrap(&style.show(line), style.columns(), "", "  ").join("\n") + "\n"));
    if total.all() == 0 {
        say(&format!("nothing differs in what was compared: {}", count(compared.families.len(), "family")));
    } else {
        let touched = compared.families.values().filter(|tally| tally.all() > 0).count();
        let (added, removed, changed) = (total.added, total.removed, total.changed);
        let families = compared.families.len();
        say(&format!("{added} added, {removed} removed, {changed} changed, in {touched} of {families} families"));
    }
    for (family, seats) in &compared.silent {
        for (seat, fields) in seats {
            let fields: Vec<&str> = fields.iter().map(|field| field.trim_start_matches('/')).collect();
            say(&format!("not compared, since one side cannot say it: {} of {family} of {seat}", fields.join(", ")));
        }
    }
    compared.not_examined.iter().for_each(|what| say(&format!("not examined: {what}")));
    if !compared.gaps.is_empty() {
        say("NOT COMPARED, since it could not be seen:");
    }
    for gap in &compared.gaps {
        text.push_str(&(gap_line(gap, style) + "\n"));
    }
    text
}

pub(super) fn unwritable(error: &io::Error) -> CliError {
    CliError::new(Exit::Usage, "scratch", "cannot write what is compared into the directory for temporary files")
        .because(error)
        .hint("free space, or name another directory in `TMPDIR`")
}
