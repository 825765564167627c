//! Which acts give somebody a credential, by their paths (API.md sections 3, 4, 7, 11, 13 and 14).

use crate::hunt::AuditEvent;

/// What an act does that gives somebody a credential, in words; `None` for any other act.
pub fn gives(event: &AuditEvent) -> Option<&'static str> {
    let Some(path) = event.path() else {
        // The older log has kinds of resource only.
        let makes = event.action == "create" && event.resource_type.contains("token");
        return makes.then_some("makes a token");
    };
    let path: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let below = match path.as_slice() {
        ["user", rest @ ..] | ["accounts" | "zones", _, rest @ ..] => rest,
        ["certificates"] if event.action == "create" => return Some("issues an Origin CA certificate"),
        _ => return None,
    };
    match (event.action.as_str(), below) {
        ("create", ["tokens"]) => Some("makes a token"),
        ("update", ["tokens", _, "value"]) => Some("rolls a token"),
        ("update", ["tokens", _]) => Some("changes a token"),
        ("create", ["members"]) => Some("invites a member"),
        ("update", ["members", _]) => Some("changes a member's rights"),
        ("create", ["access", "service_tokens"]) => Some("makes a service token"),
        (_, ["access", "service_tokens", _, "rotate"]) => Some("rolls a service token"),
        ("create" | "update", ["access", "identity_providers", ..]) => Some("makes or changes an identity provider"),
        ("create" | "update", ["sso_connectors", ..]) => Some("makes or changes an SSO connector"),
        ("create" | "update", ["oauth_clients", ..]) => Some("makes or changes an OAuth client"),
        ("create", ["cfd_tunnel"]) => Some("makes a tunnel"),
        (_, ["cfd_tunnel", _, "token"]) => Some("reads a tunnel's token"),
        ("create", ["r2", "temp-access-credentials"]) => Some("makes keys to R2"),
        ("create", ["client_certificates"]) => Some("issues a client certificate"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::gives;

    #[test]
    fn acts_that_give_a_credential_are_told_by_their_paths() {
        let of = |action: &str, uri: Option<&str>| {
            let event = json!({
                "id": "1", "at": "2026-11-20T00:00:00Z", "action": action, "success": true, "resource_type": "user_token",
                "uri": uri, "log": "v2",
            });
            gives(&serde_json::from_value(event).unwrap())
        };
        assert_eq!(of("create", Some("/client/v4/accounts/a/tokens")), Some("makes a token"));
        assert_eq!(of("update", Some("/client/v4/user/tokens/t/value")), Some("rolls a token"));
        assert_eq!(of("view", Some("/client/v4/accounts/a/cfd_tunnel/t/token")), Some("reads a tunnel's token"));
        assert_eq!(of("create", Some("/client/v4/certificates")), Some("issues an Origin CA certificate"));
        assert_eq!((of("create", None), of("update", None)), (Some("makes a token"), None));
        for (action, path) in
            [("view", "/user/tokens"), ("delete", "/user/tokens/t"), ("create", "/zones/z/dns_records")]
        {
            assert_eq!(of(action, Some(&format!("/client/v4{path}"))), None, "{action} {path}");
        }
    }
}
