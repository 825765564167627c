//! The watch: the audit logs, read again and again.

use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::looks::{Looks, Missed};
use crate::cli::console::{Tone, count, duration, gap_line, wrap};
use crate::cli::context::Context;
use crate::cli::errors::CliError;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cloudflare::actions::audit_collect;
use crate::cloudflare::principals::made;
use crate::hunt::AuditEvent;
use crate::hunt::watch::{Cut, Sighting, Watch, Why};

/// How a watch goes.
#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// How often the logs are read.
    #[arg(long, value_name = "TIME", default_value = "60s", requires = "watch", value_parser = span)]
    every: SignedDuration,

    /// How long it watches; until Ctrl-C where it is not given.
    #[arg(long = "for", value_name = "TIME", requires = "watch", value_parser = span)]
    lasts: Option<SignedDuration>,

    /// What was cut, by the id or name of a token, or by e-mail; repeat for several. Whatever it does wakes you.
    #[arg(long, value_name = "NAME|ID", requires = "watch")]
    cut: Vec<String>,
}

/// So much of the log is read once more at every look: entries arrive late and out of order.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);

/// How far the log reaches is said this often.
const TOLD: SignedDuration = SignedDuration::from_mins(10);

/// So many acts of one look are shown line by line; the rest is counted.
const SHOWN: usize = 50;

fn span(text: &str) -> Result<SignedDuration, String> {
    let span: Result<SignedDuration, _> = text.trim().parse();
    span.ok()
        .filter(SignedDuration::is_positive)
        .ok_or_else(|| "it is no length of time such as `60s` or `2h`".to_owned())
}

/// Watches until its time is over or somebody ends it.
pub(super) async fn run(
    args: &WatchArgs,
    since: Option<Timestamp>,
    mut cut: Vec<Cut>,
    looks: Looks<'_>,
    cx: &Context,
) -> Result<Exit, CliError> {
    // The log has the account's clock, in whole seconds; what is told of it may be early by one.
    let by_account = |at: Timestamp| at.checked_sub(looks.connected.skew.unwrap_or_default()).unwrap_or(at);
    let since = since.unwrap_or_else(|| by_account(cx.now()).min(cx.now()));
    let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
    cut.iter_mut().for_each(|cut| cut.at = by_account(cut.at));
    cut.extend(args.cut.iter().map(|who| Cut { who: who.clone(), at: since, made_by: None }));
    let ends = args.lasts.and_then(|lasts| cx.now().checked_add(lasts).ok());
    let mut watching = Watching { cx, looks, since, watch: None, cut, alerts: Vec::new(), tally: Tally::default() };
    watching.begin(args);
    let interrupted = loop {
        if watching.look().await? {
            break true;
        }
        if ends.is_some_and(|ends| cx.now() >= ends) {
            break false;
        }
        let pause = Duration::try_from(args.every).unwrap_or_default();
        tokio::select! {
            () = cx.clock.sleep(pause) => {}
            () = cx.interrupt.raised() => break true,
        }
    };
    watching.end(interrupted)
}

/// What was counted on the way.
#[derive(Debug, Default)]
struct Tally {
    looks: u64,
    missed: u64,
    others: u64,
    newest: Option<Timestamp>,
    /// When it was last said how far the log reaches.
    told: Option<Timestamp>,
    /// Since when the logs cannot be read.
    blind_since: Option<Timestamp>,
}

struct Watching<'c> {
    cx: &'c Context,
    looks: Looks<'c>,
    since: Timestamp,
    /// Once the logs were read for the first time.
    watch: Option<Watch>,
    cut: Vec<Cut>,
    alerts: Vec<Sighting>,
    tally: Tally,
}

