//! `cloudflare.members.list`.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::{Action, ActionSpec, Estimate, Look, Permission, StepError, StepPlan};
use crate::cloudflare::api::segment;
use crate::cloudflare::attribution::{Doing, Trail, window};
use crate::cloudflare::members::{MemberRef, is_super_role};
use crate::hunt::{AuditEvent, Principal, attribute};
use crate::model::{
    Attribution, Change, Danger, Digest, Finding, FindingStatus, Resource, Severity, Source, count as counted,
};
use crate::provider::{Paging, ReadRequest};

/// `cloudflare.members.list`.
#[derive(Debug, Clone, Copy)]
pub struct MembersList;

/// Parameters of `cloudflare.members.list`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Start of the window.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Events of the audit log, to say who invited or changed whom.
    #[serde(default)]
    pub events: Option<Vec<AuditEvent>>,
    /// What the intruder holds.
    #[serde(default)]
    pub principals: Option<Vec<Principal>>,
    /// `suspicious` of an earlier look: who is no longer in the list is settled.
    #[serde(default)]
    pub again: Option<Vec<MemberRef>>,
}

/// Output of `cloudflare.members.list`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Everybody who belongs to the account or is invited.
    pub members: Vec<Member>,
    /// The e-mails of those who belong to it, to choose from.
    pub emails: Vec<String>,
    /// Who came or was changed in the window, for `cloudflare.member.remove` and `cloudflare.member.set_roles`. What is not
    /// known to be made by the intruder is not `sure`.
    pub suspicious: Vec<MemberRef>,
    /// How many are Super Administrators, open invitations aside.
    pub super_administrators: u32,
    /// How many invitations are open.
    pub pending: u32,
    /// Whether the account asks its members for a second factor; null where it cannot be read.
    pub enforce_twofactor: Option<bool>,
    /// What to improve, in sentences.
    pub controls: Vec<String>,
}

/// One member.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// Id of the membership, not of the user.
    pub id: String,
    /// E-mail.
    pub email: String,
    /// `accepted` or `pending`.
    pub status: String,
    /// Names of the roles.
    pub roles: Vec<String>,
    /// Whether the member has a second factor; null where the API does not say.
    pub two_factor: Option<bool>,
}

impl Member {
    /// An invitation gives no rights before it is accepted: an intruder's must not make up a number.
    fn is_member(&self) -> bool {
        self.status == "accepted"
    }

    fn is_super_administrator(&self) -> bool {
        self.is_member() && self.roles.iter().any(|role| is_super_role(role))
    }
}

impl Action for MembersList {
    type Params = Params;
    type Output = Output;

    const SPEC: ActionSpec = ActionSpec {
        id: "cloudflare.members.list",
        version: 1,
        summary: "List members, invitations, roles and second factors",
        docs: "An invitation that the intruder sent is a way back in that no token tells of. Rights that come from user \
               groups or from an identity provider do not show in the roles. A second factor does not protect API calls.",
        verb: "list",
        max_danger: Danger::Observe,
        permissions: &[Permission { group: "Account Settings Read", write: false }],
        example: "",
        settling: Duration::ZERO,
        estimate: Estimate { fixed: 2, per_zone: 0 },
    };

    async fn plan<'a>(params: Params, look: &'a Look<'a>) -> Result<StepPlan<Output>, StepError> {
        let (events, principals) = (params.events.unwrap_or_default(), params.principals.unwrap_or_default());
        let account = format!("/accounts/{}", segment(look.account()));
        let request = ReadRequest::new(format!("{account}/members"));
        let listing = look.list(&request, Paging::Pages { per_page: 50 }, "members", "the account").await;
        let listing = listing.map_err(|error| StepError::read("list the members", &error))?;
        let evidence = look.evidence();
        let enforce_twofactor = match look.get(&ReadRequest::new(account)).await {
            Ok(reading) => reading.result["settings"]["enforce_twofactor"].as_bool(),
            Err(error) => {
                look.gap(error.gap("account_settings", "the account", Some("Account Settings Read")));
                None
            }
        };
        let trail = Trail::new(&events, &principals, window(params.since, &events, &principals));
        let mut findings = Vec::new();
        let mut members = Vec::new();
        let mut suspicious = Vec::new();
        for raw in &listing.items {
            let member = member(raw);
            let user = raw["user"]["id"].as_str().unwrap_or_default();
            let doing = trail.of_resource(&[&member.id, user]);
            if doing.at.is_some() {
                let after = serde_json::json!({ "status": member.status, "roles": member.roles });
                let invited = member.status == "pending";
                findings.push(finding((&member.id, &member.email), invited, doing, after, &evidence));
                let was_made = invited || was_made(&events, &[&member.id, user]);
                suspicious.extend(findings.last().map(|finding| reference(finding, was_made)));
            }
            members.push(member);
        }
        let is_gone = |known: &MemberRef| members.iter().all(|member| member.id != known.member);
        // A list that is not whole proves nothing about who is not in it.
        let again = params.again.unwrap_or_default();
        let gone = again.iter().filter(|known| listing.shortfall.is_none() && is_gone(known));
        let proof = "the whole list of members and invitations does not have it any more";
        let settled: Vec<(String, FindingStatus, String)> = gone
            .filter_map(|known| Some((known.finding.clone()?, FindingStatus::Reverted, proof.to_owned())))
            .collect();
        // The look that showed them may have come before anybody knew what the intruder holds.
        findings.extend(again.iter().filter(|known| !known.sure && is_gone(known)).filter_map(|known| {
            let is_it = |event: &&AuditEvent| {
                event.resource_id.as_ref() == Some(&known.member)
                    && event.is_write()
                    && event.success
                    && attribute(event, &principals) == Attribution::Intruder
            };
            // Log v2 names the token, and v1 tells of the same act.
            let act = events.iter().filter(is_it).max_by_key(|event| (event.token_id.is_some(), event.at))?;
            let (attribution, at) = (Attribution::Intruder, Some(act.at));
            let doing = Doing { attribution, actor: act.actor(), at, ..Doing::default() };
            let invited = act.action == "create";
            Some(finding(
                (&known.member, &known.email),
                invited,
                doing,
                act.after.clone().unwrap_or_default(),
                &evidence,
            ))
        }));
        let output = Output {
            suspicious,
            super_administrators: count(members.iter().filter(|member| member.is_super_administrator())),
            pending: count(members.iter().filter(|member| member.status == "pending")),
            controls: controls(&members, enforce_twofactor),
            enforce_twofactor,
            emails: members.iter().filter(|member| member.is_member()).map(|member| member.email.clone()).collect(),
            members,
        };
        let hostile = findings.iter().filter(|finding| finding.attribution == Attribution::Intruder).count();
        let summary = format!(
            "{}, {}, {}, {}",
            counted(output.members.iter().filter(|member| member.is_member()).count(), "member"),
            counted(
                output.members.iter().filter(|member| member.is_super_administrator()).count(),
                "Super Administrator"
            ),
            counted(output.members.iter().filter(|member| member.status == "pending").count(), "open invitation"),
            by_whom(&events, &principals, output.suspicious.len(), hostile),
        );
        Ok(StepPlan { findings, settled_findings: settled, ..StepPlan::seen(output, summary) })
    }
}

