use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::catalogue::CATALOGUE;
use super::console::{Style, duration, wrap};
use super::context::Context;
use super::errors::CliError;
use super::exit::Exit;
use super::output;
use super::plan_document::{Needed, PlanDocument, PlannedRunbook};
use super::prompt::{differences, how_many};
use super::run::read_answers;
use super::session::connect::{Target, connect};
use super::session::inputs::{self, Sources};
use super::session::leaked;
use super::session::load::{Loaded, load};
use super::session::open;
use super::session::secrets::Secrets;
use super::session::start::Start;
use super::session::zone_names;
use crate::action::Estimate;
use crate::cloudflare::api::Connected;
use crate::durable;
use crate::engine::{self, DryBench, Prediction};
use crate::escape;
use crate::evidence::Unkept;
use crate::model::{Digest, IncidentId};
use crate::provider::{Lane, Paging, ReadRequest};
use crate::runbook::Templates;
use crate::secret::Redactor;

/// Show what a run would do. Reads only; journals nothing, needs no vault.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Name of a runbook, or path of a file.
    runbook: String,

    /// Value of an input.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,

    /// Prepared inputs; answers to steps are not used.
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,

    /// Zones to narrow the reads to.
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    zones: Vec<String>,

    /// Write the plan as JSON to this file, for `quell run --plan FILE`.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs `quell plan`.
pub(crate) async fn run(args: &PlanArgs, cx: &Context) -> Result<Exit, CliError> {
    let loaded = load(&args.runbook, cx)?;
    loaded.require_accepted(cx)?;
    forecast(cx, &loaded, &args.set, args.answers.as_deref(), &args.zones, args.output.as_deref()).await
}

/// The dry run, for `plan` and for `run --dry-run`.
pub(crate) async fn forecast(
    cx: &Context,
    loaded: &Loaded,
    set: &[String],
    answers: Option<&Path>,
    zones: &[String],
    file: Option<&Path>,
) -> Result<Exit, CliError> {
    let answers = answers.map(|path| read_answers(path, loaded)).transpose()?;
    let mut target = Target::from_environment(cx).await?;
    let connected = connect(cx, &mut target).await?;
    let (start, scenario, secrets) = (&Start::default(), &Map::new(), Secrets::Welcome);
    let sources = Sources { plan: None, set, answers: answers.as_ref(), start, scenario, secrets };
    let mut inputs = inputs::collect(&loaded.runbook, &sources, &connected, &mut target, cx).await?;
    if !zones.is_empty() {
        if !loaded.runbook.inputs.iter().any(|input| input.name == "zones") {
            return Err(CliError::usage(format!(
                "the runbook `{}` has no input `zones` to narrow",
                loaded.runbook.name
            )));
        }
        zone_names::require_of("zones", &json!(zones), &connected).await?;
        inputs.insert("zones".to_owned(), json!(zones));
    }
    show(cx, loaded, &inputs, &target, &connected, zones.len(), file).await
}

