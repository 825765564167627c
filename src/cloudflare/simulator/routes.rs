//! Which request means what.

use super::call::{Call, Refusal, Reply};
use super::permissions::Scope;
use super::world::Account;
use super::{access_rules, audit, certificates, members, rules, shelf, tokens, user_account, zones};

/// Performs one call.
pub(super) fn perform(account: &mut Account, call: &Call) -> Result<Reply, Refusal> {
    let path = call.path.clone();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match (call.method.as_str(), segments.as_slice()) {
        ("GET", ["user"]) => user_account::user(account, call),
        ("PATCH", ["user"]) => user_account::update_user(account, call),
        ("GET", ["memberships"]) => user_account::memberships(account, call),
        ("GET", ["user", "audit_logs"]) => audit::of_user(account, call),
        (_, ["user", "tokens", rest @ ..]) => {
            // An account-owned token has no user; it is refused as the wrong kind.
            let email = account.user_of(call).ok_or_else(|| Refusal::new(403, 9109, "Invalid access token"))?;
            tokens::route(account, call, Some(&email), rest)
        }
        (_, ["user", "firewall", "access_rules", "rules", rest @ ..]) => {
            account.user_of(call).ok_or_else(|| Refusal::authentication(403))?;
            access_rules::route(account, call, Scope::User, rest)
        }
        ("GET", ["accounts"]) => user_account::accounts(account, call),
        (_, ["accounts", id, rest @ ..]) => {
            account.is_this(call, id)?;
            below_account(account, call, rest)
        }
        (_, ["zones", rest @ ..]) => zones::route(account, call, rest),
        (_, ["certificates", rest @ ..]) => certificates::origin(account, call, rest),
        _ => shelf::route(account, call),
    }
}

fn below_account(account: &mut Account, call: &Call, rest: &[&str]) -> Result<Reply, Refusal> {
    match (call.method.as_str(), rest) {
        ("GET", []) => user_account::account(account, call),
        ("PUT", []) => user_account::update(account, call),
        (_, ["tokens", rest @ ..]) => tokens::route(account, call, None, rest),
        (_, ["members", rest @ ..]) => members::route(account, call, rest),
        ("GET", ["roles"]) => members::roles(account, call),
        ("GET", ["audit_logs"]) => audit::first_version(account, call),
        ("GET", ["logs", "audit"]) => audit::second_version(account, call),
        (_, ["rulesets", rest @ ..]) => rules::route(account, call, Scope::Account, rest),
        (_, ["firewall", "access_rules", "rules", rest @ ..]) => {
            access_rules::route(account, call, Scope::Account, rest)
        }
        _ => shelf::route(account, call),
    }
}
