//! `cloudflare.audit.analyse`.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionSpec, Estimate, Look, StepError, StepPlan};
use crate::cloudflare::audit::credentials::gives;
use crate::cloudflare::audit::limits::limits;
use crate::hunt::usage::{Hours, Kind, Material, Place, Standing, Usage, usages};
use crate::hunt::{AuditEvent, LogReach, Principal, SeenBefore};
use crate::model::{Danger, count};

/// `cloudflare.audit.analyse`.
#[derive(Debug, Clone, Copy)]
pub struct AuditAnalyse;

/// Parameters of `cloudflare.audit.analyse`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Events of the audit log, as `cloudflare.audit.collect` reads them.
    pub events: Vec<AuditEvent>,
    /// Use before the window, as `cloudflare.audit.collect` counts it; without it, nothing can be called new.
    #[serde(default)]
    pub seen_before: Option<Vec<SeenBefore>>,
    /// How far the logs reach, as `cloudflare.audit.collect` says.
    #[serde(default)]
    pub reach: Option<LogReach>,
    /// Start of the window; the first event where it is not given.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// End of the window; now where it is not given.
    #[serde(default)]
    pub before: Option<Timestamp>,
    /// True where both logs of the window were read to their end.
    #[serde(default)]
    pub log_complete: Option<bool>,
    /// What the intruder holds.
    #[serde(default)]
    pub principals: Option<Vec<Principal>>,
    /// When the team works; without it, off-hours are not judged.
    #[serde(default)]
    pub hours: Option<Hours>,
}

/// Output of `cloudflare.audit.analyse`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// How each credential was used, those with something unexplained first.
    pub usages: Vec<Usage>,
    /// Use of global API keys: whatever else leaked, such a key must be changed.
    pub global_keys: Vec<KeyUse>,
    /// True where a credential was used in a new way, and nothing explains it.
    pub any_unexplained: bool,
    /// True where somebody else used the credential that quell acts with.
    pub own_elsewhere: bool,
    /// True where there was something before the window to hold its acts against.
    pub comparable: bool,
    /// True where off-hours were judged.
    pub hours_judged: bool,
    /// What the logs cannot say, in sentences.
    pub limits: Vec<String>,
}

/// A use of somebody's global API key.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct KeyUse {
    /// E-mail of the user.
    pub email: String,
    /// From where, with what, how often.
    pub place: Place,
}

impl Action for AuditAnalyse {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.audit.analyse",
        version: 1,
        summary: "Say of each credential what was new in the window, and what nothing explains",
        docs: "Reads nothing: goes through the events that it is given, credential by credential. Address, program and kind of \
               access are held against the 30 days before the window, or as far as the log reaches. Said are first uses, \
               failed attempts, acts that gave somebody a credential, every use of a global API key, and with `hours` what was \
               done outside of them. Of a credential that the intruder holds and others use honestly it says \
               `shared principal`, with honest and hostile addresses and programs beside each other.\n\nquell's own acts are \
               those that match its requests; an act by its credential that does not is somebody else's. Addresses that \
               quell.toml names as the team's own are explained by that.",
        verb: "analyse",
        max_danger: Danger::Observe,
        permissions: &[],
        example: "events = []\nhours = { days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"], begin = \"08:00\", end = \"19:00\", zone = \"UTC\" }\n",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 0, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let hours = params.hours.as_ref().map(Hours::read).transpose().map_err(|why| {
            StepError::new(why).hint("`hours` has `days`, `begin`, `end` and `zone`; leave it out to judge no hours")
        })?;
        let before = params.seen_before.unwrap_or_default();
        let credential = look.provider().credential();
        let usages = usages(&Material {
            events: &params.events,
            before: &before,
            held: &params.principals.unwrap_or_default(),
            own: credential.id.as_deref().or(credential.owner.as_deref()),
            is_own_address: &|ip| look.safeguards().is_own_address(ip),
            hours: hours.as_ref(),
            gives_credential: gives,
        });
        let first = params.events.iter().map(|event| event.at).min();
        let since = params.since.or(first).unwrap_or_else(|| look.now());
        let (end, complete) = (params.before.unwrap_or_else(|| look.now()), params.log_complete.unwrap_or(true));
        // Empty where the logs were not read: then nothing is known of how far they reach either.
        let reach = params.reach.filter(|reach| *reach != LogReach::default());
        let output = Output {
            global_keys: global_keys(&usages),
            any_unexplained: usages.iter().any(|usage| usage.unexplained),
            own_elsewhere: usages.iter().any(is_elsewhere),
            comparable: !before.is_empty(),
            hours_judged: hours.is_some(),
            limits: reach.map(|reach| limits(&reach, since, end, complete)).unwrap_or_default(),
            usages,
        };
        let summary = summary(&output);
        Ok(StepPlan::seen(output, summary))
    }
}

/// Whether somebody else uses the credential that quell acts with.
fn is_elsewhere(usage: &Usage) -> bool {
    usage.own && usage.places.iter().any(|place| place.standing != Standing::Own && place.unexplained)
}

fn global_keys(usages: &[Usage]) -> Vec<KeyUse> {
    let users = usages.iter().filter(|usage| usage.kind == Kind::User);
    let by_key = |place: &&Place| place.context.as_deref() == Some("api_key");
    let of = |usage: &Usage| {
        let places = usage.places.iter().filter(by_key).cloned();
        places.map(|place| KeyUse { email: usage.id.clone(), place }).collect::<Vec<_>>()
    };
    users.flat_map(of).collect()
}

fn summary(output: &Output) -> String {
    let usages = &output.usages;
    let total = |of: fn(&Usage) -> u64| usages.iter().map(of).sum::<u64>();
    let mut parts = vec![count(usages.len(), "principal")];
    if output.comparable {
        let unexplained = usages.iter().filter(|usage| usage.unexplained).count();
        parts.push(format!("{unexplained} used in a new way that nothing explains"));
    } else {
        parts.push("nothing from before the window to hold them against".to_owned());
    }
    let mut say = |number: u64, one: &str| {
        if number > 0 {
            parts.push(count(usize::try_from(number).unwrap_or(usize::MAX), one));
        }
    };
    say(usages.iter().filter(|usage| usage.shared).count() as u64, "shared principal");
    say(total(|usage| usage.total(|place| place.failed)), "failed attempt");
    say(total(|usage| usage.credential_acts.len() as u64), "credential act");
    say(total(|usage| usage.off_hours.unwrap_or_default()), "off-hours act");
    say(output.global_keys.len() as u64, "global API key use");
    if output.own_elsewhere {
        parts.push("quell's OWN CREDENTIAL is used by somebody else".to_owned());
    }
    parts.join(", ")
}
