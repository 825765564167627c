//! Members of the account and open invitations to it (API.md section 7).

mod acting;
mod guard;
mod listing;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use acting::Trace;
pub use guard::{Losing, is_responder, spare};
pub use listing::{Found, Seen, find, find_listed, list, list_or_gap, super_administrators};

use super::api::segment;
use crate::model::{Effect, Target, canonical_digest};

/// Names a member for the steps that act on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberRef {
    /// Id of the membership, or the e-mail.
    pub member: String,
    /// E-mail, where it is known; may be chosen by an attacker.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// What speaks against the member, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The finding that acting on it deals with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// False where it is only suspected: then nobody acts on it without choosing it.
    #[serde(default = "yes")]
    pub sure: bool,
}

const fn yes() -> bool {
    true
}

impl MemberRef {
    /// The member that an effect touches.
    pub fn of(effect: &Effect) -> Self {
        Self {
            member: effect.target.id.clone(),
            email: effect.target.name.clone(),
            why: None,
            finding: effect.resolves.as_ref().map(|resolves| resolves.finding.clone()),
            sure: true,
        }
    }

    /// The members that a step is given, with one more whom a person named by e-mail or id.
    pub fn with_named(mut members: Vec<Self>, named: Option<&str>) -> Vec<Self> {
        let of =
            |name: &str| Self { member: name.to_owned(), email: String::new(), why: None, finding: None, sure: true };
        members.extend(said(named).map(of));
        members
    }

    /// The e-mail, or the id where the e-mail is not known.
    pub fn label(&self) -> &str {
        if self.email.is_empty() { &self.member } else { &self.email }
    }
}

/// Whom a person named; `None` where nobody was.
pub fn said(named: Option<&str>) -> Option<&str> {
    named.map(str::trim).filter(|named| !named.is_empty())
}

/// A member, or an open invitation, as the API shows it.
#[derive(Debug, Clone)]
pub struct Member {
    /// Id of the membership, not of the user.
    pub id: String,
    /// E-mail.
    pub email: String,
    /// `accepted`, or `pending` for an invitation.
    pub status: String,
    /// Whether the member has a second factor; `None` where the API does not say.
    pub two_factor: Option<bool>,
    roles: Vec<Value>,
    policies: Vec<Value>,
}

/// The role whose holders may do everything (documented id).
const SUPER_ADMINISTRATOR: &str = "33666b9c79b9a5273fc7344ff42f953d";

/// Whether a role of this name lets its holder do everything.
pub fn is_super_role(name: &str) -> bool {
    name.starts_with("Super Administrator")
}

/// Whether a role, or a permission group of a policy, lets its holder do everything.
pub fn is_super(role: &Value) -> bool {
    role["id"] == SUPER_ADMINISTRATOR || role["name"].as_str().is_some_and(is_super_role)
}

impl Member {
    fn read(raw: &Value) -> Option<Self> {
        let list = |name: &str| raw[name].as_array().cloned().unwrap_or_default();
        let email = raw["user"]["email"].as_str().or_else(|| raw["email"].as_str());
        Some(Self {
            id: raw["id"].as_str()?.to_owned(),
            email: email.unwrap_or_default().to_owned(),
            status: raw["status"].as_str().unwrap_or_default().to_owned(),
            two_factor: raw["user"]["two_factor_authentication_enabled"].as_bool(),
            roles: list("roles"),
            policies: list("policies"),
        })
    }

