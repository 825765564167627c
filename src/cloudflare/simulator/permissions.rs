//! Permission groups, and which of them a token holds where.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::call::id_of;
use super::secret;
use crate::cloudflare::families::{families, family};
use crate::hunt::Reach;

const ACCOUNT: &str = "com.cloudflare.api.account";
const ZONE: &str = "com.cloudflare.api.account.zone";
const USER: &str = "com.cloudflare.api.user";

/// Names of the permission groups of this world besides those of the families, with the scope each acts on.
const GROUPS: &[(&str, &str)] = &[
    ("API Tokens Read", USER),
    ("API Tokens Write", USER),
    ("Memberships Read", USER),
    ("User Details Read", USER),
    ("Account API Tokens Read", ACCOUNT),
    ("Account API Tokens Write", ACCOUNT),
    ("Account Firewall Access Rules Read", ACCOUNT),
    ("Account Firewall Access Rules Write", ACCOUNT),
    ("Account Rulesets Read", ACCOUNT),
    ("Account Rulesets Write", ACCOUNT),
    ("Account Settings Read", ACCOUNT),
    ("Account Settings Write", ACCOUNT),
    ("Account WAF Read", ACCOUNT),
    ("Account WAF Write", ACCOUNT),
    ("Workers Scripts Write", ACCOUNT),
    ("Account Analytics Read", ACCOUNT),
    ("Cache Purge", ZONE),
    ("DNS Read", ZONE),
    ("DNS Write", ZONE),
    ("Firewall Services Read", ZONE),
    ("Firewall Services Write", ZONE),
    ("SSL and Certificates Read", ZONE),
    ("SSL and Certificates Write", ZONE),
    ("Zone Read", ZONE),
    ("Zone Write", ZONE),
    ("Zone Settings Read", ZONE),
    ("Zone Settings Write", ZONE),
    ("Zone WAF Read", ZONE),
    ("Zone WAF Write", ZONE),
];

/// A permission group.
struct Group {
    id: String,
    /// What it acts on.
    scopes: Vec<&'static str>,
}

impl Group {
    fn named(name: &str) -> Self {
        Self { id: secret::id(&format!("permission-group/{name}")), scopes: Vec::new() }
    }
}

/// Every permission group by its name. Each request asks for the ids of many.
static ALL: LazyLock<BTreeMap<String, Group>> = LazyLock::new(|| {
    let mut all: BTreeMap<String, Group> = BTreeMap::new();
    let of_families = families().flat_map(|entry| {
        let scope = scope_of(entry.reach);
        [(entry.permission.to_owned(), scope), (write_twin(entry.permission), scope)]
    });
    for (name, scope) in GROUPS.iter().map(|(name, scope)| ((*name).to_owned(), *scope)).chain(of_families) {
        let group = all.entry(name.clone()).or_insert_with(|| Group::named(&name));
        if !group.scopes.contains(&scope) {
            group.scopes.push(scope);
        }
    }
    all
});

/// The groups that the families need on `user`, `account` or `zones`.
pub(super) fn of_families(on: &str) -> impl Iterator<Item = &'static str> + use<> {
    let wanted = match on {
        "user" => USER,
        "account" => ACCOUNT,
        _ => ZONE,
    };
    families().filter(move |entry| scope_of(entry.reach) == wanted).map(|entry| entry.permission)
}

fn scope_of(reach: Reach) -> &'static str {
    match reach {
        Reach::User => USER,
        Reach::Account => ACCOUNT,
        Reach::Zone => ZONE,
        Reach::Of(parent) => family(parent).map_or(ACCOUNT, |parent| scope_of(parent.reach)),
    }
}

/// The group that may write what `read` may read.
pub(super) fn write_twin(read: &str) -> String {
    match read.strip_suffix(" Read") {
        Some(what @ ("Account Filter Lists" | "Zaraz")) => format!("{what} Edit"),
        Some(what) => format!("{what} Write"),
        None => read.to_owned(),
    }
}

/// What a call acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope<'a> {
    /// The user that the credential belongs to.
    User,
    /// The account.
    Account,
    /// One zone, by its id.
    Zone(&'a str),
}

/// The id of a permission group.
pub(super) fn group_id(name: &str) -> String {
    ALL.get(name).map_or_else(|| Group::named(name).id, |group| group.id.clone())
}

/// The name of every permission group.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ALL.keys().map(String::as_str)
}

/// The permission groups as the API lists them.
pub(super) fn listed() -> Vec<Value> {
    ALL.iter().map(|(name, group)| json!({ "id": group.id, "name": name, "scopes": group.scopes })).collect()
}

/// Policies as they are stored: with an id, and with the name of each group beside its id.
pub(super) fn stored_policies(policies: &Value, seed: &str) -> Vec<Value> {
    let policies = policies.as_array().map(Vec::as_slice).unwrap_or_default();
    policies
        .iter()
        .enumerate()
        .map(|(index, policy)| {
            let mut stored = policy.clone();
            stored["id"] = secret::id(&format!("policy/{seed}/{index}")).into();
            for group in stored["permission_groups"].as_array_mut().into_iter().flatten() {
                if let Some(name) = names().find(|name| group_id(name) == id_of(group)) {
                    group["name"] = name.into();
                }
            }
            stored
        })
        .collect()
}

/// Whether a token with these policies holds one of `groups` there: explicit deny, explicit allow, implicit deny.
pub(super) fn allows(policies: &Value, groups: &[&str], scope: Scope<'_>, account: &str) -> bool {
    let policies = policies.as_array().map(Vec::as_slice).unwrap_or_default();
    let groups: Vec<String> = groups.iter().map(|group| group_id(group)).collect();
    let granting = |effect: &str| {
        policies.iter().any(|policy| {
            policy["effect"] == effect && names_one(policy, &groups) && reaches(&policy["resources"], scope, account)
        })
    };
    !granting("deny") && granting("allow")
}

fn names_one(policy: &Value, groups: &[String]) -> bool {
    let held = policy["permission_groups"].as_array().into_iter().flatten();
    held.map(id_of).any(|held| groups.iter().any(|group| *group == held))
}

fn reaches(resources: &Value, scope: Scope<'_>, account: &str) -> bool {
    let Some(resources) = resources.as_object() else { return false };
    resources.iter().any(|(key, value)| {
        if let Some(id) = key.strip_prefix("com.cloudflare.api.account.zone.") {
            return matches!(scope, Scope::Zone(zone) if id == "*" || id == zone);
        }
        if let Some(id) = key.strip_prefix("com.cloudflare.api.account.") {
            if id != "*" && id != account {
                return false;
            }
            // The nested form grants the zones of the account and not the account itself.
            return match scope {
                Scope::Account => value.is_string(),
                Scope::Zone(_) => value.is_object(),
                Scope::User => false,
            };
        }
        key.starts_with("com.cloudflare.api.user.") && scope == Scope::User
    })
}
