use clap::Args;
use serde_json::{Value, json};

use super::console::{Tone, credential, row, wrap};
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::output;
use super::session::connect::{Target, connect};
use super::session::load::load;
use crate::cloudflare::api::{Connected, segment};
use crate::cloudflare::{KINDS, Named, named};
use crate::hunt::probe::{Probe, Probed, probe};
use crate::hunt::sweep::IN_FLIGHT;
use crate::hunt::{Family, Seat};
use crate::secret::may_be_token_value;

mod needs;
mod risks;

pub(crate) use needs::Needs;
use needs::living;

/// Try what this credential can see: one read for every kind of resource. Reads only, and keeps nothing.
///
/// Whether it can write cannot be read: that shows when it is tried. Of a runbook only what its actions read is tried;
/// then what it takes to act is listed, and the tokens to make for `quell plan` and for `quell run`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Name of a runbook, or path of a file.
    runbook: Option<String>,

    /// The token that leaked, by name or id, to see whether the credential is that one.
    #[arg(long, value_name = "TOKEN")]
    suspect: Option<String>,

    /// The zone to try reads of zones on, by name; a crown jewel, or the first, where none is named.
    #[arg(long, value_name = "NAME")]
    zone: Option<String>,
}

/// Runs `quell doctor`.
pub(crate) async fn run(args: &DoctorArgs, cx: &Context) -> Result<Exit, CliError> {
    if args.suspect.as_deref().is_some_and(may_be_token_value) {
        return Err(
            CliError::usage("`--suspect` looks like a secret").hint("give the token's id or name, never its value")
        );
    }
    let needs = match &args.runbook {
        Some(runbook) => {
            let loaded = load(runbook, cx)?;
            loaded.require_accepted(cx)?;
            Some(Needs::of(&loaded))
        }
        None => None,
    };
    let mut target = Target::from_environment(cx).await?;
    let connected = connect(cx, &mut target).await?;
    let zone = zone(args, &connected, cx).await?;
    let asked: Vec<&'static Family> = needs.as_ref().map_or_else(|| living().collect(), Needs::families);
    let probes = probe(&*connected.read, &asked, zone.as_ref(), segment, IN_FLIGHT).await;
    let warnings = risks::risks(&connected, args.suspect.as_deref(), cx).await;
    let refused = probes.iter().filter(|probe| matches!(probe.probed, Probed::Refused { .. })).count();
    if cx.json {
        let mut document = document(&connected, &probes, zone.as_ref(), &warnings);
        if let Some(needs) = &needs {
            document["needs"] = needs.document(&probes);
        }
        output::document(&document)?;
    } else {
        let mut text = page(&connected, &probes, zone.as_ref(), &warnings, cx);
        if let Some(needs) = &needs {
            text.push_str(&needs.page(&probes, &cx.screen.style()));
        }
        output::write(&text)?;
    }
    Ok(if refused == 0 { Exit::Done } else { Exit::Gaps })
}

/// The zone to try on; a named one must be there.
async fn zone(args: &DoctorArgs, connected: &Connected, cx: &Context) -> Result<Option<Seat>, CliError> {
    let mut zones = named(Named::Zones, &*connected.read).await;
    zones.sort();
    let jewels = &cx.settings.config.crown_jewels;
    let found = match &args.zone {
        Some(wanted) => {
            let found = zones.iter().find(|(name, id)| name.eq_ignore_ascii_case(wanted) || id == wanted);
            Some(found.ok_or_else(|| {
                CliError::usage(format!("no zone `{wanted}` among the {} that the credential sees", zones.len()))
            })?)
        }
        None => zones.iter().find(|(name, _)| jewels.contains(name)).or_else(|| zones.first()),
    };
    Ok(found.map(|(name, id)| Seat::zone(id, name)))
}

fn document(connected: &Connected, probes: &[Probe], zone: Option<&Seat>, warnings: &[String]) -> Value {
    let family = |probe: &Probe| {
        let mut row = json!({
            "family": probe.family.name, "title": probe.family.title, "kind": probe.family.kind,
            "permission": probe.family.permission,
        });
        if let (Some(row), Ok(Value::Object(probed))) = (row.as_object_mut(), serde_json::to_value(&probe.probed)) {
            row.extend(probed);
        }
        row
    };
    json!({
        "schema": "quell.doctor/1", "account": connected.read.account(), "credential": connected.read.credential(),
        "zone": zone.map(|zone| &zone.name), "warnings": warnings,
        "families": probes.iter().map(family).collect::<Vec<_>>(),
        "writes": "unknown until tried",
    })
}

fn page(connected: &Connected, probes: &[Probe], zone: Option<&Seat>, warnings: &[String], cx: &Context) -> String {
    let style = cx.screen.style();
    let mut text = String::new();
    let say = |label: &str, tone: Tone, value: &str| row(label, value, tone, &style);
    let account = connected.read.account();
    text.push_str(&say("account", Tone::Faint, &format!("{} ({})", account.name, account.id)));
    text.push_str(&say("acting as", Tone::Faint, &credential(connected.read.credential())));
    text.push_str(&say("zone", Tone::Faint, zone.map_or("none can be seen", |zone| &zone.name)));
    warnings.iter().for_each(|warning| text.push_str(&say("warning", Tone::Care, warning)));
    for kind in KINDS.iter().filter(|kind| kind.is_listed) {
        let of: Vec<&Probe> = probes.iter().filter(|probe| probe.family.kind == kind.name).collect();
        let readable: Vec<&str> =
            of.iter().filter(|probe| probe.probed == Probed::Readable).map(|probe| probe.family.name).collect();
        if of.is_empty() {
            continue;
        }
        text.push_str(&format!("\n{}\n", style.paint(Tone::Strong, kind.name)));
        if !readable.is_empty() {
            text.push_str(&say("reads", Tone::Good, &readable.join(", ")));
        }
        for Probe { family: Family { name, permission, .. }, probed } in of {
            match probed {
                Probed::Readable => {}
                Probed::Refused { gap } => {
                    // No permission helps where the credential is of the wrong kind, or nobody answers.
                    let (label, needs) = match gap.permission {
                        Some(_) => ("REFUSED", format!("needs `{permission}`: ")),
                        None => ("not seen", String::new()),
                    };
                    text.push_str(&say(label, Tone::Care, &format!("{name}: {needs}{}", gap.reason)));
                }
                Probed::Untried { why } => text.push_str(&say("not tried", Tone::Faint, &format!("{name}: {why}"))),
            }
        }
    }
    let with = |is: fn(&Probed) -> bool| probes.iter().filter(|probe| is(&probe.probed)).count();
    let (reads, refused) = (with(|it| matches!(it, Probed::Readable)), with(|it| matches!(it, Probed::Refused { .. })));
    let told = format!(
        "{reads} kinds of resource can be read, {refused} cannot, {} could not be tried. Whether it can write is unknown \
         until tried.",
        probes.len() - reads - refused,
    );
    text.push('\n');
    for line in wrap(&told, style.columns(), "", "") {
        text.push_str(&line);
        text.push('\n');
    }
    text
}
