//! The account as it was at a moment, by the audit log.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::diff::unwritable;
use super::live::{Live, Wanted};
use crate::action::{Look, StepError};
use crate::cli::catalogue::CATALOGUE;
use crate::cli::console::{Style, difference_text, gap_line, wrap};
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::session::start::past;
use crate::cli::{environment, output};
use crate::cloudflare::actions::diff::{Output, Row};
use crate::cloudflare::families::{families, family};
use crate::evidence::Unkept;
use crate::hunt::snapshot::{Capture, PARTIAL};
use crate::hunt::sweep::Stopped;
use crate::hunt::{Difference, Family, Item, Seat};
use crate::model::{Change, Gap, StepPath};
use crate::outside::Rehearsed;
use crate::secret::Redactor;

/// Runs `quell baseline diff --at`.
pub(super) async fn run(at: &str, zones: &[String], cx: &Context) -> Result<Exit, CliError> {
    let at = past("--at", at, cx.now())?;
    let scratch = tempfile::tempdir_in(environment::scratch_dir()).map_err(|error| unwritable(&error))?;
    let wanted: Vec<&'static Family> = families().filter(|family| family.retired.is_none()).collect();
    let live = Live::connect(cx, wanted, Wanted::of(zones)).await?;
    live.tell(cx);
    let mut capture = Capture::open(scratch.path(), live.subject(), live.families(), cx.now())?;
    let swept = live.sweep(cx, &mut capture).await?;
    let manifest = capture.finish(&swept, live.zones.clone(), cx.now())?;
    let dir = if manifest.partial.is_some() { scratch.path().join(PARTIAL) } else { scratch.path().to_owned() };
    let mut gaps = BTreeSet::new();
    let audit =
        look("cloudflare.audit.collect", json!({ "since": at, "lookback": "1m" }), &live, cx, &mut gaps).await?;
    let with = json!({
        "at": at, "snapshot": dir, "events": audit["events"], "log_complete": audit["complete"],
        "families": live.families().iter().map(|family| family.name).collect::<Vec<_>>(),
    });
    let seen = look("cloudflare.diff", with, &live, cx, &mut gaps).await?;
    let seen = Output::deserialize(seen).map_err(|error| failed(&StepError::new(error.to_string())))?;
    let gaps: Vec<Gap> = gaps.into_iter().collect();
    if cx.json {
        output::document(&json!({
            "schema": "quell.baseline.rewound/1", "account": manifest.account, "api": manifest.api, "at": at,
            "partial": manifest.partial, "differences": seen.differences, "tally": seen.tally,
            "log_complete": !seen.unsure, "gaps": gaps,
        }))?;
    } else {
        output::write(&page(&seen, &gaps, &cx.screen.style()))?;
    }
    Ok(match (swept.stopped, gaps.is_empty()) {
        (Some(Stopped::Interrupted), _) => Exit::Interrupted,
        (_, false) => Exit::Gaps,
        (_, true) => Exit::Done,
    })
}

/// What an action of the catalogue sees. It keeps nothing.
async fn look(id: &str, with: Value, live: &Live, cx: &Context, gaps: &mut BTreeSet<Gap>) -> Result<Value, CliError> {
    let Some(action) = CATALOGUE.get(id) else { return Err(failed(&StepError::new(format!("there is no `{id}`")))) };
    let (path, safeguards) = (StepPath::step("diff"), cx.settings.safeguards());
    let evidence = Unkept::new(Arc::new(Redactor::new([0; 32])));
    let look = Look::new(live.read(), &Rehearsed, &evidence, &*cx.clock, &*cx.screen, &safeguards, &path);
    let seen = tokio::select! {
        seen = action.plan(with, &look) => seen.map_err(|error| failed(&error))?,
        () = cx.interrupt.raised() => return Err(failed(&StepError::new("it was interrupted"))),
    };
    gaps.extend(seen.gaps);
    gaps.extend(look.finish().gaps);
    cx.screen.clear();
    Ok(seen.output)
}

fn failed(error: &StepError) -> CliError {
    let hint = error.hint.clone().unwrap_or_else(|| "run it again; nothing was changed".to_owned());
    CliError::new(Exit::Usage, "not_rewound", "the account cannot be rewound").because(error).hint(hint)
}

fn page(seen: &Output, gaps: &[Gap], style: &Style) -> String {
    let (mut text, mut last) = (String::new(), "");
    for row in &seen.differences {
        let Some(family) = family(&row.family) else { continue };
        if last != family.name {
            text.push_str(&(style.heading(family.title) + "\n"));
            last = family.name;
        }
        text.push_str(&difference_text(family, &difference(row), style));
        let words = [known(row), by(row)].join("; ");
        text.push_str(
            &(wrap(&style.show(&words), style.columns(), "             ", "               ").join("\n") + "\n"),
        );
    }
    let number = |change| seen.differences.iter().filter(|row| row.change == change).count();
    let (added, removed, changed) = (number(Change::Added), number(Change::Removed), number(Change::Changed));
    let sum = format!("{added} added, {removed} removed, {changed} changed since {}", seen.with);
    text.push_str(&(wrap(&style.show(&sum), style.columns(), "", "  ").join("\n") + "\n"));
    for gap in gaps {
        text.push_str(&(gap_line(gap, style) + "\n"));
    }
    text
}

/// How well it is known what it was.
fn known(row: &Row) -> String {
    let why = row.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    format!("what it was: {}{why}", row.certainty.as_str())
}

fn by(row: &Row) -> String {
    let actor = &row.actor;
    let who = [&actor.token_name, &actor.email, &actor.token_id].into_iter().flatten().next();
    let Some(at) = row.at else { return "no log says by whom".to_owned() };
    let from = actor.ip.as_ref().map(|ip| format!(" from {ip}")).unwrap_or_default();
    format!("last by {}{from} at {}", who.map_or("somebody", String::as_str), at.strftime("%F %H:%M:%SZ"))
}

/// What differs, as the comparison of two baselines has it.
fn difference(row: &Row) -> Difference {
    let item = |value: &Option<Value>| Item {
        seat: Seat { name: row.seat.clone(), zone_id: None, parent: None },
        key: Vec::new(),
        id: row.id.clone(),
        created: None,
        modified: None,
        value: value.clone().unwrap_or_default(),
    };
    let before = (row.change != Change::Added).then(|| item(&row.before));
    let after = (row.change != Change::Removed).then(|| item(&row.after));
    Difference { family: row.family.clone(), before, after }
}
