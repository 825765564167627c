//! `cloudflare.member.set_roles`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::action::{Action, ActionSpec, Done, Estimate, Look, Permission, Receipt, StepError, StepPlan};
use crate::cloudflare::api::{classify, segment};
use crate::cloudflare::members::{
    Found, Losing, Member, MemberRef, Trace, find, in_words, include, is_responder, is_super, list, not_dealt_with,
    spare, unique,
};
use crate::hunt::AuditEvent;
use crate::model::{Call, Danger, Effect, EffectKey, FindingStatus, HttpCall, Radius, Resolves, UndoCall, Verdict};
use crate::provider::{Answer, Paging, ReadRequest};

/// `cloudflare.member.set_roles`.
#[derive(Debug, Clone, Copy)]
pub struct MemberSetRoles;

/// Parameters of `cloudflare.member.set_roles`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The members whose roles are set: `suspicious` of `cloudflare.members.list`, or ids or e-mails.
    pub members: Vec<MemberRef>,
    /// The roles that each of them has afterwards, and no others: names as the account has them, or ids.
    pub roles: Vec<String>,
    /// One more, by e-mail or id, as a person gave it; empty for none.
    #[serde(default)]
    pub named: Option<String>,
    /// Others who may be the intruder's: they do not count as Super Administrators that remain.
    #[serde(default)]
    pub suspects: Option<Vec<MemberRef>>,
    /// Events of the audit log, to say which tokens of theirs acted.
    #[serde(default)]
    pub events: Option<Vec<AuditEvent>>,
    /// The member as the change that is undone left it; `quell undo` gives it. One that is not so any more was changed by
    /// somebody since, and nothing is sent. Its finding is open again afterwards.
    #[serde(default)]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub undoes: Option<Value>,
}

/// Output of `cloudflare.member.set_roles`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Members who have these roles now, or had them already.
    pub set: Vec<MemberRef>,
    /// Members that could not be seen.
    pub invisible: Vec<MemberRef>,
}

impl Action for MemberSetRoles {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.member.set_roles",
        version: 1,
        summary: "Demote or promote members: give them these roles and no others",
        docs: "Sends the whole membership back with other roles, so that nothing else changes, and reads it again. A demoted \
               member stays in the account, and so do tokens of their own, which may do no more than their user. Policies \
               and user groups give rights besides the roles; they stay, and where a member has policies that is said. \
               `quell undo` puts the roles back, unless somebody changed them since.\n\nThe user that quell acts for is left \
               alone, and so are those that quell.toml names under `break_glass`, and every Super Administrator if none \
               would remain who is neither named nor a suspect.",
        verb: "set",
        max_danger: Danger::Disruptive,
        permissions: &[
            Permission { group: "Account Settings Read", write: false },
            Permission { group: "Account Settings Write", write: true },
        ],
        example: "members = [{ member = \"5cfb8fffed0cdd31453b2024ec63f493\" }]\n\
                  roles   = [\"Administrator Read Only\"]\n",
        settling: Duration::from_secs(30),
        estimate: Estimate { fixed: 5, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let wanted = MemberRef::with_named(params.members, params.named.as_deref());
        if wanted.is_empty() {
            return Ok(StepPlan::seen(Output::default(), "there is no member whose roles to set"));
        }
        let roles = roles(look, &params.roles).await?;
        let seen = list(look).await?;
        let suspects = params.suspects.unwrap_or_default();
        let administration = !roles.iter().any(is_super);
        let losing = Losing { doing: "change the roles of", administration, suspects: &suspects };
        let (members, spared) = spare(look, &seen, &unique(&seen, wanted), losing)?;
        let trace = Trace::of(look, params.events.as_deref()).await;
        let mut plan = StepPlan { gaps: spared, ..StepPlan::seen(Output::default(), "") };
        let status = if params.undoes.is_some() { FindingStatus::Open } else { FindingStatus::Contained };
        for wanted in members {
            let Some(member) = seen.get(&wanted.member) else {
                if seen.is_gone(&wanted.member) {
                    return Err(StepError::new(format!(
                        "{} is no member: the whole list has nobody of this id or e-mail",
                        wanted.label()
                    ))
                    .hint("look at `cloudflare.members.list`; whoever was removed must be invited again by hand"));
                }
                plan.gaps.push(seen.invisible(&wanted));
                plan.output.invisible.push(wanted);
                continue;
            };
            if roles.is_empty() && !member.has_policies() {
                return Err(StepError::new(format!("{} would be left without any role", member.email))
                    .hint("name at least one role; `cloudflare.member.remove` takes somebody out of the account"));
            }
            let after = member.image_with(&roles);
            if member.differs_from(&after).is_none() {
                let proof = format!("read: the roles are {}", member.roles_in_words());
                if let Some(finding) = &wanted.finding {
                    plan.settled_findings.push((finding.clone(), status, proof.clone()));
                }
                plan.already.push((wanted.label().to_owned(), proof));
                plan.output.set.push(wanted);
                continue;
            }
            if let Some(left) = &params.undoes
                && let Some(field) = member.differs_from(left)
            {
                return Err(changed_since(member, left, field));
            }
            let resolves = wanted.finding.clone().map(|finding| Resolves { finding, status });
            let effect = effect(look, member, &seen.members, &wanted, &roles, &trace);
            plan.effects.push(Effect { after, resolves, undo: undo(member, &roles, &wanted), ..effect });
        }
        plan.summary = format!("{} to change, {} so already", plan.effects.len(), plan.already.len());
        plan.summary.push_str(&not_dealt_with(plan.gaps.len(), plan.output.invisible.len(), "changed"));
        Ok(plan)
    }

