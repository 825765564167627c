//! `cloudflare.token.disable`.

use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::token_restore::{self, TokenRestore};
use crate::action::{Action, ActionSpec, Done, Estimate, Look, Permission, Receipt, StepError, StepPlan};
use crate::cloudflare::ByHand;
use crate::cloudflare::api::classify;
use crate::cloudflare::members::MemberRef;
use crate::cloudflare::tokens::{
    ACCOUNT, Found, Provisioner, Seen, Token, TokenRef, ZoneNames, find, include, invisible, list, not_dealt_with,
    proven, proven_already, refused_unseen, spare, unique,
};
use crate::model::{
    Call, Danger, Effect, EffectKey, FindingStatus, Gap, HttpCall, Radius, Resolves, UndoCall, Verdict,
};
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
    /// Tokens that this credential cannot see and that another step deals with, the `invisible` of an earlier cut: they are not
    /// told again.
    #[serde(default)]
    pub elsewhere: Option<Vec<TokenRef>>,
}

/// Output of `cloudflare.token.disable`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Tokens that are disabled now, or were already.
    pub disabled: Vec<TokenRef>,
    /// Those that this step disabled, and that were active until then: none where all had been cut before.
    #[serde(default)]
    pub newly: Vec<TokenRef>,
    /// Those that were chosen here and are dead by now, whoever saw to it: what they did until then another look must follow.
    #[serde(default)]
    pub chosen: Vec<TokenRef>,
    /// Tokens that this credential cannot see.
    pub invisible: Vec<TokenRef>,
    /// The members whose tokens those are, where the log tells, for `cloudflare.member.remove` and
    /// `cloudflare.member.set_roles`.
    #[serde(default)]
    pub owners: Vec<MemberRef>,
    /// What to click for each of them, as `items` of `manual`.
    #[serde(default)]
    pub by_hand: Vec<ByHand>,
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
               and reads it again. A token that no list shows is taken to be gone only where its owner is known and that owner's \
               list was read to its end; otherwise it may be another user's, and that is a gap. Where the run was told of the \
               token by its leaked value, that value is tried as well until it is refused: still accepted after two \
               minutes, the cut is not proven. One that is dead already counts as disabled; where it is only suspected, a person \
               says first whether it was the intruder's. A disabled token can be enabled again, by `quell undo` too; a deleted one is gone with all that it could tell. \
               Leaves out the token that quell is acting with and what quell.toml names under `break_glass`; where nothing else \
               is to be disabled, it refuses.",
        verb: "disable",
        max_danger: Danger::Disruptive,
        permissions: &[
            Permission { group: "API Tokens Write", write: true },
            Permission { group: "Account API Tokens Write", write: true },
        ],
        example: "tokens = [{ id = \"8a186ff66f91651bf74db1820580a0ef\" }]\n",
        // Propagation to every edge is documented nowhere; the leaked value is tried for so long.
        settling: Duration::from_secs(120),
        estimate: Estimate { fixed: 3, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        if params.tokens.is_empty() {
            return Ok(StepPlan::seen(Output::default(), "there is no token to disable"));
        }
        let seen = list(look).await?;
        let (tokens, spared) = spare(look, &seen, unique(params.tokens), "disable")?;
        let zones = ZoneNames::of(look, tokens.iter().filter_map(|wanted| seen.get(&wanted.id))).await;
        let left_alone = spared.len();
        let mut plan = StepPlan { gaps: spared, ..StepPlan::seen(Output::default(), "") };
        let elsewhere = params.elsewhere.unwrap_or_default();
        for wanted in tokens {
            let proof = match standing(&seen, &wanted) {
                Standing::Active(token) => {
                    plan.effects.push(effect(look, token, &seen.tokens, &wanted, &zones));
                    continue;
                }
                Standing::Unseen => match refused_unseen(look, &wanted.id).await {
                    Some(Ok(proof)) => {
                        plan.already.push((seen.own_name(&wanted), proof.clone()));
                        plan.settled_findings.extend(contained(&wanted, &proof));
                        plan.output.disabled.push(wanted);
                        continue;
                    }
                    _ if elsewhere.iter().any(|token| token.id == wanted.id) => continue,
                    told => {
                        let mut gap = invisible(&seen, &wanted);
                        if let Some(Err(why)) = told {
                            gap.reason = format!("{why}; {}", gap.reason);
                        }
                        plan.gaps.push(gap);
                        plan.output.leave(wanted);
                        continue;
                    }
                },
                Standing::Dead(proof) if !wanted.sure => {
                    plan.effects.push(to_be_named(look, &seen, &wanted, &proof, &zones));
                    continue;
                }
                Standing::Dead(proof) => proof,
            };
            let proof = match proven_already(look, &wanted.id, proof).await {
                Ok(proof) => proof,
                Err(why) => {
                    plan.gaps.push(unproven(&wanted, &why));
                    continue;
                }
            };
            plan.settled_findings.extend(contained(&wanted, &proof));
            plan.already.push((seen.own_name(&wanted), proof));
            plan.output.disabled.push(wanted);
        }
        let dead = plan.effects.iter().filter(|effect| effect.changes_nothing()).count();
        let (to_disable, dead) = (plan.effects.len() - dead, plan.already.len() + dead);
        plan.summary = format!("{to_disable} to disable, {dead} dead already");
        plan.summary.push_str(&not_dealt_with(&plan.gaps, left_alone, "cut"));
        Ok(plan)
    }

    fn settle(_effect: &Effect, answer: &Answer) -> Receipt {
        Receipt { outcome: classify(answer), detail: Value::Null }
    }

    async fn verify<'a>(effect: &'a Effect, _receipt: Option<&'a Value>, look: &'a Look<'a>) -> Verdict {
        match find(look, effect).await {
            Found::Gone => proven(look, effect, "the token is gone: the list does not have it".to_owned()).await,
            Found::Unseen(why) => Verdict::CannotTell(why),
            Found::There(token) if token.status == "active" => {
                Verdict::DoesNotHold("the token is still active".to_owned())
            }
            Found::There(token) => match token.differs_from(&effect.before) {
                Some(field) => {
                    Verdict::DoesNotHold(format!("the token is {}, but its `{field}` is not what it was", token.status))
                }
                None => {
                    let proof = format!("read back: the token is {}, and all else is as it was", token.status);
                    proven(look, effect, proof).await
                }
            },
        }
    }

    fn conclude(mut output: Output, done: &Done) -> Output {
        for ended in done.effects.iter().filter(|ended| ended.is_so()) {
            let token = TokenRef::of(&ended.effect);
            if ended.applied {
                output.newly.push(token.clone());
            }
            output.chosen.push(token.clone());
            include(&mut output.disabled, token);
        }
        output
    }
}

