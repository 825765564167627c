use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::live::{Live, Wanted, chosen};
use crate::cli::console::{count, duration, gap_line};
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::hunt::snapshot::{Capture, Manifest, Zones};
use crate::hunt::sweep::Stopped;

/// Read everything that an intruder may touch, and keep it as files. Reads only.
///
/// What could not be seen is named and kept beside what was. Ctrl-C keeps what was read; the next capture into the same
/// directory goes on from there. A former baseline stands until everything is read.
#[derive(Debug, Args)]
pub(super) struct CaptureArgs {
    /// Where to. Other files that lie there stay as they are.
    dir: PathBuf,

    /// Zones to narrow it to, by name or id; what belongs to the account is read all the same.
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    zones: Vec<String>,

    /// Families to narrow it to, as the files are called; with those that they belong to.
    #[arg(long, value_delimiter = ',', value_name = "FAMILY,…")]
    only: Vec<String>,
}

/// Runs `quell baseline capture`.
pub(super) async fn run(args: &CaptureArgs, cx: &Context) -> Result<Exit, CliError> {
    let live = Live::connect(cx, chosen(&args.only)?, Wanted::of(&args.zones)).await?;
    let began = cx.now();
    let mut capture = Capture::open(&args.dir, live.subject(), live.families(), began)?;
    live.tell(cx);
    if !capture.done().is_empty() {
        let (lists, since) = (count(capture.done().len(), "list"), capture.began_at().strftime("%F %H:%M UTC"));
        cx.screen.tell(&format!("goes on with the capture that was begun at {since}: {lists} are read already"));
    }
    let swept = live.sweep(cx, &mut capture).await?;
    let manifest = capture.finish(&swept, live.zones.clone(), cx.now())?;
    let gaps = manifest.gaps();
    if cx.json {
        output::document(&json!({
            "schema": "quell.baseline.capture/1", "dir": args.dir, "account": manifest.account, "api": manifest.api,
            "partial": manifest.partial, "items": manifest.items(), "families": manifest.families.len(),
            "zones": manifest.zones, "gaps": gaps, "requests": live.requests(),
            "seconds": cx.now().duration_since(began).as_secs(),
        }))?;
    } else {
        let style = cx.screen.style();
        gaps.iter().for_each(|gap| cx.screen.say(&gap_line(gap, &style)));
        output::write(&format!(
            "{}: {} of {}, in {}, with {}\n",
            style.show(&args.dir.display().to_string()),
            count(usize::try_from(manifest.items()).unwrap_or(usize::MAX), "item"),
            count(manifest.families.len(), "family"),
            duration(cx.now().duration_since(began)),
            count(usize::try_from(live.requests()).unwrap_or(usize::MAX), "request"),
        ))?;
    }
    told_end(&manifest, cx);
    Ok(match swept.stopped {
        Some(Stopped::Interrupted) => Exit::Interrupted,
        _ if gaps.is_empty() && !matches!(manifest.zones, Zones::Short { .. }) => Exit::Done,
        _ => Exit::Gaps,
    })
}

/// Says what the files are worth, where they are not the whole.
fn told_end(manifest: &Manifest, cx: &Context) {
    if let Some(why) = &manifest.partial {
        cx.screen.tell(&format!(
            "PARTIAL: {why}. What was read is kept in `.partial`, and a former baseline stands; the same capture once more \
             goes on from there"
        ));
    } else if !manifest.gaps().is_empty() {
        cx.screen.tell("what was not seen stands in the manifest, and will not be compared");
    }
}
