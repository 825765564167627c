//! `cloudflare.token.create_incident`.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ACTIONS;
use crate::action::{Action, ActionSpec, Done, Estimate, Look, Permission, Receipt, StepError, StepPlan};
use crate::cloudflare::SWEEPS;
use crate::cloudflare::api::{classify, parse_result, segment};
use crate::cloudflare::families::families;
use crate::cloudflare::tokens::{ACCOUNT, Found, Grant, Seen, find_of, grant, list};
use crate::model::{Call, Danger, Effect, EffectKey, Gap, HttpCall, Outcome, Radius, Target, Verdict, count, ip_range};
use crate::provider::Answer;

/// `cloudflare.token.create_incident`.
#[derive(Debug, Clone, Copy)]
pub struct TokenCreateIncident;

/// Parameters of `cloudflare.token.create_incident`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The actions that the token is for: it may do what they need, and no more.
    #[serde(default)]
    pub actions: Vec<String>,
    /// More permission groups by name, as `quell plan` lists them for a runbook.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// The only addresses that it works from, such as `203.0.113.50/32`: a list, or a text with commas between them. Without
    /// any, those that quell.toml has as the team's own.
    #[serde(default)]
    pub addresses: Option<Addresses>,
    /// How many hours it lives, 1 to 24; counted from the next full hour.
    #[serde(default = "usual_hours")]
    pub hours: u8,
    /// What it is called; a number is added where a token is called so already.
    #[serde(default = "usual_name")]
    pub name: String,
}

/// Addresses and ranges of addresses.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Addresses {
    /// As a list.
    List(Vec<String>),
    /// As a person writes them.
    Text(String),
}

const fn usual_hours() -> u8 {
    8
}

fn usual_name() -> String {
    "quell incident".to_owned()
}

/// Output of `cloudflare.token.create_incident`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The tokens that were made; their values lie in the vault.
    pub created: Vec<Created>,
    /// The permission groups that the token holds.
    pub permissions: Vec<String>,
    /// Permission groups that it cannot hold, since they act on a user.
    pub of_users: Vec<String>,
    /// What to do to go on with it, in sentences.
    pub next: Vec<String>,
}

/// A token that was made.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it ends.
    pub expires_on: String,
}

/// The longest name that the API takes (documented).
const LONGEST: usize = 120;

impl Action for TokenCreateIncident {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.token.create_incident",
        version: 1,
        summary: "Make a token for the response: few rights, few hours, few addresses, sealed before it is read",
        docs: "For when quell acts with a credential that shares user, host or leak with the suspect. The token belongs to the \
               account, so that it outlives every user who is removed; it may do what the named actions need, on this account \
               alone, works from the named addresses alone, and ends by itself. Its value is shown by the API once and goes \
               into the incident's vault before it is read. Read back before it counts as made.\n\n`cloudflare.credential.switch` \
               goes on with it at once. By hand: pause the \
               run, `quell secrets reveal NAME -o FILE`, and `quell resume` with `CLOUDFLARE_API_TOKEN` from that file. The \
               journal records from there on which credential acts, and that the value was revealed. Then cut the old one.\
               \n\nRights over a user, such as that user's own tokens, no token of the account can hold: those are named. After \
               a lost answer a token may exist whose value nobody has: delete it, and make another.",
        verb: "create",
        max_danger: Danger::Reversible,
        permissions: &[
            Permission { group: "Account API Tokens Read", write: false },
            Permission { group: "Account API Tokens Write", write: true },
        ],
        example: "actions   = [\"cloudflare.audit.collect\", \"cloudflare.dns.diff\", \"cloudflare.token.disable\"]\n\
                  addresses = [\"203.0.113.50/32\"]\n",
        settling: Duration::from_secs(30),
        estimate: Estimate { fixed: 4, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let wanted = needs(&params)?;
        let addresses = addresses(&params, look)?;
        if !(1..=24).contains(&params.hours) {
            return Err(StepError::new(format!("a token for the response lives 1 to 24 hours, not {}", params.hours))
                .hint("make another one when it ends"));
        }
        let grant = grant(look, &wanted).await?;
        if grant.policies.is_empty() {
            return Err(StepError::new("no token of the account can hold any of these permissions")
                .hint("name actions that look at the account or at zones"));
        }
        let seen = list(look).await?;
        let name = free_name(&seen, &params.name)?;
        let gap = |group: &String| Gap {
            family: "permission_groups".to_owned(),
            scope: group.clone(),
            reason: "the account lists no permission group of this name: the token does not hold it".to_owned(),
            permission: None,
        };
        let gaps = grant.unknown.iter().map(gap).collect();
        let ends = ends(look.now(), params.hours);
        let summary = format!("a token with {}, until {ends}", count(grant.held.len(), "permission"));
        let effects = vec![effect(look, &name, &grant, &addresses, &ends)];
        let (permissions, of_users) = (grant.held, grant.of_users);
        let output = Output { permissions, of_users, ..Output::default() };
        Ok(StepPlan { effects, gaps, ..StepPlan::seen(output, summary) })
    }