impl Output {
    /// Notes a token that only its owner can cut, or whoever takes the account from its owner.
    fn leave(&mut self, token: TokenRef) {
        let owner = token.owner.as_deref().filter(|owner| *owner != ACCOUNT);
        if let Some(owner) =
            owner.filter(|owner| self.owners.iter().all(|known| !known.member.eq_ignore_ascii_case(owner)))
        {
            let why = Some(format!("their token {} is to be cut, and only they see it", token.in_full()));
            let (member, email) = (owner.to_owned(), owner.to_owned());
            self.owners.push(MemberRef { member, email, why, finding: None, sure: true });
        }
        let whose = owner.unwrap_or("its owner, whom the log does not name: ask every member");
        let misnamed = if owner.is_some() { "" } else { " Where nobody has it, it may be misnamed: keep it as that." };
        self.by_hand.push(ByHand {
            title: format!("Token {}", token.in_full()),
            instruction: format!(
                "Call {whose}. They disable or roll it themselves: the list shows it to nobody else. It dies for this account \
                 as well when they are removed from it.{misnamed}"
            ),
            dashboard: "My Profile > API Tokens".to_owned(),
        });
        self.invisible.push(token);
    }
}

/// The finding of a token that is cut already.
fn contained(token: &TokenRef, proof: &str) -> Option<(String, FindingStatus, String)> {
    Some((token.finding.clone()?, FindingStatus::Contained, proof.to_owned()))
}

