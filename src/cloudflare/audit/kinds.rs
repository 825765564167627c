use crate::cloudflare::families::about;
use crate::hunt::AuditEvent;

/// The kind of an act: what is done to which kind of resource, as `update dns_records`. No id and no name stands in it, so
/// that there are not many of them.
pub fn kind(event: &AuditEvent) -> String {
    let Some(path) = event.path() else { return format!("{} {}", event.action, event.resource_type) };
    let what = match about(path) {
        // A new value of a token is no change of it.
        Some((family, _)) if path.ends_with("/value") => format!("{} value", family.name),
        Some((family, _)) => family.name.to_owned(),
        None => {
            let mut below = path.split('/').filter(|segment| !segment.is_empty());
            let product = match below.next() {
                Some("accounts" | "zones") => below.nth(1),
                Some("user") => below.next(),
                other => other,
            };
            format!("{} {}", product.unwrap_or_default(), event.resource_type)
        }
    };
    format!("{} {what}", event.action)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::kind;

    #[test]
    fn a_kind_names_what_is_done_to_what_and_no_single_thing() {
        let of = |action: &str, uri: Option<&str>| {
            let event = json!({
                "id": "1", "at": "2026-11-20T00:00:00Z", "action": action, "success": true, "resource_type": "thing",
                "uri": uri, "log": "v2",
            });
            kind(&serde_json::from_value(event).unwrap())
        };
        assert_eq!(of("update", Some("/client/v4/zones/z/dns_records/r?x=1")), "update dns_records");
        assert_eq!(of("create", Some("/client/v4/zones/y/dns_records")), "create dns_records");
        assert_eq!(of("update", Some("/client/v4/accounts/a/tokens/t")), "update account_tokens");
        assert_eq!(of("update", Some("/client/v4/accounts/a/tokens/t/value")), "update account_tokens value");
        assert_eq!(of("create", Some("/client/v4/accounts/a/magic/sites/s/acls")), "create magic thing");
        assert_eq!(of("create", None), "create thing");
    }
}
