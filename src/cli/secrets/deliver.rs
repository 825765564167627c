mod choice;

use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use super::open::open;
use super::sealed::Later;
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::layout::IncidentDir;
use crate::cli::output;
use crate::cli::session::open::{granted, me};
use crate::cli::vault::VaultDoor;
use crate::engine::Courier;
use crate::journal::{DeliveryState, DriverLock, Journal};
use crate::model::{Outcome, World};
use crate::outside::{Handed, Outside, OutsideLook, OutsideSend, Rehearsed};
use crate::secret::Redactor;
use choice::Parcel;

/// Hand sealed secrets to a sink of `quell.toml`. Needs the vault's passphrase or identity.
///
/// The journal records the intent before and the outcome after. What is delivered already or in doubt is left alone
/// unless `--again` is given, and the first that fails ends it.
#[derive(Debug, Args)]
pub(crate) struct DeliverArgs {
    /// The incident, by the beginning of its id or its directory (without one, the newest that is open, else the newest),
    /// then targets, by id or by key of the effect, as `list` shows them.
    #[arg(value_name = "INCIDENT|TARGET")]
    words: Vec<String>,

    /// Of each target the newest secret that counts.
    #[arg(long)]
    all: bool,

    /// Name of the sink, as in `[sinks.NAME]`.
    #[arg(long, value_name = "SINK")]
    to: String,

    /// Also what is delivered to this sink already, or in doubt: it may then arrive twice.
    #[arg(long)]
    again: bool,

    /// Only say what would go where.
    #[arg(long)]
    dry_run: bool,
}

/// Runs `quell secrets deliver`.
pub(super) async fn run(args: &DeliverArgs, cx: &Context) -> Result<Exit, CliError> {
    cx.settings.require_sound(&cx.screen)?;
    let sink = choice::sink(&args.to, cx)?;
    let (dir, targets) = choice::incident(&args.words, cx)?;
    let found = dir.inspect()?;
    let parcels = choice::choose(&found, &dir, sink, targets, args.all, cx)?;
    if parcels.is_empty() {
        cx.screen.tell("nothing lies in the vault that could be handed over");
    }
    if args.dry_run {
        return forecast(&parcels, args, &dir, cx);
    }
    let redactor = Arc::new(Redactor::new(dir.redaction_key()?));
    let lease = DriverLock::of_deliveries(&dir.path, &me(cx))?;
    let lock = granted(
        lease,
        &format!("secrets of incident {} are being handed over", dir.id),
        "wait for it: what it has handed over is left alone then",
    )?;
    let (mut journal, _) = Journal::open(&dir.path)?;
    choice::refuse_other_place(&parcels, journal.state(), &redactor)?;
    let world = journal.state().world.clone().ok_or_else(|| CliError::usage("the journal names no world"))?;
    let (look, send) = outside(&world, &redactor, cx);
    let door = VaultDoor::new(&dir, cx, world.is_rehearsal());
    let ended = Round { args, cx, door, world, redactor, look, send }.deliver(&parcels, &mut journal).await;
    drop(lock);
    let (rows, exit) = ended?;
    if cx.json {
        output::document(&json!({
            "schema": "quell.delivery/1", "incident": dir.id, "sink": args.to, "dry_run": false, "deliveries": rows,
            "head": journal.head(),
        }))?;
    }
    Ok(exit)
}

/// What would go where. Opens nothing and writes nothing.
fn forecast(parcels: &[Parcel<'_>], args: &DeliverArgs, dir: &IncidentDir, cx: &Context) -> Result<Exit, CliError> {
    if cx.json {
        let rows: Vec<Value> = parcels.iter().map(|parcel| parcel.row(None)).collect();
        output::document(&json!({
            "schema": "quell.delivery/1", "incident": dir.id, "sink": args.to, "dry_run": true, "deliveries": rows,
        }))?;
        return Ok(Exit::Done);
    }
    for parcel in parcels {
        cx.screen.tell(&format!("would hand over {}: {}", parcel.name(), parcel.delivery.way.place()));
    }
    Ok(Exit::Done)
}

/// What lies outside: to look at, and to act on. In a rehearsal nothing real is.
fn outside(world: &World, redactor: &Arc<Redactor>, cx: &Context) -> (Arc<dyn OutsideLook>, Arc<dyn OutsideSend>) {
    if world.is_rehearsal() {
        return (Arc::new(Rehearsed), Arc::new(Rehearsed));
    }
    let variables = cx.environment.variables.clone();
    let outside = Arc::new(Outside::new(world.clone(), Vec::new(), variables, redactor.clone(), cx.clock.clone()));
    (outside.clone(), outside)
}

/// One round of deliveries to one sink.
struct Round<'a> {
    args: &'a DeliverArgs,
    cx: &'a Context,
    door: VaultDoor,
    world: World,
    redactor: Arc<Redactor>,
    look: Arc<dyn OutsideLook>,
    send: Arc<dyn OutsideSend>,
}

