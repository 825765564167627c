//! `cloudflare.token.disable`.

use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Action, ActionSpec, Done, Estimate, Look, Permission, Receipt, StepError, StepPlan};
use crate::cloudflare::api::classify;
use crate::cloudflare::tokens::{Found, Token, TokenRef, find, invisible, list, refuse_own};
use crate::model::{Call, Danger, Effect, EffectKey, FindingStatus, HttpCall, Resolves, Verdict};
use crate::provider::Answer;

/// `cloudflare.token.disable`.
#[derive(Debug, Clone, Copy)]
pub struct TokenDisable;

/// Parameters of `cloudflare.token.disable`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The tokens to disable, as `cloudflare.tokens.inventory` names them.
    pub tokens: Vec<TokenRef>,
}

/// Output of `cloudflare.token.disable`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Tokens that are disabled now, or were already.
    pub disabled: Vec<TokenRef>,
    /// Tokens that this credential cannot see.
    pub invisible: Vec<TokenRef>,
}

/// A token used within this time has somebody or something that uses it.
const IN_USE: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Action for TokenDisable {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.token.disable",
        version: 1,
        summary: "Disable tokens, and keep their policies and last use as evidence",
        docs: "Sends the whole token back with `status: disabled`, so that policies, addresses and expiry stay as they are, \
               and reads it again. A disabled token can be enabled again; a deleted one is gone with all that it could tell. \
               Refuses the token that quell is acting with.",
        verb: "disable",
        max_danger: Danger::Disruptive,
        permissions: &[
            Permission { group: "API Tokens Write", write: true },
            Permission { group: "Account API Tokens Write", write: true },
        ],
        example: "tokens = [{ id = \"8a186ff66f91651bf74db1820580a0ef\" }]\n",
        settling: Duration::from_secs(30),
        estimate: Estimate { fixed: 3, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        refuse_own(look, &params.tokens, "disable")?;
        if params.tokens.is_empty() {
            return Ok(StepPlan::seen(Output::default(), "there is no token to disable"));
        }
        let seen = list(look).await?;
        let mut plan = StepPlan::seen(Output::default(), "");
        for wanted in params.tokens {
            match seen.get(&wanted.id) {
                Some(token) if token.status == "active" => {
                    plan.effects.push(effect(look, token, &seen.tokens, &wanted));
                }
                Some(token) => {
                    plan.already.push((token.name.clone(), format!("its status is {}", token.status)));
                    plan.output.disabled.push(wanted);
                }
                None if seen.complete => {
                    plan.already.push((wanted.id.clone(), "it is gone: neither list of tokens has it".to_owned()));
                    plan.output.disabled.push(wanted);
                }
                None => {
                    plan.gaps.push(invisible(&wanted));
                    plan.output.invisible.push(wanted);
                }
            }
        }
        plan.summary = format!("{} to disable, {} dead already", plan.effects.len(), plan.already.len());
        Ok(plan)
    }

    fn settle(_effect: &Effect, answer: &Answer) -> Receipt {
        Receipt { outcome: classify(answer), detail: Value::Null }
    }

    async fn verify<'a>(effect: &'a Effect, _receipt: Option<&'a Value>, look: &'a Look<'a>) -> Verdict {
        let Call::Http(call) = &effect.call else { return Verdict::CannotTell("it was not sent by quell".to_owned()) };
        match find(look, &call.path, &effect.target.id).await {
            Found::Gone => Verdict::Holds("the token is gone: neither list has it".to_owned()),
            Found::Unseen(why) => Verdict::CannotTell(why),
            Found::There(token) if token.status == "active" => {
                Verdict::DoesNotHold("the token is still active".to_owned())
            }
            Found::There(token) => match differing(&effect.before, &token.image()) {
                Some(field) => {
                    Verdict::DoesNotHold(format!("the token is {}, but its `{field}` is not what it was", token.status))
                }
                None => Verdict::Holds(format!("read back: the token is {}, and all else is as it was", token.status)),
            },
        }
    }

    fn conclude(mut output: Output, done: &Done) -> Output {
        let applied = done.effects.iter().filter(|ended| ended.applied);
        output.disabled.extend(applied.map(|ended| TokenRef {
            id: ended.effect.target.id.clone(),
            name: ended.effect.target.name.clone(),
            finding: ended.effect.resolves.as_ref().map(|resolves| resolves.finding.clone()),
            sure: true,
        }));
        output
    }
}

fn effect(look: &Look<'_>, token: &Token, all: &[Token], wanted: &TokenRef) -> Effect {
    let in_use = token.last_used_on.is_some_and(|at| look.now().duration_since(at) < IN_USE);
    let mut after = token.image();
    after["status"] = "disabled".into();
    let consequences = vec![
        if in_use {
            format!("whatever uses it honestly stops at once; it was last used {}", token.last_use())
        } else {
            format!("it was not used lately (last: {})", token.last_use())
        },
        "to put it back: enable it in the dashboard; its policies are kept".to_owned(),
    ];
    Effect {
        key: EffectKey::derive(look.path.as_str(), TokenDisable::SPEC.id, "token", &token.id),
        action: TokenDisable::SPEC.id.to_owned(),
        target: token.target(all),
        summary: format!("disable token {}", token.name),
        danger: if in_use { Danger::Disruptive } else { Danger::Reversible },
        call: Call::Http(HttpCall {
            method: "PUT".to_owned(),
            path: token.path(look.account()),
            body: Some(token.update("disabled")),
            secret_answer: false,
        }),
        before: token.image(),
        after,
        consequences,
        facts: vec![("status".to_owned(), token.status.clone()), ("last used".to_owned(), token.last_use())],
        preselected: wanted.sure,
        undo: None,
        resolves: wanted.finding.clone().map(|finding| Resolves { finding, status: FindingStatus::Contained }),
    }
}

/// The first field besides the status that is not what it was.
fn differing(before: &Value, now: &Value) -> Option<String> {
    let (before, now) = (before.as_object()?, now.as_object()?);
    let fields = before.keys().chain(now.keys()).filter(|field| *field != "status");
    fields.clone().find(|field| before.get(*field) != now.get(*field)).cloned()
}
