//! `cloudflare.tokens.inventory`.

mod dealt_with;
mod findings;
mod person;
mod ranking;
mod suspect;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionSpec, Estimate, Look, Permission, Safeguards, StepError, StepPlan};
use crate::cloudflare::ByHand;
use crate::cloudflare::audit::kind;
use crate::cloudflare::members::MemberRef;
use crate::cloudflare::principals::made;
use crate::cloudflare::tokens::{
    ACCOUNT, Held, Known, Mark, Owner, Provisioner, Seen, Token, TokenRef, controls, held, include, list, marks,
    owner_in_log,
};
use crate::hunt::usage::is_program;
use crate::hunt::{AuditEvent, Principal, SeenBefore};
use crate::model::{Danger, count};

use dealt_with::DealtWith;
use suspect::{Meant, Suspect};

/// `cloudflare.tokens.inventory`.
#[derive(Debug, Clone, Copy)]
pub struct TokensInventory;

/// Parameters of `cloudflare.tokens.inventory`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The compromised token: its id, its name if no other has it, or `unknown`. A name that nothing bears is followed too:
    /// it may be another member's own token. Where a person was phished: their e-mail.
    pub suspect: String,
    /// Start of the window.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Events of the audit log: they say who made and changed which token.
    #[serde(default)]
    pub events: Option<Vec<AuditEvent>>,
    /// Use before the window, as `cloudflare.audit.collect` counts it: addresses in it are honest. Without it nothing tells
    /// the intruder's use of a token from honest use, and what the suspect made is offered for cutting and not chosen.
    #[serde(default)]
    pub seen_before: Option<Vec<SeenBefore>>,
    /// Tokens that were disabled in this incident as the intruder's: what they made is followed like what the suspect
    /// made, and one that is active again is a finding. Where several tokens bear the suspect's name, the one that was
    /// cut is meant.
    #[serde(default)]
    pub cut: Option<Vec<TokenRef>>,
    /// Tokens of others that were disabled in this incident: one that is active again is a finding.
    #[serde(default)]
    pub resting: Option<Vec<TokenRef>>,
}

/// Output of `cloudflare.tokens.inventory`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Every token that can be seen.
    pub tokens: Vec<Row>,
    /// What to cut: the suspect, and what it made to the last grandchild. With the suspect `unknown`: every token that
    /// something speaks against, the worst first, none of them sure; also one that is dead already and did something, and
    /// without those that were shown before and not chosen. Where nothing bears the suspect's name it is named alone, its name in
    /// the place of its id, and the same candidates follow it. What was cut in the incident beside the run is always offered.
    pub suspects: Vec<TokenRef>,
    /// Those of them that the intruder holds, or that were chosen as its: without the candidates that nobody has chosen.
    #[serde(default)]
    pub held: Vec<TokenRef>,
    /// The suspect's name, where neither a list nor the log has it.
    #[serde(default)]
    pub unheard: Option<UnheardName>,
    /// True where the suspect is named, and the log shows nothing that is surely the intruder's: it may be the wrong one.
    /// Tokens that acted as never before follow it then, none of them sure.
    #[serde(default)]
    pub doubted: bool,
    /// Tokens of others that the intruder changed.
    pub widened: Vec<TokenRef>,
    /// Tokens that were cut in this incident and are active again.
    pub revived: Vec<TokenRef>,
    /// Active tokens that remain, without what the intruder made or changed.
    pub rotatable: Vec<TokenRef>,
    /// What the intruder holds, with honest and hostile addresses.
    pub principals: Vec<Principal>,
    /// True where the suspect is not active any more, or provably gone.
    pub already_dead: bool,
    /// True where the log shows the intruder's address with a global API key or in the dashboard, or the suspect is a person.
    pub beyond_tokens: bool,
    /// The users whose key or session that was, for `cloudflare.member.remove` and `cloudflare.member.set_roles`.
    pub holders: Vec<MemberRef>,
    /// What each of them is to do, as `items` of `manual`.
    pub holder_work: Vec<ByHand>,
    /// What to improve, in sentences.
    pub controls: Vec<String>,
}

