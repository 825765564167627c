//! `cloudflare.token.restore`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::action::{Action, ActionSpec, Done, Estimate, Look, Permission, Receipt, StepError, StepPlan};
use crate::cloudflare::api::classify;
use crate::cloudflare::tokens::{
    Found, Token, TokenRef, ZoneNames, find, full_update, include, invisible, list, refuse_own,
};
use crate::model::{Call, Danger, Effect, EffectKey, FindingStatus, HttpCall, Radius, Resolves, Verdict};
use crate::provider::Answer;

/// `cloudflare.token.restore`.
#[derive(Debug, Clone, Copy)]
pub struct TokenRestore;

/// Parameters of `cloudflare.token.restore`. `quell undo` fills them in from the effect that is to be undone.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The token to put back. Its finding, where it has one, is open again afterwards.
    pub token: TokenRef,
    /// The token as it was before it was changed, and as it is to be again: `status`, `name`, `policies`, and where it
    /// has them `condition`, `not_before`, `expires_on`.
    #[schemars(with = "Map<String, Value>")]
    pub before: Value,
    /// The token as the change left it. If it is not so any more, somebody changed it since, and nothing is sent.
    #[schemars(with = "Map<String, Value>")]
    pub after: Value,
}

/// Output of `cloudflare.token.restore`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Tokens that are as they were before, now or already.
    pub restored: Vec<TokenRef>,
}

/// More of a value than this does not help to see what differs; the evidence has it whole.
const SHOWN: usize = 160;

impl Action for TokenRestore {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.token.restore",
        version: 1,
        summary: "Put a token back as it was before quell changed it",
        docs: "Sends the whole token as a before-image has it (name, policies, addresses, times, status) and reads it again. \
               Looks first: a token that is not as the change left it was changed by somebody since, and then nothing is \
               sent and the difference is shown. Enabling a token again gives access back to everybody who holds its \
               value. `quell undo` makes steps with this action from the journal. Refuses the token that quell is acting \
               with.",
        verb: "restore",
        max_danger: Danger::Disruptive,
        permissions: &[
            Permission { group: "API Tokens Write", write: true },
            Permission { group: "Account API Tokens Write", write: true },
        ],
        example: "token  = { id = \"8a186ff66f91651bf74db1820580a0ef\" }\n\
                  before = { literal = { status = \"active\", name = \"ci\", policies = [] } }\n\
                  after  = { literal = { status = \"disabled\", name = \"ci\", policies = [] } }\n",
        settling: Duration::from_secs(30),
        estimate: Estimate { fixed: 3, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        refuse_own(look, &params.token, "change")?;
        if !matches!(params.before["status"].as_str(), Some("active" | "disabled")) {
            return Err(StepError::new(format!(
                "the token cannot be put back: it was {}, and only `active` and `disabled` can be set",
                params.before["status"]
            )));
        }
        let seen = list(look).await?;
        let wanted = &params.token;
        let Some(token) = seen.get(&wanted.id) else {
            if seen.is_gone(&wanted.id, params.before["owner"].as_str()) {
                return Err(StepError::new("the token is gone, and a deleted token cannot be brought back")
                    .hint("make a new one with the policies of the before-image, which stands in the journal"));
            }
            let summary = "the token is NOT SEEN: nothing is put back; resume with a credential that sees it";
            return Ok(StepPlan { gaps: vec![invisible(&seen, wanted)], ..StepPlan::seen(Output::default(), summary) });
        };
        let mut plan = StepPlan::seen(Output::default(), format!("token {} is to be put back", token.name));
        if token.is_as(&params.before) {
            let proof = format!("read: it is as it was before, status {}", token.status);
            plan.summary = format!("token {} needs nothing: {proof}", token.name);
            if let Some(finding) = &wanted.finding {
                plan.settled_findings.push((finding.clone(), FindingStatus::Open, undone(&proof)));
            }
            plan.already.push((seen.own_name(wanted), proof));
            plan.output.restored.push(params.token);
        } else if token.is_as(&params.after) {
            let zones = ZoneNames::of(look, std::iter::once(token)).await;
            plan.effects.push(effect(look, token, &seen.tokens, &params, &zones));
        } else {
            return Err(conflict(token, &params));
        }
        Ok(plan)
    }