impl Watching<'_> {
    fn begin(&self, args: &WatchArgs) {
        let who: Vec<&str> = self.cut.iter().map(|cut| cut.who.as_str()).collect();
        let cut = if who.is_empty() { String::new() } else { format!("what was cut ({}) and ", who.join(", ")) };
        self.cx.screen.tell(&format!(
            "watching the audit logs every {} for {cut}whatever nothing explains; Ctrl-C ends it",
            duration(args.every),
        ));
    }

    /// Reads the logs once; true where somebody ended it.
    async fn look(&mut self) -> Result<bool, CliError> {
        self.tally.looks += 1;
        let gaps = self.looks.gaps.clone();
        // The first look also learns what was usual; the others need only what may be new.
        let with = match (&self.watch, self.tally.newest) {
            (None, _) => json!({ "since": self.since }),
            (Some(_), newest) => {
                let from = newest.unwrap_or(self.since).checked_sub(OVERLAP).unwrap_or(self.since);
                json!({ "since": from.max(self.since), "lookback": "1s" })
            }
        };
        match self.looks.look::<audit_collect::Output>("cloudflare.audit.collect", with).await {
            Err(Missed::Interrupted) => return Ok(true),
            Err(Missed::Failed(error)) => self.blind(&error.message),
            Ok((log, _)) => {
                self.seeing();
                self.take(log)?;
            }
        }
        let style = self.cx.screen.style();
        for gap in self.looks.gaps.difference(&gaps) {
            self.cx.screen.say(&gap_line(gap, &style));
        }
        Ok(false)
    }

    /// The logs cannot be read: said once, and gone on.
    fn blind(&mut self, why: &str) {
        self.tally.missed += 1;
        if self.tally.blind_since.is_none() {
            self.tally.blind_since = Some(self.cx.now());
            self.cx
                .screen
                .tell(&format!("BLIND: the audit logs cannot be read ({why}); the watch goes on and tries again"));
        }
    }

    fn seeing(&mut self) {
        if let Some(since) = self.tally.blind_since.take() {
            let lasted = duration(self.cx.now().duration_since(since));
            self.cx
                .screen
                .tell(&format!("the audit logs can be read again, after {lasted}; nothing of that time is lost"));
        }
    }

    fn take(&mut self, log: audit_collect::Output) -> Result<(), CliError> {
        let is_first = self.watch.is_none();
        let cut = &self.cut;
        let watch = self.watch.get_or_insert_with(|| Watch::new(self.since, cut.clone(), log.seen_before, made));
        if is_first && !watch.is_comparable() {
            self.cx.screen.tell(
                "the logs have nothing from before the watch: what is new cannot be told, and only what was cut is watched",
            );
        }
        let safeguards = &self.looks.safeguards;
        let watched = watch.watched().len();
        let fresh = watch.take(&log.events, &|ip| safeguards.is_own_address(ip));
        let heirs = watch.watched()[watched..].to_vec();
        self.tally.newest = log.reach.newest.max(self.tally.newest);
        let now = self.cx.now();
        if self.tally.told.is_none_or(|told| now.duration_since(told) >= TOLD)
            || fresh.iter().any(|it| it.why.is_alarm())
        {
            self.tally.told = Some(now);
            let reach = self.tally.newest.map_or_else(
                || "the log is empty so far".to_owned(),
                |at| format!("the log reaches to {}, {} ago", at.strftime("%F %TZ"), duration(now.duration_since(at))),
            );
            self.cx.screen.tell(&reach);
        }
        let (alerts, others): (Vec<_>, Vec<_>) = fresh.into_iter().partition(|sighting| sighting.why.is_alarm());
        self.tally.others += others.len() as u64;
        if !self.cx.json {
            let shown = alerts.iter().take(SHOWN);
            let lines: Vec<String> = shown.map(|sighting| self.line(sighting)).collect::<Result<_, _>>()?;
            lines.iter().try_for_each(|line| output::write(line))?;
            if let Some(more) = alerts.len().checked_sub(SHOWN).filter(|more| *more > 0) {
                output::write(&format!("ALERT  and {more} more at this look\n"))?;
            }
        }
        for heir in heirs {
            let by = heir.made_by.unwrap_or_default();
            self.cx.screen.tell(&format!(
                "{} was made or rolled by {by}, which was cut: it is watched as well; cut it",
                heir.who
            ));
        }
        if !alerts.is_empty() && io::stderr().is_terminal() {
            self.cx.screen.ring();
        }
        self.alerts.extend(alerts);
        Ok(())
    }

    /// An alert, for stdout.
    fn line(&self, sighting: &Sighting) -> Result<String, CliError> {
        if self.cx.jsonl {
            let mut document = json!(sighting);
            document["schema"] = json!("quell.hunt.alert/1");
            return Ok(format!("{}\n", self.looks.masked(document)));
        }
        let style = self.cx.screen.style();
        let text = self.looks.masked_text(&style.show(&words(sighting)));
        let lines = wrap(&text, style.columns(), "ALERT  ", "       ");
        Ok(lines.iter().map(|line| style.paint(Tone::Alarm, line) + "\n").collect())
    }

    fn watched(&self) -> &[Cut] {
        self.watch.as_ref().map_or(&self.cut, Watch::watched)
    }

    fn end(self, interrupted: bool) -> Result<Exit, CliError> {
        let tally = &self.tally;
        let unseen = tally.blind_since.is_some() || self.watch.is_none();
        if self.cx.json {
            let document = json!({
                "schema": "quell.hunt.watch/1", "account": self.looks.connected.account, "since": self.since,
                "until": self.cx.now(), "newest": tally.newest, "looks": tally.looks, "missed": tally.missed,
                "cut": self.watched().iter().map(|cut| json!({ "who": cut.who, "at": cut.at, "made_by": cut.made_by }))
                    .collect::<Vec<_>>(),
                "alerts": self.alerts, "others": tally.others, "blind_at_the_end": unseen, "gaps": self.looks.gaps,
            });
            output::document(&self.looks.masked(document))?;
        } else {
            let by_cut = self.alerts.iter().filter(|alert| matches!(alert.why, Why::Cut | Why::Heir)).count();
            self.cx.screen.tell(&format!(
                "watched for {}: {} by what was cut or made by it, {} that nothing explains, {} by others; {}{}",
                duration(self.cx.now().duration_since(self.since)),
                count(by_cut, "act"),
                self.alerts.len() - by_cut,
                tally.others,
                tally.newest.map_or_else(
                    || "the log was empty".to_owned(),
                    |at| format!("the log reached to {}, what came later may not have arrived", at.strftime("%F %TZ"))
                ),
                if unseen { "; at the end it could NOT be read" } else { "" },
            ));
        }
        Ok(if !self.alerts.is_empty() {
            Exit::Failed
        } else if interrupted {
            Exit::Interrupted
        } else if unseen || !self.looks.gaps.is_empty() {
            Exit::Gaps
        } else {
            Exit::Done
        })
    }
}