/// How a token that is to be cut stands.
enum Standing<'a> {
    Active(&'a Token),
    /// Not active any more, or gone; with the proof.
    Dead(String),
    Unseen,
}

fn standing<'a>(seen: &'a Seen, wanted: &TokenRef) -> Standing<'a> {
    match seen.get(&wanted.id) {
        Some(token) if token.status == "active" => Standing::Active(token),
        Some(token) => Standing::Dead(format!("its status is {}", token.status)),
        None if seen.is_gone(&wanted.id, wanted.owner.as_deref()) => {
            Standing::Dead("it is gone: the list of its owner's tokens does not have it".to_owned())
        }
        None => Standing::Unseen,
    }
}

fn effect(look: &Look<'_>, token: &Token, all: &[Token], wanted: &TokenRef, zones: &ZoneNames) -> Effect {
    let in_use = token.last_used_on.is_some_and(|at| look.now().duration_since(at) < IN_USE);
    let mut after = token.image();
    after["status"] = "disabled".into();
    let restore = token_restore::Params { token: wanted.clone(), before: token.image(), after: after.clone() };
    let cut_off = if in_use { "whatever uses it, at once" } else { "nobody that is known: it was not used lately" };
    let mut consequences = vec![format!("it was last used: {}", token.last_use())];
    let mut facts = vec![("status".to_owned(), token.status.clone()), ("last used".to_owned(), token.last_use())];
    facts.extend(token.provisioner.as_ref().map(Provisioner::fact));
    if let Some(why) = &wanted.why {
        consequences.push(format!("what speaks against it: {why}"));
        facts.push(("why".to_owned(), why.clone()));
    }
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
        radius: Radius {
            reach: token.reach_in_words(zones, look.safeguards()),
            cut_off: Some(cut_off.to_owned()),
            put_back: Some("enable it in the dashboard: its policies are kept".to_owned()),
        },
        consequences,
        facts,
        preselected: wanted.sure,
        undo: Some(UndoCall { action: TokenRestore::SPEC.id.to_owned(), with: json!(restore) }),
        resolves: wanted.finding.clone().map(|finding| Resolves { finding, status: FindingStatus::Contained }),
    }
}

/// A token that is dead already and only suspected. Nothing is sent of it: whether it was the intruder's, so that the run
/// follows what it did, is for a person to say.
fn to_be_named(look: &Look<'_>, seen: &Seen, wanted: &TokenRef, proof: &str, zones: &ZoneNames) -> Effect {
    let listed = seen.get(&wanted.id).cloned();
    let token = listed.unwrap_or_else(|| Token::gone(wanted));
    let effect = effect(look, &token, &seen.tokens, wanted, zones);
    let mut consequences = vec![format!("nothing is sent: {proof}")];
    consequences.extend(effect.consequences);
    Effect {
        summary: format!("take token {} for the intruder's, which is {} already", token.name, token.status),
        danger: Danger::Reversible,
        radius: Radius {
            cut_off: Some("nobody by this: it is cut already".to_owned()),
            put_back: Some("nothing changes".to_owned()),
            ..effect.radius
        },
        after: effect.before.clone(),
        consequences,
        undo: None,
        ..effect
    }
}

/// Something that is read back as cut, while its value still works.
fn unproven(token: &TokenRef, why: &str) -> Gap {
    Gap {
        family: "tokens".to_owned(),
        scope: token.in_full(),
        reason: format!("NOT PROVEN to be cut: {why}; look again in a minute"),
        permission: None,
    }
}
