//! `cloudflare.holders`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::member_remove::MemberRemove;
use super::member_set_roles::MemberSetRoles;
use crate::action::{Action, ActionSpec, Estimate, Look, Permission, StepError, StepPlan};
use crate::cloudflare::ByHand;
use crate::cloudflare::members::{MemberRef, list_or_gap};
use crate::cloudflare::tokens::TokenRef;
use crate::journal::{EffectState, EffectStatus};
use crate::model::{Attribution, CREDENTIALS, CredentialKind, Danger, Disposition, Finding, count};

/// `cloudflare.holders`.
#[derive(Debug, Clone, Copy)]
pub struct Holders;

/// Parameters of `cloudflare.holders`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Users whose key or session the intruder has: `holders` of `cloudflare.tokens.inventory`.
    pub holders: Vec<MemberRef>,
    /// What a hunt found: the `found` of `cloudflare.hunt`. Whose key or session it names is one of them.
    #[serde(default)]
    pub hunted: Option<Vec<Finding>>,
    /// Tokens in the intruder's hands: `held` of `cloudflare.tokens.inventory`. Whoever owns one may have lost more.
    #[serde(default)]
    pub tokens: Option<Vec<TokenRef>>,
}

/// Output of `cloudflare.holders`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Users whose key or session the intruder has and of whom this run has not asked anything yet, for
    /// `cloudflare.member.remove` and `cloudflare.member.set_roles`. Of whom nobody can say that it was not they is not
    /// `sure`.
    pub holders: Vec<MemberRef>,
    /// What these are to do, as `items` of `manual`.
    pub work: Vec<ByHand>,
    /// What is left to do for everybody, those included who own a token in the intruder's hands, but for global API keys.
    pub for_people: Vec<ByHand>,
    /// The global API keys that are left to be changed, without that of the user whose key quell acts with.
    pub keys: Vec<ByHand>,
    /// What is done already, in words.
    pub done: Vec<String>,
}

impl Action for Holders {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.holders",
        version: 1,
        summary: "Say whose session or key the intruder has, and what each of them is still to do",
        docs: "Passwords, sessions, global API keys, Origin CA keys and consents have no API: their user takes them back. This \
               names the users whom the log, the hunt or a token in the intruder's hands tells of. What somebody has attested \
               in this run, or keeps with a reason, is not asked for again; and nothing of whoever is no member any more, as \
               the whole list of members proves. Where nobody is named it is asked in general.",
        verb: "list",
        max_danger: Danger::Observe,
        permissions: &[Permission { group: "Account Settings Read", write: false }],
        example: "holders = []\n",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 1, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let mut users = params.holders;
        let hunted = params.hunted.unwrap_or_default();
        hunted.iter().filter(|it| it.family == CREDENTIALS).for_each(|it| include(&mut users, of_finding(it)));
        let lost = users.len();
        // An owner of a token that is not a person is the account.
        let owners = params.tokens.unwrap_or_default().into_iter().filter_map(|token| token.owner);
        owners.filter(|owner| owner.contains('@')).for_each(|owner| include(&mut users, user(owner)));
        let seen = list_or_gap(look).await?;
        let asked = Asked::of(look);
        let (credential, mut done) = (look.provider().credential(), Vec::new());
        let own_key = credential.owner.as_deref().filter(|_| credential.kind == CredentialKind::GlobalKey);
        let (mut holders, mut work, mut left, mut keys) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (at, user) in users.iter().enumerate() {
            if seen.as_ref().is_some_and(|seen| seen.is_gone(&user.member)) {
                done.push(format!("{} is no member any more: the whole list has nobody of this e-mail", user.label()));
                continue;
            }
            let all = ByHand::of_user(user.label()).into_iter().chain([ByHand::consents_of(user.label())]);
            let (over, open): (Vec<ByHand>, Vec<ByHand>) = all.partition(|work| asked.is_over(&work.title));
            done.extend(over.into_iter().map(|work| work.title));
            if at < lost && !asked.has_asked(user) {
                work.extend(open.iter().cloned());
                holders.push(user.clone());
            }
            let is_key = |work: &ByHand| work.title.starts_with(ByHand::KEY);
            let is_own = own_key.is_some_and(|own| own.eq_ignore_ascii_case(user.label()));
            let (key, rest): (Vec<ByHand>, Vec<ByHand>) = open.into_iter().partition(is_key);
            left.extend(rest);
            keys.extend(key.into_iter().filter(|_| !is_own));
        }
        if users.is_empty() {
            let (key, rest) = ByHand::of_somebody().into_iter().partition(|work| work.title.starts_with(ByHand::KEY));
            (left, keys) = (rest, if own_key.is_some() { Vec::new() } else { key });
        }
        let named: Vec<&str> = users.iter().take(lost).map(MemberRef::label).collect();
        let named = if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) };
        let summary = format!(
            "{} whose session or key the intruder may have{named}, {} not asked yet; {} to do by hand, {} done already",
            count(lost, "user"),
            holders.len(),
            left.len() + keys.len(),
            done.len()
        );
        Ok(StepPlan::seen(Output { holders, work, for_people: left, keys, done }, summary))
    }
}

/// Somebody by e-mail.
fn user(email: String) -> MemberRef {
    MemberRef { member: email.clone(), email, why: None, finding: None, sure: false }
}

/// Whose credential a finding is of.
fn of_finding(finding: &Finding) -> MemberRef {
    MemberRef {
        why: Some(finding.detail.clone()),
        sure: finding.attribution == Attribution::Intruder,
        ..user(finding.resource.name.clone())
    }
}

/// Adds a user; of who is there already, what is sure counts. What is no e-mail is no user.
fn include(users: &mut Vec<MemberRef>, user: MemberRef) {
    match users.iter_mut().find(|it| it.member.eq_ignore_ascii_case(&user.member)) {
        Some(known) if known.sure || !user.sure => {}
        Some(known) => *known = user,
        None => users.extend(Some(user).filter(|user| user.member.contains('@'))),
    }
}

/// What this run has asked for so far.
struct Asked<'a>(Vec<&'a EffectState>);

impl<'a> Asked<'a> {
    fn of(look: &'a Look<'_>) -> Self {
        let actions = ["manual", MemberRemove::SPEC.id, MemberSetRoles::SPEC.id];
        let all = actions.into_iter().flat_map(|action| look.proposed(action));
        Self(all.filter(|(is_this_run, ..)| *is_this_run).map(|(.., state)| state).collect())
    }

    /// Whether somebody attested this work, or keeps it as it is.
    fn is_over(&self, title: &str) -> bool {
        let mut same = self.0.iter().filter(|state| state.effect.target.name == title);
        same.any(|state| state.is_applied() || matches!(state.status, EffectStatus::Left(Disposition::Keep { .. })))
    }

    /// Whether the user was asked, or lost the account or part of it.
    fn has_asked(&self, user: &MemberRef) -> bool {
        let works = ByHand::of_user(user.label());
        self.0.iter().any(|state| {
            let target = &state.effect.target;
            let is_theirs = target.kind == "member" && target.name.eq_ignore_ascii_case(user.label());
            (is_theirs && (state.is_applied() || state.is_met())) || works.iter().any(|work| work.title == target.name)
        })
    }
}
