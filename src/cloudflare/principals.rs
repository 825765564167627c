//! Which acts of the audit log make or change something that acts by itself.

use serde_json::Value;

use super::families::about;
use super::tokens::Provisioner;
use crate::hunt::AuditEvent;
use crate::hunt::graph::{Made, Reading, Tie};
use crate::model::plain_email;

/// Actions after which their target can do nothing any more.
pub static CUTS: &[&str] = &["cloudflare.token.disable", "cloudflare.token.revoke"];

/// Actions that give that back.
pub static RESTORES: &[&str] = &["cloudflare.token.restore"];

/// How acts are read for the graph.
pub const READING: Reading = Reading { made, family };

/// The family of what an act was on; where it is of none, its kind as the log has it.
fn family(event: &AuditEvent) -> String {
    let known = event.path().and_then(about);
    known.map_or_else(|| event.resource_type.clone(), |(family, _)| family.name.to_owned())
}

/// The principal that an act made or changed; `None` for an act on anything else.
pub fn made(event: &AuditEvent) -> Option<Made> {
    let path: Vec<&str> = event.path()?.split('/').filter(|segment| !segment.is_empty()).collect();
    let below = match path.as_slice() {
        ["user", rest @ ..] | ["accounts" | "zones", _, rest @ ..] => rest,
        _ => return None,
    };
    let told = event.after.as_ref();
    let text = |pointer: &str| told.and_then(|told| told.pointer(pointer)).and_then(Value::as_str).map(str::to_owned);
    let id = || event.resource_id.clone().or_else(|| text("/id")).or_else(|| text("/client_id"));
    let name = |id: &str| text("/name").unwrap_or_else(|| id.to_owned());
    let application = told.and_then(Provisioner::of).filter(Provisioner::is_application);
    let through = || application.as_ref().and_then(|application| application.id.clone());
    let principal = |tie, kind, id: String, name: String| Some(Made { tie, kind, id, name, through: through() });
    let own = |tie, kind| id().and_then(|id| principal(tie, kind, id.clone(), name(&id)));
    match (event.action.as_str(), below) {
        ("create", ["tokens"]) if application.is_some() => own(Tie::Created, "OAuth token"),
        ("create", ["tokens"]) => own(Tie::Created, "token"),
        ("update", ["tokens", id, "value"]) => principal(Tie::Rolled, "token", (*id).to_owned(), name(id)),
        ("update", ["tokens", id]) => principal(Tie::Widened, "token", (*id).to_owned(), name(id)),
        ("create" | "update", ["members", ..]) => {
            let email = plain_email(&text("/user/email").or_else(|| text("/email"))?);
            principal(Tie::Invited, "member", email.clone(), email)
        }
        ("create" | "update", ["access", "service_tokens", ..]) => own(Tie::Created, "service token"),
        ("create", ["cfd_tunnel"]) => own(Tie::Created, "tunnel"),
        ("create", ["oauth_clients"]) => own(Tie::Created, "OAuth client"),
        // A Worker reaches whatever secrets are bound to it, and no log tells what it does with them.
        (
            "create" | "update",
            ["workers", "scripts", script] | ["workers", "scripts", script, "versions" | "deployments"],
        ) => principal(Tie::Created, "Worker", format!("worker {script}"), (*script).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::made;
    use crate::hunt::graph::Tie;

    #[test]
    fn acts_are_read_by_their_paths() {
        let of = |action: &str, path: &str, after: serde_json::Value| {
            let event = json!({
                "id": "1", "at": "2026-11-20T00:00:00Z", "action": action, "success": true, "resource_type": "x",
                "resource_id": "r", "uri": format!("/client/v4{path}?a=b"), "log": "v2", "after": after,
            });
            made(&serde_json::from_value(event).unwrap()).map(|made| (made.tie, made.kind, made.id, made.name))
        };
        let found = |tie, kind, id: &str, name: &str| Some((tie, kind, id.to_owned(), name.to_owned()));
        assert_eq!(of("create", "/accounts/a/tokens", json!({ "name": "x" })), found(Tie::Created, "token", "r", "x"));
        assert_eq!(of("update", "/user/tokens/t/value", json!(null)), found(Tie::Rolled, "token", "t", "t"));
        assert_eq!(of("update", "/user/tokens/t", json!({ "name": "x" })), found(Tie::Widened, "token", "t", "x"));
        let minted = json!({ "provisioner_type": "com.cloudflare.api.oauthtoken", "provisioner_id": "client" });
        let event = json!({
            "id": "1", "at": "2026-11-20T00:00:00Z", "action": "create", "success": true, "resource_type": "x",
            "resource_id": "r", "uri": "/client/v4/accounts/a/tokens", "log": "v2", "after": minted,
        });
        let made = made(&serde_json::from_value(event).unwrap()).unwrap();
        assert_eq!((made.kind, made.through.as_deref()), ("OAuth token", Some("client")));
        let member = json!({ "user": { "email": "eve@a.example" } });
        assert_eq!(
            of("create", "/accounts/a/members", member),
            found(Tie::Invited, "member", "eve@a.example", "eve@a.example")
        );
        assert_eq!(
            of("update", "/accounts/a/workers/scripts/s", json!(null)),
            found(Tie::Created, "Worker", "worker s", "s")
        );
        assert_eq!(of("create", "/zones/z/dns_records", json!(null)), None);
        assert_eq!(of("delete", "/accounts/a/tokens/t", json!(null)), None);
    }
}
