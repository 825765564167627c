use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::check::{Check, is_expected, judge};
use super::values::{Harm, UNKNOWN_REACH, check_pointers, pointed, seconds, simulated};
use crate::action::{Action, ActionSpec, Done, Estimate, Look, Receipt, StepError, StepPlan};
use crate::model::{
    Call, Danger, Effect, EffectKey, Given, Outcome, OutsideCall, Radius, Target, Verdict, WebCall, WebRead,
};
use crate::outside::Sight;
use crate::provider::Answer;

/// Seconds, where the step does not say.
const TIMEOUT: u64 = 30;

/// Sends one request to some host.
pub(super) struct Http;

/// Methods of `http`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    /// A read.
    #[default]
    Get,
    /// Changes something.
    Post,
    /// Changes something.
    Put,
    /// Changes something.
    Patch,
    /// Changes something.
    Delete,
}

/// Parameters of `http`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// `GET` reads; `POST`, `PUT`, `PATCH` and `DELETE` change something. `GET` without it.
    #[serde(default)]
    method: Method,
    /// A whole `https://` address (`http://` on loopback only) on an allowed host.
    url: String,
    /// Headers: a text, or `{ secret_env = "NAME" }` for a secret in quell's environment.
    #[serde(default)]
    headers: BTreeMap<String, Given>,
    /// Text is sent as it is, anything else as JSON; `{ secret_env = "NAME" }` in it stands for a secret.
    #[serde(default)]
    body: Value,
    /// How long it may take, like `30s`; thirty seconds without it.
    #[schemars(with = "Option<String>", extend("format" = "length"))]
    timeout: Option<SignedDuration>,
    /// HTTP statuses that say that it was done; any 2xx without it.
    #[serde(default)]
    expect: Vec<u16>,
    /// How much harm it would do if it were wrong; `disruptive` without it. A `GET` does none.
    #[serde(default)]
    danger: Harm,
    /// Values to take from the JSON of the answer: name to JSON pointer.
    #[serde(default)]
    outputs: BTreeMap<String, String>,
    /// How to look whether it took.
    verify: Option<Check>,
}

/// Output of `http`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(super) struct Output {
    /// Whether the answer was one that is expected.
    done: bool,
    /// HTTP status of the answer, where one came.
    status: Option<u16>,
    /// The values that were asked for, by name.
    values: Map<String, Value>,
    /// Names of values that the answer did not have.
    missing: Vec<String>,
    /// In a rehearsal: nothing was sent.
    simulated: bool,
}

impl Action for Http {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "http",
        version: 1,
        summary: "Read from a host, or send it one request",
        docs: "A `GET` is a read: it is made while looking, in a dry run too, and an answer that is not expected fails the \
               step. Everything else is sent once, after consent, and never again by itself. A 5xx, a lost answer, and a \
               2xx that was not expected are in doubt; 429 is provably not done; all else is a refusal. Redirects are not \
               followed. `verify` reads back, also for what is in doubt; without it a change is recorded as not \
               verified.\n\n\
               The host must be allowed on this machine (`QUELL_HTTP_HOSTS`, comma-separated), and is reached by https, \
               through the proxy of the environment. Secrets stand in headers and body as `{ secret_env = \"NAME\" }`: they \
               are read when the request is sent, shown as `«env NAME»`, and masked in all that is kept. `CLOUDFLARE_*` and \
               `QUELL_*` are never handed on. Answers are kept as evidence.\n\n\
               A rehearsal opens no connection; the values that were asked for are the text `simulated`.",
        verb: "send",
        max_danger: Danger::Irreversible,
        permissions: &[],
        example: "url = \"https://status.example.com/api/v2/summary.json\"\noutputs = { state = \"/status/indicator\" }",
        settling: Duration::from_secs(30),
        estimate: Estimate { fixed: 0, per_zone: 0 },
    };

    async fn plan(params: Params, look: &Look<'_>) -> Result<StepPlan<Output>, StepError> {
        check_pointers(params.outputs.values())?;
        let timeout = seconds("timeout", params.timeout, TIMEOUT)?;
        let method = match params.method {
            Method::Get => return read(params, timeout, look).await,
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        };
        change(params, method, timeout, look)
    }

    fn settle(effect: &Effect, answer: &Answer) -> Receipt {
        let Call::Outside(OutsideCall::Web(call)) = &effect.call else {
            return Receipt { outcome: Outcome::Unknown("the effect is no request".to_owned()), detail: Value::Null };
        };
        let outcome = outcome(&call.expect, answer);
        let detail = match answer {
            Answer::Received { status, body, .. } => {
                let (values, missing) = pointed(body.expose(), &call.outputs);
                json!({ "status": status, "values": values, "missing": missing })
            }
            Answer::Simulated(what) => json!({ "simulated": what, "values": simulated(&call.outputs) }),
            Answer::NotSent(_) | Answer::Lost(_) | Answer::CutOff { .. } | Answer::Ended(_) => Value::Null,
        };
        Receipt { outcome, detail }
    }

    async fn verify(effect: &Effect, _receipt: Option<&Value>, look: &Look<'_>) -> Verdict {
        let Call::Outside(OutsideCall::Web(WebCall { verify: Some(check), .. })) = &effect.call else {
            return Verdict::CannotTell("the step has no `verify`".to_owned());
        };
        match look.web(&check.read).await {
            Err(hindrance) => Verdict::CannotTell(hindrance.why),
            Ok(Sight::Simulated) => {
                Verdict::CannotTell("simulated: nothing was sent, so nothing can be seen".to_owned())
            }
            Ok(Sight::Seen { status, body }) => judge(check, status, body.expose()),
        }
    }

    fn conclude(output: Output, done: &Done) -> Output {
        let Some(ended) = done.effects.first() else { return output };
        let receipt = &ended.receipt;
        let missing = receipt["missing"].as_array().into_iter().flatten();
        Output {
            done: ended.applied,
            status: receipt["status"].as_u64().and_then(|status| u16::try_from(status).ok()),
            values: receipt["values"].as_object().cloned().unwrap_or_default(),
            missing: missing.filter_map(Value::as_str).map(str::to_owned).collect(),
            simulated: receipt["simulated"].is_string(),
        }
    }
}