    fn settle(_effect: &Effect, answer: &Answer) -> Receipt {
        Receipt { outcome: classify(answer), detail: Value::Null }
    }

    async fn verify<'a>(effect: &'a Effect, _receipt: Option<&'a Value>, look: &'a Look<'a>) -> Verdict {
        match find(look, effect).await {
            Found::Gone => Verdict::DoesNotHold("the member is gone: the list does not have it".to_owned()),
            Found::Unseen(why) => Verdict::CannotTell(why),
            Found::There(member) => match member.differs_from(&effect.after) {
                None => Verdict::Holds(format!("read back: the roles are {}", member.roles_in_words())),
                Some("roles") => Verdict::DoesNotHold(format!("the roles are {}", member.roles_in_words())),
                Some(field) => {
                    Verdict::DoesNotHold(format!("the roles are set, and the {field} are not what they were"))
                }
            },
        }
    }

    fn conclude(mut output: Output, done: &Done) -> Output {
        let so = done.effects.iter().filter(|ended| ended.is_so());
        so.for_each(|ended| include(&mut output.set, MemberRef::of(&ended.effect)));
        output
    }
}

/// The account's roles of these names or ids.
async fn roles(look: &Look<'_>, wanted: &[String]) -> Result<Vec<Value>, StepError> {
    let request = ReadRequest::new(format!("/accounts/{}/roles", segment(look.account())));
    let listing = look.list(&request, Paging::Pages { per_page: 50 }, "roles", "the account").await;
    let listing = listing.map_err(|error| StepError::read("list the roles of the account", &error))?;
    let mut roles: Vec<Value> = Vec::new();
    for wanted in wanted {
        let role = listing.items.iter().find(|role| role["id"] == **wanted || role["name"] == **wanted);
        let role = role.ok_or_else(|| {
            let names: Vec<&str> = listing.items.iter().filter_map(|role| role["name"].as_str()).collect();
            StepError::new(format!("the account has no role `{wanted}`")).hint(format!("it has: {}", names.join(", ")))
        })?;
        if roles.iter().all(|known| known["id"] != role["id"]) {
            roles.push(role.clone());
        }
    }
    Ok(roles)
}

fn changed_since(member: &Member, left: &Value, field: &str) -> StepError {
    let roles = left["roles"].as_array().map(Vec::as_slice).unwrap_or_default();
    let message = format!(
        "somebody changed {} since, so nothing is sent: the {field} are not what the change left; the roles were {} after \
         it, and are {} now",
        member.email,
        in_words(roles),
        member.roles_in_words()
    );
    StepError::new(message).hint(
        "find out who and why; then set the roles in the dashboard, or leave them: the journal has the before-image",
    )
}

/// The same action with the roles that the member has now.
fn undo(member: &Member, roles: &[Value], wanted: &MemberRef) -> Option<UndoCall> {
    let named = MemberRef { member: member.id.clone(), email: member.email.clone(), why: None, ..wanted.clone() };
    let with = json!({ "members": [named], "roles": member.role_ids(), "undoes": member.image_with(roles) });
    Some(UndoCall { action: MemberSetRoles::SPEC.id.to_owned(), with })
}

fn effect(
    look: &Look<'_>,
    member: &Member,
    all: &[Member],
    wanted: &MemberRef,
    roles: &[Value],
    trace: &Trace<'_>,
) -> Effect {
    let (had, has) = (member.roles_in_words(), in_words(roles));
    let mut consequences: Vec<String> = is_responder(look, member).into_iter().collect();
    consequences.push(trace.own_tokens(member));
    if roles.iter().any(is_super) {
        consequences.push("THIS GIVES EVERY RIGHT over the account, members and tokens included".to_owned());
    }
    if member.has_policies() {
        consequences.push("policies of their own give them rights besides the roles, and stay".to_owned());
    }
    consequences.push("rights that come from user groups or an identity provider stay: not seen here".to_owned());
    if let Some(why) = &wanted.why {
        consequences.push(format!("what speaks against them: {why}"));
    }
    Effect {
        key: EffectKey::derive(look.path.as_str(), MemberSetRoles::SPEC.id, "member", &member.id),
        action: MemberSetRoles::SPEC.id.to_owned(),
        target: member.target(all),
        summary: format!("set the roles of {} to {has}", member.email),
        danger: Danger::Disruptive,
        call: Call::Http(HttpCall {
            method: "PUT".to_owned(),
            path: member.path(look.account()),
            body: Some(member.update(roles)),
            secret_answer: false,
        }),
        before: member.image(),
        after: Value::Null,
        radius: Radius {
            reach: Some("the account".to_owned()),
            cut_off: Some(format!(
                "{} from what {had} may do and {has} may not, with tokens of their own",
                member.email
            )),
            put_back: None,
        },
        consequences,
        facts: vec![("roles".to_owned(), had), ("becomes".to_owned(), has)],
        preselected: wanted.sure,
        undo: None,
        resolves: None,
    }
}