/// `03:12:01Z token ci-deploy (0af…) was cut and acts all the same: PATCH /zones/… from 203.0.113.9, curl/8`.
fn words(sighting: &Sighting) -> String {
    let event = &sighting.event;
    let who = match (&event.token_id, &event.email, &event.ip) {
        (Some(id), ..) => format!("token {} ({id})", event.token_name.as_deref().unwrap_or_default()),
        (None, Some(email), _) => format!("{email} by {}", event.context.as_deref().unwrap_or("whatever")),
        (None, None, Some(_)) => "somebody without a name".to_owned(),
        (None, None, None) => "nobody named".to_owned(),
    };
    let why = match sighting.why {
        Why::Cut if event.success => "was cut and acts all the same",
        Why::Cut => "was cut and tries in vain",
        Why::Heir => "was made or rolled by what was cut",
        Why::Unexplained(new) => new.words(),
        Why::Other => "acts",
    };
    let failed = if event.success { "" } else { " (failed)" };
    let from = event.ip.as_deref().map(|ip| format!(" from {ip}")).unwrap_or_default();
    let agent = event.user_agent.as_deref().map(|agent| format!(", {agent}")).unwrap_or_default();
    format!("{} {who}: {why}: {}{failed}{from}{agent}", event.at.strftime("%F %TZ"), deed(event))
}

fn deed(event: &AuditEvent) -> String {
    let zone = event.zone.as_deref().map(|zone| format!(" in {zone}")).unwrap_or_default();
    match (&event.method, event.path()) {
        (Some(method), Some(path)) => format!("{method} {path}{zone}"),
        _ => {
            let of = event.resource_id.as_deref().unwrap_or_default();
            format!("{} {} {of}{zone}", event.action, event.resource_type)
        }
    }
}
