use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::http;
use crate::action::{Action, ActionSpec, Done, Estimate, Look, Receipt, StepError, StepPlan};
use crate::config::NotifyKind;
use crate::escape;
use crate::model::{
    Call, Danger, Effect, EffectKey, Gap, Given, Outcome, OutsideCall, Radius, SecretEnv, Target, Verdict, WebCall,
};
use crate::provider::Answer;

/// Seconds. Nobody waits long for a message in an incident.
const TIMEOUT: u64 = 15;

/// Documented: where PagerDuty takes events (Events API v2); `events.eu.pagerduty.com` for accounts in the EU.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

/// Documented: PagerDuty takes no longer summary. Characters.
const PAGERDUTY_SUMMARY: usize = 1024;

/// Sends a message.
pub(super) struct Notify;

/// Parameters of `notify`: either `to`, or `service` and `target`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Whom to tell: NAME of a `[notify.NAME]` section of `quell.toml`, which has service and target.
    to: Option<String>,
    /// Who takes it: a Slack-compatible webhook, PagerDuty, or any host that takes JSON.
    service: Option<Service>,
    /// `{ secret_env = "NAME" }`: the variable that holds the webhook's address, or PagerDuty's routing key.
    target: Option<SecretEnv>,
    /// What to say.
    message: String,
    /// How urgent it is, for PagerDuty; `critical` without it.
    #[serde(default)]
    severity: Severity,
    /// Where PagerDuty is, if not at `https://events.pagerduty.com/v2/enqueue`. Its host must be allowed.
    url: Option<String>,
}

/// Services that take messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Service {
    /// `{"text": …}` to the address.
    Slack,
    /// An event that triggers an incident there.
    Pagerduty,
    /// `{"source": "quell", "step": …, "message": …}` to the address.
    Json,
}

impl Service {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Pagerduty => "pagerduty",
            Self::Json => "json",
        }
    }
}

/// PagerDuty's severities.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Severity {
    /// The most urgent.
    #[default]
    Critical,
    /// Urgent.
    Error,
    /// Less urgent.
    Warning,
    /// Not urgent.
    Info,
}

/// Output of `notify`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(super) struct Output {
    /// `yes`, `no`, `unknown` or `simulated`.
    delivered: String,
}