/// A name that nothing bears.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct UnheardName {
    /// The name.
    pub name: String,
    /// The token whose name is the nearest to it, if any is near.
    pub near: Option<TokenRef>,
}

/// One token.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who owns it.
    pub owner: Owner,
    /// `active`, `disabled` or `expired`.
    pub status: String,
    /// When it was last used.
    pub last_used_on: Option<Timestamp>,
    /// When it ends.
    pub expires_on: Option<Timestamp>,
    /// What makes it dangerous or suspicious.
    pub marks: Vec<Mark>,
    /// Who made it, as far as the log says: a token's name or an e-mail.
    pub created_by: Option<String>,
    /// The service that minted it for somebody, as the token itself tells; an application that was consented to, mostly.
    #[serde(default)]
    pub minted_by: Option<Provisioner>,
    /// What it is to this incident.
    pub role: Role,
}

/// What a token is to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The one that leaked.
    Suspect,
    /// Made by the intruder.
    Child,
    /// Changed by the intruder.
    Widened,
    /// The one that quell is acting with.
    Own,
    /// Any other.
    Other,
}

impl Action for TokensInventory {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.tokens.inventory",
        version: 1,
        summary: "List every token that can be seen, and find what the suspect made",
        docs: "Lists the tokens of the calling user and of the account, marks the dangerous ones, and follows the audit log \
               from the suspect to what it made, what that made, and so on. Tokens that were made from the intruder's \
               address without a token (in the dashboard, with a global API key) are listed as well, but not cut without \
               being chosen: an address may be shared. Addresses that quell.toml names as the team's own, and those \
               from which anybody worked before the window, are never taken for the intruder's alone. A token that an application \
               minted is listed with the id of that application's OAuth client.\n\nThe API shows no other member's own tokens: each member must look, \
               or be removed. Holders of the role API Token Provisioning see only those account-owned tokens that they made \
               themselves, and nothing in the answer says so. With the suspect `unknown`, tokens are ranked by what speaks \
               against them, and nothing is cut without being chosen. So they are where \
               neither a list nor the log has the suspect's name (it may be another member's own token, or a slip of the \
               pen) and where several tokens bear it. Where no audit log was read, that is said: what a token may do is then all there is to rank by.\n\nWhat this run has cut, or was to cut, is followed \
               as the intruder's from then on: its journal tells.",
        verb: "list",
        max_danger: Danger::Observe,
        permissions: &[
            Permission { group: "API Tokens Read", write: false },
            Permission { group: "Account API Tokens Read", write: false },
            Permission { group: "Account Settings Read", write: false },
        ],
        example: "suspect = \"ci-deploy\"\n",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 3, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let seen = list(look).await?;
        let evidence = look.evidence();
        let DealtWith { chosen, cut, resting, beside, passed_over } = DealtWith::of(look);
        let with = |named: Option<Vec<TokenRef>>, more: Vec<TokenRef>| {
            let mut all = named.unwrap_or_default();
            more.into_iter().for_each(|token| include(&mut all, token));
            all
        };
        let events = params.events.unwrap_or_default();
        let wanted = params.suspect.trim();
        let view = View {
            members: person::members(look, wanted, &events).await?,
            seen: &seen,
            reported: wanted,
            events,
            before: params.seen_before.unwrap_or_default(),
            cut: with(params.cut, cut),
            resting: with(params.resting, resting),
            chosen,
            beside,
            passed_over,
            since: params.since,
            own: look.provider().credential().id.clone(),
            safeguards: look.safeguards(),
        };
        let meant = view.meant(wanted);
        let held = view.held(&meant);
        // Of a token whose value leaked there is no doubt, used or not.
        let is_leaked = meant.suspect().is_some_and(|suspect| look.was_told_by_value(&suspect.id));
        let is_doubted = !is_leaked && view.is_doubted(&meant, &held.principals);
        let output = view.output(&meant, is_doubted, &held, look.now());
        let mut findings = view.findings(&held, &output.revived, &evidence);
        // What has no id cannot be looked at again: the gap and the work by hand stand for it.
        if let Some(unheard) = meant.unheard() {
            findings.retain(|finding| !unheard.is(&finding.resource.id));
        }
        let mut summary = summary(&output, &meant, view.events.is_empty());
        if let Some(person) = meant.person() {
            summary.push_str(&format!(", the suspect is {person}: {}", view.told_of(person, &held.principals)));
        }
        let gaps = meant.suspect().and_then(|suspect| suspect.gap.clone()).into_iter().collect();
        Ok(StepPlan { findings, gaps, ..StepPlan::seen(output, summary) })
    }
}