    fn settle(_effect: &Effect, answer: &Answer) -> Receipt {
        Receipt { outcome: classify(answer), detail: Value::Null }
    }

    async fn verify<'a>(effect: &'a Effect, _receipt: Option<&'a Value>, look: &'a Look<'a>) -> Verdict {
        match find(look, effect).await {
            Found::Gone => Verdict::DoesNotHold("the token is gone: the list does not have it".to_owned()),
            Found::Unseen(why) => Verdict::CannotTell(why),
            Found::There(token) if token.is_as(&effect.after) => {
                Verdict::Holds(undone(&format!("read back: the token is {}, as it was before", token.status)))
            }
            Found::There(token) => {
                let field = token.differs_from(&effect.after).unwrap_or("status");
                Verdict::DoesNotHold(format!("the token is {}, and its `{field}` is not what it was", token.status))
            }
        }
    }

    fn conclude(mut output: Output, done: &Done) -> Output {
        let so = done.effects.iter().filter(|ended| ended.is_so());
        so.for_each(|ended| include(&mut output.restored, TokenRef::of(&ended.effect)));
        output
    }
}

/// What the finding is told by: an undo is no containment.
fn undone(proof: &str) -> String {
    format!("undone; {proof}")
}

fn conflict(token: &Token, params: &Params) -> StepError {
    let now = token.image();
    let status = Some("status").filter(|field| params.after[*field] != now[*field]);
    let shown = |image: &Value, field: &str| match image.get(field) {
        None => "nothing".to_owned(),
        Some(value) => value.to_string().chars().take(SHOWN).collect(),
    };
    let changed: Vec<String> = status
        .into_iter()
        .chain(token.differences(&params.after))
        .map(|field| {
            let [before, after, now] = [&params.before, &params.after, &now].map(|image| shown(image, field));
            format!("`{field}` was {before} before, {after} after the change, and is {now} now")
        })
        .collect();
    StepError::new(format!("somebody changed token {} since, so nothing is sent: {}", token.name, changed.join("; ")))
        .hint("find out who and why; then put it back in the dashboard, or leave it: the journal has the before-image")
}

fn effect(look: &Look<'_>, token: &Token, all: &[Token], params: &Params, zones: &ZoneNames) -> Effect {
    let (wanted, enables) = (&params.token, params.before["status"] == "active");
    let mut consequences = Vec::new();
    if enables {
        consequences.push("THIS GIVES ACCESS BACK: whoever holds its value can act with it again at once".to_owned());
        let may: Vec<&str> = token.permissions();
        if !may.is_empty() {
            consequences.push(format!("what it may do: {}", may.join(", ")));
        }
    }
    if let Some(why) = &wanted.why {
        consequences.push(format!("what spoke against it: {why}"));
    }
    if let Some(finding) = &wanted.finding {
        consequences.push(format!("the finding {finding} is open again afterwards"));
    }
    Effect {
        key: EffectKey::derive(look.path.as_str(), TokenRestore::SPEC.id, "token", &token.id),
        action: TokenRestore::SPEC.id.to_owned(),
        target: token.target(all),
        summary: format!("{} token {}", if enables { "enable again" } else { "put back" }, token.name),
        danger: if enables { Danger::Disruptive } else { Danger::Reversible },
        call: Call::Http(HttpCall {
            method: "PUT".to_owned(),
            path: token.path(look.account()),
            body: Some(full_update(&params.before)),
            secret_answer: false,
        }),
        before: token.image(),
        after: params.before.clone(),
        radius: Radius {
            reach: token.reach_in_words(zones, look.safeguards()),
            cut_off: Some("nobody".to_owned()),
            put_back: Some("disable it in the dashboard, or run a step that does".to_owned()),
        },
        consequences,
        facts: vec![("status".to_owned(), token.status.clone()), ("last used".to_owned(), token.last_use())],
        preselected: true,
        undo: None,
        resolves: wanted.finding.clone().map(|finding| Resolves { finding, status: FindingStatus::Open }),
    }
}