impl Action for Notify {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "notify",
        version: 1,
        summary: "Send a message to a webhook or to PagerDuty",
        docs: "Sends one message, after it was shown and you said yes: words that are out cannot be taken back. It goes `to` \
               whom `quell.toml` names, or to a `service` and `target` of the runbook's own. The webhook's address, or PagerDuty's routing key, is named by environment variable, shown as `«env NAME»`, and masked in \
               all that is kept. The host of an address in your environment needs no further permission; PagerDuty's must \
               be allowed (`QUELL_HTTP_HOSTS=events.pagerduty.com`).\n\n\
               A message that fails stops nothing: the step ends, and `not delivered: …` stands as a gap in the report. A \
               message of which the answer was lost may have arrived; that is said, and it is never sent again.\n\n\
               For Slack `&`, `<` and `>` are escaped, so that no name in it becomes a link or wakes a channel.",
        verb: "send",
        max_danger: Danger::Reversible,
        permissions: &[],
        example: "service = \"slack\"\ntarget = { secret_env = \"INCIDENT_WEBHOOK\" }\nmessage = \"The token is cut.\"",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 0, per_zone: 0 },
    };

    async fn plan(params: Params, look: &Look<'_>) -> Result<StepPlan<Output>, StepError> {
        let undelivered = |scope: &str, why: String| {
            let reason = format!("not delivered: {why}");
            let scope = format!("notification {scope}");
            look.gap(Gap { family: "notifications".to_owned(), scope, reason: reason.clone(), permission: None });
            Ok(StepPlan::seen(Output { delivered: "no".to_owned() }, reason))
        };
        let (service, target) = match whom(&params, look)? {
            Ok(found) => found,
            Err(why) => return undelivered(params.to.as_deref().unwrap_or_default(), why),
        };
        let variable = target.secret_env.clone();
        let place = format!("{} («env {variable}»)", service.as_str());
        let name = params.to.as_ref().map_or_else(|| place.clone(), |to| format!("{to}: {place}"));
        let message = params.message.clone();
        let call = OutsideCall::Web(call(service, target, params, look.path.as_str()));
        if let Err(hindrance) = look.outside().check(&call) {
            return undelivered(&name, format!("{}; {}", hindrance.why, hindrance.hint));
        }
        let effect = Effect {
            key: EffectKey::derive(look.path.as_str(), Self::SPEC.id, "notification", &name),
            action: Self::SPEC.id.to_owned(),
            target: Target { kind: "notification".to_owned(), id: variable, name: name.clone(), ambiguous: false },
            summary: format!("tell {name}: {message}"),
            danger: Danger::Reversible,
            call: Call::Outside(call),
            before: Value::Null,
            after: Value::Null,
            radius: Radius {
                reach: Some("no zone: nothing in production changes".to_owned()),
                cut_off: Some("nobody".to_owned()),
                put_back: Some("a message that is out stays out".to_owned()),
            },
            consequences: vec!["if it fails, the run goes on and the report says so".to_owned()],
            facts: Vec::new(),
            preselected: true,
            undo: None,
            resolves: None,
        };
        let output = Output { delivered: "unknown".to_owned() };
        Ok(StepPlan { effects: vec![effect], ..StepPlan::seen(output, format!("would tell {name}")) })
    }

    fn settle(_effect: &Effect, answer: &Answer) -> Receipt {
        let outcome = http::outcome(&[], answer);
        let delivered = match (&outcome, answer) {
            (Outcome::Applied, Answer::Simulated(_)) => "simulated",
            (Outcome::Applied, _) => "yes",
            (Outcome::Refused(_) | Outcome::NotSent(_), _) => "no",
            (Outcome::Unknown(_), _) => "unknown",
        };
        Receipt { outcome, detail: json!({ "delivered": delivered }) }
    }

    async fn verify(_effect: &Effect, receipt: Option<&Value>, _look: &Look<'_>) -> Verdict {
        let simulated = receipt.is_some_and(|receipt| receipt["delivered"] == "simulated");
        let why =
            if simulated { "simulated: nothing was sent" } else { "taken; whether anybody reads it cannot be seen" };
        Verdict::CannotTell(why.to_owned())
    }

    fn conclude(output: Output, done: &Done) -> Output {
        let receipt = done.effects.first().and_then(|ended| ended.receipt["delivered"].as_str());
        receipt.map_or(output, |delivered| Output { delivered: delivered.to_owned() })
    }
}

/// Who takes it, and the variable with the address or key. `Err` says why nobody is known by that name: like every message
/// that fails, it stops nothing.
fn whom(params: &Params, look: &Look<'_>) -> Result<Result<(Service, SecretEnv), String>, StepError> {
    match (&params.to, params.service, &params.target) {
        (None, Some(service), Some(target)) => Ok(Ok((service, target.clone()))),
        (Some(name), None, None) => {
            let known = &look.safeguards().notify;
            let Some(found) = known.iter().find(|target| target.name == *name) else {
                let names: Vec<&str> = known.iter().map(|target| target.name.as_str()).collect();
                let there_are =
                    if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
                return Ok(Err(format!("quell.toml has no `[notify.{name}]`; {there_are}")));
            };
            let service = match found.kind {
                NotifyKind::Slack => Service::Slack,
                NotifyKind::Pagerduty => Service::Pagerduty,
                NotifyKind::Json => Service::Json,
            };
            Ok(Ok((service, SecretEnv { secret_env: found.secret_env.clone() })))
        }
        _ => Err(StepError::new("`notify` needs either `to`, or `service` and `target`")
            .hint("`to` names a `[notify.NAME]` section of quell.toml")),
    }
}

fn call(service: Service, target: SecretEnv, params: Params, step: &str) -> WebCall {
    let (url, body) = match service {
        Service::Slack => (Given::Secret(target), json!({ "text": escape::slack(&params.message) })),
        Service::Json => (Given::Secret(target), json!({ "source": "quell", "step": step, "message": params.message })),
        Service::Pagerduty => {
            let summary: String = params.message.chars().take(PAGERDUTY_SUMMARY).collect();
            let body = json!({
                "routing_key": target,
                "event_action": "trigger",
                "payload": { "summary": summary, "source": "quell", "severity": params.severity },
            });
            (Given::Text(params.url.unwrap_or_else(|| PAGERDUTY.to_owned())), body)
        }
    };
    WebCall {
        method: "POST".to_owned(),
        url,
        headers: [].into(),
        body,
        timeout: TIMEOUT,
        expect: Vec::new(),
        outputs: [].into(),
        verify: None,
        best_effort: true,
    }
}
