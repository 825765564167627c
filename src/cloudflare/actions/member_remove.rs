//! `cloudflare.member.remove`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::action::{Action, ActionSpec, Done, Estimate, Look, Permission, Receipt, StepError, StepPlan};
use crate::cloudflare::api::{classify, says_absent};
use crate::cloudflare::members::{
    Found, Losing, Member, MemberRef, Trace, find_listed, include, is_responder, list, not_dealt_with, said, spare,
    unique,
};
use crate::hunt::AuditEvent;
use crate::model::{Call, Danger, Effect, EffectKey, FindingStatus, HttpCall, Outcome, Radius, Resolves, Verdict};
use crate::provider::Answer;

/// `cloudflare.member.remove`.
#[derive(Debug, Clone, Copy)]
pub struct MemberRemove;

/// Parameters of `cloudflare.member.remove`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The members and invitations to remove: `suspicious` of `cloudflare.members.list`, or ids or e-mails.
    pub members: Vec<MemberRef>,
    /// One more, by e-mail or id, as a person gave it; empty for none.
    #[serde(default)]
    pub named: Option<String>,
    /// Others who may be the intruder's: they do not count as Super Administrators that remain.
    #[serde(default)]
    pub suspects: Option<Vec<MemberRef>>,
    /// Events of the audit log, to say which tokens of theirs acted and stop.
    #[serde(default)]
    pub events: Option<Vec<AuditEvent>>,
}

/// Output of `cloudflare.member.remove`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Members that are removed now, or were already.
    pub removed: Vec<MemberRef>,
    /// Those that were chosen here and are gone by now, whoever saw to it: what they did until then another look must follow.
    #[serde(default)]
    pub chosen: Vec<MemberRef>,
    /// Members that could not be seen.
    pub invisible: Vec<MemberRef>,
}

impl Action for MemberRemove {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.member.remove",
        version: 1,
        summary: "Remove members from the account, or withdraw invitations",
        docs: "A member who is removed loses the account at once, and with it whatever acts by tokens of their own: that is \
               the only way for a responder to cut another user's tokens and Global API key. Proven by a list that was read \
               to its end and does not have them any more. One that is gone already counts as done.\n\nThe user that quell \
               acts for is left alone, and so are those that quell.toml names under `break_glass`, and every Super \
               Administrator if none would remain who is neither named nor a suspect. What they made for the account \
               stays: account-owned tokens, OAuth clients, Workers, tunnels. An identity provider that manages the members \
               brings them back at its next turn, unless they are removed there. To come back they must be invited and \
               accept.",
        verb: "remove",
        max_danger: Danger::Irreversible,
        permissions: &[
            Permission { group: "Account Settings Read", write: false },
            Permission { group: "Account Settings Write", write: true },
        ],
        example: "members = [{ member = \"55b4918a1cd1860c18a68a35c1c8d900\" }]\n",
        settling: Duration::from_secs(30),
        estimate: Estimate { fixed: 4, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let wanted = MemberRef::with_named(params.members, params.named.as_deref());
        if wanted.is_empty() {
            return Ok(StepPlan::seen(Output::default(), "there is no member to remove"));
        }
        let seen = list(look).await?;
        // Whoever is named by a person and is not there was rather mistyped than removed.
        if let Some(named) = said(params.named.as_deref()).filter(|named| seen.is_gone(named)) {
            return Err(StepError::new(format!(
                "`{named}` is no member: the whole list has nobody of this id or e-mail"
            ))
            .hint("skip this step and pause; then `quell do cloudflare.member.remove --with members=E-MAIL`, and `quell resume`"));
        }
        let suspects = params.suspects.unwrap_or_default();
        let losing = Losing { doing: "remove", administration: true, suspects: &suspects };
        let (members, spared) = spare(look, &seen, &unique(&seen, wanted), losing)?;
        let trace = Trace::of(look, params.events.as_deref()).await;
        let mut plan = StepPlan { gaps: spared, ..StepPlan::seen(Output::default(), "") };
        for wanted in members {
            match seen.get(&wanted.member) {
                Some(member) => plan.effects.push(effect(look, member, &seen.members, &wanted, &trace)),
                None if seen.is_gone(&wanted.member) => {
                    let proof = "it is gone: the whole list of members and invitations has nobody of this id or e-mail";
                    if let Some(finding) = &wanted.finding {
                        plan.settled_findings.push((finding.clone(), FindingStatus::Reverted, proof.to_owned()));
                    }
                    plan.already.push((wanted.label().to_owned(), proof.to_owned()));
                    plan.output.removed.push(wanted);
                }
                None => {
                    plan.gaps.push(seen.invisible(&wanted));
                    plan.output.invisible.push(wanted);
                }
            }
        }
        plan.summary = format!("{} to remove, {} gone already", plan.effects.len(), plan.already.len());
        plan.summary.push_str(&not_dealt_with(plan.gaps.len(), plan.output.invisible.len(), "removed"));
        Ok(plan)
    }