    fn settle(_effect: &Effect, answer: &Answer) -> Receipt {
        let outcome = classify(answer);
        if outcome != Outcome::Applied {
            return Receipt { outcome, detail: Value::Null };
        }
        // The value stays in the vault; only its length is told.
        let result = parse_result(answer).unwrap_or_default();
        match (result["id"].as_str(), result["value"].as_str()) {
            (Some(id), Some(value)) if !value.is_empty() => {
                Receipt { outcome, detail: json!({ "id": id, "characters": value.chars().count() }) }
            }
            _ => Receipt { outcome: Outcome::Unknown("the answer holds no new token".to_owned()), detail: Value::Null },
        }
    }

    async fn verify<'a>(effect: &'a Effect, receipt: Option<&'a Value>, look: &'a Look<'a>) -> Verdict {
        let Some(id) = receipt.and_then(|receipt| receipt["id"].as_str()) else {
            return without_answer(effect, look).await;
        };
        match find_of(look, id, ACCOUNT).await {
            Found::Gone => Verdict::DoesNotHold("the token is gone".to_owned()),
            Found::Unseen(why) => Verdict::CannotTell(why),
            Found::There(token) if token.is_as(&effect.after) => Verdict::Holds(format!(
                "read back: token {id} is active until {}, with these rights and addresses and no others",
                effect.after["expires_on"].as_str().unwrap_or_default()
            )),
            Found::There(token) => {
                let field = token.differs_from(&effect.after).unwrap_or("status");
                Verdict::DoesNotHold(format!("the token {id} is there, and its `{field}` is not what was asked for"))
            }
        }
    }

    fn conclude(mut output: Output, done: &Done) -> Output {
        for ended in done.effects.iter().filter(|ended| ended.applied) {
            let name = &ended.effect.target.name;
            // One that a person settled has no answer, and so no id and no value.
            let Some(id) = ended.receipt["id"].as_str() else { continue };
            let expires_on = ended.effect.after["expires_on"].as_str().unwrap_or_default().to_owned();
            output.created.push(Created { id: id.to_owned(), name: name.clone(), expires_on });
            output.next = how_to_go_on(&ended.effect);
        }
        output
    }
}

/// Without an answer the value is lost, whatever the list says: then nothing is claimed that the run could go on with.
async fn without_answer(effect: &Effect, look: &Look<'_>) -> Verdict {
    let name = &effect.target.name;
    match list(look).await {
        Err(error) => Verdict::CannotTell(error.message),
        Ok(seen) if seen.tokens.iter().any(|token| token.name == *name) => Verdict::CannotTell(format!(
            "the list has a token of the name `{name}`, and its value is lost: delete it (`cloudflare.token.revoke`) and make \
             another"
        )),
        Ok(seen) if seen.is_whole(ACCOUNT) => {
            Verdict::DoesNotHold("the whole list of the account's tokens has none of this name".to_owned())
        }
        Ok(seen) => Verdict::CannotTell(seen.why_unseen("the token")),
    }
}

/// The permission groups that the token must hold.
fn needs(params: &Params) -> Result<BTreeSet<String>, StepError> {
    let mut needs: BTreeSet<String> = params.permissions.iter().cloned().collect();
    for id in &params.actions {
        let action = ACTIONS.iter().find(|action| action.spec().id == *id).ok_or_else(|| {
            StepError::new(format!("there is no action `{id}` on Cloudflare")).hint("`quell actions` lists them")
        })?;
        needs.extend(action.spec().permissions.iter().map(|permission| permission.group.to_owned()));
        if SWEEPS.contains(&id.as_str()) {
            needs.extend(families().map(|family| family.permission.to_owned()));
        }
    }
    if needs.is_empty() {
        return Err(StepError::new("nothing says what the token is for")
            .hint("name `actions`, or `permissions` as `quell plan` lists them for the runbook"));
    }
    Ok(needs)
}