/// How the turn of one parcel ended.
struct Turn {
    exit: Exit,
    /// True where the ones after it are not tried.
    is_last: bool,
}

impl Turn {
    const DONE: Self = Self { exit: Exit::Done, is_last: false };

    const fn stop(exit: Exit) -> Self {
        Self { exit, is_last: true }
    }
}

impl Round<'_> {
    /// One parcel after the other, until one fails.
    async fn deliver(&self, parcels: &[Parcel<'_>], journal: &mut Journal) -> Result<(Vec<Value>, Exit), CliError> {
        let (mut rows, mut exit) = (Vec::new(), Exit::Done);
        for parcel in parcels {
            let turn = if self.cx.interrupt.is_raised() {
                Turn::stop(Exit::Interrupted)
            } else {
                let turn = self.turn(parcel, journal).await?;
                rows.push(parcel.row(latest(parcel, journal)));
                turn
            };
            exit = exit.and(turn.exit);
            let left = &parcels[rows.len()..];
            if turn.is_last && !left.is_empty() {
                let names: Vec<String> = left.iter().map(Parcel::name).collect();
                self.cx.screen.tell(&format!("not tried: {}", names.join("; ")));
            }
            if turn.is_last {
                break;
            }
        }
        Ok((rows, exit))
    }

    async fn turn(&self, parcel: &Parcel<'_>, journal: &mut Journal) -> Result<Turn, CliError> {
        let (cx, name, sink) = (self.cx, parcel.name(), &self.args.to);
        let earlier = latest(parcel, journal).cloned();
        if let Some(earlier) = earlier.as_ref().filter(|it| it.is_applied() && !self.args.again) {
            let at = earlier.at.strftime("%F %T UTC");
            cx.screen.tell(&format!(
                "{name}: delivered to `{sink}` already, at {at} by {}; `--again` hands it over once more",
                earlier.by
            ));
            return Ok(Turn::DONE);
        }
        let secret = match open(&self.door, &parcel.sealed).await {
            Ok(secret) => secret,
            // The others may be whole.
            Err(error) if error.code == "no_secret" => {
                cx.screen.say(&format!("{}: {}", cx.screen.style().show(&name), error.text()));
                return Ok(Turn { exit: error.exit, is_last: false });
            }
            Err(error) => return Err(error),
        };
        if parcel.sealed.later == Later::MayBeReplaced {
            cx.screen.tell(&format!("{name}: a later attempt to roll it is in doubt, so this value may be dead"));
        }
        let run = journal.state().run(&parcel.sealed.id.run).map(|run| run.opened.clone());
        let (look, redactor) = (&*self.look, &*self.redactor);
        let mut courier =
            Courier { journal, redactor, look, send: &*self.send, clock: &*cx.clock, stamp: cx.stamp(run.as_ref()) };
        if let Some(earlier) = earlier.filter(DeliveryState::is_in_doubt) {
            match courier.probe(&parcel.delivery, &secret)? {
                Some(Handed { outcome: Outcome::Applied, seen }) => {
                    cx.screen.tell(&format!("{name}: delivered to `{sink}` after all; {seen}"));
                    return Ok(Turn::DONE);
                }
                Some(_) => {}
                None if !self.args.again => {
                    let why = earlier.outcome.as_ref().and_then(Outcome::why).unwrap_or("quell ended meanwhile");
                    cx.screen.tell(&format!(
                        "{name}: in doubt whether it was delivered to `{sink}`: {why}; look there, and if it is not there \
                         give `--again`"
                    ));
                    return Ok(Turn::stop(Exit::InDoubt));
                }
                None if earlier.outcome.is_none() => courier.give_up(&parcel.delivery)?,
                None => {}
            }
        }
        if let Err(hindrance) = look.check_way(&parcel.delivery.way) {
            cx.screen.tell(&format!("{name}: not delivered: {}\nhint: {}", hindrance.why, hindrance.hint));
            return Ok(Turn::stop(Exit::Failed));
        }
        let handed = courier.hand_over(&parcel.delivery, secret, &self.world).await?;
        let why = handed.outcome.why().unwrap_or_default();
        let (text, turn) = match &handed.outcome {
            Outcome::Applied => (format!("delivered to `{sink}`; {}", handed.seen), Turn::DONE),
            Outcome::Refused(_) => (format!("refused by `{sink}`: {why}"), Turn::stop(Exit::Failed)),
            Outcome::NotSent(_) => (format!("not delivered: {why}"), Turn::stop(Exit::Failed)),
            Outcome::Unknown(_) => (format!("in doubt whether `{sink}` has it: {why}"), Turn::stop(Exit::InDoubt)),
        };
        cx.screen.tell(&format!("{name}: {text}"));
        Ok(turn)
    }
}

/// The latest delivery of a parcel to its sink.
fn latest<'j>(parcel: &Parcel<'_>, journal: &'j Journal) -> Option<&'j DeliveryState> {
    let of = journal.state().deliveries.iter();
    of.rev().find(|it| it.secret == parcel.sealed.id && it.sink == parcel.delivery.sink)
}
