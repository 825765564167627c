//! `cloudflare.token.revoke`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::action::{Action, ActionSpec, Done, Estimate, Look, Permission, Receipt, StepError, StepPlan};
use crate::cloudflare::api::{classify, says_absent};
use crate::cloudflare::tokens::{
    Found, Provisioner, Token, TokenRef, ZoneNames, find_listed, include, invisible, list, not_dealt_with, proven,
    spare, unique,
};
use crate::model::{Call, Danger, Effect, EffectKey, FindingStatus, HttpCall, Outcome, Radius, Resolves, Verdict};
use crate::provider::Answer;

/// `cloudflare.token.revoke`.
#[derive(Debug, Clone, Copy)]
pub struct TokenRevoke;

/// Parameters of `cloudflare.token.revoke`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The tokens to delete, as `cloudflare.tokens.inventory` names them.
    pub tokens: Vec<TokenRef>,
}

/// Output of `cloudflare.token.revoke`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Tokens that are deleted now, or were already.
    pub revoked: Vec<TokenRef>,
    /// Tokens that this credential cannot see.
    pub invisible: Vec<TokenRef>,
}

impl Action for TokenRevoke {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.token.revoke",
        version: 1,
        summary: "Delete tokens for good",
        docs: "Deletes tokens and proves it by a list that does not have them any more. One that is gone already counts as \
               done. A leaked value that the run was given is tried too, as by `cloudflare.token.disable`. Policies and last use \
               are lost with it: disable first, delete when the evidence is held. Leaves out the token that \
               quell is acting with and what quell.toml names under `break_glass`; where nothing else is to be deleted, it \
               refuses.",
        verb: "revoke",
        max_danger: Danger::Irreversible,
        permissions: &[
            Permission { group: "API Tokens Write", write: true },
            Permission { group: "Account API Tokens Write", write: true },
        ],
        example: "tokens = [{ id = \"8a186ff66f91651bf74db1820580a0ef\" }]\n",
        settling: Duration::from_secs(120),
        estimate: Estimate { fixed: 3, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        if params.tokens.is_empty() {
            return Ok(StepPlan::seen(Output::default(), "there is no token to delete"));
        }
        let seen = list(look).await?;
        let (tokens, spared) = spare(look, &seen, unique(params.tokens), "delete")?;
        let zones = ZoneNames::of(look, tokens.iter().filter_map(|wanted| seen.get(&wanted.id))).await;
        let left_alone = spared.len();
        let mut plan = StepPlan { gaps: spared, ..StepPlan::seen(Output::default(), "") };
        for wanted in tokens {
            match seen.get(&wanted.id) {
                Some(token) => plan.effects.push(effect(look, token, &seen.tokens, &wanted, &zones)),
                None if seen.is_gone(&wanted.id, wanted.owner.as_deref()) => {
                    let proof = "it is gone: the list of its owner's tokens does not have it";
                    if let Some(finding) = &wanted.finding {
                        plan.settled_findings.push((finding.clone(), FindingStatus::Reverted, proof.to_owned()));
                    }
                    plan.already.push((seen.own_name(&wanted), proof.to_owned()));
                    plan.output.revoked.push(wanted);
                }
                None => {
                    plan.gaps.push(invisible(&seen, &wanted));
                    plan.output.invisible.push(wanted);
                }
            }
        }
        plan.summary = format!("{} to delete, {} gone already", plan.effects.len(), plan.already.len());
        plan.summary.push_str(&not_dealt_with(&plan.gaps, left_alone, "deleted"));
        Ok(plan)
    }

    fn settle(_effect: &Effect, answer: &Answer) -> Receipt {
        // Nothing left to delete is what was wanted. But another user's token is answered in the same way, so that it
        // stays in doubt until the list has the last word.
        let outcome = match answer {
            answer if says_absent(answer) => {
                Outcome::Unknown("the API says that there is nothing to delete; only the list proves it".to_owned())
            }
            answer => classify(answer),
        };
        Receipt { outcome, detail: Value::Null }
    }

    async fn verify<'a>(effect: &'a Effect, _receipt: Option<&'a Value>, look: &'a Look<'a>) -> Verdict {
        match find_listed(look, effect).await {
            Found::There(_) => Verdict::DoesNotHold("the list still has the token".to_owned()),
            Found::Gone => {
                proven(look, effect, "the whole list of its owner's tokens does not have it any more".to_owned()).await
            }
            Found::Unseen(why) => Verdict::CannotTell(why),
        }
    }

    fn conclude(mut output: Output, done: &Done) -> Output {
        let gone = done.effects.iter().filter(|ended| ended.is_so());
        gone.for_each(|ended| include(&mut output.revoked, TokenRef::of(&ended.effect)));
        output
    }
}

fn effect(look: &Look<'_>, token: &Token, all: &[Token], wanted: &TokenRef, zones: &ZoneNames) -> Effect {
    let cut_off = if token.status == "active" {
        "whatever uses it, at once: it is still active".to_owned()
    } else {
        format!("nobody by this: the token is {} already", token.status)
    };
    let mut consequences = vec![format!("it was last used: {}", token.last_use())];
    let mut facts = vec![("status".to_owned(), token.status.clone()), ("last used".to_owned(), token.last_use())];
    facts.extend(token.provisioner.as_ref().map(Provisioner::fact));
    if let Some(why) = &wanted.why {
        consequences.push(format!("what speaks against it: {why}"));
        facts.push(("why".to_owned(), why.clone()));
    }
    Effect {
        key: EffectKey::derive(look.path.as_str(), TokenRevoke::SPEC.id, "token", &token.id),
        action: TokenRevoke::SPEC.id.to_owned(),
        target: token.target(all),
        summary: format!("delete token {}", token.name),
        danger: Danger::Irreversible,
        call: Call::Http(HttpCall {
            method: "DELETE".to_owned(),
            path: token.path(look.account()),
            body: None,
            secret_answer: false,
        }),
        before: token.image(),
        after: json!(null),
        radius: Radius {
            reach: token.reach_in_words(zones, look.safeguards()),
            cut_off: Some(cut_off),
            put_back: Some("a deleted token cannot be brought back, and its policies can no longer be read".to_owned()),
        },
        consequences,
        facts,
        preselected: wanted.sure,
        undo: None,
        resolves: wanted.finding.clone().map(|finding| Resolves { finding, status: FindingStatus::Reverted }),
    }
}
