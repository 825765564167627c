use std::path::Path;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::output;
use super::session::connect::{Target, connect};
use crate::cloudflare::actions::{audit_analyse, audit_collect, hunt as hunting, tokens_inventory};
use crate::hunt::Principal;
use crate::hunt::snapshot::Snapshot;
use crate::hunt::usage::{Kind, Usage};
use crate::runbook::InputType;

mod looks;
mod page;
mod subject;
mod watch;

use looks::{Looks, Missed};

/// Hunt for what an intruder did and left, outside of any incident. Reads only, and keeps nothing.
///
/// Reads both audit logs and every kind of resource, and says of each technique whether it is confirmed, ruled out, or
/// cannot be known. Findings do not change the exit code; what could not be seen does (16). With `--watch` it reads the
/// audit logs again and again instead; an alert makes the exit code 12.
#[derive(Debug, Args)]
pub(crate) struct HuntArgs {
    /// Start of the window: `2026-11-23 14:05Z`, `9h ago`; seven days ago where it is not given. A watch begins now.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// End of the window; now where it is not given.
    #[arg(long, value_name = "TIME", conflicts_with = "watch")]
    until: Option<String>,

    /// Token that leaked, by id or name. Without it nobody is blamed: what was done by tokens that were used in a new way
    /// is shown, and whose doing it is stays open.
    #[arg(long, value_name = "TOKEN", conflicts_with = "watch")]
    suspect: Option<String>,

    /// Zones to narrow it to, by name or id; what belongs to the account is read all the same.
    #[arg(long, value_delimiter = ',', value_name = "A,B", conflicts_with = "watch")]
    zones: Vec<String>,

    /// Families to narrow it to; what is not read is not ruled out.
    #[arg(long, value_delimiter = ',', value_name = "FAMILY,…", conflicts_with = "watch")]
    only: Vec<String>,

    /// Directory of a baseline (`quell baseline capture`) from before the window: what differs from it is found even where no
    /// log tells of it.
    #[arg(long, value_name = "DIR", conflicts_with = "watch")]
    baseline: Option<String>,

    /// An incident whose journal says which acts are quell's own, which token is the suspect, and which were cut when.
    #[arg(long, value_name = "INCIDENT")]
    incident: Option<String>,

    /// Read the audit logs again and again, and wake somebody when what was cut acts, or something that nothing explains.
    #[arg(long)]
    watch: bool,

    #[command(flatten)]
    watching: watch::WatchArgs,
}

/// Runs `quell hunt`.
pub(crate) async fn run(args: &HuntArgs, cx: &Context) -> Result<Exit, CliError> {
    let since = moment("--since", args.since.as_deref(), cx)?;
    let until = moment("--until", args.until.as_deref(), cx)?;
    if let (Some(since), Some(until)) = (since, until)
        && until <= since
    {
        return Err(CliError::usage("the window ends before it begins: `--until` must lie after `--since`"));
    }
    // That it is none is said before anything is asked for.
    args.baseline.as_deref().map(Path::new).map(Snapshot::open).transpose()?;
    let incident = args.incident.as_deref().map(|id| subject::incident(id, cx)).transpose()?;
    let mut target = Target::from_environment(cx).await?;
    if let Some(incident) = &incident {
        subject::require_same_world(incident, &target)?;
    }
    let connected = connect(cx, &mut target).await?;
    if let Some(incident) = &incident {
        subject::require_same_account(incident, &connected.account)?;
    }
    let account = &connected.account;
    cx.screen.tell(&format!("reads only, against {} (account {}, {})", target.api(), account.name, account.id));
    let (cut, suspect) = match &incident {
        Some(incident) => (subject::cut(incident), subject::suspect(incident)),
        None => (Vec::new(), None),
    };
    let looks = Looks::new(cx, &target, connected, incident);
    if args.watch {
        return watch::run(&args.watching, since, cut, looks, cx).await;
    }
    let suspect = args.suspect.clone().or(suspect);
    match hunt(args, since, until, suspect.as_deref(), looks, cx).await? {
        Ok(exit) => Ok(exit),
        Err((missed, doing)) => missed.end(doing),
    }
}

/// What a hunt brought.
struct Hunted {
    suspect: Option<String>,
    log: audit_collect::Output,
    analysis: audit_analyse::Output,
    hunt: hunting::Output,
    summaries: Vec<String>,
}