/// Where the token is to work from. A token for everywhere is what a thief wants.
fn addresses(params: &Params, look: &Look<'_>) -> Result<Vec<String>, StepError> {
    let own = || look.safeguards().own_ip_ranges.iter().map(ToString::to_string).collect();
    let given: Vec<String> = match &params.addresses {
        None => own(),
        Some(Addresses::List(list)) => list.clone(),
        Some(Addresses::Text(text)) if text.trim().is_empty() => own(),
        Some(Addresses::Text(text)) => text.split(',').map(|part| part.trim().to_owned()).collect(),
    };
    if given.is_empty() {
        return Err(StepError::new("nothing says which addresses the token works from")
            .hint("name `addresses`, or the team's own under `own_ip_ranges` in quell.toml"));
    }
    let range = |address: &String| {
        let range = ip_range(address).map_err(|(why, instead)| StepError::new(why).hint(instead))?;
        Ok(range.to_string())
    };
    given.iter().map(range).collect()
}

/// A name that no token bears yet: it is what tells whether one came of a lost answer.
fn free_name(seen: &Seen, wanted: &str) -> Result<String, StepError> {
    if wanted.trim().is_empty() || wanted.chars().count() > LONGEST - 4 {
        return Err(StepError::new("the name of the token is empty, or too long").hint("at most 116 characters"));
    }
    let is_free = |name: &String| seen.tokens.iter().all(|token| token.name != *name);
    let numbered = (2..1000).map(|number| format!("{wanted} {number}"));
    let free = std::iter::once(wanted.to_owned()).chain(numbered).find(is_free);
    free.ok_or_else(|| StepError::new(format!("1000 tokens are called `{wanted}`")).hint("give it another name"))
}

/// From the next full hour on, so that a look a minute later proposes the same.
fn ends(now: Timestamp, hours: u8) -> String {
    const HOUR: i64 = 3600;
    let seconds = (now.as_second().div_euclid(HOUR) + 1 + i64::from(hours)) * HOUR;
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn how_to_go_on(effect: &Effect) -> Vec<String> {
    vec![
        format!("pause the run, and `quell secrets reveal {} -o FILE`: the journal records it", effect.key),
        "`CLOUDFLARE_API_TOKEN=$(cat FILE) quell resume`: from there on the run acts with it, and the journal says so"
            .to_owned(),
        "then cut the credential that quell acted with until then".to_owned(),
    ]
}

fn effect(look: &Look<'_>, name: &str, grant: &Grant, addresses: &[String], ends: &str) -> Effect {
    let body = json!({
        "name": name,
        "policies": grant.policies,
        "condition": { "request_ip": { "in": addresses } },
        "expires_on": ends,
    });
    let mut after = body.clone();
    after["status"] = "active".into();
    after["owner"] = ACCOUNT.into();
    let key = EffectKey::derive(look.path.as_str(), TokenCreateIncident::SPEC.id, "token", name);
    let mut consequences = vec![format!("it may: {}", grant.held.join(", "))];
    if grant.held.iter().any(|group| group == "Account API Tokens Write") {
        consequences.push("whoever holds it can make and change tokens of the account: keep its value safe".to_owned());
    }
    if !grant.of_users.is_empty() {
        let of_users = grant.of_users.join(", ");
        consequences.push(format!("it cannot have {of_users}: users' own tokens and details stay unseen with it"));
    }
    Effect {
        key,
        action: TokenCreateIncident::SPEC.id.to_owned(),
        // It has no id before it is there.
        target: Target { kind: "token".to_owned(), id: name.to_owned(), name: name.to_owned(), ambiguous: false },
        summary: format!("make token {name} for the response"),
        danger: Danger::Reversible,
        call: Call::Http(HttpCall {
            method: "POST".to_owned(),
            path: format!("/accounts/{}/tokens", segment(look.account())),
            body: Some(body),
            secret_answer: true,
        }),
        before: Value::Null,
        after,
        radius: Radius {
            reach: Some("the account; all zones of it, where its rights are over zones".to_owned()),
            cut_off: Some("nobody".to_owned()),
            put_back: Some(format!("it ends by itself at {ends}; `cloudflare.token.revoke` deletes it before")),
        },
        consequences,
        facts: vec![("until".to_owned(), ends.to_owned()), ("from".to_owned(), addresses.join(", "))],
        preselected: true,
        undo: None,
        resolves: None,
    }
}