    /// Whether somebody is meant who is named by id or e-mail.
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || (!self.email.is_empty() && self.email.eq_ignore_ascii_case(name))
    }

    /// Whether it may do everything already. An invitation gives no rights before it is accepted.
    pub fn is_super_administrator(&self) -> bool {
        let allowing = self.policies.iter().filter(|policy| policy["access"] != "deny");
        let groups = allowing.filter_map(|policy| policy["permission_groups"].as_array()).flatten();
        self.status == "accepted" && self.roles.iter().chain(groups).any(is_super)
    }

    /// Whether policies of its own give it rights besides the roles.
    pub fn has_policies(&self) -> bool {
        !self.policies.is_empty()
    }

    /// Path of the membership.
    pub fn path(&self, account: &str) -> String {
        format!("{}/{}", collection(account), segment(&self.id))
    }

    /// Names of its roles, for people.
    pub fn roles_in_words(&self) -> String {
        in_words(&self.roles)
    }

    /// Ids of its roles.
    pub fn role_ids(&self) -> Vec<String> {
        ids(&self.roles)
    }

    /// The membership without what does not belong to it: what is shown and consented to.
    pub fn image(&self) -> Value {
        self.image_with(&self.roles)
    }

    /// The same with other roles.
    pub fn image_with(&self, roles: &[Value]) -> Value {
        let roles: Vec<Value> = roles.iter().map(|role| json!({ "id": role["id"], "name": role["name"] })).collect();
        json!({ "email": self.email, "status": self.status, "roles": roles, "policies": self.policies })
    }

    /// The body of a full update that gives it other roles and changes nothing else: what is left out may be dropped.
    pub fn update(&self, roles: &[Value]) -> Value {
        let only_id = |list: &Value| -> Vec<Value> {
            list.as_array().into_iter().flatten().map(|item| json!({ "id": item["id"] })).collect()
        };
        let policy = |policy: &Value| {
            json!({
                "access": policy["access"],
                "permission_groups": only_id(&policy["permission_groups"]),
                "resource_groups": only_id(&policy["resource_groups"]),
            })
        };
        let policies: Vec<Value> = self.policies.iter().map(policy).collect();
        json!({ "id": self.id, "roles": only_id(&roles.into()), "policies": policies })
    }

    /// The first thing in which it is not as `image` (an [image](Self::image)) has it. What means the same is the same:
    /// an update may give policies other ids, and roles another order.
    pub fn differs_from(&self, image: &Value) -> Option<&'static str> {
        let now = self.image();
        [("roles", roles_of as fn(&Value) -> Value), ("policies", policies_of)]
            .into_iter()
            .find(|(field, meaning)| meaning(&now[*field]) != meaning(&image[*field]))
            .map(|(field, _)| field)
    }

    /// The membership as the target of an effect.
    pub fn target(&self, all: &[Self]) -> Target {
        let ambiguous = all.iter().any(|other| other.id != self.id && other.is_called(&self.email));
        Target { kind: "member".to_owned(), id: self.id.clone(), name: self.email.clone(), ambiguous }
    }
}

/// Names of roles, for people.
pub fn in_words(roles: &[Value]) -> String {
    let names: Vec<&str> =
        roles.iter().filter_map(|role| role["name"].as_str().or_else(|| role["id"].as_str())).collect();
    if names.is_empty() { "no role".to_owned() } else { names.join(", ") }
}

fn ids(list: &[Value]) -> Vec<String> {
    list.iter().filter_map(|item| item["id"].as_str().map(str::to_owned)).collect()
}

fn sorted_ids(list: &Value) -> Vec<String> {
    let mut ids = list.as_array().map(|list| ids(list)).unwrap_or_default();
    ids.sort_unstable();
    ids
}

fn roles_of(roles: &Value) -> Value {
    sorted_ids(roles).into()
}

fn policies_of(policies: &Value) -> Value {
    let policy = |policy: &Value| {
        let [groups, resources] = ["permission_groups", "resource_groups"].map(|field| sorted_ids(&policy[field]));
        json!({ "access": policy["access"], "groups": groups, "resources": resources })
    };
    let mut policies: Vec<Value> = policies.as_array().into_iter().flatten().map(policy).collect();
    policies.sort_by_key(canonical_digest);
    policies.into()
}

/// Each member once, as it was named first, by whichever of its names.
pub fn unique(seen: &Seen, members: Vec<MemberRef>) -> Vec<MemberRef> {
    let id = |named: &MemberRef| match seen.get(&named.member) {
        Some(member) => member.id.clone(),
        None => named.member.trim().to_lowercase(),
    };
    let mut unique: Vec<MemberRef> = Vec::new();
    for member in members {
        if !unique.iter().any(|known| id(known) == id(&member)) {
            unique.push(member);
        }
    }
    unique
}

/// Adds a member to a list that may have it already.
pub fn include(members: &mut Vec<MemberRef>, member: MemberRef) {
    if !members.iter().any(|known| known.member == member.member) {
        members.push(member);
    }
}

/// The part of a summary that tells who was not dealt with: of `gaps` members, `unseen` could not be seen.
pub fn not_dealt_with(gaps: usize, unseen: usize, what: &str) -> String {
    let left = match gaps - unseen {
        0 => String::new(),
        left => format!(", {left} LEFT ALONE"),
    };
    let unseen = if unseen > 0 { format!(", {unseen} NOT SEEN: not {what} by this run") } else { String::new() };
    left + &unseen
}

/// Path of all members.
fn collection(account: &str) -> String {
    format!("/accounts/{}/members", segment(account))
}