/// Looks at every step, prints what it would do, and writes it to `file`. `narrowed`: to how many zones, 0 for all.
pub(crate) async fn show(
    cx: &Context,
    loaded: &Loaded,
    inputs: &Map<String, Value>,
    target: &Target,
    connected: &Connected,
    narrowed: usize,
    file: Option<&Path>,
) -> Result<Exit, CliError> {
    let sealed = open::seal(&IncidentId::new("dry-run"), loaded, inputs, target, connected)?;
    let estimated = estimate(loaded, narrowed, connected).await;
    let account = connected.read.account();
    cx.screen.tell(&format!(
        "dry run: reads only, against {} (account {}, {})",
        target.api(),
        escape::terminal(&account.name),
        account.id
    ));
    cx.screen.tell(&format!(
        "about {} requests, {} at least; the budget of {} in {} is shared with the dashboard of the same user",
        estimated.requests,
        estimated.time(),
        estimated.quota,
        duration(estimated.window),
    ));
    let redactor = std::sync::Arc::new(Redactor::new([0; 32]));
    let evidence = Unkept::new(redactor.clone());
    let (outside, _) = target.outside(cx, &redactor);
    let leaked = leaked::door(target, connected, cx);
    let templates = Templates::new();
    let safeguards = cx.settings.safeguards();
    let bench = DryBench {
        runbook: &loaded.runbook,
        catalogue: CATALOGUE,
        templates: &templates,
        read: &*connected.read,
        leaked: leaked.as_deref(),
        outside: &*outside,
        evidence: &evidence,
        redactor: &redactor,
        safeguards: &safeguards,
        clock: &*cx.clock,
        progress: &*cx.screen,
    };
    let forecast = tokio::select! {
        forecast = engine::forecast(&sealed, &bench) => forecast,
        () = cx.interrupt.raised() => return Ok(Exit::Interrupted),
    };
    let document = PlanDocument {
        schema: String::new(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: cx.now(),
        digest: sealed.digest,
        runbook: PlannedRunbook {
            name: loaded.runbook.name.clone(),
            sha256: loaded.runbook.source.digest.clone(),
            source: loaded.source.clone(),
        },
        nested: sealed
            .nested
            .into_iter()
            .map(|called| PlannedRunbook { name: called.name, sha256: called.sha256, source: called.source })
            .collect(),
        actions: engine::action_versions(&loaded.runbook, CATALOGUE),
        world: connected.read.world().clone(),
        api: target.api(),
        account: account.clone(),
        inputs: sealed.inputs,
        permissions: permissions(loaded),
        requests_estimated: estimated.requests,
        requests: connected.meter.snapshot().reads,
        steps: forecast.steps,
        findings: forecast.findings,
        gaps: forecast.gaps,
        not_examined: sealed.not_examined,
        forecast: Digest::of(b""),
    }
    .sealed();
    if cx.json {
        output::document(&json!(document))?;
    } else {
        output::write(&text(&document, &cx.screen.style()))?;
        output::write(&format!(
            "\nplan digest {}\n  what a run of it is bound to: runbook, inputs, account\n\
             forecast {}\n  all of the above; `run --plan` is approved with its first 8 digits\n",
            document.digest, document.forecast
        ))?;
    }
    if let Some(file) = file {
        durable::replace(file, document.text().as_bytes(), 0o600)
            .map_err(|error| CliError::usage(format!("cannot write the plan {}", file.display())).because(&error))?;
        cx.screen.tell(&format!(
            "kept in {}; `quell run --plan` carries it out, and is approved with {}, the beginning of its forecast",
            file.display(),
            document.code()
        ));
    }
    Ok(if document.gaps.is_empty() { Exit::Done } else { Exit::Gaps })
}

/// Requests that a plan takes, roughly.
struct Estimated {
    requests: u64,
    /// What the API allows, as it tells, or else as it is documented.
    quota: u32,
    window: SignedDuration,
}

impl Estimated {
    /// A sequential read takes a few tenths of a second; beyond the budget, a window for each time that it is spent.
    fn time(&self) -> String {
        let windows = self.requests / u64::from(self.quota.max(1));
        let seconds = self.requests / 4 + windows * self.window.as_secs().unsigned_abs();
        if seconds < 90 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
    }
}

async fn estimate(loaded: &Loaded, narrowed: usize, connected: &Connected) -> Estimated {
    let zones = if narrowed > 0 { narrowed as u64 } else { count_zones(connected).await };
    let takes = |estimate: Estimate| u64::from(estimate.fixed) + u64::from(estimate.per_zone) * zones;
    let specs = loaded.runbook.all_steps().filter_map(|step| CATALOGUE.get(&step.action));
    let requests = specs.map(|action| takes(action.spec().estimate)).sum();
    let budget = connected.read.budget(Lane::Containment);
    let (quota, window) =
        budget.map_or((1200, SignedDuration::from_mins(5)), |budget| (budget.per_window, budget.window));
    Estimated { requests, quota, window }
}

async fn count_zones(connected: &Connected) -> u64 {
    let request = ReadRequest::new("/zones").with("account.id", connected.read.account().id.clone());
    let listed = connected.read.list(&request, Paging::Pages { per_page: 50 }).await;
    listed.map_or(0, |listing| listing.items.len() as u64)
}

/// The permission groups that the runbook needs: to look, and to act.
pub(super) fn permissions(loaded: &Loaded) -> Vec<Needed> {
    let mut groups: Vec<Needed> = loaded
        .runbook
        .all_steps()
        .filter_map(|step| CATALOGUE.get(&step.action))
        .flat_map(|action| action.spec().permissions)
        .map(|permission| Needed { group: permission.group.to_owned(), write: permission.write })
        .collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// What the plan would do, step by step. Ends with a line break.
pub(crate) fn text(plan: &PlanDocument, style: &Style) -> String {
    let mut out = String::new();
    let mut say = |text: &str, first: &str, rest: &str| {
        for line in wrap(&style.show(text), style.columns(), first, rest) {
            let _ = writeln!(out, "{line}");
        }
    };
    for step in &plan.steps {
        let prediction = match step.prediction {
            Prediction::WillChange => "will change",
            Prediction::AlreadySo => "changes nothing",
            Prediction::CannotKnow => "cannot be known yet",
        };
        let condition = match (step.conditional, step.names_incident) {
            (true, _) => ", if its condition is met",
            (false, true) => ", and names the incident",
            (false, false) => "",
        };
        say("", "", "");
        say(&format!("{} ({}): {prediction}{condition}; {}", step.path, step.action, step.danger), "", "  ");
        say(&step.summary, "  ", "  ");
        for (name, proof) in &step.already {
            say(&format!("already so: {name}: {proof}"), "  - ", "      ");
        }
        for (name, why) in &step.not_proposed {
            say(&format!("left out: {name}: {why}"), "  - ", "      ");
        }
        if step.effects.len() > 1 {
            say(&format!("how many: {}", how_many(step.effects.iter().map(|effect| &effect.target))), "  ", "  ");
        }
        for effect in &step.effects {
            let chosen = if effect.preselected { "" } else { " (only if chosen)" };
            say(&format!("{}{chosen}: {}", effect.summary, effect.danger), "  - ", "    ");
            let mut more = |text: &str| say(text, "      ", "        ");
            let call = match (&effect.by_hand, &effect.request, &effect.outside) {
                (Some(instruction), ..) => format!("by hand: {instruction}"),
                (None, Some(request), _) => format!("{} {}", request.method, request.path),
                (None, None, call) => call.clone().unwrap_or_default(),
            };
            more(&call);
            if effect.by_hand.is_none() {
                differences(&effect.before, &effect.after, style).iter().for_each(|change| more(change));
            }
            more(&format!("reaches: {}", effect.reach.as_deref().unwrap_or("not seen")));
            more(&format!("cut off: {}", effect.cut_off.as_deref().unwrap_or("not seen")));
            more(&format!("undo: {}", effect.reversal));
        }
    }
    if !plan.gaps.is_empty() {
        out.push_str("\nnot seen:\n");
        for gap in &plan.gaps {
            let _ = writeln!(
                out,
                "  {} of {}: {}",
                gap.family,
                escape::terminal(&gap.scope),
                escape::terminal(&gap.reason)
            );
        }
    }
    out.push_str("\npermissions that the run needs:\n");
    for permission in &plan.permissions {
        let needed = if permission.write { "to act " } else { "to look" };
        let _ = writeln!(out, "  {needed}  {}", escape::terminal(&permission.group));
    }
    out
}
