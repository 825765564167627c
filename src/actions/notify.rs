use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::http;
use crate::action::{Action, ActionSpec, Done, Estimate, Look, Receipt, StepError, StepPlan};
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

/// Parameters of `notify`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Who takes it: a Slack-compatible webhook, PagerDuty, or any host that takes JSON.
    service: Service,
    /// `{ secret_env = "NAME" }`: the variable that holds the webhook's address, or PagerDuty's routing key.
    target: SecretEnv,
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
        docs: "Sends one message, after it was shown and you said yes: words that are out cannot be taken back. The webhook's \
               address, or PagerDuty's routing key, is named by environment variable, shown as `«env NAME»`, and masked in \
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
        let service = match params.service {
            Service::Slack => "slack",
            Service::Pagerduty => "pagerduty",
            Service::Json => "json",
        };
        let variable = params.target.secret_env.clone();
        let name = format!("{service} («env {variable}»)");
        let message = params.message.clone();
        let call = OutsideCall::Web(call(params, look.path.as_str()));
        if let Err(hindrance) = look.outside().check(&call) {
            let reason = format!("not delivered: {}; {}", hindrance.why, hindrance.hint);
            let scope = format!("notification {name}");
            look.gap(Gap { family: "notifications".to_owned(), scope, reason: reason.clone(), permission: None });
            return Ok(StepPlan::seen(Output { delivered: "no".to_owned() }, reason));
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

fn call(params: Params, step: &str) -> WebCall {
    let target = params.target;
    let (url, body) = match params.service {
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
