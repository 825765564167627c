//! `cloudflare.tokens.rotate`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::action::{Action, ActionSpec, Done, Estimate, Look, Permission, Receipt, StepError, StepPlan};
use crate::cloudflare::api::{classify, parse_result};
use crate::cloudflare::tokens::{
    Found, Provisioner, Token, TokenRef, ZoneNames, find, invisible, is_spared, list, not_dealt_with, proven, unique,
};
use crate::model::{Call, Danger, Effect, EffectKey, HttpCall, Outcome, Radius, Verdict, count};
use crate::provider::Answer;

/// `cloudflare.tokens.rotate`.
#[derive(Debug, Clone, Copy)]
pub struct TokensRotate;

/// Parameters of `cloudflare.tokens.rotate`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The tokens to choose from: `rotatable` of `cloudflare.tokens.inventory`, which leaves out what the intruder made
    /// or widened.
    pub tokens: Vec<TokenRef>,
    /// Tokens that must not be rotated: those that the intruder made or changed. A roll would keep their rights.
    #[serde(default)]
    pub exclude: Vec<TokenRef>,
    /// Offer the token that quell is acting with too, as the last row. The run must go on with another one after that.
    #[serde(default)]
    pub include_own: bool,
}

/// Output of `cloudflare.tokens.rotate`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Tokens whose secret is new.
    pub rotated: Vec<TokenRef>,
    /// Tokens that were given to somebody for later.
    pub later: Vec<TokenRef>,
    /// Tokens that were not rotated, each with its owner or reason.
    pub left: Vec<NotRotated>,
}

/// A token that was not rotated.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct NotRotated {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who does it later, or why it stays.
    pub reason: String,
}

impl Action for TokensRotate {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.tokens.rotate",
        version: 1,
        summary: "Give chosen tokens a new secret, sealed before anything else is done with it",
        docs: "Each chosen token is rolled: the old secret dies at once, id, name and rights stay. The new secret is shown by \
               the API once; it goes into the incident's vault before it is read, and `quell secrets` opens it. Rows start \
               unselected, and each row that is not chosen gets an owner or a reason.\n\nA roll keeps the rights: a token \
               that the intruder widened stays wide, so those are not offered. A roll cannot be read back with certainty; \
               after a lost answer a person decides, and rolling again is safe for the account but breaks the consumers \
               once more. What quell.toml names under `break_glass` is not offered.",
        verb: "rotate",
        max_danger: Danger::Disruptive,
        permissions: &[
            Permission { group: "API Tokens Write", write: true },
            Permission { group: "Account API Tokens Write", write: true },
        ],
        example: "tokens = [{ id = \"8a186ff66f91651bf74db1820580a0ef\" }]\n",
        settling: Duration::from_secs(10),
        estimate: Estimate { fixed: 20, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        if params.tokens.is_empty() {
            return Ok(StepPlan::seen(Output::default(), "there is no token to rotate"));
        }
        let seen = list(look).await?;
        let own = look.provider().credential().id.as_deref();
        let zones = ZoneNames::of(look, params.tokens.iter().filter_map(|wanted| seen.get(&wanted.id))).await;
        let mut plan = StepPlan { account_for_rest: true, ..StepPlan::seen(Output::default(), "") };
        let mut own_row = None;
        for wanted in unique(params.tokens) {
            if params.exclude.iter().any(|excluded| excluded.id == wanted.id) {
                let reason = "the intruder made or changed it: a roll would keep what it may do; delete it, or put its \
                              policies back first";
                let name = wanted.label().to_owned();
                plan.output.left.push(NotRotated { id: wanted.id, name, reason: reason.to_owned() });
                continue;
            }
            if is_spared(look, &seen, &wanted) {
                let reason = "quell.toml names it under `break_glass`: never to be touched".to_owned();
                let name = wanted.label().to_owned();
                plan.output.left.push(NotRotated { id: wanted.id, name, reason });
                continue;
            }
            let is_own = Some(wanted.id.as_str()) == own;
            match seen.get(&wanted.id) {
                Some(token) if is_own && params.include_own => {
                    own_row = Some(effect(look, token, &seen.tokens, true, &zones));
                }
                Some(token) if is_own => {
                    let reason = "quell is acting with it: rotate it last, with another credential".to_owned();
                    plan.output.left.push(NotRotated { id: token.id.clone(), name: token.name.clone(), reason });
                }
                Some(token) if token.status == "active" => {
                    plan.effects.push(effect(look, token, &seen.tokens, false, &zones));
                }
                Some(token) => plan.already.push((seen.own_name(&wanted), format!("its status is {}", token.status))),
                None if seen.is_gone(&wanted.id, wanted.owner.as_deref()) => {
                    plan.already.push((seen.own_name(&wanted), "it is gone".to_owned()));
                }
                None => plan.gaps.push(invisible(&seen, &wanted)),
            }
        }
        plan.effects.extend(own_row);
        plan.summary = format!("{} to choose from", count(plan.effects.len(), "token"));
        plan.summary.push_str(&not_dealt_with(&plan.gaps, 0, "rotated"));
        Ok(plan)
    }

