//! What a read shows, and what it hides unless asked.

use serde_json::{Value, json};

use super::born::always;
use super::place::Place;
use crate::cloudflare::simulator::call::{Call, Query, Refusal, Reply};
use crate::cloudflare::simulator::paging::Paging as Pages;
use crate::cloudflare::simulator::world::Account;
use crate::hunt::{Family, Shape};
use crate::provider::Paging;

pub(super) fn read(account: &Account, call: &Call, place: &Place) -> Result<Reply, Refusal> {
    let items = account.shelf.items(&place.list);
    let paging = match (place.family.shape, place.rest.as_slice()) {
        (Shape::List(paging), []) => paging,
        (Shape::List(_), [id]) => {
            let found = place.position(items, id).map(|at| items[at].clone());
            return found.map(Reply::result).ok_or_else(|| place.missing(&call.path));
        }
        (_, []) => {
            let found = items.first().cloned().or_else(|| always(place.family));
            return found.map(Reply::result).ok_or_else(|| place.missing(&call.path));
        }
        _ => return Err(Refusal::no_route(&call.path)),
    };
    let shown = |item: &&Value| {
        is_of_jurisdiction(place.family, item, &call.jurisdiction) && !is_hidden(place.family, item, &call.query)
    };
    let mut shown: Vec<Value> = items.iter().filter(shown).cloned().collect();
    if place.family.name == "lists" {
        shown.iter_mut().for_each(|list| count_items(account, place, list));
    }
    list(place.family, &shown, paging, &call.query)
}

fn list(family: &Family, items: &[Value], paging: Paging, query: &Query) -> Result<Reply, Refusal> {
    let (page, info) = match paging {
        Paging::Single => {
            let info = json!({ "page": 1, "per_page": items.len().max(1), "count": items.len(),
                "total_count": items.len(), "total_pages": 1 });
            (items.to_vec(), Some(info))
        }
        Paging::Pages { per_page } => {
            let max = per_page as usize;
            let pages = Pages { default: max.min(20), min: 1, max, repeats_last: false };
            let (range, mut info) = pages.window(query, items.len(), items.len());
            if items.is_empty() {
                info["total_pages"] = 1.into();
            }
            (items[range].to_vec(), Some(info))
        }
        Paging::Cursor { size: (name, size) } => {
            let (page, next) = from_cursor(items, query, name, size)?;
            let info = json!({ "count": page.len(), "cursor": next.unwrap_or_default(), "per_page": size });
            (page, Some(info))
        }
        Paging::CursorAfter { per_page } => {
            let (page, next) = from_cursor(items, query, "per_page", per_page)?;
            (page, next.map(|next| json!({ "cursors": { "after": next } })))
        }
    };
    if family.inside.is_empty() {
        return Ok(Reply::page(page, info));
    }
    let mut reply = Reply::page(Vec::new(), info);
    reply.replace_result(json!({ family.inside: page }));
    Ok(reply)
}

/// A list says how many items it has.
fn count_items(account: &Account, place: &Place, list: &mut Value) {
    let path = format!("{}/{}/items", place.list, place.family.id_of(list));
    list["num_items"] = account.shelf.items(&path).len().into();
}

/// The cursor is the number of items given so far.
fn from_cursor(items: &[Value], query: &Query, size: &str, max: u32) -> Result<(Vec<Value>, Option<String>), Refusal> {
    let max = max as usize;
    let limit = query.number(size).unwrap_or(max).clamp(1, max);
    let start = match query.get("cursor").filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => cursor.parse().map_err(|_| Refusal::invalid("Invalid cursor"))?,
    };
    let page: Vec<Value> = items.iter().skip(start).take(limit).cloned().collect();
    let next = start + page.len();
    Ok((page, (next < items.len()).then(|| next.to_string())))
}

/// Buckets of one jurisdiction are not seen from another.
pub(super) fn is_of_jurisdiction(family: &Family, item: &Value, asked: &str) -> bool {
    !family.path.ends_with("/r2/buckets") || item["jurisdiction"].as_str().unwrap_or("default") == asked
}

/// What the documented filters of a list leave out, by what is asked or by default.
fn is_hidden(family: &Family, item: &Value, query: &Query) -> bool {
    let asked = |name: &str, default: &'static str| query.get(name).unwrap_or(default).to_owned();
    let is_one_of = |wanted: &str| wanted == "all" || wanted.split(',').any(|it| item["status"] == it);
    match family.name {
        "tunnels" | "deleted_tunnels" | "warp_connectors" | "deleted_warp_connectors" | "private_routes" => {
            let is_deleted = !item["deleted_at"].is_null();
            query.get("is_deleted").is_some_and(|wanted| wanted != is_deleted.to_string())
        }
        "email_addresses" => asked("verified", "true") != (!item["verified"].is_null()).to_string(),
        "page_rules" => !is_one_of(&asked("status", "disabled")),
        "client_certificates" | "origin_pulls_hostnames" => !is_one_of(&asked("status", "active")),
        "page_shield_scripts" | "page_shield_connections" => {
            let is_own = item["url_contains_cdn_cgi_path"] == true;
            // The status of what was seen is not in the answer; what was seen long ago is not active.
            let state = if item["last_seen_at"].as_str() < item["added_at"].as_str() { "inactive" } else { "active" };
            let is_wanted = asked("status", "active").split(',').any(|wanted| wanted == state);
            !is_wanted || (is_own && asked("exclude_cdn_cgi", "true") == "true")
        }
        _ => false,
    }
}