/// Everything that an inventory is made from.
struct View<'a> {
    seen: &'a Seen,
    /// What was given as the suspect.
    reported: &'a str,
    /// E-mails of members, where they were asked for.
    members: Vec<String>,
    events: Vec<AuditEvent>,
    before: Vec<SeenBefore>,
    cut: Vec<TokenRef>,
    resting: Vec<TokenRef>,
    /// See [`DealtWith`].
    chosen: Vec<TokenRef>,
    beside: BTreeSet<String>,
    passed_over: BTreeSet<(String, String)>,
    since: Option<Timestamp>,
    own: Option<String>,
    safeguards: &'a Safeguards,
}

impl View<'_> {
    fn held(&self, meant: &Meant) -> Held<'_> {
        // What was cut as the intruder's is the intruder's, also where nobody could name the suspect at first; and so is what
        // was to be cut and could not be.
        let cut = self.cut.iter().chain(&self.chosen).map(|token| token.id.clone());
        let mut suspects: Vec<String> =
            meant.suspect().map(|suspect| suspect.id.clone()).into_iter().chain(cut).collect();
        let mut known = BTreeSet::new();
        suspects.retain(|id| known.insert(id.clone()));
        let is_own_address = |ip: &str| self.safeguards.is_own_address(ip);
        let honest = |token: &str| {
            // Of a user it is what they did without a token.
            let is_it = |id: &Option<String>, email: &Option<String>| match id {
                Some(id) => id == token,
                None => email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(token)),
            };
            let uses = self.before.iter().filter(|before| is_it(&before.token_id, &before.email));
            let uses = uses.filter_map(|before| before.ip.clone());
            let events = self.events.iter().filter(|event| is_it(&event.token_id, &event.email));
            let own = events.filter_map(|event| event.ip.clone()).filter(|ip| is_own_address(ip));
            uses.chain(own).collect()
        };
        let usual = |event: &AuditEvent| {
            let is_theirs = |seen: &&SeenBefore| seen.token_id == event.token_id && seen.email == event.email;
            let mut theirs = self.before.iter().filter(is_theirs).peekable();
            event.ip.as_deref().is_some_and(&is_own_address)
                || theirs.peek().is_none()
                || theirs.any(|seen| seen.ip == event.ip || is_program(seen, event))
        };
        // A user agent can be faked: it keeps an act from being held for the intruder's, and never clears it. To make a
        // credential that it never made speaks against any use; that a job does something else for once does not.
        let as_ever = |event: &AuditEvent| {
            let is_theirs = |seen: &&SeenBefore| {
                seen.token_id == event.token_id && (seen.token_id.is_some() || seen.email == event.email)
            };
            let uses = self.before.iter().filter(is_theirs);
            let kind = kind(event);
            let is_grave = made(event).is_some_and(|made| made.kind != "Worker");
            let did = |seen: &SeenBefore| !is_grave || seen.did(&kind) != Some(false);
            uses.filter(|seen| is_program(seen, event)).any(did)
        };
        let at_work: BTreeSet<&str> = self.before.iter().filter_map(|before| before.ip.as_deref()).collect();
        let is_teams = |ip: &str| is_own_address(ip) || at_work.contains(ip);
        let (since, person, name) = (self.since, meant.person(), |id: &str| self.name(id));
        let (honest, is_teams, usual, as_ever, name) = (&honest, &is_teams, &usual, &as_ever, &name);
        let known = Known { since, person, honest, is_teams, usual, as_ever, name };
        let mut held = held(&suspects, &self.events, &known);
        // A responder who made a token in the dashboard is behind the address of this run, not an intruder.
        held.tokens.retain(|grip| grip.sure || self.own.as_ref() != Some(&grip.id));
        held
    }

    fn output(&self, meant: &Meant, is_doubted: bool, held: &Held<'_>, now: Timestamp) -> Output {
        let (suspect, unheard) = (meant.suspect(), meant.unheard());
        let mut rows = Vec::new();
        let mut marked = Vec::new();
        for token in &self.seen.tokens {
            let marks = marks(token, now, self.since);
            rows.push(Row {
                id: token.id.clone(),
                name: token.name.clone(),
                owner: token.owner,
                status: token.status.clone(),
                last_used_on: token.last_used_on,
                expires_on: token.expires_on,
                marks: marks.clone(),
                created_by: self.maker(&token.id),
                minted_by: token.provisioner.clone(),
                role: self.role(&token.id, suspect, held),
            });
            marked.push((token, marks));
        }
        let controls = controls(&marked.iter().map(|(token, marks)| (*token, marks.as_slice())).collect::<Vec<_>>());
        let suspected = |grip| match self.suspected(grip, held) {
            token if unheard.is_some_and(|unheard| unheard.is(&token.id)) => TokenRef { finding: None, ..token },
            token => token,
        };
        let gripped: Vec<TokenRef> = held.tokens.iter().map(suspected).collect();
        let mut suspects = gripped.clone();
        // Where the suspect is known, only what somebody cut beside the run may be the intruder's as well.
        let candidates = self.ranked(&rows, held, meant).into_iter();
        suspects.extend(candidates.filter(|token| {
            let acted = || is_doubted && self.acted_as_never_before(&token.id);
            let is_blind = meant.person().is_some() && self.events.is_empty();
            meant.is_open() || is_blind || self.beside.contains(&token.id) || acted()
        }));
        let widened = held.tampered.iter().map(|tampering| self.tampered(tampering)).collect();
        let rotatable = rows.iter().filter(|row| row.status == "active" && matches!(row.role, Role::Other | Role::Own));
        let holders = self.holders(meant, &held.principals);
        Output {
            suspects,
            held: gripped,
            doubted: is_doubted,
            unheard: unheard.map(|unheard| UnheardName {
                name: unheard.name.clone(),
                near: unheard.near.as_ref().and_then(|near| self.seen.get(near)).map(Token::reference),
            }),
            widened,
            revived: self
                .cut
                .iter()
                .chain(&self.resting)
                .filter(|token| self.is_revived(&token.id))
                .map(|token| self.revived(token))
                .collect(),
            rotatable: rotatable.filter_map(|row| self.seen.get(&row.id)).map(Token::reference).collect(),
            beyond_tokens: !holders.is_empty() || self.beyond_tokens(&held.principals).next().is_some(),
            holder_work: holders.iter().flat_map(|holder| ByHand::of_user(holder.label())).collect(),
            holders,
            already_dead: suspect.is_some_and(|suspect| self.is_dead(&suspect.id)),
            principals: held.principals.clone(),
            controls,
            tokens: rows,
        }
    }

    fn role(&self, id: &str, suspect: Option<&Suspect>, held: &Held<'_>) -> Role {
        let is_cut = || self.cut.iter().chain(&self.chosen).any(|token| token.id == id);
        if suspect.map_or_else(is_cut, |suspect| suspect.id == id) {
            Role::Suspect
        } else if let Some(grip) = held.get(id) {
            if grip.made.is_some() { Role::Child } else { Role::Suspect }
        } else if held.tampered.iter().any(|token| token.id == id) {
            Role::Widened
        } else if self.own.as_deref() == Some(id) {
            Role::Own
        } else {
            Role::Other
        }
    }

    /// The token's name: as it is listed, or as the log knew it.
    fn name(&self, id: &str) -> String {
        let logged = || {
            let mut used = self.events.iter().filter(|event| event.token_id.as_deref() == Some(id));
            used.find_map(|event| event.token_name.clone())
        };
        self.seen.get(id).map(|token| token.name.clone()).or_else(logged).unwrap_or_default()
    }

    /// Whose the token is: as it is listed, as it was when it was cut, or as the log tells.
    fn owner(&self, id: &str) -> Option<String> {
        let listed = self.seen.get(id).map(|token| token.whose.clone());
        let mut dealt_with = self.cut.iter().chain(&self.resting).chain(&self.chosen);
        let when_cut = || dealt_with.find(|token| token.id == id).and_then(|token| token.owner.clone());
        listed.or_else(when_cut).or_else(|| owner_in_log(id, &self.events)).or_else(|| self.user(id))
    }

    /// The user for whom the token acted, where the whole list of the account's tokens does not have it.
    fn user(&self, id: &str) -> Option<String> {
        let mut used = self.events.iter().filter(|event| event.token_id.as_deref() == Some(id));
        used.find_map(|event| event.email.clone()).filter(|_| self.seen.is_whole(ACCOUNT))
    }

    fn is_dead(&self, id: &str) -> bool {
        match self.seen.get(id) {
            Some(token) => token.status != "active",
            None => self.seen.is_gone(id, self.owner(id).as_deref()),
        }
    }

    /// Cut in this incident, and active all the same.
    fn is_revived(&self, id: &str) -> bool {
        self.cut.iter().chain(&self.resting).any(|token| token.id == id)
            && self.seen.get(id).is_some_and(|token| token.status == "active")
    }

    fn maker(&self, id: &str) -> Option<String> {
        let made = self
            .events
            .iter()
            .find(|event| event.success && event.action == "create" && event.resource_id.as_deref() == Some(id));
        made.and_then(|event| event.token_name.clone().or_else(|| event.email.clone()))
    }
}