/// What an answer says about what became of a request.
pub(super) fn outcome(expect: &[u16], answer: &Answer) -> Outcome {
    match answer {
        Answer::Received { status, .. } if is_expected(expect, *status) => Outcome::Applied,
        Answer::Received { status: 429, .. } => Outcome::NotSent("HTTP 429: the host turned it away".to_owned()),
        Answer::Received { status: status @ 300..=399, .. } => {
            Outcome::Refused(format!("HTTP {status}: redirects are not followed"))
        }
        Answer::Received { status: status @ (200..=299 | 500..=599), .. } => {
            Outcome::Unknown(format!("HTTP {status}, which is not expected and does not say that nothing was done"))
        }
        Answer::Received { status, .. } => Outcome::Refused(format!("HTTP {status}")),
        Answer::NotSent(why) => Outcome::NotSent(why.clone()),
        Answer::Lost(why) | Answer::CutOff { why, .. } => Outcome::Unknown(why.clone()),
        Answer::Simulated(_) => Outcome::Applied,
        Answer::Ended(_) => Outcome::Unknown("a command answered for a host".to_owned()),
    }
}

async fn read(params: Params, timeout: u64, look: &Look<'_>) -> Result<StepPlan<Output>, StepError> {
    if !params.body.is_null() || params.verify.is_some() {
        return Err(StepError::new("a `GET` has neither `body` nor `verify`").hint("did you mean `method = \"POST\"`?"));
    }
    let read = WebRead { url: params.url, headers: params.headers, timeout };
    Ok(match look.web(&read).await? {
        Sight::Simulated => {
            let values = simulated(&params.outputs);
            let output = Output { done: true, values, simulated: true, ..Output::default() };
            StepPlan::seen(output, format!("simulated: would have read {}", read.url))
        }
        Sight::Seen { status, .. } if !is_expected(&params.expect, status) => {
            return Err(StepError::new(format!("{} answers with HTTP {status}", read.url))
                .hint("the answer is in the evidence; name the status in `expect` if it is right"));
        }
        Sight::Seen { status, body } => {
            let (values, missing) = pointed(body.expose(), &params.outputs);
            let mut summary = format!("{} answers with HTTP {status}", read.url);
            if !missing.is_empty() {
                summary = format!("{summary}, without {}", missing.join(", "));
            }
            StepPlan::seen(Output { done: true, status: Some(status), values, missing, simulated: false }, summary)
        }
    })
}

fn change(params: Params, method: &str, timeout: u64, look: &Look<'_>) -> Result<StepPlan<Output>, StepError> {
    let verify = params.verify.map(|check| check.made(timeout)).transpose()?;
    let consequences = match &verify {
        Some(check) => format!("afterwards {} is read to see whether it took", check.read.url),
        None => "the step has no `verify`: quell cannot look whether it took".to_owned(),
    };
    let call = OutsideCall::Web(WebCall {
        method: method.to_owned(),
        url: Given::Text(params.url.clone()),
        headers: params.headers,
        body: params.body,
        timeout,
        expect: params.expect,
        outputs: params.outputs,
        verify: verify.map(Box::new),
        best_effort: false,
    });
    look.outside().check(&call)?;
    let line = call.to_string();
    let effect = Effect {
        key: EffectKey::derive(look.path.as_str(), Http::SPEC.id, "request", &line),
        action: Http::SPEC.id.to_owned(),
        target: Target { kind: "request".to_owned(), id: params.url, name: line.clone(), ambiguous: false },
        summary: format!("send {line}"),
        danger: params.danger.into(),
        call: Call::Outside(call),
        before: Value::Null,
        after: Value::Null,
        radius: Radius::default(),
        consequences: vec![UNKNOWN_REACH.to_owned(), consequences],
        facts: Vec::new(),
        preselected: true,
        undo: None,
        resolves: None,
    };
    let summary = format!("would send {line}; what the host answers is not known before");
    Ok(StepPlan { effects: vec![effect], ..StepPlan::seen(Output::default(), summary) })
}