/// How many changes are whose, as far as anybody looked: what nobody could tell is not said to be none.
fn by_whom(events: &[AuditEvent], principals: &[Principal], changed: usize, hostile: usize) -> String {
    let is_known = principals.iter().any(|held| held.intruder_made || !held.hostile_ips.is_empty());
    match (events.is_empty(), !is_known) {
        (true, _) => "changes NOT LOOKED FOR: the audit log was not read".to_owned(),
        (false, true) => format!(
            "{} in the window, not known whose: the log shows nothing yet that is surely the intruder's",
            counted(changed, "change")
        ),
        (false, false) => format!("{} by the intruder", counted(hostile, "change")),
    }
}

/// Somebody, by id and e-mail, who came or was changed in the window.
fn finding(who: (&str, &str), invited: bool, doing: Doing, after: Value, evidence: &[Digest]) -> Finding {
    Finding {
        id: format!("CF-I07:members:{}", who.0),
        technique: "CF-I07".to_owned(),
        severity: doing.weigh(Severity::High),
        status: FindingStatus::Open,
        family: "members".to_owned(),
        change: if invited { Change::Added } else { Change::Changed },
        resource: Resource { id: who.0.to_owned(), name: who.1.to_owned(), zone: None },
        attribution: doing.attribution,
        detail: format!(
            "The member was {} in the window.{}",
            if invited { "invited" } else { "added or changed" },
            doing.remark()
        ),
        at: doing.at,
        before: None,
        after: Some(after).filter(|after| !after.is_null()),
        evidence: evidence.to_vec(),
        sources: vec![Source::Audit],
        actor: doing.actor,
    }
}

fn member(raw: &Value) -> Member {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Member {
        id: text(&raw["id"]),
        email: text(&raw["user"]["email"]),
        status: text(&raw["status"]),
        roles: raw["roles"].as_array().into_iter().flatten().map(|role| text(&role["name"])).collect(),
        two_factor: raw["user"]["two_factor_authentication_enabled"].as_bool(),
    }
}

/// Whether the log shows that a member came to be, and was not only changed.
fn was_made(events: &[AuditEvent], ids: &[&str]) -> bool {
    let is_of = |event: &&AuditEvent| event.resource_id.as_deref().is_some_and(|id| ids.contains(&id));
    events.iter().filter(is_of).any(|event| event.success && event.action == "create")
}

/// Whoever the finding is about, for the steps that act on it. A member who was only changed may be a colleague whose roles
/// the intruder raised: nobody is removed for that without being chosen.
fn reference(finding: &Finding, was_made: bool) -> MemberRef {
    MemberRef {
        member: finding.resource.id.clone(),
        email: finding.resource.name.clone(),
        why: Some(if was_made {
            finding.detail.clone()
        } else {
            format!("{} Perhaps their roles are to be put back instead.", finding.detail)
        }),
        finding: Some(finding.id.clone()),
        sure: was_made && finding.attribution == Attribution::Intruder,
    }
}

fn controls(members: &[Member], enforced: Option<bool>) -> Vec<String> {
    let mut controls = Vec::new();
    let belong: Vec<&Member> = members.iter().filter(|member| member.is_member()).collect();
    let without: Vec<&str> =
        belong.iter().filter(|member| member.two_factor == Some(false)).map(|member| member.email.as_str()).collect();
    if !without.is_empty() {
        controls.push(format!(
            "{} of {} without a second factor: {}",
            without.len(),
            counted(belong.len(), "member"),
            without.join(", ")
        ));
    }
    if enforced == Some(false) {
        controls.push("the account does not ask its members for a second factor".to_owned());
    }
    let supers = members.iter().filter(|member| member.is_super_administrator()).count();
    match supers {
        0 | 1 => controls.push("fewer than two Super Administrators: one lost login locks everybody out".to_owned()),
        2 | 3 => {}
        many => controls.push(format!("{many} Super Administrators: two or three are enough")),
    }
    controls
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