    fn settle(_effect: &Effect, answer: &Answer) -> Receipt {
        let outcome = classify(answer);
        if outcome != Outcome::Applied {
            return Receipt { outcome, detail: Value::Null };
        }
        // The new secret stays in the vault; only its length is told.
        match parse_result(answer).as_ref().and_then(Value::as_str) {
            Some(secret) if !secret.is_empty() => {
                Receipt { outcome, detail: json!({ "characters": secret.chars().count() }) }
            }
            _ => {
                Receipt { outcome: Outcome::Unknown("the answer holds no new secret".to_owned()), detail: Value::Null }
            }
        }
    }

    async fn verify<'a>(effect: &'a Effect, receipt: Option<&'a Value>, look: &'a Look<'a>) -> Verdict {
        if receipt.is_none() {
            // Documented nowhere: whether a roll moves `modified_on` at once. It must not settle a doubt.
            return Verdict::CannotTell(
                "a roll cannot be read back; if it happened, the new secret is lost. Rolling again is safe for the account \
                 and breaks the token's consumers once more"
                    .to_owned(),
            );
        }
        match find(look, effect).await {
            Found::Gone => Verdict::DoesNotHold("the token is gone".to_owned()),
            Found::Unseen(why) => Verdict::CannotTell(why),
            Found::There(token) if token.status != "active" => {
                Verdict::DoesNotHold(format!("the token is {}", token.status))
            }
            Found::There(token) => match (token.modified_on, effect.before["modified_on"].as_str()) {
                (Some(now), Some(before)) if now.to_string() != before => {
                    proven(look, effect, format!("read back: the token was changed at {now}, and is active")).await
                }
                _ => Verdict::CannotTell(
                    "the API gave a new secret, and nothing else that can be read tells of it".to_owned(),
                ),
            },
        }
    }

    fn conclude(mut output: Output, done: &Done) -> Output {
        for ended in &done.effects {
            let target = &ended.effect.target;
            let token = TokenRef::of(&ended.effect);
            match &ended.left {
                None if ended.applied => output.rotated.push(token),
                left => {
                    let reason = left.clone().unwrap_or_else(|| "it was not done".to_owned());
                    if reason.starts_with("later") {
                        output.later.push(token);
                    }
                    output.left.push(NotRotated { id: target.id.clone(), name: target.name.clone(), reason });
                }
            }
        }
        output
    }
}

fn effect(look: &Look<'_>, token: &Token, all: &[Token], own: bool, zones: &ZoneNames) -> Effect {
    let mut before = token.image();
    before["modified_on"] = json!(token.modified_on.map(|at| at.to_string()));
    let mut consequences = vec![format!("it was last used: {}", token.last_use())];
    if own {
        consequences.push("this is the token that quell is acting with: the run cannot go on with it".to_owned());
    }
    let expires = token.expires_on.map_or_else(|| "never".to_owned(), |at| at.strftime("%F").to_string());
    let facts = [("last used", token.last_use()), ("status", token.status.clone()), ("expires", expires)];
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value));
    Effect {
        key: EffectKey::derive(look.path.as_str(), TokensRotate::SPEC.id, "token", &token.id),
        action: TokensRotate::SPEC.id.to_owned(),
        target: token.target(all),
        summary: format!("rotate token {}", token.name),
        danger: Danger::Disruptive,
        call: Call::Http(HttpCall {
            method: "PUT".to_owned(),
            path: format!("{}/value", token.path(look.account())),
            body: Some(json!({})),
            secret_answer: true,
        }),
        before,
        after: json!({ "secret": "new" }),
        radius: Radius {
            reach: token.reach_in_words(zones, look.safeguards()),
            cut_off: Some("its consumers, until they have the new secret".to_owned()),
            put_back: Some(
                "the old secret cannot be brought back; the new one is in the vault, for its consumers".to_owned(),
            ),
        },
        consequences,
        facts: facts.chain(token.provisioner.as_ref().map(Provisioner::fact)).collect(),
        preselected: false,
        undo: None,
        resolves: None,
    }
}
