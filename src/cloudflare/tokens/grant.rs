use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ACCOUNT, Owner, collection};
use crate::action::{Look, StepError};
use crate::provider::{Paging, ReadRequest};

const OF_ACCOUNT: &str = "com.cloudflare.api.account";
const OF_ZONE: &str = "com.cloudflare.api.account.zone";

/// What a token of the account is to be allowed.
#[derive(Debug, Default)]
pub struct Grant {
    /// The policies, as creation takes them.
    pub policies: Vec<Value>,
    /// The permission groups in them, by name.
    pub held: Vec<String>,
    /// Groups that act on a user: no token of the account can hold them.
    pub of_users: Vec<String>,
    /// Groups that the account does not list under this name.
    pub unknown: Vec<String>,
}

/// The policies that give a token of the account these permission groups, on this account and its zones and nothing else.
pub async fn grant(look: &Look<'_>, names: &BTreeSet<String>) -> Result<Grant, StepError> {
    let path = format!("{}/permission_groups", collection(Owner::Account, look.account()));
    let listing = look.list(&ReadRequest::new(path), Paging::Single, "permission_groups", ACCOUNT).await;
    let listing = listing.map_err(|error| StepError::read("list the permission groups", &error))?;
    let mut grant = Grant::default();
    let (mut on_account, mut on_zones) = (Vec::new(), Vec::new());
    for name in names {
        let Some(group) = listing.items.iter().find(|group| group["name"] == **name) else {
            grant.unknown.push(name.clone());
            continue;
        };
        let scopes = group["scopes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let acts_on = |scope: &str| scopes.iter().any(|it| it == scope);
        let id = json!({ "id": group["id"] });
        if acts_on(OF_ACCOUNT) {
            on_account.push(id.clone());
        }
        if acts_on(OF_ZONE) {
            on_zones.push(id);
        }
        let is_held = acts_on(OF_ACCOUNT) || acts_on(OF_ZONE);
        let list = if is_held { &mut grant.held } else { &mut grant.of_users };
        list.push(name.clone());
    }
    let account = format!("{OF_ACCOUNT}.{}", look.account());
    let zones = json!({ format!("{OF_ZONE}.*"): "*" });
    for (groups, reach) in [(on_account, json!("*")), (on_zones, zones)] {
        if !groups.is_empty() {
            let resources = json!({ account.clone(): reach });
            grant.policies.push(json!({ "effect": "allow", "permission_groups": groups, "resources": resources }));
        }
    }
    Ok(grant)
}