fn summary(output: &Output, meant: &Meant, is_log_unread: bool) -> String {
    let mut roles: BTreeMap<&str, usize> = BTreeMap::new();
    let doubtful: BTreeSet<&str> =
        output.held.iter().chain(&output.widened).filter(|token| !token.sure).map(|token| token.id.as_str()).collect();
    for row in &output.tokens {
        let role = match (row.role, doubtful.contains(row.id.as_str())) {
            (Role::Suspect, _) => "suspect",
            (Role::Child, false) => "made by the intruder",
            (Role::Child, true) => "PERHAPS made by the intruder",
            (Role::Widened, false) => "changed by the intruder",
            (Role::Widened, true) => "PERHAPS changed by the intruder",
            (Role::Own | Role::Other, _) => continue,
        };
        *roles.entry(role).or_default() += 1;
    }
    let mut parts = vec![count(output.tokens.len(), "token")];
    let minted = output.tokens.iter().filter(|row| row.minted_by.as_ref().is_some_and(Provisioner::is_application));
    let minted = minted.count();
    if minted > 0 {
        parts.push(format!("{minted} minted by an application"));
    }
    parts.extend(roles.into_iter().map(|(role, number)| format!("{number} {role}")));
    if let Some(unheard) = meant.unheard() {
        let of_log = if is_log_unread { "; the audit log, which may know it, was not read" } else { " nor by the log" };
        parts.push(format!("the suspect `{}` NOT SEEN by any list{of_log}", unheard.name));
    }
    if let Meant::Several(ids) = meant {
        parts.push(format!("{} tokens are called as the suspect is: CHOOSE which is meant", ids.len()));
    }
    let doubtful = output.suspects.iter().filter(|token| !token.sure);
    let candidates: Vec<&TokenRef> = doubtful.filter(|token| token.finding.is_none()).collect();
    if let Some(first) = candidates.first().filter(|_| output.doubted && !meant.is_open()) {
        let why = first.why.as_deref().unwrap_or_default();
        let number = count(candidates.len(), "other");
        parts.push(format!(
            "NOTHING in the log is surely of whoever has the suspect: is it the right one? {number} acted as never before, \
             first {}: {why}",
            first.label()
        ));
    }
    if let Some(first) = candidates.first().filter(|_| meant.is_open()) {
        let why = first.why.as_deref().unwrap_or_default();
        let number = count(candidates.len(), "candidate");
        let blind = if is_log_unread {
            " (ranked WITHOUT the audit log: by what they may do, not by what they did)"
        } else {
            ""
        };
        parts.push(format!("{number} for the suspect{blind}, first {}: {why}", first.label()));
    }
    if !output.revived.is_empty() {
        parts.push(format!("{} BROUGHT BACK after being cut", output.revived.len()));
    }
    parts.join(", ")
}
