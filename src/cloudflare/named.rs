use serde_json::Value;

use super::api::segment;
use crate::provider::{Paging, ReadRequest, ReadSide};

/// Kinds of object that a person may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// Tokens of the calling user and of the account, by name.
    Tokens,
    /// Zones of the account, by name.
    Zones,
    /// Members of the account, by e-mail.
    Members,
}

/// Name and id of every such object that the credential sees. A list that is refused is left out here: this is for
/// looking up while somebody types, and the steps of a run say what they could not see.
pub async fn named(kind: Named, read: &dyn ReadSide) -> Vec<(String, String)> {
    let account = &read.account().id;
    let of_account = format!("/accounts/{}", segment(account));
    let requests = match kind {
        Named::Tokens => {
            vec![ReadRequest::new("/user/tokens"), ReadRequest::new(format!("{of_account}/tokens"))]
        }
        Named::Zones => vec![ReadRequest::new("/zones").with("account.id", account.clone())],
        Named::Members => vec![ReadRequest::new(format!("{of_account}/members"))],
    };
    let mut found = Vec::new();
    for request in requests {
        if let Ok(listing) = read.list(&request, Paging::Pages { per_page: 50 }).await {
            found.extend(listing.items.iter().filter_map(name_and_id));
        }
    }
    found
}

fn name_and_id(item: &Value) -> Option<(String, String)> {
    let name = item["name"].as_str().or_else(|| item["user"]["email"].as_str())?;
    Some((name.to_owned(), item["id"].as_str()?.to_owned()))
}