    fn settle(_effect: &Effect, answer: &Answer) -> Receipt {
        let outcome = match answer {
            answer if says_absent(answer) => {
                Outcome::Unknown("the API says that there is nobody to remove; only the list proves it".to_owned())
            }
            answer => classify(answer),
        };
        Receipt { outcome, detail: Value::Null }
    }

    async fn verify<'a>(effect: &'a Effect, _receipt: Option<&'a Value>, look: &'a Look<'a>) -> Verdict {
        match find_listed(look, &effect.target.id).await {
            Found::There(_) => Verdict::DoesNotHold("the list still has the member".to_owned()),
            Found::Gone => {
                Verdict::Holds("the whole list of members and invitations does not have it any more".to_owned())
            }
            Found::Unseen(why) => Verdict::CannotTell(why),
        }
    }

    fn conclude(mut output: Output, done: &Done) -> Output {
        for ended in done.effects.iter().filter(|ended| ended.is_so()) {
            let member = MemberRef::of(&ended.effect);
            output.chosen.push(member.clone());
            include(&mut output.removed, member);
        }
        output
    }
}

fn effect(look: &Look<'_>, member: &Member, all: &[Member], wanted: &MemberRef, trace: &Trace<'_>) -> Effect {
    let is_invitation = member.status == "pending";
    let mut consequences: Vec<String> = is_responder(look, member).into_iter().collect();
    let cut_off = if is_invitation {
        "nobody yet: the invitation was not accepted".to_owned()
    } else {
        consequences.push(trace.own_tokens(member));
        consequences.push(trace.what_stays(member));
        consequences
            .push("an identity provider that manages members brings them back, unless removed there".to_owned());
        format!("{}: login, Global API key, and every token of their own", member.email)
    };
    if let Some(why) = &wanted.why {
        consequences.push(format!("what speaks against them: {why}"));
    }
    Effect {
        key: EffectKey::derive(look.path.as_str(), MemberRemove::SPEC.id, "member", &member.id),
        action: MemberRemove::SPEC.id.to_owned(),
        target: member.target(all),
        summary: format!(
            "{} {}",
            if is_invitation { "withdraw the invitation of" } else { "remove member" },
            member.email
        ),
        danger: Danger::Irreversible,
        call: Call::Http(HttpCall {
            method: "DELETE".to_owned(),
            path: member.path(look.account()),
            body: None,
            secret_answer: false,
        }),
        before: member.image(),
        after: json!(null),
        radius: Radius {
            reach: Some("the account".to_owned()),
            cut_off: Some(cut_off),
            put_back: Some("invite them again with the same roles: they must accept".to_owned()),
        },
        consequences,
        facts: vec![("status".to_owned(), member.status.clone()), ("roles".to_owned(), member.roles_in_words())],
        preselected: wanted.sure,
        undo: None,
        resolves: wanted.finding.clone().map(|finding| Resolves { finding, status: FindingStatus::Reverted }),
    }
}