type Ended = Result<Exit, (Missed, &'static str)>;

async fn hunt(
    args: &HuntArgs,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    suspect: Option<&str>,
    mut looks: Looks<'_>,
    cx: &Context,
) -> Result<Ended, CliError> {
    let began = cx.now();
    let with = json!({ "since": since, "before": until });
    let (log, told) = match looks.look::<audit_collect::Output>("cloudflare.audit.collect", with).await {
        Ok(read) => read,
        Err(missed) => return Ok(Err((missed, "read the audit logs"))),
    };
    let mut summaries = vec![format!("audit logs: {told}")];
    cx.screen.tell(&summaries[0]);
    let mut principals: Vec<Principal> = Vec::new();
    if let Some(suspect) = suspect {
        let with = json!({
            "suspect": suspect, "since": log.since, "events": log.events, "seen_before": log.seen_before,
        });
        let listed = looks.look::<tokens_inventory::Output>("cloudflare.tokens.inventory", with).await;
        let (inventory, told) = match listed {
            Ok(read) => read,
            Err(missed) => return Ok(Err((missed, "list the tokens"))),
        };
        // Typed here it can be typed anew; what a run was told stays, and the hunt goes on without it.
        if let Some(unheard) = inventory.unheard.filter(|_| args.suspect.is_some()) {
            let error =
                CliError::usage(format!("neither the lists of tokens nor the log has a token `{}`", unheard.name));
            return Err(match unheard.near {
                Some(near) => error.hint(format!("did you mean `{}` ({})?", near.name, near.id)),
                None => error.hint("give its id, or leave `--suspect` out: then whatever nothing explains is hunted"),
            });
        }
        summaries.push(format!("tokens: {told}"));
        // What it found of tokens, the hunt finds as well.
        looks.findings.clear();
        principals = inventory.principals;
    }
    let with = json!({
        "events": log.events, "seen_before": log.seen_before, "reach": log.reach, "since": log.since,
        "before": log.before, "log_complete": log.complete, "principals": principals,
    });
    let (analysis, told) = match looks.look::<audit_analyse::Output>("cloudflare.audit.analyse", with).await {
        Ok(read) => read,
        Err(missed) => return Ok(Err((missed, "go through the audit logs"))),
    };
    summaries.push(format!("credentials: {told}"));
    if suspect.is_none() {
        principals = analysis.usages.iter().filter(|usage| usage.unexplained).filter_map(doubtful).collect();
    }
    let with = json!({
        "since": log.since, "events": log.events, "log_complete": log.complete, "principals": principals,
        "zones": args.zones, "families": args.only, "baseline": args.baseline,
    });
    let (hunt, told) = match looks.look::<hunting::Output>("cloudflare.hunt", with).await {
        Ok(read) => read,
        Err(missed) => return Ok(Err((missed, "hunt"))),
    };
    summaries.push(told);
    let hunted = Hunted { suspect: suspect.map(str::to_owned), log, analysis, hunt, summaries };
    if cx.json {
        let mut document = page::document(&hunted, &looks);
        document["seconds"] = json!(cx.now().duration_since(began).as_secs());
        output::document(&looks.masked(document))?;
    } else {
        output::write(&looks.masked_text(&page::text(&hunted, &looks, &cx.screen.style())))?;
    }
    Ok(Ok(if looks.gaps.is_empty() { Exit::Done } else { Exit::Gaps }))
}

/// A token that was used in a new way: as long as nobody says who it was, its acts are neither the intruder's nor somebody
/// else's.
fn doubtful(usage: &Usage) -> Option<Principal> {
    let at = |unexplained: bool| {
        let places = usage.places.iter().filter(|place| place.unexplained == unexplained);
        places.filter_map(|place| place.ip.clone()).collect()
    };
    (usage.kind == Kind::Token).then(|| Principal {
        token_id: usage.id.clone(),
        token_name: usage.name.clone(),
        intruder_made: false,
        honest_ips: at(false),
        hostile_ips: Vec::new(),
        mixed_ips: Vec::new(),
        open_ips: at(true),
        let_in: Vec::new(),
    })
}

/// A moment as somebody types it.
fn moment(option: &str, text: Option<&str>, cx: &Context) -> Result<Option<Timestamp>, CliError> {
    let Some(text) = text else { return Ok(None) };
    let value: Result<Value, String> = InputType::Timestamp.parse(text, cx.now());
    let value = value.map_err(|why| CliError::usage(format!("`{option}` cannot be `{text}`: {why}")))?;
    let at: Option<Timestamp> = value.as_str().and_then(|at| at.parse().ok());
    match at {
        Some(at) if at > cx.now() => {
            Err(CliError::usage(format!("`{option}` cannot be `{text}`: it lies in the future")))
        }
        at => Ok(at),
    }
}
